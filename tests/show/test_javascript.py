"""The explorers' JavaScript, run in Node against torch's numbers."""

import base64
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from gmcourse.nets import mlp
from gmcourse.show.latent_map import LatentMap, layers_of

JS = Path(__file__).parents[2] / "gmcourse" / "show" / "js"
pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")


FORWARD = """
import { floats, forward } from "./mlp.js";
const bytes = Buffer.from(given.weights, "base64");
const weights = floats(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
console.log(JSON.stringify(given.inputs.map((z) => Array.from(forward(given.layers, weights, z)))));
"""


@pytest.mark.parametrize(
    "decoder",
    [
        nn.Sequential(mlp([2, 128, 128, 64]), nn.Sigmoid()),
        nn.Sequential(mlp([2, 16, 9], nn.Tanh), nn.Dropout(0.5), nn.Unflatten(1, (3, 3))),
        nn.Sequential(nn.Linear(2, 5, bias=False), nn.Sigmoid(), nn.Linear(5, 4)),
    ],
)
def test_forward_equals_torch(node, decoder):
    layers, weights = layers_of(decoder)
    inputs = 3 * torch.randn(50, 2)
    given = {"layers": layers, "weights": base64.b64encode(weights).decode(), "inputs": inputs.tolist()}
    with torch.no_grad():
        expected = decoder.eval()(inputs).flatten(1).numpy()
    assert np.abs(np.array(node(FORWARD, given)) - expected).max() < 1e-4


@pytest.mark.parametrize(
    ("key", "shift", "expected"),
    [
        ("ArrowRight", False, [1.1, 2]),
        ("ArrowLeft", True, [0.5, 2]),
        ("ArrowUp", False, [1, 2.1]),
        ("ArrowDown", True, [1, 1.5]),
        ("Home", False, [0, 0]),
        ("x", False, None),
    ],
)
def test_keys_move_the_point(node, key, shift, expected):
    script = 'import { moved } from "./keys.js";\nconsole.log(JSON.stringify(moved([1, 2], ...given, 0.1)));'
    assert node(script, [key, shift]) == (expected if expected is None else pytest.approx(expected))


def test_numbers_are_written_with_a_true_minus(node):
    script = 'import { signed } from "./plot.js";\nconsole.log(JSON.stringify(given.map((x) => signed(x, 2))));'
    assert node(script, [-1.234, 0.5, -0.001]) == ["−1.23", "0.50", "0.00"]


def test_the_joined_module_is_one_that_a_browser_can_load(node, tmp_path):
    (tmp_path / "joined.mjs").write_text(LatentMap._esm, "utf-8")
    done = subprocess.run(["node", "--check", "joined.mjs"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    address = json.dumps((tmp_path / "joined.mjs").as_uri())
    script = f"import widget from {address};\nconsole.log(JSON.stringify(Object.keys(widget)));"
    assert node(script) == ["render"]


def test_modules_stay_short():
    lengths = {file.name: len(file.read_text("utf-8").splitlines()) for file in JS.iterdir()}
    assert lengths
    assert max(lengths.values()) <= 250, lengths
