"""Laws of a consistency model: its boundary, the teacher's step, the loss with its still target, and jumps again."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gmcourse.laws.asking import ask, slope
from gmcourse.laws.broken import LawBroken, Slips, require_close, require_parts, require_shape, show_value
from gmcourse.laws.rows import Level, draw, pooled, within

Field = Callable[[Tensor, Level], Tensor]
Scales = Callable[[Tensor, float, float], tuple[Tensor, Tensor]]
Step = Callable[[Field, Tensor, Level, Level], Tensor]
Errors = Callable[[Field, Tensor, Level, Tensor, Level], Tensor]
Jumps = Callable[[Field, Tensor, Tensor, float, torch.Generator], Tensor]

LEVELS = (3.0, 1.2)
"""A level and the next lower one: neither is 1, nor is their difference."""


def scales_keep_the_lowest_level(candidate: Scales) -> None:
    """candidate(σ, σ_1, s) = s²/(s² + (σ − σ_1)²) and s(σ − σ_1)/√(s² + σ²), of the shape of σ.

    At σ_1 they are 1 and 0, so that c_skip x + c_out F is x whatever F is.
    """
    for lowest, s in ((0.5, 0.4), (0.02, 2.0)):
        sigma = torch.tensor([lowest, 1.5 * lowest, 0.9, 4.0], dtype=torch.float64)
        parts = require_parts("c_skip and c_out", ask(candidate, sigma=sigma, lowest=lowest, spread=s), 2)
        past, wide = sigma - lowest, torch.hypot(sigma, torch.full_like(sigma, s))
        skip, out = 1 / (1 + (past / s) ** 2), s * past / wide
        ways: tuple[tuple[str, Tensor, dict[str, Slips]], ...] = (
            (
                "c_skip",
                skip,
                {
                    "constant": [1 / (1 + (sigma / s) ** 2), 1 / (1 + past**2), 1 - skip],
                    "spread": [skip.sqrt(), s / (s + past.square()), s / (s + past)],
                    "direction": s**2 / (s**2 + sigma**2 - lowest**2),
                },
            ),
            (
                "c_out",
                out,
                {
                    "constant": [s * sigma / wide, past / wide, *(p / (1 + sigma**2).sqrt() for p in (past, s * past))],
                    "spread": [s * past / wide**2, s * past / torch.hypot(past, torch.full_like(sigma, s))],
                    "direction": s * (sigma**2 - lowest**2).sqrt() / wide,
                    "sign": -out,
                },
            ),
        )
        for part, (name, expected, suspects) in zip(parts, ways, strict=True):
            observed = require_shape(name, part, (4,)).double()
            given = {"σ": sigma, "σ_1": lowest, "s": s}
            require_close(f"{name}, 1 and 0 at σ_1", observed, expected, 1e-6, suspects, given=given)


def step_is_heun_s(candidate: Step, *, seed: int = 0) -> None:
    """candidate(x*, x + σε, σ, l) = the point at l by the mean of the slopes of dx/dσ = (x − x*)/σ at both ends.

    The second slope is that where the first would lead. The denoiser is that of N(m, v), so that the distance from m
    is multiplied by a number for each step. σ and l are numbers or (batch,).
    """
    m, v = 0.7, 0.3
    for rows in (False, True):
        noised = 2 * draw(4, 2, 3, seed=seed)
        sigma, lower = (torch.linspace(1, 1.3, 4) * level if rows else level for level in LEVELS)
        inputs = {"denoise": _denoiser(m, v), "noised": noised, "sigma": sigma, "lower": lower}
        wide, low = (torch.as_tensor(level).double().reshape(-1, 1, 1) for level in (sigma, lower))
        way, first, second = low - wide, wide / (v + wide**2), low / (v + low**2)
        euler, heun = 1 + way * first, 1 + way / 2 * (first + (1 + way * first) * second)
        law = "Heun's step, a level for each row" if rows else "Heun's step"
        observed = require_shape(law, ask(candidate, **inputs), tuple(noised.shape)).double()
        away = noised.double() - m
        expected = m + heun * away
        suspects: dict[str, Slips] = {
            "spread": m + euler * away,
            "constant": [m + ratio * away for ratio in (1 + way / 2 * (first + second), 2 * heun - 1)],
            "sign": [m + ratio * away for ratio in (2 - heun, 1 - way / 2 * (first + (1 - way * first) * second))],
            "direction": [
                m + (1 + way / 2 * (first + (1 + way * first) * told**2 / (v + told**2) / under)) * away
                for told, under in ((wide, wide), (low, wide), (wide, low))
            ],
            "dependence": [m + (1 + way * second * kept) * away for kept in (1, 1 + way * first)]
            + [m + torch.sqrt((v + low**2) / (v + wide**2)) * away],
            "shape": pooled(expected),
        }
        require_close(law, observed, expected, within(expected), suspects, given=inputs)


def _denoiser(m: float, v: float) -> Field:
    """E[x | x + σε] for x ~ N(m, v)."""

    def denoise(x: Tensor, sigma: Level) -> Tensor:
        square = torch.as_tensor(sigma).to(x).reshape(-1, *[1] * (x.dim() - 1)) ** 2
        return (v * x + square * m) / (v + square)

    return denoise


def errors_hold_the_target_still(candidate: Errors, *, seed: int = 0) -> None:
    """candidate(f, noised, σ, nearer, l) = ‖f(noised, σ) − f(nearer, l)‖², (batch,).

    Its gradient is that of f(noised, σ) alone: what f(nearer, l) gives is a target, and stands still. σ and l are
    numbers or (batch,).
    """
    for rows in (False, True):
        noised, nearer = draw(4, 3, 5, seed=seed), draw(4, 3, 5, seed=seed + 1)
        sigma, lower = (torch.linspace(1, 1.3, 4) * level if rows else level for level in LEVELS)
        weight = torch.tensor(0.8, requires_grad=True)
        inputs = {"f": _scaled(weight), "noised": noised, "sigma": sigma, "nearer": nearer, "lower": lower}
        observed = require_shape("one error a row", ask(candidate, **inputs), (4,))
        values, slopes = _errors(noised.double(), sigma, nearer.double(), lower)
        given = {name: value for name, value in inputs.items() if name != "f"}
        law = "‖f(x̃, σ) − f(x̂, l)‖²"
        expected = values.pop("")
        require_close(law, observed.double(), expected, within(expected), values, given=given)
        found = torch.stack([slope(error, weight) for error in observed]).double()
        expected = slopes.pop("")
        require_close(f"the gradient of {law}, the target still", found, expected, within(expected), slopes)


def _scaled(weight: Tensor) -> Field:
    """f(x, σ) = w x/(1 + σ), which hangs on its one weight at every level."""
    return lambda x, sigma: weight * x / (1 + torch.as_tensor(sigma).to(x).reshape(-1, *[1] * (x.dim() - 1)))


def _errors(noised: Tensor, sigma: Level, nearer: Tensor, lower: Level) -> tuple[dict[str, Any], dict[str, Any]]:
    """The errors and their slopes by w at w = 0.8, under "", and what they become by a slip."""
    high, low = (torch.as_tensor(level).double().expand(4) for level in (sigma, lower))
    rates = {name: x.flatten(1) / (1 + level)[:, None] for name, x, level in (
        ("ours", noised, high), ("target", nearer, low), ("ours, l", noised, low), ("target, σ", nearer, high),
    )}  # fmt: skip
    gap, swapped = rates["ours"] - rates["target"], rates["ours, l"] - rates["target, σ"]
    level, lowered = rates["ours"] - rates["target, σ"], rates["ours, l"] - rates["target"]
    value = 0.8**2 * gap.square().sum(1)
    values = {
        "": value,
        "constant": [value / (high - low), value * (high - low), value / 2, value / high.square()],
        "sign": -value,
        "reduction": [value / 15, value / 5, value / 3, value.mean().expand(4), value.sum().expand(4)],
        "spread": [value.sqrt(), 0.8 * gap.abs().sum(1)],
        "direction": [0.8**2 * pair.square().sum(1) for pair in (swapped, level, lowered)],
    }
    ours, target = (2 * 0.8 * (gap * side).sum(1) for side in (rates["ours"], -rates["target"]))
    return values, {"": ours, "gradient": [ours + target, target, 0 * ours]}


def jumps_keep_the_law(candidate: Jumps, *, seed: int = 0) -> None:
    """candidate(f, x̃, σs, σ_1, rng): f at the first level; before each other level noise up to it, then f again.

    f is exact for N(0, v): what it gives has variance v + σ_1², and what it is given must have v + σ² at every level.
    The noise is fresh each time, equal seeds draw equal samples, and what f gave last is what comes out.
    """
    v, lowest, sigmas = 0.5, 0.6, torch.tensor([4.0, 1.5, 0.9], dtype=torch.float64)
    start = math.sqrt(v + 16) * draw(20_000, 2, seed=seed).double()

    def drawn(seen: list[tuple[Tensor, float, Tensor]]) -> Tensor:
        rng = torch.Generator().manual_seed(seed + 1)
        inputs = {"f": _recorded(seen, v, lowest), "noised": start, "sigmas": sigmas, "lowest": lowest, "rng": rng}
        return require_shape("a sample for each start", ask(candidate, **inputs), (20_000, 2)).double()

    seen: list[tuple[Tensor, float, Tensor]] = []
    observed = drawn(seen)
    if len(seen) != 3 or any(abs(level - s) > 1e-6 for (_, level, _), s in zip(seen, sigmas.tolist(), strict=True)):
        raise LawBroken("f is asked once at each level", f"{[level for _, level, _ in seen]}", f"{sigmas.tolist()}")
    require_close("equal seeds, equal samples", drawn([]), observed, 1e-6, deduced="randomness")
    require_close("what f gave last is the sample", observed, seen[-1][2], 1e-6, deduced="randomness")
    require_close("f is given the start first", seen[0][0], start, 1e-6, deduced="dependence")
    for (_, _, before), (given, sigma, _) in zip(seen, seen[1:]):
        _require_noise(given - before, before, sigma, lowest)


def _recorded(seen: list[tuple[Tensor, float, Tensor]], v: float, lowest: float) -> Field:
    """The exact f of N(0, v), down to `lowest`; it writes down what it is given and what it gives."""

    def f(x: Tensor, sigma: Level) -> Tensor:
        level = float(torch.as_tensor(sigma).flatten()[0])
        seen.append((x, level, x * math.sqrt((v + lowest**2) / (v + level**2))))
        return seen[-1][2]

    return f


def _require_noise(added: Tensor, before: Tensor, sigma: float, lowest: float) -> None:
    """Independent of what it is added to, and of variance σ² − σ_1²."""
    share = ((added * before).mean() / (added.std() * before.std() + 1e-12)).item()
    if abs(share) > 0.03:
        raise LawBroken("the noise is fresh", f"correlation {share:.3f} with the sample", "0", "randomness")
    if added.std(0).max() < 1e-6:
        raise LawBroken("the noise is fresh", "the same for all samples", "noise for each sample", "randomness")
    variance, expected = added.square().mean(), torch.tensor(sigma**2 - lowest**2, dtype=torch.float64)
    suspects: dict[str, Slips] = {
        "spread": [expected.square(), expected.sqrt(), expected + lowest**2, torch.tensor((sigma - lowest) ** 2)]
        + [torch.tensor(sigma**2 + lowest**2), torch.tensor(lowest**2), 2 * expected],
        "constant": torch.ones_like(expected),
    }
    law = f"variance of the noise from {lowest} up to {show_value(sigma)}"
    require_close(law, variance, expected, 0.03 * expected, suspects)
