"""`gmcourse assignment`: exercises chosen, and written as a notebook to hand out and as notebooks for nbgrader."""

import difflib
import os
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import yaml

from gmcourse.grading.answers import safe
from gmcourse.grading.held import KEY
from gmcourse.grading.lessons import Task, Told, read_told
from gmcourse.grading.notebooks import Makings, notebook, points
from gmcourse.lab.files import write

HANDOUT, SOURCE, CONFIG = "handout", "source", "nbgrader_config.py"
CONFIG_TEXT = '''\
"""nbgrader's settings for this course: yours to change. `gmcourse assignment` writes this file once."""

from pathlib import Path

if not (Path(__file__).parent / "key.txt").is_file():
    raise SystemExit("key.txt is not beside this file: without it every hidden test would fail")

c = get_config()  # noqa: F821
c.ClearSolutions.code_stub = {"python": "# Your code here."}
c.ClearSolutions.text_stub = "*Your answer here.*"
c.Execute.timeout = 180  # seconds a cell; an answer is stopped after 30
'''


@dataclass(frozen=True, kw_only=True)
class Made:
    """What was written, and what it asks."""

    name: str
    handout: Path
    sources: tuple[Path, ...]
    key: Path
    exercises: int
    questions: int
    points: int


def make(
    root: Path, what: Sequence[str], out: Path, *, name: str = "", questions: bool = True, replace: bool = False
) -> Made:
    """Write the assignment of `what` (see `chosen`) from the course in `root` into the folder `out`.

    handout/NAME.ipynb goes to the students; source/NAME/ is what nbgrader makes its release from; key.txt, made once,
    stays with the instructor. Raises ValueError, and writes nothing, where a file of this name holds something else
    and `replace` is not set.
    """
    course = read_told(root)
    tasks = chosen(what, course, questions)
    name = safe(name) if name else _name(what)
    address = _address(root)
    files = {out / HANDOUT / f"{name}.ipynb": notebook(name, tasks, Makings(course, address))}
    for lesson in dict.fromkeys(task.lesson for task in tasks):
        own = [task for task in tasks if task.lesson == lesson]
        path = out / SOURCE / name / f"{safe(lesson.file)}.ipynb"
        files[path] = notebook(f"{name}: {lesson.title}", own, Makings(course, address, nbgrader=True))
    _write(files, replace)
    if not (out / CONFIG).exists():
        write(out / CONFIG, CONFIG_TEXT)
    handout, *sources = files
    own = [task for task in tasks if not task.is_open]
    return Made(
        name=name,
        handout=handout,
        sources=tuple(sources),
        key=make_key(out / KEY),
        exercises=len(own),
        questions=len(tasks) - len(own),
        points=sum(map(points, own)),
    )


def chosen(what: Sequence[str], course: Mapping[str, Told], questions: bool = True) -> list[Task]:
    """The tasks that the words of `what` name, each once, in the order of the course.

    A word is a family ("gan"), a lesson by number ("5.7") or file ("05_gan/07_translation", its .md or .ipynb, too),
    or an id ("gan.share_at"). Families and lessons bring their open questions unless `questions` is False; one that
    is named by its id is always there. Raises ValueError for a word that names nothing.
    """
    tasks = [task for told in course.values() for task in told.tasks]
    words = [re.sub(r"\.(md|ipynb)$", "", word.strip()).removeprefix("chapters/") for word in what]
    if not words:
        raise ValueError("what: got nothing, expected families, lessons or exercise ids, as in `vae 5.7 gan.share_at`")
    wanted: set[str] = set()
    for word in words:
        named = [task for task in tasks if word in _names(task)]
        if not named:
            known = sorted({name for task in tasks for name in _names(task)})
            close = ", ".join(difflib.get_close_matches(word, known)) or "gan, 5.7, 05_gan/07_translation, gan.share_at"
            raise ValueError(f"what: got {word!r}, expected a family, a lesson or an exercise, as {close}")
        wanted |= {task.id for task in named if questions or not task.is_open or task.id == word}
    return [task for task in tasks if task.id in wanted]


def make_key(path: Path) -> Path:
    """The course's secret: made once, at random, for the owner's eyes alone; one that is there is kept."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path
    with open(handle, "w", encoding="ascii", newline="\n") as file:
        file.write(f"{secrets.token_hex(16)}\n")
    return path


def _names(task: Task) -> tuple[str, ...]:
    """What a task is chosen by: its family, its lesson's number and file, its id."""
    chapter, _, stem = task.lesson.file.partition("/")
    return chapter, chapter.partition("_")[2], task.lesson.number, task.lesson.file, stem, task.id


def _name(what: Sequence[str]) -> str:
    first, *others = (safe(word).strip("-") for word in what)
    joined = "-".join([first, *others])
    return joined if len(joined) <= 40 else f"{first}-and-{len(others)}-more"


def _address(root: Path) -> str:
    return (yaml.safe_load((root / "book.yml").read_text("utf-8")).get("book_url") or "").rstrip("/")


def _write(files: Mapping[Path, Any], replace: bool) -> None:
    texts = {path: nbformat.writes(made) + "\n" for path, made in files.items()}
    for path, text in texts.items():
        if not replace and path.exists() and path.read_text("utf-8") != text:
            raise ValueError(f"out: {path} is there and differs: give another --name, or --replace it")
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, text)
