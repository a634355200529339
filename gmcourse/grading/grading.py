"""`gmcourse grade`: a folder of submissions, in a sandbox, into a folder of grades."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from gmcourse.exercises import EXERCISES
from gmcourse.grading import assignment
from gmcourse.grading.answers import Content, content
from gmcourse.grading.batch import Rules, grade
from gmcourse.grading.held import read_key
from gmcourse.grading.lessons import read_told
from gmcourse.grading.marks import read_marks
from gmcourse.grading.report import report
from gmcourse.grading.sandbox import find_sandbox
from gmcourse.grading.submissions import Submission, read, read_names, submissions
from gmcourse.lab.files import find_course

NO_KEY = "No --key was given: functions were held to their laws at the lessons' points alone."


def run(
    folder: Path,
    out: Path,
    *,
    of: Sequence[str] = (),
    key: Path | None = None,
    names: Path | None = None,
    trusted: bool = False,
    jobs: int | None = None,
    seconds: float = 60.0,
    same: bool = False,
    fresh: bool = False,
) -> dict[str, Any]:
    """Grade the submissions in `folder`: the counts that `report` returns, and what to tell the instructor.

    Raises ValueError as its parts do.
    """
    if seconds <= 0 or (jobs is not None and jobs < 1):
        raise ValueError(f"seconds, jobs: got {seconds} and {jobs}, expected more than 0 and at least 1")
    found, told = submissions(folder, read_names(names) if names else None, out)
    exercises, questions, left = chosen(of, found)
    rules = Rules(exercises, questions, read_key(key) if key else "", find_sandbox(trusted), seconds=seconds, same=same)
    marks = read_marks(out / "marks.csv")
    told += [*left, *([] if key else [NO_KEY])]
    out.mkdir(parents=True, exist_ok=True)
    graded = grade(found, rules, out, jobs=jobs or os.cpu_count() or 1, fresh=fresh)
    results = list(tqdm(graded, total=len(found), desc="graded", unit=" students"))
    return {**report(results, out, marks, told=told), "told": told}


def chosen(of: Sequence[str], found: Sequence[Submission]) -> tuple[tuple[str, ...], tuple[str, ...], list[str]]:
    """The exercises and the open questions to grade; and what was left out, said.

    `of` holds ids, families, lessons and notebooks that hold them; by default those that most submissions hold. Raises
    ValueError for a word that is none of these, and where there is nothing to grade.
    """
    told, left = [], []
    if of:
        wanted = {id for word in of for id in _named(word)}
    else:
        told = [held for held in map(_held, found) if held.ids or held.texts]
        counts = Counter(id for held in told for id in {*held.ids, *held.texts})
        wanted = {id for id, count in counts.items() if 2 * count > len(told) or len(told) <= 2}
        rare = sorted(counts.keys() - wanted)
        few = ", ".join(rare[:20]) + (f" and {len(rare) - 20} more" if len(rare) > 20 else "")
        left = [f"Not graded, for fewer than half of the students hold it: {few}. Name it with --of."] if rare else []
    exercises = tuple(id for id in EXERCISES if id in wanted)
    if not exercises:
        raise ValueError("of: got submissions without an exercise of the course in common, expected --of to name some")
    return exercises, tuple(sorted(id for id in wanted if id.startswith("open."))), left


def _named(word: str) -> set[str]:
    """The ids that one word of `of` stands for."""
    if word in EXERCISES or word.startswith("open."):
        return {word}
    if word.endswith(".ipynb") and Path(word).is_file():
        held = content([(word, Path(word).read_bytes())], EXERCISES)
        return held.ids | held.texts.keys()
    families = {id.partition(".")[0] for id in EXERCISES}
    try:
        return {task.id for task in assignment.chosen([word], read_told(find_course()))}
    except ValueError as error:
        if word in families:  # without the lessons: no open questions
            return {id for id in EXERCISES if id.startswith(f"{word}.")}
        known = f"an exercise's id, a lesson, a notebook that was handed out, or one of {', '.join(sorted(families))}"
        raise ValueError(f"of: got {word!r}, expected {known}") from error


def _held(submission: Submission) -> Content:
    return content([(name, data) for name, data in read(submission) if isinstance(data, bytes)], EXERCISES)
