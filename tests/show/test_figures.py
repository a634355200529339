"""Figures: what they draw, how small they stay, and what they refuse."""

import io

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from gmcourse import show
from gmcourse.show.curves import running_mean
from gmcourse.show.style import png

pytestmark = pytest.mark.usefixtures("course_style")


class Normal:
    def log_prob(self, x):
        return -0.5 * (x**2).sum(1) - np.log(2 * np.pi)


def drawn(figure):
    """Every image of a figure with its place."""
    return [(image.get_array(), image.get_extent()) for image in figure.axes[0].images]


def test_grid_draws_every_image_row_by_row_on_one_scale():
    images = torch.linspace(0, 1, 7)[:, None, None, None].expand(7, 1, 4, 4)
    figure = show.grid(images, columns=3)
    arrays, places = zip(*drawn(figure))
    assert [array[0, 0] for array in arrays] == pytest.approx(images[:, 0, 0, 0].tolist())
    assert [round(place[0], 2) for place in places] == [0, 1.08, 2.16, 0, 1.08, 2.16, 0]
    assert all(image.get_clim() == (0, 1) for image in figure.axes[0].images)


@pytest.mark.parametrize("shape", [(5, 8, 8), (5, 1, 8, 8), (5, 3, 8, 6)])
def test_grid_takes_grey_and_coloured_images(shape):
    figure = show.grid(torch.rand(shape), titles=list("abcde"))
    assert len(figure.axes[0].images) == 5
    assert [text.get_text() for text in figure.axes[0].texts] == list("abcde")


def test_compare_labels_its_rows():
    figure = show.compare({"data": torch.rand(4, 1, 8, 8), "reconstructions": torch.rand(3, 8, 8)})
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["data", "reconstructions"]
    assert len(figure.axes[0].images) == 7


@pytest.mark.parametrize(
    ("draw", "error", "message"),
    [
        (lambda: show.grid(torch.rand(8, 8)), ValueError, "images: got (8, 8)"),
        (lambda: show.grid(torch.rand(2, 2, 8, 8)), ValueError, "images: got (2, 2, 8, 8)"),
        (lambda: show.grid(torch.rand(2, 8, 8) * 16), ValueError, "expected [0, 1]"),
        (lambda: show.grid(torch.full((2, 8, 8), torch.nan)), ValueError, "expected [0, 1]"),
        (lambda: show.grid(np.zeros((2, 8, 8))), TypeError, "images: got ndarray"),
        (lambda: show.grid(torch.rand(2, 8, 8), titles=["a"]), ValueError, "titles: got 1"),
        (lambda: show.compare({}), ValueError, "rows: got an empty dict"),
        (lambda: show.compare({"a": torch.rand(2, 8, 8), "b": torch.rand(2, 4, 4)}), ValueError, "rows: got {'a'"),
        (lambda: show.loss_curve({}), ValueError, "history: got {}, expected a name and numbers"),
        (lambda: show.loss_curve({"loss": [1.0, float("nan")]}), ValueError, "history['loss']"),
        (
            lambda: show.loss_curve({"loss": [1.0], "valid_loss": []}),
            ValueError,
            "history['valid_loss']: got 0 numbers",
        ),
        (lambda: show.loss_curve({"loss": [[1.0, 2.0]]}), ValueError, "history['loss']"),
        (lambda: show.loss_curve({"loss": "falling"}), ValueError, "history['loss']: got 'falling'"),
        (lambda: show.loss_curve([1.0]), TypeError, "history: got list, expected a dict, as fit returns it"),
        (lambda: show.loss_curve({"loss": [1.0]}, {"entropy": float("inf")}), ValueError, "limits['entropy']"),
        (lambda: show.density_map(Normal(), torch.rand(3, 3)), ValueError, "points: got (3, 3)"),
        (
            lambda: show.density_map(Normal(), np.zeros((3, 2))),
            TypeError,
            "points: got ndarray, expected a Tensor (n, 2)",
        ),
        (lambda: show.sequential("blue"), ValueError, "colour: got 'blue', expected one of data, model"),
    ],
)
def test_bad_input_is_named(draw, error, message):
    with pytest.raises(error) as raised:
        draw()
    assert message in str(raised.value)


def test_loss_curve_draws_limits_and_the_mean():
    figure = show.loss_curve({"loss": [5.0, 4.0, 3.0, 2.0]}, {"entropy": 1.5}, window=2)
    axes = figure.axes[0]
    assert axes.lines[1].get_ydata().tolist() == [5.0, 4.5, 3.5, 2.5]
    assert axes.lines[2].get_ydata() == [1.5, 1.5]
    assert axes.get_ylim()[0] < 1.5
    assert [text.get_text() for text in axes.texts] == ["entropy"]


