"""Distances between two samples, rows of any shape: none needs a density."""

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from gmcourse.metrics.transport import sorted_distance

Kernel = Callable[[Tensor, Tensor], Tensor]


def mmd(x: Tensor, y: Tensor, bandwidth: float | None = None) -> float:
    """Squared maximum mean discrepancy, unbiased, so that it may be below 0 where x and y are alike.

    mean_{i≠j} k(x_i, x_j) + mean_{i≠j} k(y_i, y_j) − 2 mean_{ij} k(x_i, y_j), with k(a, b) = exp(−‖a−b‖²/2h²); h is
    `bandwidth`, by default the median distance between two rows of both samples together (at most about 1000 rows of
    each, evenly spaced). Gretton et al. 2012, eq. 3. Equation: comparison-mmd.
    """
    x, y = _rows(x, y, least=2)
    h = _median_distance(x, y) if bandwidth is None else bandwidth
    if not h > 0:
        raise ValueError(f"bandwidth: got {h}, expected a positive length (the median is 0 where most rows are equal)")

    return _unbiased(x, y, lambda a, b: torch.exp(-(torch.cdist(a, b) ** 2) / (2 * h**2)))


def kernel_distance(x: Tensor, y: Tensor) -> float:
    """The kernel distance (KID): squared maximum mean discrepancy with k(a, b) = (a·b/d + 1)³, unbiased.

    Of features, (n, d) and (m, d), all at once: it has no bias that subsets would spread. The kernel sees the first
    three moments and no more. Raises ValueError for fewer than two rows. Bińkowski et al. 2018, section 4.
    Equation: comparison-kernel-moments.
    """
    x, y = _rows(x, y, least=2)
    return _unbiased(x, y, lambda a, b: (a @ b.T / a.shape[1] + 1) ** 3)


def _unbiased(x: Tensor, y: Tensor, kernel: Kernel) -> float:
    def mean_of_pairs(a: Tensor) -> Tensor:
        values = kernel(a, a)
        return (values.sum() - values.diagonal().sum()) / (len(a) * (len(a) - 1))

    return (mean_of_pairs(x) + mean_of_pairs(y) - 2 * kernel(x, y).mean()).item()


def sliced_wasserstein(x: Tensor, y: Tensor, projections: int = 100, rng: Generator | None = None) -> float:
    """Mean over random directions of the 1-D Wasserstein-1 distance ∫ |F⁻¹(u) − G⁻¹(u)| du of the projections.

    Exact in each direction, for samples of unequal sizes too; in the units of x. Bonneel et al. 2015.
    """
    x, y = _rows(x, y, least=1)
    if projections < 1:
        raise ValueError(f"projections: got {projections}, expected at least one direction")
    directions = torch.randn(x.shape[1], projections, generator=rng, dtype=x.dtype, device=x.device)
    directions = directions / directions.norm(dim=0)
    return sorted_distance(x @ directions, y @ directions).mean().item()


def _rows(x: Tensor, y: Tensor, least: int) -> tuple[Tensor, Tensor]:
    if x.dim() < 1 or y.dim() < 1 or x.shape[1:] != y.shape[1:] or min(len(x), len(y)) < least:
        raise ValueError(
            f"x, y: got shapes {tuple(x.shape)} and {tuple(y.shape)}, "
            f"expected (n, *event) and (m, *event) with at least {least} rows each"
        )
    x, y = (t.detach().to(torch.float64).reshape(len(t), -1) for t in (x, y))
    return x, y


def _median_distance(x: Tensor, y: Tensor) -> float:
    return torch.pdist(torch.cat([t[:: -(-len(t) // 1000)] for t in (x, y)])).median().item()
