"""The decks: which pieces of a lesson stand on a slide, that none is lost, that a deck asks nothing of a network."""

import re
from pathlib import Path

import nbformat
import pytest
import slides
from deck import blocks, export, pages, prose
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from gmcourse.lab.course import read_course

ROOT = Path(__file__).resolve().parents[2]
LESSONS = [lesson for chapter in read_course(ROOT) for lesson in chapter.open_lessons]
VIEW = {blocks.VIEW: {"model_id": "a", "version_major": 2, "version_minor": 1}, "text/plain": "An explorer"}
SVG = '<svg viewBox="0 0 {} {}"></svg>'
LONG = "A sentence that nobody has to see, since it says what the speaker says. " * 5


def kind(cell) -> str:
    """What a cell of a deck holds."""
    return cell.metadata["deck"].get("kind", "head")


def shown(notebook, number: str = "1.1"):
    """(slide type, kind, first words) of each cell of the deck."""
    cells = pages.deck(notebook, number).cells
    return [(cell.metadata["slideshow"]["slide_type"], kind(cell), cell.source.splitlines()[0][:40]) for cell in cells]


def lesson(*cells):
    made = [cell if not isinstance(cell, str) else new_markdown_cell(cell) for cell in cells]
    return new_notebook(cells=made)


def code(source: str, *tags: str, output: dict | None = None):
    outputs = [new_output("display_data", output)] if output else []
    return new_code_cell(source, outputs=outputs, metadata={"tags": list(tags)} if tags else {})


# The rule


@pytest.mark.parametrize(
    ("paragraph", "expected"),
    [
        ("One. Two? Three!", ["One.", "Two?", "Three!"]),
        ("By Kingma et al. It is so, i.e. so. Now.", ["By Kingma et al. It is so, i.e. so.", "Now."]),
        ("It is $p. Q$ or `a. B`. Then.", ["It is $p. Q$ or `a. B`.", "Then."]),
        ("The **mean**. A **median**: half.", ["The **mean**.", "A **median**: half."]),
        ("**What? And why?** Because.", ["**What? And why?**", "Because."]),
        ("See [A. B](c.ipynb). *Proof.* So.", ["See [A. B](c.ipynb).", "*Proof.*", "So."]),
        ("At 3.5 it is 2. 3 of them.", ["At 3.5 it is 2.", "3 of them."]),
    ],
)
def test_a_paragraph_is_cut_between_its_sentences_alone(paragraph, expected):
    assert prose.sentences(paragraph) == expected


def test_a_short_paragraph_is_shown_whole_and_of_a_long_one_what_it_asks_and_defines():
    assert prose.on_slide("Short.", False, False) == "Short."
    assert prose.on_slide(LONG, False, False) == ""
    assert prose.on_slide(f"{LONG} Why? {LONG} The **bound**. {LONG}", False, False) == "Why? The **bound**."
    assert prose.on_slide(f"{LONG} So it is", True, False) == "So it is"
    assert prose.on_slide(f"where $x$ is. {LONG}", False, True) == "where $x$ is."
    assert prose.on_slide(f"Where $x$ is. {LONG}", False, True) == ""
    assert prose.on_slide(f"First. {LONG}", False, False, first=True) == "First."


def test_headings_begin_slides_sub_headings_stand_below_and_prose_goes_to_the_notes():
    text = f"# Title\n\n**Why?**\n\n{LONG}\n\n## One\n\n{LONG} It is\n\n$$\nx \\tag{{1.1.1}}\n$$\n\n### Sub\n\nShort."
    assert shown(lesson(text)) == [
        ("slide", "head", "# Title"),
        ("-", "text", "**Why?**"),
        ("notes", "note", LONG[:40]),
        ("slide", "head", "## One"),
        ("-", "text", "It is"),
        ("notes", "note", LONG[:40]),
        ("-", "formula", "$$"),
        ("subslide", "head", "## Sub"),
        ("-", "text", "Short."),
    ]


