"""Laws of denoising: what corruption does to an entry, the best denoiser, and the score that its residual is."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, Slips, as_tensor, require_close, require_shape, show_value
from gmcourse.laws.rows import draw, pooled

Corrupt = Callable[[Tensor, Tensor, float], Tensor]
Denoiser = Callable[[Tensor], Tensor]
BestDenoiser = Callable[[Tensor, Tensor, Tensor, float, float], Tensor]
ScoreOf = Callable[[Denoiser, Tensor, float], Tensor]


def blanks_a_share(candidate: Corrupt, *, seed: int = 0) -> None:
    """candidate(x, noise, ν) = x with 0 where the uniform noise is below ν, and every other entry as it was.

    Float32, of any shape; at ν = 0 nothing is blanked, at ν = 1 everything.
    """
    for shape, share in (((5, 3), 0.3), ((4, 1, 3, 3), 0.75), ((6, 2), 0.0), ((2, 6), 1.0)):
        noise = torch.rand(shape, generator=torch.Generator().manual_seed(seed + 7_919))  # nobody's own seed
        x = draw(*shape, seed=seed + 1)
        law = f"0 where noise < {share}, else x"
        observed = require_shape(law, ask(candidate, x=x, noise=noise, share=share), shape).detach().to(x)
        again = as_tensor(candidate(x.clone(), noise.clone(), share))
        if again is None or not torch.equal(observed, again.detach().to(x)):
            raise LawBroken("equal noise, equal blanks", "other blanks", "the same", "randomness")
        given, expected = {"x": x, "noise": noise}, torch.where(noise < share, 0.0, x)
        slips = _blank_slips(x, noise, share)
        if (observed != x)[noise < share].all():  # right but for what stands in the blanks
            slips["reduction"].append(x.where(noise >= share, observed))
        require_close(law, observed, expected, 1e-6, slips, given=given)


def _blank_slips(x: Tensor, noise: Tensor, share: float) -> dict[str, list[Tensor]]:
    """Scaled, the wrong ones blanked, one mask for the batch or one number for a row, noise added, filled otherwise."""
    kept, left = (noise >= share).to(x), max(1 - share, 1e-6)
    first = kept.flatten(1)[:, :1].reshape(-1, *[1] * (x.dim() - 1))
    mean = x.flatten(1).mean(1).reshape(first.shape)
    return {
        "constant": [x * kept / left, x * kept * left, x * left, x.clamp(0, 1) * kept, x.abs() * kept, x.relu() * kept],
        "direction": [x * (1 - kept), x * (noise >= 1 - share), x * (noise < 1 - share), x * (noise > 1 - share)],
        "dependence": [x * kept[:1], x * first],
        "spread": [x + share * noise, x - share * noise, x + noise, x * noise, (1 - share) * x + share * noise],
        "one-to-one": [kept, 1 - kept, kept + x * (1 - kept), x * kept + 1 - kept, x.where(kept > 0, noise)]
        + [x.where(x >= share, 0.0)],
        "reduction": [x.where(kept > 0, other) for other in (mean, x.mean(), x.mean(0))],
    }


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

    x (batch, D), means (K, D), weights (K,) of sum 1, float32. The oracle integrates over a grid, in one dimension and
    in two. Far from all data, where densities are 0 to a computer, one component is left, and its straight line.
    """
    for dims, sigma in ((1, 0.3), (1, 1.5), (2, 0.7)):
        means, weights, std = _mixture(dims)
        x = 1.3 * draw(5, dims, seed=seed + dims)
        law = f"E[x | x̃], {dims} dimension{'s' * (dims > 1)}, σ = {sigma}"
        answer = ask(candidate, x=x, means=means.float(), weights=weights.float(), std=std, sigma=sigma)
        observed = require_shape(law, answer, (5, dims)).detach().double()
        expected = _by_quadrature(x.double(), means, weights, std, sigma)
        slips = _denoiser_slips(x.double(), means, weights, std, sigma)
        require_close(law, observed, expected, 2e-4, slips, given={"x̃": x, "σ": sigma})
    _far_out(candidate)


def _far_out(candidate: BestDenoiser) -> None:
    means, weights, std, sigma = torch.tensor([[-2.0, 0.0], [1.0, 1.0]]), torch.tensor([0.9, 0.1]), 0.4, 0.5
    x, law = torch.tensor([[40.0, 30.0], [-60.0, 5.0], [25.0, 25.0]]), "E[x | x̃] far from all data"
    output = as_tensor(ask(candidate, x=x, means=means, weights=weights, std=std, sigma=sigma))
    near = means[[1, 0, 1]]
    expected = near + (x - near) * std**2 / (std**2 + sigma**2)
    if output is not None and output.shape == x.shape and not output.isfinite().all():
        raise LawBroken(law, show_value(output), show_value(expected), "overflow")
    observed = require_shape(law, output, tuple(x.shape)).detach()
    require_close(law, observed, expected, 2e-3, given={"x̃": x}, deduced="overflow")


