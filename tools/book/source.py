"""A Sphinx extension for the pages of source code: no empty lines but those of the code."""

import re

from sphinx.application import Sphinx


def close_gaps(app: Sphinx, pagename: str, template: str, context: dict, doctree: object) -> None:
    """Take out the line breaks that sphinx.ext.viewcode adds around each block of a page."""
    if pagename.startswith("_modules/gmcourse"):
        opened = re.sub(r'(<div class="viewcode-block" id="[^"]+">)\n(<a .*?</a>)\n', r"\1\2", context["body"])
        context["body"] = re.sub(r"</div>\n{1,2}", "</div>", opened)


def setup(app: Sphinx) -> dict:
    """Connect it to Sphinx."""
    app.connect("html-page-context", close_gaps)
    return {"parallel_read_safe": True}
