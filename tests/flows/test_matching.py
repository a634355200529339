"""Flow matching: its target, its floor, the fields known in closed form, and the density of what it has learned."""

import math
from functools import partial
from itertools import permutations

import pytest
import torch
from torch import nn

from gmcourse.flows.continuous import MLPVelocity
from gmcourse.flows.matching import FlowMatching, empirical_velocity, flow_matching_target, gaussian_velocity, paired
from gmcourse.flows.ode import dormand_prince, euler, rk4
from gmcourse.laws.flows import matching
from gmcourse.laws.flows.ode import density_follows_field
from gmcourse.training import fit

MEAN = torch.tensor([2.0, -1.0], dtype=torch.float64)


class Known(nn.Module):
    """The exact field for N(m, σ²) data, on time of any shape."""

    def __init__(self, std):
        super().__init__()
        self.std = std

    def forward(self, t, x):
        return gaussian_velocity(x, t.view(-1, 1) if t.dim() else t, MEAN.to(x.dtype), self.std)


def test_target():
    matching.line_and_velocity(flow_matching_target)


def test_empirical_field():
    matching.field_averages_lines(empirical_velocity)


@pytest.mark.parametrize("std", [0.3, 1.0, 2.0])
def test_the_gaussian_field_is_the_mean_of_lines(std):
    points = MEAN + std * torch.randn(20_000, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x = torch.tensor([[0.5, 0.0], [1.0, -0.5]], dtype=torch.float64)
    for t in (0.0, 0.4):
        expected = gaussian_velocity(x, t, MEAN, std)
        torch.testing.assert_close(empirical_velocity(x, t, points), expected, rtol=0.05, atol=0.05)


@pytest.mark.parametrize("std", [0.3, 1.0, 2.0])
def test_the_gaussian_field_carries_its_density(std):
    def log_density(t, z):
        spread = ((1 - t) ** 2 + t**2 * std**2).sqrt()
        return torch.distributions.Normal(t * MEAN, spread).log_prob(z).sum(1)

    points = torch.randn(6, 2, dtype=torch.float64)
    density_follows_field(lambda t, z: gaussian_velocity(z, t, MEAN, std), log_density, points)


def test_the_floor_of_the_loss_is_half_pi_a_dimension():
    model = FlowMatching(Known(1.0), (2,))
    x = MEAN + torch.randn(400_000, 2, dtype=torch.float64)
    assert model.loss(x).item() == pytest.approx(math.pi, rel=0.01)
    model = FlowMatching(Known(0.5), (2,))
    assert model.loss(MEAN + 0.5 * (x - MEAN)).item() == pytest.approx(math.pi / 2, rel=0.01)


@pytest.mark.parametrize(("steps", "std"), [(1, 0.0), (2, 0.5), (4, 0.72), (8, 0.851), (16, 0.923)])
def test_spread_after_a_few_euler_steps(steps, std):
    model = FlowMatching(Known(1.0), (2,)).double()
    draws = model.sample(50_000, rng=torch.Generator().manual_seed(0), solver=partial(euler, steps=steps))
    assert draws.std(0).mean().item() == pytest.approx(std, abs=6e-3)
    torch.testing.assert_close(draws.mean(0), MEAN, rtol=0, atol=0.03)


def test_density_of_the_known_field():
    model = FlowMatching(Known(0.5), (2,), solver=partial(dormand_prince, rtol=1e-8, atol=1e-8))
    x = MEAN + torch.randn(6, 2, dtype=torch.float64)
    expected = torch.distributions.Normal(MEAN, 0.5).log_prob(x).sum(1)
    torch.testing.assert_close(model.log_prob(x), expected, rtol=1e-5, atol=1e-5)


def test_it_learns_a_gaussian():
    torch.manual_seed(0)
    x = (MEAN + 0.5 * torch.randn(4000, 2, dtype=torch.float64)).float()
    model = FlowMatching(MLPVelocity(2, [32, 32], nn.SiLU), (2,), solver=partial(rk4, steps=8))
    fit(model, (x,), steps=600, batch_size=256, lr=lambda k: 1e-2 * (1 - k / 600), progress=False)
    entropy = 2 * (0.5 * math.log(2 * math.pi * math.e) + math.log(0.5))
    with torch.no_grad():
        assert -model.log_prob(x).mean().item() < entropy + 0.1
    draws = model.sample(4000, rng=torch.Generator().manual_seed(1))
    torch.testing.assert_close(draws.mean(0), MEAN.float(), rtol=0, atol=0.1)
    torch.testing.assert_close(draws.std(0), torch.full((2,), 0.5), rtol=0, atol=0.06)


def test_the_perfect_field_of_a_finite_set_gives_it_back():
    points = torch.randn(12, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    noise = torch.randn(50, 2, dtype=torch.float64)
    arrived = euler(lambda t, x: empirical_velocity(x, t, points), noise, 0.0, 1.0, steps=200)
    assert torch.cdist(arrived, points).min(1).values.max() < 1e-3


def test_bad_count_is_named():
    with pytest.raises(ValueError, match="n: got -1"):
        FlowMatching(Known(1.0), (2,)).sample(-1)


def cost(x0, x1):
    return (x1 - x0).square().sum().item()


def test_pairs_are_the_best_of_all_orders_of_a_group():
    x0, x1 = torch.randn(2, 8, 3, generator=torch.Generator().manual_seed(0))
    found = paired(x0, x1, 4)
    for rows in (slice(0, 4), slice(4, 8)):
        orders = permutations(range(4))
        least = min(cost(x0[rows][list(order)], x1[rows]) for order in orders)
        assert cost(found[rows], x1[rows]) == pytest.approx(least, rel=1e-6)
    assert torch.equal(found.sort(0)[0], x0.sort(0)[0])
    assert cost(paired(x0, x1, 8), x1) < cost(found, x1) < cost(x0, x1)


@pytest.mark.parametrize("group", [0, -1])
def test_a_group_of_none_is_refused(group):
    with pytest.raises(ValueError, match="expected at least 1"):
        paired(torch.zeros(4, 2), torch.zeros(4, 2), group)


def test_pairs_of_images_of_a_line_and_of_what_is_left_over():
    x0, x1 = torch.randn(2, 5, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    assert torch.equal(paired(x0, x1, 1), x0)
    assert torch.equal(paired(x0, x1, 4)[4], x0[4])
    assert torch.equal(paired(x0, x1, 9), paired(x0, x1, 5))
    assert paired(x0[:0], x1[:0], 4).shape == x0[:0].shape
    line0, line1 = x0.flatten()[:, None], x1.flatten()[:, None]
    torch.testing.assert_close(paired(line0, line1, 20)[line1[:, 0].argsort()], line0.sort(0)[0])


def test_a_group_changes_the_loss_and_nothing_else():
    torch.manual_seed(0)
    field = MLPVelocity(2, [8])
    x = torch.randn(16, 2)
    losses = []
    for group in (1, 16):
        torch.manual_seed(1)
        losses.append(FlowMatching(field, (2,), group=group).loss(x).item())
    torch.manual_seed(1)
    t, x0 = torch.rand(16), torch.randn(16, 2)
    x_t, target = flow_matching_target(paired(x0, x, 16), x, t)
    assert losses[1] == pytest.approx((field(t, x_t) - target).square().sum(1).mean().item())
    assert losses[0] != pytest.approx(losses[1])
