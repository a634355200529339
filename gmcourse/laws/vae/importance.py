"""Laws of K importance weights: the loss, its gap, the two gradients of its encoder, and how much weights vary."""

import itertools
import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from gmcourse.laws.asking import ask, slope
from gmcourse.laws.broken import LawBroken, Slips, require_close, require_shape, standard_error
from gmcourse.laws.rows import pooled, within
from gmcourse.laws.vae.bound import Variational

LogWeight = Callable[[Tensor, Tensor, Tensor], Tensor]
HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


def _log_weights(k: int, batch: int, seed: int, level: float = -3.0) -> Tensor:
    """(k, batch) logarithms of uneven weights, float32, about a level that differs from column to column."""
    draws = torch.randn(k, batch, generator=torch.Generator().manual_seed(seed))
    return 1.3 * draws + level + torch.linspace(-1, 1, batch)


def _shares(log_weights: Tensor) -> Tensor:
    """w̃ (k, batch), float64, written out."""
    weights = (log_weights.double() - log_weights.double().amax(0)).exp()
    return weights / weights.sum(0)


def loss_is_the_average_weight(candidate: Callable[[Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(log w) of shape (K, batch) is −ln (1/K) Σ_k w_k, mean over the batch, of gradient −w̃/batch.

    K = 1, few and many draws, another batch; weights of e^{−900} do not underflow.
    """
    law = "the loss is −ln of the mean weight, mean over the batch"
    for k, batch, level in ((1, 4, -3.0), (5, 3, -3.0), (40, 6, -2.0), (3, 5, -900.0)):
        log_w = _log_weights(k, batch, seed, level).requires_grad_()
        top = log_w.detach().double()
        bound = (top - top.amax(0)).exp().mean(0).log() + top.amax(0)
        share = _shares(log_w.detach())
        most, least = math.log(k), (top - top.amax(1, keepdim=True)).exp().mean(1).log() + top.amax(1)
        slips: dict[str, Slips] = {
            "sign": bound.mean(),
            "log-mean": -top.mean(),
            "constant": [-(bound + most).mean(), -(bound - most).mean()],
            "reduction": [-bound.sum(), -bound.sum() / (k * batch)],
            "direction": [-least.mean(), -(least - math.log(batch)).mean(), -(least + math.log(batch)).mean()],
            "gradient": [-(share * top).sum(0).mean(), -(share * top).sum(0).sum()],
            "one-to-one": -top.amax(0).mean(),
        }
        value = require_shape("one loss", ask(candidate, log_weights=log_w), ())
        given = {"K": k, "batch": batch}
        require_close(law, value.double(), -bound.mean(), 1e-5 * abs(level), slips, given)
        gradient = slope(value, log_w).double()
        flat: dict[str, Slips] = {"gradient": [0 * share, -share / batch + _attached(top, share) / batch]}
        require_close("the gradient in ln w is −w̃/batch", gradient, -share / batch, 1e-5, flat, given)


def _attached(log_w: Tensor, share: Tensor) -> Tensor:
    """What the gradient of Σ w̃ ln w has besides, where w̃ is not detached."""
    return -share * (log_w - (share * log_w).sum(0))


def encoder_counts_squares(candidate: Callable[[Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(log w) of shape (K, batch) is w̃², (K, batch), w̃ = w/Σw over the draws: what multiplies ∂ln w_k/∂z_k.

    It carries no gradient; weights of e^{−900} do not underflow.
    """
    law = "a draw counts by the square of its share w̃"
    for k, batch, level in ((4, 3, -3.0), (1, 5, -3.0), (30, 4, -2.0), (3, 4, -900.0)):
        log_w = _log_weights(k, batch, seed + 1, level)
        share = _shares(log_w)
        squares, over_batch, raw = share**2, _shares(log_w.T).T, log_w.double().exp()
        slips: dict[str, Slips] = {
            "one-to-one": [share, share.sqrt(), 2 * share],
            "direction": [over_batch**2, over_batch],
            "constant": [raw**2, raw, k * squares, squares / k, 2 * squares],
            "reduction": [squares / squares.sum(0), (share / share.amax(0)) ** 2],
            "shape": pooled(squares),
            "sign": -squares,
        }
        given = log_w.clone().requires_grad_()
        value = require_shape("a factor for each draw", ask(candidate, log_weights=given), (k, batch))
        near = 1e-5 + 5e-7 * abs(level)  # digits that float32 loses in ln w of that size
        require_close(law, value.double(), squares, near, slips, {"K": k, "batch": batch})
        if value.requires_grad:
            raise LawBroken("the factors carry no gradient", "a gradient", "none", "gradient")


def gradients_agree(candidate: Callable[[LogWeight, Tensor, Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(log_weight, μ, s, ε), (batch,), has the value of L_K's estimate and, on average, its gradient.

    `log_weight(z, μ, s)` of z (K, batch, L) is ln p(x, z) − ln q(z), with a decoder of its own. The mean is taken by
    quadrature, exact to four digits. The decoder's gradient is Σ w̃ ∇ ln w in each row; the encoder's is 0 in each row
    where q is the posterior, which that of autograd is not.
    """
    for k, latents, nodes in ((2, 1, 24), (3, 1, 14), (2, 2, 10)):
        noise, mass = _quadrature(k, latents, nodes)
        x = torch.tensor([1.0, -0.4], dtype=torch.float64)[:latents]
        centre = torch.tensor([0.1, 0.3], dtype=torch.float64)[:latents]
        log_std = torch.tensor([0.8, 0.6], dtype=torch.float64)[:latents].log()
        case = {"K": k, "latents": latents}
        value, (plain_mean, plain_std), decoder = _slopes(_plain, x, centre, log_std, noise)
        seen, (own_mean, own_std), own_decoder = _slopes(candidate, x, centre, log_std, noise)
        law = "the value is the estimate of L_K"
        wrong: dict[str, Slips] = {"constant": [value + math.log(k), value - math.log(k)]}
        require_close(law, seen, value, within(value), wrong, case)
        slips: dict[str, Slips] = {"gradient": [0 * decoder]}
        require_close("the decoder's gradient is Σ w̃ ∇ ln w", own_decoder, decoder, within(decoder), slips, case)
        for name, own, plain in (("μ", own_mean, plain_mean), ("s", own_std, plain_std)):
            right = mass @ plain
            reversed_: dict[str, Slips] = {"sign": -right, "gradient": 0 * right}
            law = f"the mean gradient in {name} is that of L_K"
            require_close(law, mass @ own, right, 2e-4, reversed_, case)
    half = torch.full_like(x, 0.5).log() / 2
    _, (at_mean, at_std), _ = _slopes(candidate, x, x / 2, half, noise)
    for name, slopes in (("μ", at_mean), ("s", at_std)):
        law = f"at the posterior the gradient in {name} is 0 for every draw"
        require_close(law, slopes, torch.zeros_like(slopes), 1e-8, deduced="gradient")


def _quadrature(k: int, latents: int, nodes: int) -> tuple[Tensor, Tensor]:
    """Noise (k, rows, latents) on a Gauss–Hermite grid, and the mass of each row, (rows,)."""
    points, weights = (torch.from_numpy(part) for part in np.polynomial.hermite_e.hermegauss(nodes))
    grid = torch.cartesian_prod(*[points] * (k * latents)).view(-1, k, latents)
    mass = torch.cartesian_prod(*[weights / weights.sum()] * (k * latents)).prod(1)
    return grid.transpose(0, 1).contiguous(), mass


def _plain(log_weight: LogWeight, mean: Tensor, log_std: Tensor, noise: Tensor) -> Tensor:
    log_w = log_weight(mean + log_std.exp() * noise, mean, log_std)
    return log_w.logsumexp(0) - math.log(len(noise))


def _slopes(
    candidate: Callable[..., Tensor], x: Tensor, centre: Tensor, log_std: Tensor, noise: Tensor
) -> tuple[Tensor, tuple[Tensor, Tensor], Tensor]:
    """The value of each row, and its slopes in μ and s and in the shift b of a decoder x ~ N(z + b, 1), at b = 0."""
    rows = noise.shape[1]
    mean, s, shift = (t.expand(rows, -1).clone().requires_grad_() for t in (centre, log_std, 0 * x))

    def log_weight(z: Tensor, q_mean: Tensor, q_log_std: Tensor) -> Tensor:
        log_joint = -0.5 * (x - z - shift) ** 2 - 0.5 * z**2 - 2 * HALF_LOG_2PI
        log_q = -0.5 * ((z - q_mean) / q_log_std.exp()) ** 2 - q_log_std - HALF_LOG_2PI
        return (log_joint - log_q).sum(-1)

    output = ask(candidate, log_weight=log_weight, mean=mean, log_std=s, noise=noise)
    value = require_shape("one value for each x", output, (rows,))
    by_mean, by_std, by_shift = (slope(value.sum(), of) for of in (mean, s, shift))
    return value.detach(), (by_mean, by_std), by_shift


def weights_vary_so_much(candidate: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(m, ln s, μ, ln σ), all (batch, L), is Var(w/p(x)), (batch,): ∫ N(m, s²)²/N(μ, σ²) dz − 1 on a grid.

    The posterior is N(m, s²), the guess N(μ, σ²), each latent by itself. The first row has the two equal, the second
    is the toy x = 1, ln p = −1.5155, with the prior for a guess.
    """
    rng = torch.Generator().manual_seed(seed)
    z = torch.linspace(-40, 40, 16_001, dtype=torch.float64)
    for rows, latents in ((4, 1), (5, 3)):
        mean, q_mean, u, v = torch.randn(4, rows, latents, generator=rng, dtype=torch.float64) * 0.5
        log_std, q_log_std = 0.3 * u - 0.5, 0.3 * u - 0.5 + 0.15 * v.abs()
        q_mean[0], q_log_std[0] = mean[0], log_std[0]
        mean[1], log_std[1], q_mean[1], q_log_std[1] = 0.5, math.log(0.5) / 2, 0.0, 0.0
        inputs = {"mean": mean, "log_std": log_std, "q_mean": q_mean, "q_log_std": q_log_std}
        squares = _square(z, *inputs.values())
        right = squares.prod(1) - 1
        swapped = _square(z, q_mean, log_std, mean, q_log_std)
        slips: dict[str, Slips] = {
            "constant": [right + 1, (right + 1).log(), right / 2],
            "reduction": [squares.sum(1) - 1, (squares - 1).sum(1), squares.mean(1) - 1],
            "spread": [right.sqrt(), swapped.prod(1)],
            "shape": pooled(right),
            "sign": -right,
        }
        observed = require_shape("one variance for each row", ask(candidate, **inputs), (rows,)).double()
        require_close("Var(w/p) = ∫ p²/q − 1", observed, right, within(right), slips, inputs)


def _square(z: Tensor, mean: Tensor, log_std: Tensor, q_mean: Tensor, q_log_std: Tensor) -> Tensor:
    """∫ p²/q by the trapezoid rule, latent by latent, (batch, L)."""

    def log_prob(centre: Tensor, log_width: Tensor) -> Tensor:
        return -0.5 * ((z - centre[..., None]) / log_width.exp()[..., None]) ** 2 - log_width[..., None] - HALF_LOG_2PI

    return torch.trapezoid((2 * log_prob(mean, log_std) - log_prob(q_mean, q_log_std)).exp(), z)


def bounds_rise_to_the_evidence(
    candidate: Variational,
    x: Tensor,
    log_prob: Tensor,
    kl: Tensor,
    variance: Tensor,
    *,
    draws: int = 1_000,
    seed: int = 0,
) -> None:
    """ln p − E ELBO = KL(q ‖ posterior); E L_K rises with K, is at most ln p, and ends Var(w/p)/2K below it.

    For each row of x: exact `log_prob`, `kl` of the guess from the posterior, `variance` of w/p, all (batch,). Within
    4 standard errors; the last, at K = 64, to a sixth besides, which the next order of 1/K takes.
    """
    rng = torch.Generator().manual_seed(seed)
    most = 64
    with torch.no_grad():
        elbo = candidate.elbo(x.repeat(draws, *[1] * (x.dim() - 1)), rng=rng)
        log_w = candidate.log_weights(x, most * draws, rng=rng)
    elbo = require_shape("one bound for each row", elbo, (draws * len(x),)).view(draws, -1) - log_prob
    log_r = (require_shape("log weights are (k, batch)", log_w, (most * draws, len(x))) - log_prob).view(
        draws, most, -1
    )
    require_close("ln p − ELBO = KL(q ‖ posterior)", elbo.mean(0), -kl, 4 * standard_error(elbo) + 1e-6)
    ratio = log_r.exp().mean(1)
    slack = 4 * standard_error(ratio) + 1e-6
    require_close("E w = p(x)", ratio.mean(0), torch.ones_like(log_prob), slack)
    sizes = [1, 2, 4, 8, 16, 32, most]
    # beside R − 1, R the mean of w/p, which is 0 on average: what is left of ln R varies little
    below = [(log_r.view(-1, k, len(x)).logsumexp(1) - math.log(k)).view(draws, -1, len(x)).mean(1) for k in sizes]
    below = [values - (ratio - 1) for values in below] + [torch.zeros_like(ratio)]
    for k, (lower, upper) in zip(sizes, itertools.pairwise(below), strict=True):
        slack = 4 * standard_error(upper - lower) + 1e-9
        if not ((lower - upper).mean(0) <= slack).all():
            row = int((lower - upper).mean(0).argmax())
            name = "ln p(x)" if k == most else f"L_{2 * k}"
            raise LawBroken(f"L_{k} ≤ {name}", f"{lower.mean(0)[row]:.4f}", f"at most {upper.mean(0)[row]:.4f}")
    gap = variance / (2 * most)
    last = below[-2]
    require_close("ln p − L_K ≈ Var(w/p)/2K", -last.mean(0), gap, 4 * standard_error(last) + gap / 6 + 1e-9)
