"""The importance-weighted autoencoder: trained on K weights at once, with two gradients for its encoder."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from gmcourse.probability import sum_event
from gmcourse.protocols import Bounded, ImportanceWeighted, Sampler, Trainable
from gmcourse.record import IMAGES, VECTORS, Examples, ModelRecord, binary_images, held_then_falling_plan
from gmcourse.vae.gaussian import (
    GaussianVAE,
    are_large_and_binary,
    gaussian_vae_plan,
    log_evidence,
    parts_for,
    reparameterize,
)
from gmcourse.vae.likelihoods import Likelihood

LogWeight = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(z, μ, s) → ln p(x, z) − ln q(z|x) with q = N(μ, e^{2s}): (k, batch) from z (k, batch, L), μ and s (batch, L)."""


def normalised_weights(log_weights: Tensor) -> Tensor:
    """w̃_k = w_k / Σ_j w_j, (k, batch), without a gradient: ∇ L_K is the mean of Σ_k w̃_k ∇ ln w_k.

    Equation: vae-self-normalised. Burda et al. 2016.
    """
    return log_weights.detach().softmax(0)


def iwae_loss(log_weights: Tensor) -> Tensor:
    """−L_K = −ln (1/K) Σ_k w_k, mean over the batch, nats, of ln w (k, batch). Equation: vae-ladder."""
    return -log_evidence(log_weights).mean()


def doubly_reparameterized(log_weight: LogWeight, mean: Tensor, log_std: Tensor, noise: Tensor) -> Tensor:
    """ln (1/K) Σ_k w_k, (batch,), nats, whose gradient in μ and s is Σ_k w̃_k² (∂ln w_k/∂z_k) (∂z_k/∂(μ, s)).

    z = μ + e^s ε with `noise` (k, batch, L), `mean` and `log_std` (batch, L). What q(z|x) itself says of μ and s is
    left out: a second reparameterisation shows that with w̃² for w̃ the mean of the gradient is still that of ∇ L_K.
    The decoder's parameters, held by `log_weight`, keep Σ_k w̃_k ∇ ln w_k. First derivatives only.
    Equation: vae-doubly-reparameterised. Tucker et al. 2019.
    """
    z = reparameterize(mean, log_std, noise)
    log_weights = log_weight(z, mean.detach(), log_std.detach())
    weights = normalised_weights(log_weights)
    if z.requires_grad:
        z.register_hook(lambda slope: weights[..., None] * slope)  # a second factor w̃_k, for the encoder alone
    teacher = (weights * log_weights).sum(0)
    return log_evidence(log_weights).detach() + teacher - teacher.detach()


def weight_variance(mean: Tensor, log_std: Tensor, q_mean: Tensor, q_log_std: Tensor) -> Tensor:
    """Var(w/p(x)) under q = N(μ, σ²) where the posterior is N(m, s²), independent latents: (batch,), all (batch, L).

    E(w/p)² = Π_j σ_j²/(s_j √v_j) e^{(m_j − μ_j)²/v_j}, v_j = 2σ_j² − s_j²; infinite where a v_j is not positive: q is
    then too narrow. For many draws ln p(x) − L_K is near Var/2K.
    Equation: vae-weight-variance.
    """
    var, v = (2 * q_log_std).exp(), 2 * (2 * q_log_std).exp() - (2 * log_std).exp()
    safe = torch.where(v > 0, v, 1.0)
    log_square = sum_event(var.log() - log_std - 0.5 * safe.log() + (mean - q_mean) ** 2 / safe)
    return torch.where((v > 0).all(1), log_square.expm1(), torch.inf)


def signal_to_noise(estimates: Tensor) -> Tensor:
    """|mean| / standard deviation of n ≥ 2 gradient estimates, over the first axis. Rainforth et al. 2018."""
    if len(estimates) < 2:
        raise ValueError(f"estimates: got {len(estimates)}, expected at least two")
    return estimates.mean(0).abs() / estimates.std(0)


class IWAE(GaussianVAE):
    """The Gaussian VAE trained on L_K = E ln (1/K) Σ_k w_k, K = `draws`. Burda et al. 2016.

    With `doubly` its encoder learns by the doubly reparameterised gradient (DReG), Tucker et al. 2019. `elbo` is that
    of the VAE, with one draw and the KL in closed form; with K = 1 the loss has the same mean.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        likelihood: Likelihood,
        latent_size: int,
        draws: int = 5,
        doubly: bool = False,
    ):
        super().__init__(encoder, decoder, likelihood, latent_size)
        if draws < 1:
            raise ValueError(f"draws: got {draws}, expected at least one")
        self.draws, self.doubly = draws, doubly

    def extra_repr(self) -> str:
        return f"draws={self.draws}, doubly={self.doubly}"

    def loss(self, x: Tensor) -> Tensor:
        """−L_K, mean over the batch, nats."""
        if not self.doubly:
            return iwae_loss(self.log_weights(x, self.draws))
        mean, log_std = self.encode(x)
        noise = torch.randn(self.draws, *mean.shape, dtype=mean.dtype, device=mean.device)
        return -doubly_reparameterized(partial(self.log_weights_at, x), mean, log_std, noise).mean()


def make_iwae(data: Examples | None = None) -> IWAE:
    """The networks of the Gaussian VAE, with five draws."""
    return IWAE(*parts_for(data), draws=5)


def iwae_plan(data: Examples | None = None) -> dict[str, Any]:
    """The Gaussian VAE's; for large grey images half its steps on half its rows, since each is decoded five times."""
    if data is not None and math.prod(data.event_shape) >= 256 and not are_large_and_binary(data):
        return held_then_falling_plan(data, steps=4_000, batch_size=64, peak=1e-3)
    return gaussian_vae_plan(data)


IWAE_RECORD = ModelRecord(
    name="IWAE",
    key="iwae",
    family="vae",
    branch=("explicit density", "approximate", "variational"),
    density="bound",
    claims=(Trainable, Sampler, Bounded, ImportanceWeighted),
    paper="burda2016",
    year=2016,
    arxiv="1509.00519",
    lesson="04_vae/02_tight_and_balanced",
    suits=VECTORS | IMAGES,
    make=make_iwae,
    plan=iwae_plan,
    example=binary_images,
)
