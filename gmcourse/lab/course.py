"""The course's contents: chapters and lessons in reading order, from book.yml."""

from dataclasses import dataclass
from pathlib import Path

import yaml


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """A lesson, open or planned: `number` is "5.2", `file` its place under chapters without a suffix.

    `core` lessons are the ten-week path; `needs` names the lessons that come before, by number.
    """

    number: str
    file: str
    title: str
    core: bool
    needs: tuple[str, ...]
    is_open: bool


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """A family of models: `number` is "05", `folder` its place under chapters, `question` what it asks."""

    number: str
    folder: str
    title: str
    question: str
    lessons: tuple[Lesson, ...]

    @property
    def open_lessons(self) -> tuple[Lesson, ...]:
        return tuple(lesson for lesson in self.lessons if lesson.is_open)


def read_course(root: Path) -> tuple[Chapter, ...]:
    """The chapters of the course whose book.yml lies in the folder `root`; a lesson is open where its text is there."""
    path = root / "book.yml"
    try:
        return tuple(_chapter(entry, root / "chapters") for entry in yaml.safe_load(path.read_text("utf-8"))["course"])
    except (yaml.YAMLError, LookupError, TypeError) as error:
        raise ValueError(f"{path}: got {error}, expected the course's chapters and lessons") from error


def _chapter(entry: dict, chapters: Path) -> Chapter:
    folder = entry["folder"]
    return Chapter(
        number=folder[:2],
        folder=folder,
        title=entry["title"],
        question=entry["question"],
        lessons=tuple(_lesson(lesson, folder, chapters) for lesson in entry["lessons"]),
    )


def _lesson(entry: dict, folder: str, chapters: Path) -> Lesson:
    file = f"{folder}/{entry['file']}"
    return Lesson(
        number=f"{int(folder[:2])}.{int(entry['file'][:2])}",
        file=file,
        title=entry["title"],
        core=entry.get("core", False),
        needs=tuple(str(number) for number in entry.get("needs", ())),
        is_open=(chapters / f"{file}.md").exists(),
    )
