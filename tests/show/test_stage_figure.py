"""The GAN stage as a figure: the same picture as in the page, in the same colours."""

import numpy as np
import pytest
import torch
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from torch import nn

from gmcourse import show
from gmcourse.gan.losses import non_saturating_loss, saturating_loss

DATA = torch.randn(400, 2)


class Slope(nn.Module):
    """h(x) = 2 x₁: real on the right."""

    def forward(self, x):
        return 2 * x[:, :1]


class Half(nn.Module):
    """G(z) = z / 2."""

    def forward(self, z):
        return z / 2


def drawn(**changes):
    arguments = {"generator": Half(), "critic": Slope(), "data": DATA, "extent": 3.0} | changes
    return show.stage_figure(**arguments)


def test_the_heat_is_blue_where_the_critic_says_real():
    heat = drawn().axes[0].images[0]
    shades = np.asarray(heat.get_array())
    assert shades[:, -1].min() > 0.99
    assert shades[:, 0].max() < 0.01
    colours = heat.cmap([0.0, 0.5, 1.0])[:, :3]
    assert colours[1] == pytest.approx([1, 1, 1], abs=0.02)
    for colour, name in ((colours[0], "samples"), (colours[2], "data")):
        assert colour == pytest.approx(1 - 0.62 * (1 - np.array(to_rgb(show.COLOURS[name]))), abs=0.02)


@pytest.mark.parametrize("loss", [non_saturating_loss, saturating_loss])
def test_arrows_point_where_the_loss_falls_and_grow_with_its_slope(loss):
    arrows = drawn(loss=loss).axes[0].collections[-2]
    assert (arrows.U > 0).all()
    assert np.abs(arrows.V).max() < 1e-6
    assert arrows.U.max() < 0.6
    order = np.argsort(arrows.get_offsets()[:, 0])
    grows = np.diff(arrows.U[order]) >= 0  # sigmoid for the saturating loss, 1 − sigmoid for the other
    assert grows.all() if loss is saturating_loss else not grows[1:].any()


def test_cells_of_the_grid_are_equal_masses_of_samples():
    (grid,) = [part for part in drawn(arrows=False).axes[0].collections if len(part.get_paths()) == 256]
    z = torch.randn(100_000, 2) / 2
    for cell in (grid.get_paths()[0], grid.get_paths()[136]):
        inside = cell.contains_points(z.numpy()).mean()
        assert inside == pytest.approx((0.98 / 16) ** 2, rel=0.25)


def test_layers_can_be_left_out_and_axes_given():
    ax = Figure().subplots()
    assert drawn(ax=ax, arrows=False, grid=False) is None
    assert len(ax.collections) == 2
    assert len(drawn(latent_size=2).axes[0].collections) == 4


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"data": torch.randn(5, 3)}, ValueError, "data: got (5, 3)"),
        ({"data": 3}, TypeError, "data: got int"),
        ({"extent": 0}, ValueError, "extent: got 0"),
        ({"latent_size": 3}, ValueError, "generator: got (100, 3), expected (100, 2) for latents of 3"),
    ],
)
def test_bad_arguments_are_named(changes, error, message):
    with pytest.raises(error) as raised:
        drawn(**changes)
    assert message in str(raised.value)
