"""The family tree as a figure: branches as lines, the models beside them, for print and where no page runs."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from gmcourse.family_tree import QUESTIONS, family_tree
from gmcourse.show.style import COLOURS

_WIDTH, _INDENT, _COLUMN, _LINE = 504.0, 13.0, 156.0, 12.3  # points
_NAME, _SMALL = 9.6, 8.2
Branch = dict[str, Any]


def tree_figure(question: str | None = None, tree: dict[str, Any] | None = None) -> Figure:
    """The tree, 7 inches wide: what each branch evaluates, and its models.

    With the key of a question, the models that can answer it are filled and say what an answer costs, and the lines
    that lead to them are thick. `tree` is what `family_tree()` gives, the default. Raises ValueError for another key.
    """
    keys = [each.key for each in QUESTIONS]
    if question is not None and question not in keys:
        raise ValueError(f"question: got {question!r}, expected one of {', '.join(keys)}, or None")
    tree = family_tree() if tree is None else tree
    figure = Figure()
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.axis("off")
    height = _draw(axes, tree["branches"], question, 0.0, 0)
    axes.set(xlim=(0, _WIDTH), ylim=(height, 0))
    figure.set_size_inches(_WIDTH / 72, height / 72)
    return figure


def _draw(axes: Axes, branches: list[Branch], question: str | None, top: float, depth: int) -> float:
    """Draws branches one below the other from `top` on, and returns where they end; y grows downwards."""
    places, y = [], top
    for branch in branches:
        places.append((y + _LINE / 2, _lit(branch, question)))
        y = _row(axes, branch, question, y, depth)
        if "branches" in branch:
            y = _draw(axes, branch["branches"], question, y, depth + 1)
    if depth:
        for place, lit in sorted(places, key=lambda one: one[1]):
            _elbow(axes, depth, top - 2, place, lit)
    return y


def _lit(branch: Branch, question: str | None) -> bool:
    below = branch.get("branches", ())
    return any(_lit(each, question) for each in below) or any(
        question in m["answers"] for m in branch.get("models", ())
    )


def _elbow(axes: Axes, depth: int, top: float, y: float, lit: bool) -> None:
    x = _INDENT * (depth - 1) + 4
    style = {"color": COLOURS["model"], "lw": 2.0, "zorder": 3} if lit else {"color": COLOURS["muted"], "lw": 0.9}
    axes.plot([x, x, x + _INDENT - 6], [top, y, y], solid_joinstyle="round", **style)


def _row(axes: Axes, branch: Branch, question: str | None, y: float, depth: int) -> float:
    """A branch's name; beside it what it evaluates, and its models. Returns where it ends."""
    bold = {"fontsize": _NAME + 1.0 * (depth == 0), "weight": "bold", "va": "center"}
    axes.text(_INDENT * depth, y + _LINE / 2, branch["name"], color=COLOURS["ink"], **bold)
    end = y + _LINE
    for line in _lines(branch["evaluates"]):
        axes.text(_COLUMN, y + _LINE / 2, line, color=COLOURS["ink"], fontsize=_SMALL, va="center")
        y += _LINE
    return max(end, _chips(axes, branch.get("models", []), question, y)) + 3


def _chips(axes: Axes, models: list[Branch], question: str | None, y: float) -> float:
    """The models, as many in a line as fit; returns where they end."""
    x, start = 0.0, _COLUMN + 4
    for model in models:
        words, lit = _words(model, question), question in model["answers"]
        wide = _width(words, lit)
        if not x or x + wide > _WIDTH - 4:
            x, y = start, y + _LINE + 2
        _chip(axes, x, y - _LINE / 2 - 1, words, lit)
        x += wide + 10
    return y


def _words(model: Branch, question: str | None) -> str:
    answer = model["answers"].get(question)
    return f"✓ {model['name']}: {answer['cost']}" if answer else model["name"]


def _lines(words: str) -> list[str]:
    """The words, broken where they would leave the figure."""
    lines = [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        if _width(longer) > _WIDTH - _COLUMN - 6:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _width(words: str, bold: bool = False) -> float:
    """In points."""
    font = FontProperties(weight="bold" if bold else "normal")
    return TextPath((0, 0), words, size=_SMALL, prop=font).get_extents().width


def _chip(axes: Axes, x: float, y: float, words: str, lit: bool) -> None:
    edge, face = (COLOURS["model"], "#fbe6d6") if lit else (COLOURS["faint"], "white")
    box = {"boxstyle": "round,pad=0.25,rounding_size=0.4", "edgecolor": edge, "facecolor": face, "linewidth": 0.9}
    style = {"fontsize": _SMALL, "weight": "bold" if lit else "normal", "va": "center", "bbox": box}
    axes.text(x, y, words, color=COLOURS["ink"], **style)
