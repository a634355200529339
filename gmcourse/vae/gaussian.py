"""The Gaussian variational autoencoder: a Gaussian posterior, a Gaussian prior, any decoder."""

import math
from typing import Any

import torch
from torch import Generator, Tensor, nn

from gmcourse.nets import conv_decoder, conv_encoder, evaluating, mlp, sampling
from gmcourse.probability import gaussian_kl, gaussian_log_prob, is_binary, noise_like
from gmcourse.protocols import Bounded, ImportanceWeighted, Sampler, Trainable
from gmcourse.record import IMAGES, VECTORS, Examples, ModelRecord, binary_images, held_then_falling_plan, shape_of
from gmcourse.vae.likelihoods import Bernoulli, Likelihood, likelihood_for

Moments = tuple[Tensor | float, Tensor | float]
"""Mean and log_std of a Gaussian."""


def reparameterize(mean: Tensor, log_std: Tensor, noise: Tensor) -> Tensor:
    """z = μ + e^s ε: a draw of N(μ, e^{2s}) as a differentiable function of μ and s; all of one shape.

    Equation: vae-reparameterisation. Kingma & Welling 2014, eq. 4.
    """
    return mean + log_std.exp() * noise


def log_weight(log_likelihood: Tensor, z: Tensor, q: Moments, prior: Moments = (0.0, 0.0)) -> Tensor:
    """ln w = ln p(x|z) + ln N(z; m, τ²) − ln N(z; μ, e^{2s}), (n,), nats, of ln p(x|z) (n,) at z (n, L).

    `q` is μ and s, `prior` is m and ln τ, (n, L) each; without it N(0, I). Equation: vae-weight.
    """
    return log_likelihood + gaussian_log_prob(z, *prior) - gaussian_log_prob(z, *q)


def repeated(t: Tensor, k: int) -> Tensor:
    """k copies of a batch, one after another: (batch, …) → (k·batch, …)."""
    return t.repeat(k, *[1] * (t.dim() - 1))


def log_evidence(log_weights: Tensor) -> Tensor:
    """ln (1/K) Σ_k w_k, (k, batch) → (batch,), nats: in expectation between the ELBO and log p(x), rising with K.

    Equation: vae-importance-weighted. Burda et al. 2016, eq. 8.
    """
    return log_weights.logsumexp(0) - math.log(log_weights.shape[0])


