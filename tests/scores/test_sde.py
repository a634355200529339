"""The score SDE: forwards, backwards, along the flow, and the density that the flow has."""

import math
from functools import partial

import pytest
import torch

from gmcourse.flows.continuous import draw_probe, hutchinson_trace
from gmcourse.flows.ode import rk4
from gmcourse.laws.scores import equation
from gmcourse.nets import LeveledMLP
from gmcourse.scores.denoiser import Denoiser
from gmcourse.scores.mixture import NoisedMixture
from gmcourse.scores.samplers import ddim_step
from gmcourse.scores.sde import (
    ProbabilityFlow,
    ScoreSDE,
    exploding,
    flow_log_prob,
    probability_flow,
    reverse_sde,
    reverse_sde_step,
    straight,
    variance_preserving,
)
from gmcourse.training import fit

MIXTURE = NoisedMixture(
    torch.tensor([[-2.0], [2.0]], dtype=torch.float64), 0.5, torch.tensor([0.2, 0.8], dtype=torch.float64)
)


def drawn(n):
    return MIXTURE.sample(n, rng=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("process", [exploding, variance_preserving, straight])
def test_the_three_noisings_carry_gaussians(process):
    equation.rates_carry_gaussians(process)


def test_the_names_keep_what_they_say():
    sigma = torch.tensor([0.1, 1.0, 7.0]).double()
    torch.testing.assert_close(variance_preserving(sigma).signal ** 2 * (1 + sigma**2), torch.ones(3).double())
    torch.testing.assert_close(straight(sigma).signal * (1 + sigma), torch.ones(3).double())


def test_flow_and_steps_obey_their_laws():
    equation.flow_carries_density(probability_flow)
    equation.reverses_noising(reverse_sde_step)
    for churn in (0.0, 0.5, 1.0, 3.0):
        equation.step_keeps_densities(partial(reverse_sde_step, churn=churn))


def test_ddim_is_euler_s_step_of_the_flow():
    x = drawn(5)
    score, noise = MIXTURE.score(x, 0.7), torch.randn_like(x)
    euler = x + (0.4 - 0.7) * probability_flow(x, score, 0.7)
    torch.testing.assert_close(euler, ddim_step(x, MIXTURE.denoise(x, 0.7), 0.7, 0.4, noise))
    torch.testing.assert_close(euler, reverse_sde_step(x, score, 0.7, 0.4, noise, churn=0.0))


def test_churn_is_a_step_of_langevin_dynamics_on_top():
    x, noise, step = drawn(5), torch.randn(5, 1).double(), 0.25 * (0.49 - 0.16)
    score = MIXTURE.score(x, 0.7)
    still = reverse_sde_step(x, score, 0.7, 0.4, noise, churn=0.0)
    moved = reverse_sde_step(x, score, 0.7, 0.4, noise, churn=0.5)
    torch.testing.assert_close(moved, still + step * score + (2 * step) ** 0.5 * noise)


def test_the_flow_by_ln_sigma_is_what_the_denoiser_changes():
    x, u = drawn(5), torch.tensor(0.3).double()
    torch.testing.assert_close(ProbabilityFlow(MIXTURE.score)(u, x), x - MIXTURE.denoise(x, u.exp()))


def test_the_log_density_of_a_mixture_in_twenty_steps():
    equation.log_prob_is_exact(partial(flow_log_prob, smallest=0.01, largest=60.0))
    x = drawn(500)
    found = flow_log_prob(MIXTURE.score, x, 0.005, 50.0, mean=1.2, spread=math.sqrt(0.25 + 2.56))
    assert (found - MIXTURE.log_prob(x, 0.005)).mean().abs() < 0.005
    assert (found - MIXTURE.log_prob(x)).mean().abs() < 0.01


def test_a_probe_gives_an_unbiased_estimate():
    plane = NoisedMixture(torch.tensor([[-1.0, 0.5], [1.0, 0.0]], dtype=torch.float64), 0.5)
    x = plane.sample(1, rng=torch.Generator().manual_seed(1))
    rows = x.expand(4000, 2)
    probe = draw_probe(rows, "rademacher", torch.Generator().manual_seed(2))
    options = {"mean": 0.0, "spread": 1.0, "solver": partial(rk4, steps=12)}
    estimates = flow_log_prob(plane.score, rows, 0.05, 20.0, trace=partial(hutchinson_trace, probe=probe), **options)
    exact = flow_log_prob(plane.score, x, 0.05, 20.0, **options)
    assert estimates.std() > 0.01
    assert (estimates.mean() - exact).abs() < 4 * estimates.std() / math.sqrt(4000)


def test_levels_out_of_order_are_named():
    with pytest.raises(ValueError, match=r"smallest, largest: got 2.0 and 1.0, expected 0 < smallest < largest"):
        flow_log_prob(MIXTURE.score, drawn(1), 2.0, 1.0)


@pytest.mark.parametrize("churn", [0.0, 1.0, 2.0])
def test_every_member_of_the_family_ends_at_the_data(churn):
    rng = torch.Generator().manual_seed(0)
    start = 1.2 + math.hypot(1.7, 30.0) * torch.randn(4000, 1, generator=rng, dtype=torch.float64)
    levels = torch.logspace(math.log10(30), -2, 200, dtype=torch.float64)
    x = reverse_sde(MIXTURE.score, start, levels, churn=churn, rng=rng)
    assert (x > 0).double().mean().item() == pytest.approx(0.8, abs=0.03)
    assert x[x > 0].std().item() == pytest.approx(0.5, abs=0.03)


class Exact(torch.nn.Module):
    """f of the denoiser whose x* is the best one for N(0.5, 2²), with classes that move it by 1."""

    classes = 2

    def forward(self, x, level, given=None):
        return torch.zeros_like(x) if given is None else 0 * x + given[:, None]


def test_the_model_of_one_gaussian_is_that_gaussian():
    model = ScoreSDE(Denoiser(Exact(), spread=2.0, centre=0.5), (2,)).double()
    assert model.ends == (0.01, 100.0)
    x = torch.randn(4, 2).double()
    exact = torch.distributions.Normal(0.5, math.hypot(2.0, 0.01)).log_prob(x).sum(1)
    torch.testing.assert_close(model.log_prob(x), exact, rtol=0, atol=3e-3)
    samples = model.sample(4000, rng=torch.Generator().manual_seed(0))
    assert samples.mean().item() == pytest.approx(0.5, abs=0.1)
    assert samples.std().item() == pytest.approx(2.0, abs=0.1)


def test_levels_are_even_in_ln_b():
    model = ScoreSDE(Denoiser(Exact(), spread=2.0), (1,), 0.01, 100.0)
    sigma = model.levels(torch.tensor([0.0, 0.5, 1.0]).double())
    assert sigma[0].item() == pytest.approx(0.02)
    assert sigma[2].item() == pytest.approx(200, rel=1e-3)
    b = sigma / (4 + sigma**2).sqrt()
    torch.testing.assert_close(b[1] ** 2, b[0] * b[2])


def test_labels_reach_training_the_density_and_the_samples():
    torch.manual_seed(0)
    model = ScoreSDE(Denoiser(LeveledMLP(2, [32], classes=2), spread=1.0), (2,), drop=0.5)
    seen = []
    model.denoiser.net.register_forward_pre_hook(lambda net, inputs: seen.append(inputs[2]))
    x, labels = torch.randn(64, 2), torch.arange(64) % 2
    fit(model, (x, labels), steps=3, batch_size=64, lr=1e-2, progress=False)
    assert {*seen[-1].tolist()} == {0, 1, 2}
    assert 10 < (seen[-1] == 2).sum() < 54
    one, other = (model.sample(3, torch.full((3,), c), rng=torch.Generator().manual_seed(1)) for c in (0, 1))
    further = model.sample(3, torch.zeros(3).long(), rng=torch.Generator().manual_seed(1), strength=2.0)
    assert not torch.allclose(one, other)
    assert not torch.allclose(one, further)
    assert not torch.allclose(model.log_prob(x[:3]), model.log_prob(x[:3], labels[:3]))
