"""Laws of a rational-quadratic spline: its bins, their slopes, their inverse, and the knots that a network names."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from gmcourse.laws.broken import LawBroken, require_close, require_shape

Bin = Callable[..., Tensor]


def bins(n: int, seed: int = 0) -> tuple[Tensor, ...]:
    """Corners x0, x1, z0, z1 and end slopes d0, d1 of n random bins, each (n,), float64."""
    rng = torch.Generator().manual_seed(seed)
    x0, z0 = 6 * torch.rand(2, n, generator=rng, dtype=torch.float64) - 4
    width, height, d0, d1 = 0.2 + 2 * torch.rand(4, n, generator=rng, dtype=torch.float64)
    return x0, x0 + width, z0, z0 + height, d0, d1


def bernstein(x: Tensor, x0: Tensor, x1: Tensor, z0: Tensor, z1: Tensor, d0: Tensor, d1: Tensor) -> Tensor:
    """The same curve written as a weighted mean of corners: weights ρ(1 − ξ)², d0 and d1 times ξ(1 − ξ), ρξ²."""
    xi, rho = (x - x0) / (x1 - x0), (z1 - z0) / (x1 - x0)
    left, right, across = rho * (1 - xi) ** 2, rho * xi**2, xi * (1 - xi)
    above = z0 * left + (z0 * d1 + z1 * d0) * across + z1 * right
    return above / (left + (d0 + d1) * across + right)


def _slope(curve: Bin, x: Tensor, *corners: Tensor) -> Tensor:
    x = x.clone().requires_grad_()
    z = curve(x, *corners)
    return torch.autograd.grad(z.sum(), x)[0] if z.requires_grad else torch.zeros_like(x)


def rises_through_its_corners(candidate: Bin, *, seed: int = 0) -> None:
    """candidate(x, x0, x1, z0, z1, d0, d1), all (n,): z0 at x0 with slope d0, z1 at x1 with slope d1, and between."""
    corners = bins(6, seed)
    x0, x1, z0, z1, d0, d1 = corners
    left = require_shape("one z for each x", candidate(x0, *corners), (6,))
    require_close("z = z0 at x = x0", left, z0, 1e-9, {"constant": 0 * z0, "sign": -z0}, "dependence")
    right = require_shape("one z for each x", candidate(x1, *corners), (6,))
    require_close("z = z1 at x = x1", right, z1, 1e-9, {"reduction": z0 + 1}, "spread")
    for place, x, slope, other in (("x0", x0, d0, d1), ("x1", x1, d1, d0)):
        observed = _slope(candidate, x, *corners)
        suspects = {"direction": other, "gradient": (z1 - z0) / (x1 - x0)}
        require_close(f"the slope at {place} by autograd", observed, slope, 1e-9, suspects, "gradient")
    for share in (0.2, 0.5, 0.9):
        x = x0 + share * (x1 - x0)
        require_close(f"z at ξ = {share}", candidate(x, *corners), bernstein(x, *corners), 1e-9)


def log_slope_is_autograds(candidate: Bin, *, seed: int = 0) -> None:
    """candidate(x, x0, x1, z0, z1, d0, d1) = ln ∂z/∂x by autograd: in a straight bin first, then in bent ones."""
    x0, x1, z0, z1, _, _ = bins(6, seed)
    rho = (z1 - z0) / (x1 - x0)
    x = x0 + 0.3 * (x1 - x0)
    observed = require_shape("one number for each x", candidate(x, x0, x1, z0, z1, rho, rho), (6,))
    log = rho.log()
    suspects = {"spread": rho, "sign": -log, "constant": 2 * log, "reduction": 3 * log, "shape": log.sum().expand(6)}
    require_close("in a straight bin the slope is ρ", observed, log, 1e-9, suspects)
    corners = bins(6, seed)
    rho = (corners[3] - corners[2]) / (corners[1] - corners[0])
    for share in (0.0, 0.3, 0.8):
        x = corners[0] + share * (corners[1] - corners[0])
        expected = _slope(bernstein, x, *corners).log()
        above = corners[5] * share**2 + 2 * rho * share * (1 - share) + corners[4] * (1 - share) ** 2
        suspects = {"dependence": above.log(), "direction": _mirrored(share, corners)}
        require_close(f"ln ∂z/∂x by autograd at ξ = {share}", candidate(x, *corners), expected, 1e-9, suspects)


def _mirrored(share: float, corners: tuple[Tensor, ...]) -> Tensor:
    x0, x1, z0, z1, d0, d1 = corners
    return _slope(bernstein, x0 + share * (x1 - x0), x0, x1, z0, z1, d1, d0).log()


def a_spline(seed: int = 0, straight: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    """Knots x and z of a spline of 5 bins over [−3, 3], and its slopes, each (6,), float64."""
    rng = torch.Generator().manual_seed(seed)
    widths, heights = 0.3 + torch.rand(2, 5, generator=rng, dtype=torch.float64)
    start = torch.tensor([-3.0], dtype=torch.float64)
    x = torch.cat([start, 6 * (widths / widths.sum()).cumsum(0) - 3])
    if straight:
        return x, x.clone(), torch.ones_like(x)
    z = torch.cat([start, 6 * (heights / heights.sum()).cumsum(0) - 3])
    slopes = 0.2 + 2 * torch.rand(6, generator=rng, dtype=torch.float64)
    slopes[[0, -1]] = 1.0
    return x, z, slopes


def inverts_the_spline(candidate: Bin, *, seed: int = 0) -> None:
    """candidate(z, x_knots, z_knots, slopes): z (n,) and knots (M + 1,) → the x whose spline is z, straight bins too.

    The oracle is a bisection on the curve.
    """
    x_knots, z_knots, _ = straight = a_spline(seed, straight=True)
    z = torch.linspace(-2.9, 2.9, 25, dtype=torch.float64)
    observed = candidate(z, *straight)
    require_close("x = z where every bin is straight", require_shape("one x for each z", observed, (25,)), z, 1e-9)
    x_knots, z_knots, slopes = bent = a_spline(seed)
    observed = require_shape("one x for each z", candidate(z, *bent), (25,))
    expected = _bisected(z, *bent)
    m = torch.searchsorted(z_knots, z) - 1
    outside = (observed < x_knots[m] - 1e-9) | (observed > x_knots[m + 1] + 1e-9)
    by_x = (torch.searchsorted(x_knots, z) - 1).clamp(0, 4)
    from_wrong_bin = (m != by_x) & ((observed - expected).abs() > 1e-6)
    right = (m == by_x) & ((observed - expected).abs() <= 1e-6)
    if from_wrong_bin.any() and torch.equal(from_wrong_bin | right, torch.ones_like(right)):
        i = int(from_wrong_bin.nonzero()[0])
        law = "the bin of z is the one whose corners z0, z1 hold it"
        raise LawBroken(law, f"x = {observed[i]:.4g} for z = {z[i]:.4g}", f"{expected[i]:.4g}", "direction")
    require_close(
        "x lies in the bin of z, and its spline is z",
        observed,
        expected,
        1e-8,
        cause="one-to-one" if outside.any() else "",
    )


def _bisected(z: Tensor, x_knots: Tensor, z_knots: Tensor, slopes: Tensor) -> Tensor:
    m = torch.searchsorted(z_knots, z) - 1
    corners = [table[m + i] for table in (x_knots, z_knots, slopes) for i in (0, 1)]
    low, high = corners[0], corners[1]
    for _ in range(60):
        middle = (low + high) / 2
        below = bernstein(middle, *corners) < z
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    return low


def knots_start_as_identity(candidate: Callable[[Tensor, float], tuple[Tensor, ...]], *, seed: int = 0) -> None:
    """candidate(h, B), h (3M − 1,) → knots x, z and slopes d, each (M + 1,): from −B to B, rising, slope 1 at the ends.

    At h = 0 the spline is the identity; the first M numbers move x, the next M move z, the last M − 1 move d.
    """
    count, bound = 4, 2.5
    h = torch.randn(3 * count - 1, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    tables = dict(zip("xzd", candidate(h, bound), strict=True))
    for name, table in tables.items():
        require_shape(f"{name}: one number for each of M + 1 knots", table, (count + 1,))
    for name in "xz":
        ends = torch.tensor([-bound, bound], dtype=torch.float64)
        require_close(f"knots {name} run from −B to B", tables[name][[0, -1]].double(), ends, 1e-6, cause="spread")
    least = min(tables["x"].diff().min(), tables["z"].diff().min(), tables["d"].min())
    if least <= 0:
        raise LawBroken("knots rise and slopes are positive", f"{least:.4g}", "more than 0", "sign")
    ones = torch.ones(count + 1, dtype=torch.float64)
    require_close("slope 1 at −B and B, as outside", tables["d"][[0, -1]].double(), ones[:2], 1e-6, cause="gradient")
    for index, name in enumerate("x" * count + "z" * count + "d" * (count - 1)):
        _moves_alone(candidate, h, bound, name, index)
    x, z, d = candidate(torch.zeros_like(h), bound)
    require_close("h = 0 is the identity: z = x at the knots", z, x, 1e-6, cause="dependence")
    require_close("h = 0 is the identity: slope 1 everywhere", d.double(), ones, 1e-6, cause="constant")


def _moves_alone(candidate: Callable[..., tuple[Tensor, ...]], h: Tensor, bound: float, name: str, index: int) -> None:
    moved = h.clone()
    moved[index] += 1.0
    pairs = zip("xzd", candidate(h, bound), candidate(moved, bound), strict=True)
    changed = [other for other, before, after in pairs if not torch.allclose(before, after)]
    if changed != [name]:
        said = f"{' and '.join(changed) or 'nothing'} moved"
        raise LawBroken(f"number {index} of h, counted from 0, moves {name} alone", said, f"{name} alone", "dependence")


def share_outside(answer: float, *, bound: float = 3.0, std: float = 3.0) -> None:
    """The share of N(0, std²) outside [−bound, bound]: 1 − erf(B/σ√2)."""
    exact = 1 - math.erf(bound / (std * math.sqrt(2)))
    suspects = {"sign": 1 - exact, "reduction": exact / 2, "spread": 1 - math.erf(bound / math.sqrt(2))}
    require_close("P(|x| > B)", float(answer), exact, 0.02, suspects)
