"""What a student wrote stands, what the course corrected arrives: one copy through one or two editions of a lesson."""

import random

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

pytestmark = pytest.mark.filterwarnings("error:Non-unique cell id")  # nbformat would mend it, and we never write it

TITLE, QUESTION, IMPORT, ANSWER, CELL, STUB, CHECK = LESSON = (
    "# The bound",
    "First, a question.",
    "import math",
    "Now the answer.",
    "math.pi",
    "def kl(mean):\n    raise NotImplementedError",
    'check("vae.kl", kl)',
)
SOLVED = "def kl(mean):\n    return mean**2 / 2"
CORRECTED = "Now the answer, corrected."


def said(notebook, text):
    return next(cell for cell in notebook.cells if cell.source == text).outputs


def answer(course, said="vae.kl: correct (1 point)."):
    """The student solves the exercise and saves."""
    mine = course.copy()
    mine.cells[5].source = SOLVED
    mine.cells[6].outputs = [new_output("execute_result", {"text/plain": said}, execution_count=7)]
    course.save(mine)


def again(course):
    """A second start of the lab writes nothing."""
    before = course.path().read_bytes(), course.path().stat().st_mtime_ns
    assert course.refresh()["04_vae/01_bound"] == ("up to date", "")
    assert (course.path().read_bytes(), course.path().stat().st_mtime_ns) == before


def test_a_copy_that_was_only_run_is_replaced(course):
    mine = course.copy()
    for cell in mine.cells[2::2]:
        cell.execution_count = 12
    mine.cells[4].outputs = [new_output("stream", text="mine")]
    mine.cells.append(new_code_cell(""))  # what running the last cell leaves behind
    mine.metadata.language_info = {"name": "python", "version": "3.12"}
    course.save(mine)
    again(course)
    course.publish(*LESSON[:3], CORRECTED, (CELL, "3.14"), *LESSON[5:])
    assert course.refresh()["04_vae/01_bound"] == ("refreshed", "")
    assert course.texts() == [*LESSON[:3], CORRECTED, *LESSON[4:]]
    assert said(course.copy(), CELL)[0].data["text/plain"] == "3.14"
    again(course)


def test_an_answer_stands_with_its_verdict_and_a_correction_arrives(course):
    answer(course)
    course.publish(*LESSON[:3], CORRECTED, *LESSON[4:6], (CHECK, "vae.kl: not attempted yet."))
    assert course.refresh()["04_vae/01_bound"] == ("kept", "")
    assert course.texts() == [*LESSON[:3], CORRECTED, CELL, SOLVED, CHECK]
    assert said(course.copy(), CHECK)[0].data["text/plain"] == "vae.kl: correct (1 point)."
    again(course)


@pytest.mark.parametrize("changed", [CORRECTED, ANSWER])
def test_a_note_follows_what_it_followed(course, changed):
    mine = course.copy()
    mine.cells.insert(4, new_markdown_cell("Why?"))
    mine.cells.insert(0, new_markdown_cell("My name."))
    course.save(mine)
    course.publish(TITLE, "A new paragraph.", *LESSON[1:3], changed, "And another.", *LESSON[4:])
    assert course.refresh()["04_vae/01_bound"][0] == "kept"
    told = ["My name.", TITLE, "A new paragraph.", QUESTION, IMPORT, changed, "Why?", "And another.", *LESSON[4:]]
    assert course.texts() == told
    again(course)


def test_where_both_changed_a_cell_the_lessons_stands_above_the_students(course):
    answer(course)
    stub = 'def kl(mean):\n    """In nats."""\n    raise NotImplementedError'
    other = "math.tau"
    course.publish(*LESSON[:4], other, stub, CHECK)
    state, remark = course.refresh()["04_vae/01_bound"]
    assert state == "kept"
    assert remark.startswith("changed in 1 of your cells, too")
    assert course.texts() == [*LESSON[:4], other, stub, SOLVED, CHECK]
    again(course)
    course.publish(*LESSON[:4], other, stub, CHECK, "The end.")
    assert course.refresh()["04_vae/01_bound"] == ("kept", "")
    assert course.texts() == [*LESSON[:4], other, stub, SOLVED, CHECK, "The end."]


def test_an_answer_that_looks_like_nothing_in_the_new_lesson_keeps_its_place(course):
    mine = course.copy()
    mine.cells[4].source = "import numpy as np\n" + "\n".join(f"row_{k} = np.arange({k})" for k in range(30))
    mine.cells[5].source = SOLVED
    course.save(mine)
    course.publish(*LESSON[:4], "x = 1", "def kl(mean):\n    ...", CHECK)
    assert course.refresh()["04_vae/01_bound"][0] == "kept"
    assert course.texts() == [*LESSON[:4], "x = 1", mine.cells[4].source, "def kl(mean):\n    ...", SOLVED, CHECK]


