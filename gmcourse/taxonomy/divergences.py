"""One Gaussian before two hills: what three divergences on a line make of the same model and the same target."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from gmcourse.probability import gaussian_log_prob, grid_jensen_shannon, grid_kl


class GaussianFit(NamedTuple):
    """A Gaussian N(mean, e^{2 log_std}) and its divergence from the target, nats."""

    mean: float
    log_std: float
    value: float


def two_hills(x: Tensor, a: float, share: float = 0.5) -> Tensor:
    """ln p(x) of p = w N(−a, 1) + (1 − w) N(a, 1), w = `share`, (cells,) → (cells,).

    Raises ValueError for a share outside (0, 1). Equation: taxonomy-two-hills.
    """
    if not 0 < share < 1:
        raise ValueError(f"share: got {share}, expected a share between 0 and 1")
    left, right = (gaussian_log_prob(x, centre, 0.0) for centre in (-a, a))
    return torch.logaddexp(left + math.log(share), right + math.log1p(-share))


def forward_kl(log_p: Tensor, log_q: Tensor, dx: float) -> Tensor:
    """KL(p ‖ q) = Σ p (ln p − ln q) dx on a grid, (cells,) each; nats, scalar. A mean under the data p.

    Equation: taxonomy-forward-kl.
    """
    return grid_kl(log_p, log_q, dx)


def reverse_kl(log_q: Tensor, log_p: Tensor, dx: float) -> Tensor:
    """KL(q ‖ p) = Σ q (ln q − ln p) dx on a grid, (cells,) each; nats, scalar. A mean under the model q.

    With ln p known up to a constant the value is off by that constant, and its gradient is right.
    Equation: taxonomy-reverse-kl.
    """
    return grid_kl(log_q, log_p, dx)


DIVERGENCES: dict[str, Callable[[Tensor, Tensor, float], Tensor]] = {  # of the logs of data and model, in this order
    "forward KL": forward_kl,
    "reverse KL": lambda log_p, log_q, dx: reverse_kl(log_q, log_p, dx),
    "Jensen–Shannon": grid_jensen_shannon,
}
RATES = dict(zip(DIVERGENCES, (0.5, 0.5, 2.0), strict=True))  # JS is a quarter of either KL where p and q nearly agree


def moments(log_p: Tensor, x: Tensor) -> tuple[float, float]:
    """μ = Σ x p dx and ln σ, σ² = Σ (x − μ)² p dx, on an even grid: the Gaussian nearest to p by forward KL, (cells,).

    Equation: taxonomy-moments.
    """
    mass = log_p.exp() * (x[1] - x[0])
    mean = mass @ x
    return mean.item(), 0.5 * (mass @ (x - mean) ** 2).log().item()


def gaussian_divergence(kind: str, log_p: Tensor, x: Tensor, mean: Tensor | float, log_std: Tensor | float) -> Tensor:
    """The divergence `kind`, a key of DIVERGENCES, between p and N(mean, e^{2 log_std}) on an even grid x; nats."""
    if kind not in DIVERGENCES:
        raise ValueError(f"kind: got {kind!r}, expected one of {', '.join(DIVERGENCES)}")
    return DIVERGENCES[kind](log_p, gaussian_log_prob(x, mean, log_std), (x[1] - x[0]).item())


def descend(kind: str, log_p: Tensor, x: Tensor, start: tuple[float, float], *, steps: int = 600) -> Tensor:
    """Gradient descent on (mean, log_std) from `start`: the places (steps + 1, 2), the start among them.

    A step is RATES[kind] times the slope, at most 0.1 long, and halved until the divergence falls by a quarter of what
    the slope promises: the slope of reverse KL is steep where q is wide.
    """
    places = [torch.tensor(start, dtype=log_p.dtype)]
    for _ in range(steps):
        places.append(_next(kind, log_p, x, places[-1]))
    return torch.stack(places)


def _next(kind: str, log_p: Tensor, x: Tensor, place: Tensor) -> Tensor:
    place = place.clone().requires_grad_()
    value = gaussian_divergence(kind, log_p, x, *place)
    (slope,) = torch.autograd.grad(value, place)
    rate, after = min(RATES[kind], 0.1 / max(slope.norm().item(), 1e-30)), place.detach()
    for _ in range(21):
        after = place.detach() - rate * slope
        if gaussian_divergence(kind, log_p, x, *after) <= value - rate * slope.square().sum() / 4:
            break
        rate /= 2
    return after


def fit_gaussian(
    kind: str, log_p: Tensor, x: Tensor, starts: Sequence[tuple[float, float]] | None = None
) -> GaussianFit:
    """The Gaussian with the least divergence `kind` from p, (cells,) float64 on an even grid x.

    The best end of L-BFGS from `starts`, pairs (mean, log_std): by default the moments of p, and each of its hills with
    the width of its top. Forward KL needs no search: its optimum is the moments.
    """
    if kind == "forward KL":
        best = moments(log_p, x)
        return GaussianFit(*best, gaussian_divergence(kind, log_p, x, *best).item())
    ends = [_ended(kind, log_p, x, start) for start in starts or (moments(log_p, x), *_hilltops(log_p, x))]
    return min(ends, key=lambda end: end.value)


def _hilltops(log_p: Tensor, x: Tensor) -> list[tuple[float, float]]:
    """Each local maximum of p and the logarithm of the width of a Gaussian as curved as p is there."""
    rise = log_p.diff()
    tops = ((rise[:-1] > 0) & (rise[1:] <= 0)).nonzero().flatten()
    curvature = -rise.diff()[tops] / (x[1] - x[0]) ** 2
    return list(zip(x[tops + 1].tolist(), (-0.5 * curvature.log()).tolist(), strict=True))


def _ended(kind: str, log_p: Tensor, x: Tensor, start: tuple[float, float]) -> GaussianFit:
    place = torch.tensor(start, dtype=log_p.dtype, requires_grad=True)
    options = {"tolerance_grad": 1e-9, "tolerance_change": 1e-14, "line_search_fn": "strong_wolfe"}
    search = torch.optim.LBFGS([place], max_iter=200, **options)

    def closure() -> Tensor:
        search.zero_grad()
        value = gaussian_divergence(kind, log_p, x, *place)
        value.backward()
        return value

    search.step(closure)
    mean, log_std = place.detach().tolist()
    return GaussianFit(mean, log_std, gaussian_divergence(kind, log_p, x, mean, log_std).item())
