"""Laws of a weighed KL: the best linear code at a price, and a floor under each latent's KL."""

from collections.abc import Callable

import torch
from torch import Tensor

from gmcourse.laws.asking import ask, slope
from gmcourse.laws.broken import Slips, require_close, require_parts, require_shape
from gmcourse.laws.rows import within


def linear_code_is_best(candidate: Callable[[Tensor, float, float], object], *, seed: int = 0) -> None:
    """candidate(λ, β, σ²) → (rate in nats, distortion), each (D,): the best linear β-VAE's, by direction.

    The oracle searches the decoder's weight u on a grid: with z ~ N(0, 1), x | z ~ N(uz, σ²) and the best Gaussian
    q(z|x) for that u, it maximises E ln p(x|z) − β KL over data of variance λ. It assumes no water line.
    """
    law = "rate and distortion of the best linear code"
    for spectrum in ((0.7, 0.3, 0.05), (5.0, 1.3, 1.1, 0.4, 0.01)):
        for beta, variance in ((1.0, 0.2), (4.0, 0.1), (0.5, 0.9), (3.0, 2.5)):
            eigenvalues = torch.tensor(spectrum, dtype=torch.float64)
            rate, lost = _searched(eigenvalues, beta, variance)
            inputs = {"eigenvalues": eigenvalues, "beta": beta, "noise_variance": variance}
            slips = _code_slips(eigenvalues, beta, variance)
            parts = require_parts(law, ask(candidate, **inputs), 2)
            seen = torch.stack([require_shape(law, part, (len(spectrum),)).double() for part in parts])
            right = torch.stack((rate, lost))
            require_close(law, seen, right, within(right, 1e-3), slips, inputs, fit=1e-4)


def _searched(eigenvalues: Tensor, beta: float, variance: float) -> tuple[Tensor, Tensor]:
    """Rate and distortion at the best decoder weight of a fine grid, from 0 on."""
    weight = torch.linspace(0, 1, 20_001, dtype=torch.float64)[:, None] * eigenvalues.sqrt()
    spread = beta * variance / (weight**2 + beta * variance)  # the variance of the best q, and its mean: a x
    a = weight / (weight**2 + beta * variance)
    rate = 0.5 * (a**2 * eigenvalues + spread - 1 - spread.log())
    lost = eigenvalues * (1 - weight * a) ** 2 + weight**2 * spread
    best = (-lost / (2 * variance) - beta * rate).argmax(0, keepdim=True)
    return rate.gather(0, best)[0], lost.gather(0, best)[0]


def _code_slips(eigenvalues: Tensor, beta: float, variance: float) -> dict[str, Slips]:
    """What the usual slips give, as (2, D)."""

    def cut(level: float, least: float = 1.0) -> Tensor:
        return torch.stack((0.5 * (eigenvalues / level).clamp(min=least).log(), eigenvalues.clamp(max=level)))

    theta = beta * variance
    rate, lost = cut(theta)
    return {
        "constant": [torch.stack((c * rate, lost)) for c in (2.0, 1 / 0.6931471805599453, 2 / 0.6931471805599453)],
        "sign": [cut(theta, 0.0), torch.stack((-rate, lost)), torch.stack((cut(theta, 0.0)[0], 0 * lost + theta))],
        "spread": [cut(beta * variance**0.5), cut(beta * variance**2), cut(beta**2 * variance)],
        "direction": [cut(variance / beta), cut(beta / variance)],
        "dependence": [cut(variance), cut(beta)],
        "one-to-one": [
            torch.stack((rate, other))
            for other in (0 * lost + theta, eigenvalues.clamp(min=theta), theta * (eigenvalues > theta))
        ],
    }


def floor_is_each_latents(candidate: Callable[[Tensor, float], Tensor], *, seed: int = 0) -> None:
    """candidate(kl, floor), kl (batch, L), is Σ_j max(floor, mean over the batch of KL_j): a scalar, nats.

    Its gradient is 1/batch for a latent above the floor and 0 below it. A floor of 0 gives the mean KL.
    """
    law = "each latent's mean KL, or the floor, whichever is larger; summed"
    rng = torch.Generator().manual_seed(seed)
    for batch, latents, floor in ((4, 3, 0.5), (6, 5, 0.2), (3, 4, 0.0), (5, 2, 3.0)):
        kl = torch.rand(batch, latents, generator=rng) * torch.linspace(0.1, 1.9, latents)
        kl.requires_grad_()
        means, rows = kl.detach().double().mean(0), kl.detach().double()
        high = torch.where(means > floor, means, floor).sum()
        slips: dict[str, Slips] = {
            "log-mean": rows.clamp(min=floor).mean(0).sum(),
            "reduction": [means.sum().clamp(min=floor), means.sum().clamp(min=floor * latents), high / latents]
            + [rows.sum(0).clamp(min=floor).sum(), batch * high, rows.sum(1).clamp(min=floor).mean()],
            "constant": [means.sum() + floor, means.sum() + floor * latents, (means - floor).clamp(min=0).sum()],
            "direction": [means.clamp(max=floor).sum(), rows.clamp(max=floor).mean(0).sum()],
            "dependence": [rows.mean(1).clamp(min=floor).sum(), rows.mean(1).clamp(min=floor).mean()],
            "sign": -high,
        }
        value = require_shape("one number", ask(candidate, kl=kl, floor=floor), ())
        given = {"batch": batch, "latents": latents, "floor": floor, "mean KL of each latent": means}
        require_close(law, value.double(), high, within(high, 1e-5), slips, given)
        right = (means > floor).double().expand(batch, -1) / batch
        flat: dict[str, Slips] = {"gradient": [0 * right, 0 * right + 1 / batch]}
        law_of_slopes = "the gradient is 1/batch above the floor and 0 below it"
        require_close(law_of_slopes, slope(value, kl).double(), right, 1e-6, flat, given)
