"""Laws of a trace that is estimated from products with random vectors."""

import math
from collections.abc import Callable
from itertools import product

import torch
from torch import Generator, Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, Slips, require_close, require_shape, show_value, standard_error
from gmcourse.laws.rows import draw, within

MATRIX = torch.tensor([[2.0, -1.0, 0.3], [0.5, 1.0, 0.7], [-0.4, 0.2, -0.6]], dtype=torch.float64)
ROTATION = torch.tensor([[0.0, -2.0, 1.0], [2.0, 0.0, -0.5], [-1.0, 0.5, 0.0]], dtype=torch.float64)

Estimator = Callable[[Callable[[Tensor], Tensor], Tensor, Generator], Tensor]


# of size 4, so that a mean over coordinates is not the third that uniform probes give; estimates of both signs
WIDE = torch.tensor([[1.0, -1.0, 0.3, 0.8], [0.5, -1.2, 0.7, -0.2], [-0.4, 0.2, -0.6, 0.9], [0.6, 0.1, -0.3, 0.9]])


def trace_is_unbiased(candidate: Estimator, *, seed: int = 0) -> None:
    """candidate(f, z, rng) → (batch,) is tr ∂f/∂z on average over the rows' own probes, and 0 for a rotation.

    f takes (batch, D) to (batch, D), row by row: Az + sin 2z, whose trace tr A + 2 Σ cos 2z_i is another at each of
    the four points that the rows repeat. Then sin 10z where each cos 10z_i is 1: a point 0.03 away has another trace.
    """
    points = draw(4, 4, seed=seed)
    z = points.repeat(10_000, 1)

    def estimate(f: Callable[[Tensor], Tensor], own: int = 1) -> Tensor:
        return _estimates(candidate, f, z, seed + own).view(-1, 4)

    def bent(rows: Tensor) -> Tensor:
        return rows @ WIDE.to(rows.dtype).T + (2 * rows).sin()

    observed, expected = estimate(bent), WIDE.trace().double() + 2 * (2 * points.double()).cos().sum(1)
    off = (observed[0] - expected).abs().max() > 1e-3
    if not torch.equal(observed, estimate(bent)):
        raise LawBroken("equal generators, equal estimates", "two different answers", "the same twice", "randomness")
    if off and torch.equal(observed, estimate(bent, own=2)):
        raise LawBroken("another generator, other estimates", "the same", "noise from rng", "randomness")
    if off and observed.std(0).max() < 1e-5:
        raise LawBroken("each row has its own probe", "the same wrong value in every row", "many values", "dependence")
    mean, tolerance = observed.mean(0), 4 * standard_error(observed) + 1e-3
    suspects = _trace_suspects(expected, points.double())
    require_close("E[vᵀ(∂f/∂z)v] = tr ∂f/∂z", mean, expected, tolerance, suspects, given={"z": points})
    turned = estimate(lambda rows: rows[:, :3] @ ROTATION.to(rows.dtype).T @ torch.eye(3, 4, dtype=rows.dtype))
    if turned.abs().max() > 0.02:
        raise LawBroken("vᵀAv = 0 for a rotation, whatever v", show_value(turned[0]), "0")
    _derives_at_the_point(candidate, z, seed)


def _estimates(candidate: Estimator, f: Callable[[Tensor], Tensor], z: Tensor, seed: int) -> Tensor:
    value = ask(candidate, f=f, z=z, rng=torch.Generator().manual_seed(seed))
    return require_shape("one estimate for each row", value, (len(z),)).detach().double()


def _derives_at_the_point(candidate: Estimator, z: Tensor, seed: int) -> None:
    """At the crests of cos 10z, where what a step, or a point beside z, makes of the derivative is less."""
    crests = (z * 5 / math.pi).round() * math.pi / 5
    found = _estimates(candidate, lambda rows: (10 * rows).sin(), crests, seed + 1)
    mean, expected = found.mean(), torch.tensor(10.0 * z.shape[1], dtype=torch.float64)
    tolerance = 4 * standard_error(found) + 1e-2 * expected
    suspects = {"gradient": torch.minimum(mean, expected)}
    require_close("E[vᵀ(∂f/∂z)v] = tr ∂f/∂z for f = sin 10z", mean, expected, tolerance, suspects)


def _trace_suspects(expected: Tensor, points: Tensor) -> dict[str, Slips]:
    """What the usual slips give on average, for Gaussian probes and for signs."""
    size, matrix = points.shape[1], WIDE.double()
    straight, whole = matrix.trace(), matrix.sum()
    slopes, jacobian_sum = 2 * (2 * points).cos(), whole + 2 * (2 * points).cos().sum(1)
    shares = (math.sin(2), 2 * math.exp(-2))  # E v sin 2v for signs, and for Gaussian probes
    at_probe = (2 * math.cos(2), 2 * math.exp(-2))
    constant = torch.ones_like(expected)
    return {
        "spread": expected / 3,
        "reduction": expected / size,
        "sign": -expected,
        "constant": 0 * expected,
        "one-to-one": (jacobian_sum, expected / 3 + (jacobian_sum - expected) / 4),
        "gradient": [straight + slopes.sum(1) / 2 * share for share in shares],
        "direction": (
            *(constant * (straight + size * share) for share in (*at_probe, *shares, 2.0)),
            expected[:1] * constant,
        ),
    }


def rademacher_variance(candidate: Callable[[Tensor], Tensor | float], *, seed: int = 0) -> None:
    """candidate(A) is the variance of vᵀAv for v of independent signs: held against all 2^D vectors, D = 2 to 5."""
    matrices = [torch.diag(torch.tensor([1.0, -2.0])), ROTATION.float(), MATRIX.float()]
    matrices += [draw(d, d, seed=seed + d) for d in (4, 5)]
    for matrix in matrices[2:] + matrices[:2]:
        observed = require_shape("one variance for a matrix", ask(candidate, matrix=matrix), ()).double()
        exact = matrix.double()
        signs = torch.tensor(list(product([-1.0, 1.0], repeat=len(matrix))), dtype=torch.float64)
        values = ((signs @ exact) * signs).sum(1)
        expected = values.var(correction=0)
        symmetric, diagonal = (exact + exact.T) / 2, exact.diagonal().square().sum()
        suspects = {
            "spread": 2 * symmetric.square().sum(),
            "direction": 2 * (exact.square().sum() - diagonal),
            "constant": (expected / 2, 2 * expected),
            "log-mean": values.square().mean(),
            "reduction": expected.sqrt(),
        }
        law = f"the variance of vᵀAv, D = {len(matrix)}"
        require_close(law, observed, expected, within(expected), suspects, given={"A": matrix})
