"""`gmcourse assignment`: exercises chosen, and written as a notebook to hand out and as notebooks for nbgrader."""

import difflib
import os
import re
import secrets
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as replaced
from pathlib import Path
from typing import Any

import nbformat
import yaml

from gmcourse.exercises import EXERCISES
from gmcourse.exercises.variants import takes_seed
from gmcourse.grading.answers import YOUR_TEXT, safe
from gmcourse.grading.held import KEY
from gmcourse.grading.lessons import Task, Told, read_told
from gmcourse.grading.notebooks import Makings, notebook, points
from gmcourse.lab.files import write

HANDOUT, SOURCE, CONFIG = "handout", "source", "nbgrader_config.py"
CONFIG_TEXT = f'''\
"""nbgrader's settings for this course: yours to change. `gmcourse assignment` writes this file once."""

from pathlib import Path

if not (Path(__file__).parent / "{KEY}").is_file():
    raise SystemExit("{KEY} is not beside this file: without it every hidden test would fail")

c = get_config()  # noqa: F821
c.ClearSolutions.code_stub = {{"python": "# Your code here."}}
c.ClearSolutions.text_stub = "{YOUR_TEXT}"
c.Execute.timeout = 180  # seconds a cell; an answer is stopped after 30
'''


@dataclass(frozen=True, kw_only=True)
class Made:
    """What was written, and what it asks.

    Of the exercises, `same_values` have the same numbers for all, and `same_functions` the same points.
    """

    name: str
    handout: Path
    sources: tuple[Path, ...]
    key: Path
    exercises: int
    questions: int
    points: int
    same_values: tuple[str, ...]
    same_functions: tuple[str, ...]


def make(
    root: Path, what: Sequence[str], out: Path, *, name: str = "", questions: bool = True, replace: bool = False
) -> Made:
    """Write the assignment of `what` (see `chosen`) from the course in `root` into the folder `out`.

    handout/NAME.ipynb goes to the students; source/NAME/ is what nbgrader makes its release from; key.txt, made once,
    stays with the instructor. Raises ValueError, and writes nothing, where a file of this name holds something else, or
    the folder other notebooks; with `replace` they are written over, and removed.
    """
    course = read_told(root)
    tasks = chosen(what, course, questions)
    name = _spelled(name) if name else _name(what)
    makings = _makings(root, course)
    files = {out / HANDOUT / f"{name}.ipynb": notebook(name, tasks, makings)}
    for lesson in dict.fromkeys(task.lesson for task in tasks):
        own = [task for task in tasks if task.lesson == lesson]
        path = out / SOURCE / name / f"{safe(lesson.file)}.ipynb"
        files[path] = notebook(f"{name}: {lesson.title}", own, replaced(makings, nbgrader=True))
    _write(files, out / SOURCE / name, replace)
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
        same_values=tuple(task.id for task in own if _same(task, function=False)),
        same_functions=tuple(task.id for task in own if _same(task, function=True)),
    )


def chosen(what: Sequence[str], course: Mapping[str, Told], questions: bool = True) -> list[Task]:
    """The tasks that the words of `what` name, each once, in the order of the course.

    A word is a family ("gan"), a lesson by number ("5.7") or file ("05_gan/07_translation", its .md or .ipynb, too),
    or an exercise by id ("gan.share_at") or number ("5.7.3"). Families and lessons bring their open questions unless
    `questions` is False; one that is named by its id is always there. Raises ValueError for a word that names nothing.
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
    """What a task is chosen by: its family, its lesson's number and file, its id, its number where it has one."""
    chapter, _, stem = task.lesson.file.partition("/")
    numbered = re.findall(r"^Exercise ([\d.]+)\. ", task.title)
    return chapter, chapter.partition("_")[2], task.lesson.number, task.lesson.file, stem, task.id, *numbered


def _same(task: Task, *, function: bool) -> bool:
    """Whether a function is held to its laws at the same points for all, or a value asked with the same numbers."""
    record = EXERCISES[task.id]
    fixed = not any(map(takes_seed, record.laws)) if function else record.variant is None
    return callable(record.reference) == function and fixed


def _spelled(name: str) -> str:
    """A name in the letters of nbgrader and files: marks over letters and blanks go, a letter that would is refused."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    spelled = safe(plain).strip("-")
    if not spelled or not plain.isascii():
        raise ValueError(f"name: got {name!r}, expected one in the letters A to Z, digits, - and _")
    return spelled


def _name(what: Sequence[str]) -> str:
    first, *others = (safe(word).strip("-") for word in what)
    joined = "-".join([first, *others])
    return joined if len(joined) <= 40 else f"{first}-and-{len(others)}-more"


def _makings(root: Path, course: Mapping[str, Told]) -> Makings:
    book = yaml.safe_load((root / "book.yml").read_text("utf-8"))
    address, repository = book.get("book_url") or "", (book.get("repository") or {}).get("url") or ""
    return Makings(course, address.rstrip("/"), repository.rstrip("/"))


def _write(files: Mapping[Path, Any], folder: Path, replace: bool) -> None:
    """Write the notebooks, and leave no other one in `folder`."""
    texts = {path: nbformat.writes(made) + "\n" for path, made in files.items()}
    for path, text in texts.items():
        if not replace and path.exists() and path.read_text("utf-8") != text:
            raise ValueError(f"out: {path} is there and differs: give another --name, or --replace it")
    others = sorted(set(folder.glob("*.ipynb")) - texts.keys())
    if others and not replace:
        said = ", ".join(path.name for path in others)
        raise ValueError(f"out: {folder} holds {said}, too: give another --name, or --replace it")
    for path in others:
        path.unlink()
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, text)
