"""Exercises read out of the lessons: all of them, with their formulas; a lesson that is told otherwise is refused."""

import json
import re
from pathlib import Path

import pytest

from gmcourse.exercises import EXERCISES
from gmcourse.grading.lessons import Equation, Task, Told, read_told
from gmcourse.grading.prompts import leaned_on, place, told_again, unanswered, whereabouts

ROOT = Path(__file__).resolve().parents[2]
TOLD = read_told(ROOT)
TASKS = {task.id: task for told in TOLD.values() for task in told.tasks}
NUMBER = re.compile(r"\((\d+\.\d+\.\d+)\)")


def test_every_exercise_and_every_question_is_read():
    assert {id for id, task in TASKS.items() if not task.is_open} == set(EXERCISES)
    asked = [path.read_text("utf-8").count("**For discussion.**") for path in ROOT.glob("chapters/0*/0*.md")]
    assert len([task for task in TASKS.values() if task.is_open]) == sum(asked)
    assert len(TASKS) == sum(len(told.tasks) for told in TOLD.values())
    assert TASKS["open.03_autoencoders/03_walking_with_a_denoiser.2"].text.startswith("`GSN, S = 4` passes")


def test_a_task_is_what_the_lesson_shows():
    task = TASKS["gan.share_at"]
    assert task.title == "Exercise 5.7.3. Where it rests"
    assert task.text == "Equation (5.7.5), from (5.7.4)."
    assert task.stub.startswith("def share_at(p, weight, distance):")
    assert task.name == "share_at"
    assert not any(re.search(r"^>|^#|^:::|\*\*For discussion", task.text, re.M) for task in TASKS.values())


@pytest.mark.parametrize("id", sorted(TASKS))
def test_every_formula_and_figure_that_a_task_names_is_with_it(id):
    task, shown = TASKS[id], leaned_on(TASKS[id], TOLD)
    named = set(NUMBER.findall(f"{task.text}\n{task.stub}\n{shown}"))
    assert named <= set(re.findall(r"\\tag\{([\d.]+)\}", shown))
    for number in re.findall(r"Figures? ([\d.]+\d)", task.text):
        assert f"Figure {number} stands in lesson " in shown


def test_a_formula_stands_between_its_own_words():
    shown = leaned_on(TASKS["gan.r1_penalty"], TOLD)
    assert shown.startswith("*Equation (5.2.10)*, from lesson 5.2, *Friction: R1*:\n\nThe generator overshoots")
    assert "with a weight $\\gamma$,\n\n$$\nR_1(\\psi)" in shown
    assert shown.endswith("the penalty moves no equilibrium.")  # and not the words that announce the next formula


def test_a_formula_that_those_words_name_stands_below_them():
    shown = leaned_on(TASKS["gan.spread"], TOLD)
    first, second = shown.index("Read (5.5.1)"), shown.index("*Equation (5.5.1)*")
    assert first < second
    assert shown.count("\\tag{5.5.1}") == 1


def test_no_prompt_names_the_packages_own_answer():
    shown = leaned_on(TASKS["gan.generator_losses"], TOLD)
    assert "in both. Both fall as $h$ rises" in shown
    assert "the critic at real data. A critic" in leaned_on(TASKS["gan.r1_penalty"], TOLD)
    assert "gmcourse" not in leaned_on(TASKS["flows.constrain_u"], TOLD)
    assert "`gmcourse.gan.divergences.game_value`" in leaned_on(TASKS["gan.discriminator_step"], TOLD)
    said = "Of the `r1_penalty` you know. Use `gmcourse.gan.losses`. It is `gmcourse.gan.losses.r1_penalty`."
    assert unanswered(said, TASKS["gan.r1_penalty"]) == "Of the `r1_penalty` you know. Use `gmcourse.gan.losses`."
    assert unanswered(said, TASKS["gan.share_at"]) == said
    assert unanswered(said, TASKS["open.05_gan/07_translation"]) == said
    for task in (task for task in TASKS.values() if not task.is_open and callable(EXERCISES[task.id].reference)):
        reference = EXERCISES[task.id].reference
        assert f".{reference.__name__}`" not in leaned_on(task, TOLD), task.id


