"""A Sphinx extension for the search: lessons come first, and each result with a line of its page's own prose.

The prose of every page, section by section, is one script beside the search page. So nothing is fetched for a line,
a book opened from disk finds as much as a served one, and no line holds code, LaTeX or the buttons of the page.
"""

import json
import re
from html.entities import html5
from pathlib import Path

from docutils import nodes
from notebooks.references import number_of
from sphinx import addnodes
from sphinx.application import Sphinx

from gmcourse.lab.files import write

LESSON, PAGE, API = 3, 2, 1  # what is listed first
NO_PROSE = (
    nodes.literal_block,
    nodes.raw,
    nodes.image,
    nodes.comment,
    nodes.table,
    nodes.title,
    addnodes.desc_signature,
)
FONTS = re.compile(r"\\(mathrm|mathcal|mathbb|mathsf|text|big)(?![a-z]) ?")
SIGNS = {name: name for name in ("ln", "log", "det", "min", "max", "sin", "cos", "tanh")}  # beside those of HTML
SIGNS |= {"partial": "∂", "dots": "…", "star": "*", "mid": "|"}
FILE = re.compile(r"[\w.]+/[\w./]+")
FOLDED = {"cell", "dropdown", "solution", "toctree-wrapper"}


def sections(doctree: nodes.document) -> list[list[str]]:
    """(anchor, prose) of the page and of each section and defined term in it; the page's own anchor is empty."""
    found = [["", ""]]
    for child in doctree.children:
        _collect(child, found, 0)
    return [[anchor, text] for anchor, parts in found if (text := " ".join(parts.split()))]


def _collect(node: nodes.Node, found: list[list[str]], place: int) -> None:
    """Add the prose of a node to the section at `place`, or to one of its own."""
    if isinstance(node, NO_PROSE) or FOLDED.intersection(getattr(node, "attributes", {}).get("classes", ())):
        return
    if isinstance(node, nodes.TextElement):
        found[place][1] += " " + _line(node)
        return
    if isinstance(node, nodes.section) and not isinstance(node.parent, nodes.document):
        place = _opened(found, node["ids"])
    for child in node.children:
        terms = [part for part in child.children if isinstance(part, nodes.term) and part["ids"]]
        for term in terms:  # of the glossary: each is found by itself, with the definition that they share
            found[_opened(found, term["ids"])][1] = f"{term.astext()}: {_line(child.children[-1])}"
        if not terms:
            _collect(child, found, place)


def _opened(found: list[list[str]], ids: list[str]) -> int:
    found.append([f"#{ids[0]}", ""])
    return len(found) - 1


def _line(node: nodes.Node) -> str:
    """The text of a node without its code blocks and pictures, its formulas in plain signs."""
    if isinstance(node, nodes.math):
        return plain(node.astext())
    if isinstance(node, nodes.literal) and isinstance(node.parent, nodes.reference):
        return node.astext().rpartition(".")[2]  # of a linked name of the package, its last part
    if isinstance(node, nodes.math_block) or (isinstance(node, nodes.literal) and FILE.fullmatch(node.astext())):
        return " … "
    if isinstance(node, nodes.Text):
        return node.astext()
    return "" if isinstance(node, NO_PROSE) else "".join(map(_line, node.children))


def plain(formula: str) -> str:
    """A short formula as it reads in a line of text: Greek letters and signs; an ellipsis where that does not do."""
    text = FONTS.sub("", formula)
    text = re.sub(r"\\([a-zA-Z]+)", lambda match: SIGNS.get(match[1], html5.get(f"{match[1]};", match[0])), text)
    text = re.sub(r"[{}]", "", re.sub(r"\\[,; ]", " ", text.replace(r"\|", "‖")))
    return "…" if "\\" in text else text


class Prose:
    """The prose of the pages that are written, and the file that the search page reads it from."""

    def __init__(self) -> None:
        self.pages: dict[str, dict] = {}

    def keep(self, app: Sphinx, doctree: nodes.document, docname: str) -> None:
        """Keep that of a page, with what decides its place among the results."""
        rank = LESSON if number_of(docname) else API if docname.startswith(("api/", "references")) else PAGE
        self.pages[docname] = {"rank": rank, "sections": sections(doctree)}

    def write(self, app: Sphinx) -> list:
        """Write that of all pages; one that was not built anew keeps what it had."""
        path, head = Path(app.outdir, "_static", "search_prose.js"), "var searchProse = "
        kept = json.loads(path.read_text("utf-8").removeprefix(head)) if path.exists() else {}
        pages = {name: page for name, page in sorted((kept | self.pages).items()) if name in app.env.found_docs}
        write(path, head + json.dumps(pages, ensure_ascii=False, separators=(",", ":")))
        return []


def add_scripts(app: Sphinx, pagename: str, template: str, context: dict, doctree: nodes.document | None) -> None:
    """Let the search page, and it alone, load the prose and what lists the results."""
    if pagename == "search":
        app.add_js_file("search_prose.js", loading_method="defer")
        app.add_js_file("search.js", loading_method="defer")


def setup(app: Sphinx) -> dict:
    """Connect them all to Sphinx."""
    prose = Prose()
    app.connect("doctree-resolved", prose.keep)
    app.connect("html-collect-pages", prose.write)
    app.connect("html-page-context", add_scripts)
    return {"parallel_read_safe": True}
