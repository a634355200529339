"""The GAN stage: what it hands to the page, what it refuses, and its JavaScript in Node against torch's numbers."""

import base64
import json

import numpy as np
import pytest
import torch
from torch import nn

from gmcourse import show
from gmcourse.data import load
from gmcourse.gan import losses
from gmcourse.nets import mlp
from gmcourse.show.explorer import layers_of
from gmcourse.show.gan_stage import LOSSES

KINDS = {
    "non-saturating": (losses.gan_critic_loss, losses.non_saturating_loss),
    "saturating": (losses.gan_critic_loss, losses.saturating_loss),
    "least-squares": (losses.lsgan_critic_loss, losses.lsgan_generator_loss),
    "wasserstein": (losses.wgan_critic_loss, losses.wgan_generator_loss),
}
PLAYERS = {
    "relu": lambda: (mlp([2, 32, 32, 2]), mlp([2, 32, 32, 1])),
    "others": lambda: (mlp([3, 7, 5, 2], nn.Tanh), mlp([2, 9, 6, 1], lambda: nn.LeakyReLU(0.2))),
}
SETUP = """
import { floats } from "./js/mlp.js";
import { adamStep } from "./js/adam.js";
import { criticGradient, criticStep, generatorGradient, generatorStep } from "./gan_stage/training.js";
import { newRun, restore, snapshot } from "./gan_stage/training.js";
import { cellDensities, newView, normalQuantile, pullOn, sceneOf } from "./gan_stage/scene.js";
import { madeSet, withBlob } from "./gan_stage/data.js";
import { isDue, newHistory, note } from "./gan_stage/history.js";
import { LOSSES } from "./gan_stage/losses.js";
import { workspace } from "./gan_stage/network.js";
const unpacked = ([layers, bytes]) => {
  const buffer = Buffer.from(bytes, "base64");
  return [layers, floats(new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength))];
};
const run = newRun({ ...given, generator: unpacked(given.generator), critic: unpacked(given.critic) });
const settings = { kind: given.kind, criticRate: 4e-3, generatorRate: 4e-3 };
const say = (value) => console.log(JSON.stringify(value, (_, v) => (v instanceof Float32Array ? Array.from(v) : v)));
"""


def packed(network: nn.Sequential):
    layers, weights = layers_of(network)
    return [layers, base64.b64encode(weights).decode()]


@pytest.fixture
def stage(node):
    """Runs a script after SETUP, with a run of the two players and whatever else is given."""

    def value(script: str, generator=None, critic=None, **given):
        torch.manual_seed(0)
        if generator is None:
            generator, critic = PLAYERS["relu"]()
        given = {"kind": "non-saturating", "batch": 128, "seed": 0} | given
        given["latentSize"] = generator[0].in_features
        return node(SETUP + script, given | {"generator": packed(generator), "critic": packed(critic)})

    return value


def flat(gradients):
    return torch.cat([part.flatten() for part in gradients]).numpy()


def close(seen, expected, within=1e-4):
    seen, expected = np.asarray(seen, dtype=float), np.asarray(expected, dtype=float)
    assert seen.shape == expected.shape
    assert np.abs(seen - expected).max() < within * max(1.0, np.abs(expected).max())


@pytest.mark.parametrize("players", PLAYERS)
@pytest.mark.parametrize("kind", LOSSES)
def test_the_gradients_are_torchs(stage, kind, players):
    torch.manual_seed(1)
    generator, critic = PLAYERS[players]()
    with torch.no_grad():
        for weights in critic.parameters():
            weights.mul_(2)  # a critic that is sure of some points
    real, latents = 2 * torch.randn(128, 2), torch.randn(128, generator[0].in_features)
    script = """
    const [real, latents] = [given.real, given.latents].map((rows) => Float32Array.from(rows.flat()));
    const { loss, inPoints } = generatorGradient(run, given.kind, latents);
    const fake = run.critic.space.values[0].slice();
    const pull = pullOn(run.critic, workspace(run.critic.net, 128), given.kind, fake);
    const told = { loss, inPoints: inPoints.slice(), fake, pull, generator: run.generator.net.gradient };
    say({ ...told, criticLoss: criticGradient(run, given.kind, real, fake), critic: run.critic.net.gradient });
    """
    given = {"real": real.tolist(), "latents": latents.tolist(), "kind": kind}
    seen = stage(script, generator, critic, **given)
    critic_loss, generator_loss = KINDS[kind]
    fake = generator(latents)
    expected = generator_loss(critic, real, fake)
    *weights, points = torch.autograd.grad(expected, [*generator.parameters(), fake])
    close(seen["loss"], expected.item())
    close(seen["fake"], fake.detach().flatten())
    close(seen["generator"], flat(weights))
    close(seen["inPoints"], points.flatten())
    close(seen["pull"], -128 * points.flatten())
    expected = critic_loss(critic, real, fake.detach())
    close(seen["criticLoss"], expected.item())
    close(seen["critic"], flat(torch.autograd.grad(expected, list(critic.parameters()))))


