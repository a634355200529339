"""What a student has solved: read from the verdicts that a saved copy shows."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from gmcourse.lab.course import Chapter, Lesson

CHECKED = re.compile(r"""^\s*check\(\s*["']([\w.]+)["']""", re.M)
SOLVED = re.compile(r"^([\w.]+): correct \(", re.M)


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a student is in a lesson; the minutes are 0 where the lesson does not tell them."""

    names: tuple[str, ...]
    solved: int
    reading: int
    solving: int

    @property
    def exercises(self) -> int:
        return len(self.names)

    @property
    def is_done(self) -> bool:
        return self.solved == self.exercises


def progress(root: Path, work: Path, lesson: Lesson) -> Progress:
    """The exercises of a lesson in `root`, those that its copy in `work` shows as solved, and the time they take."""
    asked, _, minutes = _told(*_version(root / "chapters" / f"{lesson.file}.ipynb"))
    _, solved, _ = _told(*_version(work / f"{lesson.file}.ipynb"))
    return Progress(
        names=asked,
        solved=len(solved & {*asked}),
        reading=minutes.get("reading", 0),
        solving=minutes.get("exercises", 0),
    )


def overview(root: Path, work: Path, course: Sequence[Chapter]) -> dict[str, Progress]:
    """How far a student is in every open lesson, by its file."""
    lessons = (lesson for chapter in course for lesson in chapter.open_lessons)
    return {lesson.file: progress(root, work, lesson) for lesson in lessons}


def next_lesson(course: Sequence[Chapter], done: dict[str, Progress]) -> Lesson | None:
    """The first open lesson of the core path whose exercises are not all solved, else the first of the others."""
    lessons = [lesson for chapter in course for lesson in chapter.open_lessons if not done[lesson.file].is_done]
    return next(iter(sorted(lessons, key=lambda lesson: not lesson.core)), None)


def _version(path: Path) -> tuple[Path, int, int]:
    """A path, and what tells whether it has been written again."""
    if not path.exists():
        return path, 0, 0
    status = path.stat()
    return path, status.st_mtime_ns, status.st_size


@lru_cache(maxsize=256)
def _told(path: Path, changed: int, size: int) -> tuple[tuple[str, ...], frozenset[str], dict[str, int]]:
    """The exercises that a notebook checks, those that it shows as solved, and the minutes that it says it takes.

    Nothing where there is no file, or one that is no notebook.
    """
    try:
        notebook = json.loads(path.read_text("utf-8"))
        cells = notebook["cells"]
        outputs = [output for cell in cells for output in cell.get("outputs", ())]
        said = [_joined(output.get("data", {}).get("text/plain", output.get("text", ""))) for output in outputs]
        asked = dict.fromkeys(name for cell in cells for name in CHECKED.findall(_joined(cell.get("source", ""))))
        solved = frozenset(name for text in said for name in SOLVED.findall(text))
        return tuple(asked), solved, notebook["metadata"].get("gmcourse", {}).get("minutes", {})
    except (AttributeError, KeyError, OSError, RecursionError, TypeError, ValueError):
        return (), frozenset(), {}


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)
