"""The edge painter: what goes into the page, the generators there against torch's, and what is refused."""

import base64

import pytest
import torch
from torch import nn

from gmcourse import show
from gmcourse.gan.pairs import redness
from gmcourse.gan.pix2pix import PictureGenerator
from gmcourse.nets import mlp
from gmcourse.show.edge_painter import folded

IMAGES = torch.rand(3, 1, 8, 4, generator=torch.Generator().manual_seed(0))

PAINT = """
import { painter, redness } from "./edge_painter/painter.js";
import { floats } from "./js/mlp.js";
const unpacked = (text) => {
  const bytes = Buffer.from(text, "base64");
  return floats(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
};
const [height, width] = given.shape;
const outline = unpacked(given.images).slice(0, height * width);
const z = Array.from(unpacked(given.noise));
const colours = painter(given.plan, unpacked(given.weights))(outline, { height, width }, z);
console.log(JSON.stringify([Array.from(colours), redness(colours)]));
"""


def generator(halvings=1, **options):
    """One whose batch norms have seen something."""
    torch.manual_seed(halvings)
    net = PictureGenerator(1, 3, 4, halvings, **options)
    for part in net.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.normal_(part.weight, 1.0, 0.3)
            nn.init.normal_(part.bias, 0.0, 0.3)
            part.running_mean.normal_(0.0, 0.3)
            part.running_var.uniform_(0.5, 2.0)
    return net


def painter(**changes):
    return show.EdgePainter(**{"painters": {"one": generator()}, "images": IMAGES} | changes)


@pytest.mark.parametrize(("halvings", "noise"), [(1, "planes"), (2, "planes"), (1, "none")])
def test_the_page_paints_what_torch_paints(node, halvings, noise):
    net = generator(halvings, noise=noise)
    state = painter(painters={"one": net}, seed=3).get_state()
    given = {key: base64.b64encode(state[key]).decode() for key in ("images", "noise")}
    given |= {"weights": base64.b64encode(state["weights"][0]).decode(), "plan": state["plans"][0]}
    colours, k = node(PAINT, given | {"shape": state["shape"]})
    z = torch.randn(net.planes, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        expected = net.eval()(IMAGES[:1], z[None])
    assert torch.tensor(colours).view(3, 8, 4).numpy() == pytest.approx(expected[0].numpy(), abs=1e-5)
    assert k == pytest.approx(redness(expected).item(), abs=1e-5)


def test_traits_and_the_still():
    net = generator().train()
    explorer = painter(painters={"a": net, "b": generator(noise="none")}, images=IMAGES[:, 0], modes=(-0.8, 0.8))
    assert net.training
    assert explorer.names == ["a", "b"]
    assert explorer.plans[0] == {"outputs": 3, "wide": 4, "halvings": 1, "planes": 4}
    assert explorer.plans[1]["planes"] == 0
    assert len(explorer.weights[0]) == 4 * len(folded(net))
    assert explorer.shape == [8, 4]
    assert explorer.modes == [-0.8, 0.8]
    before = explorer._still()
    nn.init.constant_(net.last[0].weight, 1.0)
    assert explorer._still() == before


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"painters": {}}, ValueError, "painters: got an empty dict"),
        ({"painters": {"a": mlp([32, 96])}}, TypeError, "painters['a']: got Sequential, expected a PictureGenerator"),
        ({"painters": {"a": PictureGenerator(1, 1, 4, 1)}}, ValueError, "painters['a']: got 1 to 1 channels"),
        ({"painters": {"a": generator(noise="dropout")}}, ValueError, "noise 'dropout', expected 1 to 3"),
        ({"images": torch.rand(1, 3, 8, 8)}, ValueError, "images: got (1, 3, 8, 8)"),
        ({"images": torch.rand(1, 7, 8)}, ValueError, "images: got 7 × 8 pixels, expected sides divisible by 2"),
        ({"images": 9 * IMAGES}, ValueError, "expected [0, 1]"),
    ],
)
def test_what_does_not_fit_is_named(changes, error, message):
    with pytest.raises(error) as raised:
        painter(**changes)
    assert message in str(raised.value)
