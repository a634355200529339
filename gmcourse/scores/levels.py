"""How much noise: x̃ = a x + b ε, whose level is σ = b/a, the standard deviation of the noise when a is divided out."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from gmcourse.nets import rowwise

Level = Tensor | float


def column(level: Level, x: Tensor) -> Tensor:
    """A number, or one for each row, (batch,), ready to multiply x, (batch, *event), in the type of x.

    Raises ValueError for another shape.
    """
    return rowwise(level, x).reshape(-1, *[1] * (x.dim() - 1))


def perturb(x: Tensor, sigma: Level, noise: Tensor) -> Tensor:
    """x̃ = x + σε, (batch, *event); sigma is a number or (batch,).

    Equation: scores-perturb.
    """
    return x + column(sigma, x) * noise


def noised_gaussian(noise: Tensor, sigma: Tensor, spread: float, centre: Tensor) -> Tensor:
    """m + √(s² + σ²) ε of `noise` (batch, *event): data N(m, s²) with noise of level σ, where walks to data begin."""
    return centre + (spread**2 + sigma.square()).sqrt().to(noise) * noise


def even_shares(x: Tensor) -> Tensor:
    """A number for each row of x, (batch,), uniform on [0, 1), and evenly spaced: from one draw of the global state.

    Kingma et al. 2021, appendix I.1.
    """
    places = torch.arange(len(x), dtype=x.dtype, device=x.device) / max(len(x), 1)
    return (torch.rand((), dtype=x.dtype, device=x.device) + places) % 1


def preserving(sigma: Level) -> tuple[Tensor, Tensor]:
    """(a, b) with b/a = σ and a² + b² = 1: x̃ = a x + b ε keeps the variance 1 of data of variance 1.

    Equation: scores-preserving.
    """
    sigma = torch.as_tensor(sigma)
    a = (1 + sigma.square()).rsqrt()
    return a, sigma * a


def geometric_levels(largest: float, smallest: float, n: int) -> Tensor:
    """σ_1 > … > σ_n with a constant ratio, (n,), float64: the largest first.

    Equation: scores-geometric-levels. Song & Ermon 2019, section 4.1.
    """
    require_range(largest, smallest, n, least=2)
    return torch.logspace(math.log10(largest), math.log10(smallest), n, dtype=torch.float64)


def require_range(largest: float, smallest: float, n: int, least: int = 1) -> None:
    """Raise ValueError unless largest > smallest > 0, and n is at least `least`."""
    if not 0 < smallest < largest < math.inf:
        raise ValueError(f"largest, smallest: got {largest} and {smallest}, expected largest > smallest > 0")
    if n < least:
        raise ValueError(f"n: got {n}, expected at least {least} level{'s' * (least > 1)}")


def descending(sigmas: Tensor | Sequence[float]) -> Tensor:
    """Levels as a tensor, (n,). Raises ValueError unless there is one, and they fall and are positive and finite."""
    sigmas = torch.as_tensor(sigmas)
    if sigmas.dim() != 1 or not len(sigmas) or not (sigmas > 0).all() or not (sigmas.diff() < 0).all():
        raise ValueError(f"sigmas: got {sigmas.tolist()}, expected positive levels, the largest first")
    if sigmas[0] == math.inf:
        raise ValueError("sigmas: got inf, expected finite levels")
    return sigmas


def described(sigmas: Tensor) -> str:
    """How many levels, the first, the middle and the last: by this a checkpoint knows its model."""
    few = "" if sigmas.is_meta else ": " + ", ".join(f"{sigmas[k]:g}" for k in (0, len(sigmas) // 2, -1))
    return f"{len(sigmas)} levels{few}"


def named(way: Callable[..., Any]) -> str:
    """The name of a function, of a partial's function or of an object's class: the same in every process."""
    way = getattr(way, "func", way)
    return getattr(way, "__qualname__", type(way).__qualname__)
