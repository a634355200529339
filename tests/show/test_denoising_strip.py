"""The denoising strip: its U-Net and its walk in Node against torch's, what it hands to the page, what it refuses."""

import base64

import pytest
import torch
from torch import nn

from gmcourse import show
from gmcourse.nets import LeveledMLP, UNet
from gmcourse.scores.average import WeightAverage
from gmcourse.scores.denoiser import Denoiser
from gmcourse.scores.samplers import cosine_levels, spaced, walk
from gmcourse.show.denoising_strip import exported, walk_of

SIGMAS = 0.4 * cosine_levels(80.0, 0.06, 200).float()
SETUP = """
import { denoiser, runUnet, unet } from "./denoising_strip/unet.js";
import { descent, spaced } from "./denoising_strip/descent.js";
import { floats } from "./js/mlp.js";
import { randomness } from "./js/random.js";
const unpacked = (text) => {
  const bytes = Buffer.from(text, "base64");
  return floats(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
};
const net = unet(given.widths, unpacked(given.weights));
const [height, width] = given.shape;
const say = (value) => console.log(JSON.stringify(value, (_, v) => (ArrayBuffer.isView(v) ? Array.from(v) : v)));
"""


def lively(widths=(16, 32)):
    """A net whose last layers do not start at 0."""
    torch.manual_seed(0)
    denoiser = Denoiser(UNet(1, widths), spread=0.4, centre=0.3)
    with torch.no_grad():
        for part in denoiser.net.parameters():
            part.add_(0.1 * torch.randn_like(part))
    return denoiser.eval()


def given(strip):
    state = strip.get_state()
    plain = {name: state[name] for name in ("widths", "shape", "spread", "centre", "bounds", "calls")}
    return plain | {name: base64.b64encode(state[name]).decode() for name in ("weights", "sigmas", "noise")}


@pytest.mark.parametrize(("widths", "shape"), [((16, 32), (8, 8)), ((4, 8, 12), (8, 12)), ((6,), (3, 5))])
def test_the_net_is_torchs(node, widths, shape):
    denoiser = lively(widths)
    x = torch.randn(2, 1, *shape)
    levels = torch.tensor([-0.7, 0.4])
    script = "say(given.x.map((x, k) => runUnet(net, Float32Array.from(x), height, width, given.levels[k])));"
    weights = base64.b64encode(exported(denoiser)[1]).decode()
    asked = {"widths": widths, "shape": shape, "weights": weights, "x": x.flatten(1).tolist()}
    seen = node(SETUP + script, asked | {"levels": levels.tolist()})
    with torch.no_grad():
        expected = denoiser.net(x, levels).flatten(1)
    assert expected.std() > 0.05
    assert (torch.tensor(seen) - expected).abs().max() < 1e-4


WALK = """
const { spread, centre, bounds } = given;
const denoise = denoiser({ net, height, width, spread, centre, bounds });
const levels = spaced(unpacked(given.sigmas), given.calls);
const start = Float64Array.from(unpacked(given.noise), (value) => centre + Math.hypot(spread, levels[0]) * value);
const walked = (fresh) => descent(denoise, start, levels, fresh, randomness(1));
say([0, 1].map((fresh) => walked(fresh).map(({ sigma, noised, clean }) => [sigma, noised, clean])));
"""


@pytest.mark.parametrize("bounds", [(0.0, 1.0), None])
def test_the_walk_is_ddims(node, bounds):
    denoiser = lively()
    strip = show.DenoisingStrip(denoiser, SIGMAS, calls=50, seed=4, bounds=bounds)
    ddim, ddpm = node(SETUP + WALK, given(strip))
    noise = torch.randn(8, 8, generator=torch.Generator().manual_seed(4))
    expected = walk_of(denoiser, noise, spaced(SIGMAS, 50), bounds)
    assert len(ddim) == len(expected) == 51
    for (sigma, noised, clean), (level, x, taken) in zip(ddim, expected, strict=True):
        assert sigma == pytest.approx(level)
        assert torch.allclose(torch.tensor(noised).view(8, 8), x[0, 0], atol=1e-3)
        assert torch.allclose(torch.tensor(clean).view(8, 8), taken[0, 0], atol=1e-3)
    start = expected[0][1]
    if bounds is None:
        with torch.no_grad():
            assert torch.allclose(walk(denoiser, start, spaced(SIGMAS, 50)), expected[-1][1], atol=1e-5)
    assert ddpm[0] == ddim[0]
    assert (torch.tensor(ddpm[10][1]) - torch.tensor(ddim[10][1])).std() > 0.5  # it drew noise of its own


def test_the_fresh_noise_has_the_posteriors_deviation(node):
    script = """
    const [sigma, lower, n] = [2, 1.5, 20000];
    const start = new Float64Array(n).fill(3);
    const told = descent((x) => x.map(() => 1), start, [sigma, lower], 1, randomness(2));
    say(told[1].noised);
    """
    seen = torch.tensor(node(SETUP + script, given(show.DenoisingStrip(lively((4,)), SIGMAS))))
    std = 1.5 * (1 - (1.5 / 2) ** 2) ** 0.5
    assert seen.std().item() == pytest.approx(std, rel=0.02)
    assert seen.mean().item() == pytest.approx(1 + (1.5**2 - std**2) ** 0.5 / 2 * 2, abs=0.03)


def test_an_average_of_weights_goes_into_the_page_as_the_weights_do():
    assert exported(WeightAverage(lively()).module) == exported(lively())


def test_its_state_is_modest():
    state = show.DenoisingStrip(lively(), SIGMAS).get_state()
    assert sum(4 * len(part) // 3 for part in state.values() if isinstance(part, bytes)) < 450_000
    assert (state["widths"], state["calls"]) == ([16, 32], 50)


def test_the_still_is_the_network_as_it_was():
    denoiser = lively((4,))
    strip = show.DenoisingStrip(denoiser, SIGMAS, calls=2)
    before = strip._still()
    nn.init.constant_(denoiser.net.first.weight, 3.0)
    assert strip._still() == before


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"denoiser": UNet(1)}, TypeError, "denoiser: got UNet, expected a Denoiser around a UNet"),
        ({"denoiser": Denoiser(LeveledMLP(2, [4]))}, TypeError, "denoiser: got LeveledMLP"),
        ({"denoiser": Denoiser(UNet(3, (4,)))}, ValueError, "denoiser: got 3 channels, 0 classes"),
        ({"denoiser": Denoiser(UNet(1, (4,), classes=2))}, ValueError, "denoiser: got 1 channels, 2 classes"),
        ({"denoiser": Denoiser(UNet(1, (4,), heads=2))}, ValueError, "attention True, expected 1, 0 and none"),
        ({"sigmas": SIGMAS.flip(0)}, ValueError, "sigmas: got"),
        ({"shape": (8, 9)}, ValueError, "shape: got (8, 9), expected two sizes divisible by 2"),
        ({"calls": 3}, ValueError, "calls: got 3, expected one of 1, 2, 4"),
        ({"sigmas": SIGMAS[:20]}, ValueError, "calls: got 50, expected one of"),
        ({"along": 1.5}, ValueError, "along: got 1.5"),
    ],
)
def test_what_does_not_fit_is_named(changes, error, message):
    with pytest.raises(error) as raised:
        show.DenoisingStrip(**{"denoiser": Denoiser(UNet(1, (4, 8))), "sigmas": SIGMAS} | changes)
    assert message in str(raised.value)
