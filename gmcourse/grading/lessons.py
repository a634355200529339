"""The exercises and open questions as the lessons tell them: read out of the notebooks of a clone of the course."""

import ast
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from gmcourse.lab.course import Lesson, read_course

HEADING = re.compile(r"^(#{2,3}) (.+)$", re.M)
BOX = re.compile(r"^> ### (Exercise [\d.]+\d)\. (.+)\n((?:>.*(?:\n|\Z))*)", re.M)
EQUATION = re.compile(r"\$\$((?:(?!\$\$).)*?)\\tag\{([\d.]+)\}\s*\$\$", re.S)
FIGURE = re.compile(r"^\*Figures? ([\d.]+\d)\.", re.M)
CHECK = re.compile(r"""check\(["']([\w.]+)["'], (\w+)\)""")
DISCUSSION = re.compile(r"^\*\*For discussion\.\*\* (.*?)(?=^#{1,6} |^\*\*For discussion|\Z)", re.M | re.S)


@dataclass(frozen=True, kw_only=True)
class Task:
    """An exercise, or an open question, as a lesson poses it.

    `text` is Markdown with the lesson's own numbers and links; `stub` the cell to fill in and `name` what it defines,
    both empty for an open question.
    """

    id: str
    lesson: Lesson
    title: str
    text: str
    stub: str = ""
    name: str = ""

    @property
    def is_open(self) -> bool:
        return not self.stub


@dataclass(frozen=True, kw_only=True)
class Equation:
    """A numbered formula, as LaTeX without dollars, where it stands, and the paragraphs that it is part of."""

    number: str
    formula: str
    lesson: Lesson
    section: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a lesson tells: its tasks in order, its equations, the sections of its figures, by number; its imports."""

    lesson: Lesson
    tasks: tuple[Task, ...]
    equations: dict[str, Equation] = field(default_factory=dict)
    figures: dict[str, str] = field(default_factory=dict)
    imports: dict[str, str] = field(default_factory=dict)


@lru_cache(maxsize=4)
def read_told(root: Path) -> dict[str, Told]:
    """What every open lesson of the course in `root` tells, by its number.

    Raises ValueError for a lesson that is no notebook, or that checks an answer which it has not asked for.
    """
    lessons = (lesson for chapter in read_course(root) for lesson in chapter.open_lessons)
    return {lesson.number: _told(lesson, root / "chapters" / f"{lesson.file}.ipynb") for lesson in lessons}


def _told(lesson: Lesson, path: Path) -> Told:
    try:
        cells = [(cell["cell_type"], "".join(cell["source"])) for cell in json.loads(path.read_text("utf-8"))["cells"]]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ValueError(f"{path}: got {error}, expected the notebook of lesson {lesson.number}") from error
    parts = list(_sections(cells))
    found = [_equation(match, lesson, section) for section, text in parts for match in EQUATION.finditer(text)]
    return Told(
        lesson=lesson,
        tasks=(*_exercises(lesson, cells), *_questions(lesson, cells)),
        equations={equation.number: equation for equation in found},
        figures={number: section for section, text in parts for number in FIGURE.findall(text)},
        imports=_imports(text for kind, text in cells if kind == "code"),
    )


def _equation(match: re.Match, lesson: Lesson, section: str) -> Equation:
    """A formula with the paragraph above it, and the one below where that goes on with the sentence."""
    above = re.split(r"\n\s*\n", match.string[: match.start()].rstrip())[-1].strip()
    below = re.split(r"\n\s*\n", match.string[match.end() :].strip())[0].strip()
    return Equation(
        number=match[2],
        formula=match[1].strip(),
        lesson=lesson,
        section=section,
        before="" if match[0].startswith(">") or re.match(r"[>|*-]|\$\$", above) else above,
        after=_whole(below) if re.match(r"[a-z$](?!\$)", below) else "",
    )


def _whole(text: str) -> str:
    """The whole sentences of a paragraph, which may end by announcing the next formula."""
    return text if re.search(r"[.?!)]$", text) else "".join(text.rpartition(". ")[:2]).strip()


def _sections(cells: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The prose, cut at its headings: (heading, text)."""
    heading = ""
    for text in (text for kind, text in cells if kind == "markdown"):
        start = 0
        for match in HEADING.finditer(text):
            yield heading, text[start : match.start()]
            heading, start = match[2].strip(), match.end()
        yield heading, text[start:]


def _exercises(lesson: Lesson, cells: Sequence[tuple[str, str]]) -> Iterator[Task]:
    """Each check, with the answer's cell above it and the box above that."""
    for at, (kind, text) in enumerate(cells):
        asked = CHECK.fullmatch(text.strip()) if kind == "code" else None
        if asked is None:
            continue
        boxes = BOX.findall(cells[at - 2][1]) if at > 1 and cells[at - 2][0] == "markdown" else []
        if not boxes or cells[at - 1][0] != "code" or not re.search(rf"\b{asked[2]}\b", cells[at - 1][1]):
            raise ValueError(f"{lesson.file}: got {text!r}, expected its box and the cell of its answer above it")
        called, title, quoted = boxes[-1]
        yield Task(
            id=asked[1],
            lesson=lesson,
            title=f"{called}. {title.strip()}",
            text=re.sub(r"^> ?", "", quoted, flags=re.M).strip(),
            stub=cells[at - 1][1].strip(),
            name=asked[2],
        )


def _questions(lesson: Lesson, cells: Sequence[tuple[str, str]]) -> Iterator[Task]:
    """The open questions: open.<lesson>, and a second one open.<lesson>.2."""
    found = [text for kind, cell in cells if kind == "markdown" for text in DISCUSSION.findall(cell)]
    for count, text in enumerate(found, start=1):
        name = f"open.{lesson.file}" if count == 1 else f"open.{lesson.file}.{count}"
        yield Task(id=name, lesson=lesson, title=f"For discussion, lesson {lesson.number}", text=text.strip())


def _imports(codes: Iterator[str]) -> dict[str, str]:
    """Every name that a lesson imports, with a statement that imports it."""
    found: dict[str, str] = {}
    for code in codes:
        try:
            body = ast.parse(code).body
        except SyntaxError:  # a magic
            continue
        for node in body:
            for alias in node.names if isinstance(node, (ast.Import, ast.ImportFrom)) else ():
                bound = alias.asname or alias.name.partition(".")[0]
                named = f"{alias.name} as {alias.asname}" if alias.asname else alias.name
                origin = f"from {node.module} " if isinstance(node, ast.ImportFrom) else ""
                found[bound] = f"{origin}import {named}"
    return found
