"""The exact Wasserstein distance against scipy, enumeration and its own dual."""

import itertools
import math

import pytest
import torch

from gmcourse.metrics import sliced_wasserstein, transport_plan, wasserstein_1d, wasserstein_lp


def draws(n, *event, seed=0):
    return torch.randn(n, *event, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("n, m", [(1, 1), (7, 7), (9, 5), (40, 41)])
def test_sorted_samples_agree_with_scipy(n, m):
    from scipy.stats import wasserstein_distance

    x, y = draws(n), 2 * draws(m, seed=1) + 0.5
    assert wasserstein_1d(x, y) == pytest.approx(wasserstein_distance(x, y), abs=1e-12)
    assert wasserstein_1d(x, y) == pytest.approx(wasserstein_lp(x[:, None], y[:, None]), abs=1e-9)
    assert wasserstein_1d(x, y) == pytest.approx(sliced_wasserstein(x[:, None], y[:, None], projections=1), abs=1e-12)


def test_by_hand():
    assert wasserstein_1d(torch.tensor([0.0, 1.0]), torch.tensor([5.0])) == pytest.approx(4.5)
    assert wasserstein_1d(torch.tensor([3.0, 0.0]), torch.tensor([1.0, 3.0])) == pytest.approx(0.5)
    assert wasserstein_lp(torch.zeros(3, 2), torch.tensor([[3.0, 4.0]])) == pytest.approx(5.0)


@pytest.mark.parametrize("event", [(2,), (1, 2, 2)])
def test_the_assignment_is_the_best_of_all(event):
    x, y = draws(5, *event), draws(5, *event, seed=1)
    cost = torch.cdist(x.flatten(1), y.flatten(1))
    best = min(sum(cost[i, j] for i, j in enumerate(order)) / 5 for order in itertools.permutations(range(5)))
    assert wasserstein_lp(x, y) == pytest.approx(best.item(), abs=1e-9)


def test_the_programme_agrees_with_the_assignment_and_moves_the_masses_asked_for():
    x, y = draws(6, 2), draws(6, 2, seed=1)
    uniform = torch.full((6,), 1 / 6)
    assert wasserstein_lp(x, y, uniform, uniform) == pytest.approx(wasserstein_lp(x, y), abs=1e-9)
    p, q = torch.tensor([0.5, 0.25, 0.25]), torch.tensor([0.1, 0.2, 0.3, 0.4])
    plan = transport_plan(x[:3], y[:4], p, q)
    assert (plan >= 0).all()
    torch.testing.assert_close(plan.sum(1), p.double())
    torch.testing.assert_close(plan.sum(0), q.double())


def test_it_is_a_distance():
    x, y, z = draws(20, 3), draws(20, 3, seed=1), draws(20, 3, seed=2)
    assert wasserstein_lp(x, x.flip(0)) == pytest.approx(0, abs=1e-12)
    assert wasserstein_lp(x, y) == pytest.approx(wasserstein_lp(y, x))
    assert wasserstein_lp(x, z) <= wasserstein_lp(x, y) + wasserstein_lp(y, z)
    assert wasserstein_lp(x, x + 3.0) == pytest.approx(3 * math.sqrt(3))


def test_gradients_and_float32_are_accepted():
    x = draws(8).float().requires_grad_()
    assert wasserstein_1d(x, x + 1) == pytest.approx(1, abs=1e-6)
    assert wasserstein_lp(x[:, None], x[:, None] + 1) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    "call, named",
    [
        (lambda: wasserstein_1d(draws(3, 2), draws(3)), r"shapes \(3, 2\) and \(3,\)"),
        (lambda: wasserstein_1d(draws(3), draws(0)), "not empty"),
        (lambda: wasserstein_lp(draws(3, 2), draws(3, 3)), r"shapes \(3, 2\) and \(3, 3\)"),
        (lambda: wasserstein_lp(torch.zeros(5000, 1), torch.zeros(5000, 1)), "pairs"),
        (lambda: wasserstein_lp(draws(2, 1), draws(2, 1), p=torch.tensor([0.5, 0.6])), "p: got"),
        (lambda: wasserstein_lp(draws(2, 1), draws(2, 1), q=torch.tensor([1.5, -0.5])), "q: got"),
        (lambda: wasserstein_lp(draws(2, 1), draws(2, 1), p=torch.ones(1)), "expected 2 masses"),
    ],
)
def test_bad_input_is_named(call, named):
    with pytest.raises(ValueError, match=named):
        call()
