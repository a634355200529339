"""The Gaussian VAE against evidences that are known: linear decoders, and pictures few enough to be counted."""

import itertools
import math

import pytest
import torch
import torch.distributions as td
from torch import nn

from gmcourse.data import Dataset
from gmcourse.nets import mlp
from gmcourse.probability import gaussian_kl
from gmcourse.vae import GaussianVAE, LinearGaussian
from gmcourse.vae.gaussian import gaussian_vae_plan, log_evidence, log_weight, make_gaussian_vae, reparameterize
from gmcourse.vae.importance import iwae_plan, make_iwae
from gmcourse.vae.likelihoods import Bernoulli, Gaussian


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def affine(weight, bias):
    layer = nn.Linear(*weight.T.shape, dtype=weight.dtype)
    layer.load_state_dict({"weight": weight, "bias": bias})
    return layer


@pytest.fixture
def linear():
    """Orthogonal columns, so that the posterior is diagonal and a GaussianVAE can hold it exactly."""
    basis = torch.linalg.qr(torch.randn(4, 2, generator=seeded(), dtype=torch.float64))[0]
    return LinearGaussian(basis * torch.tensor([2.0, 0.7]), torch.arange(4.0).double(), std=0.5)


def as_vae(linear, spread=1.0):
    """The same model as a GaussianVAE with the exact posterior, its standard deviations times `spread`."""
    _, covariance = linear.posterior(torch.zeros(1, 4).double())
    std = covariance.diagonal().sqrt()
    weight = covariance @ linear.weight.T / linear.std**2
    zeros = torch.zeros_like(weight)
    encoder = affine(torch.cat([weight, zeros]), torch.cat([-weight @ linear.bias, (spread * std).log()]))
    decoder = affine(linear.weight.detach(), linear.bias.detach())
    return GaussianVAE(encoder, decoder, Gaussian(linear.std).double(), latent_size=2)


def tiny(latent_size=2, seed=0):
    """Four binary pixels."""
    torch.manual_seed(seed)
    encoder = nn.Sequential(nn.Flatten(), mlp([4, 8, 2 * latent_size]))
    decoder = nn.Sequential(mlp([latent_size, 8, 4]), nn.Unflatten(1, (1, 2, 2)))
    return GaussianVAE(encoder, decoder, Bernoulli(), latent_size).double()


def all_pictures():
    return torch.tensor(list(itertools.product([0.0, 1.0], repeat=4)), dtype=torch.float64).view(16, 1, 2, 2)


def test_reparameterize():
    mean, log_std = torch.tensor([[1.0, -2.0]]), torch.tensor([[0.0, math.log(3.0)]])
    assert torch.equal(reparameterize(mean, log_std, torch.zeros(1, 2)), mean)
    torch.testing.assert_close(reparameterize(mean, log_std, torch.ones(1, 2)), torch.tensor([[2.0, 1.0]]))
    z = reparameterize(mean, log_std, torch.randn(100_000, 2, generator=seeded()))
    torch.testing.assert_close(z.std(0), torch.tensor([1.0, 3.0]), rtol=0.02, atol=0)


def test_log_evidence_is_the_log_of_the_mean_weight():
    weights = torch.rand(7, 3, generator=seeded())
    torch.testing.assert_close(log_evidence(weights.log()), weights.mean(0).log())
    assert log_evidence(torch.full((5, 2), -5000.0)).tolist() == [-5000.0] * 2


def test_with_the_exact_posterior_every_weight_is_the_evidence(linear):
    x = linear.sample(6, rng=seeded())
    weights = as_vae(linear).log_weights(x, 5, rng=seeded())
    torch.testing.assert_close(weights, linear.log_prob(x).expand(5, 6), rtol=1e-6, atol=1e-6)


def test_the_elbo_falls_short_by_the_divergence_of_q_from_the_posterior(linear):
    x = linear.sample(4, rng=seeded()).repeat(20_000, 1)
    values = as_vae(linear, spread=1.5).elbo(x, rng=seeded()).view(-1, 4)
    gap = 2 * gaussian_kl(torch.zeros(1, 1), torch.full((1, 1), math.log(1.5))).item()
    error = values.std(0) / math.sqrt(len(values))
    assert ((values.mean(0) - (linear.log_prob(x[:4]) - gap)).abs() < 4 * error).all()


def test_more_draws_are_tighter_and_never_above_in_the_mean(linear):
    x = linear.sample(4, rng=seeded())
    vae, exact = as_vae(linear, spread=1.5), linear.log_prob(x).mean()
    weights = vae.log_weights(x, 40_000, rng=seeded()).view(-1, 4, 10, 4)
    bounds = [weights[:, :, :k].logsumexp(2).sub(math.log(k)).mean() for k in (1, 2, 10)]
    assert bounds[0] < bounds[1] < bounds[2] < exact + 0.01
    torch.testing.assert_close(log_evidence(weights.flatten(0, 2)).mean(), exact, rtol=0, atol=0.02)


