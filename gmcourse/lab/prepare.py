"""`gmcourse lab` before JupyterLab starts: the copies, the welcome page, and what there is to say of them."""

from collections.abc import Sequence
from pathlib import Path

from gmcourse.lab.copies import Done, departed, refresh
from gmcourse.lab.course import read_course
from gmcourse.lab.progress import overview
from gmcourse.lab.welcome import standing, write_welcome

STATES = {"new": "new", "refreshed": "refreshed", "kept": "kept with your changes", "up to date": "up to date"}


def require_folder(root: Path, work: Path) -> Path:
    """The folder of copies, its path whole; ValueError where it is a file, or git would see it beside the lessons."""
    folder, own = work.resolve(), root / "work"
    if folder.is_file():
        raise ValueError(f"work: got the file {work}, expected a folder")
    if folder.is_relative_to(root) and not folder.is_relative_to(own):
        raise ValueError(f"work: got {work}, expected {own} or a folder outside the course")
    return folder


def prepare(root: Path, work: Path) -> list[str]:
    """Bring the folder of copies up to date, welcome page and all; what was done, in words."""
    course = read_course(root)
    work.mkdir(parents=True, exist_ok=True)
    done = refresh(root, work, course)
    write_welcome(root, work, course)
    gone = (f"{name}: no longer in the course; your copy stays" for name in departed(work, course))
    place = work.relative_to(Path.cwd()) if work.is_relative_to(Path.cwd()) else work
    return [
        f"Your lessons, in {place}: {_counted(done)}",
        *_remarks(done),
        *gone,
        standing(overview(root, work, course)),
    ]


def _counted(done: Sequence[Done]) -> str:
    """ "1 refreshed, 1 kept with your changes (5.1 The two-player game), 10 up to date"."""
    said = []
    for state, words in STATES.items():
        lessons = [one.lesson for one in done if one.state == state]
        names = ", ".join(f"{lesson.number} {lesson.title}" for lesson in lessons)
        if lessons:
            said.append(f"{len(lessons)} {words}" + (f" ({names})" if state == "kept" else ""))
    return ", ".join(said) or "none"


def _remarks(done: Sequence[Done]) -> list[str]:
    return [f"{one.lesson.file}.ipynb: {one.state}, {one.remark}" for one in done if one.remark]