def _denoiser_slips(x: Tensor, means: Tensor, weights: Tensor, std: float, sigma: float) -> dict[str, Slips]:
    away = x[:, None] - means
    squares, whole = away.square().sum(2), std**2 + sigma**2

    def mixed(variance: float, kept: float, prior: Tensor = weights) -> Tensor:
        shares = (prior.log() - squares / (2 * variance)).softmax(1)
        return (shares[:, :, None] * (means + kept * away)).sum(1)

    kept, even, each = std**2 / whole, torch.ones_like(weights), means + std**2 / whole * away
    right, hard, logits = mixed(whole, kept), torch.nn.functional.one_hot, weights.log() - squares / (2 * whole)
    best = [hard(which, len(means)).to(x) for which in (logits.argmax(1), squares.argmin(1))]
    rough = (std / (std + sigma), std**4 / (std**4 + sigma**4), std / whole**0.5)
    shares = (whole**0.5, std + sigma, (std + sigma) ** 2, whole**2, 2 * whole, whole / 2)
    long = (weights.log() - squares.sqrt() / (2 * whole)).softmax(1)

    def by(shares: Tensor, centres: Tensor = each) -> Tensor:
        return (shares[:, :, None] * centres).sum(1)

    return {
        "log-mean": [mixed(whole, 0.0), by(weights[None]), weights @ means + 0 * x, by(even[None] / len(means))],
        "spread": [mixed(v, kept) for v in (std**2, sigma**2, *shares)]
        + [mixed(whole, pull) for pull in rough]
        + [mixed(std**2, 1 - sigma**2 / std**2), mixed(std + sigma, std / (std + sigma)), by(long)]
        + [x + (right - x) / sigma],
        "direction": [mixed(whole, 1 - kept), x + (right - x) / sigma**2],
        "one-to-one": [way for one in best for way in (by(one), one @ means)],
        "dependence": [mixed(whole, kept, even), by((weights - squares / (2 * whole)).softmax(1))],
        "constant": [(right - x) / sigma**2, right - x, (right - x) / sigma],
        "sign": [-right, mixed(whole, -kept), 2 * x - right],
        "shape": [*pooled(right), *_shares_amiss(x, means, weights, std, sigma)],
    }


def _shares_amiss(x: Tensor, means: Tensor, weights: Tensor, std: float, sigma: float) -> list[Tensor]:
    """Shares that do not sum to 1 over the components, or are of each coordinate by itself."""
    squares, whole = (x[:, None] - means).square(), std**2 + sigma**2
    densities = weights * (-squares.sum(2) / (2 * whole)).exp()
    one_by_one = (weights.log()[:, None] - squares / (2 * whole)).softmax(1)
    amiss = [densities / densities.sum(0), densities, weights * (-squares.sum(2) / (2 * whole)).softmax(1)]
    pulled = [shares @ means for shares in amiss] + [(one_by_one * means).sum(1)]
    return [(std**2 * x + sigma**2 * middle) / whole for middle in pulled]


def residual_is_score(candidate: ScoreOf, *, seed: int = 0) -> None:
    """candidate(r, x, σ) = (r(x) − x)/σ² is ∇ ln p_σ(x), (batch, D), for the best denoiser r of a mixture.

    The oracle is autograd of ln Σ_k w_k N(x; m_k, (τ² + σ²)I); r is E[clean | x] by quadrature.
    """
    means, weights, std = _mixture(2)
    x = 1.3 * draw(4, 2, seed=3 + seed)
    for sigma in (0.5, 1.4):

        def best(point: Tensor, sigma: float = sigma) -> Tensor:
            return _by_quadrature(point.reshape(-1, 2).double(), means, weights, std, sigma).view_as(point).to(point)

        scores = {spread: _score(x.double(), means, weights, spread) for spread in (math.hypot(std, sigma), std)}
        score, unsmoothed = scores.values()
        law = f"(r(x) − x)/σ² = ∇ ln p_σ(x), σ = {sigma}"
        observed = require_shape(law, ask(candidate, denoiser=best, x=x, sigma=sigma), (4, 2)).detach().double()
        suspects = {
            "sign": [-score, -score * sigma, -score * sigma**2, score.abs()],
            "spread": [score * factor for factor in (sigma, sigma**2, sigma**4, 1 / sigma, 1 / sigma**2, 0.5)]
            + [score * factor for factor in (2 * sigma, sigma / 2, sigma**1.5, sigma**2 / (1 + sigma**2))]
            + [score**2 * sigma**2],
            "constant": [score + x / sigma**2, best(x), best(x) / sigma, -x / sigma**2, best(x) - x / sigma**2],
            "direction": [(best(best(x)) - place) / sigma**2 for place in (best(x), x)],
            "dependence": unsmoothed,
            "shape": pooled(score),
        }
        suspects = {cause: [way.double() for way in _several(ways)] for cause, ways in suspects.items()}
        require_close(law, observed, score, 5e-4, suspects, given={"x̃": x, "σ": sigma})


def _several(ways: Tensor | list[Tensor]) -> list[Tensor]:
    return ways if isinstance(ways, list) else [ways]


def _score(x: Tensor, means: Tensor, weights: Tensor, std: float) -> Tensor:
    x = x.clone().requires_grad_()
    log_density = (weights.log() - (x[:, None] - means).square().sum(2) / (2 * std**2)).logsumexp(1)
    return torch.autograd.grad(log_density.sum(), x)[0]