def test_adam_is_torchs(stage):
    weights = torch.randn(50, requires_grad=True)
    gradients = torch.randn(4, 50) * torch.logspace(-6, 1, 50)
    script = """
    const net = { weights: Float32Array.from(given.weights), gradient: null };
    const moments = { count: 0, first: new Float32Array(50), second: new Float32Array(50) };
    for (const gradient of given.gradients) adamStep({ ...net, gradient: Float32Array.from(gradient) }, moments, 0.01);
    say(net.weights);
    """
    seen = stage(script, weights=weights.tolist(), gradients=gradients.tolist())
    optimizer = torch.optim.Adam([weights], lr=0.01, betas=(0.5, 0.999))
    for weights.grad in gradients:
        optimizer.step()
    close(seen, weights.detach(), 1e-5)


def test_training_finds_the_ring(stage):
    ring = load("ring-of-8", noise=0.1)
    script = """
    const data = Float32Array.from(given.data.flat());
    for (let k = 0; k < 1000; k++) { criticStep(run, data, settings); generatorStep(run, settings); }
    say(sceneOf(run, newView(run, 2, 3), given.kind, {}).fake);
    """
    fake = torch.tensor(stage(script, data=ring.train[:1000].tolist(), batch=64)).view(-1, 2)
    nearest, mode = torch.cdist(fake, ring.density.means.float()).min(1)
    assert len(mode[nearest < 0.3].unique()) >= 7
    assert (nearest < 0.3).float().mean() > 0.5


TRAIN = "for (let k = 0; k < 30; k++) { criticStep(run, madeSet('moons', 3), settings); generatorStep(run, settings); }"


def test_equal_seeds_are_equal_runs_and_a_snapshot_goes_on_as_the_run(stage):
    first, again, other = (stage(f"{TRAIN} say(run.generator.net.weights);", seed=seed) for seed in (3, 3, 4))
    assert first == again != other
    script = f"{TRAIN} const kept = snapshot(run); {TRAIN} const end = run.critic.net.weights.slice();"
    end, back = stage(f"{script} restore(run, kept); {TRAIN} say([end, run.critic.net.weights]);")
    assert end == back


def test_clipping_holds_the_critic(stage):
    weights = stage(f"{TRAIN} generatorStep(run, settings); say(run.critic.net.weights);", kind="wasserstein")
    assert max(map(abs, weights)) <= 0.1 + 1e-6


def test_the_grid_has_equal_masses(stage):
    p = torch.tensor([0.01, 0.1, 0.5, 0.77, 0.999], dtype=torch.float64)
    close(stage("say(given.p.map(normalQuantile));", p=p.tolist()), torch.special.ndtri(p), 1e-6)
    script = """
    const corners = Float32Array.from([0, 0, 1, 0, 2, 0, 0, 1, 1, 1, 2, 1, 0, 3, 1, 3, 2, 3]);
    say(cellDensities(corners, 2, 2));
    """
    close(stage(script), 0.98**2 / 4 * 16 / np.array([1, 1, 2, 2]))


def test_a_full_history_thins_itself_and_keeps_both_ends(stage):
    script = """
    const history = newHistory(10);
    const moment = (count) => ({ kept: { critic: { count }, generator: { count: 0 } }, losses: {} });
    for (let k = 0; k <= 1000; k++) if (isDue(history, k, false)) note(history, moment(k));
    say([history.moments.map(({ kept }) => kept.critic.count), history.every, isDue(history, 1001, true)]);
    """
    counts, every, due = stage(script)
    assert counts[0] == 0
    assert len(counts) <= 10
    assert set(np.diff(counts)) == {every}
    assert due


def test_sets_fit_into_the_window_and_blobs_are_added(stage):
    names = ["ring", "moons", "line", "circle", "grid", "blobs"]
    for points in stage("say(given.names.map((name) => madeSet(name, 5)));", names=names):
        assert len(points) == 1200
        assert max(map(abs, points)) < 5
    grown = stage("say(withBlob(Float32Array.from([1, 1]), [2, -3], 12, run.random, 3));")
    assert len(grown) == 26
    assert np.abs(np.array(grown[2:]).reshape(12, 2) - [2, -2.8]).max() < 0.6


def test_the_balance_is_where_it_is_said_to_be(stage):
    """At h = 0 everywhere (least squares: targets −1, 1 and 0) the losses take the values that the chart marks."""
    seen = stage("""say(Object.values(LOSSES).map(({ real, fake, generator, limits }) =>
        [real.value(0) + fake.value(0), generator.value(0), limits.critic?.[0], limits.generator?.[0]]));""")
    for critic, generator, *limits in seen[:3]:
        assert [critic, generator] == pytest.approx(limits)


