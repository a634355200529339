"""Figures in the book: in the theme's ink and described; an explorer's still, for print."""

import base64
import io
import re
import xml.etree.ElementTree as ET

import matplotlib as mpl
import nbformat
import numpy as np
import pytest
from book.figures import WIDGET, draw_inline, set_stills_apart
from book.inline import inline
from matplotlib.figure import Figure
from PIL import Image
from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

from gmcourse import show
from gmcourse.show.vector import svg

ALT = 'a "line" that rises & falls'

pytestmark = pytest.mark.usefixtures("course_style")


def figure(width: float = 5.4, heat: bool = False, points: int = 0) -> Figure:
    drawn = Figure(figsize=(width, 3), layout="constrained")
    axes = drawn.subplots()
    if heat:
        axes.imshow(np.random.default_rng(0).random((8, 8)), extent=(0, 1, 0, 1), aspect="auto")
    axes.plot([0.1, 0.9], [0.1, 0.9], color="ink", marker="o")
    axes.plot([0.1, 0.9], [0.2, 0.7], color="model")
    axes.scatter(*np.random.default_rng(0).random((2, points)), color="data", s=3)
    axes.text(0.5, 0.5, "inside", color="black")
    axes.set_xlabel("outside")
    return drawn


def drawn_in_page(text: str) -> ET.Element:
    return ET.fromstring(re.sub(r"^<div[^>]*>|</div>$", "", text))


def colours(root: ET.Element) -> set[str]:
    return set(re.findall(r"#[0-9a-f]{6}", " ".join(element.get("style", "") for element in root.iter())))


def png_of(mode: str = "RGB", colour=(200, 30, 30)) -> str:
    file = io.BytesIO()
    Image.new(mode, (4, 4), colour).save(file, "png")
    return base64.b64encode(file.getvalue()).decode()


def test_colours_are_the_theme_s_and_the_paper_is_gone():
    root = drawn_in_page(inline(svg(figure()), ALT, "f1"))
    styles = " ".join(element.get("style", "") for element in root.iter())
    for token in ("--gm-ink", "--gm-model", "--gm-quiet", "--pst-color-background"):
        assert f"var({token})" in styles, token
    assert not colours(root)
    before = ET.fromstring(svg(figure()))
    assert len(root.findall("path")) == len(before.findall("{http://www.w3.org/2000/svg}path")) - 1


def test_it_is_an_image_with_words_as_wide_as_it_was_drawn():
    root = drawn_in_page(inline(svg(figure()), ALT, "f1"))
    assert (root.get("role"), root.get("aria-label")) == ("img", ALT)
    assert not {"width", "height"} & root.attrib.keys()
    width = float(re.search(r"width='([\d.]+)pt'", svg(figure()))[1])
    assert root.get("style") == f"width: {round(width * 4 / 3)}px"


def test_a_wide_figure_keeps_three_quarters_of_its_width():
    style = drawn_in_page(inline(svg(figure(width=8)), ALT, "f1")).get("style")
    width, least = map(int, re.fullmatch(r"width: (\d+)px; min-width: (\d+)px", style).groups())
    assert least == round(0.75 * width)


def test_two_figures_of_a_page_share_no_name():
    notebook = page([{"image/svg+xml": svg(figure())}] * 2)
    draw_inline(notebook)
    pages = [output.data["text/html"] for cell in notebook.cells for output in cell.outputs]
    names = [set(re.findall(r' id="([^"]+)"', text)) for text in pages]
    aims = [set(re.findall(r'(?:href="|url\()#([^")]+)', text)) for text in pages]
    assert names[0]
    assert not names[0] & names[1]
    assert aims == names


def test_what_lies_on_a_picture_keeps_its_colours():
    root = drawn_in_page(inline(svg(figure(heat=True)), ALT, "f1"))
    assert "#dd6b20" in colours(root)
    assert "gm-marks" not in {image.get("class") for image in root.iter("image")}
    assert any(group.get("fill") == show.COLOURS["ink"] for group in root.iter("g"))
    outside = [group.get("style", "") for group in root.iter("g")]
    assert any("var(--gm-ink)" in style for style in outside)


