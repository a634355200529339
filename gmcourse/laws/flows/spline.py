"""Laws of a rational-quadratic spline: its bins, their slopes, their inverse, and the knots that a network names."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import (
    LawBroken,
    Slips,
    as_tensor,
    require_close,
    require_parts,
    require_shape,
    require_value,
    show_value,
)
from gmcourse.laws.rows import draw, pooled, within

Bin = Callable[..., Tensor]
CORNERS = ("x0", "x1", "z0", "z1", "d0", "d1")


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


def _random_bins(seed: int) -> tuple[Tensor, ...]:
    """The corners of `bins`, rounded to float32."""
    return tuple(corner.float() for corner in bins(6, seed))


def rises_through_its_corners(candidate: Bin, *, seed: int = 0) -> None:
    """candidate(x, x0, x1, z0, z1, d0, d1), all (n,): z0 at x0, z1 at x1, and the curve of `bernstein` between."""
    corners = _random_bins(seed)
    x0, x1, z0, z1, d0, d1 = exact = tuple(corner.double() for corner in corners)
    for share in (0.0, 1.0, 0.02, 0.2, 0.5, 0.9, 0.98):
        x = (x0 + share * (x1 - x0)).float().clamp(corners[0], corners[1])
        inputs = {"x": x, **dict(zip(CORNERS, corners, strict=True))}
        law = {0.0: "z = z0 at x = x0", 1.0: "z = z1 at x = x1"}.get(share, f"z at ξ = {share}")
        observed = require_shape("one z for each x", ask(candidate, **inputs), (6,))
        at = x.double()
        expected, rho = bernstein(at, *exact), (z1 - z0) / (x1 - x0)
        suspects = {
            "constant": expected - z0,
            "direction": bernstein(at, x0, x1, z0, z1, d1, d0),
            "gradient": z0 + rho * (at - x0),
            "spread": [bernstein(x0 + k * (at - x0), *exact) for k in (x1 - x0, (x1 - x0) ** 2)],
            "reduction": z0 + (expected - z0) / rho,
            "shape": pooled(expected),
        }
        require_close(law, observed, expected, within(expected), _telling(share, suspects), given=inputs)


def _telling(share: float, suspects: dict[str, Slips]) -> dict[str, Slips]:
    """At the corners the slopes do not count: what fits there fits between, too."""
    return suspects if 0 < share < 1 else {name: suspects[name] for name in suspects if name != "gradient"}


def _slope(x: Tensor, *corners: Tensor) -> Tensor:
    x = x.clone().requires_grad_()
    return torch.autograd.grad(bernstein(x, *corners).sum(), x)[0]


def log_slope_is_autograds(candidate: Bin, *, seed: int = 0) -> None:
    """candidate(x, x0, x1, z0, z1, d0, d1) = ln ∂z/∂x by autograd: in a straight bin first, then in bent ones."""
    x0, x1, z0, z1, d0, d1 = _random_bins(seed)
    rho = (z1 - z0) / (x1 - x0)
    cases = [(x0 + share * (x1 - x0), x0, x1, z0, z1, d0, d1) for share in (0.0, 0.3, 0.8)]
    cases = [(x0 + 0.3 * (x1 - x0), x0, x1, z0, z1, rho, rho), *cases]
    names = ("x", *CORNERS)
    asked = [ask(candidate, **dict(zip(names, case, strict=True))) for case in cases]
    answers = [require_shape("one number for each x", answer, (6,)).double() for answer in asked]
    inputs = [torch.cat(column) for column in zip(*cases, strict=True)]
    exact = [column.double() for column in inputs]
    observed, expected = torch.cat(answers), _slope(*exact).log()
    straight = torch.allclose(observed[:6], expected[:6], rtol=1e-4, atol=1e-4)
    law = "ln ∂z/∂x by autograd" if straight else "in a straight bin the slope is ρ"
    given: dict[str, Tensor] = dict(zip(names, inputs, strict=True))
    suspects = _slope_suspects(expected, *exact)
    require_close(law, observed, expected, within(expected), suspects, given=given)


def _slope_suspects(expected: Tensor, x: Tensor, *corners: Tensor) -> dict[str, Slips]:
    x0, x1, z0, z1, d0, d1 = corners
    xi, rho = (x - x0) / (x1 - x0), (z1 - z0) / (x1 - x0)
    u = xi * (1 - xi)
    above, below = d1 * xi**2 + 2 * rho * u + d0 * (1 - xi) ** 2, rho + (d0 + d1 - 2 * rho) * u
    return {
        "constant": (rho**2 * above / below).log(),
        "sign": -expected,
        "reduction": ((above / below**2).log(), (rho * above / below**2).log()),
        "dependence": (above.log(), (rho**2 * above).log()),
        "spread": expected.exp(),
        "direction": _slope(x, x0, x1, z0, z1, d1, d0).log(),
        "shape": torch.cat([part.sum().expand(6) for part in expected.split(6)]),
    }


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
    one_straight = ((-3, -2, -1, 0.5, 1, 3), (-3, -2.5, -1, 0.25, 2, 3), (1, 1.5, 1.5, 0.5, 2, 1))
    for name, tables in (
        ("x = z where every bin is straight", a_spline(seed, straight=True)),
        ("the spline of x is z", a_spline(seed)),
        ("the spline of x is z, one bin straight", torch.tensor(one_straight)),
    ):
        tables = tuple(table.float() for table in tables)
        z = torch.linspace(-2.9, 2.9, 25)
        inputs: dict[str, Tensor] = dict(zip(("z", "x_knots", "z_knots", "slopes"), (z, *tables), strict=True))
        observed = require_shape(name, ask(candidate, **inputs), (25,)).double()
        exact = tuple(table.double() for table in tables)
        expected = _bisected(z.double(), *exact)
        suspects = _inverse_suspects(observed, expected, z.double(), *exact)
        require_close(name, observed, expected, 2 * within(expected), suspects, given=inputs)


def _corners(m: Tensor, *tables: Tensor) -> list[Tensor]:
    return [table[m + i] for table in tables for i in (0, 1)]


def _inverse_suspects(observed: Tensor, expected: Tensor, z: Tensor, *tables: Tensor) -> dict[str, Slips]:
    x_knots, z_knots, _ = tables
    m = torch.searchsorted(z_knots, z) - 1
    x0, x1, z0, z1, d0, d1 = _corners(m, *tables)
    rho, xi = (z1 - z0) / (x1 - x0), (expected - x0) / (x1 - x0)
    bend = (z - z0) * (d0 + d1 - 2 * rho)
    a, c = (z1 - z0) * (rho - d0) + bend, -rho * (z - z0)
    same_bin = m == (torch.searchsorted(x_knots, z) - 1).clamp(0, len(x_knots) - 2)
    right = (observed - expected).abs() <= 2 * within(expected)
    other = x0 + (x1 - x0) * c / (a * xi)  # the two roots multiply to c/a
    is_other = (((observed - other).abs() <= within(other, 0.01)) & other.isfinite()).double().mean() > 0.9
    return {
        **({"one-to-one": observed} if is_other else {}),
        "spread": (x0 + (z1 - z0) * xi, x0 + xi, xi, (x1 - x0) * xi, z0 + (x1 - x0) * xi),
        **({"direction": observed} if torch.equal(right, same_bin) and not same_bin.all() else {}),
    }


def _bisected(z: Tensor, *tables: Tensor) -> Tensor:
    corners = _corners(torch.searchsorted(tables[1], z) - 1, *tables)
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
    for count, bound in ((4, 2.5), (7, 1.0)):
        x, z, d = _tables(candidate, torch.zeros(3 * count - 1), bound, "h = 0")
        require_close("h = 0 is the identity: z = x at the knots", z, x, 1e-4 * bound)
        if (d - 1).abs().max() > 1e-4:
            law = "h = 0 is the identity: slope 1 everywhere"
            raise LawBroken(law, show_value(d[1:-1]), "1", "constant")
        h = draw(3 * count - 1, seed=seed)
        _tables(candidate, 3 * h, bound, "h from 3 · N(0, 1)")
        for index, name in enumerate("x" * count + "z" * count + "d" * (count - 1)):
            _moves_alone(candidate, h, bound, name, index)
        for large in (1000.0, -1000.0):
            _bears(candidate, torch.full_like(h, large), bound)


def _tables(candidate: Callable[..., object], h: Tensor, bound: float, name: str) -> tuple[Tensor, ...]:
    """x, z and d as the candidate gives them, held against what they promise for every h."""
    parts = require_parts("knots x, knots z and slopes d", ask(candidate, h=h, bound=bound), 3)
    each, shape = f"one number for each of M + 1 knots, {name}", ((len(h) + 4) // 3,)
    x, z, d = (require_shape(f"{letter}: {each}", part, shape).double() for letter, part in zip("xzd", parts))
    for letter, table in (("x", x), ("z", z)):
        length, ends = abs(float(table[-1] - table[0])), show_value(table[[0, -1]])
        if abs(length - 2 * bound) > 1e-4 * bound:
            raise LawBroken(f"knots {letter} run from −B to B, {name}", ends, f"{-bound}, {bound}", "spread")
        if abs(float(table[0]) + bound) > 1e-4 * bound:
            raise LawBroken(f"knots {letter} run from −B to B, {name}", ends, f"{-bound}, {bound}", "direction")
    if (d[[0, -1]] - 1).abs().max() > 1e-4:
        raise LawBroken(f"slope 1 at −B and B, as outside, {name}", show_value(d[[0, -1]]), "1, 1", "gradient")
    least = min(x.diff().min(), z.diff().min(), d.min())
    if least <= 0:
        raise LawBroken(f"knots rise and slopes are positive, {name}", f"{least:.4g}", "more than 0", "sign")
    return x, z, d


def _bears(candidate: Callable[..., object], h: Tensor, bound: float) -> None:
    """Finite at |h| = 1000, where widths are alike but slopes may be rounded to 0."""
    for table in ask(candidate, h=h, bound=bound):
        tensor = as_tensor(table)
        if tensor is None or not tensor.isfinite().all():
            seen = show_value(tensor) if tensor is not None else "no numbers"
            raise LawBroken(f"any numbers h, {h[0]:g} too", seen, "finite numbers", "overflow")


def _moves_alone(candidate: Callable[..., object], h: Tensor, bound: float, name: str, index: int) -> None:
    moved = h.clone()
    moved[index] += 1.0
    before, after = (_tables(candidate, value, bound, "h from N(0, 1)") for value in (h, moved))
    pairs = zip("xzd", before, after, strict=True)
    changed = [letter for letter, old, new in pairs if not torch.allclose(old, new, rtol=0, atol=1e-6)]
    if changed != [name]:
        said = f"{' and '.join(changed) or 'nothing'} moved"
        raise LawBroken(f"number {index} of h, counted from 0, moves {name} alone", said, f"{name} alone", "dependence")


def share_outside(answer: float, *, bound: float = 3.0, std: float = 3.0, to: float = 0.02) -> None:
    """The share of N(0, std²) outside [−bound, bound], 1 − erf(B/σ√2), with an error of `to` at most."""
    exact = 1 - math.erf(bound / (std * math.sqrt(2)))
    suspects = {
        "sign": 1 - exact,
        "reduction": exact / 2,
        "spread": 1 - math.erf(bound / math.sqrt(2)),
        "constant": (100 * exact, 31.7, 32.0),
    }
    require_value("P(|x| > B)", answer, exact, to, suspects)
