"""A Sphinx extension for the figures and explorers of the lessons.

A figure in SVG becomes a part of its page, in the theme's ink; one that is wider than a phone scrolls. An explorer is
followed by its still, which is printed in its place.
"""

import base64
import hashlib
from pathlib import Path

import nbformat
from docutils import nodes
from sphinx.application import Sphinx

from .inline import inline

WIDGET, STILLS = "application/vnd.jupyter.widget-view+json", "gm-stills"


def draw_inline(notebook) -> None:
    """Every SVG among the outputs as HTML, with the alt text of its cell."""
    number = 0
    for cell in notebook.cells:
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "figure")
        for data in (output.get("data", {}) for output in cell.get("outputs", [])):
            if "image/svg+xml" in data:
                number += 1
                data["text/html"] = inline(data.pop("image/svg+xml"), alt, f"figure-{number}")
                data.pop("image/png", None)


def set_stills_apart(notebook) -> dict[str, str]:
    """The picture beside an explorer's view as an output before it; the pictures' names with their alt texts."""
    alts = {}
    for cell in notebook.cells:
        outputs = []
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if WIDGET in data and "image/png" in data:
                still = data.pop("image/png")
                name = hashlib.sha256(base64.b64decode(still)).hexdigest()  # as MyST-NB names the file
                alts[name] = output.metadata.get("image/png", {}).get("alt", "")
                outputs.append(nbformat.v4.new_output("display_data", {"image/png": still}))
            outputs.append(output)
        if "outputs" in cell:
            cell.outputs = outputs
    return alts


def prepare(app: Sphinx, docname: str, source: list[str]) -> None:
    """Do both to the notebook that is about to be read."""
    if Path(app.env.doc2path(docname)).suffix == ".ipynb":
        notebook = nbformat.reads(source[0], as_version=4)
        draw_inline(notebook)
        app.env.current_document[STILLS] = set_stills_apart(notebook)
        source[0] = nbformat.writes(notebook)


def mark_stills(app: Sphinx, doctree: nodes.document) -> None:
    """Give each still its words and its class; the browser fetches it when it is printed."""
    alts = app.env.current_document.get(STILLS, {})
    for image in doctree.findall(nodes.image):
        if (alt := alts.get(Path(image["uri"]).stem)) is not None:
            image["alt"], image["loading"] = alt, "lazy"
            image["classes"].append("gm-still")


def setup(app: Sphinx) -> dict:
    """After what writes the notebooks' text: priority."""
    app.connect("source-read", prepare, priority=900)
    app.connect("doctree-read", mark_stills)
    app.add_js_file("figures.js", defer="defer")
    return {"parallel_read_safe": True}