# What goes to the page


def ganstage(**changes):
    torch.manual_seed(0)
    generator, critic = PLAYERS["relu"]()
    arguments = {"generator": generator, "critic": critic, "data": torch.randn(3000, 2)} | changes
    return show.GANStage(**arguments)


def test_the_state_is_small_and_whole():
    state = ganstage(lr=(0.01, 0.02), steps=(5, 1), name="a cloud").get_state()
    size = sum(4 * len(part) // 3 if isinstance(part, bytes) else len(json.dumps(part)) for part in state.values())
    assert size < 100_000
    assert len(state["points"]) == 1000 * 8
    assert state["generator_layers"] == [[2, 32], "relu", [32, 32], "relu", [32, 2]]
    assert (state["rates"], state["steps"], state["name"]) == ([0.01, 0.02], [5, 1], "a cloud")


def test_the_window_holds_the_data():
    points = torch.tensor([[2.0, -1.0], [0.0, 0.0]])
    assert ganstage(data=points).extent == pytest.approx(2.7)
    assert ganstage(data=points, extent=4).extent == 4
    assert ganstage(data=points).centre == [0, 0]
    assert ganstage(data=points).points == points.numpy().tobytes()
    far = ganstage(data=50 + points)
    assert (far.centre, far.extent) == ([51, 49.5], pytest.approx(1.4))


def test_the_page_looks_at_the_window_and_draws_into_it(stage):
    seen = stage("""
    const view = newView(run, 2, 2, [50, -3]);
    const blob = withBlob(new Float32Array(0), [90, -90], 12, run.random, 2, [50, -3]);
    say([view.tiles.slice(0, 2), view.tiles.slice(-2), madeSet("blobs", 2, [50, -3]), blob]);
    """)
    first, last, blobs, blob = (np.array(part).reshape(-1, 2) for part in seen)
    close(first, [[48.05, -1.05]])
    close(last, [[51.95, -4.95]])
    assert np.abs(blobs - [50, -3]).max(0) == pytest.approx([1.5, 1.5], abs=0.5)
    close(blob, [[51.96, -4.96]] * 12, 1e-3)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"generator": nn.Linear(2, 2)}, TypeError, "generator: got Linear, expected an nn.Sequential"),
        ({"critic": nn.Sequential(nn.Conv2d(1, 1, 1))}, TypeError, "critic: got a layer Conv2d"),
        ({"critic": mlp([2, 4, 1], nn.SiLU)}, TypeError, "critic: got a layer SiLU, which the page cannot run"),
        ({"critic": nn.Sequential(mlp([2, 1]), nn.Hardtanh(0, 1))}, TypeError, "critic: got a layer Hardtanh"),
        ({"critic": mlp([2, 4, 1], nn.LeakyReLU)}, TypeError, "critic: got a layer LeakyReLU"),
        ({"latent_size": 3}, ValueError, "generator: got 2 to 2, expected 3 to 2 numbers"),
        ({"critic": mlp([2, 8, 2])}, ValueError, "critic: got 2 to 2, expected 2 to 1 numbers"),
        ({"critic": nn.Sequential(nn.ReLU())}, ValueError, "critic: got no linear layer"),
        ({"critic": nn.Sequential(nn.Linear(2, 4), nn.Linear(5, 1))}, ValueError, "critic: got a layer of 5 inputs"),
        ({"critic": nn.Sequential(nn.Linear(2, 1), nn.Sigmoid())}, ValueError, "critic: got a Sigmoid at its end"),
        ({"data": [[0.0, 1.0]]}, TypeError, "data: got list, expected a Tensor"),
        ({"data": torch.randn(5, 3)}, ValueError, "data: got (5, 3), expected (n, 2)"),
        ({"data": torch.full((5, 2), torch.nan)}, ValueError, "data: got (5, 2)"),
        ({"losses": "hinge"}, ValueError, "losses: got 'hinge', expected one of non-saturating"),
        ({"lr": 0.0}, ValueError, "lr: got [0.0, 0.0]"),
        ({"lr": (1e-3, 1e-3, 1e-3)}, ValueError, "lr: got"),
        ({"steps": (0, 1)}, ValueError, "steps: got [0, 1]"),
        ({"batch_size": 0}, ValueError, "batch_size: got 0"),
        ({"extent": -1}, ValueError, "extent: got -1"),
    ],
)
def test_bad_arguments_are_named(changes, error, message):
    with pytest.raises(error) as raised:
        ganstage(**changes)
    assert message in str(raised.value)
