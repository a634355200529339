"""A Sphinx extension that mends the HTML of Sphinx and the theme where it is heavy, or mute to a screen reader."""

import re

from sphinx.application import Sphinx


def _with_breaks(name: re.Match) -> str:
    """A long dotted name that may go over to the next line after a dot or an underscore."""
    return re.sub(r"(?<=\w)[._](?=\w)", r"\g<0><wbr>", name[0])


def _as_list(arguments: re.Match) -> str:
    """A long signature's arguments, which Sphinx writes as a list of terms with none defined."""
    rows = arguments[1].replace("<dd>", "<li>").replace("</dd>", "</li>")
    return f'<ul class="gm-arguments">\n{rows}</ul>'


MENDS = (  # what is written, and what stands in its place
    (r'<script defer src="[^"]*/fontawesome\.js[^"]*"></script>', ""),  # 1.5 MB; icons.css draws the twenty in use
    (  # 0.7 MB, for results while one types, which the book does not show; the search page loads its own
        r'<script src="[^"]*/?(?:_static/searchtools|_static/language_data|searchindex)\.js"></script>',
        "",
    ),
    (  # the first paint is already in the system's theme
        r'localStorage\.getItem\("theme"\) \|\| "auto"',
        'localStorage.getItem("theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")',
    ),
    (r'(<div id="pst-primary-sidebar")', r'\1 role="complementary" aria-label="Book"'),
    (  # the arrow that unfolds a chapter says which chapter
        r'(<a class="[^"]*reference internal" href="[^"]*">)([^<]+)(</a><details[^>]*>)<summary>',
        r'\1\2\3<summary aria-label="Pages under \2">',
    ),
    (r'(<button class="btn search-button-field[^>]*?) aria-label="[^"]*"', r"\1"),  # named by its text
    (r'<summary aria-label="Toggle hidden content">', "<summary>"),  # so is a folded cell
    (r'(/v2/gh/[^"]*[?]urlpath=lab/tree/)chapters/', r"\1work/"),  # on Binder, too, one works in one's own copy
    (r'role="doc-biblioentry"', 'role="listitem"'),
    (r'(?<=<span class="pre">)[\w.()]{16,}(?=</span>)', _with_breaks),
    (r"<dl>\n((?:<dd>.*</dd>\n)+)</dl>", _as_list),
)


def mend(html: str) -> str:
    """A part of a page as the template gives it, with every mend made."""
    for written, instead in MENDS:
        html = re.sub(written, instead, html)
    return html


def offer(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Hand `mend` to the template, and name a page once that has the book's own title."""
    context["mend"] = mend
    if context.get("title") == context.get("docstitle"):
        context["docstitle"] = ""


def setup(app: Sphinx) -> dict:
    """Connect them all to Sphinx."""
    app.connect("html-page-context", offer)
    return {"parallel_read_safe": True}
