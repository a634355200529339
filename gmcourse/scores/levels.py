"""How much noise: x̃ = a x + b ε, whose level is σ = b/a, the standard deviation of the noise when a is divided out."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from gmcourse.nets import rowwise


def column(level: Tensor | float, x: Tensor) -> Tensor:
    """A number, or one for each row, (batch,), ready to multiply x, (batch, *event), in the type of x.

    Raises ValueError for another shape.
    """
    return rowwise(level, x).reshape(-1, *[1] * (x.dim() - 1))


def perturb(x: Tensor, sigma: Tensor | float, noise: Tensor) -> Tensor:
    """x̃ = x + σε, (batch, *event); sigma is a number or (batch,).

    Equation: scores-perturb.
    """
    return x + column(sigma, x) * noise


def preserving(sigma: Tensor | float) -> tuple[Tensor, Tensor]:
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
    if not 0 < smallest < largest:
        raise ValueError(f"largest, smallest: got {largest} and {smallest}, expected largest > smallest > 0")
    if n < 2:
        raise ValueError(f"n: got {n}, expected at least 2 levels")
    return torch.logspace(math.log10(largest), math.log10(smallest), n, dtype=torch.float64)


def descending(sigmas: Tensor | Sequence[float]) -> Tensor:
    """Levels as a tensor, (n,). Raises ValueError unless they fall and are positive."""
    sigmas = torch.as_tensor(sigmas)
    if sigmas.dim() != 1 or not (sigmas > 0).all() or not (sigmas.diff() < 0).all():
        raise ValueError(f"sigmas: got {sigmas.tolist()}, expected positive levels, the largest first")
    return sigmas
