"""A Sphinx extension for the pages of source code: as wide as the code, no empty lines but its own."""

import re

from sphinx.application import Sphinx

BLOCK = re.compile(r'(<div class="viewcode-block" id="[^"]+">)\n(<a .*?</a>)\n(.*?)(?=\n|</div>)')


def close_gaps(app: Sphinx, pagename: str, template: str, context: dict, doctree: object) -> None:
    """Put the way back at the end of each block's first line, and take out the line breaks around the blocks."""
    if pagename == "_modules/index":  # viewcode nests its lists in no item
        title, _, rows = context["body"].partition("\n")
        context["body"] = f"{title}\n<ul>{re.sub('</?ul>', '', rows)}</ul>"
    elif pagename.startswith("_modules/gmcourse"):
        body = re.sub(r"</div>\n{1,2}", "</div>", BLOCK.sub(r"\1\3  \2", context["body"]))
        context["body"] = f'<div class="gm-source">{body}</div>'


def setup(app: Sphinx) -> dict:
    """Connect it to Sphinx."""
    app.connect("html-page-context", close_gaps)
    return {"parallel_read_safe": True}
