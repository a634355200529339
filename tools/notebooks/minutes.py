"""How long a lesson takes: the reading and the exercises, in minutes, by one rule for all lessons."""

from __future__ import annotations

import ast
import math
import re

from gmcourse.exercises import EXERCISES
from notebooks.boxes import BOX, DISPLAY, Box

WORD, EQUATION, LINE, FIGURE, EXPLORER, POINT = 60 / 180, 36, 4, 24, 60, 300  # seconds
LIMIT = 45  # minutes of reading in one sitting
INLINE = re.compile(r"\$[^$]+\$")
CAPTION = re.compile(r"^\*(Figures? [^.]*)\. (Explorer)?", re.M)


def minutes(notebook) -> dict[str, int]:
    """The minutes of reading and of exercises in the notebook of a lesson's .md, rounded up to fives.

    180 words of prose a minute, 36 s a displayed equation, 4 s a visible line of code, 24 s a figure, a minute an
    explorer. Exercises apart: their prompts, and 5 minutes a point.
    """
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    prompts = [box for box in (Box.of(found).required() for found in BOX.finditer(text)) if box.kind == "exercise"]
    read = BOX.sub(lambda found: "" if found["kind"] == "exercise" else found[0], text)
    seconds = _prose(read) + LINE * sum(map(_visible_lines, notebook.cells))
    points = sum(_points(box.label) for box in prompts)
    work = sum(_prose(f"{box.title}\n{box.body}") for box in prompts) + POINT * points
    return {"reading": _fives(seconds), "exercises": _fives(work)}


def is_hidden(cell) -> bool:
    """Whether a reader sees a cell's code only when asked for: tagged hide-input, or nothing but imports."""
    return "hide-input" in cell.metadata.get("tags", []) or _only_imports(cell.source)


def _prose(text: str) -> float:
    """The seconds that words, displayed equations, figures and explorers take."""
    words = [word for word in INLINE.sub("x", DISPLAY.sub("", text)).split() if any(map(str.isalnum, word))]
    looks = [EXPLORER if kind else FIGURE * len(re.findall(r"\d+", which)) for which, kind in CAPTION.findall(text)]
    return WORD * len(words) + EQUATION * len(DISPLAY.findall(text)) + sum(looks)


def _visible_lines(cell) -> int:
    unseen = {"exercise", "remove-cell", "remove-input"} & set(cell.metadata.get("tags", []))
    if cell.cell_type != "code" or unseen or cell.source.startswith("check(") or is_hidden(cell):
        return 0
    return sum(bool(line.strip()) for line in cell.source.splitlines())


def _only_imports(code: str) -> bool:
    try:
        body = ast.parse(code).body
    except SyntaxError:  # a magic
        return False
    setup = [node for node in body if not isinstance(node, (ast.Import, ast.ImportFrom))]
    return len(setup) < len(body) and all(ast.unparse(node) == "show.use_style()" for node in setup)


def _points(name: str) -> int:
    if name not in EXERCISES:
        raise ValueError(f"the exercise {name!r} is no record of gmcourse.exercises")
    return EXERCISES[name].points


def _fives(seconds: float) -> int:
    return 5 * math.ceil(seconds / 300)
