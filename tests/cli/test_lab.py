"""`gmcourse lab`: what it prepares, what it passes on to JupyterLab, what it refuses."""

import subprocess
import sys
from pathlib import Path

import pytest

import gmcourse
from gmcourse.lab import prepare, server

ROOT = Path(gmcourse.__file__).resolve().parents[1]


@pytest.fixture
def started(monkeypatch, tmp_path):
    """What JupyterLab is started with, without starting it: (root, work, its arguments)."""
    calls = []
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(server, "start", lambda *arguments: calls.append(arguments))
    return calls


def test_copies_are_made_then_jupyterlab_is_started_and_the_second_time_nothing_is_to_do(printed, started, tmp_path):
    first, last = printed("lab", "--no-start", "--work", "mine").splitlines()
    assert first.startswith("Your lessons, in mine: ")
    assert first.endswith(" new")
    assert last.startswith("You have solved 0 of ")
    assert (tmp_path / "mine/welcome.md").is_file()
    assert started == []
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "mine").rglob("*.ipynb")}
    assert " up to date\n" in printed("lab", "--work", "mine", "--no-browser", "--port", "9000")
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "mine").rglob("*.ipynb")} == before
    assert started == [(ROOT, tmp_path / "mine", ["--no-browser", "--ServerApp.port=9000"])]


@pytest.mark.parametrize(
    "asked, passed",
    [
        (("--ip=0.0.0.0",), ["--ip=0.0.0.0"]),
        (("--no-browser", "--ip", "0.0.0.0", "--port", "9"), ["--no-browser", "--ip", "0.0.0.0", "--port", "9"]),
        (("--no-browser", "--", "--debug"), ["--no-browser", "--debug"]),
        (("--port=9", "-y"), ["--ServerApp.port=9", "-y"]),
    ],
)
def test_what_is_not_the_command_s_own_goes_to_jupyterlab(printed, started, monkeypatch, asked, passed):
    monkeypatch.setattr(prepare, "prepare", lambda *_: [])
    printed("lab", "--work", "mine", *asked)
    assert [arguments for _, _, arguments in started] == [passed]


def test_a_folder_of_the_course_is_refused(failure, started):
    status, line = failure("lab", "--work", str(ROOT / "chapters"))
    assert status == 2
    assert "work: got" in line
    assert started == []


def test_without_a_clone_one_line_says_what_to_do(failure, started, monkeypatch, tmp_path):
    monkeypatch.setattr(gmcourse, "__file__", str(tmp_path / "site-packages/gmcourse/__init__.py"))
    status, line = failure("lab")
    assert status == 2
    assert "go to the folder that holds book.yml" in line


def test_without_jupyterlab_one_line_names_it(failure, monkeypatch):
    monkeypatch.setattr(prepare, "prepare", lambda *_: [])
    monkeypatch.setitem(sys.modules, "jupyterlab.labapp", None)
    status, line = failure("lab", "--work", "mine")
    assert status == 1
    assert "jupyterlab" in line


def test_a_file_where_the_folder_should_be_is_named(failure, started, tmp_path):
    (tmp_path / "mine").write_text("", encoding="utf-8")
    assert failure("lab", "--work", "mine") == (2, "gmcourse: work: got the file mine, expected a folder")
    assert started == []


@pytest.mark.parametrize("text", ["x: 1", "<<<<<<< HEAD\n- [", "", "course: 3", "course: [{title: x}]"])
def test_a_book_that_cannot_be_read_is_named_in_one_line(failure, started, monkeypatch, tmp_path, text):
    (tmp_path / "chapters").mkdir()
    (tmp_path / "book.yml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(gmcourse, "__file__", str(tmp_path / "gmcourse/__init__.py"))
    status, line = failure("lab", "--no-start")
    assert status == 2
    assert "book.yml: got" in line


def test_the_other_commands_load_nothing_of_jupyter():
    code = "import sys, gmcourse.cli, gmcourse.lab; print([m for m in ('jupyterlab', 'nbformat') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
