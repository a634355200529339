"""Laws of what a score says of the clean point: its mean, its covariance, and what nobody can know of it."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import Slips, require_close, require_parts, require_shape
from gmcourse.laws.rows import Level, draw, further, pooled, within

Posterior = Callable[[Callable[[Tensor], Tensor], Tensor, Level], tuple[Tensor, Tensor]]

MEANS = torch.tensor([[-1.5, 0.5], [1.0, -0.7], [0.4, 1.6]], dtype=torch.float64)
WEIGHTS = torch.tensor([0.5, 0.2, 0.3], dtype=torch.float64)
STDS = torch.tensor([[0.4, 0.7], [0.5, 0.3], [0.6, 0.4]], dtype=torch.float64)


def tweedie_is_the_posterior(candidate: Posterior, *, seed: int = 0) -> None:
    """candidate(s, x, σ) → mean (batch, D) and covariance (batch, D, D) of the clean point given x = clean + σε.

    s is ∇ ln p_σ of a mixture, by autograd; the oracle sums over a grid of clean points of the plane.
    """
    for sigma in (0.6, 1.4):
        x = draw(4, 2, seed=seed)

        def score(noised: Tensor, sigma: float = sigma) -> Tensor:
            return _score(noised.double(), sigma).to(noised)

        law = f"of the clean point, σ = {sigma}"
        parts = require_parts("a mean and a covariance", ask(candidate, score=score, x=x, sigma=sigma), 2)
        mean, covariance = _by_quadrature(x.double(), sigma)
        found = require_shape(f"the mean {law}", parts[0], (4, 2)).detach().double()
        slips = _mean_slips(x.double(), mean, sigma)
        require_close(f"the mean {law}", found, mean, 2e-4, slips, given={"x": x})
        spread = require_shape(f"the covariance {law}", parts[1], (4, 2, 2)).detach().double()
        slips = _covariance_slips(covariance, sigma)
        require_close(f"the covariance {law}", spread, covariance, 2e-3, slips, given={"x": x})


def _score(x: Tensor, sigma: float) -> Tensor:
    """∇ ln p_σ of the mixture, (batch, 2), row by row."""
    variance = STDS.square() + sigma**2
    away = x[:, None] - MEANS
    shares = (WEIGHTS.log() - (away.square() / variance + variance.log()).sum(2) / 2).softmax(1)
    return -(shares[:, :, None] * away / variance).sum(1)


def _by_quadrature(x: Tensor, sigma: float) -> tuple[Tensor, Tensor]:
    """Mean and covariance of y under p(y) N(x; y, σ²I), by sums over a grid of the plane."""
    axis = torch.linspace(-5.5, 5.5, 221, dtype=x.dtype)
    grid = torch.cartesian_prod(axis, axis)
    scaled = ((grid[:, None] - MEANS) / STDS).square().sum(2)
    clean = (WEIGHTS.log() - scaled / 2 - STDS.log().sum(1)).logsumexp(1)
    mass = (clean - torch.cdist(x, grid).square() / (2 * sigma**2)).softmax(1)
    mean = mass @ grid
    second = torch.einsum("bn,ni,nj->bij", mass, grid, grid)
    return mean, second - mean[:, :, None] * mean[:, None, :]


def _mean_slips(x: Tensor, mean: Tensor, sigma: float) -> dict[str, Slips]:
    push = mean - x
    return {
        "spread": [x + push / sigma, x + push / sigma**2, x + push * sigma, x + push * sigma**2],
        "sign": [x - push, x - push / sigma],
        "constant": [push, push / sigma**2, x],
        "direction": mean + _score(mean, sigma) * sigma**2,
        "shape": pooled(mean),
    }


def _covariance_slips(right: Tensor, sigma: float) -> dict[str, Slips]:
    """Where right = σ²(I + σ²∇s)."""
    eye = torch.eye(2, dtype=right.dtype).expand_as(right)
    slope = right / sigma**2 - eye
    return {
        "spread": [right / sigma**2, right / sigma, right / sigma**4, sigma**2 * eye + slope]
        + [scale * (eye + slope * sigma**power) for scale in (sigma**2, sigma, 1) for power in (-4, -2, -1, 1, 2)],
        "sign": [sigma**2 * (eye - slope), sigma**2 * (slope - eye), -right],
        "constant": [sigma**2 * slope, slope, slope / sigma**2, sigma**2 * eye, eye, 0 * eye],
        "one-to-one": [right * eye, sigma**2 * (eye + slope.sum((1, 2))[:, None, None] * eye)]
        + [sigma**2 * (eye + torch.diag_embed(slope.sum(1)))],
        "shape": [*pooled(right)],
    }


def constant_of_gaussian(candidate: Callable[[float, float, int], Any], *, seed: int = 0) -> None:
    """candidate(v, σ, D) = ½E tr Cov(clean | x)/σ⁴ for clean ~ N(0, vI): the least of ½‖s(x + σε) + ε/σ‖².

    The oracle conditions one Gaussian variable on another.
    """
    more = further(seed, lambda rng: (rng.uniform(0.3, 2.0), rng.uniform(0.4, 2.0), rng.randint(2, 7)))
    for variance, sigma, dims in ((1.5, 0.6, 3), (0.4, 2.0, 2), (0.25, 0.7, 5), *more):
        left = variance - variance**2 / (variance + sigma**2)
        expected = torch.tensor(dims * left / (2 * sigma**4), dtype=torch.float64)
        whole = variance + sigma**2
        slips: dict[str, list[Any]] = {
            "reduction": [expected / dims],
            "constant": [2 * expected, 2 * expected / dims, dims * variance / whole, variance / whole]
            + [dims * variance / whole / 2, dims / (2 * sigma**2), dims / (2 * whole), dims / sigma**2],
            "dependence": [dims * (1 / sigma**2 - 1 / variance) / 2],
            "spread": [expected * sigma**power for power in (1, 2, 4, -1, -2)]
            + [dims * variance**0.5 / (2 * sigma**2 * (variance**0.5 + sigma**2))]
            + [dims * variance / (2 * sigma * (variance + sigma)), dims * variance**2 / (2 * sigma**2 * whole)],
            "sign": [-expected, dims * (1 / whole + 1 / sigma**2) / 2],
        }
        law = f"½E tr Cov(clean | x)/σ⁴, v = {variance}, σ = {sigma}, D = {dims}"
        answer = ask(candidate, variance=variance, sigma=sigma, dims=dims)
        observed = require_shape(law, answer, ()).detach().double()
        suspects = {cause: [torch.as_tensor(way).double() for way in ways] for cause, ways in slips.items()}
        require_close(law, observed, expected, within(expected, 1e-5), suspects)