def test_a_section_without_a_slide_of_its_own_hands_its_place_to_the_next():
    found = shown(lesson("# T\n\nA.\n\n## One\n\n### Sub\n\nShort.\n\n### More\n\nShort.\n\n## Two\n\nB."))
    assert [(place, text) for place, sort, text in found if sort == "head"] == [
        ("slide", "# T"),
        ("slide", "## Sub"),
        ("subslide", "## More"),
        ("slide", "## Two"),
    ]


def test_what_a_reader_does_not_see_is_left_out():
    cells = [
        code("import torch"),
        code("assert True", "remove-cell"),
        code('check("vae.x", x)', output={"text/html": "not attempted"}),
        code("def f(x):\n    raise NotImplementedError", "exercise"),
        code("y = 1"),
        code("plot()", "hide-input", output={"image/svg+xml": SVG.format(400, 100)}),
    ]
    found = shown(lesson("# T\n\nText.", *cells, "*Figure 1.1.1. What it shows.*\n\n## References\n\nA paper."))
    assert [(sort, text) for _, sort, text in found] == [
        ("head", "# T"),
        ("text", "Text."),
        ("stub", "def f(x):"),
        ("figure", "plot()"),
        ("caption", "*Figure 1.1.1. What it shows.*"),
        ("program", "y = 1"),
        ("program", "plot()"),
    ]


def test_what_does_not_fit_goes_on_below_with_what_leads_to_it():
    figure = code("plot()", output={"image/svg+xml": SVG.format(400, 200)})
    again = code("plot(2)", output={"image/svg+xml": SVG.format(400, 200)})
    made = pages.deck(lesson("# T\n\nOne.", figure, "Two.", "Look at this:", again), "1.1")
    heads = [place for place, cell in enumerate(made.cells) if "over" in cell.metadata.deck]
    assert [made.cells[place].metadata["slideshow"]["slide_type"] for place in heads] == ["slide", "subslide"]
    assert [cell.source for cell in made.cells[heads[1] :]] == ["## T", "Look at this:", "plot(2)", "plot(2)"]


def test_a_list_is_cut_between_its_items_and_keeps_its_numbers():
    items = "\n".join(f"{number}. {'word ' * 40}" for number in range(1, 10))
    made = pages.deck(lesson(f"## Take away\n\n{items}"), "1.1")
    lists = [cell.source for cell in made.cells if kind(cell) == "item"]
    assert len(lists) > 1
    assert [re.findall(r"^\d", text, re.M) for text in lists] != []
    assert "".join(re.findall(r"^(\d)\. ", "\n".join(lists), re.M)) == "123456789"


def test_a_figure_is_enlarged_to_its_slide_and_what_was_printed_is_whole():
    assert blocks.size_of(SVG.format(300, 150)) == (680, 340)
    assert blocks.size_of(SVG.format(300, 300)) == (360, 360)
    assert blocks.size_of(SVG.format(900, 90)) == (1000, 100)
    with pytest.raises(ValueError, match="expected an SVG with a viewBox"):
        blocks.size_of("<svg></svg>")
    assert blocks.letter_size("short") == 21
    assert blocks.letter_size("x" * 120) * 0.61 * 120 <= blocks.WIDTH


# Every lesson


@pytest.fixture(scope="module", params=LESSONS, ids=lambda lesson: lesson.number)
def pair(request):
    """A lesson's notebook and the one of its deck."""
    notebook = nbformat.read(ROOT / "chapters" / f"{request.param.file}.ipynb", 4)
    return notebook, pages.deck(notebook, request.param.number)


def on_slides(made) -> str:
    return "\n".join(
        cell.source
        for cell in made.cells
        if cell.cell_type == "markdown" and cell.metadata["slideshow"]["slide_type"] != "notes"
    )


def body(notebook) -> str:
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return text.partition("\n## References")[0]


