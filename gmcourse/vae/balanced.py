"""The β-VAE: what a latent costs, weighed; with free bits, a warm-up, and the best linear one in closed form."""

import math
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from gmcourse.nets import evaluating
from gmcourse.probability import gaussian_kl, noise_like, sum_event
from gmcourse.protocols import Bounded, ImportanceWeighted, Sampler, Trainable
from gmcourse.record import IMAGES, VECTORS, Examples, ModelRecord, binary_images
from gmcourse.vae.gaussian import GaussianVAE, gaussian_vae_plan, parts_for, reparameterize
from gmcourse.vae.likelihoods import Gaussian, Likelihood


def latent_kl(mean: Tensor, log_std: Tensor) -> Tensor:
    """KL of each latent by itself, ½(μ² + e^{2s} − 1 − 2s), the shape of `mean`, nats: `gaussian_kl` before its sum."""
    return gaussian_kl(mean.flatten(), log_std.flatten()).view_as(mean)


def free_bits(kl: Tensor, floor: float) -> Tensor:
    """Σ_j max(λ₀, mean over the batch of KL_j), a scalar, nats; `kl` (batch, L), λ₀ = `floor` for each latent.

    Below λ₀ a latent costs the same whatever it says, and its gradient is 0: a floor, not a push. The mean is over the
    batch, so that the value depends on its size. Equation: vae-free-bits. Kingma et al. 2016.
    """
    if floor < 0:
        raise ValueError(f"floor: got {floor}, expected nats, at least 0")
    return kl.mean(0).clamp(min=floor).sum()


def warm_up(step: int, steps: int) -> float:
    """The share of β at a step: in a straight line from 0 to 1 over `steps`, 1 from then on; no warm-up for 0 steps."""
    return min(1.0, step / steps) if steps else 1.0


def active_latents(mean: Tensor, least: float = 0.01) -> Tensor:
    """Whether Var_x E_q[z_j] exceeds `least`, (L,), bool, of the posterior means (n, L) of many x.

    It counts use, not usefulness. Burda et al. 2016.
    """
    return mean.var(0) > least


class RateDistortion(NamedTuple):
    """What a code costs and what it loses, means over examples: KL(q ‖ p(z)) in nats, and E‖x − E[x|z]‖²."""

    rate: float
    distortion: float


@torch.no_grad()
def rate_distortion(model: GaussianVAE, x: Tensor, *, rng: Generator | None = None) -> RateDistortion:
    """The rate E_x KL(q(z|x) ‖ p(z)), nats, and the distortion E ‖x − E[x|z]‖² over all pixels, one z ~ q a row."""
    with evaluating(model):
        mean, log_std = model.encode(x)
        z = reparameterize(mean, log_std, noise_like(mean, rng))
        error = sum_event((x - model.decode(z)) ** 2)
    return RateDistortion(gaussian_kl(mean, log_std).mean().item(), error.mean().item())


def linear_code(eigenvalues: Tensor, beta: float, noise_variance: float) -> tuple[Tensor, Tensor]:
    """Rate ½ ln(λ/θ) in nats and distortion θ of the best linear β-VAE in each direction; 0 and λ where λ ≤ θ.

    θ = βσ², `eigenvalues` λ (D,) of the data's covariance: both are (D,). The optimum of E ln p(x|z) − β KL is that of
    the ELBO with θ for σ², w² = λ − θ and posterior variance θ/λ: reverse water-filling.
    Equation: vae-linear-code. Lucas et al. 2019.
    """
    theta = beta * noise_variance
    if not theta > 0:
        raise ValueError(f"beta, noise_variance: got {beta} and {noise_variance}, expected both positive")
    return 0.5 * (eigenvalues / theta).clamp(min=1).log(), eigenvalues.clamp(max=theta)


class BetaVAE(GaussianVAE):
    """The Gaussian VAE trained on −E ln p(x|z) + β Σ_j max(λ₀, KL_j). Higgins et al. 2017; Kingma et al. 2016.

    `floor` is λ₀, nats for each latent (0: the plain KL); over the first `warm` training steps β rises from 0. `elbo`
    and `log_weights` know nothing of β: they are the model's, and a bound stays a bound.
    """

    steps: Tensor

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        likelihood: Likelihood,
        latent_size: int,
        beta: float = 4.0,
        floor: float = 0.0,
        warm: int = 0,
    ):
        super().__init__(encoder, decoder, likelihood, latent_size)
        if not (beta >= 0 and floor >= 0 and warm >= 0):
            raise ValueError(f"beta, floor, warm: got {beta}, {floor} and {warm}, expected numbers of at least 0")
        self.beta, self.floor, self.warm = beta, floor, warm
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def extra_repr(self) -> str:
        return f"beta={self.beta}, floor={self.floor}, warm={self.warm}"

    def loss(self, x: Tensor) -> Tensor:
        """−E ln p(x|z) + β Σ_j max(λ₀, KL_j), mean over the batch, nats, with one z a row."""
        mean, log_std = self.encode(x)
        z = reparameterize(mean, log_std, torch.randn_like(mean))
        beta = self.beta * warm_up(int(self.steps), self.warm) if self.warm else self.beta
        error = -self.likelihood.log_prob(x, self.decoder(z)).mean()
        return error + beta * free_bits(latent_kl(mean, log_std), self.floor)

    def after_step(self) -> None:
        """One training step more is done."""
        self.steps += 1


def make_beta_vae(data: Examples | None = None) -> BetaVAE:
    """The networks of the Gaussian VAE, with β = 4; a Gaussian likelihood has σ² = 0.1, fixed: β is the one dial."""
    encoder, decoder, likelihood, latent_size = parts_for(data)
    if isinstance(likelihood, Gaussian):
        likelihood = Gaussian(std=math.sqrt(0.1))
    return BetaVAE(encoder, decoder, likelihood, latent_size, beta=4.0)


BETA_VAE = ModelRecord(
    name="β-VAE",
    key="beta-vae",
    family="vae",
    branch=("explicit density", "approximate", "variational"),
    density="bound",
    claims=(Trainable, Sampler, Bounded, ImportanceWeighted),
    paper="higgins2017",
    year=2017,
    arxiv="",
    lesson="04_vae/02_tight_and_balanced",
    suits=VECTORS | IMAGES,
    make=make_beta_vae,
    plan=gaussian_vae_plan,
    example=binary_images,
)