@pytest.mark.parametrize("address", ["", "https://example.org/book"])
def test_no_link_leads_nowhere(address):
    for task in TASKS.values():
        text = told_again(task.text, task.lesson, address) + leaned_on(task, TOLD, address)
        links = re.findall(r"\]\(([^)\s]+)\)?", text)
        assert all(link.startswith("https://") for link in links), task.id
        assert ".ipynb)" not in text


def test_links_lead_to_the_book_where_it_has_an_address():
    lesson = TOLD["5.7"].lesson
    assert place(lesson, "The weight decides", "https://example.org/b/") == (
        "[lesson 5.7, *The weight decides*](https://example.org/b/05_gan/07_translation.html#the-weight-decides)"
    )
    text = "see [lesson 5.3](03_collapse.ipynb) and [(7.1.3)](../07_scores/01_x.ipynb)"
    assert told_again(text, lesson) == "see lesson 5.3 (`05_gan/03_collapse.ipynb`) and (7.1.3)"
    assert "](https://b.org/07_scores/01_x.html)" in told_again(text, lesson, "https://b.org")
    assert "`05_gan/07_translation.ipynb`" in whereabouts(lesson)


def course(folder: Path, cells: list[tuple[str, str]]) -> Path:
    """A course of one lesson with these cells."""
    chapter = folder / "chapters" / "01_one"
    chapter.mkdir(parents=True)
    entry = "{folder: 01_one, title: One, question: Why, lessons: [{file: 01_first, title: First}]}"
    (folder / "book.yml").write_text(f"course: [{entry}]\n", "utf-8")
    (chapter / "01_first.md").write_text("# First\n", "utf-8")
    notebook = {"cells": [{"cell_type": kind, "source": [text]} for kind, text in cells]}
    (chapter / "01_first.ipynb").write_text(json.dumps(notebook), "utf-8")
    return folder


BOX = ("markdown", "> ### Exercise 1.1.1. Twice\n>\n> Double it,\n> and again.\n")
STUB, CHECK = ("code", "twice = ..."), ("code", 'check("one.twice", twice)')


def test_a_lesson_of_ones_own_is_read(tmp_path):
    told = read_told(course(tmp_path, [BOX, STUB, CHECK]))["1.1"]
    assert [(task.id, task.text, task.stub) for task in told.tasks] == [
        ("one.twice", "Double it,\nand again.", "twice = ...")
    ]


@pytest.mark.parametrize(
    "cells",
    [[CHECK], [STUB, CHECK], [BOX, ("code", "thrice = ..."), CHECK], [("markdown", "Double it."), STUB, CHECK]],
)
def test_a_check_without_its_box_or_its_answer_is_refused(tmp_path, cells):
    with pytest.raises(ValueError, match="expected its box and the cell of its answer above it"):
        read_told(course(tmp_path, cells))


def test_a_lesson_that_is_no_notebook_is_refused(tmp_path):
    root = course(tmp_path, [])
    (root / "chapters/01_one/01_first.ipynb").write_text("{}", "utf-8")
    with pytest.raises(ValueError, match=r"expected the notebook of lesson 1\.1"):
        read_told(root)


def test_a_figure_that_nobody_captions_is_sought_in_the_lesson():
    lesson = TOLD["5.7"].lesson
    task = Task(id="x", lesson=lesson, title="X", text="As in Figure 5.7.99, by (5.7.1).", stub="x = ...", name="x")
    equation = Equation(number="5.7.1", formula="a = b", lesson=lesson, section="S", before="", after="")
    shown = leaned_on(task, {"5.7": Told(lesson=lesson, tasks=(), equations={"5.7.1": equation})})
    assert "Figure 5.7.99 stands in lesson 5.7, *Translation*." in shown
    assert "$$\na = b \\tag{5.7.1}\n$$" in shown
