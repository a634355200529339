"""A model of densities as one of levels: its mass, its samples, and what it sees."""

import math

import pytest
import torch
from torch import nn

from gmcourse.catalogue import find
from gmcourse.comparison.discrete import Leveled, quantised
from gmcourse.comparison.entrants import enter
from gmcourse.flows.dequantise import Logit
from gmcourse.flows.flow import Flow


class Slope(nn.Module):
    """p(v) = Π (½ + v) on [0, 1)^D, whose mass in the bin [k/V, (k+1)/V) is known."""

    def log_prob(self, v):
        return torch.log(0.5 + v).flatten(1).sum(1)

    def loss(self, v):
        return -self.log_prob(v).mean()

    def sample(self, n, *, rng=None):
        u = torch.rand(n, 2, generator=rng)
        return -0.5 + (0.25 + 2 * u).sqrt()  # the inverse of v/2 + v²/2


def mass(levels):
    """(V,): what a bin holds."""
    edges = torch.arange(levels + 1, dtype=torch.float64) / levels
    return (edges / 2 + edges**2 / 2).diff()


def test_its_bound_lies_just_below_the_mass_of_the_bin():
    levels = 5
    model = Leveled(Slope(), (1, 1, 2), (2,), levels)
    x = torch.tensor([[0, 4], [3, 1]]).view(2, 1, 1, 2) / 4
    rng = torch.Generator().manual_seed(0)
    bound = torch.stack([model.elbo(x, rng=rng) for _ in range(4_000)]).double()
    exact = mass(levels).log()[torch.tensor([[0, 4], [3, 1]])].sum(1)
    gap = exact - bound.mean(0)
    assert (gap > -4 * bound.std(0) / math.sqrt(4_000)).all()
    assert (gap < 0.02).all()  # ½ Var of ln p in a bin, by Jensen


def test_its_samples_have_the_mass_of_the_bins():
    model = Leveled(Slope(), (1, 1, 2), (2,), 5)
    x = model.sample(20_000, rng=torch.Generator().manual_seed(0))
    assert x.shape == (20_000, 1, 1, 2)
    seen = (x * 4).round().long().flatten().bincount(minlength=5) / 40_000
    torch.testing.assert_close(seen.double(), mass(5), atol=0.01, rtol=0)


def test_what_lies_outside_goes_to_the_nearest_level():
    model = Leveled(Slope(), (1, 1, 3), (3,), 17)
    assert model.pictures(torch.tensor([[-0.3, 0.999, 1.7]])).flatten().tolist() == [0, 1, 1]


def test_the_noise_stays_in_the_bin():
    model = Leveled(Slope(), (1, 8, 8), (64,))
    x = quantised(torch.rand(50, 1, 8, 8))
    v = model.continuous(x)
    assert v.shape == (50, 64)
    torch.testing.assert_close((v * 17).floor(), (x * 16).round().flatten(1))


@pytest.mark.parametrize(("key", "sees_logits"), [("realnvp", True), ("maf", True), ("flow-matching", False)])
def test_a_flow_fitted_by_its_likelihood_sees_logits(key, sees_logits):
    model = enter(find(key), "digits", steps=5).model
    assert isinstance(model, Leveled)
    assert isinstance(model.model, Flow)
    assert isinstance(model.model.bijections[0], Logit) == sees_logits


def test_the_nearest_level():
    assert quantised(torch.tensor([-1.0, 0.02, 0.04, 0.5, 3.0])).tolist() == [0, 0, 1 / 16, 0.5, 1]
