"""The explorers' JavaScript, run in Node against torch's numbers."""

import base64
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from gmcourse import show
from gmcourse.nets import mlp
from gmcourse.show.explorer import layers_of
from gmcourse.show.frame_slider import FrameSlider

SHOW = Path(__file__).parents[2] / "gmcourse" / "show"
KINDS = (
    FrameSlider,
    show.AttentionMap,
    show.CaptionedPictures,
    show.ClassStyle,
    show.DenoisingStrip,
    show.EdgePainter,
    show.FamilyTree,
    show.FooledMetrics,
    show.GANStage,
    show.LatentMap,
    show.MaskPainter,
    show.ModelTable,
    show.NextCharacter,
    show.NoisyDrawing,
    show.PixelCompletion,
    show.Player,
    show.ScoreField,
    show.SelfTest,
    show.SplineEditor,
    show.ThreeFits,
)
EXPLORERS = {kind.__name__: kind for kind in KINDS}
pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")


FORWARD = """
import { floats, forward } from "./js/mlp.js";
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
        nn.Sequential(nn.Flatten(), mlp([2, 16, 16, 9], nn.SiLU), nn.Hardtanh(0, 1)),
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
    script = 'import { moved } from "./js/keys.js";\nconsole.log(JSON.stringify(moved([1, 2], ...given, 0.1)));'
    assert node(script, [key, shift]) == (expected if expected is None else pytest.approx(expected))


def test_numbers_are_written_with_a_true_minus(node):
    script = 'import { signed } from "./js/plot.js";\nconsole.log(JSON.stringify(given.map((x) => signed(x, 2))));'
    assert node(script, [-1.234, 0.5, -0.001]) == ["−1.23", "0.50", "0.00"]


def test_ticks_are_round_numbers_wherever_the_window_lies(node):
    script = """
    import { plane, scale } from "./js/plot.js";
    const element = (name) => ({ name, at: {}, setAttribute(key, value) { this.at[key] = value; }, append() {} });
    const texts = [];
    globalThis.document = { createElementNS: (_, name) => (texts.push(element(name)), texts[texts.length - 1]) };
    plane(given.extent, ["a", "b"], given.centre);
    const ticks = texts.filter(({ name, at }) => name === "text" && at.y === 416).map((text) => text.textContent);
    console.log(JSON.stringify([ticks, scale(given.extent, given.centre).place(given.centre)]));
    """
    for centre, extent, ticks in [
        ([0, 0], 2.5, ["−2", "−1", "0", "1", "2"]),
        ([50.3, 7], 2, ["49", "50", "51", "52"]),
        ([-100, 0], 12, ["−111", "−108", "−105", "−102", "−99", "−96", "−93", "−90"]),
        ([0.5, 0], 0.25, ["0.3", "0.4", "0.5", "0.6", "0.7"]),
        ([0, 0], 0.9, ["−0.8", "−0.6", "−0.4", "−0.2", "0.0", "0.2", "0.4", "0.6", "0.8"]),
    ]:
        assert node(script, {"centre": centre, "extent": extent}) == [ticks, [200, 200]]


@pytest.mark.parametrize(
    ("colour", "light"), [("rgb(31, 39, 51)", True), ("rgba(223, 228, 234, 0.9)", False), ("", True)]
)
def test_the_stage_takes_lighter_colours_in_the_dark_and_none_from_an_element_out_of_the_page(node, colour, light):
    """JupyterLab takes outputs that are scrolled away out of the page: their colour is an empty string."""
    script = """
    import { coloursFor } from "./js/canvas.js";
    globalThis.getComputedStyle = () => ({ color: given });
    console.log(JSON.stringify(coloursFor({}).rim));
    """
    assert (node(script, colour) == [255, 255, 255]) is light


@pytest.mark.parametrize("explorer", EXPLORERS)
def test_the_joined_module_is_one_that_a_browser_can_load(tmp_path, explorer):
    (tmp_path / "joined.mjs").write_text(EXPLORERS[explorer]._esm, "utf-8")
    script = (
        "import('./joined.mjs').then((all) => console.log(Object.keys(all).join(), Object.keys(all.default).join()))"
    )
    done = subprocess.run(["node", "-e", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.strip() == "default render", done.stderr


def test_modules_stay_short():
    files = [file for kind in ("js", "css") for file in SHOW.rglob(f"*.{kind}")]
    lengths = {file.name: len(file.read_text("utf-8").splitlines()) for file in files}
    assert {"mlp.js", "stage.js", "latent_map.js", "spline_editor.js", "frames.js"} <= set(lengths)
    assert max(lengths.values()) <= 250, lengths
