"""The folder of copies: what is made, what is replaced, what is never touched."""

import json
import os

import nbformat
import pytest
from nbformat.sign import NotebookNotary

from gmcourse.lab.copies import departed
from gmcourse.lab.course import read_course
from gmcourse.lab.files import find_course, write
from gmcourse.lab.merge import touched


def gone(course):
    return departed(course.work, read_course(course.root))


def test_copies_mirror_the_open_lessons_and_hold_nothing_else(course):
    course.publish("# The game", file="05_gan/01_game", jupytext={"formats": "ipynb,md:myst"})
    (course.root / "chapters/conf.py").write_text("", encoding="utf-8")
    assert course.refresh() == {"04_vae/01_bound": ("up to date", ""), "05_gan/01_game": ("new", "")}
    files = {path.relative_to(course.work).as_posix() for path in course.work.rglob("*") if path.is_file()}
    assert files == {"04_vae/01_bound.ipynb", "05_gan/01_game.ipynb"}
    assert "jupytext" not in course.copy("05_gan/01_game").metadata
    assert not any(map(touched, course.copy().cells))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"cells": [1]}', "\udcff", "<<<<<<< HEAD\n{}"])
def test_a_copy_that_cannot_be_read_is_left_alone_and_said_so(course, text):
    course.path().write_bytes(text.encode("utf-8", "surrogateescape"))
    before = course.path().read_bytes()
    course.publish("# The bound", "New.")
    state, remark = course.refresh()["04_vae/01_bound"]
    assert state == "left alone"
    assert "cannot be read or written (" in remark
    assert course.path().read_bytes() == before
    assert gone(course) == []


STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.mark.parametrize(
    "metadata",
    [{"gmcourse": "x"}, {"gmcourse": {"work": 3}}, {"gmcourse": {"work": {"made_from": 3}}}, {"widgets": []}],
)
def test_a_copy_whose_notes_another_tool_has_spoilt_stops_no_other(course, metadata):
    course.publish("# The game", file="05_gan/01_game")
    mine = course.copy()
    mine.metadata.update(metadata)
    course.save(mine)
    before = course.path().read_bytes()
    done = course.refresh()
    assert done["04_vae/01_bound"][0] == "left alone"
    assert done["05_gan/01_game"] == ("new", "")
    assert course.path().read_bytes() == before


def test_an_output_that_is_no_explorer_and_says_so_all_the_same_is_left_alone(course):
    mine = course.copy()
    mine.cells[4].outputs = [nbformat.v4.new_output("display_data", {VIEW: "gone"})]
    course.save(mine)
    before = course.path().read_bytes()
    assert course.refresh()["04_vae/01_bound"][0] == "left alone"
    assert course.path().read_bytes() == before


def test_widgets_as_a_hosted_notebook_saves_them_are_brought_up(course):
    mine = course.copy()
    mine.metadata.widgets = {STATE: {"a model": {}}}
    mine.cells[1].source = "Mine."
    course.save(mine)
    course.publish("# The bound", "First, a question.", "New.")
    assert course.refresh()["04_vae/01_bound"][0] == "kept"
    assert "Mine." in course.texts()


def test_a_copy_that_cannot_be_written_stops_no_other(course):
    course.publish("# The game", file="05_gan/01_game")
    (course.work / "05_gan").write_text("mine", encoding="utf-8")
    course.publish("# The bound", "New.")
    done = course.refresh()
    assert done["04_vae/01_bound"] == ("refreshed", "")
    assert done["05_gan/01_game"][0] == "left alone"
    assert (course.work / "05_gan").read_text("utf-8") == "mine"


def test_the_line_ends_of_windows_are_no_change(course):
    mine = course.copy()
    mine.cells[5].source = mine.cells[5].source.replace("\n", "\r\n")
    course.save(mine)
    course.publish("# The bound", "New.")
    assert course.refresh()["04_vae/01_bound"] == ("refreshed", "")


def test_a_lesson_that_cannot_be_read_stops_no_other_and_touches_no_copy(course):
    before = course.path().read_bytes()
    course.publish("# The game", file="05_gan/01_game")
    (course.root / "chapters/04_vae/01_bound.ipynb").write_text("<<<<<<< HEAD", encoding="utf-8")
    done = course.refresh()
    assert done["04_vae/01_bound"][0] == "left alone"
    assert done["05_gan/01_game"] == ("new", "")
    assert course.path().read_bytes() == before


