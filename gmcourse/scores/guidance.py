"""Guidance: one network with labels and without, and a score that goes further along the difference of the two."""

import math
from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from gmcourse.scores.levels import Level


class GivenScore(Protocol):
    """∇ ln p_σ(x|given), or ∇ ln p_σ(x) where `given` is None."""

    def __call__(self, x: Tensor, sigma: Level, given: Tensor | None = None, /) -> Tensor: ...


def guided_score(conditional: Tensor, unconditional: Tensor, strength: float) -> Tensor:
    """(1 + w) s(x|c) − w s(x), of the shape of both: w = 0 is the conditional score, w = −1 the unconditional one.

    Equation: scores-guidance. Ho & Salimans 2022, equation 6; other papers write w for our 1 + w.
    """
    return (1 + strength) * conditional - strength * unconditional


def guided(score: GivenScore, given: Tensor | None, strength: float) -> Callable[[Tensor, Level], Tensor]:
    """x, σ → the guided score; two calls of `score`, and one where `strength` is 0 or nothing is given."""
    if given is None or strength == 0:
        return lambda x, sigma: score(x, sigma, given)
    return lambda x, sigma: guided_score(score(x, sigma, given), score(x, sigma, None), strength)


def drop_labels(given: Tensor, u: Tensor, share: float, none: int) -> Tensor:
    """The classes, (batch,), and `none` in their place where u, uniform on [0, 1], is below `share`.

    Ho & Salimans 2022, algorithm 1.
    """
    return torch.where(u < share, none, given)


def guided_variance(own: float, whole: float, strength: float, churn: float) -> float:
    """What a Gaussian class N(0, v_c) among data N(0, v) has for a variance after exact guided sampling.

    Φ² (v_c + τ) at the start, τ = σ² → ∞, + λ∫Φ² dτ, where λ = `churn` and what is left of a variance at τ when the
    walk is at 0 is Φ² = [(v_c/(v_c + τ))^{1+w} ((v + τ)/v)^w]^{1+λ}. Along the flow, λ = 0, it is v_c^{1+w}/v^w.
    Equation: scores-guided-variance.
    """
    u = torch.linspace(math.log(1e-6 * own), math.log(1e6 * whole), 20_001, dtype=torch.float64)
    tau = u.exp()
    log_left = strength * torch.log1p(tau / whole) - (1 + strength) * torch.log1p(tau / own)
    left = torch.exp((1 + churn) * log_left)
    return float(left[-1] * (own + tau[-1]) + churn * torch.trapezoid(tau * left, u))


def tilted_variance(own: float, whole: float, strength: float) -> float:
    """Variance of the law in proportion to p(x|c)^{1+w} p(x)^{−w}, with p(x|c) = N(0, v_c) and p = N(0, v).

    Equation: scores-tilted-law. Raises ValueError where this has no finite mass.
    """
    precision = (1 + strength) / own - strength / whole
    if precision <= 0:
        raise ValueError(f"strength: got {strength}, expected (1 + w)/v_c − w/v above 0: else the law has no mass")
    return 1 / precision
