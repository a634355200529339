"""A book of two small lessons: the .md with the outputs of its .ipynb, the notebook's numbers, warnings at the text."""

import io
import re
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

import nbformat
import pytest
from notebooks.pairing import code_cells, keep_outputs, publish, read
from notebooks.references import name_of, read_references
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

SETTINGS = {
    "source_suffix": {".md": "myst-nb", ".ipynb": "myst-nb"},  # Sphinx keeps its default between two apps, changed
    "extensions": ["myst_nb", "sphinxcontrib.bibtex", "book.citations", "book.joined"],
    "project": "A book",
    "html_theme": "basic",
    "html_sourcelink_suffix": "",
    "nb_execution_mode": "off",
    "myst_enable_extensions": ["colon_fence", "dollarmath"],
    "math_eqref_format": "({number})",
    "bibtex_bibfiles": ["references.bib"],
    "bibtex_reference_style": "round",
    "exclude_patterns": ["*/0*.md"],
    "nitpicky": True,
}
FIRST = """\
# A game

A critic plays, as {cite:t}`one` and {cite:t}`three` say {cite:p}`two`.

$$x = 1$$ (gan-one)

$$y = 2$$ (gan-two)

By {eq}`gan-two`, and by {eq}`flows-one` elsewhere.

```{code-cell} ipython3
import math
```

```{code-cell} ipython3
print("told by the run")
```

*Figure 1. A line.* See Figure 1.

:::{exercise} Count
:label: gan.modes

Try {eq}`gan-one`.
:::

:::{prf:theorem} Nash
:label: gan-nash

There is one.
:::
"""
SECOND = (
    "# A flow\n\n$$z = 3$$ (flows-one)\n\nFrom [the game](../05_gan/02_game.md), {eq}`gan-two`, {prf:ref}`gan-nash`.\n"
)
PAPER = "@article{%s,\n author = {%s},\n title = {T},\n journal = {J},\n year = {2014},\n eprint = {1.%s}\n}\n"
AUTHORS = {"one": r"M{\"u}ller, A. and van den Berg, B.", "two": "Burda, Y.", "three": "A, B. and C, D. and E, F."}
PAGES = {
    "index.md": "# A book\n\n:::{toctree}\n05_gan/02_game\n06_flows/01_flow\nnotation\n:::\n",
    "notation.md": "# Glossary\n\n:::{glossary}\ncritic\n  A network.\n:::\n\n:::{bibliography}\n:::\n",
    "references.bib": "".join(PAPER % (key, names, key) for key, names in AUTHORS.items()),
    "05_gan/02_game.md": FIRST,
    "06_flows/01_flow.md": SECOND,
}


@pytest.fixture
def chapters(tmp_path, monkeypatch):
    """A book that nobody has built yet; book.joined has read no references."""
    monkeypatch.setattr("book.joined.references_of", read_references)
    folder = tmp_path / "chapters"
    for name, text in PAGES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    for lesson in folder.glob("0*/*.md"):
        pair(lesson)
    return folder


def pair(path: Path) -> None:
    notebook = read(path)
    for cell in code_cells(notebook):
        said = nbformat.v4.new_output("stream", name="stdout", text="told by the run\n")
        cell.outputs = [said] if cell.source.startswith("print") else []
    published = publish(keep_outputs(notebook, notebook), name_of(path), read_references(path.parents[1]))
    nbformat.write(published, path.with_suffix(".ipynb"))


@dataclass
class Book:
    """What a build did: the pages it read, where each leads who edits it, what it warned of, and the lessons' pages."""

    read: list[str] = field(default_factory=list)
    edited: dict[str, str] = field(default_factory=dict)
    warnings: str = ""
    pages: dict[str, str] = field(default_factory=dict)


