"""The mixture that the chapter is measured by, against autograd, torch's own mixture and quadrature."""

import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from gmcourse.protocols import Density, Sampler, Scored
from gmcourse.scores.mixture import NoisedMixture


@pytest.fixture
def mixture():
    rng = torch.Generator().manual_seed(0)
    means = torch.randn(3, 2, generator=rng, dtype=torch.float64)
    return NoisedMixture(means, torch.tensor([0.3, 0.5, 0.8]).double(), torch.tensor([0.2, 0.3, 0.5]).double())


def test_its_density_is_that_of_torch_at_every_level(mixture):
    x = torch.randn(5, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    for sigma in (0.0, 0.4, 3.0):
        spread = (mixture.stds**2 + sigma**2).sqrt()[:, None].expand(3, 2)
        oracle = MixtureSameFamily(Categorical(mixture.weights), Independent(Normal(mixture.means, spread), 1))
        torch.testing.assert_close(mixture.log_prob(x, sigma), oracle.log_prob(x))


def test_its_score_is_the_gradient_and_the_denoiser_is_tweedies(mixture):
    x = 2 * torch.randn(5, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    sigma = torch.tensor([0.1, 0.5, 1.0, 2.0, 5.0]).double()
    slope = torch.autograd.grad(mixture.log_prob(x.requires_grad_(), sigma).sum(), x)[0]
    torch.testing.assert_close(mixture.score(x, sigma), slope)
    torch.testing.assert_close(mixture.denoise(x, sigma), x + sigma[:, None] ** 2 * slope)
    assert isinstance(mixture, Density | Sampler | Scored)


def test_the_denoiser_is_the_mean_of_what_it_may_have_been():
    line = NoisedMixture(torch.tensor([[-2.0], [1.0]]).double(), 0.5, torch.tensor([0.7, 0.3]).double())
    clean, x = torch.linspace(-12, 12, 4801, dtype=torch.float64), torch.tensor([[-1.0], [0.3], [4.0]]).double()
    weights = (line.log_prob(clean[:, None]) - (x - clean) ** 2 / (2 * 0.9**2)).softmax(1)
    torch.testing.assert_close(line.denoise(x, 0.9)[:, 0], weights @ clean, atol=1e-8, rtol=0)


def test_its_draws_have_its_mean_and_its_shares(mixture):
    draws = mixture.sample(40_000, rng=torch.Generator().manual_seed(2))
    assert (draws.mean(0) - mixture.weights @ mixture.means).abs().max() < 0.03
    assert (mixture.shares(draws, 0.0).mean(0) - mixture.weights).abs().max() < 0.01


def test_weights_that_are_none_are_refused():
    with pytest.raises(ValueError, match=r"weights: got \[0.5, 0.75\], expected 2 numbers of sum 1"):
        NoisedMixture(torch.zeros(2, 1).double(), 1.0, torch.tensor([0.5, 0.75]).double())