def test_only_what_lies_on_the_picture_keeps_them():
    drawn = Figure(figsize=(4, 4), layout="constrained")
    upper, lower = drawn.subplots(2)
    lower.imshow(np.random.default_rng(0).random((8, 8)), extent=(0, 1, 0, 1), aspect="auto")
    for axes, colour in ((upper, "data"), (lower, "samples")):
        axes.text(0.5, 0.5, "inside", color=colour)
    assert colours(drawn_in_page(inline(svg(drawn), ALT, "f1"))) == {show.COLOURS["samples"]}


def test_an_exponent_beside_a_picture_is_in_the_theme_s_ink():
    """Its letters are placed within the word, so that their places are none of the page's."""
    drawn = figure(heat=True)
    drawn.axes[0].set_yticks([0.3], ["$10^{-1}$"])
    root = drawn_in_page(inline(svg(drawn), ALT, "f1"))
    moved = [element for element in root.iter("g") if "transform" in element.attrib]
    assert moved
    assert not [part for word in moved if "fill" not in word.attrib for part in word.iter() if "fill" in part.attrib]


def test_pixels_on_paper_are_marked_and_those_on_a_picture_are_not():
    bare = drawn_in_page(inline(svg(figure(points=3000)), ALT, "f1"))
    assert {image.get("class") for image in bare.iter("image")} == {"gm-marks"}
    upon = drawn_in_page(inline(svg(figure(points=3000, heat=True)), ALT, "f1"))
    assert {image.get("class") for image in upon.iter("image")} == {None}


def page(outputs: list[dict], metadata: dict | None = None):
    cells = []
    for data in outputs:
        output = nbformat.v4.new_output("display_data", data, metadata=metadata or {})
        cells.append(nbformat.v4.new_code_cell("draw()", outputs=[output]))
        cells[-1].metadata["mystnb"] = {"image": {"alt": ALT}}
    return nbformat.v4.new_notebook(cells=cells)


def test_a_png_without_svg_stays():
    notebook = page([{"image/png": png_of(), "text/plain": "<Figure>"}])
    draw_inline(notebook)
    assert set_stills_apart(notebook) == {}
    assert notebook.cells[0].outputs[0].data.keys() == {"image/png", "text/plain"}


VIEW = {WIDGET: {"version_major": 2, "version_minor": 0, "model_id": "0" * 32}}


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> str:
    """The page of a notebook with a figure, a picture and an explorer, as Sphinx writes it."""
    folder = tmp_path_factory.mktemp("book")
    (folder / "conf.py").write_text(
        "source_suffix = {'.ipynb': 'myst-nb'}\n"
        "extensions = ['myst_nb', 'book.figures']\nnb_execution_mode = 'off'\nexclude_patterns = ['out', 'trees']\n"
    )
    with mpl.rc_context():
        show.use_style()
        text = svg(figure())
    notebook = page([{"image/svg+xml": text}, {"image/png": png_of()}])
    explorer = page([VIEW | {"image/png": png_of(colour=(3, 3, 3))}], {"image/png": {"alt": "one frame"}}).cells
    notebook.cells = [nbformat.v4.new_markdown_cell("# Page"), *notebook.cells, *explorer]
    state = {"state": {}, "version_major": 2, "version_minor": 0}
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": state}
    (folder / "index.ipynb").write_text(nbformat.writes(notebook))
    with patch_docutils(), docutils_namespace():
        Sphinx(folder, folder, folder / "out", folder / "trees", "html", status=None, warningiserror=True).build()
    return (folder / "out" / "index.html").read_text("utf-8")


def test_the_page_holds_figure_picture_and_explorer(built):
    assert built.count('<div class="gm-figure"><svg ') == 1
    assert 'aria-label="a &quot;line&quot; that rises &amp; falls"' in built
    assert len(re.findall(r'<img alt="a &quot;line&quot; that rises &amp; falls" src="_images/', built)) == 1
    assert 'src="_static/figures.js' in built


def test_a_still_is_before_its_explorer_with_words_of_its_own_and_is_not_fetched_at_once(built):
    (still,) = re.findall(r"<img [^>]*gm-still[^>]*>", built)
    assert 'alt="one frame"' in still
    assert 'loading="lazy"' in still
    assert built.index(still) < built.index(WIDGET)
    assert built.count("<img ") == 2
