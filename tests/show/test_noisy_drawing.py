"""The noisy drawing: what goes into the page, its noise, strokes and network against torch's, and what is refused."""

import base64
import json
import math

import numpy as np
import pytest
import torch
from torch import nn

from gmcourse import show
from gmcourse.nets import mlp

NET = nn.Sequential(nn.Flatten(), mlp([20, 12, 20], nn.SiLU), nn.Unflatten(1, (1, 4, 5)))
IMAGES = torch.rand(3, 1, 4, 5)

ANSWER = """
import { corrupted, distance } from "./noisy_drawing/noise.js";
import { floats, forward } from "./js/mlp.js";
const unpacked = (text) => {
  const bytes = Buffer.from(text, "base64");
  return floats(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
};
const image = unpacked(given.images).slice(0, 20);
const draws = { normal: unpacked(given.normal), uniform: unpacked(given.uniform) };
const noisy = corrupted(image, given.noise, given.level, draws);
const denoised = forward(given.layers, unpacked(given.weights), noisy);
const lengths = [distance(noisy, image), distance(denoised, noisy), distance(denoised, image)];
console.log(JSON.stringify([Array.from(noisy), Array.from(denoised), lengths]));
"""
STROKE = """
import { stroked } from "./js/drawing.js";
console.log(JSON.stringify(given.map(([ink, from, to, erases]) => stroked(Array(20).fill(ink), 5, from, to, erases))));
"""
DRAWS = """
import { drawsOf } from "./noisy_drawing/noise.js";
const { normal, uniform } = drawsOf(4000, 3);
console.log(JSON.stringify([Array.from(normal), Array.from(uniform)]));
"""


def drawing(**changes):
    return show.NoisyDrawing(**{"denoiser": NET, "images": IMAGES} | changes)


@pytest.mark.parametrize(("noise", "level"), [("gaussian", 0.3), ("masking", 0.3), ("masking", 1), ("gaussian", 0)])
def test_the_page_makes_what_torch_makes(node, noise, level):
    state = drawing(noise=noise, level=level, seed=5).get_state()
    given = {key: base64.b64encode(state[key]).decode() for key in ("images", "normal", "uniform")}
    given |= {"weights": base64.b64encode(state["weights"][0]).decode(), "layers": state["layers"][0]}
    noisy, denoised, lengths = map(torch.tensor, node(ANSWER, given | {"noise": noise, "level": level}))
    rng = torch.Generator().manual_seed(5)
    normal, uniform = torch.randn(4, 5, generator=rng), torch.rand(4, 5, generator=rng)
    clean = IMAGES[0, 0]
    expected = clean + level * normal if noise == "gaussian" else torch.where(uniform < level, 0.0, clean)
    with torch.no_grad():
        answer = NET(expected[None])[0, 0]
    assert noisy.view(4, 5).numpy() == pytest.approx(expected.numpy(), abs=1e-6)
    assert denoised.view(4, 5).numpy() == pytest.approx(answer.numpy(), abs=1e-5)
    away = [(expected - clean).norm(), (answer - expected).norm(), (answer - clean).norm()]
    assert lengths.tolist() == pytest.approx([float(length) for length in away], abs=1e-5)


def test_new_noise_is_normal_and_uniform(node):
    normal, uniform = map(np.array, node(DRAWS))
    assert abs(normal.mean()) < 0.06
    assert normal.std() == pytest.approx(1, abs=0.05)
    assert uniform.mean() == pytest.approx(0.5, abs=0.02)
    assert uniform.min() >= 0
    assert uniform.max() < 1


def test_a_stroke_leaves_grey_where_the_pen_covers_a_part_of_a_pixel(node):
    middle, last = [1.5, 1.5], [3.5, 1.5]
    dot, line, erased, edge = (
        np.array(rows).reshape(4, 5)
        for rows in node(
            STROKE,
            [
                [0, middle, middle, False],
                [0.4, middle, last, False],
                [1, middle, middle, True],
                [0, [2, 1.5], [2, 1.5], False],
            ],
        )
    )
    assert dot[:3, :3] == pytest.approx(np.array([[0, 0.25, 0], [0.25, 1, 0.25], [0, 0.25, 0]]))
    assert dot[3].max() == dot[:, 3:].max() == 0
    assert line[1] == pytest.approx([0.4, 1, 1, 1, 0.4])
    assert line[0] == pytest.approx([0.4] * 5)
    assert erased == pytest.approx(1 - dot)
    assert edge[1] == pytest.approx([0, 0.75, 0.75, 0, 0])
    assert edge[0, 1] == pytest.approx(1.25 - math.hypot(0.5, 1))


def test_traits():
    explorer = drawing(denoiser={"a": NET, "b": mlp([20, 20])}, images=IMAGES[:, 0], noise="masking", level=0.35)
    assert explorer.names == ["a", "b"]
    assert explorer.layers == [[[20, 12], "silu", [12, 20]], [[20, 20]]]
    assert [len(weights) for weights in explorer.weights] == [4 * (12 * 21 + 20 * 13), 4 * 20 * 21]
    assert explorer.shape == [4, 5]
    assert explorer.images == IMAGES.numpy().astype("<f4").tobytes()
    assert (explorer.noise, explorer.level) == ("masking", 0.35)


def test_its_state_is_modest():
    state = drawing(denoiser=mlp([64, 128, 64], nn.SiLU), images=torch.rand(5, 8, 8)).get_state()
    weights = state.pop("weights")
    plain = {name: value for name, value in state.items() if not isinstance(value, bytes)}
    assert sum(4 * len(part) // 3 for part in weights) + len(json.dumps(plain, default=str)) < 125_000


def test_the_still_is_the_network_as_it_was():
    network = mlp([16, 4, 16], dropout=0.5).train()
    explorer = show.NoisyDrawing(network, torch.rand(1, 4, 4))
    assert network.training
    before = explorer._still()
    nn.init.constant_(network[0].weight, 3.0)
    assert explorer._still() == before


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"denoiser": nn.Linear(20, 20)}, TypeError, "denoiser: got Linear, expected an nn.Sequential"),
        ({"denoiser": {"a": NET, "b": nn.Linear(20, 20)}}, TypeError, "denoiser['b']: got Linear"),
        ({"denoiser": {}}, ValueError, "denoiser: got an empty dict"),
        ({"denoiser": mlp([20, 4])}, ValueError, "denoiser: got 20 to 4, expected 20 to 20 numbers"),
        ({"images": torch.rand(1, 8, 8)}, ValueError, "denoiser: got 20 to 20, expected 64 to 64 numbers"),
        ({"images": IMAGES.numpy()}, TypeError, "images: got ndarray, expected a Tensor"),
        (
            {"images": torch.rand(2, 3, 4, 5)},
            ValueError,
            "images: got (2, 3, 4, 5), expected (n, H, W) or (n, 1, H, W)",
        ),
        ({"images": torch.rand(0, 4, 5)}, ValueError, "images: got (0, 1, 4, 5)"),
        ({"images": 16 * IMAGES}, ValueError, "expected [0, 1]"),
        ({"noise": "salt"}, ValueError, "noise: got 'salt', expected one of gaussian, masking"),
        ({"level": 1.05}, ValueError, "level: got 1.05, expected a multiple of 0.05 from 0 to 1"),
        ({"level": 0.33}, ValueError, "level: got 0.33"),
    ],
)
def test_what_does_not_fit_is_named(changes, error, message):
    with pytest.raises(error) as raised:
        drawing(**changes)
    assert message in str(raised.value)
