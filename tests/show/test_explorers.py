"""Explorers: what they hand to the page, how small it is, and what they refuse."""

import io
import json

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image
from torch import nn

from gmcourse import show
from gmcourse.nets import mlp
from gmcourse.show.latent_map import layers_of

DECODER = nn.Sequential(mlp([2, 128, 128, 64], dropout=0.1), nn.Sigmoid(), nn.Unflatten(1, (1, 8, 8)))
POINTS, LABELS = torch.randn(300, 2), torch.arange(300) % 10


def latent_map(**changes):
    arguments = {"decoder": DECODER, "points": POINTS, "labels": LABELS, "shape": (8, 8)} | changes
    return show.LatentMap(**arguments)


def test_layers_and_weights_are_the_decoder():
    layers, weights = layers_of(DECODER)
    assert layers == [[2, 128], "relu", [128, 128], "relu", [128, 64], "sigmoid"]
    numbers = np.frombuffer(weights, "<f4")
    assert numbers.size == sum(parameter.numel() for parameter in DECODER.parameters())
    assert numbers[:256].reshape(128, 2) == pytest.approx(DECODER[0][0].weight.detach().numpy())


def test_a_layer_used_twice_counts_twice():
    activation = nn.Tanh()
    layers, _ = layers_of(nn.Sequential(nn.Linear(2, 3), activation, nn.Linear(3, 4, bias=False), activation))
    assert layers == [[2, 3], "tanh", [3, 4], "tanh"]


def test_the_state_of_a_map_is_modest():
    state = latent_map(images=torch.rand(300, 1, 8, 8).round()).get_state()
    size = sum(4 * len(part) // 3 if isinstance(part, bytes) else len(json.dumps(part)) for part in state.values())
    assert size < 180_000
    assert "_esm" in state
    assert "import " not in state["_esm"].replace("// ", "")


def test_all_data_fits_into_the_plane():
    assert latent_map().extent == pytest.approx(max(3.2, POINTS.abs().max().item()), abs=0.11)
    assert latent_map(points=POINTS.clamp(-1, 1)).extent == pytest.approx(3.2)


def test_images_lie_side_by_side_ink_on_paper():
    images = torch.zeros(300, 8, 8)
    images[7, 2, 3] = 1
    sheet = np.asarray(Image.open(io.BytesIO(latent_map(images=images).images)).convert("L"))
    assert sheet.shape == (8, 2400)
    assert np.argwhere(sheet == 0).tolist() == [[2, 7 * 8 + 3]]


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"decoder": nn.Linear(2, 64)}, TypeError, "decoder: got Linear, expected an nn.Sequential"),
        ({"decoder": nn.Sequential(nn.Conv2d(1, 1, 1))}, TypeError, "decoder: got a layer Conv2d"),
        ({"decoder": nn.Sequential(nn.LeakyReLU())}, TypeError, "decoder: got a layer LeakyReLU"),
        ({"decoder": mlp([3, 64])}, ValueError, "decoder: got 3 as its input size, expected 2"),
        ({"decoder": nn.Sequential(nn.Sigmoid())}, ValueError, "decoder: got no linear layer"),
        ({"decoder": nn.Sequential(nn.Linear(2, 5), nn.Linear(6, 64))}, ValueError, "decoder: got a layer of 6 inputs"),
        ({"shape": (8, 9)}, ValueError, "decoder: got 64 outputs, expected 72"),
        ({"shape": (1, 8, 8)}, ValueError, "shape: got (1, 8, 8), expected (height, width)"),
        ({"points": torch.randn(300, 3)}, ValueError, "points: got (300, 3), expected (n, 2)"),
        ({"points": POINTS / 0}, ValueError, "points: got (300, 2), expected (n, 2), n at least 1, all finite"),
        ({"labels": LABELS[:5]}, ValueError, "labels: got torch.int64 of shape (5,)"),
        ({"labels": LABELS.float()}, ValueError, "labels: got torch.float32"),
        ({"labels": LABELS - 1}, ValueError, "whole numbers from 0"),
        ({"classes": ["a"]}, ValueError, "classes: got 1 names, expected one for each of 10 labels"),
        ({"images": torch.rand(300, 7, 8)}, ValueError, "images: got (300, 7, 8), expected (300, 8, 8)"),
    ],
)
def test_bad_maps_are_named(changes, error, message):
    with pytest.raises(error) as raised:
        latent_map(**changes)
    assert message in str(raised.value)


def test_frames_link_the_slider_to_the_stack():
    box = show.frames([np.zeros((4, 4)), np.eye(4)], [-0.123456, 2], "σ", "A line appears.")
    slider, stack, words = box.children
    assert "gm-frames" in box._dom_classes
    assert slider.options == (("−0.123", 0), ("2", 1))
    assert "A line appears." in words.value
    first, second = (np.asarray(Image.open(io.BytesIO(image.value)).convert("L")) for image in stack.children)
    assert first.shape == (320, 320)
    assert first.min() == 255
    assert second[:80, :80].max() == 0


def test_frames_of_figures_share_one_size():
    figures = [Figure(figsize=(3, 2)), Figure(figsize=(3, 2))]
    figures[1].subplots().plot([1, 2])
    stack = show.frames(figures, [0, 1], "step", "Nothing, then a line.").children[1]
    assert len({Image.open(io.BytesIO(image.value)).size for image in stack.children}) == 1


@pytest.mark.parametrize(
    ("pictures", "values", "label", "message"),
    [
        ([np.eye(2)], [0], "σ", "pictures: got 1 for 1 values"),
        ([np.eye(2)] * 2, [0], "σ", "pictures: got 2 for 1 values"),
        ([np.eye(2)] * 2, [0, 1], " ", "label and alt: got ' '"),
        ([np.eye(2) * 3] * 2, [0, 1], "σ", "pictures: got values from 0 to 3, expected [0, 1]"),
        ([np.ones((2, 2, 4))] * 2, [0, 1], "σ", "pictures: got an array (2, 2, 4)"),
        ([np.eye(2), np.eye(3)], [0, 1], "σ", "pictures: got the sizes [(320, 320), (321, 321)]"),
    ],
)
def test_bad_frames_are_named(pictures, values, label, message):
    with pytest.raises(ValueError) as raised:
        show.frames(pictures, values, label, "alt")
    assert message in str(raised.value)