def test_a_lesson_that_left_the_course_keeps_its_copy(course):
    course.publish("# The game", file="05_gan/01_game")
    course.refresh()
    before = course.path().read_bytes()
    (course.path().parent / "02_my_own.ipynb").write_bytes(b"{")
    course.save(course.copy(), "04_vae/01_bound-Copy1")
    for file in (course.root / "chapters/04_vae").iterdir():
        file.unlink()
    assert course.refresh() == {"05_gan/01_game": ("up to date", "")}
    assert course.path().read_bytes() == before
    assert gone(course) == ["04_vae/01_bound-Copy1.ipynb", "04_vae/01_bound.ipynb"]


def test_a_renamed_copy_is_no_departed_lesson_and_a_fresh_one_is_made(course):
    course.path().rename(course.path("04_vae/01_bound_first_try"))
    assert course.refresh() == {"04_vae/01_bound": ("new", "")}
    assert gone(course) == []


def test_an_interrupted_write_leaves_the_copy_as_it_was(course, monkeypatch):
    before = course.path().read_bytes()
    course.publish("# The bound", "New.")

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        course.refresh()
    assert course.path().read_bytes() == before
    assert list(course.path().parent.iterdir()) == [course.path()]


def test_a_copy_made_by_hand_is_brought_up_like_the_others(course):
    lesson = nbformat.read(course.root / "chapters/04_vae/01_bound.ipynb", as_version=4)
    course.save(lesson)
    course.publish("# The bound", "New.")
    assert course.refresh()["04_vae/01_bound"][0] == "refreshed"
    course.save(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("Something else.")]))
    assert course.refresh()["04_vae/01_bound"][0] == "kept"
    assert course.texts() == ["Something else.", "# The bound", "New."]


def test_the_kernel_that_was_chosen_and_what_the_lesson_tells_of_itself_are_there(course):
    mine = course.copy()
    mine.metadata.kernelspec = {"name": "conda-env", "display_name": "conda", "language": "python"}
    course.save(mine)
    course.publish("# The bound", "New.")
    course.refresh()
    assert course.copy().metadata.kernelspec.name == "conda-env"
    assert course.copy().metadata.gmcourse.minutes == {"reading": 40, "exercises": 25}


def trusted(course):
    return NotebookNotary().check_signature(course.copy())


def test_copies_are_trusted_and_a_stranger_s_outputs_are_not(course):
    assert trusted(course)
    course.publish("# The bound", "x = 1")
    course.refresh()
    assert trusted(course)
    for known in (True, False):
        mine = course.copy()
        mine.cells[1].source += f" + {known:d}"
        course.save(mine)
        if known:
            NotebookNotary().sign(mine)
        course.publish("# The bound", "x = 1", f"And {known}.")
        assert course.refresh()["04_vae/01_bound"][0] == "kept"
        assert trusted(course) is known


def test_copies_that_come_to_another_machine_are_trusted_again(course, tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "another"))
    assert not trusted(course)
    course.refresh()
    assert trusted(course)


def test_a_file_is_written_whole_with_one_kind_of_line_end(tmp_path):
    write(tmp_path / "page.md", "ä\nb\n")
    assert (tmp_path / "page.md").read_bytes() == "ä\nb\n".encode()
    assert [path.name for path in tmp_path.iterdir()] == ["page.md"]


def test_the_course_is_found_around_the_package_else_around_the_folder(course, monkeypatch, tmp_path):
    monkeypatch.setattr("gmcourse.__file__", str(course.root / "gmcourse/__init__.py"))
    assert find_course(tmp_path) == course.root
    monkeypatch.setattr("gmcourse.__file__", str(tmp_path / "site-packages/gmcourse/__init__.py"))
    assert find_course(course.work / "04_vae") == course.root
    with pytest.raises(ValueError, match=r"the course: got .*, expected a clone of it"):
        find_course(tmp_path)


def test_the_published_lessons_are_json_that_copies_can_be_made_of(tmp_path, monkeypatch):
    from gmcourse.lab.copies import refresh

    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    root = find_course()
    course = read_course(root)
    done = refresh(root, tmp_path / "work", course)
    assert {one.state for one in done} == {"new"}
    assert len(done) == sum(len(chapter.open_lessons) for chapter in course) > 0
    for one in done:
        stamp = json.loads((tmp_path / "work" / f"{one.lesson.file}.ipynb").read_text("utf-8"))["metadata"]["gmcourse"]
        assert stamp["work"]["lesson"] == one.lesson.file
