"""Discretised logistics: bins that meet, edges that reach far, gradients where a difference of sigmoids has none."""

import math

import pytest
import torch
from torch.distributions import TransformedDistribution, Uniform
from torch.distributions.transforms import AffineTransform, SigmoidTransform

from gmcourse.autoregressive.discrete import to_codes
from gmcourse.autoregressive.logistic_mixture import (
    Mixture,
    channel_means,
    discretised_logistic,
    level_logits,
    mixture_log_prob,
)


def log_p(code, mean, log_scale, levels):
    return discretised_logistic(*(torch.as_tensor(v) for v in (code, mean, log_scale)), levels)


def mixture(channels=3, components=2, batch=2, side=2, seed=0, dtype=torch.float64):
    rng = torch.Generator().manual_seed(seed)

    def numbers(*shape):
        return torch.randn(batch, components, *shape, side, side, generator=rng, dtype=dtype)

    pairs = channels * (channels - 1) // 2
    return Mixture(numbers().log_softmax(1), numbers(channels), numbers(channels) - 1, numbers(pairs).tanh())


@pytest.mark.parametrize(
    ("levels", "mean", "scale", "expected"),
    [(4, 0.0, 0.25, [0.0650, 0.4350, 0.4350, 0.0650]), (17, -1.0, 0.1, [0.6514, 0.2157, 0.0909, 0.0297])],
)
def test_by_hand(levels, mean, scale, expected):
    found = log_p(torch.arange(len(expected)), mean, math.log(scale), levels).exp()
    torch.testing.assert_close(found, torch.tensor(expected), rtol=0, atol=5e-5)


def test_against_the_distribution_function():
    mean, scale, levels = 0.3, 0.2, 9
    cdf = TransformedDistribution(
        Uniform(0.0, 1.0, validate_args=False), [SigmoidTransform().inv, AffineTransform(mean, scale)]
    ).cdf
    edges = torch.tensor([-1 + (2 * k - 1) / (levels - 1) for k in range(levels + 1)], dtype=torch.float64)
    below = cdf(edges)
    below[0], below[-1] = 0, 1
    found = log_p(torch.arange(levels), torch.tensor(mean).double(), math.log(scale), levels).exp()
    torch.testing.assert_close(found.double(), below.diff(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("levels", [2, 3, 17, 256])
@pytest.mark.parametrize("mean", [-3.0, 0.0, 0.3, 40.0])
@pytest.mark.parametrize("log_scale", [-7.0, -2.0, 0.0, 5.0])
def test_the_mass_is_one_and_all_is_finite_in_float32(levels, mean, log_scale):
    mean, log_scale = (torch.tensor(v, requires_grad=True) for v in (mean, log_scale))
    log_probs = log_p(torch.arange(levels), mean, log_scale, levels)
    assert log_probs.exp().sum().item() == pytest.approx(1, abs=2e-4)
    log_probs.sum().backward()
    assert log_probs.isfinite().all()
    assert mean.grad.isfinite()
    assert log_scale.grad.isfinite()


def test_far_out_the_gradient_lives():
    mean = torch.tensor(-0.5, requires_grad=True)
    value = log_p(200, mean, -4.0, 256)
    value.backward()
    assert value.item() == pytest.approx(-59.1856, abs=1e-3)
    assert mean.grad.item() == pytest.approx(math.exp(4), rel=1e-3)


def test_gradients_are_those_of_differences():
    mean, log_scale = torch.linspace(-1.2, 1.2, 5, dtype=torch.float64), torch.linspace(-3, 1, 5, dtype=torch.float64)
    codes = torch.tensor([0, 3, 16, 9, 1])
    inputs = (mean.requires_grad_(), log_scale.requires_grad_())
    assert torch.autograd.gradcheck(lambda m, s: discretised_logistic(codes, m, s, 17), inputs)


def test_a_later_colour_is_moved_by_the_earlier_ones():
    parts, x = mixture(), torch.rand(2, 3, 2, 2, dtype=torch.float64)
    y, a = (2 * x - 1)[:, None], parts.coefficients
    found = channel_means(x, parts)
    torch.testing.assert_close(found[:, :, 0], parts.means[:, :, 0])
    torch.testing.assert_close(found[:, :, 1], parts.means[:, :, 1] + a[:, :, 0] * y[:, :, 0])
    moved = parts.means[:, :, 2] + a[:, :, 1] * y[:, :, 0] + a[:, :, 2] * y[:, :, 1]
    torch.testing.assert_close(found[:, :, 2], moved)


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_colour_by_colour_is_the_mixture(channels):
    parts, levels = mixture(channels), 4
    x = torch.randint(0, levels, (2, channels, 2, 2)).double() / (levels - 1)
    logits = level_logits(x, parts, levels)
    torch.testing.assert_close(logits.exp().sum(1), torch.ones_like(x))
    chained = logits.gather(1, to_codes(x, levels)[:, None]).flatten(1).sum(1)
    torch.testing.assert_close(chained, mixture_log_prob(x, parts, levels))


def test_one_component_holds_for_all_colours():
    """Two components at the ends, narrow: both colours are low, or both are high."""
    ends = torch.tensor([-1.0, 1.0]).view(1, 2, 1, 1, 1).expand(1, 2, 2, 1, 1)
    parts = Mixture(
        torch.full((1, 2, 1, 1), math.log(0.5)), ends, torch.full((1, 2, 2, 1, 1), -4.0), torch.zeros(1, 2, 1, 1, 1)
    )
    for pair, expected in (((0, 0), 0.5), ((1, 1), 0.5), ((0, 1), 0.0), ((1, 0), 0.0)):
        x = torch.tensor(pair, dtype=torch.float32).view(1, 2, 1, 1)
        assert mixture_log_prob(x, parts, 2).exp().item() == pytest.approx(expected, abs=1e-6)
