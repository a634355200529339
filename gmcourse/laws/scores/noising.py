"""Laws of a diffusion chain: its levels, its posterior, its steps down, and what a step costs."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, Slips, as_tensor, require_close, require_parts, require_shape
from gmcourse.laws.rows import Level, draw, further, pooled, within

Levels = Callable[[int, float, float], Tensor]
Posterior = Callable[[Tensor, Tensor, Level, Level], tuple[Tensor, Tensor]]
Deviation = Callable[[float, float, float], Tensor]
Step = Callable[[Tensor, Tensor, Level, Level, Tensor, float], Tensor]
Cost = Callable[[Tensor, int, float, float, float], Tensor]

PAIRS = ((1.5, 0.6), (3.0, 2.0), (0.4, 0.1))
"""Levels to step from and to: none is 1, at which σ and σ² are one number."""


def levels_follow_steps(candidate: Levels, *, seed: int = 0) -> None:
    """candidate(n, first, last) = σ_n > … > σ_1, (n,), where step k makes √(1 − β_k) x̃ + √β_k ε of x̃, from x̃ = x.

    The β rise in equal steps from `first` to `last`. The oracle takes the steps one by one and divides by what is
    left of x.
    """
    more = further(seed, lambda rng: (rng.randint(4, 20), rng.uniform(0.01, 0.1), rng.uniform(0.2, 0.4)))
    for n, first, last in ((5, 0.1, 0.3), (12, 1e-3, 0.4), *more):
        betas = torch.linspace(first, last, n, dtype=torch.float64)
        expected = _levels(betas)
        observed = require_shape(f"{n} levels", ask(candidate, n=n, first=first, last=last), (n,)).double()
        signal = (1 - betas).cumprod(0).flip(0)
        late = torch.cat([_levels(betas)[1:], torch.zeros(1, dtype=torch.float64)])
        suspects: dict[str, Slips] = {
            "direction": expected.flip(0),
            "spread": [expected.square(), (1 - signal).sqrt(), 1 - signal, expected.sqrt(), 1 / expected]
            + [(1 / signal.sqrt() - 1).sqrt(), (1 - signal) / signal.sqrt(), (1 - signal).sqrt() / signal],
            "constant": [late, (1 / signal - 1).sqrt() * signal.sqrt(), signal.sqrt(), signal],
            "dependence": [(betas / (1 - betas)).sqrt().flip(0), betas.sqrt().flip(0)],
            "reduction": [
                betas.cumsum(0).flip(0).sqrt(),
                betas.cumsum(0).flip(0),
                betas.square().cumsum(0).flip(0).sqrt(),
            ]
            + [(betas / (1 - betas)).cumsum(0).flip(0).sqrt()],
        }
        require_close(f"σ_k after the steps with β from {first} to {last}", observed, expected, 1e-5, suspects)


def _levels(betas: Tensor) -> Tensor:
    """√variance over what is left of the signal, after each step, the last first."""
    left, variance, levels = 1.0, 0.0, []
    for beta in betas.tolist():
        left, variance = math.sqrt(1 - beta) * left, (1 - beta) * variance + beta
        levels.append(math.sqrt(variance) / left)
    return torch.tensor(levels[::-1], dtype=torch.float64)


def posterior_conditions(candidate: Posterior, *, seed: int = 0) -> None:
    """candidate(x, x + σε, σ, l) → mean and standard deviation of x + l ε', of which x + σε is a noisier copy.

    x is (batch, *event), σ and l are numbers or (batch,); at l = 0 the mean is x and the deviation 0. The oracle
    conditions one Gaussian variable on another by their covariances.
    """
    for (sigma, lower), rows in ((pair, rows) for pair in (*PAIRS, (0.8, 0.0)) for rows in (False, True)):
        x, noised = draw(4, 2, 3, seed=seed), 2 * draw(4, 2, 3, seed=seed + 1)
        above, below = (torch.linspace(1, 1.2, 4) * level if rows else level for level in (sigma, lower))
        inputs = {"x": x, "noised": noised, "sigma": above, "lower": below}
        mean, std = require_parts("a mean and a standard deviation", ask(candidate, **inputs), 2)
        wide, low = (torch.as_tensor(level).double().reshape(-1, 1, 1) for level in (above, below))
        share, deviation = (part.expand(x.shape) for part in _conditioned(wide, low, 0.0))
        _require_mean(f"the mean of x + {lower}ε' given x and x + {sigma}ε", mean, share, inputs)
        law = f"its deviation, from {sigma} to {lower}"
        step = (wide.square() - low.square()).sqrt()
        suspects: dict[str, Slips] = {
            "spread": deviation.square(),
            "constant": [way.expand(x.shape) for way in (step, low, wide, step / wide)],
            "reduction": (low * wide / torch.hypot(low, wide)).expand(x.shape),
        }
        require_close(law, _broadcast(law, std, x.shape), deviation, 1e-5, suspects, given=inputs)


def _require_mean(law: str, mean: object, share: Tensor, inputs: dict[str, Any]) -> None:
    """x and so much of the way from it to the noisier copy."""
    x, noised = inputs["x"].double(), inputs["noised"].double()
    expected = x + share * (noised - x)
    suspects: dict[str, Slips] = {
        "direction": noised + share * (x - noised),
        "spread": [x + share.sqrt() * (noised - x), x + share.square() * (noised - x)],
        "reduction": x + share / (1 + share) * (noised - x),
        "dependence": [x, noised],
        "constant": [share * noised, (1 - share) * x],
        "shape": pooled(expected),
    }
    observed = require_shape(law, mean, tuple(x.shape)).double()
    require_close(law, observed, expected, within(expected), suspects, given=inputs)


def _broadcast(law: str, value: object, shape: torch.Size) -> Tensor:
    """One deviation for all, for each row, or for each entry, brought to `shape`."""
    tensor = as_tensor(value)
    if (
        tensor is None
        or tensor.dim() > len(shape)
        or any(n not in (1, m) for n, m in zip(tensor.shape[::-1], shape[::-1]))
    ):
        raise LawBroken(law, f"shape {getattr(tensor, 'shape', None)}", f"what broadcasts to {tuple(shape)}", "shape")
    return require_shape(law, tensor.broadcast_to(shape), tuple(shape)).double()


def _conditioned(sigma: Level, lower: Level, spread: float) -> tuple[Tensor, Tensor]:
    """Slope and deviation of x + l ε' given x + σε, x ~ N(m, s²), whose noises share what the lower one has."""
    sigma, lower = torch.as_tensor(sigma).double(), torch.as_tensor(lower).double()
    own, other = spread**2 + lower**2, spread**2 + sigma**2
    covariance = own  # x + σε is x + l ε' and more, independent, noise
    return covariance / other, (own - covariance**2 / other).clamp(min=0).sqrt()


