"""nbgrader's own round trip, end to end: its release, three submissions graded, feedback; needs gmcourse[grading]."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gmcourse.exercises import EXERCISES
from gmcourse.exercises.variants import posed, seed_of
from gmcourse.grading.answers import safe
from gmcourse.grading.assignment import make
from gmcourse.grading.lessons import read_told
from gmcourse.grading.solutions import literal, solved
from tests.grading.releases import cells, leaks

pytest.importorskip("nbgrader", reason="nbgrader is an extra: pip install 'gmcourse[grading]'")
nbconvert = pytest.importorskip("nbconvert")

ROOT = Path(__file__).resolve().parents[2]
WHAT = ("gan.price_of_a_draw", "gan.draw_over_mean", "gan.share_at", "gan.count_answers", "open.05_gan/07_translation")
TASKS = {task.id: task for told in read_told(ROOT).values() for task in told.tasks if task.id in WHAT}
TEXT = "I would ask for <b>noise</b>."


def right(student, task):
    """The cell that `student` should have written."""
    if task.is_open:
        return TEXT
    record = EXERCISES[task.id]
    if record.variant is None:
        return solved(record, task.stub, task.name)
    return f"{task.name} = {literal(posed(record, seed_of(student, task.id)).reference)}"


def wrong(student, task):
    """A cell with the first known wrong answer."""
    record = EXERCISES[task.id]
    answer = (posed(record, seed_of(student, task.id)) if record.variant else record).wrong[0][0]
    if not callable(answer):
        return f"{task.name} = {literal(answer)}"
    return f"from gmcourse.exercises import EXERCISES\n\n{task.name} = EXERCISES[{task.id!r}].wrong[0][0]"


def hand_in(course, student, answer=None):
    """A student's copies of nbgrader's release, each answer's cell filled in by `answer`, under the student's name."""
    for path in sorted((course / "release" / "week").glob("*.ipynb")):
        notebook = json.loads(path.read_text("utf-8"))
        for cell in notebook["cells"]:
            told = cell["metadata"].get("gmcourse", {})
            if "".join(cell["source"]).startswith("student ="):
                cell["source"] = f'student = "{student}"'
            elif answer and told.get("role") in ("answer", "open"):
                if text := answer(student, TASKS[told["exercise"]]):
                    cell["source"] = text
        target = course / "submitted" / student / "week" / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(notebook), "utf-8")


def nbgrader(course, *words):
    """Run a command of nbgrader as an instructor does, in the folder of the course."""
    data = Path(nbconvert.__file__).parents[4] / "share" / "jupyter"  # nbconvert's templates, in an environment of two
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    places = os.pathsep.join(filter(None, [os.environ.get("JUPYTER_PATH"), str(data)]))
    found = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])  # as where it is activated
    environment = os.environ | {"PYTHONPATH": paths, "JUPYTER_PATH": places, "PATH": found}
    command = [sys.executable, "-m", "nbgrader", *words]
    done = subprocess.run(command, cwd=course, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A course after the round trip: ada has all right, ben handed in what he got, cyd has known wrong answers."""
    course = make(ROOT, WHAT, tmp_path_factory.mktemp("course"), name="week").handout.parents[1]
    nbgrader(course, "generate_assignment", "week")
    hand_in(course, "ada", right)
    hand_in(course, "ben")
    hand_in(course, "cyd", lambda student, task: None if task.is_open else wrong(student, task))
    nbgrader(course, "autograde", "week")
    nbgrader(course, "generate_feedback", "week")
    return course


def scores(course):
    """{student: {test: (points, of how many, whether a person is asked)}} in nbgrader's gradebook."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        return {
            submission.student.id: {
                grade.name: (grade.auto_score, grade.max_score, bool(grade.needs_manual_grade))
                for notebook in submission.notebooks
                for grade in notebook.grades
            }
            for submission in book.assignment_submissions("week")
        }


@pytest.mark.timeout(900)
def test_the_round_trip_gives_each_submission_its_points(graded):
    points = {f"{safe(id)}-test": float(EXERCISES[id].points) for id in WHAT if not id.startswith("open.")}
    (question,) = (safe(id) for id in WHAT if id.startswith("open."))
    full = {name: (worth, worth, False) for name, worth in points.items()}
    none = {name: (0.0, worth, False) for name, worth in points.items()}
    assert scores(graded) == {
        "ada": full | {question: (None, 2.0, True)},  # a person reads it
        "ben": none | {question: (0.0, 2.0, False)},  # nothing was written
        "cyd": none | {question: (0.0, 2.0, False)},
    }


@pytest.mark.timeout(900)
def test_nbgraders_release_holds_no_solution_and_no_hidden_test(graded):
    key = (graded / "key.txt").read_text("utf-8").strip()
    for path in [*graded.glob("release/week/*.ipynb"), graded / "handout/week.ipynb"]:
        assert leaks(path, TASKS.values(), key) == []
    shown = "\n".join(text for path in graded.glob("release/week/*.ipynb") for _, text, _ in cells(path))
    assert "    # Your code here.\n    raise NotImplementedError" in shown
    assert "price_of_a_draw = ...\n# Your code here." in shown
    assert "held.passes(" in shown


@pytest.mark.timeout(900)
def test_the_feedback_says_which_law_and_asks_and_keeps_the_key(graded):
    key = (graded / "key.txt").read_text("utf-8").strip()
    pages = {path: path.read_text("utf-8") for path in graded.glob("feedback/*/week/*.html")}
    assert {path.parts[-3] for path in pages} == {"ada", "ben", "cyd"}
    assert not [path for path, page in pages.items() if key in page]
    cyd = "\n".join(page for path, page in pages.items() if path.parts[-3] == "cyd")
    ben = "\n".join(page for path, page in pages.items() if path.parts[-3] == "ben")
    assert "gan.share_at: not yet." in cyd
    assert "Make λ a little larger. Does your share move?" in cyd
    assert "gan.share_at: not attempted yet." in ben
