"""The β-VAE: what its loss weighs, what its evaluation leaves alone, and the linear one in closed form."""

import math

import pytest
import torch
from torch import nn

from gmcourse.data import load
from gmcourse.nets import mlp
from gmcourse.probability import gaussian_kl
from gmcourse.training import fit
from gmcourse.vae import BetaVAE, GaussianVAE
from gmcourse.vae.balanced import active_latents, free_bits, latent_kl, linear_code, rate_distortion, warm_up
from gmcourse.vae.likelihoods import Bernoulli, Gaussian
from gmcourse.vae.linear import best_linear_elbo


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def parts(likelihood=None, seed=0):
    torch.manual_seed(seed)
    encoder = nn.Sequential(nn.Flatten(), mlp([6, 8, 4]))
    decoder = nn.Sequential(mlp([2, 8, 6]), nn.Unflatten(1, (1, 2, 3)))
    return encoder, decoder, likelihood or Bernoulli(), 2


def pictures(n, seed=1):
    return torch.randint(0, 2, (n, 1, 2, 3), generator=seeded(seed)).float()


def test_the_kl_of_each_latent_adds_to_the_whole():
    mean, log_std = torch.randn(2, 5, 3, generator=seeded())
    torch.testing.assert_close(latent_kl(mean, log_std).sum(1), gaussian_kl(mean, log_std))


def test_at_beta_one_the_loss_is_the_vae_s():
    x, losses = pictures(20), []
    for model in (GaussianVAE(*parts()), BetaVAE(*parts(), beta=1.0)):
        torch.manual_seed(5)
        losses.append(model.loss(x))
    torch.testing.assert_close(*losses)


def test_beta_weighs_the_loss_and_never_the_bound():
    x = pictures(20)
    light, heavy = BetaVAE(*parts(), beta=0.1), BetaVAE(*parts(), beta=10.0)
    kl = gaussian_kl(*light.encode(x)).mean()
    losses = []
    for model in (light, heavy):
        torch.manual_seed(5)
        losses.append(model.loss(x))
    torch.testing.assert_close(losses[1] - losses[0], 9.9 * kl)
    torch.testing.assert_close(light.elbo(x, rng=seeded()), heavy.elbo(x, rng=seeded()))
    torch.testing.assert_close(light.log_weights(x, 3, rng=seeded()), heavy.log_weights(x, 3, rng=seeded()))


def test_a_latent_below_the_floor_has_no_gradient():
    kl = torch.tensor([[0.1, 2.0], [0.3, 1.0]], requires_grad=True)
    value = free_bits(kl, 0.5)
    assert value.item() == pytest.approx(0.5 + 1.5)
    assert torch.autograd.grad(value, kl)[0].tolist() == [[0.0, 0.5], [0.0, 0.5]]


def test_beta_rises_with_the_steps_of_training_alone():
    assert [warm_up(step, 4) for step in (0, 2, 4, 9)] == [0.0, 0.5, 1.0, 1.0]
    assert warm_up(0, 0) == 1.0
    model = BetaVAE(*parts(), beta=2.0, warm=10)
    for _ in range(3):
        model.loss(pictures(8))
    assert int(model.steps) == 0
    fit(model, (pictures(32),), steps=7, batch_size=8, lr=1e-3, progress=False)
    assert int(model.steps) == 7
    assert "steps" in model.state_dict()


def test_active_latents_are_those_whose_mean_moves():
    mean = torch.randn(500, 3, generator=seeded()) * torch.tensor([1.0, 0.05, 0.5])
    assert active_latents(mean).tolist() == [True, False, True]


def test_the_best_linear_code_has_the_best_linear_elbo():
    """At β = 1 rate and distortion are those of lesson 4.1's theorem: their ELBO is its bound."""
    x = load("digits").train.flatten(1).double()
    eigenvalues = torch.linalg.eigvalsh(torch.cov(x.T, correction=0)).flip(0).clamp(min=0)
    for variance in (0.4, 0.1, 0.02):
        rate, lost = linear_code(eigenvalues, 1.0, variance)
        elbo = -lost.sum() / (2 * variance) - 32 * math.log(2 * math.pi * variance) - rate.sum()
        assert elbo.item() == pytest.approx(best_linear_elbo(x, math.sqrt(variance))[0], abs=1e-6)


def test_only_the_product_of_beta_and_the_noise_counts():
    eigenvalues = torch.tensor([2.0, 0.5, 0.1])
    for a, b in zip(linear_code(eigenvalues, 4.0, 0.1), linear_code(eigenvalues, 1.0, 0.4), strict=True):
        torch.testing.assert_close(a, b)


def test_a_linear_beta_vae_learns_the_code():
    """θ = 0.4: three directions of eight, at the rate and the distortion of the water line."""
    scales = torch.tensor([1.5, 1.0, 0.8, 0.4, 0.3, 0.2, 0.1, 0.05])
    x = torch.randn(2000, 8, generator=seeded()) * scales
    eigenvalues = torch.linalg.eigvalsh(torch.cov(x.T, correction=0)).flip(0)
    torch.manual_seed(0)
    model = BetaVAE(nn.Linear(8, 8), nn.Linear(4, 8), Gaussian(math.sqrt(0.1)), 4, beta=4.0)
    fit(model, (x,), steps=600, batch_size=500, lr=lambda k: 2e-2 * (1 - k / 600), progress=False)
    rate, lost = (part.sum().item() for part in linear_code(eigenvalues, 4.0, 0.1))
    seen = rate_distortion(model, x.repeat(20, 1), rng=seeded())
    assert seen.rate == pytest.approx(rate, abs=0.05)
    assert seen.distortion == pytest.approx(lost, abs=0.03)


def test_what_it_refuses():
    with pytest.raises(ValueError, match="beta, floor, warm"):
        BetaVAE(*parts(), beta=-1.0)
    with pytest.raises(ValueError, match="floor: got -1"):
        free_bits(torch.ones(2, 2), -1.0)
    with pytest.raises(ValueError, match="both positive"):
        linear_code(torch.ones(2), 0.0, 1.0)
    assert "beta=4.0, floor=0.0, warm=0" in repr(BetaVAE(*parts()))
