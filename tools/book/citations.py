"""A Sphinx extension that names papers as a lesson's notebook does: Kingma and Welling (2014), in round brackets."""

from dataclasses import dataclass, field

from sphinx.application import Sphinx
from sphinxcontrib.bibtex.plugin import register_plugin
from sphinxcontrib.bibtex.style.referencing import BracketStyle
from sphinxcontrib.bibtex.style.referencing.author_year import AuthorYearReferenceStyle


@dataclass
class RoundStyle(AuthorYearReferenceStyle):
    """Author and year, with ( ) where the library's own style has [ ]."""

    bracket_textual: BracketStyle = field(default_factory=lambda: BracketStyle("(", ")"))
    bracket_parenthetical: BracketStyle = field(default_factory=lambda: BracketStyle("(", ")"))


def setup(app: Sphinx) -> dict:
    """Give the style its name, for bibtex_reference_style in book.yml."""
    register_plugin("sphinxcontrib.bibtex.style.referencing", "round", RoundStyle)
    return {"parallel_read_safe": True}
