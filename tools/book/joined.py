"""A Sphinx extension that makes a lesson's page of two files: the text of its .md, the outputs of its .ipynb.

Sphinx reads the .ipynb, which is in plain Markdown; what it gets is the .md with the .ipynb's outputs, in memory. So a
reader of the page downloads the plain notebook, while "edit" and "show source" lead to the .md.
"""

from functools import cache
from pathlib import Path

import nbformat
from docutils import nodes
from notebooks.minutes import is_hidden
from notebooks.pairing import is_stale, keep_outputs, read
from notebooks.prepare import prepared
from notebooks.references import References, number_of, read_references
from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)
references_of = cache(read_references)  # once a build


def join_lesson(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put the lesson's text and the outputs that belong to it in the place of the .ipynb."""
    path = Path(app.env.doc2path(docname))
    if path.suffix != ".ipynb" or not number_of(docname):
        return
    text, references = path.with_suffix(".md"), references_of(Path(app.srcdir))
    for other in (text, Path(app.srcdir, "notation.md")):
        app.env.note_dependency(str(other))
    notebook, executed = read(text), nbformat.reads(source[0], as_version=4)
    if is_stale(notebook, executed):
        logger.warning("stale: run make lessons", location=docname)
    lines = first_lines(notebook.cells, text.read_text("utf-8"))
    try:
        source[0] = nbformat.writes(joined(notebook, executed, docname, references, lines))
    except ValueError as error:  # what make lessons says, too: the page stays that of the notebook
        logger.warning("%s", error, location=docname)


def joined(notebook, executed, docname: str, references: References, lines: list[int]):
    """The notebook that the page is made of; a warning names the line of the .md by `lines`."""
    page = keep_outputs(prepared(notebook, docname, references), executed)
    for cell in page.cells:
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "code" and is_hidden(cell) and "hide-input" not in tags:
            cell.metadata |= {"tags": [*tags, "hide-input"], "mystnb": {"code_prompt_show": "Show the imports"}}
    page.metadata["source_map"] = lines
    return page


def first_lines(cells: list, text: str) -> list[int]:
    """The line of `text`, counted from 0, at which each cell begins."""
    at, lines = 0, []
    for cell in cells:
        at = max(text.find(cell.source, at), at)
        lines.append(text.count("\n", 0, at) - 1)
    return lines


def number_equations(app: Sphinx, doctree: nodes.document) -> None:
    """Number the lesson's equations as its notebook does, for references and docstrings on other pages too."""
    known, placed = references_of(Path(app.srcdir)).equations, app.env.domains.math_domain.equations
    for formula in doctree.findall(nodes.math_block):
        if formula.get("label") in known:
            formula["number"], _ = known[formula["label"]]
            placed[formula["label"]] = app.env.docname, formula["number"]


def edit_the_text(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Lead who edits a lesson, or asks for its source, to the .md."""
    if number_of(pagename):
        context["page_source_suffix"] = ".md"


def setup(app: Sphinx) -> dict:
    """Connect them all to Sphinx; the links are set before the theme makes its buttons of them."""
    app.connect("source-read", join_lesson)
    app.connect("doctree-read", number_equations)
    app.connect("html-page-context", edit_the_text, priority=400)
    return {"parallel_read_safe": True}
