"""The cell that installs the course: what it would run, on Colab and in a bare kernel."""

import importlib.util
import subprocess
import sys

import nbformat
import pytest
from install import PYPROJECT, install_cell, is_install
from IPython.core.inputtransformer2 import TransformerManager
from nbformat.v4 import new_code_cell

from gmcourse import __version__

ADDRESS = "https://example.org/someone/course"
COURSE = f'"git+{ADDRESS}@v{__version__}"'


def pip_calls(present, monkeypatch):
    """What the cell gives to %pip where `present` says of a module whether it is there."""
    calls, names = [], {}

    class Shell:
        def run_line_magic(self, magic, line):
            calls.append(line.format(**names))

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name if present(name) else None)
    names |= {"get_ipython": Shell}
    exec(TransformerManager().transform_cell(install_cell(ADDRESS).source), names)
    return calls


def test_where_the_course_is_installed_nothing_happens(monkeypatch):
    assert pip_calls(lambda name: True, monkeypatch) == []


def test_a_bare_kernel_gets_the_whole_course_at_the_notebooks_version(monkeypatch):
    assert pip_calls(lambda name: False, monkeypatch) == [f"install -q {COURSE}"]


def test_a_hosted_notebook_keeps_its_torch_and_gets_what_it_lacks(monkeypatch):
    lacking = ("gmcourse", "anywidget", "tyro")
    bare, small = pip_calls(lambda name: name not in lacking, monkeypatch)
    assert bare == f"install -q --no-deps {COURSE}"
    assert [pin.partition("==")[0] for pin in small.split()[2:]] == ["anywidget", "tyro"]
    assert all("==" in pin for pin in small.split()[2:])
    assert pip_calls(lambda name: name != "gmcourse", monkeypatch) == [bare]


@pytest.mark.parametrize("held", ["torch", "ipywidgets"])
def test_what_a_hosted_notebook_has_in_its_own_version_is_never_pinned(held):
    assert f"{held}==" not in install_cell(ADDRESS).source


def test_the_cell_is_hidden_and_known_again():
    cell = install_cell(ADDRESS)
    assert is_install(cell)
    assert not is_install(new_code_cell("1"))
    assert cell.metadata["jupyter"] == {"source_hidden": True}
    assert "remove-cell" in cell.metadata["tags"]


def test_the_cell_is_written_as_the_lessons_are(tmp_path):
    path = tmp_path / "lesson.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[install_cell(ADDRESS)]), path)
    ruff = [sys.executable, "-m", "ruff"]
    config = ["--no-cache", "--config", str(PYPROJECT.parent / "chapters" / "ruff.toml"), str(path)]
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run([*ruff, *command, *config], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
