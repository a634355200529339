"""Permutation tests against scipy's, their floor, and orders that keep ties."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import permutation_test, spearmanr

from gmcourse.comparison.differences import (
    difference_p,
    holm,
    known_order,
    order,
    permutation_p,
    rank_correlation,
    seeds_needed,
    share_near_best,
    signs_p,
    smallest_p,
    spread_of_the_best,
)


def normal(n, seed, shift=0.0):
    return shift + torch.randn(n, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("n, m, shift", [(5, 5, 0.0), (5, 5, 1.0), (4, 6, 0.5), (2, 7, 2.0)])
def test_p_is_scipy_s(n, m, shift):
    a, b = normal(n, 0), normal(m, 1, shift)

    def gap(x, y, axis):
        return np.abs(x.mean(axis) - y.mean(axis))

    parts = a.double().numpy(), b.double().numpy()
    expected = permutation_test(parts, gap, vectorized=True, n_resamples=np.inf, alternative="greater")
    assert permutation_p(a, b) == pytest.approx(expected.pvalue)


def test_the_floor_and_the_level():
    for n, floor in ((3, 0.10), (4, 0.0286), (5, 0.0079), (6, 0.0022), (7, 0.00058)):
        a = torch.arange(n).double()
        assert permutation_p(a, a + 100) == pytest.approx(smallest_p(n, n)) == pytest.approx(floor, abs=5e-4)
    assert permutation_p(torch.zeros(2), torch.ones(5)) == pytest.approx(smallest_p(2, 5))
    found = torch.tensor([permutation_p(normal(5, 2 * k), normal(5, 2 * k + 1)) for k in range(400)])
    assert (found < 0.05).double().mean().item() < 0.05 + 4 * (0.05 * 0.95 / 400) ** 0.5
    assert permutation_p(torch.ones(4), torch.ones(4)) == 1.0


@pytest.mark.parametrize(
    "a, b, said",
    [
        (torch.ones(1), torch.ones(5), "two or more values"),
        (torch.tensor([1.0, math.nan]), torch.ones(2), "not finite"),
        (torch.ones(12), torch.ones(12), "2,704,156 ways"),
    ],
)
def test_values_that_tell_nothing_are_refused(a, b, said):
    with pytest.raises(ValueError, match=said):
        permutation_p(a, b)


def test_an_order_keeps_its_ties():
    base = torch.tensor([-0.2, -0.1, 0.0, 0.1, 0.2])
    values = {"a": base, "b": base + 0.05, "far": base + 3, "further": base + 6}
    assert order(values) == [["a", "b"], ["far"], ["further"]]
    assert order(values, larger_is_better=True) == [["further"], ["far"], ["b", "a"]]
    assert order(values, level=0.005) == [["a", "b", "far", "further"]]


def test_the_gap_between_equals():
    assert spread_of_the_best(2) == pytest.approx(2 / math.pi**0.5)
    assert spread_of_the_best(8) == pytest.approx(2.847, abs=1e-3)
    draws = torch.randn(200_000, 8, generator=torch.Generator().manual_seed(0))
    assert (draws.amax(1) - draws.amin(1)).mean().item() == pytest.approx(spread_of_the_best(8), abs=0.01)
    with pytest.raises(ValueError, match="models: got 1"):
        spread_of_the_best(1)


@pytest.mark.parametrize("n", [3, 7])
def test_signs_are_scipy_s(n):
    gaps = torch.randn(n, generator=torch.Generator().manual_seed(n), dtype=torch.float64) + 0.4
    seen = permutation_test((gaps.numpy(),), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert signs_p(gaps) == pytest.approx(seen.pvalue)
    assert signs_p(gaps.abs()) == 2 / 2**n
    for bad in (gaps[:1], torch.full((18,), 1.0), torch.tensor([1.0, float("nan")])):
        with pytest.raises(ValueError, match="gaps: got"):
            signs_p(bad)


def test_a_number_without_chance_is_no_sample():
    seeds, fixed = torch.arange(7.0), torch.full((7,), 9.0)
    assert difference_p(seeds, fixed) == difference_p(fixed, seeds) == 2 / 2**7
    assert difference_p(seeds, seeds + 20) == permutation_p(seeds, seeds + 20)
    assert difference_p(fixed, fixed) == 1
    assert difference_p(fixed, fixed + 1) == 0


def test_the_rank_correlation_is_scipy_s():
    a, b = normal(7, 0).tolist(), normal(7, 1).tolist()
    assert rank_correlation(a, b) == pytest.approx(spearmanr(a, b).statistic)
    with pytest.raises(ValueError, match="without ties"):
        rank_correlation([1, 1, 2], [1, 2, 3])


def test_claims_hold_by_adjusted_p():
    """p as adjusted: the largest so far of (n − k) p_(k); Holm's rule is that at most the level."""
    rng = torch.Generator().manual_seed(0)
    for _ in range(200):
        p = (torch.rand(6, generator=rng) * 0.08).double()
        ranked, places = p.sort()
        adjusted = (ranked * torch.arange(6, 0, -1)).cummax(0).values
        expected = torch.empty(6, dtype=torch.bool)
        expected[places] = adjusted <= 0.05
        assert torch.equal(holm(p), expected)
    with pytest.raises(ValueError, match="p: got"):
        holm(torch.tensor([0.1, 1.2]))


def test_holm_errs_as_seldom_as_it_says():
    rng = torch.Generator().manual_seed(0)
    p = torch.rand(20_000, 5, generator=rng).double()
    wrong = torch.stack([holm(row).any() for row in p[:4_000]]).double().mean()
    assert abs(wrong - (1 - (1 - 0.01) ** 5)) < 0.012  # the least of five, at 0.05/5


@pytest.mark.parametrize(
    ("a", "b", "known"),
    [
        ((86.3, "bound"), (88.3, "exact"), -1),
        ((90.0, "bound"), (88.3, "exact"), 0),
        ((2.0, "bound"), (3.0, "bound"), 0),
        ((3.0, "exact"), (2.0, "exact"), 1),
        ((2.0, "exact"), (2.0, "bound"), 0),
    ],
)
def test_a_bound_that_wins_wins(a, b, known):
    assert known_order(a, b) == known
    assert known_order(b, a) == -known


def test_a_kind_that_is_none_is_refused():
    with pytest.raises(ValueError, match="kind: got 'elbo' of 2.0"):
        known_order((2.0, "elbo"), (1.0, "exact"))


def test_runs_near_the_best():
    assert share_near_best(torch.tensor([[10.0, 15.0], [15.1, torch.inf]])) == 0.5
    assert share_near_best(torch.tensor([torch.inf])) == 0
    with pytest.raises(ValueError, match="results, times: got 0 runs"):
        share_near_best(torch.tensor([]))


def test_seeds_that_are_needed():
    assert [seeds_needed(claims) for claims in (1, 6, 28)] == [4, 5, 7]
    assert smallest_p(7, 7) <= 0.05 / 28 < smallest_p(6, 6)
