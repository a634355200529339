import math
from functools import partial

import pytest
import torch
from torch.distributions import MultivariateNormal, Normal

from gmcourse.laws.mass import integrates_to_one, samples_follow_density, sums_to_one

BOX = {"low": [-8, -8], "high": [8, 8]}


class Cloud:
    """N(0, 0.5² I) in the plane, with a bug planted in one place."""

    def __init__(self, std=0.5, offset=0.0, spoil=lambda draws: draws):
        self.std, self.offset, self.spoil = std, offset, spoil

    def log_prob(self, x):
        return Normal(0.0, 0.5).log_prob(x).sum(-1)

    def sample(self, n, *, rng=None):
        return self.spoil(self.offset + self.std * torch.randn(n, 2, generator=rng))


class Slanted(Cloud):
    """A normal with correlated coordinates of unequal spread."""

    law = MultivariateNormal(torch.tensor([0.5, -0.5]), torch.tensor([[1.0, 0.6], [0.6, 0.5]]))

    def log_prob(self, x):
        return self.law.log_prob(x.float())

    def sample(self, n, *, rng=None):
        return self.spoil(self.law.mean + torch.randn(n, 2, generator=rng) @ self.law.scale_tril.T)


def bernoulli(x, probability=0.3):
    return (x * math.log(probability) + (1 - x) * math.log(1 - probability)).sum(1)


def shuffled(draws):
    return torch.stack([draws[:, 0], draws[:, 1].flip(0)], 1)


INTEGRAL, SUM = partial(integrates_to_one, **BOX), partial(sums_to_one, dims=6)
SAMPLES = partial(samples_follow_density, log_prob=Cloud().log_prob, **BOX)
SLANTED = partial(samples_follow_density, log_prob=Slanted().log_prob, **BOX)

RIGHT = {
    INTEGRAL: (Cloud().log_prob, Slanted().log_prob),
    SUM: (bernoulli,),
    SAMPLES: (Cloud(),),
    SLANTED: (Slanted(),),
}
BUGS = {
    INTEGRAL: {
        "twice the density": (lambda x: Cloud().log_prob(x) + math.log(2), ""),
        "mean over dimensions for the sum": (lambda x: Cloud().log_prob(x) / 2, ""),
        "one dimension of two": (lambda x: Normal(0.0, 0.5).log_prob(x[:, 0]), ""),
        "no normalising constant": (lambda x: -0.5 * (x**2).sum(-1) / 0.25, ""),
        "the variance for the deviation": (
            lambda x: (-2 * x**2 - math.log(0.25 * (2 * math.pi) ** 0.5)).sum(-1),
            "",
        ),
        "the density for its logarithm": (lambda x: Cloud().log_prob(x).exp(), ""),
        "one number for all rows": (lambda x: Cloud().log_prob(x).sum(), "shape"),
    },
    SUM: {
        "mean over dimensions for the sum": (lambda x: bernoulli(x) / 6, ""),
        "zeros not counted": (lambda x: (x * math.log(0.3)).sum(1), ""),
        "a thousandth too much": (lambda x: bernoulli(x) + 1e-3, ""),
        "one dimension left out": (lambda x: bernoulli(x[:, 1:]), ""),
        "the first row for all": (lambda x: bernoulli(x[:1]).expand(len(x)), ""),
    },
    SAMPLES: {
        "the variance for the deviation": (Cloud(std=0.25), ""),
        "the root of the deviation": (Cloud(std=math.sqrt(0.5)), ""),
        "shifted": (Cloud(offset=0.05), ""),
        "no noise": (Cloud(std=0.0), ""),
        "one sample for all": (Cloud(spoil=lambda x: x[:1].expand_as(x)), ""),
        "one number for both coordinates": (Cloud(spoil=lambda x: x[:, :1].expand_as(x)), ""),
        "samples of one number": (Cloud(spoil=lambda x: x[:, 0]), "shape"),
        "a sample of NaN": (Cloud(spoil=lambda x: torch.where(x == x.max(), math.nan, x)), "not-finite"),
    },
    SLANTED: {
        "coordinates drawn apart": (Slanted(spoil=shuffled), ""),
        "coordinates swapped": (Slanted(spoil=lambda x: x.flip(1)), ""),
        "mirrored": (Slanted(spoil=lambda x: -x), ""),
    },
}


def test_sum_refuses_too_many_dimensions():
    with pytest.raises(ValueError, match="dims: got 30"):
        sums_to_one(bernoulli, dims=30)
