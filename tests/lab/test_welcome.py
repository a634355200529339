"""The page that the lab opens with: what is solved, what comes next, links that lead somewhere."""

import re

import pytest
from nbformat.v4 import new_output

from gmcourse.lab.course import read_course
from gmcourse.lab.files import find_course
from gmcourse.lab.progress import overview
from gmcourse.lab.welcome import NAME, welcome, write_welcome


def page(course):
    return welcome(course.root, course.work, read_course(course.root))


def row(course, title):
    return next(line for line in page(course).splitlines() if line.startswith("|") and f" {title}]" in line)


def show(course, *lines, file="04_vae/01_bound", kind="execute_result"):
    """The student's check cells show `lines`, and the copy is saved."""
    mine = course.copy(file)
    outputs = {
        "execute_result": lambda line: new_output(kind, {"text/plain": line}, execution_count=1),
        "stream": lambda line: new_output(kind, text=line + "\n"),
    }
    checks = [cell for cell in mine.cells if cell.source.startswith("check(")]
    for cell, line in zip(checks, lines):
        cell.outputs = [outputs[kind](line)]
    course.save(mine, file)


@pytest.fixture
def three(course):
    """The bound with three exercises, the video without core, the game with one."""
    names = ("vae.kl", "vae.draw", "vae.best_k")
    course.publish("# The bound", *(f'check("{name}", x)' for name in names))
    course.publish("# Video", "check('vae.frames', x)", file="04_vae/03_video")
    course.publish("# The game", 'check("gan.judge", x)', file="05_gan/01_game")
    course.refresh()
    return course


@pytest.mark.parametrize("kind", ["execute_result", "stream"])
def test_solved_is_what_the_saved_copy_shows_as_correct(three, kind):
    assert "0 of 3 □□□" in row(three, "The bound")
    show(three, "vae.kl: correct (1 point).", "vae.draw: not yet.\nThe law: vae.draw: correct (not).", kind=kind)
    assert "1 of 3 ■□□" in row(three, "The bound")
    assert "You have solved 1 of 5 exercises in the 3 lessons that are open." in page(three)
    show(three, "vae.kl: not yet.", "gan.judge: correct (1 point).", kind=kind)
    assert "0 of 3 □□□" in row(three, "The bound")
    assert "0 of 1 □" in row(three, "The game")


def test_next_is_the_first_core_lesson_that_is_not_solved_then_the_others(three):
    assert "**Next: [4.1 The bound](04_vae/01_bound.ipynb)** (40 min to read, 25 min for the exercises)" in page(three)
    show(three, "vae.kl: correct (2 points).")
    assert "**Go on with: [4.1 The bound]" in page(three)
    show(three, *(f"{name}: correct (1 point)." for name in ("vae.kl", "vae.draw", "vae.best_k")))
    assert "**Next: [5.1 The game]" in page(three)
    show(three, "gan.judge: correct (1 point).", file="05_gan/01_game")
    assert "**Next: [4.3 Video]" in page(three)
    show(three, "vae.frames: correct (1 point).", file="04_vae/03_video")
    assert "**You have solved every exercise of the lessons that are open.**" in page(three)


def test_open_lessons_are_linked_and_the_others_planned(three):
    text = page(three)
    links = re.findall(r"\]\((.*?)\)", text)
    assert {*links} == {"04_vae/01_bound.ipynb", "04_vae/03_video.ipynb", "05_gan/01_game.ipynb"}
    assert all((three.work / link).is_file() for link in links)
    assert "- **4 Variational autoencoders**: 4.2 Tight\n" in text
    assert "5 Adversarial networks**:" not in text
    assert " ● " in row(three, "The bound")
    assert " ● " not in row(three, "Video")


def test_minutes_are_shown_where_a_lesson_tells_them(three, course):
    assert "| 40 min | 25 min |" in row(three, "The bound")
    path = course.root / "chapters/04_vae/01_bound.ipynb"
    path.write_text(path.read_text("utf-8").replace("minutes", "hours"), encoding="utf-8")
    assert "|  |  |" in row(three, "The bound")
    assert "| 40 min | 25 min |" in row(three, "The game")


NO_NOTEBOOKS = ["", "{", "[]", '{"cells": 3}', '{"cells": [3, {"outputs": [{}]}]}', "[" * 100_000]


@pytest.mark.parametrize("text", NO_NOTEBOOKS)
def test_a_lesson_that_cannot_be_read_asks_nothing(three, text):
    (three.root / "chapters/04_vae/01_bound.ipynb").write_text(text, encoding="utf-8")
    assert " of " not in row(three, "The bound")
    assert "0 of " in row(three, "The game")


@pytest.mark.parametrize("text", NO_NOTEBOOKS)
def test_a_copy_that_cannot_be_read_has_solved_nothing(three, text):
    three.path().write_text(text, encoding="utf-8")
    assert "0 of 3" in row(three, "The bound")
    three.path().unlink()
    assert "0 of 3" in row(three, "The bound")


def test_the_page_is_written_beside_the_lessons(three):
    write_welcome(three.root, three.work, read_course(three.root))
    assert (three.work / NAME).read_text("utf-8") == page(three)
    assert max(map(len, (line for line in page(three).splitlines() if not line.startswith("|")))) <= 120


def test_every_exercise_of_the_course_is_counted(tmp_path):
    from gmcourse.exercises import EXERCISES

    root = find_course()
    counted = overview(root, tmp_path, read_course(root)).values()
    assert sorted(name for one in counted for name in one.names) == sorted(EXERCISES)
