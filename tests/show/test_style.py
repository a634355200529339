"""Figures as SVG: white below, letters as outlines, many points in pixels, the same text every time, and small."""

import base64
import io
import logging
import re
import subprocess
import sys
import warnings
import xml.etree.ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from matplotlib.figure import Figure
from PIL import Image

from gmcourse import show
from gmcourse.show.slim import slim
from gmcourse.show.style import png
from gmcourse.show.vector import svg

SVG = "{http://www.w3.org/2000/svg}"

pytestmark = pytest.mark.usefixtures("course_style")


def scatter(points: int) -> Figure:
    figure = Figure(layout="constrained")
    places = np.random.default_rng(0).normal(size=(2, points))
    figure.subplots().scatter(*places, s=6, color="model", linewidths=0)
    return figure


def plot(points: int = 200, title: str = "a wave") -> Figure:
    figure = Figure(layout="constrained")
    x = np.linspace(0, 6, points)
    axes = figure.subplots()
    axes.plot(x, np.sin(x), color="data")
    axes.set_title(title)
    return figure


def pixels(text: str) -> list[Image.Image]:
    return [Image.open(io.BytesIO(base64.b64decode(found))) for found in re.findall(r"base64,([^'\"]+)", text)]


def test_paper_is_white_from_edge_to_edge():
    root = ET.fromstring(svg(plot()))
    paper, (width, height) = root[0], root.attrib["viewBox"].split()[2:]
    assert (paper.tag, paper.get("style")) == (f"{SVG}path", "fill:#ffffff")
    assert paper.get("d") == f"m0 {height}l{width} 0l0-{height}l-{width} 0z"


def test_a_shell_shows_figures_as_svg_alone():
    shell = InteractiveShell.instance()
    try:
        shell.display_formatter.formatters["image/png"].for_type(Figure, png)
        show.use_style()
        shown, _ = shell.display_formatter.format(plot())
    finally:
        InteractiveShell.clear_instance()
    assert shown["image/svg+xml"].startswith("<svg ")
    assert "image/png" not in shown


def test_letters_are_outlines_of_the_book_s_font():
    assert "Course Sans" in [entry.name for entry in mpl.font_manager.fontManager.ttflist]
    assert mpl.font_manager.findfont("Course Sans:bold").endswith("course-sans-bold.ttf")
    root = ET.fromstring(svg(plot(title="θ, $x_1$")))
    assert not list(root.iter(f"{SVG}text"))
    assert len([path for path in root.iter(f"{SVG}path") if "id" in path.attrib]) > 8


def test_every_letter_and_every_alphabet_is_found(caplog):
    figure = plot(title=r"θ → ½ $\alpha\,x^2 \in \mathcal{X}, \mathbf{x}$ and θ")
    figure.axes[0].set_xlabel("θ of ψ: ≤ √2, ∇f")
    with caplog.at_level(logging.WARNING, "matplotlib"), warnings.catch_warnings():
        warnings.simplefilter("error")
        svg(figure)
    assert not caplog.messages


def test_the_same_figure_is_the_same_text_in_any_python():
    code = "import matplotlib as m, test_style as t; m.use('agg'); t.show.use_style(); print(t.svg(t.scatter(400)))"
    folder = __file__.rpartition("/")[0]
    runs = [
        subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert runs[0] == runs[1]
    assert "<svg" in runs[0]
    assert not re.search(r"20\d\d-\d\d|Matplotlib", runs[0])


def test_many_points_are_pixels_and_few_are_not():
    few, many = svg(scatter(40)), svg(scatter(2000))
    assert (len(pixels(few)), len(pixels(many))) == (0, 1)
    assert few.count("<use ") > 60 > many.count("<use ")
    assert pixels(many)[0].mode == "P"


def test_what_was_drawn_in_pixels_is_no_other_figure_after():
    figure = scatter(2000)
    svg(figure)
    assert not figure.axes[0].collections[0].get_rasterized()


def test_a_long_smooth_line_stays_a_line_and_a_noisy_one_does_not():
    assert not pixels(svg(plot(20_000)))
    figure = Figure(layout="constrained")
    figure.subplots().plot(np.random.default_rng(0).normal(size=5000))
    assert len(pixels(svg(figure))) == 1


@pytest.mark.parametrize(("draw", "points"), [(scatter, 100), (scatter, 2000), (plot, 200), (plot, 20_000)])
def test_figures_stay_about_as_small_as_pngs(draw, points):
    figure = draw(points)
    assert len(svg(figure)) < 1.3 * len(base64.b64encode(png(figure))) + 3000


def test_a_path_ends_where_it_did():
    """Steps are rounded from where the steps before have led: errors do not add up."""
    places = np.cumsum(np.full((3000, 2), 0.0349), axis=0)
    path = "M 0 0 \n" + " \n".join(f"L {x} {y}" for x, y in places) + " \nz \nM 5 5 \nL 6 7"
    text = slim(f'<svg xmlns="http://www.w3.org/2000/svg"><path d="{path}"/></svg>')
    first, second = re.search(r"d='(.*?)'", text)[1].split("z")
    steps = np.array(re.findall(r"-?[\d.]+", first.replace("l", " ")), float).reshape(-1, 2)
    assert steps.sum(0) == pytest.approx(places[-1], abs=0.051)
    assert second == "m5 5l1 2"  # from the start of what z has closed


def test_names_that_are_used_stay_joined():
    root = ET.fromstring(svg(scatter(5)))
    names = [element.get("id") for element in root.iter() if "id" in element.attrib]
    aims = re.findall(r"(?:href='|url\()#([^')]+)", svg(scatter(5)))
    assert len(names) == len(set(names))
    assert set(aims) == set(names)


def test_grey_stays_grey_and_the_gaps_between_images_let_the_paper_through():
    images = np.random.default_rng(0).random((6, 8, 8), np.float32) ** 4
    (image,) = pixels(svg(show.grid(torch.from_numpy(images))))
    red, green, blue, alpha = np.asarray(image.convert("RGBA")).reshape(-1, 4).T.astype(int)
    shown = alpha == 255
    assert (red == green)[shown].all()
    assert (red == blue)[shown].all()
    assert 0.01 < (alpha == 0).mean() < 0.3


def test_few_colours_let_the_paper_through_where_nothing_is_drawn():
    """A grid of lines upon a heat map: two colours, and pixels that hide nothing."""
    image = Image.new("RGBA", (300, 300))
    image.paste((200, 30, 30, 255), (5, 5, 200, 295))
    image.paste((20, 30, 200, 255), (210, 5, 295, 295))
    file = io.BytesIO()
    image.save(file, "png", compress_level=0)
    href = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
    (shown,) = pixels(slim(f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{href}"/></svg>'))
    assert shown.mode == "P"
    assert (np.asarray(shown.convert("RGBA"))[..., 3] == np.asarray(image)[..., 3]).all()
    assert shown.convert("RGB").getpixel((250, 150)) == (20, 30, 200)
