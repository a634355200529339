"""Annealed importance sampling, against ratios that are counted."""

import math
from itertools import product

import pytest
import torch

from gmcourse.scores.annealed import (
    annealed_log_weights,
    base_log_partition,
    effective_size,
    log_mean,
    log_partition_above,
    log_partition_below,
    tempered,
)
from gmcourse.scores.enumerated import free_energy, log_partition, sweep_matrix
from gmcourse.scores.rbm import RBM


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def strings(n):
    return torch.tensor(list(product([0.0, 1.0], repeat=n)), dtype=torch.float64)


def machine(hidden=3, scale=1.5):
    torch.manual_seed(1)
    model = RBM((1, 1, 4), hidden).double()
    for tensor in (*model.parameters(), model.base_logits):
        torch.nn.init.normal_(tensor, std=scale)
    return model


def test_the_ends_of_the_path():
    model = machine()
    low, high = (tempered(beta, model.base_logits, *model.terms) for beta in (0.0, 1.0))
    assert log_partition(*low).item() == pytest.approx(base_log_partition(model.base_logits, 3).item())
    for found, own in zip(high, model.terms, strict=True):
        torch.testing.assert_close(found, own)


@pytest.mark.parametrize("betas", [[0.0, 1.0], [0.0, 0.4, 1.0], [1.0, 0.4, 0.0]])
def test_the_mean_weight_is_the_ratio_of_the_normalisers(betas):
    """E w over every start and every move, each with its probability."""
    model, states = machine(), strings(4)
    first, last = (tempered(beta, model.base_logits, *model.terms) for beta in (betas[0], betas[-1]))
    start = (-free_energy(states, *first) - log_partition(*first)).exp()

    def energy(at, beta):
        return free_energy(at, *tempered(beta, model.base_logits, *model.terms))

    between = sweep_matrix(*tempered(betas[1], model.base_logits, *model.terms))
    mean = torch.zeros((), dtype=torch.float64)
    for goal, row in enumerate(states):
        path = annealed_log_weights(
            states, torch.tensor(betas).double(), energy, lambda at, _, to=row: to.expand_as(at)
        )
        mean = mean + (start * between[:, goal] * path.exp()).sum()
    assert mean.item() == pytest.approx((log_partition(*last) - log_partition(*first)).exp().item())


def test_the_two_directions_bracket_the_truth():
    model = machine()
    exact = log_partition(*model.terms).item()
    gaps = []
    for steps in (3, 12, 100):
        betas = torch.linspace(0, 1, steps, dtype=torch.float64)
        below = log_partition_below(model, 1_000, betas, seeded())
        above = log_partition_above(model, 1_000, betas, seeded())
        slack = [3 * side.std().item() / math.sqrt(1_000) for side in (below, above)]
        assert below.mean().item() < exact + slack[0]
        assert above.mean().item() > exact - slack[1]
        estimate, error = log_mean(below)
        assert abs(estimate - exact) < 4.5 * error + 1e-3
        estimate, error = log_mean(-above)
        assert abs(-estimate - exact) < 4.5 * error + 1e-3
        gaps.append(above.mean().item() - below.mean().item())
    assert gaps[0] > gaps[1] > gaps[2] > 0
    assert gaps[2] < 0.2


def test_without_a_step_between_it_is_importance_sampling():
    model = machine()
    log_z = log_partition_below(model, 200, torch.tensor([0.0, 1.0]), seeded(4))
    x = torch.bernoulli(model.base_logits.sigmoid().expand(200, -1), generator=seeded(4))
    expected = (
        -free_energy(x, *model.terms)
        + base_log_partition(model.base_logits, 3)
        + free_energy(x, *tempered(0.0, model.base_logits, *model.terms))
    )
    torch.testing.assert_close(log_z, expected.detach())


def test_the_mean_and_its_error_by_hand():
    log_w = torch.tensor([1.0, 3.0, 2.0], dtype=torch.float64).log() - 800
    mean, error = log_mean(log_w)
    assert mean == pytest.approx(math.log(2) - 800)
    assert error == pytest.approx(1 / 2 / math.sqrt(3))
    assert effective_size(log_w) == pytest.approx(36 / 14)
    assert effective_size(torch.full((50,), -900.0, dtype=torch.float64)) == pytest.approx(50)


@pytest.mark.parametrize("betas", [[0.0, 0.5], [1.0, 0.0], [0.0], [0.5, 1.0]])
def test_a_path_with_other_ends_is_refused(betas):
    for ratio in (log_partition_below, log_partition_above):
        with pytest.raises(ValueError, match="betas: got .*, expected numbers from 0 to 1, both among them"):
            ratio(machine(), 3, torch.tensor(betas).double())