def test_elbo_and_log_weights_have_one_mean():
    vae, x = tiny(), all_pictures()[5:6]
    elbo = vae.elbo(x.expand(50_000, -1, -1, -1), rng=seeded())
    weights = vae.log_weights(x, 50_000, rng=seeded(1))[:, 0]
    error = math.hypot(elbo.std().item(), weights.std().item()) / math.sqrt(50_000)
    assert abs(elbo.mean() - weights.mean()).item() < 4 * error


def test_log_weights_is_the_formula_by_torch_distributions():
    vae, x = tiny(), all_pictures()[:3]
    weights = vae.log_weights(x, 2, rng=seeded())
    mean, log_std = vae.encode(x)
    q = td.Normal(mean, log_std.exp())
    z = mean + log_std.exp() * torch.randn(6, 2, generator=seeded(), dtype=torch.float64).view(2, 3, 2)
    likelihood = td.Bernoulli(logits=vae.decoder(z.flatten(0, 1))).log_prob(x.repeat(2, 1, 1, 1)).sum((1, 2, 3))
    prior = td.Normal(0.0, 1.0).log_prob(z).sum(2)
    torch.testing.assert_close(weights, likelihood.view(2, 3) + prior - q.log_prob(z).sum(2))


def test_the_mass_of_all_pictures_is_one():
    mass = log_evidence(tiny().log_weights(all_pictures(), 20_000, rng=seeded())).exp()
    assert mass.sum().item() == pytest.approx(1.0, abs=0.02)


def test_samples_have_the_probabilities_of_the_evidence():
    vae, pictures, n = tiny(), all_pictures(), 40_000
    expected = log_evidence(vae.log_weights(pictures, 20_000, rng=seeded())).exp()
    codes = vae.sample(n, rng=seeded(1)).flatten(1) @ torch.tensor([8.0, 4.0, 2.0, 1.0]).double()
    found = torch.bincount(codes.long(), minlength=16) / n
    assert ((found - expected).abs() < 5 * (expected * (1 - expected) / n).sqrt() + 0.005).all()


def test_samples_of_a_gaussian_decoder_carry_its_noise(linear):
    vae = as_vae(linear)
    covariance = linear.weight @ linear.weight.T
    noise = linear.std**2 * torch.eye(4)
    torch.testing.assert_close(
        vae.sample(40_000, rng=seeded()).T.cov(), (covariance + noise).detach(), rtol=0, atol=0.1
    )
    torch.testing.assert_close(vae.sample_mean(40_000, rng=seeded()).T.cov(), covariance.detach(), rtol=0, atol=0.1)


def test_the_mean_picture_is_no_sample():
    vae = tiny()
    assert set(vae.sample(8, rng=seeded()).unique().tolist()) == {0.0, 1.0}
    means = vae.sample_mean(8, rng=seeded())
    assert ((means > 0) & (means < 1)).all()
    assert means.shape == (8, 1, 2, 2)


def test_reconstruction_is_the_mean_at_the_mean_code_and_not_random():
    torch.manual_seed(0)
    vae = GaussianVAE(mlp([4, 8, 4], dropout=0.5), mlp([2, 8, 4], dropout=0.5), Bernoulli(), latent_size=2)
    x = all_pictures().flatten(1).float()
    picture = vae.train().reconstruct(x)
    assert torch.equal(picture, vae.reconstruct(x))
    assert vae.training
    assert not picture.requires_grad
    vae.eval()
    torch.testing.assert_close(picture, vae.decoder(vae.encode(x)[0]).sigmoid())


def test_a_weight_is_the_joint_over_the_guess():
    z, mean, log_std, m, log_tau = torch.randn(5, 6, 3, generator=seeded(), dtype=torch.float64)
    log_p = torch.arange(6.0).double()
    log_q, log_prior, log_unit = (
        td.Normal(centre, log_spread.exp()).log_prob(z).sum(1)
        for centre, log_spread in ((mean, log_std), (m, log_tau), (0 * m, 0 * m))
    )
    torch.testing.assert_close(log_weight(log_p, z, (mean, log_std), (m, log_tau)), log_p + log_prior - log_q)
    torch.testing.assert_close(log_weight(log_p, z, (mean, log_std)), log_p + log_unit - log_q)


def test_the_loss_is_the_negative_mean_elbo():
    vae, x = tiny(), all_pictures()
    torch.manual_seed(3)
    loss = vae.loss(x)
    torch.manual_seed(3)
    torch.testing.assert_close(loss, -vae.elbo(x).mean())


def test_no_samples():
    assert tiny().sample(0).shape == (0, 1, 2, 2)


def test_there_is_no_log_prob():
    assert not hasattr(tiny(), "log_prob")


