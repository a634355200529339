"""The value of the game and its divergence: closed forms, quadrature, and the bound that any critic gives."""

import math

import pytest
import torch
from scipy.integrate import quad
from torch.distributions import Normal

from gmcourse.gan.divergences import divergence_bound, game_value, jensen_shannon, optimal_discriminator
from gmcourse.laws.mass import grid

X, DX = grid([-12.0], [20.0], 8_000)


def densities(theta):
    return tuple(Normal(centre, 1.0).log_prob(X[:, 0]).exp() for centre in (0.0, theta))


@pytest.mark.parametrize("theta", [0.0, 0.5, 1.0, 2.0, 4.0, 8.0])
def test_value_of_the_best_discriminator_is_2_js_minus_ln_4(theta):
    p, q = densities(theta)
    best = game_value(theta**2 / 2 - theta * X[:, 0], p, q, DX)
    assert best.item() == pytest.approx(2 * jensen_shannon(p, q, DX).item() - math.log(4), abs=1e-9)


@pytest.mark.parametrize("theta", [1.0, 2.0, 4.0])
def test_js_is_scipys_integral(theta):
    def density(x, centre):
        return math.exp(-((x - centre) ** 2) / 2) / math.sqrt(2 * math.pi)

    def integrand(x):
        p, q = density(x, 0.0), density(x, theta)
        return 0.5 * sum(a * math.log(2 * a / (p + q)) for a in (p, q) if a > 0)

    assert jensen_shannon(*densities(theta), DX).item() == pytest.approx(quad(integrand, -20, 25)[0], abs=1e-7)


def test_disjoint_supports_give_ln_2_at_any_distance():
    x, dx = grid([0.0], [10.0], 1_000)
    box = (x[:, 0] < 1).double()
    for start in (1, 5, 9):
        moved = ((x[:, 0] > start) & (x[:, 0] < start + 1)).double()
        assert jensen_shannon(box, moved, dx).item() == pytest.approx(math.log(2))


def test_optimal_discriminator_never_leaves_its_logarithm():
    assert optimal_discriminator(torch.tensor(-1e4), torch.tensor(-1e4)).item() == 0.5
    assert optimal_discriminator(torch.tensor([-1e4, -2e4]), torch.tensor([-2e4, -1e4])).tolist() == [1.0, 0.0]


def test_bound_is_js_for_the_best_critic_and_less_for_others():
    rng = torch.Generator().manual_seed(0)
    noise = torch.randn(2, 100_000, generator=rng, dtype=torch.float64)
    real, fake = noise[0], noise[1] + 2
    best = divergence_bound(2 - 2 * real, 2 - 2 * fake).item()
    assert best == pytest.approx(jensen_shannon(*densities(2.0), DX).item(), abs=4e-3)
    for slope, offset in ((-1.0, 1.0), (-4.0, 4.0), (-2.0, 3.0), (2.0, -2.0)):
        assert divergence_bound(slope * real + offset, slope * fake + offset) < best
