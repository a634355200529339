"""A deck as a page of its own: nbconvert's slides exporter, with the book's figures, formulas and explorers."""

from __future__ import annotations

import re
from functools import cache
from html import escape
from pathlib import Path

from book.inline import inline
from nbconvert.exporters import SlidesExporter
from pygments.formatters import HtmlFormatter
from traitlets.config import Config

from deck.blocks import VIEW, letter_size, size_of
from deck.pages import deck
from gmcourse.lab.course import Chapter, Lesson

HERE = Path(__file__).parent
STATE = "application/vnd.jupyter.widget-state+json"
TO_LESSON = re.compile(r"(\]\((?!\w+:)[^)\s]*)\.ipynb\)")
PRIORITY = [VIEW, "text/html", "text/markdown", "image/png", "text/plain"]
SETUP = {  # a formula in a note is MathML alone where the speaker reads it
    "tex": {"inlineMath": [["$", "$"]]},
    "options": {"enableMenu": False},
}
INDEX = """<!doctype html>
<html lang="en" data-theme="light"><meta charset="utf-8"><title>{title}: slides</title>
<meta name="viewport" content="width=device-width">
<link rel="stylesheet" href="_static/gmcourse.css"><link rel="stylesheet" href="_static/deck.css">
<main class="index"><h1>{title}: slides</h1>
<p>Arrow keys lead on, <b>S</b> opens the speaker's notes, <b>Esc</b> shows all slides, <b>F</b> fills the screen.</p>
{decks}</main></html>
"""


@cache
def exporter() -> SlidesExporter:
    """nbconvert's, with a template for reveal.js alone: no JupyterLab, no require.js, nothing from a network."""
    config = Config({"NbConvertBase": {"display_data_priority": PRIORITY}})
    made = SlidesExporter(config=config, extra_template_paths=[str(HERE)], template_file="deck.html.j2")
    made.register_filter("letter_size", letter_size)
    made.register_filter("about", about)
    return made


def about(code: str) -> str:
    """What leads to a cell's code: the functions and classes that it defines."""
    names = re.findall(r"^(?:def|class) (\w+)", code, re.M)
    return f"Code: {', '.join(names)}" if names else "Code"


def page(notebook, lesson: Lesson, places: dict[str, str], mathjax: dict) -> tuple[str, int]:
    """The HTML of a lesson's deck, and how many slides it has.

    `places` names the addresses of `static`, `reveal` and `startup`, MathJax's own; `mathjax` is its configuration.
    """
    slides = deck(notebook, lesson.number)
    for cell in slides.cells:
        if cell.cell_type == "markdown":
            cell.source = TO_LESSON.sub(r"\1.html)", cell.source)
    draw(slides)
    facts = {"number": lesson.number, "title": lesson.title, "mathjax": mathjax | SETUP}
    facts["widgets"] = slides.metadata.get("widgets", {}).get(STATE)
    text, _ = exporter().from_notebook_node(slides, resources={"deck": facts | places})
    return text, sum("slideshow" in cell.metadata and "over" in cell.metadata.deck for cell in slides.cells)


def draw(notebook) -> None:
    """Every SVG among the outputs as HTML, in the size of a slide, with the alt text of its cell."""
    number = 0
    for cell in notebook.cells:
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "figure")
        for data in (output.get("data", {}) for output in cell.get("outputs", [])):
            if svg := data.pop("image/svg+xml", None):
                number += 1
                width, _ = size_of(svg)
                drawn = inline(svg, alt, f"figure-{number}")
                data["text/html"] = re.sub(r'style="width: [^"]*"', f'style="width: {width}px"', drawn, count=1)


def style() -> str:
    """The style sheet of every deck."""
    return (HERE / "deck.css").read_text("utf-8") + HtmlFormatter(style="friendly").get_style_defs(".highlight")


def contents(course: tuple[Chapter, ...], counts: dict[str, int], title: str) -> str:
    """The page that leads to every deck: those of `counts`, which says how many slides each has."""
    rows = []
    for chapter in course:
        decks = [lesson for lesson in chapter.lessons if lesson.file in counts]
        if decks:
            items = "".join(
                f'<li><a href="{lesson.file}.html">{lesson.number} {escape(lesson.title)}</a> '
                f"<small>{counts[lesson.file]} slides</small></li>\n"
                for lesson in decks
            )
            rows.append(f"<h2>{escape(chapter.title)}</h2>\n<ul>\n{items}</ul>\n")
    return INDEX.format(title=escape(title), decks="".join(rows))
