import math

import pytest
import torch
from torch.distributions import Normal

from gmcourse.laws import LawBroken
from gmcourse.laws.mass import integrates_to_one, samples_follow_density, sums_to_one

BOX = {"low": [-8, -8], "high": [8, 8]}


class Cloud:
    """N(0, 0.5² I) in the plane, with a bug planted in one place."""

    def __init__(self, std=0.5, offset=0.0):
        self.std, self.offset = std, offset

    def log_prob(self, x):
        return Normal(0.0, 0.5).log_prob(x).sum(-1)

    def sample(self, n, *, rng=None):
        return self.offset + self.std * torch.randn(n, 2, generator=rng)


def test_integral_holds():
    integrates_to_one(Cloud().log_prob, **BOX)


@pytest.mark.parametrize(
    "bug",
    [
        lambda x: Cloud().log_prob(x) + math.log(2),
        lambda x: Cloud().log_prob(x) / 2,
        lambda x: Normal(0.0, 0.5).log_prob(x[:, 0]),
        lambda x: -0.5 * (x**2).sum(-1) / 0.25,
    ],
)
def test_integral_catches(bug):
    with pytest.raises(LawBroken):
        integrates_to_one(bug, **BOX)


def bernoulli(x, probability=0.3):
    return (x * math.log(probability) + (1 - x) * math.log(1 - probability)).sum(1)


def test_sum_holds():
    sums_to_one(bernoulli, dims=6)


@pytest.mark.parametrize(
    "bug",
    [
        lambda x: bernoulli(x) / 6,
        lambda x: (x * math.log(0.3)).sum(1),
        lambda x: bernoulli(x) + 1e-3,
    ],
)
def test_sum_catches(bug):
    with pytest.raises(LawBroken):
        sums_to_one(bug, dims=6)


def test_sum_refuses_too_many_dimensions():
    with pytest.raises(ValueError, match="dims: got 30"):
        sums_to_one(bernoulli, dims=30)


def test_samples_hold():
    samples_follow_density(Cloud(), Cloud().log_prob, **BOX)


@pytest.mark.parametrize("bug", [Cloud(std=0.25), Cloud(std=math.sqrt(0.5)), Cloud(offset=0.05)])
def test_samples_catch(bug):
    with pytest.raises(LawBroken):
        samples_follow_density(bug, Cloud().log_prob, **BOX)
