"""The latent map: what it hands to the page, how small it is, and what it refuses."""

import io
import json

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from gmcourse import show
from gmcourse.nets import mlp
from gmcourse.show.explorer import layers_of
from gmcourse.show.latent_map.figure import map_figure

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
    assert latent_map(images=images.requires_grad_()).images == latent_map(images=images.detach()).images


def test_labels_and_shape_may_be_left_out():
    plain = show.LatentMap(DECODER, POINTS)
    assert (plain.labels, plain.classes, plain.shape) == (b"", [], [8, 8])
    assert latent_map(classes=list("abcdefghij")).classes[9] == "j"


def test_the_decoder_is_looked_at_where_the_reader_can_go_and_left_as_it_was():
    """In [0, 1] on all codes, outside it in the corners; dropout must rest, and the mode is the one that it had."""
    far = nn.Sequential(nn.Linear(2, 1), nn.Dropout(0.9))
    nn.init.constant_(far[0].weight, 0.1)
    nn.init.constant_(far[0].bias, 0.5)
    codes = torch.randn(20, 2).clamp(-2, 2)
    with pytest.raises(ValueError, match=r"decoder: got outputs from -0.14 to 1.14"):
        show.LatentMap(far, codes)
    nn.init.constant_(far[0].weight, 0.07)
    show.LatentMap(far.train(), codes)
    assert far.training


def test_a_map_without_a_prior_is_that_of_the_codes():
    codes = torch.tensor([[10.0, -3.0], [14.0, -3.0], [14.0, -2.5], [10.0, -1.0]])
    bare = latent_map(points=codes, labels=None, prior=False)
    assert bare.centre == pytest.approx([12, -2])
    assert bare.extent == pytest.approx(2.5)
    assert bare.z == bare.centre
    assert bare.spacing == pytest.approx(0.5)  # the nearest are 2, 0.5, 0.5 and 2 away
    assert latent_map(points=codes[:1], labels=None, prior=False).spacing == 0
    assert latent_map(points=codes, labels=None, prior=False, z=(10, 0.5)).z == [10, 0.5]


def test_with_a_prior_all_stays_as_it_was():
    state = latent_map().get_state()
    assert (state["prior"], state["z"], state["centre"], state["spacing"]) == (True, [0, 0], [0, 0], 0)


@pytest.mark.parametrize("prior", [True, False])
def test_the_still_of_a_map(prior):
    """The image is that of the place it opens at; rings and the window are the prior's, or the codes'."""
    codes, decoded = torch.tensor([[5.0, 5.0], [9.0, 8.0]]), torch.rand(8, 8)
    plane, picture = map_figure(codes, b"", [], decoded, ((7.0, 6.0), 4.0), (7.0, 5.0), prior=prior).axes
    assert plane.get_xlim() == (3, 11)
    assert plane.get_ylim() == (2, 10)
    assert len(plane.patches) == (3 if prior else 0)
    assert picture.get_title() == "Decoded from z = (7, 5)"
    assert picture.get_xlabel() == ("" if prior else "nearest code 2 away")


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"decoder": nn.Linear(2, 64)}, TypeError, "decoder: got Linear, expected an nn.Sequential"),
        ({"decoder": nn.Sequential(nn.Conv2d(1, 1, 1))}, TypeError, "decoder: got a layer Conv2d"),
        ({"decoder": nn.Sequential(nn.LeakyReLU())}, TypeError, "decoder: got a layer LeakyReLU"),
        ({"decoder": mlp([3, 64])}, ValueError, "decoder: got 3 to 64, expected 2 to 64 numbers"),
        ({"decoder": nn.Sequential(nn.Sigmoid())}, ValueError, "decoder: got no linear layer"),
        ({"decoder": nn.Sequential(nn.Linear(2, 5), nn.Linear(6, 64))}, ValueError, "decoder: got a layer of 6 inputs"),
        ({"decoder": mlp([2, 16, 64])}, ValueError, "expected [0, 1]: end it with nn.Sigmoid"),
        ({"decoder": nn.Sequential(nn.Linear(2, 64), nn.Tanh())}, ValueError, "decoder: got outputs from -"),
        ({"decoder": nn.Sequential(nn.Linear(2, 64), nn.ReLU())}, ValueError, "decoder: got outputs from 0 to "),
        ({"z": (9.0, 0.0)}, ValueError, "z: got (9.0, 0.0), expected two numbers in the window, -"),
        ({"z": (0.0,)}, ValueError, "z: got (0.0,), expected two numbers"),
        ({"z": (0.0, float("nan"))}, ValueError, "z: got (0.0, nan), expected two numbers"),
        ({"decoder": nn.Sequential(nn.Linear(2, 64), nn.Hardtanh())}, TypeError, "decoder: got a layer Hardtanh"),
        ({"shape": (8, 9)}, ValueError, "decoder: got 2 to 64, expected 2 to 72 numbers"),
        ({"shape": 8}, ValueError, "shape: got 8, expected (height, width)"),
        ({"shape": None, "decoder": mlp([2, 60])}, ValueError, "shape: got None, expected (height, width): 60 outputs"),
        ({"points": POINTS.numpy()}, TypeError, "points: got ndarray, expected a Tensor"),
        ({"labels": LABELS.numpy()}, TypeError, "labels: got ndarray, expected a Tensor (300,), or None"),
        ({"images": torch.rand(300, 8, 8).numpy()}, TypeError, "images: got ndarray, expected a Tensor"),
        ({"labels": None, "classes": ["a"]}, ValueError, "classes: got 1 names"),
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
