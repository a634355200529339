"""A Sphinx extension for how the lessons are set: captions, and the signs that follow a formula.

A paragraph in italics that begins with "Figure" is the caption of the figure above it.
"""

from docutils import nodes
from sphinx.application import Sphinx


def mark_captions(app: Sphinx, doctree: nodes.document) -> None:
    """Give every caption the class that the style sheet knows."""
    for paragraph in doctree.findall(nodes.paragraph):
        if len(paragraph) == 1 and isinstance(paragraph[0], nodes.emphasis) and paragraph.astext().startswith("Figure"):
            paragraph["classes"].append("gm-caption")


def keep_punctuation(app: Sphinx, doctree: nodes.document) -> None:
    """Bind the sign after a short formula to it, so that no line begins with a comma."""
    for formula in list(doctree.findall(nodes.math)):
        after = formula.next_node(descend=False, siblings=True)
        if isinstance(after, nodes.Text) and after[0] in ",.;:!?)" and len(formula.astext()) < 40:
            bound = nodes.inline("", "", formula.deepcopy(), nodes.Text(after[0]), classes=["gm-bound"])
            after.parent.replace(after, nodes.Text(after[1:]))
            formula.parent.replace(formula, bound)


def setup(app: Sphinx) -> dict:
    """Connect them all to Sphinx."""
    app.connect("doctree-read", mark_captions)
    app.connect("doctree-read", keep_punctuation)
    return {"parallel_read_safe": True}