def deviation_of_reverse_step(candidate: Deviation) -> None:
    """candidate(σ, l, s): the standard deviation of x + l ε' given x + σε, for x ~ N(m, s²); s = 0 for a known x."""
    for sigma, lower in PAIRS:
        for spread in (0.0, 0.5, 1.0, 2.0):
            _, expected = _conditioned(sigma, lower, spread)
            law = f"deviation of a step from {sigma} to {lower}, data of deviation {spread}"
            observed = require_shape(law, ask(candidate, sigma=sigma, lower=lower, spread=spread), ()).double()
            ways = {other: _conditioned(sigma, lower, other)[1] for other in (0.0, 1.0, spread**2)}
            suspects: dict[str, Slips] = {
                "spread": expected.square(),
                "dependence": list(ways.values()),
                "constant": [math.sqrt(sigma**2 - lower**2), sigma - lower, lower],
            }
            require_close(law, observed, expected, 1e-5, suspects)


def ddim_keeps_marginals(candidate: Step, *, seed: int = 0) -> None:
    """candidate(x + σε, x*, σ, l, noise, fresh) = x* + √(l² − τ²) ε* + τ · noise, ε* = (x + σε − x*)/σ, row by row.

    τ = fresh · the posterior's deviation. So what was x* + σε* has noise of variance l² in all, at any share of fresh
    noise; without any it is a step of Euler's rule for dx/dσ = (x − x*)/σ; with x* alone at l = 0.
    """
    for sigma, lower in (*PAIRS, (0.8, 0.0)):
        for fresh in (0.0, 1.0, 0.6):
            noised, clean, noise = (draw(4, 1, 3, seed=seed + i) for i in range(3))
            inputs = {"noised": noised, "clean": clean, "sigma": sigma, "lower": lower, "noise": noise, "fresh": fresh}
            law = f"from {sigma} to {lower} with {fresh} of the fresh noise"
            observed = require_shape(law, ask(candidate, **inputs), tuple(noised.shape)).double()
            expected, suspects = _ddim(noised.double(), clean.double(), sigma, lower, noise.double(), fresh)
            require_close(law, observed, expected, within(expected), suspects, given=inputs)


