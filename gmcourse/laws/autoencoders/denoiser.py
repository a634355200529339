"""Laws of denoising: what corruption does to an entry, the best denoiser, and the score that its residual is."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import require_close, require_shape
from gmcourse.laws.rows import draw

Corrupt = Callable[[Tensor, Tensor, float], Tensor]
Denoiser = Callable[[Tensor], Tensor]
BestDenoiser = Callable[[Tensor, Tensor, Tensor, float, float], Tensor]
ScoreOf = Callable[[Denoiser, Tensor, float], Tensor]


def blanks_a_share(candidate: Corrupt, *, seed: int = 0) -> None:
    """candidate(x, noise, ν) = x with 0 where the uniform noise is below ν, and every other entry as it was."""
    for shape, share in (((5, 3), 0.3), ((4, 1, 3, 3), 0.75), ((6, 2), 0.0)):
        noise = torch.rand(shape, generator=torch.Generator().manual_seed(seed))
        x = draw(*shape, seed=seed + 1)
        kept = (noise >= share).to(x)
        suspects = {
            "constant": [x * kept / (1 - share), x * kept * (1 - share)],
            "direction": [x * (1 - kept), x * (noise >= 1 - share)],
            "dependence": [x * kept[:1], x * kept.flatten(1)[:, :1].reshape(-1, *[1] * (x.dim() - 1))],
            "spread": x + share * noise,
        }
        law = f"0 where noise < {share}, else x"
        observed = require_shape(law, ask(candidate, x=x, noise=noise, share=share), shape).to(x)
        require_close(law, observed, x * kept, 1e-6, suspects, given={"x": x, "noise": noise}, deduced="randomness")


def _mixture(dims: int) -> tuple[Tensor, Tensor, float]:
    """Means (3, D), weights and the standard deviation of each component: lopsided, float64."""
    means = torch.tensor([[-1.5, 0.5], [1.0, -0.7], [0.4, 1.6]], dtype=torch.float64)[:, :dims]
    return means, torch.tensor([0.5, 0.2, 0.3], dtype=torch.float64), 0.4


def _by_quadrature(x: Tensor, means: Tensor, weights: Tensor, std: float, sigma: float) -> Tensor:
    """∫ y p(y) N(x; y, σ²) dy / ∫ p(y) N(x; y, σ²) dy, on a grid of the line or of the plane."""
    axis = torch.linspace(-5.5, 5.5, 221, dtype=x.dtype)
    grid = torch.cartesian_prod(*[axis] * x.shape[1]).reshape(-1, x.shape[1])
    clean = (weights.log() - torch.cdist(grid, means) ** 2 / (2 * std**2)).logsumexp(1)
    return (clean - torch.cdist(x, grid) ** 2 / (2 * sigma**2)).softmax(1) @ grid


def is_best_denoiser(candidate: BestDenoiser, *, seed: int = 0) -> None:
    """candidate(x, means, weights, τ, σ) = E[clean | x], (batch, D), for Σ_k w_k N(m_k, τ²I) and noise σ.

    x (batch, D), means (K, D), weights (K,) of sum 1. The oracle integrates over a grid, in one dimension and in two.
    """
    for dims, sigma in ((1, 0.3), (1, 1.5), (2, 0.7)):
        means, weights, std = _mixture(dims)
        x = 1.3 * draw(5, dims, seed=seed + dims).double()
        law = f"E[x | x̃], {dims} dimension{'s' * (dims > 1)}, σ = {sigma}"
        answer = ask(candidate, x=x, means=means, weights=weights, std=std, sigma=sigma)
        observed = require_shape(law, answer, (5, dims)).double()
        expected = _by_quadrature(x, means, weights, std, sigma)
        suspects = _denoiser_slips(x, means, weights, std, sigma)
        require_close(law, observed, expected, 1e-4, suspects, given={"x": x, "σ": sigma})


def _denoiser_slips(x: Tensor, means: Tensor, weights: Tensor, std: float, sigma: float) -> dict[str, Tensor | list]:
    whole = std**2 + sigma**2
    distance = torch.cdist(x, means) ** 2

    def pulled(shares: Tensor, to_data: float = sigma**2 / whole) -> Tensor:
        return (1 - to_data) * x + to_data * shares @ means

    right = (weights.log() - distance / (2 * whole)).softmax(1)
    clean, noise = ((weights.log() - distance / (2 * v)).softmax(1) for v in (std**2, sigma**2))
    nearest = torch.nn.functional.one_hot(right.argmax(1), len(weights)).to(x)
    return {
        "spread": [pulled(clean), pulled(noise), pulled(right, sigma / (std + sigma))],
        "direction": pulled(right, std**2 / whole),
        "one-to-one": pulled(nearest),
        "dependence": pulled((-distance / (2 * whole)).softmax(1)),
        "log-mean": [right @ means, pulled(weights.expand_as(right))],
        "constant": (pulled(right) - x) / sigma**2,
    }


def residual_is_score(candidate: ScoreOf) -> None:
    """candidate(r, x, σ) = (r(x) − x)/σ² is ∇ ln p_σ(x), (batch, D), for the best denoiser r of a mixture.

    The oracle is autograd of ln Σ_k w_k N(x; m_k, (τ² + σ²)I); r is E[clean | x] by quadrature.
    """
    means, weights, std = _mixture(2)
    x = 1.3 * draw(4, 2, seed=3).double()
    for sigma in (0.5, 1.4):

        def best(point: Tensor, sigma: float = sigma) -> Tensor:
            return _by_quadrature(point.reshape(-1, 2), means, weights, std, sigma).reshape(point.shape)

        scores = {spread: _score(x, means, weights, spread) for spread in (math.hypot(std, sigma), std)}
        score, unsmoothed = scores.values()
        law = f"(r(x) − x)/σ² = ∇ ln p_σ(x), σ = {sigma}"
        observed = require_shape(law, ask(candidate, denoiser=best, x=x, sigma=sigma), (4, 2)).double()
        suspects = {
            "sign": -score,
            "spread": [score * sigma, score * sigma**2, score / sigma],
            "constant": [score + x / sigma**2, best(x)],
            "dependence": unsmoothed,
        }
        require_close(law, observed, score, 1e-4, suspects, given={"x": x, "σ": sigma})


def _score(x: Tensor, means: Tensor, weights: Tensor, std: float) -> Tensor:
    x = x.clone().requires_grad_()
    log_density = (weights.log() - (x[:, None] - means).square().sum(2) / (2 * std**2)).logsumexp(1)
    return torch.autograd.grad(log_density.sum(), x)[0]
