"""A mixture of Gaussians with noise on it: density, score, and best denoiser exactly known at every level."""

import math

import torch
from torch import Tensor

from gmcourse.probability import noise_like
from gmcourse.scores.levels import Level, column, perturb


class NoisedMixture:
    """Σ_k w_k N(m_k, s_k² I), smoothed by noise of standard deviation σ: Σ_k w_k N(m_k, (s_k² + σ²) I).

    means (K, D), stds (K,) or one number, weights (K,) of sum 1 (None: equal). It keeps the protocols `Scored`,
    `Density` and `Sampler`, so that it can stand wherever a network does. All is computed in the type of `means`.
    """

    def __init__(self, means: Tensor, stds: Tensor | float, weights: Tensor | None = None):
        if means.dim() != 2 or not means.is_floating_point():
            raise ValueError(f"means: got shape {tuple(means.shape)} and {means.dtype}, expected (K, D) floating point")
        self.means = means
        self.stds = torch.as_tensor(stds).to(means).expand(len(means))
        self.weights = means.new_full((len(means),), 1 / len(means)) if weights is None else weights.to(means)
        if not (self.stds >= 0).all():
            raise ValueError(f"stds: got {self.stds.tolist()}, expected numbers from 0 on")
        shaped = self.weights.shape == (len(means),) and bool((self.weights >= 0).all())
        if not shaped or abs(self.weights.sum().item() - 1) > 1e-6:
            raise ValueError(f"weights: got {self.weights.tolist()}, expected {len(means)} numbers of sum 1")

    def _terms(self, x: Tensor, sigma: Level) -> tuple[Tensor, Tensor]:
        """ln w_k N(x; m_k, v_k) and v_k = s_k² + σ², (batch, K) each."""
        variance = self.stds.square() + column(sigma, x).square().reshape(-1, 1)
        squares = (x[:, None] - self.means).square().sum(2)
        normaliser = x.shape[1] / 2 * (2 * math.pi * variance).log()
        return self.weights.log() - squares / (2 * variance) - normaliser, variance

    def log_prob(self, x: Tensor, sigma: Level = 0.0) -> Tensor:
        """ln p_σ(x), (batch,) nats, of x (batch, D); sigma a number or (batch,)."""
        return self._terms(x, sigma)[0].logsumexp(1)

    def shares(self, x: Tensor, sigma: Level) -> Tensor:
        """π_k(x): the probability that x, noised by σ, came from component k, (batch, K)."""
        return self._terms(x, sigma)[0].softmax(1)

    def score(self, x: Tensor, sigma: Level) -> Tensor:
        """∇ ln p_σ(x) = Σ_k π_k (m_k − x)/(s_k² + σ²), (batch, D).

        Equation: scores-mixture-score.
        """
        terms, variance = self._terms(x, sigma)
        pull = terms.softmax(1) / variance
        return pull @ self.means - pull.sum(1, keepdim=True) * x

    def denoise(self, x: Tensor, sigma: Level) -> Tensor:
        """E[clean | x] = Σ_k π_k (s_k² x + σ² m_k)/(s_k² + σ²), (batch, D)."""
        terms, variance = self._terms(x, sigma)
        shares, noise = terms.softmax(1), column(sigma, x).square()
        stays = (shares * self.stds.square() / variance).sum(1, keepdim=True)
        return stays * x + noise * (shares / variance) @ self.means

    def sample(self, n: int, *, rng: torch.Generator | None = None) -> Tensor:
        """n draws without noise, (n, D)."""
        which = torch.multinomial(self.weights, n, replacement=True, generator=rng)
        return perturb(self.means[which], self.stds[which], noise_like(self.means[which], rng))
