"""Class and style: what it hands to the page, and what it refuses."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from gmcourse import show
from gmcourse.nets import mlp
from gmcourse.show.class_style.figure import style_figure

DECODER = nn.Sequential(mlp([12, 128, 64]), nn.Sigmoid(), nn.Unflatten(1, (1, 8, 8)))
POINTS, LABELS = torch.randn(300, 2), torch.arange(300) % 10


def class_style(**changes):
    return show.ClassStyle(**{"decoder": DECODER, "points": POINTS, "labels": LABELS} | changes)


def test_the_state_holds_the_decoder_and_is_modest():
    explorer = class_style(z=(1.0, -0.5), chosen=3)
    assert explorer.layers == [[12, 128], "relu", [128, 64], "sigmoid"]
    assert np.frombuffer(explorer.weights, "<f4").size == sum(p.numel() for p in DECODER.parameters())
    assert (explorer.shape, explorer.z, explorer.chosen) == ([8, 8], [1.0, -0.5], 3)
    assert explorer.classes == [str(k) for k in range(10)]
    state = explorer.get_state()
    size = sum(4 * len(part) // 3 if isinstance(part, bytes) else len(json.dumps(part)) for part in state.values())
    assert size < 120_000
    assert "import " not in state["_esm"].replace("// ", "")


def test_all_codes_fit_into_the_plane():
    assert class_style(points=POINTS.clamp(-1, 1)).extent == pytest.approx(3.2)
    assert class_style(points=5 * POINTS).extent >= 5 * POINTS.abs().max().item()


def test_the_still_shows_the_choice():
    pictures = torch.rand(3, 4, 4)
    figure = style_figure(torch.zeros(4, 2), np.array([0, 1, 2, 1]), list("abc"), pictures, (0.5, -1.0), 1, 3.2)
    plane, drawn, *row = figure.axes
    assert drawn.get_title() == "class b, z = (0.5, −1)"
    assert [axis.get_title() for axis in row] == ["a", "b", "c"]
    assert np.array_equal(drawn.images[0].get_array(), pictures[1].numpy())
    assert plane.get_xlim() == (-3.2, 3.2)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"decoder": nn.Linear(12, 64)}, TypeError, "decoder: got Linear, expected an nn.Sequential"),
        ({"decoder": mlp([3, 64])}, ValueError, "decoder: got 3 inputs, expected 2 of the style and one for each"),
        (
            {"decoder": mlp([12, 60])},
            ValueError,
            "decoder: got 12 to 60, expected 12 to 49",
        ),
        ({"decoder": mlp([12, 16, 64])}, ValueError, "expected [0, 1]: end it with nn.Sigmoid"),
        ({"shape": 8}, ValueError, "shape: got 8, expected (height, width)"),
        ({"z": (9.0, 0.0)}, ValueError, "z: got (9.0, 0.0), expected two numbers from -"),
        ({"z": (0.0,)}, ValueError, "z: got (0.0,), expected two numbers"),
        ({"chosen": 10}, ValueError, "chosen: got 10, expected a class from 0 to 9"),
        ({"classes": ["a"]}, ValueError, "classes: got 1 names, expected one for each of 10"),
        ({"labels": LABELS.numpy()}, TypeError, "labels: got ndarray, expected a Tensor (300,)"),
        ({"labels": LABELS + 1}, ValueError, "whole numbers from 0 to 9"),
        ({"labels": LABELS[:5]}, ValueError, "labels: got torch.int64 of shape (5,)"),
        ({"points": torch.randn(300, 3)}, ValueError, "points: got (300, 3), expected (n, 2)"),
    ],
)
def test_what_does_not_fit_is_named(changes, error, message):
    with pytest.raises(error) as raised:
        class_style(**changes)
    assert message in str(raised.value)
