"""The bent grid: cells keep their mass, frames are few and small, and what is not of the plane is refused."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from gmcourse import show
from gmcourse.flows import Flow


class Stretch(nn.Module):
    """z = a x, the second coordinate sheared along by the first."""

    def __init__(self, a, shear=0.0):
        super().__init__()
        self.a, self.shear = a, shear

    def forward(self, x):
        z = self.a * torch.stack([x[:, 0], x[:, 1] + self.shear * x[:, 0].sin()], 1)
        return z, torch.full((len(x),), 2 * np.log(self.a))


X = 0.5 * torch.randn(300, 2, generator=torch.Generator().manual_seed(0))
FLOW = Flow([Stretch(2.0), Stretch(0.5, shear=1.0), Stretch(2.0)], (2,))


def shades(figure):
    """The index of each cell's shade in every panel."""
    return [np.asarray(ax.collections[0].get_array()).reshape(80, 80)[::4, ::4] for ax in figure.axes]


def test_one_frame_for_each_depth():
    slider = show.bending(FLOW, x=X, alt="A grid, stretched, sheared and stretched.")
    assert slider.values == ["0", "1", "2", "3"]
    assert len(set(slider.pictures)) == 4
    assert not slider.drawn


@pytest.mark.parametrize(("start", "opens"), [(None, "14"), (0, "0"), (28, "27"), (30, "30")])
def test_it_opens_half_way_or_at_the_depth_next_to_the_one_asked_for(start, opens):
    slider = show.bending(Flow([Stretch(1.0) for _ in range(30)], (2,)), start=start)
    assert slider.values[slider.index] == opens


def test_frames_are_few_and_small_and_keep_the_colour_of_the_data():
    flow = Flow([Stretch(1.02, shear=0.3) for _ in range(30)], (2,))
    slider = show.bending(flow, x=X)
    assert slider.values[::11] == ["0", "30"]
    assert len(slider.pictures) == 12
    assert sum(len(picture) for picture in slider.pictures) < 12 * 14_000
    for picture in slider.pictures:
        pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).astype(int)
        assert min(pixels.shape[:2]) >= 320
        assert (np.abs(pixels - (43, 108, 176)).sum(-1) < 40).sum() > 50


def test_a_cell_that_keeps_its_area_keeps_its_shade_and_one_that_grows_pales():
    before, grown, back, _ = shades(show.bent(FLOW, [0, 1, 2, 3], x=X))
    assert (before == back).all()
    assert (grown <= before).all()
    assert grown.max() < before.max()
    assert before.max() == 7


def test_the_last_shade_is_the_base():
    """After the last layer the shade falls with the distance from the origin alone."""
    figure = show.bent(FLOW, [3], x=X)
    mesh = figure.axes[0].collections[0].get_coordinates()
    centre = (mesh[:-1, :-1] + mesh[1:, 1:])[2::4, 2::4] / 2
    distance, shade = np.hypot(centre[..., 0], centre[..., 1]).flatten(), shades(figure)[0].flatten()
    order = distance.argsort()
    assert (np.diff(shade[order]) > 0).mean() < 0.08
    assert shade[order][0] > shade[order][-1] == 0


def test_the_points_are_carried_along():
    places = show.bent(FLOW, [1], x=X).axes[0].collections[1].get_offsets()
    assert np.asarray(places) == pytest.approx(2 * X[:200].numpy(), abs=1e-6)
    assert len(show.bent(FLOW, [1]).axes[0].collections[1].get_offsets()) == 0


def test_every_frame_shows_the_same_part_of_the_plane_with_the_points_in_it():
    far = Flow([Stretch(3.0), Stretch(2.0), Stretch(1 / 6)], (2,))
    assert {ax.get_xlim() for ax in show.bent(far, [0, 3], x=X).axes} == {show.bent(far, [1], x=X).axes[0].get_xlim()}
    assert show.bent(far, [0], x=X).axes[0].get_xlim()[1] == pytest.approx(1.6 * 3)
    assert show.bent(far, [0]).axes[0].get_xlim() == pytest.approx((-3.3, 3.3))
    assert show.bent(far, [0], x=0.1 * X).axes[0].get_xlim() == pytest.approx((-3.3, 3.3))


def test_panels_are_named():
    titles = [ax.get_title() + ax.get_title(loc="left") for ax in show.bent(FLOW, [0, 2, 3]).axes]
    assert titles == ["data, $x$", "after layer 2", "latent, $z$"]


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: show.bending(Flow([Stretch(2.0)], (3,))), "flow: got Flow with event_shape (3,)"),
        (lambda: show.bending(nn.Linear(2, 2)), "flow: got Linear with event_shape None"),
        (lambda: show.bending(FLOW, x=torch.zeros(3, 3)), "x: got (3, 3), expected (n, 2)"),
        (lambda: show.bending(FLOW, extent=0.0), "extent: got 0.0"),
        (lambda: show.bent(FLOW, [4]), "depths: got [4], expected at least one, from 0 to 3"),
        (lambda: show.bent(FLOW, []), "depths: got []"),
    ],
)
def test_what_is_not_of_the_plane_is_named(draw, message):
    with pytest.raises(ValueError) as raised:
        draw()
    assert message in str(raised.value)


def test_an_array_in_the_place_of_a_tensor_is_named():
    with pytest.raises(TypeError, match="x: got ndarray, expected a Tensor"):
        show.bent(FLOW, [0], x=X.numpy())
