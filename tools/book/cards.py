"""A Sphinx extension for what a search engine or a message shows of a page: its title, first words and a picture."""

from html import escape
from posixpath import join

from docutils import nodes
from sphinx.application import Sphinx

CARD = "_static/card.png"  # drawn by tools/card.py
LONGEST = 200


def description(doctree: nodes.document | None) -> str:
    """The first full sentence or two of a page, from a paragraph without formulas; empty where there is none."""
    for paragraph in doctree.findall(nodes.paragraph) if doctree else ():
        text = " ".join(paragraph.astext().split())
        if len(text) > 60 and not any(paragraph.findall(nodes.math)):
            return text if len(text) <= LONGEST else text[:LONGEST].rsplit(" ", 1)[0].rstrip(",;:") + " …"
    return ""


def tags(title: str, about: str, site: str, address: str, page: str) -> dict[str, str]:
    """The meta tags of a page by name; a picture and an address only where the book has one."""
    found = {
        "description": about,
        "og:title": title,
        "og:description": about,
        "og:site_name": site,
        "og:type": "article",
    }
    if address:
        found |= {"og:url": page, "og:image": join(address, CARD), "twitter:card": "summary_large_image"}
    return {name: value for name, value in found.items() if value}


def describe(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    """Put the tags into a page; the page for a wrong address finds its files from wherever it is shown."""
    address, page = app.config.html_baseurl, context.get("pageurl") or ""
    found = tags(context.get("title", ""), description(doctree), app.config.project, address, page)
    rows = [f'<meta {_key(name)}="{name}" content="{escape(value)}" />' for name, value in found.items()]
    if pagename == "404" and address:
        rows.insert(0, f'<base href="{escape(page)}" />')
    context["metatags"] = "\n".join([*rows, context.get("metatags", "")])


def _key(name: str) -> str:
    return "property" if name.startswith("og:") else "name"


def setup(app: Sphinx) -> dict:
    """Connect them all to Sphinx."""
    app.connect("html-page-context", describe)
    return {"parallel_read_safe": True}