def test_every_equation_question_figure_and_explorer_of_a_lesson_stands_on_a_slide(pair):
    notebook, made = pair
    seen, text = on_slides(made), body(notebook)
    numbers = re.findall(r"\\tag\{[\d.]+\}", text)
    assert [seen.count(number) for number in numbers] == [1] * len(numbers)
    flat = " ".join(seen.split())
    assert all(" ".join(bold.split()) in flat for bold in re.findall(r"\*\*[^*]+\?\*\*", text))
    captions = re.findall(r"^\*Figures? [\d.]+", text, re.M)
    assert [seen.count(caption) for caption in captions] == [1] * len(captions)
    drawn = [count(other.cells, "image/svg+xml") + count(other.cells, blocks.VIEW) for other in (notebook, made)]
    assert drawn[0] == drawn[1]


def count(cells, mime: str) -> int:
    """The outputs of a type, once where a deck has the program of a figure apart."""
    seen = (cell for cell in cells if cell.metadata.get("deck", {}).get("kind") != "program")
    return sum(mime in output.get("data", {}) for cell in seen for output in cell.get("outputs", []))


def test_no_word_of_a_lesson_is_lost_to_the_speaker(pair):
    notebook, made = pair
    texts = (cell for cell in made.cells if cell.cell_type == "markdown")
    said = (f"{cell.metadata['deck'].get('over')}\n{cell.source}" for cell in texts)
    told = set(re.findall(r"\w+", "\n".join(said)))
    assert not set(re.findall(r"\w+", body(notebook))) - told


# A deck as a file


def test_a_deck_loads_nothing_from_a_network_and_leads_to_the_other_decks(tmp_path):
    if not (ROOT / "chapters" / "_static" / "vendor" / "reveal").exists():
        pytest.skip("npm is not installed: a deck takes its scripts from the network")
    counts = slides.build(ROOT, tmp_path, ["05_gan/07_translation"])
    text = (tmp_path / "05_gan" / "07_translation.html").read_text("utf-8")
    for address in re.findall(r'<(?:script|link|img)\b[^>]*(?:src|href)="([^"]+)"', text):
        assert (tmp_path / "05_gan" / address).exists(), address
    assert 'href="../01_taxonomy/02_family_tree.html"' in text
    assert ".ipynb" not in re.sub(r"<script.*?</script>", "", text, flags=re.S)
    assert text.count("<section>") > counts["05_gan/07_translation"] > 20
    index = (tmp_path / "index.html").read_text("utf-8")
    assert f"{counts['05_gan/07_translation']} slides" in index
    assert re.findall(r'href="(\d[^"]+)"', index) == ["05_gan/07_translation.html"]


def test_without_what_npm_fetches_the_scripts_come_from_a_cdn_at_the_pinned_version(tmp_path):
    addresses, mathjax = slides.places(tmp_path)
    pinned = slides.pins()["reveal.js"]
    assert addresses["reveal"] == f"https://cdn.jsdelivr.net/npm/reveal.js@{pinned}/dist/"
    assert addresses["startup"].startswith("https://cdn.jsdelivr.net/npm/mathjax@")
    assert mathjax["output"]["fontPath"].startswith("https://")


def test_a_lesson_that_there_is_not_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"got \['05_gan/99_none'\], expected such as 01_taxonomy"):
        slides.build(ROOT, tmp_path, ["05_gan/99_none"])
    assert not list(tmp_path.iterdir())


def test_what_a_notebook_says_cannot_leave_its_place_in_the_page():
    state = {"state": {"a": {"x": "</script><script>alert(1)</script>"}}, "version_major": 2, "version_minor": 0}
    notebook = lesson("# T\n\nText.", code("show()", output=VIEW))
    notebook.metadata.widgets = {export.STATE: state}
    places = {"static": "s/", "reveal": "r/", "startup": "m.js"}
    text, count = export.page(notebook, LESSONS[0], places, {})
    assert "alert(1)</script>" not in text
    assert count == 1
    assert text.count(blocks.VIEW) == 1


def test_code_is_called_after_what_it_defines():
    assert export.about("def f():\n    pass\n\n\nclass G:\n    def h(self): pass") == "Code: f, G"
    assert export.about("x = 1") == "Code"