def test_an_encoder_of_the_wrong_width_is_named():
    vae = GaussianVAE(nn.Linear(4, 3), nn.Linear(2, 4), Bernoulli(), latent_size=2)
    with pytest.raises(ValueError, match=r"encoder: gave shape \(5, 3\) .* expected \(batch, 4\)"):
        vae.elbo(torch.zeros(5, 4))
    with pytest.raises(ValueError, match="latent_size: got 0"):
        GaussianVAE(nn.Linear(4, 3), nn.Linear(2, 4), Bernoulli(), latent_size=0)


@pytest.mark.parametrize("likelihood", [Bernoulli(), Gaussian(0.5)])
def test_a_decoder_of_the_wrong_shape_is_named(likelihood):
    """One number for four pixels would broadcast."""
    vae = GaussianVAE(nn.Linear(4, 4), nn.Linear(2, 1), likelihood, latent_size=2)
    for call in (vae.elbo, vae.loss, lambda x: vae.log_weights(x, 3)):
        with pytest.raises(ValueError, match=r"decoder: gave shape \(\d+, 1\), expected that of x, \(\d+, 4\)"):
            call(torch.zeros(5, 4))
    deaf = GaussianVAE(nn.Linear(4, 4), mlp([2, 4]), likelihood, latent_size=2)
    deaf.decoder.register_forward_hook(lambda module, given, out: out[:1])
    with pytest.raises(ValueError, match=r"decoder: gave shape \(1, 4\)"):
        deaf.elbo(torch.zeros(5, 4))


def test_decode_gives_the_mean_of_each_latent():
    vae, z = tiny(), torch.randn(6, 2, generator=seeded()).double()
    assert torch.equal(vae.decode(z), vae.decoder(z).sigmoid())
    assert torch.equal(vae.decode(vae.encode(all_pictures())[0]), vae.reconstruct(all_pictures()))
    vae.decode(z.requires_grad_()).sum().backward()
    assert z.grad.any()
    with pytest.raises(ValueError, match=r"z: got shape \(6, 3\), expected \(batch, 2\)"):
        vae.decode(torch.zeros(6, 3))
    with pytest.raises(ValueError, match=r"z: got shape \(2,\), expected \(batch, 2\)"):
        vae.decode(torch.zeros(2))


@pytest.mark.parametrize("method", ["sample", "sample_mean"])
def test_draws_come_from_the_generator_alone(method):
    draw, before = getattr(tiny(), method), torch.get_rng_state()
    first, again, other = (draw(5, rng=seeded(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)
    with pytest.raises(ValueError, match="n: got -1"):
        draw(-1)


def test_no_rows():
    vae, none = tiny(), all_pictures()[:0]
    assert vae.elbo(none).shape == (0,)
    assert vae.log_weights(none, 3).shape == (3, 0)
    assert vae.reconstruct(none).shape == vae.sample_mean(0).shape == (0, 1, 2, 2)


def large(values, n=200):
    """Images of 16 × 18 pixels, of which the first is always off."""
    x = values(n, 1, 16, 18)
    x[..., 0, 0] = 0
    return Dataset.from_tensors(x)


def test_large_binary_images_have_the_networks_of_burda_et_al():
    torch.manual_seed(0)
    data = large(lambda *shape: (torch.rand(shape) < 0.2).float())
    made, other = make_gaussian_vae(data), make_iwae(data)
    sizes = [layer.weight.shape for layer in made.modules() if isinstance(layer, nn.Linear)]
    assert sizes == [(200, 288), (200, 200), (100, 200), (200, 50), (200, 200), (288, 200)]
    assert str(made.encoder) == str(other.encoder)
    assert str(made.decoder) == str(other.decoder)
    assert sum(isinstance(layer, nn.Tanh) for layer in made.modules()) == 4
    assert gaussian_vae_plan(data)["steps"] == iwae_plan(data)["steps"] == 6_000
    logits = made.decoder(torch.zeros(1, 50))[0]
    means = logits.sigmoid()
    assert torch.isfinite(logits).all()
    assert means[0, 0, 0] < 0.01
    torch.testing.assert_close(means, data.train.mean(0), atol=0.01, rtol=0)
    assert made.sample(3, rng=seeded()).shape == (3, 1, 16, 18)


def test_large_grey_images_have_convolutions_where_four_divides_their_sides():
    torch.manual_seed(0)
    grey = Dataset.from_tensors(torch.rand(20, 1, 16, 16))
    assert any(isinstance(layer, nn.Conv2d) for layer in make_gaussian_vae(grey).modules())
    assert isinstance(make_gaussian_vae(grey).likelihood, Gaussian)
    assert not any(isinstance(layer, nn.Conv2d) for layer in make_gaussian_vae(large(torch.rand)).modules())
    assert gaussian_vae_plan(grey)["steps"] == 2 * iwae_plan(grey)["steps"] == 8_000
