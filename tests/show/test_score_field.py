"""The score field: its score and steps in Node against torch's, what it hands to the page, and what it refuses."""

import json

import pytest
import torch
from torch import nn

from gmcourse import show
from gmcourse.data import load
from gmcourse.scores.denoiser import Denoiser
from gmcourse.scores.mixture import NoisedMixture
from gmcourse.show.score_field.figure import field_figure

MODES = NoisedMixture(torch.tensor([[-5.0, -5.0], [5.0, 5.0]]), 1.0, torch.tensor([0.2, 0.8]))
UNEQUAL = NoisedMixture(
    torch.tensor([[0.0, 1.0], [2.0, -1.0], [-1.5, 0.5]], dtype=torch.float64),
    torch.tensor([0.1, 0.5, 1.2], dtype=torch.float64),
    torch.tensor([0.5, 0.2, 0.3], dtype=torch.float64),
)
SETUP = """
import { learnedScores, newLearner, trainStep } from "./score_field/learned.js";
import { logDensity, newMixture, noised, scoreInto, scoresInto } from "./score_field/mixture.js";
import { exactShares, geometric, langevinStep, newWalkers, scatter, walkersShares } from "./score_field/walk.js";
import * as fields from "./score_field/state.js";
const say = (value) => console.log(JSON.stringify(value, (_, v) => (ArrayBuffer.isView(v) ? Array.from(v) : v)));
const newGiven = () => newMixture(given.means, given.stds, given.weights, given.means.map((_, k) => k));
"""


def state_of(mixture, **changes):
    state = show.ScoreField(mixture, **changes).get_state()
    return {key: value for key, value in state.items() if not key.startswith("_")}


@pytest.fixture
def page(node):
    def run(script, mixture, points=None, sigmas=(0.0,), **changes):
        given = state_of(mixture, **changes)
        return node(SETUP + script, given | {"points": points, "sigmas": sigmas})

    return run


SCORES = """
const mixture = newGiven();
say(given.sigmas.map((sigma) => {
  const smooth = noised(mixture, sigma);
  const out = new Float64Array(2 * given.points.length);
  given.points.forEach(([x, y], k) => scoreInto(smooth, x, y, out, 2 * k));
  return [out, given.points.map(([x, y]) => logDensity(smooth, x, y))];
}));
"""


@pytest.mark.parametrize("mixture", [MODES, UNEQUAL, NoisedMixture(load("two-moons").train[:300].double(), 0.05)])
def test_score_and_density_are_those_of_the_mixture(page, mixture):
    rng = torch.Generator().manual_seed(0)
    points = torch.cat([3 * torch.randn(100, 2, generator=rng), torch.tensor([[0.0, 0.0], [30.0, -30.0]])]).to(
        mixture.means
    )
    sigmas = [0.0, 0.3, 2.0, 20.0]
    exactly = NoisedMixture(mixture.means.double(), mixture.stds, mixture.weights)
    for sigma, (score, log_prob) in zip(sigmas, page(SCORES, mixture, points.tolist(), sigmas), strict=True):
        exact = mixture.score(points, sigma)
        assert torch.allclose(torch.tensor(score).view(-1, 2), exact.float(), atol=1e-4, rtol=1e-4)
        heights = torch.tensor(log_prob, dtype=torch.float64)
        assert torch.allclose(heights, exactly.log_prob(points.double(), sigma), atol=1e-6, rtol=0)


def test_a_step_is_langevins(page):
    script = """
    const smooth = noised(newGiven(), 0.7);
    const walkers = newWalkers(50, 3);
    scatter(walkers, 4, [1, 0]);
    const before = walkers.at.slice();
    langevinStep(walkers, (points, out) => scoresInto(smooth, points, out), 0.1);
    say([before, walkers.noise, walkers.at]);
    """
    before, noise, after = (torch.tensor(part, dtype=torch.float64).view(50, 2) for part in page(script, UNEQUAL))
    assert (before - torch.tensor([1.0, 0.0])).abs().max() <= 4
    assert torch.allclose(after, before + 0.1 * UNEQUAL.score(before, 0.7) + 0.2**0.5 * noise, atol=1e-6)
    assert abs(noise.std().item() - 1) < 0.2


