"""The cell that installs the course: what it would run, on Colab and in a bare kernel."""

import ast
import importlib.util
import re
import subprocess
import sys

import nbformat
from IPython.core.inputtransformer2 import TransformerManager
from nbformat.v4 import new_code_cell
from notebooks.install import NEEDS, PYPROJECT, install_cell, is_install

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


def test_a_bare_kernel_gets_torch_and_all_else_and_then_the_notebooks_version(monkeypatch):
    needs, course = pip_calls(lambda name: False, monkeypatch)
    pins = needs.removeprefix("install -q ").split()
    assert [pin.partition("==")[0] for pin in pins] == list(NEEDS.values())
    assert "torch==" in needs
    assert course == f"install -q --no-deps {COURSE}"


def test_a_hosted_notebook_keeps_what_it_has_and_gets_what_it_lacks(monkeypatch):
    lacking = ("gmcourse", "anywidget", "sklearn")
    needs, course = pip_calls(lambda name: name not in lacking, monkeypatch)
    assert re.fullmatch(r"install -q anywidget==[\d.]+ scikit-learn", needs)
    assert course == f"install -q --no-deps {COURSE}"
    assert pip_calls(lambda name: name != "gmcourse", monkeypatch) == [course]


def test_no_name_means_something_to_a_shell():
    assert not re.search(r"[<>;|&$]", install_cell(ADDRESS).source)


def test_it_brings_all_that_a_lesson_can_import():
    """The command line, the lab and grading, which a hosted notebook does without, may need more."""
    root = PYPROJECT.parent
    package = (path for path in (root / "gmcourse").rglob("*.py") if not {"cli", "lab", "grading"} & {*path.parts})
    lessons = (nbformat.read(path, as_version=4).cells for path in root.glob("chapters/0*/*.ipynb"))
    code = [cell.source for cells in lessons for cell in cells if cell.cell_type == "code"]
    nodes = [node for text in [*code, *(path.read_text("utf-8") for path in package)] for node in ast.walk(tree(text))]
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.level == 0]
    others = {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {"gmcourse"}
    assert others - {"IPython", "traitlets", "cycler"} == {
        *NEEDS
    }  # a kernel brings the first two, matplotlib the third


def tree(text):
    return ast.parse(re.sub(r"(?m)^(\s*)[%!].*", r"\1pass", text))


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
