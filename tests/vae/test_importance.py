"""The importance-weighted autoencoder against the plain one, and against an evidence that is known."""

import math

import pytest
import torch
from torch import nn

from gmcourse.laws.vae import importance as laws
from gmcourse.nets import mlp
from gmcourse.probability import gaussian_kl
from gmcourse.training import fit
from gmcourse.vae import IWAE, GaussianVAE, LinearGaussian
from gmcourse.vae.gaussian import log_evidence
from gmcourse.vae.importance import normalised_weights, signal_to_noise, weight_variance
from gmcourse.vae.likelihoods import Bernoulli, Gaussian


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def parts(seed=0):
    torch.manual_seed(seed)
    encoder = nn.Sequential(nn.Flatten(), mlp([6, 8, 4]))
    return encoder, nn.Sequential(mlp([2, 8, 6]), nn.Unflatten(1, (1, 2, 3))), Bernoulli(), 2


def pictures(n, seed=1):
    return torch.randint(0, 2, (n, 1, 2, 3), generator=seeded(seed)).float()


def slopes(model, loss):
    grads = torch.autograd.grad(loss, list(model.parameters()))
    return torch.cat([g.flatten() for g in grads])


def mean_slopes(model, loss, n=60):
    rows = []
    for seed in range(n):
        torch.manual_seed(seed)
        rows.append(slopes(model, loss()))
    rows = torch.stack(rows)
    return rows.mean(0), rows.std(0) / math.sqrt(n)


@pytest.mark.parametrize("doubly", [False, True])
def test_one_draw_is_the_elbo_s_gradient(doubly):
    """With the KL by the draw or in closed form, with autograd's gradient or the doubly reparameterised one."""
    x = pictures(40).repeat(40, 1, 1, 1)
    plain = GaussianVAE(*parts())
    (mean, error), (other, more) = (
        mean_slopes(model, lambda model=model: model.loss(x)) for model in (plain, IWAE(*parts(), 1, doubly))
    )
    assert ((mean - other).abs() <= 5 * (error + more) + 1e-6).all()


def test_both_gradients_have_one_mean_and_a_decoder_s_gradient():
    x = pictures(30).repeat(40, 1, 1, 1)
    plain, doubly = IWAE(*parts(), draws=4), IWAE(*parts(), draws=4, doubly=True)
    size = sum(p.numel() for p in plain.encoder.parameters())
    torch.manual_seed(0)
    first = slopes(plain, plain.loss(x))
    torch.manual_seed(0)
    second = slopes(doubly, doubly.loss(x))
    torch.testing.assert_close(first[size:], second[size:], rtol=1e-4, atol=1e-6)
    (mean, error), (other, more) = (mean_slopes(m, lambda m=m: m.loss(x)) for m in (plain, doubly))
    assert ((mean - other).abs() <= 5 * (error + more) + 1e-6).all()
    assert more[:size].norm() < error[:size].norm()


def test_the_loss_is_the_bound_with_either_gradient():
    x, values = pictures(5), []
    for doubly in (False, True):
        model = IWAE(*parts(), draws=7, doubly=doubly)
        torch.manual_seed(3)
        values.append(model.loss(x).item())
    expected = -log_evidence(model.log_weights(x, 7, rng=seeded(3))).mean().item()
    assert values == pytest.approx([expected] * 2, abs=1e-5)


def test_bounds_rise_to_the_evidence_of_a_linear_model():
    basis = torch.linalg.qr(torch.randn(4, 2, generator=seeded(), dtype=torch.float64))[0]
    truth = LinearGaussian(basis * torch.tensor([1.5, 0.8]), torch.zeros(4).double(), std=0.6)
    x = truth.sample(3, rng=seeded()).detach()
    mean, covariance = (t.detach() for t in truth.posterior(x))
    std = covariance.diagonal().sqrt()
    encoder, decoder = nn.Linear(4, 4).double(), nn.Linear(2, 4).double()
    weight = covariance @ truth.weight.detach().T / truth.std**2
    encoder.weight.data, encoder.bias.data = (
        torch.cat([weight, 0 * weight]),
        torch.cat([0.1 + 0 * std, (1.2 * std).log()]),
    )
    decoder.weight.data, decoder.bias.data = truth.weight.detach(), torch.zeros(4).double()
    model = IWAE(encoder, decoder, Gaussian(0.6).double(), 2)
    log_std, (q_mean, q_log_std) = std.log().expand_as(mean), (t.detach() for t in model.encode(x))
    kl = gaussian_kl(q_mean, q_log_std, mean, log_std)
    variance = weight_variance(mean, log_std, q_mean, q_log_std)
    laws.bounds_rise_to_the_evidence(model, x, truth.log_prob(x).detach(), kl, variance)


def test_a_guess_that_is_too_narrow_has_weights_of_infinite_variance():
    zero = torch.zeros(2, 1)
    assert weight_variance(zero, zero, zero, torch.tensor([[0.0], [math.log(0.7)]])).tolist() == [0.0, math.inf]


def toy_gradients(k, n, doubly, seed=0):
    """∂L_K/∂μ at q = N(0, 1), x = 1, n estimates: autograd's, or with w̃² and the path alone."""
    noise = torch.randn(k, n, generator=seeded(seed))
    centre = torch.zeros(n, requires_grad=True)
    z = centre + noise
    log_q = -0.5 * (z - (centre.detach() if doubly else centre)) ** 2
    log_w = -0.5 * (1 - z) ** 2 - 0.5 * z**2 - log_q
    if doubly:
        z.register_hook(lambda slope: normalised_weights(log_w) * slope)
        return torch.autograd.grad((normalised_weights(log_w) * log_w).sum(), centre)[0]
    return torch.autograd.grad(log_evidence(log_w).sum(), centre)[0]


def test_signal_to_noise_of_the_toy():
    """Exact at K = 1: 1/2 for autograd's gradient, 1 for the doubly reparameterised one."""
    for doubly, expected in ((False, 0.5), (True, 1.0)):
        assert signal_to_noise(toy_gradients(1, 200_000, doubly)).item() == pytest.approx(expected, rel=0.02)
    plain, better = (signal_to_noise(toy_gradients(100, 20_000, d)).item() for d in (False, True))
    assert plain < 0.08
    assert better > 4


def test_it_trains_and_says_what_it_is():
    model = IWAE(*parts(), draws=3, doubly=True)
    history = fit(model, (pictures(64),), steps=60, batch_size=16, lr=1e-2, progress=False)
    assert sum(history["loss"][-10:]) < sum(history["loss"][:10])
    assert "draws=3, doubly=True" in repr(model)
    assert model.loss(pictures(0)).isnan()  # the mean of no rows
    with pytest.raises(ValueError, match="draws: got 0"):
        IWAE(*parts(), draws=0)
