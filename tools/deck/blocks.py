"""What stands on a slide, piece by piece, with the height that it takes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from book.inline import POINT
from notebooks.minutes import is_hidden

WIDTH, HEIGHT = 1160, 540  # pixels of a slide below its heading, of 1280 by 720
LINE, LETTERS = 37, 88  # a line of text: its pixels, its letters
WIDEST, TALLEST, LARGER = 1000, 360, 1.7  # a figure, and how far it is enlarged at most
EXPLORER, FOLD = 480, 34
VIEW = "application/vnd.jupyter.widget-view+json"
FENCE = re.compile(r"^(?P<sign>`{3,}|~{3,}).*?^(?P=sign)[ \t]*$", re.M | re.S)
FORMULA = re.compile(r"^\$\$.*?\$\$[ \t]*$", re.M | re.S)
ITEM = re.compile(r"^(?:[-*+]|\d+[.)]) ", re.M)
HEADING = re.compile(r"(#{1,3}) (.+)")
CAPTION = re.compile(r"\*Figures? \d")
KINDS = {"$$": "formula", "|": "table", ">": "box", "```": "code", "~~~": "code"}


@dataclass(frozen=True)
class Block:
    """A piece of a lesson: Markdown, or a code cell, with the pixels that it takes."""

    kind: str
    height: int
    source: str = ""
    cell: Any = field(default=None, repr=False)

    @classmethod
    def text(cls, source: str) -> Block:
        """A paragraph."""
        return cls("text", height_of("text", source), source)


def blocks_of(cell) -> list[Block]:
    """The pieces of one cell in order; none where a reader of the lesson sees nothing of it."""
    if cell.cell_type == "markdown":
        return [_block(part) for part in _parts(cell.source)]
    tags = cell.metadata.get("tags", [])
    if "remove-cell" in tags or cell.source.startswith("check(") or (is_hidden(cell) and not cell.outputs):
        return []
    if "exercise" in tags:
        return [Block("stub", 30 + 26 * len(cell.source.splitlines()), cell=cell)]
    program = Block("program", FOLD, cell=cell)
    if not cell.outputs:
        return [program]
    kind = "explorer" if any(VIEW in output.get("data", {}) for output in cell.outputs) else "figure"
    return [Block(kind, sum(map(_height_of_output, cell.outputs)), cell=cell), program]


def _parts(text: str) -> list[str]:
    """Paragraphs, headings, formulas, items of lists, tables, boxes."""
    kept = [found[0] for found in FENCE.finditer(text)]
    text = FENCE.sub("\n\n\0\n\n", text)
    kept += [found[0] for found in FORMULA.finditer(text)]
    text = FORMULA.sub("\n\n\1\n\n", text)
    fences, formulas = iter(kept[: text.count("\0")]), iter(kept[text.count("\0") :])
    found = []
    for part in filter(None, (part.strip("\n") for part in re.split(r"\n[ \t]*\n", text))):
        if part.strip() in ("\0", "\1"):
            found.append(next(fences if part.strip() == "\0" else formulas))
        elif ITEM.match(part):
            starts = [item.start() for item in ITEM.finditer(part)]
            found += [part[start:end].rstrip() for start, end in zip(starts, [*starts[1:], len(part)])]
        elif found and part[:1] == " " and ITEM.match(found[-1]):
            found[-1] += f"\n\n{part}"
        else:
            head = HEADING.match(part)
            found += [head[0], part[head.end() :].strip()] if head else [part]
    return [part for part in found if part]


def _block(part: str) -> Block:
    if HEADING.match(part):
        return Block("heading", 0, part)
    kind = next((kind for sign, kind in KINDS.items() if part.startswith(sign)), "text")
    kind = "item" if ITEM.match(part) else "caption" if CAPTION.match(part) else kind
    return Block(kind, height_of(kind, part), part)


def height_of(kind: str, source: str) -> int:
    """The pixels of a piece of Markdown."""
    rows = source.splitlines()
    if kind == "formula":
        tall = 30 if re.search(r"\\[td]?frac|\\sum|\\int|\\begin|\\prod", source) else 0
        return 55 + tall + (45 + tall) * len(re.findall(r"\\\\(?!\w)", source))
    if kind == "table":
        return 42 * sum(-(-max(map(_letters, row.strip("|").split("|"))) // 50) for row in rows)
    if kind == "code":
        return 20 + 26 * len(rows)
    if kind == "box":
        inner = [row.lstrip("> ") for row in rows]
        displayed = sum(55 for row in inner if "\\frac" in row or "\\sum" in row)
        return 60 + displayed + sum(LINE * _lines(row) for row in inner if row)
    line, letters = (28, 125) if kind == "caption" else (LINE, LETTERS)
    return 14 + line * -(-_letters(source) // letters)


def _lines(text: str) -> int:
    return -(-_letters(text) // LETTERS)


def _letters(text: str) -> int:
    """About how many letters wide a text is: of a link its words, of a TeX command one."""
    text = re.sub(r"\]\([^)]*\)|\\(?:text|mathrm|mathcal|mathbb|hat|tilde)\b|[{}$*\[\]`^_]", "", text)
    return len(re.sub(r"\\[a-zA-Z]+|\\.", "x", text))


def _height_of_output(output) -> int:
    data = output.get("data", {})
    if VIEW in data:
        return EXPLORER
    if "image/svg+xml" in data:
        return 16 + size_of(data["image/svg+xml"])[1]
    if "text/markdown" in data:
        text = "".join(data["text/markdown"])
        return FOLD if "~~~" in text else sum(_block(part).height for part in _parts(text))
    text = output.get("text") or data.get("text/plain", "")
    return 24 + round(1.32 * letter_size(text) * len(text.splitlines()))


def size_of(svg: str) -> tuple[int, int]:
    """The width and height in pixels at which a figure stands on a slide."""
    drawn = re.search(r"""<svg\b[^>]*?viewBox=['\"]0 0 ([\d.]+) ([\d.]+)""", svg)
    if not drawn:
        raise ValueError(f"a figure begins {svg[:80]!r}, expected an SVG with a viewBox")
    width, height = (float(side) * POINT for side in drawn.groups())
    scale = min(WIDEST / width, TALLEST / height, LARGER)
    return round(width * scale), round(height * scale)


def letter_size(text: str) -> int:
    """The size in pixels of what a cell printed, so that its longest line is whole."""
    longest = max(map(len, text.splitlines() or [""]))
    return max(11, min(21, int(WIDTH / 0.61 / max(longest, 1))))
