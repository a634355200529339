"""A lesson's notebook as one of slides: where each slide begins, what stands on it, what is left to the speaker.

A section is a slide and its sub-sections stand below it; what does not fit goes on below, under the heading again.
Where a slide asks for a prediction, what stands below the question waits for the next key.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from itertools import groupby

import nbformat

from deck.blocks import HEIGHT, Block, blocks_of
from deck.prose import on_slide, predicts

LEFT_OUT = ("References",)  # sections
EXHIBITS = ("formula", "figure", "explorer", "program", "table", "item", "code", "stub")


@dataclass(frozen=True)
class Section:
    """A heading of some level, and the blocks up to the next."""

    level: int = 0
    heading: str = ""
    blocks: list[Block] = field(default_factory=list)


def deck(notebook, number: str):
    """The notebook of the slides of lesson `number`, "5.2", as nbconvert's slides exporter reads it."""
    cells, section, begun = [], "", False
    for part in sections(notebook):
        if part.level < 3:
            section, begun = part.heading, False
        if part.heading in LEFT_OUT or not (found := pages(spoken(part.blocks), title=part.level == 1)):
            continue
        over = f"{number} {section}" if part.level == 3 else f"Lesson {number}" if part.level == 1 else number
        for page in found:
            cells += _cells(page, part, over, "subslide" if begun else "slide")
            begun = True
    for place, cell in enumerate(cells):  # a cell with its outputs and its code apart is two
        cell.id = f"piece-{place}"
    return nbformat.v4.new_notebook(cells=cells, metadata=deepcopy(notebook.metadata))


def sections(notebook) -> list[Section]:
    """The sections of a lesson in order, its title first."""
    found = [Section()]
    for block in (block for cell in notebook.cells for block in blocks_of(cell)):
        if block.kind == "heading":
            signs, _, heading = block.source.partition(" ")
            found.append(Section(len(signs), heading.strip(), []))
        else:
            found[-1].blocks.append(block)
    return found


def spoken(blocks: list[Block]) -> list[Block]:
    """The blocks with each paragraph cut down to what a slide shows, and whole as a note where that is less."""
    found = _cut(blocks)
    return found if any(block.kind != "note" for block in found) else _cut(blocks, first=True)


def _cut(blocks: list[Block], first: bool = False) -> list[Block]:
    found = []
    for place, block in enumerate(blocks):
        if block.kind != "text":
            found.append(block)
            continue
        leads = place + 1 < len(blocks) and blocks[place + 1].kind in EXHIBITS
        follows = place > 0 and blocks[place - 1].kind == "formula"
        shown = on_slide(block.source, leads, follows, first and place == 0)
        if shown:
            found.append(Block.text(shown))
        if shown != block.source:
            found.append(replace(block, kind="note", height=0))
    return found


def pages(blocks: list[Block], title: bool = False) -> list[list[Block]]:
    """The blocks slide by slide, none over its height where no piece alone is; of a `title`, what it asks apart."""
    found: list[list[Block]] = [[]]
    for group in _groups(blocks):
        lists = title and group[-1].kind == "item"
        opens = lists or group[0].kind == "box"
        if shows(found[-1]) and (opens or _height(found[-1]) + _height(group) > HEIGHT):
            found.append([])
            title = title and not lists
        found[-1] += group
    return [page for page in found if shows(page)]


def shows(page: list[Block]) -> bool:
    """Whether a slide would have something on it."""
    return any(block.kind != "note" for block in page)


def _groups(blocks: list[Block]) -> Iterator[list[Block]]:
    """Blocks that belong together: what leads to a formula or a figure and it, a figure and its caption, notes."""
    group: list[Block] = []
    for block in blocks:
        last = next((other.kind for other in reversed(group) if other.kind != "note"), "note")
        joins = (
            block.kind in ("note", "program")
            or last == "note"
            or (block.kind == "caption" and last in ("figure", "explorer", "program"))
            or (block.kind == "stub" and last == "box")
            or (last == "text" and block.kind in EXHIBITS and _height([*group, block]) <= HEIGHT)
        )
        if group and not joins:
            yield group
            group = []
        group = [*group, block]
    if group:
        yield group


def _height(blocks: list[Block]) -> int:
    return sum(block.height for block in blocks)


def _cells(page: list[Block], section: Section, over: str, kind: str) -> Iterator[nbformat.NotebookNode]:
    """The cells of one slide: its heading, its blocks, the items of a list together, last the programs."""
    level = 1 if section.level == 1 and kind == "slide" else 2
    head = nbformat.v4.new_markdown_cell(f"{'#' * level} {section.heading}")
    head.metadata |= {"slideshow": {"slide_type": kind}, "deck": {"over": over}}
    yield head
    page = sorted(page, key=lambda block: block.kind == "program")
    asked = False
    for sort, group in groupby(page, lambda block: block.kind):
        blocks = list(group)
        if sort == "item":
            blocks = [Block("item", _height(blocks), "\n".join(block.source for block in blocks))]
        for block in blocks:
            yield _cell(block, waits=asked and sort not in ("note", "program"))
            asked = asked or (sort == "text" and predicts(block.source))


def _cell(block: Block, waits: bool = False) -> nbformat.NotebookNode:
    cell = deepcopy(block.cell) if block.cell is not None else nbformat.v4.new_markdown_cell(block.source)
    cell.metadata |= {
        "slideshow": {"slide_type": "notes" if block.kind == "note" else "-"},
        "deck": {"kind": block.kind, "waits": waits},
    }
    return cell