def test_a_deleted_cell_stays_deleted_through_two_editions(course):
    mine = course.copy()
    del mine.cells[1]
    course.save(mine)
    for extra in ("Once.", "Twice."):
        course.publish(*LESSON, extra)
        assert course.refresh()["04_vae/01_bound"] == ("kept", "")
        assert course.texts() == [TITLE, *LESSON[2:], extra]
        again(course)


def test_a_moved_cell_stays_where_it_was_put_and_new_ones_follow_their_neighbour(course):
    mine = course.copy()
    mine.cells.insert(0, mine.cells.pop(4))
    course.save(mine)
    course.publish(*LESSON[:2], "New.", *LESSON[2:], "The end.")
    assert course.refresh()["04_vae/01_bound"][0] == "kept"
    assert course.texts() == [CELL, TITLE, QUESTION, "New.", IMPORT, ANSWER, STUB, CHECK, "The end."]
    again(course)


def test_what_the_course_moves_and_removes_follows_it_around_an_answer(course):
    answer(course)
    course.publish(ANSWER, TITLE, IMPORT, STUB, CHECK)
    assert course.refresh()["04_vae/01_bound"][0] == "kept"
    assert course.texts() == [ANSWER, TITLE, IMPORT, SOLVED, CHECK]
    course.publish(TITLE, IMPORT)
    assert course.refresh()["04_vae/01_bound"][0] == "kept"
    assert course.texts() == [TITLE, IMPORT, SOLVED]


def test_a_correction_that_the_student_made_as_well_is_not_doubled(course):
    mine = course.copy()
    mine.cells[3].source = CORRECTED
    course.save(mine)
    course.publish(*LESSON[:3], CORRECTED, *LESSON[4:])
    assert course.refresh()["04_vae/01_bound"] == ("kept", "")
    assert course.texts() == [*LESSON[:3], CORRECTED, *LESSON[4:]]


@pytest.mark.parametrize("names", ["none", "others"])
def test_an_editor_that_drops_the_names_of_cells_loses_nothing(course, names):
    answer(course)
    mine = course.copy()
    for number, cell in enumerate(mine.cells):
        del cell["id"]
        if names == "others":
            cell.id = f"cell{number}"
    mine.nbformat_minor = 4 if names == "none" else 5
    course.save(mine)
    course.publish(*LESSON[:3], CORRECTED, *LESSON[4:])
    assert course.refresh()["04_vae/01_bound"][0] == "kept"
    assert course.texts() == [*LESSON[:3], CORRECTED, CELL, SOLVED, CHECK]


def test_a_lesson_whose_cells_have_other_names_is_copied_and_merged_alike(course):
    source = course.root / "chapters/04_vae/01_bound.ipynb"
    course.publish(*LESSON[:3], CORRECTED, *LESSON[4:])
    notebook = nbformat.read(source, as_version=4)
    for number, cell in enumerate(notebook.cells):
        cell.id = f"old-{number}"
    answer(course)
    nbformat.write(notebook, source)
    assert course.refresh()["04_vae/01_bound"][0] == "kept"
    assert course.texts() == [*LESSON[:3], CORRECTED, CELL, SOLVED, CHECK]


def test_equal_cells_are_told_apart(course):
    course.publish(TITLE, CELL, CELL, CELL)
    course.refresh()
    mine = course.copy()
    mine.cells[2].source = "math.e"
    del mine.cells[3]
    course.save(mine)
    course.publish(TITLE, CELL, CELL, CELL, "The end.")
    assert course.refresh()["04_vae/01_bound"][0] == "kept"
    assert course.texts() == [TITLE, CELL, "math.e", "The end."]


def test_a_lesson_s_cell_that_the_student_repeats_stands_twice(course):
    mine = course.copy()
    mine.cells.insert(2, new_code_cell(CELL))
    course.save(mine)
    course.publish(*LESSON, "The end.")
    assert course.refresh()["04_vae/01_bound"] == ("kept", "")
    assert course.texts() == [TITLE, QUESTION, CELL, *LESSON[2:], "The end."]


VIEW, STATE = "application/vnd.jupyter.widget-view+json", "application/vnd.jupyter.widget-state+json"


def shows(model):
    return [new_output("display_data", {VIEW: {"model_id": model}})]


def state(*models):
    return {STATE: {"state": {model: {} for model in models}, "version_major": 2, "version_minor": 0}}


