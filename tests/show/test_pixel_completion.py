"""Pixel completion: what goes into the page, the network there against torch's, and what is refused."""

import base64

import pytest
import torch

from gmcourse import show
from gmcourse.autoregressive.pixelcnn import PixelCNN
from gmcourse.show.pixel_completion import exported

COMPLETE = """
import { complete, pixelCNN } from "./pixel_completion/pixelcnn.js";
import { floats } from "./js/mlp.js";
const bytes = Buffer.from(given.weights, "base64");
const net = pixelCNN(given.shape, floats(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)));
console.log(JSON.stringify(complete(net, given.image, given.rows, given.uniforms)));
"""


def small(**sizes):
    torch.manual_seed(0)
    model = PixelCNN((1, 5, 6), **({"width": 8, "blocks": 2, "first": 5} | sizes))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return model.eval()


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_draws_what_torch_draws(node, rows):
    model = small()
    shape, weights = exported(model)
    uniforms = torch.rand(6, 30)
    image = (torch.rand(1, 5, 6) < 0.5).float()
    known = torch.zeros(1, 5, 6, dtype=torch.bool)
    known[:, :rows] = True
    given = {"shape": shape, "weights": base64.b64encode(weights).decode(), "rows": rows}
    answer = node(COMPLETE, given | {"image": image.flatten().tolist(), "uniforms": uniforms.tolist()})
    with torch.no_grad():
        drawn = model._fill(image.expand(6, -1, -1, -1), uniforms, known)
        after = model.log_prob_given(drawn, known)
        whole = model.log_prob(drawn)
    assert [way["image"] for way in answer["ways"]] == drawn.flatten(1).tolist()
    assert [way["drawn"] for way in answer["ways"]] == pytest.approx(after.tolist(), abs=1e-4)
    assert answer["given"] == pytest.approx((whole - after).mean().item(), abs=1e-4)


def test_traits():
    explorer = show.PixelCompletion(small(), torch.ones(2, 1, 5, 6), rows=2)
    assert explorer.shape == {"height": 5, "width": 6, "channels": 8, "first": 5, "kernel": 3, "blocks": 2}
    assert explorer.examples == b"\x01" * 60
    assert explorer.rows == 2


@pytest.mark.parametrize(
    ("model", "examples", "rows", "error", "said"),
    [
        (torch.nn.Linear(2, 2), torch.ones(1, 1, 5, 6), 2, TypeError, "model: got Linear, expected a PixelCNN"),
        (small(positions=False), torch.ones(1, 1, 5, 6), 2, ValueError, "model: got .* expected one channel"),
        (small(levels=3), torch.ones(1, 1, 5, 6), 2, ValueError, "model: got .* expected one channel"),
        (small(), torch.ones(1, 1, 6, 5), 2, ValueError, r"examples: got \(1, 1, 6, 5\)"),
        (small(), torch.full((1, 1, 5, 6), 0.5), 2, ValueError, "examples: .* of 0 and 1"),
        (small(), torch.ones(1, 1, 5, 6), 5, ValueError, "rows: got 5, expected 1 to 4"),
    ],
)
def test_what_does_not_fit_is_named(model, examples, rows, error, said):
    with pytest.raises(error, match=said):
        show.PixelCompletion(model, examples, rows=rows)
