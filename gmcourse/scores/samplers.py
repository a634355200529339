"""Down the levels, from noise to data: the steps of DDPM, DDIM and Heun, on points x + σε with any denoiser."""

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Protocol

import torch
from torch import Generator, Tensor

from gmcourse.probability import noise_like
from gmcourse.scores.chain import posterior, reverse_std
from gmcourse.scores.levels import Level, column, descending, require_range

Denoise = Callable[[Tensor, Level], Tensor]


class Step(Protocol):
    """step(noised, clean, sigma, lower, noise): from level σ down to `lower`; `clean` is x*."""

    def __call__(self, noised: Tensor, clean: Tensor, sigma: Level, lower: Level, noise: Tensor, /) -> Tensor: ...


class Walk(Protocol):
    """From points at the first of the levels, which fall, to data."""

    def __call__(
        self, denoise: Denoise, noised: Tensor, sigmas: Tensor, /, *, rng: Generator | None = None
    ) -> Tensor: ...


def linear_levels(n: int = 1000, smallest: float = 1e-4, largest: float = 0.02) -> Tensor:
    """DDPM's levels, σ_n > … > σ_1, (n,), float64: a_k² = Π_{i ≤ k} (1 − β_i), σ_k² = (1 − a_k²)/a_k².

    The variances β_1 … β_n of the steps, where a² + b² = 1, rise in equal steps from `smallest` to `largest`.
    Raises ValueError for n < 1, or variances outside (0, 1). Equation: scores-noise-schedule.
    Ho et al. 2020, section 4.
    """
    if n < 1:
        raise ValueError(f"n: got {n}, expected at least 1 level")
    if not 0 < smallest <= largest < 1:
        raise ValueError(f"smallest, largest: got {smallest} and {largest}, expected 0 < smallest <= largest < 1")
    log_signal = torch.log1p(-torch.linspace(smallest, largest, n, dtype=torch.float64)).cumsum(0)
    return torch.expm1(-log_signal).sqrt().flip(0)


def cosine_levels(largest: float, smallest: float, n: int) -> Tensor:
    """σ = tan θ with θ in equal steps, the largest first, (n,), float64: a = cos θ and b = sin θ where a² + b² = 1.

    Raises ValueError unless largest > smallest > 0 and n > 0. After Nichol & Dhariwal 2021, equation 17.
    """
    require_range(largest, smallest, n)
    return torch.linspace(math.atan(largest), math.atan(smallest), n, dtype=torch.float64).tan()


def power_levels(largest: float, smallest: float, n: int, power: float = 7.0) -> Tensor:
    """Levels whose 1/`power`-th powers fall in equal steps, the largest first, (n,), float64: finer towards the data.

    Raises ValueError as `cosine_levels` does, or for a power that is not positive. Karras et al. 2022, equation 5.
    """
    require_range(largest, smallest, n)
    if power <= 0:
        raise ValueError(f"power: got {power}, expected a number above 0")
    return torch.linspace(largest ** (1 / power), smallest ** (1 / power), n, dtype=torch.float64) ** power


def spaced(sigmas: Tensor, calls: int) -> Tensor:
    """`calls` of the levels, evenly spaced by their number, the first among them: (calls,)."""
    if not isinstance(calls, int) or not 1 <= calls <= len(sigmas):
        raise ValueError(f"calls: got {calls}, expected 1 to {len(sigmas)}, the number of levels")
    return sigmas[torch.arange(calls) * len(sigmas) // calls]


def ancestral_step(
    noised: Tensor, clean: Tensor, sigma: Level, lower: Level, noise: Tensor, spread: float = 0.0
) -> Tensor:
    """DDPM: the posterior's mean with `clean` in the place of x, and noise of `reverse_std`; none on the way to 0.

    Equation: scores-ancestral-step. Ho et al. 2020, algorithm 2.
    """
    mean, _ = posterior(clean, noised, sigma, lower)
    std = column(reverse_std(sigma, lower, spread).to(mean), mean) * (column(lower, mean) > 0)
    return mean + std * noise


def ddim_step(noised: Tensor, clean: Tensor, sigma: Level, lower: Level, noise: Tensor, fresh: float = 0.0) -> Tensor:
    """x* + √(l² − τ²) ε* + τ · noise: of the noise l that stays, τ is drawn anew, and ε* = (noised − x*)/σ.

    τ = `fresh` · l √(1 − l²/σ²): at 0 the step is deterministic, at 1 it is DDPM's with the posterior's deviation.
    Equation: scores-ddim-step. Song et al. 2021, equations 12 and 16, divided by a; their η is `fresh`.
    Raises ValueError for `fresh` outside [0, 1].
    """
    if not 0 <= fresh <= 1:
        raise ValueError(f"fresh: got {fresh}, expected a share from 0 to 1")
    _, std = posterior(clean, noised, sigma, lower)
    sigma, lower = column(sigma, noised), column(lower, noised)
    kept = (lower.square() - (fresh * std).square()).sqrt()
    return clean + kept / sigma * (noised - clean) + fresh * std * noise


def walk(
    denoise: Denoise, noised: Tensor, sigmas: Tensor, *, step: Step = ddim_step, rng: Generator | None = None
) -> Tensor:
    """From points at the first of the levels, which fall, down to 0 by `step`: one call of `denoise` for each level.

    noised (batch, *event). Raises ValueError for levels that do not fall.
    """
    for sigma, lower in _falls(sigmas):
        noised = step(noised, denoise(noised, sigma), sigma, lower, noise_like(noised, rng))
    return noised


def heun_step(denoise: Denoise, noised: Tensor, sigma: Level, lower: Level) -> Tensor:
    """From σ down to `lower` along dx/dσ = (x − x*)/σ, by the mean of the slopes at both ends: two calls.

    noised (batch, *event), the levels numbers or (batch,). To the number 0, where no slope is known, it is Euler's step
    to x*, one call. Equation: scores-heun-step. Karras et al. 2022, algorithm 1.
    """
    way = column(lower, noised) - column(sigma, noised)
    slope = (noised - denoise(noised, sigma)) / column(sigma, noised)
    ahead = noised + way * slope
    if not isinstance(lower, Tensor) and lower == 0:
        return ahead
    return noised + way * (slope + (ahead - denoise(ahead, lower)) / column(lower, noised)) / 2


def heun(denoise: Denoise, noised: Tensor, sigmas: Tensor, *, rng: Generator | None = None) -> Tensor:
    """dx/dσ = (x − x*)/σ from the first level to 0 by `heun_step`: 2n − 1 calls for n levels, nothing is drawn."""
    for sigma, lower in _falls(sigmas):
        noised = heun_step(denoise, noised, sigma, lower)
    return noised


def _falls(sigmas: Tensor) -> Iterator[tuple[float, float]]:
    """(σ, the next lower one) for each level; below the last is 0."""
    levels = sigmas if sigmas.is_meta else descending(sigmas)
    return pairwise([*([1.0] * len(levels) if levels.is_meta else levels.tolist()), 0.0])


def clipped(denoise: Denoise, low: float, high: float) -> Denoise:
    """The denoiser, its answers cut to [low, high]: what samplers of pictures do, and what changes their law."""
    return lambda noised, sigma: denoise(noised, sigma).clamp(low, high)
