"""`gmcourse grade`: a folder of submissions, in a sandbox, into a folder of grades."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tqdm.auto import tqdm

from gmcourse.exercises import EXERCISES
from gmcourse.grading.answers import content, submissions
from gmcourse.grading.batch import Rules, grade, read
from gmcourse.grading.held import read_key
from gmcourse.grading.report import report
from gmcourse.grading.sandbox import find_sandbox


def run(
    folder: Path,
    out: Path,
    *,
    of: Sequence[str] = (),
    key: Path | None = None,
    trusted: bool = False,
    jobs: int | None = None,
    seconds: float = 60.0,
    same: bool = False,
    fresh: bool = False,
) -> dict[str, float]:
    """Grade the submissions in `folder`; the counts that `report` returns. Raises ValueError as its parts do."""
    sandbox = find_sandbox(trusted)
    if seconds <= 0 or (jobs is not None and jobs < 1):
        raise ValueError(f"seconds, jobs: got {seconds} and {jobs}, expected more than 0 and at least 1")
    found = submissions(folder)
    rules = Rules(chosen(of, found), read_key(key) if key else "", sandbox, seconds=seconds, same=same)
    out.mkdir(parents=True, exist_ok=True)
    graded = grade(found, rules, out, jobs=jobs or os.cpu_count() or 1, fresh=fresh)
    return report(list(tqdm(graded, total=len(found), desc="graded", unit=" students")), out)


def chosen(of: Sequence[str], found: Sequence) -> tuple[str, ...]:
    """The exercises to grade: ids, families and notebooks that hold them; by default those of most submissions.

    Raises ValueError for a word that is none of these, and where there is nothing to grade.
    """
    families = {id.partition(".")[0] for id in EXERCISES}
    ids: set[str] = set()
    for word in of:
        if word in EXERCISES:
            ids.add(word)
        elif word in families:
            ids |= {id for id in EXERCISES if id.startswith(f"{word}.")}
        elif word.endswith(".ipynb") and Path(word).is_file():
            ids |= content([(word, Path(word).read_bytes())], EXERCISES).ids
        else:
            raise ValueError(
                f"of: got {word!r}, expected an exercise's id, one of {', '.join(families)}, or a notebook"
            )
    if not of:
        counts = Counter(id for submission in found for id in _ids(submission))
        readable = sum(1 for submission in found if submission.files)
        ids = {id for id, count in counts.items() if 2 * count > readable or readable <= 2}
    if not ids & set(EXERCISES):
        raise ValueError("of: got submissions without an exercise of the course in common, expected --of to name some")
    return tuple(id for id in EXERCISES if id in ids)


def _ids(submission) -> set[str]:  # type: ignore[no-untyped-def]
    files = [(name, data) for name, data in read(submission) if isinstance(data, bytes)]
    return content(files, EXERCISES).ids
