"""What the search page lists: the prose of each page, without code, LaTeX or answers, and lessons before the rest."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from book import search
from docutils import nodes
from docutils.core import publish_doctree

PAGE = """
Title
=====

Opening words, |formula| too.

A section
---------

Text with `code/file.json` left out::

    x = 1

BLOCK

.. container:: cell

   printed by a cell

.. container:: dropdown

   the solution

Closing words.
"""


def doctree(text: str = PAGE) -> nodes.document:
    tree = publish_doctree(text.replace("|formula|", ":math:`p_\\theta`"), settings_overrides={"doctitle_xform": False})
    for paragraph in [node for node in tree.findall(nodes.paragraph) if node.astext() == "BLOCK"]:
        paragraph.replace_self(nodes.math_block("", r"\frac{a}{b}"))  # Sphinx's own directive needs a whole build
    for reference in list(tree.findall(nodes.title_reference)):
        reference.replace_self(nodes.literal("", reference.astext()))
    return tree


def test_prose_is_kept_by_section_without_code_or_outputs():
    opening, section = search.sections(doctree())
    assert opening == ["", "Opening words, p_θ too."]
    assert section == ["#a-section", "Text with … left out: … Closing words."]


def test_a_linked_name_is_told_by_its_last_part():
    name = nodes.reference("", "", nodes.literal("", "gmcourse.gan.losses.r1_penalty()"))
    assert search._line(nodes.paragraph("", "", nodes.Text("with "), name)) == "with r1_penalty()"


def test_each_term_of_the_glossary_is_found_by_itself():
    definition = nodes.definition("", nodes.paragraph("", "What a model cannot exceed."))
    terms = [nodes.term("", "ELBO", ids=["term-ELBO"]), nodes.term("", "bound", ids=["term-bound"])]
    glossary = nodes.definition_list("", nodes.definition_list_item("", *terms, definition))
    document = doctree("Words.")
    document += glossary
    assert search.sections(document)[1:] == [
        ["#term-ELBO", "ELBO: What a model cannot exceed."],
        ["#term-bound", "bound: What a model cannot exceed."],
    ]


@pytest.mark.parametrize(
    ("formula", "shown"),
    [
        (r"p_\theta(x \mid z)", "p_θ(x | z)"),
        (r"\nabla_\mu \ln q", "∇_μ ln q"),
        (r"p_{\mathrm{data}} \le 2m", "p_data ≤ 2m"),
        (r"\mathbb{E}\,\|z\|", "E ‖z‖"),
        (r"\mathbb{E}_q[\mathrm{ELBO}]", "E_q[ELBO]"),
        (r"\frac{a}{b}", "…"),
    ],
)
def test_a_formula_is_told_in_plain_signs(formula, shown):
    assert search.plain(formula) == shown


@pytest.fixture
def app(tmp_path: Path) -> SimpleNamespace:
    root, out = tmp_path / "course", tmp_path / "html"
    (out / "_static").mkdir(parents=True)
    (root / "chapters").mkdir(parents=True)
    chapter = {"folder": "05_gan", "title": "GAN", "question": "?", "lessons": [{"file": "02_collapse", "title": "C"}]}
    (root / "book.yml").write_text(json.dumps({"course": [chapter]}))
    found = {"05_gan/02_collapse", "05_gan/index", "api/gan", "notation"}
    return SimpleNamespace(srcdir=root / "chapters", outdir=out, env=SimpleNamespace(found_docs=found))


def written(app: SimpleNamespace) -> dict:
    return json.loads(
        (app.outdir / "_static" / "search_prose.js").read_text("utf-8").removeprefix("var searchProse = ")
    )


def test_lessons_rank_before_pages_and_pages_before_the_api(app):
    prose = search.Prose()
    for name in app.env.found_docs:
        prose.keep(app, doctree(), name)
    assert prose.write(app) == []
    ranks = {name: page["rank"] for name, page in written(app).items()}
    assert ranks["05_gan/02_collapse"] > ranks["05_gan/index"] == ranks["notation"] > ranks["api/gan"] > 0
    assert [path.name for path in (app.outdir / "_static").iterdir()] == ["search_prose.js"]


def test_a_page_that_is_not_built_anew_keeps_its_prose_and_one_that_is_gone_loses_it(app):
    first, again = search.Prose(), search.Prose()
    for name in ("notation", "api/gan"):
        first.keep(app, doctree(), name)
    first.write(app)
    app.env.found_docs = {"notation", "05_gan/index"}
    again.keep(app, doctree("New words."), "05_gan/index")
    again.write(app)
    assert written(app).keys() == app.env.found_docs
    assert written(app)["notation"]["sections"] == search.sections(doctree())


def test_the_search_page_alone_loads_the_prose():
    loaded: list[str] = []
    app = SimpleNamespace(add_js_file=lambda name, **options: loaded.append(name))
    search.add_scripts(app, "notation", "page.html", {}, None)
    assert loaded == []
    search.add_scripts(app, "search", "search.html", {}, None)
    assert loaded == ["search_prose.js", "search.js"]
