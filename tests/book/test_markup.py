"""What is mended in the pages that Sphinx and the theme write, the tags of a page, the style sheets."""

import re
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest
from book import cards, markup
from docutils import nodes

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "chapters" / "_static"
SHEETS = sorted(STATIC.glob("*.css"))
SHOWN = (
    "theme-switcher",
    "search-button",
    "search-button-field",
    "search-field",
    "prev-next",
)  # of pydata
SEARCH = '<button class="btn search-button-field" id="b">'


@pytest.mark.parametrize(
    "written, mended",
    [
        ('<script defer src="../_static/scripts/fontawesome.js?digest=9"></script>\n<link>', "\n<link>"),
        ('<script src="../_static/searchtools.js"></script>\n<script src="../searchindex.js"></script>', "\n"),
        ('<script src="_static/search.js?v=9"></script>', '<script src="_static/search.js?v=9"></script>'),
        (
            '<a class="reference internal" href="#">5 · A</a><details><summary><span>',
            '<a class="reference internal" href="#">5 · A</a><details><summary aria-label="Pages under 5 · A"><span>',
        ),
        ('<button class="btn search-button-field" aria-label="Search" id="b">', SEARCH),
        ('<summary aria-label="Toggle hidden content">\n<p>', "<summary>\n<p>"),
        ('<div class="citation" id="id2" role="doc-biblioentry">', '<div class="citation" id="id2" role="listitem">'),
        (
            '<a href="https://mybinder.org/v2/gh/a/b/main?urlpath=lab/tree/chapters/05_gan/01.ipynb">',
            '<a href="https://mybinder.org/v2/gh/a/b/main?urlpath=lab/tree/work/05_gan/01.ipynb">',
        ),
        ("<dl>\n<dd>a</dd>\n<dd>b</dd>\n</dl>", '<ul class="gm-arguments">\n<li>a</li>\n<li>b</li>\n</ul>'),
        ("<dl>\n<dt>a</dt>\n<dd>b</dd>\n</dl>", "<dl>\n<dt>a</dt>\n<dd>b</dd>\n</dl>"),
        ('<span class="pre">gmcourse.gan.a_b()</span>', '<span class="pre">gmcourse.<wbr>gan.<wbr>a_<wbr>b()</span>'),
        ('<span class="pre">load.train</span>', '<span class="pre">load.train</span>'),
    ],
)
def test_a_mend(written, mended):
    assert markup.mend(written) == mended


@pytest.mark.parametrize("title, suffix", [("The book", ""), ("A lesson", "The book")])
def test_a_page_named_as_the_book_has_its_title_once(title, suffix):
    context = {"title": title, "docstitle": "The book"}
    markup.offer(None, "page", "page.html", context, None)
    assert context["docstitle"] == suffix


def document(*paragraphs: nodes.Node) -> nodes.document:
    return nodes.document(SimpleNamespace(), SimpleNamespace(), "", *paragraphs)


def test_the_description_is_the_first_paragraph_that_is_long_and_without_formulas():
    words = "A network turns noise into pictures, and nobody can say how probable each of them is. "
    formula = nodes.paragraph("", words, nodes.math("", "p_\\theta"))
    assert (
        cards.description(document(nodes.paragraph("", "Short."), formula, nodes.paragraph("", words))) == words.strip()
    )
    cut = cards.description(document(nodes.paragraph("", words * 5)))
    assert len(cut) <= cards.LONGEST + 2
    assert cut.endswith(" …")
    assert words.startswith(cut.split(",")[0])
    assert cards.description(None) == ""


def test_a_picture_and_an_address_are_named_only_where_the_book_has_an_address():
    here = ("A lesson", "What it is about.", "The book")
    assert set(cards.tags(*here, "", "")) == {"description", "og:title", "og:description", "og:site_name", "og:type"}
    tags = cards.tags(*here, "https://example.org/course/", "https://example.org/course/a.html")
    assert tags["og:image"] == "https://example.org/course/_static/card.png"
    assert tags["og:url"] == "https://example.org/course/a.html"


def test_the_page_for_a_wrong_address_finds_its_files_from_anywhere():
    app = SimpleNamespace(config=SimpleNamespace(html_baseurl="https://example.org/course/", project="The <book>"))
    context = {"title": "Lost", "pageurl": "https://example.org/course/404.html"}
    cards.describe(app, "404", "page.html", context, None)
    assert '<base href="https://example.org/course/404.html" />' in context["metatags"]
    assert 'content="The &lt;book&gt;"' in context["metatags"]
    cards.describe(app, "index", "page.html", context := {"title": "Home", "pageurl": "x"}, None)
    assert "<base" not in context["metatags"]


def test_the_card_is_small_and_has_the_size_that_is_asked_for():
    image = pytest.importorskip("PIL.Image").open(STATIC / "card.png")
    assert image.size == (1200, 630)
    assert (STATIC / "card.png").stat().st_size <= 60_000


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_no_style_depends_on_what_an_element_holds(sheet):
    """A rule with `:has()` makes every frame of an explorer restyle the page: 12 ms against 0.1."""
    assert ":has(" not in sheet.read_text("utf-8")


def test_every_icon_that_the_theme_names_is_drawn():
    theme, pydata = (Path(find_spec(name).origin).parent for name in ("sphinx_book_theme", "pydata_sphinx_theme"))
    files = [*theme.rglob("*.html"), *theme.glob("header_buttons/*.py"), *pydata.glob("theme/*/layout.html")]
    files += [pydata / "toctree.py", *(next(pydata.glob(f"theme/*/components/{name}.html")) for name in SHOWN)]
    named = set(re.findall(r"\bfa-([a-z-]+[a-z])\b", "".join(file.read_text("utf-8") for file in files)))
    drawn = set(re.findall(r"^\.fa-([a-z-]+)", (STATIC / "icons.css").read_text("utf-8"), re.M))
    assert named - {"solid", "regular", "brands", "lg", "fw"} - drawn <= {"expand"}  # a button that book.yml turns off