class GaussianVAE(nn.Module):
    """q(z|x) = N(μ(x), e^{2s(x)}), p(z) = N(0, I), p(x|z) = likelihood(decoder(z)). Kingma & Welling 2014.

    `encoder` maps (batch, *event) to (batch, 2L), μ and s side by side; `decoder` maps (batch, L) to the parameters
    of the likelihood, of the event's shape. Images are float32, (batch, channel, height, width), in [0, 1] for a
    Gaussian likelihood and in {0, 1} for a Bernoulli one. `log_prob` is missing because the model cannot compute it.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, likelihood: Likelihood, latent_size: int):
        super().__init__()
        if latent_size < 1:
            raise ValueError(f"latent_size: got {latent_size}, expected at least 1")
        self.encoder, self.decoder, self.latent_size = encoder, decoder, latent_size
        self.likelihood: Likelihood = likelihood

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """μ(x) and s(x) of q(z|x), each (batch, L)."""
        statistics = self.encoder(x)
        if statistics.shape[1:] != (2 * self.latent_size,):
            raise ValueError(
                f"encoder: gave shape {tuple(statistics.shape)} for x of shape {tuple(x.shape)}, "
                f"expected (batch, {2 * self.latent_size}): a mean and a log_std for each latent"
            )
        mean, log_std = statistics.chunk(2, dim=1)
        return mean, log_std

    def decode(self, z: Tensor) -> Tensor:
        """E[x|z], (batch, *event), of z (batch, L): a mean, not a sample."""
        if z.dim() != 2 or z.shape[1] != self.latent_size:
            raise ValueError(f"z: got shape {tuple(z.shape)}, expected (batch, {self.latent_size})")
        return self.likelihood.mean(self.decoder(z))

    def elbo(self, x: Tensor, *, rng: Generator | None = None) -> Tensor:
        """E_q log p(x|z) − KL(q ‖ p(z)), (batch,), nats, with one z a row and the KL in closed form.

        Equation: vae-elbo. Kingma & Welling 2014, eq. 10.
        """
        mean, log_std = self.encode(x)
        z = reparameterize(mean, log_std, noise_like(mean, rng))
        return self.likelihood.log_prob(x, self.decoder(z)) - gaussian_kl(mean, log_std)

    def loss(self, x: Tensor) -> Tensor:
        """−ELBO, mean over the batch, nats."""
        return -self.elbo(x).mean()

    def log_weights(self, x: Tensor, k: int, *, rng: Generator | None = None) -> Tensor:
        """log w = log p(x|z) + log p(z) − log q(z|x) at k draws of z a row, (k, batch), nats."""
        if k < 1:
            raise ValueError(f"k: got {k}, expected at least one draw")
        mean, log_std = self.encode(x)
        z = reparameterize(mean, log_std, noise_like(mean.expand(k, *mean.shape), rng))
        return self.log_weights_at(x, z, mean, log_std)

    def log_weights_at(self, x: Tensor, z: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
        """The same at given z (k, batch, L), whoever drew them, with q(z|x) = N(μ, e^{2s}), μ and s (batch, L)."""
        k, rows = len(z), z.flatten(0, 1)
        log_likelihood = self.likelihood.log_prob(repeated(x, k), self.decoder(rows))
        return log_weight(log_likelihood, rows, (repeated(mean, k), repeated(log_std, k))).view(k, len(x))

    @torch.no_grad()
    def reconstruct(self, x: Tensor) -> Tensor:
        """E[x|z] at z = μ(x): the mean picture of the mean code."""
        with evaluating(self):
            return self.decode(self.encode(x)[0])

    def sample(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """z ~ N(0, I), x ~ p(x|z): (n, *event), the decoder's noise included."""
        with sampling(self, n, rng):
            return self.likelihood.draw(self.decoder(self._latents(n, rng)), rng)

    def sample_mean(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """z ~ N(0, I), E[x|z]: what papers print; smoother than a sample."""
        with sampling(self, n, rng):
            return self.decode(self._latents(n, rng))

    def _latents(self, n: int, rng: Generator | None) -> Tensor:
        return noise_like(next(self.decoder.parameters()).new_empty(n, self.latent_size), rng)


def parts_for(data: Examples | None = None) -> tuple[nn.Module, nn.Module, Likelihood, int]:
    """Encoder, decoder, likelihood and latent_size that suit a data set; without one, binary 8 × 8 images.

    For images of at least 16 × 16 pixels the networks of `tanh_networks` where they are binary, else convolutions, if 4
    divides their sides; an MLP for all else. Bernoulli for binary data, else a Gaussian with learned σ.
    """
    shape = shape_of(data, (1, 8, 8))
    if data is not None and are_large_and_binary(data):
        return *tanh_networks(data.train, latent_size=50), Bernoulli(), 50
    likelihood = likelihood_for(data)
    if len(shape) == 3 and min(shape[1:]) >= 16 and not (shape[1] % 4 or shape[2] % 4):
        latent_size = 32
        return conv_encoder(shape, 2 * latent_size), conv_decoder(latent_size, shape), likelihood, latent_size
    latent_size, dims = 8, math.prod(shape)
    encoder = nn.Sequential(nn.Flatten(), mlp([dims, 128, 2 * latent_size]))
    decoder = nn.Sequential(mlp([latent_size, 128, dims]), nn.Unflatten(1, shape))
    return encoder, decoder, likelihood, latent_size


def tanh_networks(x: Tensor, latent_size: int, hidden: int = 200) -> tuple[nn.Module, nn.Module]:
    """Encoder and decoder with two hidden layers of tanh each, 784–200–200–50–200–200–784 for binarised MNIST.

    The one stochastic layer of Burda et al. 2016, and as there the weights start by the rule of Glorot & Bengio. The
    last biases are the logits of the pixels' means in x (n, *event): z is not needed for what all rows share.
    """
    shape, dims = x.shape[1:], x[0].numel()
    encoder = mlp([dims, hidden, hidden, 2 * latent_size], nn.Tanh)
    decoder = mlp([latent_size, hidden, hidden, dims], nn.Tanh)
    linear = [layer for network in (encoder, decoder) for layer in network if isinstance(layer, nn.Linear)]
    for layer in linear:
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)
    ink = (x.flatten(1).sum(0) + 1) / (len(x) + 2)  # one row of each kind more: never 0 or 1
    linear[-1].bias.data.copy_(ink.logit())
    return nn.Sequential(nn.Flatten(), encoder), nn.Sequential(decoder, nn.Unflatten(1, shape))


def are_large_and_binary(data: Examples) -> bool:
    """Whether the examples are images of at least 16 × 16 pixels, and every value of train is 0 or 1."""
    return len(data.event_shape) == 3 and min(data.event_shape[1:]) >= 16 and is_binary(data.train)


def make_gaussian_vae(data: Examples | None = None) -> GaussianVAE:
    """The model of `parts_for`."""
    return GaussianVAE(*parts_for(data))


def gaussian_vae_plan(data: Examples | None = None) -> dict[str, Any]:
    """More and larger steps for large images; `tanh_networks` bear a higher rate."""
    if data is not None and are_large_and_binary(data):
        return held_then_falling_plan(data, steps=6_000, batch_size=100, peak=3e-3)
    if data is not None and math.prod(data.event_shape) >= 256:
        return held_then_falling_plan(data, steps=8_000, batch_size=128, peak=1e-3)
    return held_then_falling_plan(data, steps=3_000, batch_size=64, peak=2e-3)


GAUSSIAN_VAE = ModelRecord(
    name="Gaussian VAE",
    key="gaussian-vae",
    family="vae",
    branch=("explicit density", "approximate", "variational"),
    density="bound",
    claims=(Trainable, Sampler, Bounded, ImportanceWeighted),
    paper="kingma2014",
    year=2014,
    arxiv="1312.6114",
    lesson="04_vae/01_evidence_lower_bound",
    suits=VECTORS | IMAGES,
    make=make_gaussian_vae,
    plan=gaussian_vae_plan,
    example=binary_images,
)
