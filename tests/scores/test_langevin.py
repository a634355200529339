"""Langevin dynamics: its step, where it settles, its correction, and what annealing recovers."""

import math

import pytest
import torch

from gmcourse.laws.scores import walking
from gmcourse.scores.langevin import (
    annealed_langevin,
    langevin,
    langevin_step,
    mala_log_ratio,
    mala_step,
    relaxation_time,
    ula_variance,
)
from gmcourse.scores.levels import geometric_levels
from gmcourse.scores.mixture import NoisedMixture


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    ("law", "ours"),
    [
        (walking.step_follows_the_score, langevin_step),
        (walking.variance_is_where_it_settles, ula_variance),
        (walking.ratio_weighs_both_ways, mala_log_ratio),
        (walking.correction_keeps_its_law, mala_step),
        (walking.relaxation_is_the_slowest, relaxation_time),
        (walking.annealing_goes_down, lambda *inputs: annealed_langevin(*inputs[:-1], rng=inputs[-1])),
    ],
)
def test_the_laws_hold(law, ours):
    law(ours)


def test_a_step_of_its_own_for_each_row_and_events_of_any_shape():
    x, noise = torch.zeros(2, 1, 2, 2), torch.ones(2, 1, 2, 2)
    moved = langevin_step(x, torch.full_like(x, 3.0), torch.tensor([0.5, 2.0]), noise)
    assert moved.flatten(1).tolist() == [[2.5] * 4, [8.0] * 4]


def test_a_walk_is_its_steps():
    x, rng = torch.randn(4, 3, generator=seeded(1)), seeded()
    by_hand = x
    for _ in range(3):
        by_hand = by_hand - 0.2 * by_hand + math.sqrt(0.4) * torch.randn(4, 3, generator=rng)
    torch.testing.assert_close(langevin(lambda at: -at, x, 0.2, 3, rng=seeded()), by_hand)
    assert langevin(lambda at: -at, x, 0.2, 0) is x


@pytest.mark.parametrize("step", [0.0, -0.1, 2.0, 5.0])
def test_a_step_at_which_nothing_settles_is_refused(step):
    with pytest.raises(ValueError, match=rf"step: got {step}, expected 0 < step < 2 · variance = 2.0"):
        ula_variance(1.0, step)


def test_unadjusted_walkers_are_too_wide_and_corrected_ones_are_not():
    rng, n, step = seeded(), 40_000, 0.8
    loose = kept = torch.randn(n, 1, generator=rng, dtype=torch.float64)
    for _ in range(20):
        noise, u = torch.randn(n, 1, generator=rng).double(), torch.rand(n, generator=rng).double()
        loose = langevin_step(loose, -loose, step, noise)
        kept, _ = mala_step(kept, lambda at: -at.square().sum(1) / 2, lambda at: -at, step, noise, u)
    assert loose.var().item() == pytest.approx(ula_variance(1.0, step), rel=0.03)
    assert kept.var().item() == pytest.approx(1.0, rel=0.03)


def test_what_is_not_taken_stays_and_events_may_be_images():
    x = torch.randn(50, 1, 2, 2, generator=seeded()).double()
    noise, u = torch.randn(x.shape, generator=seeded(1)).double(), torch.rand(50, generator=seeded(2)).double()
    moved, taken = mala_step(x, lambda at: -at.square().flatten(1).sum(1) / 2, lambda at: -at, 1.0, noise, u)
    assert 0 < taken.double().mean() < 1
    assert torch.equal(moved[~taken], x[~taken])
    assert torch.equal(moved[taken], langevin_step(x, -x, 1.0, noise)[taken])


def test_far_modes_part_the_line_by_a_barrier():
    grid = torch.linspace(-11, 11, 441, dtype=torch.float64)
    times = []
    for m in (1, 3, 5):
        line = NoisedMixture(torch.tensor([[-1.0], [1.0]]).double() * m, 1.0, torch.tensor([0.2, 0.8]).double())
        times.append(relaxation_time(line.log_prob(grid[:, None]), 0.05))
    assert times == pytest.approx([1.763, 57.8, 90_324], rel=0.01)


def test_annealing_recovers_the_weights_that_one_level_does_not():
    means = 5 * torch.tensor([[-1.0, -1.0], [1.0, 1.0]])
    modes = NoisedMixture(means, 1.0, torch.tensor([0.2, 0.8]))
    start = 16 * torch.rand(4_000, 2, generator=seeded()) - 8
    plain = langevin(lambda x: modes.score(x, 0.0), start, 0.05, 200, rng=seeded(1))
    annealed = annealed_langevin(modes.score, start, geometric_levels(20, 1, 10), 50, 0.05, rng=seeded(1))
    plain_share, share = ((x.sum(1) > 0).float().mean().item() for x in (plain, annealed))
    assert abs(plain_share - 0.8) > 0.3 * 0.8
    assert abs(share - 0.8) < 0.1 * 0.8
