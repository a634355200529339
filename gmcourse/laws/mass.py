"""Laws of mass: a probability sums to 1, a density integrates to 1, and samples come from it."""

import math
from collections.abc import Callable, Sequence
from itertools import product

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import require_close, require_shape, standard_error
from gmcourse.protocols import Sampler

LogProb = Callable[[Tensor], Tensor]


def grid(low: Sequence[float], high: Sequence[float], points: int) -> tuple[Tensor, float]:
    """Midpoints of a grid of `points` cells an axis, (points^D, D), and the volume of a cell."""
    axes = [
        a + (b - a) * (torch.arange(points, dtype=torch.float64) + 0.5) / points for a, b in zip(low, high, strict=True)
    ]
    volume = math.prod((b - a) / points for a, b in zip(low, high, strict=True))
    return torch.cartesian_prod(*axes).view(-1, len(axes)), volume


def integrates_to_one(
    candidate: LogProb, *, low: Sequence[float], high: Sequence[float], points: int = 400, tolerance: float = 1e-3
) -> None:
    """∫ exp candidate(x) dx = 1 over the box [low, high], by midpoints; the box must hold all the mass.

    `candidate` takes (batch, D) and returns (batch,), nats.
    """
    x, volume = grid(low, high, points)
    log_prob = require_shape("one log-probability for each row", ask(candidate, x=x), (len(x),))
    require_close("∫ p(x) dx = 1", log_prob.double().exp().sum() * volume, 1.0, tolerance)


def sums_to_one(candidate: LogProb, *, dims: int, tolerance: float = 1e-6) -> None:
    """Σ exp candidate(x) = 1 over all 2^dims binary vectors (dims ≤ 16); candidate takes (2^dims, dims), float."""
    if not 1 <= dims <= 16:
        raise ValueError(f"dims: got {dims}, expected 1 to 16, so that every vector can be visited")
    x = torch.tensor(list(product([0.0, 1.0], repeat=dims)))
    log_prob = require_shape("one log-probability for each row", ask(candidate, x=x), (len(x),))
    require_close("Σ P(x) = 1", log_prob.double().exp().sum(), 1.0, tolerance)


def samples_follow_density(
    model: Sampler,
    log_prob: LogProb,
    *,
    low: Sequence[float],
    high: Sequence[float],
    n: int = 20_000,
    points: int = 400,
    seed: int = 0,
) -> None:
    """E log p over the model's own samples = ∫ p log p, E x = ∫ x p and E xxᵀ = ∫ xxᵀ p, within 4 standard errors."""
    x, volume = grid(low, high, points)
    log_p = log_prob(x).double()
    mass = log_p.exp() * volume
    draws = model.sample(n, rng=torch.Generator().manual_seed(seed)).double()
    draws = require_shape("n samples of the event's shape", draws, (n, x.shape[1]))
    for law, observed, expected in (
        ("E log p(x)", log_prob(draws).double(), (mass * log_p.nan_to_num(neginf=0.0)).sum()),
        ("E x", draws, mass @ x),
        ("E xxᵀ", _products(draws), mass @ _products(x)),
    ):
        tolerance = 4 * standard_error(observed) + 1e-3
        require_close(f"{law} over samples and by quadrature", observed.mean(0), expected, tolerance)


def _products(x: Tensor) -> Tensor:
    """x_i x_j for every pair, (batch, D²)."""
    return (x[:, :, None] * x[:, None]).flatten(1)