@pytest.fixture
def explorers(course):
    """The lesson with two explorers, which the copy shows as they were published."""
    course.publish(*LESSON, "x = 1", "x = 2", widgets=state("theirs", "theirs too"))
    path = course.root / "chapters/04_vae/01_bound.ipynb"
    new = nbformat.read(path, as_version=4)
    new.cells[7].outputs, new.cells[8].outputs = shows("theirs"), shows("theirs too")
    nbformat.write(new, path)
    course.refresh()
    return course


def seen(course):
    """The models that the copy shows, each of which has a saved state."""
    copy = course.copy()
    models = [output.data[VIEW]["model_id"] for cell in copy.cells[7:] for output in cell.outputs]
    assert {*models} <= copy.metadata.widgets[STATE]["state"].keys()
    return models


def test_an_explorer_whose_state_was_saved_is_kept_in_a_merge_and_another_is_the_lessons(explorers):
    answer(explorers)
    mine = explorers.copy()
    mine.cells[7].outputs, mine.cells[8].outputs = shows("mine"), shows("lost")
    mine.metadata.widgets = state("mine")
    explorers.save(mine)
    explorers.publish(*LESSON[:3], CORRECTED, *LESSON[4:], "x = 1", "x = 2", widgets=state("theirs", "theirs too"))
    path = explorers.root / "chapters/04_vae/01_bound.ipynb"
    new = nbformat.read(path, as_version=4)
    new.cells[7].outputs, new.cells[8].outputs = shows("theirs"), shows("theirs too")
    nbformat.write(new, path)
    assert explorers.refresh()["04_vae/01_bound"][0] == "kept"
    assert seen(explorers) == ["mine", "theirs too"]


@pytest.mark.parametrize("answered", [False, True])
def test_an_explorer_that_was_run_is_alive_at_the_next_start(explorers, answered):
    if answered:
        answer(explorers)
    mine = explorers.copy()
    mine.cells[4].outputs = [new_output("stream", text="mine")]
    mine.cells[8].outputs = shows("gone with its kernel")
    explorers.save(mine)
    assert explorers.refresh()["04_vae/01_bound"] == ("up to date", "")
    assert seen(explorers) == ["theirs", "theirs too"]
    assert explorers.copy().cells[4].outputs[0].text == "mine"
    assert explorers.copy().cells[5].source == (SOLVED if answered else STUB)
    again(explorers)


def test_a_dead_explorer_in_a_cell_of_the_students_own_is_left_and_nothing_is_written(explorers):
    mine = explorers.copy()
    mine.cells[8].source, mine.cells[8].outputs = "x = 3", shows("gone with its kernel")
    explorers.save(mine)
    again(explorers)


def test_cells_that_bear_one_name_are_all_kept(course):
    mine = course.copy()
    mine.cells.insert(5, new_code_cell("x = 'mine'", id=mine.cells[5].id))
    course.path().write_text(nbformat.v4.writes(mine), encoding="utf-8")
    course.publish(*LESSON[:3], CORRECTED, *LESSON[4:])
    with pytest.warns(Warning, match="Non-unique cell id"):
        assert course.refresh()["04_vae/01_bound"][0] == "kept"
    assert course.texts() == [*LESSON[:3], CORRECTED, CELL, "x = 'mine'", STUB, CHECK]


@pytest.mark.parametrize("seed", range(20))
def test_no_word_of_a_student_is_lost_whatever_changes(course, seed):
    """Random edits on both sides, three editions: the student's cells all stand, in their order."""
    rng = random.Random(seed)
    lesson, own = list(LESSON), 0
    for edition in range(3):
        mine = course.copy()
        for _ in range(3):
            at, what = rng.randrange(len(mine.cells)), rng.choice(["add", "change", "delete"])
            own += 1
            if what == "add":
                mine.cells.insert(at, new_markdown_cell(f"mine {own}"))
            elif what == "change":
                mine.cells[at].source += f"\nmine {own}"
            elif len(mine.cells) > 4 and "mine" not in mine.cells[at].source:
                del mine.cells[at]
        written = [cell.source for cell in mine.cells if "mine" in cell.source]
        course.save(mine)
        for _ in range(3):
            at, what = rng.randrange(len(lesson)), rng.choice(["add", "change", "delete"])
            if what == "add":
                lesson.insert(at, f"Theirs {edition} {rng.random()}")
            elif what == "change":
                lesson[at] += " changed"
            elif len(lesson) > 3:
                del lesson[at]
        course.publish(*lesson)
        course.refresh()
        texts = course.texts()
        assert [text for text in texts if "mine" in text] == written
        again(course)
