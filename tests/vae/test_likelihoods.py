"""Decoders' distributions: density, mean and draws belong together."""

import math

import pytest
import torch
import torch.distributions as td

from gmcourse.data import Dataset
from gmcourse.vae.likelihoods import Bernoulli, Categorical, Gaussian, likelihood_for


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_bernoulli():
    logits = torch.randn(3, 1, 2, 2, generator=seeded())
    x = (logits > 0.3).float()
    oracle = td.Independent(td.Bernoulli(logits=logits), 3)
    torch.testing.assert_close(Bernoulli().log_prob(x, logits), oracle.log_prob(x))
    torch.testing.assert_close(Bernoulli().mean(logits), oracle.mean)
    draws = Bernoulli().draw(logits.expand(3, 20_000, 2, 2).contiguous(), seeded())
    assert set(draws.unique().tolist()) == {0.0, 1.0}
    torch.testing.assert_close(draws.mean(1, keepdim=True), oracle.mean, rtol=0, atol=0.02)


def test_categorical():
    logits = torch.randn(3, 5, 1, 2, 2, generator=seeded())
    codes = torch.randint(0, 5, (3, 1, 2, 2), generator=seeded())
    oracle = td.Independent(td.Categorical(logits=logits.movedim(1, -1)), 3)
    likelihood = Categorical(5)
    torch.testing.assert_close(likelihood.log_prob(codes / 4, logits), oracle.log_prob(codes))
    levels = torch.arange(5) / 4
    torch.testing.assert_close(likelihood.mean(logits), (logits.softmax(1).movedim(1, -1) * levels).sum(-1))
    draws = likelihood.draw(logits.repeat(10_000, 1, 1, 1, 1), seeded()).view(10_000, 3, 1, 2, 2)
    assert draws.unique().tolist() == levels.tolist()
    torch.testing.assert_close(draws.mean(0), likelihood.mean(logits), rtol=0, atol=0.02)
    for wrong in (torch.full((3, 1, 2, 2), 0.3), torch.full((3, 1, 2, 2), 1.25), torch.full((3, 1, 2, 2), -0.25)):
        with pytest.raises(ValueError, match="x: got .* expected only k/4"):
            likelihood.log_prob(wrong, logits)
    with pytest.raises(ValueError, match="levels: got 1"):
        Categorical(1)


@pytest.mark.parametrize("shape", [(), (1, 2, 2), (1, 1, 1)], ids=str)
def test_gaussian(shape):
    likelihood = Gaussian(0.3, shape=shape)
    mean = torch.randn(3, 1, 2, 2, generator=seeded())
    x = mean + 0.1
    oracle = td.Independent(td.Normal(mean, 0.3), 3)
    torch.testing.assert_close(likelihood.log_prob(x, mean), oracle.log_prob(x))
    assert torch.equal(likelihood.mean(mean), mean)
    draws = likelihood.draw(mean.repeat(10_000, 1, 1, 1), seeded()).view(10_000, 3, 1, 2, 2)
    torch.testing.assert_close(draws.mean(0), mean, rtol=0, atol=0.02)
    torch.testing.assert_close(draws.std(0), torch.full_like(mean, 0.3), rtol=0.05, atol=0)


def test_each_pixel_may_have_its_own_spread():
    likelihood = Gaussian(1.0, learned=True, shape=(2,))
    with torch.no_grad():
        likelihood.log_std.copy_(torch.tensor([0.0, math.log(2.0)]))
    x, mean = torch.zeros(4, 2), torch.ones(4, 2)
    oracle = td.Independent(td.Normal(mean, torch.tensor([1.0, 2.0])), 1)
    torch.testing.assert_close(likelihood.log_prob(x, mean), oracle.log_prob(x))


def test_the_best_shared_spread_is_the_root_mean_square_error():
    likelihood = Gaussian(1.0, learned=True)
    x = torch.randn(50, 4, generator=seeded())
    with torch.no_grad():
        likelihood.log_std.copy_((x**2).mean().sqrt().log())
    likelihood.log_prob(x, torch.zeros(50, 4)).sum().backward()
    assert likelihood.log_std.grad.item() == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("learned", [True, False])
def test_the_spread_is_learned_on_request_and_always_kept(learned):
    likelihood = Gaussian(0.5, learned=learned)
    assert [p.requires_grad for p in likelihood.parameters()] == [learned]
    assert "log_std" in likelihood.state_dict()


@pytest.mark.parametrize(("shade", "kind"), [(1.0, Bernoulli), (0.5, Gaussian)])
def test_only_binary_data_have_a_bernoulli_likelihood(shade, kind):
    x = torch.tensor([[0.0, shade]])
    likelihood = likelihood_for(Dataset("own", "own", x, x, x, None, (2,), "none", "drawn"))
    assert isinstance(likelihood, kind)
    assert all(p.requires_grad for p in likelihood.parameters())
    assert isinstance(likelihood_for(), Bernoulli)


@pytest.mark.parametrize("std", [0.0, -1.0, math.nan])
def test_a_spread_that_is_not_positive(std):
    with pytest.raises(ValueError, match="std: got"):
        Gaussian(std)


@pytest.mark.parametrize("likelihood", [Bernoulli(), Gaussian(0.5)])
def test_draws_come_from_the_generator(likelihood):
    before = torch.get_rng_state()
    first, again, other = (likelihood.draw(torch.zeros(3, 5), seeded(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)