def test_the_exact_shares_are_the_mass_of_each_modes_region(page):
    shares = page(
        "const mixture = newGiven(); say(given.sigmas.map((s) => exactShares(mixture, s)));", MODES, None, [0, 4]
    )
    assert shares[0] == pytest.approx([0.2, 0.8], abs=1e-3)
    draws = MODES.sample(200_000, rng=torch.Generator().manual_seed(0))
    draws = draws + 4 * torch.randn(draws.shape, generator=torch.Generator().manual_seed(1))
    right = MODES.shares(draws, 0.0).argmax(1).float().mean().item()
    assert shares[1] == pytest.approx([1 - right, right], abs=4e-3)


WALKS = """
const field = fields.newField(given);
const opened = walkersShares(field.mixture, field.walkers);
fields.beginAnnealing(field);
let sigmas = [];
while (field.mode === "anneal") {
  if (sigmas.at(-1) !== field.sigma) sigmas.push(field.sigma);
  fields.advance(field, 20, Infinity);
}
say({ opened, annealed: walkersShares(field.mixture, field.walkers), sigmas, steps: field.steps, sigma: field.sigma });
"""


def test_annealing_mends_the_weights_that_a_walk_at_one_level_keeps(page):
    told = page(WALKS, MODES, levels=(20, 1, 10), walkers=2000)
    assert told["opened"][1] == pytest.approx(0.5, abs=0.06)
    assert told["annealed"][1] == pytest.approx(0.78, abs=0.04)  # its weights freeze at σ ≈ 4
    assert told["sigmas"] == pytest.approx([20 * 20 ** (-k / 9) for k in range(10)])
    assert (told["steps"], told["sigma"]) == (1000, pytest.approx(1))


DRAWN = """
const field = fields.newField(given);
field.drawn.length = 0;
for (const [x, y, count] of given.points) fields.drawBlob(field, [x, y], count);
const { drawn, groups, set, mixture, exact } = field;
say({ drawn, groups, set, std: mixture.stds[0], exact, middles: fields.middles(field), levels: field.levels });
"""


def test_drawn_points_are_a_mixture_whose_groups_are_counted(page):
    told = page(DRAWN, MODES, [[-3, -3, 12], [-2.8, -3, 12], [4, 4, 72]], extent=8.0)
    assert told["set"] == "drawn"
    assert len(told["drawn"]) == 96
    assert told["groups"] == [0] * 24 + [1] * 72
    assert told["exact"] == pytest.approx([0.25, 0.75], abs=1e-3)
    assert told["middles"][1] == pytest.approx([4, 4], abs=0.2)
    assert told["levels"][-1] == pytest.approx(told["std"])
    assert len(page(DRAWN, MODES, [[0, 0, 300], [1, 1, 300]])["drawn"]) == 400


LEARNED = """
const mixture = newGiven();
const learner = newLearner(mixture, 0.2, given.largest, 1);
for (let k = 0; k < given.training; k++) trainStep(learner, mixture);
const out = new Float64Array(2 * given.points.length);
const told = given.sigmas.map((sigma) => (learnedScores(learner, given.points.flat(), sigma, out), Array.from(out)));
const { net, spread, centre, loss } = learner;
say({ told, weights: net.weights, layers: net.layers, spread, centre, loss });
"""


NEAR = NoisedMixture(torch.tensor([[-1.5, -1.0], [1.5, 1.0]]), 0.3, torch.tensor([0.3, 0.7]))


def trained(page, steps, points, sigmas):
    script = f"given.training = {steps};" + LEARNED
    return page(script, NEAR, points.tolist(), sigmas, levels=(6, 0.3, 5))


