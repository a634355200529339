"""What the tests of an nbgrader notebook ask: an answer passes, or says why not and scores nothing."""

import os
import warnings
from pathlib import Path
from typing import Any

from gmcourse.exercises import EXERCISES, Verdict, check
from gmcourse.exercises.checking import judge
from gmcourse.exercises.variants import posed, seed_of

KEY = "key.txt"


def passes(id: str, answer: Any, *, student: str | None = None) -> None:
    """Raise AssertionError, with what `check` says of it, unless `answer` is correct. Warnings are not shown.

    nbgrader gives nothing for a test that writes to the error stream, a warning too.
    """
    with warnings.catch_warnings(action="ignore"):
        _require(check(id, answer, student=student))


def passes_hidden(id: str, answer: Any, *, student: str | None = None) -> None:
    """The same at points, or with numbers, that the secret key and the student's name draw.

    While nbgrader grades, the student is whose folder the notebook lies in, whatever the notebook says. The key is
    read from the first key.txt in this folder or above it; FileNotFoundError where there is none.
    """
    with warnings.catch_warnings(action="ignore"):
        _require(_hidden(id, answer, graded_student() or student))


def _hidden(id: str, answer: Any, student: str | None) -> Verdict:
    """A value is asked for by the student's own numbers, which the notebook shows; a function at hidden points.

    Where the reference itself does not pass at those points, what was seen at the open ones counts.
    """
    if EXERCISES[id].variant is not None:
        return check(id, answer, student=student)
    seen = check(id, answer)
    if seen.status != "correct":
        return seen
    drawn = posed(EXERCISES[id], seed_of(student or "anyone", id, read_key(find_key())))
    hidden = judge(drawn, answer)
    fair = hidden.status == "correct" or judge(drawn, drawn.reference).status == "correct"
    return hidden if fair else seen


def graded_student() -> str:
    """The student whose notebook nbgrader is grading here, as it names the folders: autograded/STUDENT/ASSIGNMENT."""
    return Path.cwd().parent.name if os.environ.get("NBGRADER_EXECUTION") == "autograde" else ""


def find_key(start: Path | None = None) -> Path:
    """The key of the course that the folder `start`, by default this one, lies in."""
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / KEY).is_file():
            return folder / KEY
    raise FileNotFoundError(f"{KEY}: got none in {start} or above, expected the one that `gmcourse assignment` wrote")


def read_key(path: Path) -> str:
    """The secret in a key's file. Raises ValueError for one that is not there, or empty."""
    if not path.is_file() or not (key := path.read_text("utf-8").strip()):
        raise ValueError(f"key: got {path}, which is not there or empty, expected the file `gmcourse assignment` wrote")
    return key


def _require(verdict: Verdict) -> None:
    if verdict.status != "correct":
        raise AssertionError(str(verdict))