def build(chapters: Path) -> Book:
    out, warnings, book = chapters.parent / "html", io.StringIO(), Book()
    with patch_docutils(), docutils_namespace():
        app = Sphinx(chapters, None, out, out / ".doctrees", "html", SETTINGS, status=None, warning=warnings)
        app.connect("env-before-read-docs", lambda app, env, names: book.read.extend(names))
        after = lambda app, page, _, context, __: book.edited.update({page: context.get("page_source_suffix")})  # noqa: E731
        app.connect("html-page-context", after, priority=450)
        app.build()
    book.warnings = warnings.getvalue()
    book.pages = {page.stem: page.read_text("utf-8") for page in out.glob("0*/*.html")}
    return book


def words(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", "", page)).split())


def test_the_page_has_the_notebooks_outputs_and_numbers(chapters):
    book = build(chapters)
    assert book.warnings == ""
    page = book.pages["02_game"]
    game, flow = words(page), words(book.pages["01_flow"])
    for said in (
        "5.2 A game",
        "told by the run",
        "By (5.2.2), and by (6.1.1) elsewhere.",
        "Figure 5.2.1. A line. See Figure 5.2.1.",
        "Exercise 5.2.1. Count",
        "Müller and van den Berg (2014) and A et al. (2014) say (Burda, 2014).",
    ):
        assert said in game
    assert "Theorem 5.2.1. Nash There is one." in game
    assert "From the game, (5.2.2), Theorem 5.2.1." in flow
    assert 'href="../05_gan/02_game.html#gan-nash"' in book.pages["01_flow"]
    assert re.findall(r'class="eqno">\(([\d.]+)\)', page) == ["5.2.1", "5.2.2"]
    assert 'class="exercise admonition"' in page
    assert 'href="../notation.html#term-critic"' in page
    assert re.search(r'class="cell tag_hide-input', page)


def test_the_notebook_names_papers_as_the_page_does(chapters):
    notebook = nbformat.read(chapters / "05_gan" / "02_game.ipynb", as_version=4)
    cited = next(re.search(r"A critic plays.*", cell.source) for cell in notebook.cells)
    assert "(https://arxiv.org/abs/1.one)" in cited[0]
    assert re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", cited[0]) in words(build(chapters).pages["02_game"])


def test_the_download_is_plain_and_who_edits_is_led_to_the_text(chapters):
    assert build(chapters).edited["05_gan/02_game"] == ".md"
    downloaded = (chapters.parent / "html" / "_sources" / "05_gan" / "02_game.ipynb").read_text("utf-8")
    assert downloaded == (chapters / "05_gan" / "02_game.ipynb").read_text("utf-8")
    assert "{eq}" not in downloaded


def test_a_stale_notebook_is_a_warning(chapters):
    (chapters / "05_gan" / "02_game.md").write_text(FIRST.replace("told by the run", "told by nobody"), "utf-8")
    assert re.search(r"05_gan/02_game.*stale: run make lessons", build(chapters).warnings)


def test_what_make_lessons_refuses_is_a_warning(chapters):
    (chapters / "05_gan" / "02_game.md").write_text(FIRST.replace("{eq}`gan-one`", "{prf:ref}`nowhere`"), "utf-8")
    assert re.search(r"05_gan/02_game.*no lesson has .*'nowhere'", build(chapters).warnings)


def test_a_warning_names_the_line_of_the_text(chapters):
    text = FIRST.replace("See Figure 1.", "See {term}`nowhere`.")
    (chapters / "05_gan" / "02_game.md").write_text(text, "utf-8")
    line = text.splitlines().index("*Figure 1. A line.* See {term}`nowhere`.") + 1
    assert re.search(rf"02_game\.ipynb:{line}: WARNING: .*nowhere", build(chapters).warnings)


def test_a_page_is_read_again_when_its_text_changes_and_no_other_is(chapters):
    build(chapters)
    assert build(chapters).read == []
    (chapters / "06_flows" / "01_flow.md").write_text(SECOND.replace("From", "Out of"), "utf-8")
    book = build(chapters)
    assert book.read == ["06_flows/01_flow"]
    assert "Out of the game" in words(book.pages["01_flow"])