def _ddim(
    noised: Tensor, clean: Tensor, sigma: float, lower: float, noise: Tensor, fresh: float
) -> tuple[Tensor, dict[str, Slips]]:
    """The step, and what it becomes by a slip."""
    deviation = _conditioned(sigma, lower, 0.0)[1].item()

    def step(share: float, kept: float) -> Tensor:
        return clean + kept * (noised - clean) / sigma + share * deviation * noise

    def of_size(tau: float) -> Tensor:
        return clean + math.sqrt(max(lower**2 - tau**2, 0)) * (noised - clean) / sigma + tau * noise

    kept, fall = math.sqrt(lower**2 - (fresh * deviation) ** 2), math.sqrt(sigma**2 - lower**2)
    expected = step(fresh, kept)
    other = (lower, 1.0, fall, deviation * sigma / max(lower, 1e-9), lower * fall**2 / sigma**2)
    taus = [fresh * size for size in other] + [share * deviation for share in (0.0, 1.0, fresh**2, fresh**0.5)]
    suspects: dict[str, Slips] = {
        "sign": [step(fresh, -kept), step(-fresh, kept)],
        "spread": [step(fresh, lower), step(fresh, kept**2), step(fresh * deviation, kept)]
        + [step(fresh, lower * (1 - fresh)), step(fresh, lower - fresh * deviation)],
        "dependence": [of_size(tau) for tau in taus],
        "constant": [noised, step(fresh, kept * sigma)],
        "shape": pooled(expected),
    }
    if not fresh:  # on the line to `clean`, at another share of the way
        ways = [clean, clean + lower**2 / sigma**2 * (noised - clean), noised + lower * (noised - clean) / sigma]
        suspects["constant"] = [noised, step(0.0, lower * sigma), clean + lower * noise, *ways]
    return expected, suspects


def ancestral_step_reverses(candidate: Step, *, seed: int = 0) -> None:
    """candidate(x + σε, x*, σ, l, noise, s): the posterior's mean at x*, and the reverse deviation for data of s.

    On the way to l = 0 it gives x* and adds nothing.
    """
    for sigma, lower in (*PAIRS, (0.8, 0.0)):
        for spread in (0.0, 1.0, 0.5):
            noised, clean, noise = (draw(4, 1, 3, seed=seed + i) for i in range(3))
            inputs = {"noised": noised, "clean": clean, "sigma": sigma, "lower": lower, "noise": noise}
            law = f"from {sigma} to {lower}, data of deviation {spread}"
            asked = ask(candidate, **inputs, spread=spread)
            observed = require_shape(law, asked, tuple(noised.shape)).double()
            share, deviation = _conditioned(sigma, lower, 0.0)[0].item(), _conditioned(sigma, lower, spread)[1].item()
            deviation = deviation if lower else 0.0
            mean, noise = clean.double() + share * (noised - clean).double(), noise.double()
            expected = mean + deviation * noise
            straight = clean.double() + lower / sigma * (noised - clean).double()
            suspects: dict[str, Slips] = {
                "sign": mean - deviation * noise,
                "spread": [mean + deviation**2 * noise, straight + deviation * noise],
                "randomness": [mean, mean + _conditioned(sigma, lower, spread)[1] * noise],
                "dependence": [mean + _conditioned(sigma, lower, other)[1] * noise for other in (0.0, 1.0)],
                "direction": noised.double() + share * (clean - noised).double() + deviation * noise,
                "shape": pooled(expected),
            }
            require_close(law, observed, expected, within(expected), suspects, given=inputs)


def cost_is_divergence(candidate: Cost, *, seed: int = 0) -> None:
    """candidate(‖x* − x‖², D, σ, l, s): KL of the model's Gaussian for x + l ε' from the posterior's, (batch,), nats.

    The model has x* in the place of x and the deviation that suits data of deviation s. The oracle is torch's
    divergence of two Gaussians, summed over D coordinates.
    """
    for sigma, lower in PAIRS:
        for dims, spread in ((3, 0.5), (3, 0.0), (2, 1.0), (5, 2.0)):
            x, clean = (draw(4, dims, seed=seed + i).double() for i in range(2))
            error = (clean - x).square().sum(1)
            (share, own), (_, other) = _conditioned(sigma, lower, 0.0), _conditioned(sigma, lower, spread)
            posterior, model = Normal((1 - share) * x, own), Normal((1 - share) * clean, other)
            expected = kl_divergence(posterior, model).sum(1)
            inputs = {"error": error.float(), "dims": dims, "sigma": sigma, "lower": lower, "spread": spread}
            law = f"KL of a step from {sigma} to {lower}, data of deviation {spread}"
            observed = require_shape(law, ask(candidate, **inputs), (4,)).double()
            slope = (1 - share) ** 2 * error / 2
            flat = expected - slope / other**2
            suspects: dict[str, Slips] = {
                "dependence": [slope / other**2, slope / own**2, slope / own**2 + flat],
                "direction": [kl_divergence(model, posterior).sum(1), flat - slope / other**2],
                "reduction": [expected / dims, slope / other**2 + flat / dims, 2 * expected, expected / 2],
                "spread": [
                    slope / other + flat,
                    error / 2 / other**2 + flat,
                    (1 - share) * error / 2 / other**2 + flat,
                ],
                "constant": 2 * slope / other**2 + flat,
                "shape": pooled(expected),
            }
            require_close(law, observed, expected, within(expected), suspects, given=inputs)
