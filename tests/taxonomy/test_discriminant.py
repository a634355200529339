"""The border between two Gaussian classes, by Bayes' rule from their densities."""

import math

import pytest
import torch
from torch.distributions import MultivariateNormal, Normal

from gmcourse.taxonomy.discriminant import lda_logit


def by_bayes(x, means, cov, prior):
    """ln π p(x|1) − ln (1 − π) p(x|0)."""
    one, zero = (MultivariateNormal(mean, cov).log_prob(x) for mean in (means[1], means[0]))
    return one - zero + math.log(prior) - math.log(1 - prior)


def problem(dims, dtype=torch.float64):
    rng = torch.Generator().manual_seed(dims)
    root = torch.randn(dims, dims, generator=rng, dtype=dtype)
    x, means = (torch.randn(n, dims, generator=rng, dtype=dtype) for n in (7, 2))
    return x, means, root @ root.T + torch.eye(dims, dtype=dtype)


@pytest.mark.parametrize("prior", [0.5, 0.1, 0.9])
@pytest.mark.parametrize("dims", [1, 2, 5])
def test_it_is_bayes_rule(dims, prior):
    x, means, cov = problem(dims)
    torch.testing.assert_close(lda_logit(x, means, cov, prior), by_bayes(x, means, cov, prior))


def test_equal_priors_are_the_default_and_single_precision_stays():
    x, means, cov = problem(3, torch.float32)
    found = lda_logit(x, means, cov)
    assert found.dtype == torch.float32
    assert found.shape == (7,)
    torch.testing.assert_close(found, by_bayes(x, means, cov, 0.5), rtol=1e-4, atol=1e-4)


def test_it_can_be_differentiated_in_every_argument():
    x, means, cov = (part.requires_grad_() for part in problem(2))
    assert torch.autograd.gradcheck(lda_logit, (x, means, cov, 0.3))


def test_symmetric_and_shifted_classes_on_a_line():
    x = torch.tensor([[-1.0], [0.5], [10.0]])
    symmetric = lda_logit(x, torch.tensor([[-1.0], [1.0]]), torch.eye(1))
    torch.testing.assert_close(symmetric, 2 * x[:, 0])
    assert torch.sigmoid(-symmetric[2]).item() == pytest.approx(2e-9, rel=0.05)
    shifted = lda_logit(x, torch.tensor([[0.0], [3.0]]), torch.eye(1))
    torch.testing.assert_close(shifted, 3 * x[:, 0] - 4.5)


def test_correlated_classes_use_the_coordinate_that_alone_tells_nothing():
    cov = torch.tensor([[1.0, 0.8], [0.8, 1.0]])
    means = torch.tensor([[-1.0, 0.0], [1.0, 0.0]])
    found = lda_logit(torch.eye(2), means, cov)
    torch.testing.assert_close(found, torch.tensor([2 / 0.36, -1.6 / 0.36]))


def test_the_error_that_it_leaves():
    """N(−1, 1) against N(1, 1): the share on the wrong side of the border is Φ(−1)."""
    x = torch.linspace(-9, 11, 200_001, dtype=torch.float64)[:, None]
    means = torch.tensor([[-1.0], [1.0]], dtype=torch.float64)
    taken_for_zero = lda_logit(x, means, torch.eye(1, dtype=torch.float64)) < 0
    height = Normal(1.0, 1.0).log_prob(x[:, 0]).exp()
    assert (height * taken_for_zero).sum().item() * 1e-4 == pytest.approx(0.158655, abs=2e-5)


@pytest.mark.parametrize("prior", [0.0, 1.0, -0.1, 2.0, math.nan])
def test_a_prior_that_is_no_probability(prior):
    with pytest.raises(ValueError, match="prior: got .*, expected a probability between 0 and 1"):
        lda_logit(torch.zeros(1, 1), torch.zeros(2, 1), torch.eye(1), prior)