def test_the_networks_score_is_that_of_a_denoiser_around_it(page):
    points, sigmas = 2 * torch.randn(20, 2), [0.2, 1.0, 5.0]
    told = trained(page, 20, points, sigmas)
    numbers, start = torch.tensor(told["weights"]), 0
    layers = []
    for layer in told["layers"]:
        if layer == "tanh":
            layers.append(nn.Tanh())
            continue
        inputs, outputs = layer
        linear = nn.Linear(inputs, outputs)
        weight, bias = numbers[start : start + (inputs + 1) * outputs].split([inputs * outputs, outputs])
        linear.weight.data, linear.bias.data = weight.view(outputs, inputs), bias
        layers.append(linear)
        start += (inputs + 1) * outputs
    stack = nn.Sequential(*layers)
    centre = torch.tensor(told["centre"])
    assert centre.tolist() == pytest.approx((NEAR.weights @ NEAR.means).tolist(), abs=1e-5)
    spread = (NEAR.weights @ (NEAR.means - centre).square().mean(1) + 0.09).sqrt().item()
    assert told["spread"] == pytest.approx(spread, abs=1e-5)
    around = Denoiser(Told(stack), spread)
    for sigma, score in zip(sigmas, told["told"], strict=True):
        with torch.no_grad():
            assert torch.allclose(torch.tensor(score).view(-1, 2), around.score(points - centre, sigma), atol=1e-3)


class Told(nn.Module):
    def __init__(self, stack):
        super().__init__()
        self.stack = stack

    def forward(self, x, level, given=None):
        return self.stack(torch.cat([x, level[:, None]], 1))


def test_the_network_learns_the_score(page):
    rng = torch.Generator().manual_seed(0)
    data = NEAR.sample(200, rng=rng)
    points = data + 0.6 * torch.randn(200, 2, generator=rng)
    told = trained(page, 600, points, [0.6])
    exact = NEAR.score(points, 0.6)
    off = (torch.tensor(told["told"][0]).view(-1, 2) - exact).square().mean() / exact.square().mean()
    assert off < 0.05


def test_what_goes_into_the_page():
    state = state_of(MODES, sigma=2.0, levels=(20, 1, 10))
    assert (state["largest"], state["smallest"], state["levels"], state["sigma"]) == (20, 1, 10, 2)
    assert state["weights"] == pytest.approx([0.2, 0.8])
    assert state["centre"] == [0, 0]
    assert state["extent"] >= 7
    assert state_of(MODES)["smallest"] == 1
    everything = show.ScoreField(MODES).get_state()
    assert len(json.dumps(everything, default=str)) < 75_000


def test_the_still_tells_both_walks():
    figure = field_figure(MODES, **{name: state_of(MODES)[name] for name in FIGURE} | {"steps": 5})
    left, right = figure.axes
    assert left.get_title() == "50 steps at σ = 0"
    assert right.get_title().startswith("as many from σ = ")
    assert [text.get_text()[-6:] for text in right.texts] == [" 0.20)", " 0.80)"]


FIGURE = ("largest", "smallest", "levels", "sigma", "relative", "count", "centre", "extent", "seed")


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"mixture": torch.zeros(2, 2)}, TypeError, "mixture: got Tensor, expected a NoisedMixture"),
        ({"mixture": NoisedMixture(torch.zeros(2, 3), 1.0)}, ValueError, "mixture.means: got (2, 3), expected (n, 2)"),
        ({"mixture": NoisedMixture(torch.randn(401, 2), 1.0)}, ValueError, "mixture: got 401 components"),
        ({"mixture": NoisedMixture(torch.randn(3, 2), 0.0)}, ValueError, "mixture: got the least std 0"),
        ({"sigma": -1.0}, ValueError, "sigma: got -1.0, expected 0 to the largest level"),
        ({"levels": (1, 2, 10)}, ValueError, "levels: got (1, 2, 10), expected (largest, smallest, count)"),
        ({"levels": (2, 1, 1)}, ValueError, "levels: got (2, 1, 1)"),
        ({"relative": 0.3}, ValueError, "relative: got 0.3, expected one of 0.01"),
        ({"steps": 0}, ValueError, "steps, walkers: got 0 and 400"),
        ({"walkers": 5000}, ValueError, "steps, walkers: got 100 and 5000"),
    ],
)
def test_what_does_not_fit_is_named(changes, error, message):
    with pytest.raises(error) as raised:
        show.ScoreField(**{"mixture": MODES} | changes)
    assert message in str(raised.value)
