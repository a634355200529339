"""Levels, steps, and walks: against DDPM's own letters, and against Gaussians, for which every step is known."""

import math
from functools import partial

import pytest
import torch

from gmcourse.laws.scores import noising
from gmcourse.scores.chain import posterior, reverse_std
from gmcourse.scores.levels import preserving
from gmcourse.scores.mixture import NoisedMixture
from gmcourse.scores.samplers import (
    ancestral_step,
    clipped,
    cosine_levels,
    ddim_step,
    heun,
    linear_levels,
    power_levels,
    spaced,
    walk,
)

SPREAD, MEAN = 0.5, 2.0
EXACT = NoisedMixture(torch.full((1, 1), MEAN).double(), SPREAD)


def test_the_laws_of_the_chain():
    noising.levels_follow_steps(linear_levels)
    noising.posterior_conditions(posterior)
    noising.deviation_of_reverse_step(reverse_std)
    noising.ddim_keeps_marginals(ddim_step)
    noising.ancestral_step_reverses(ancestral_step)


def test_the_paper_s_thousand_levels_end_in_noise_and_a_hundred_of_them_do_not():
    for n, left in ((1000, 4.04e-5), (100, 0.3635)):
        signal, _ = preserving(linear_levels(n)[0])
        assert signal.square().item() == pytest.approx(left, rel=2e-3)
    signal, _ = preserving(linear_levels(100, 1e-3, 0.2)[0])
    assert signal.square().item() < 1e-4


@pytest.mark.parametrize(("spread", "variance"), [(1.0, "beta"), (0.0, "posterior")])
def test_a_step_in_the_paper_s_letters(spread, variance):
    """Algorithm 2 on x̃ = a x + b ε, and ours on x̃/a."""
    beta = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)
    kept = (1 - beta).cumprod(0)
    x_k, noise_found, z = torch.randn(3, 5, 2, dtype=torch.float64)
    k = 300
    std = beta[k] if variance == "beta" else beta[k] * (1 - kept[k - 1]) / (1 - kept[k])
    theirs = (x_k - beta[k] / (1 - kept[k]).sqrt() * noise_found) / (1 - beta[k]).sqrt() + std.sqrt() * z
    sigma, lower = linear_levels(1000).flip(0)[[k, k - 1]]
    noised = x_k / kept[k].sqrt()
    ours = ancestral_step(noised, noised - sigma * noise_found, sigma, lower, z, spread)
    torch.testing.assert_close(ours * kept[k - 1].sqrt(), theirs)


def test_fresh_noise_of_share_one_is_the_posterior_s_step():
    noised, clean, z = torch.randn(3, 4, 2, dtype=torch.float64)
    for sigma, lower in ((2.0, 0.7), (0.3, 0.1)):
        ours = ddim_step(noised, clean, sigma, lower, z, fresh=1.0)
        torch.testing.assert_close(ours, ancestral_step(noised, clean, sigma, lower, z))


@pytest.mark.parametrize("n", [1, 2, 10])
def test_with_the_data_s_own_spread_a_gaussian_is_reached_exactly_in_any_number_of_steps(n):
    sigmas = torch.cat([cosine_levels(30.0, 0.5, n), torch.tensor([1e-3])])
    step = partial(ancestral_step, spread=SPREAD)
    rng = torch.Generator().manual_seed(0)
    start = MEAN + math.sqrt(SPREAD**2 + 30**2) * torch.randn(40_000, 1, generator=rng, dtype=torch.float64)
    x = walk(EXACT.denoise, start, sigmas, step=step, rng=rng)
    assert x.mean().item() == pytest.approx(MEAN, abs=4 * SPREAD / 200)
    assert x.std().item() == pytest.approx(SPREAD, rel=0.015)


def test_ddim_is_euler_and_heun_is_of_second_order():
    start = torch.tensor([[MEAN - 20.0], [MEAN + 5.0]]).double()
    truth = MEAN + (start - MEAN) * SPREAD / math.hypot(SPREAD, 20.0)
    errors = {}
    for name, sampler in (("DDIM", walk), ("Heun", heun)):
        for n in (64, 128):
            sigmas = power_levels(20.0, 1e-4, n)
            errors[name, n] = (sampler(EXACT.denoise, start, sigmas) - truth).abs().max().item()
    assert errors["DDIM", 64] / errors["DDIM", 128] == pytest.approx(2, abs=0.2)
    assert errors["Heun", 64] / errors["Heun", 128] == pytest.approx(4, abs=0.8)
    x = start
    for sigma, lower in zip(sigmas.tolist(), [*sigmas[1:].tolist(), 0.0]):
        x = x + (lower - sigma) * -sigma * EXACT.score(x, sigma)
    torch.testing.assert_close(walk(EXACT.denoise, start, sigmas), x)


def test_calls_are_as_many_as_said():
    calls = []

    def counting(x, sigma):
        calls.append(sigma)
        return EXACT.denoise(x, sigma)

    sigmas = power_levels(20.0, 0.01, 8)
    walk(counting, torch.zeros(1, 1).double(), sigmas)
    assert calls == sigmas.tolist()
    calls.clear()
    heun(counting, torch.zeros(1, 1).double(), sigmas)
    assert len(calls) == 15


def test_grids():
    for grid in (cosine_levels(80.0, 0.01, 7), power_levels(80.0, 0.01, 7)):
        assert grid.dtype == torch.float64
        assert (grid.diff() < 0).all()
        torch.testing.assert_close(grid[[0, -1]], torch.tensor([80.0, 0.01]).double())
    angles = cosine_levels(80.0, 0.01, 7).atan()
    torch.testing.assert_close(angles.diff(), angles.diff()[:1].expand(6))
    assert spaced(torch.arange(10, 0, -1), 4).tolist() == [10, 8, 5, 3]
    assert spaced(torch.arange(10, 0, -1), 1).tolist() == [10]
    denoise = clipped(lambda x, sigma: x * sigma, -1.0, 1.0)
    assert denoise(torch.tensor([0.2, 3.0]), 2.0).tolist() == pytest.approx([0.4, 1.0])


def test_bad_input_is_named():
    for call, said in (
        (lambda: linear_levels(0), "n: got 0, expected at least 1 level"),
        (lambda: linear_levels(10, 0.3, 0.1), "smallest, largest: got 0.3 and 0.1"),
        (lambda: cosine_levels(0.1, 1.0, 4), "largest, smallest: got 0.1 and 1.0"),
        (lambda: power_levels(1.0, 0.1, 0), "n: got 0, expected at least 1 level"),
        (lambda: spaced(torch.ones(4), 5), "calls: got 5, expected 1 to 4"),
        (lambda: walk(EXACT.denoise, torch.zeros(1, 1), torch.tensor([1.0, 2.0])), "sigmas: got"),
    ):
        with pytest.raises(ValueError, match=said):
            call()