def test_a_limit_has_its_name_where_no_curve_ends():
    axes = show.loss_curve({"loss": [5.0, 4.0, 3.0, 2.0]}, {"entropy": 1.5, "one Gaussian": 3.5}).axes[0]
    sides = {text.get_text(): text.get_verticalalignment() for text in axes.texts}
    assert sides == {"entropy": "top", "one Gaussian": "bottom"}
    axes.figure.draw_without_rendering()
    assert axes.texts[0].get_window_extent().y0 > axes.get_window_extent().y0


def test_each_player_of_a_game_has_its_curve():
    history = {"critic_loss": [1.0, 3.0, 5.0], "generator_loss": [4.0, 2.0, 0.0]}
    axes = show.loss_curve(history, {"ln 4": 1.386}, window=2).axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["critic", "generator"]
    means = {line.get_label(): line for line in axes.lines}
    assert means["critic"].get_ydata().tolist() == [1, 2, 4]
    assert means["generator"].get_ydata().tolist() == [4, 3, 1]
    assert means["critic"].get_color() != means["generator"].get_color()
    assert len(axes.lines) == 5
    low, high = axes.get_ylim()
    assert low < 0
    assert high > 5


def test_what_is_measured_now_and_then_is_spread_over_all_steps():
    history = {"loss": list(range(100, 0, -1)), "valid_loss": [90.0, 60.0, 30.0, 110.0]}
    axes = show.loss_curve(history).axes[0]
    (valid,) = [line for line in axes.lines if line.get_label() == "valid"]
    assert valid.get_xdata().tolist() == [25, 50, 75, 100]
    assert valid.get_ydata().tolist() == history["valid_loss"]
    assert axes.get_xlim() == (0, 100)
    assert axes.get_ylim()[1] > 110
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["loss", "valid"]


def test_one_loss_has_no_legend_whatever_its_name():
    axes = show.loss_curve({"loss": [2.0, 1.0]}, window=7).axes[0]
    assert axes.get_legend() is None
    assert [line.get_label() for line in axes.lines] == ["each step", "mean of 7 steps"]
    assert show.loss_curve({"nll": [2.0, 1.0]}).axes[0].lines[1].get_ydata().tolist() == [2, 1]


def test_running_mean_over_all_is_the_mean():
    values = np.random.default_rng(0).normal(size=50)
    assert running_mean(values, 100)[-1] == pytest.approx(values.mean())
    assert running_mean(values, 1) == pytest.approx(values)


def test_density_map_is_the_density_the_right_way_up():
    class Tilted:
        def log_prob(self, x):
            return x[:, 1]

    heat = show.density_map(Tilted(), extent=(-1, 1, -2, 2), size=10).axes[0].images[0]
    centres = -2 + 4 * (np.arange(10) + 0.5) / 10
    assert np.asarray(heat.get_array())[:, 0] == pytest.approx(np.exp(centres), rel=1e-5)
    assert heat.origin == "lower"
    assert heat.get_extent() == [-1, 1, -2, 2]


def test_drawing_into_given_axes_returns_nothing():
    axes = Figure().subplots(1, 2)
    assert show.density_map(Normal(), ax=axes[0]) is None
    assert show.loss_curve({"loss": [1.0, 2.0]}, ax=axes[1]) is None


def test_figures_are_small():
    images = torch.rand(20, 1, 8, 8)
    for figure in (show.grid(images), show.density_map(Normal(), torch.randn(300, 2))):
        file = png(figure)
        assert len(file) < 40_000
        assert Image.open(io.BytesIO(file)).width < 900


def test_source_shows_the_code_under_its_place():
    bundle = show.source(running_mean)._repr_mimebundle_()
    heading, code = bundle["text/markdown"].split("\n\n", 1)
    assert heading.startswith("**`gmcourse.show.curves.running_mean`** · gmcourse/show/curves.py, line ")
    assert code.startswith("~~~python\ndef running_mean(")
    assert repr(show.source(running_mean)) == bundle["text/plain"]


def test_source_of_a_method_starts_at_the_margin():
    assert repr(show.source(show.LatentMap.__init__)).startswith("def __init__(")


@pytest.mark.parametrize("thing", [3, len, torch.nn.Linear(1, 1)])
def test_source_refuses_what_has_none(thing):
    with pytest.raises(TypeError, match="obj: got"):
        show.source(thing)
