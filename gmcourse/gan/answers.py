"""Where a question has several right answers: how often each is given, and how many maps are perfect."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor


class Answers(NamedTuple):
    """The share of answers that lie at a mode, and of those the share at each mode."""

    pure: float
    shares: tuple[float, ...]


def counted(k: Tensor, modes: Sequence[float], within: float) -> Answers:
    """Of answers k, (n,), those within `within` of the nearest mode are pure; their shares, mode by mode.

    The shares are 0 where no answer is pure.
    """
    gaps = (k[:, None] - k.new_tensor(list(modes))).abs()
    pure = gaps.amin(1) < within
    held = gaps.argmin(1)[pure]
    shares = [(held == mode).double().mean().item() if len(held) else 0.0 for mode in range(len(modes))]
    return Answers(pure.double().mean().item(), tuple(shares))


def share_at(p: float, weight: float, distance: float) -> float:
    """The share q of the commoner of two answers at which pix2pix's generator rests, against the best critic of q.

    The answers are right with probabilities p ≥ ½ and 1 − p, and a mean distance Δ = `distance` apart. The slope in q
    of the non-saturating loss is ln D(rare) − ln D(common), that of the distance −λ (2p − 1) Δ: with
    ρ = exp(λ (2p − 1) Δ), q = p ((2 − p) ρ − (1 − p)) / (1 − p + p ρ), or 1 where that is above 1.
    Raises ValueError for p outside [½, 1) or a weight or distance below 0. Equation: gan-share-at.
    """
    if not 0.5 <= p < 1 or weight < 0 or distance < 0:
        raise ValueError(f"p, weight, distance: got {p}, {weight}, {distance}, expected p in [0.5, 1), others from 0")
    rho = math.exp(min(weight * (2 * p - 1) * distance, 700.0))
    return min(1.0, p * ((2 - p) * rho - (1 - p)) / (1 - p + p * rho))


def least_weight(p: float, distance: float) -> float:
    """λ from which `share_at` is 1: ln(1 + 1/p) / ((2p − 1) Δ), infinite at p = ½. Equation: gan-least-weight."""
    return math.log(1 + 1 / p) / ((2 * p - 1) * distance) if p > 0.5 and distance > 0 else math.inf


def perfect_maps(p: Sequence[float], q: Sequence[float]) -> int:
    """How many pairs (G, F) between points of masses p and of masses q are bijections that carry p to q and back.

    All masses are positive. They are the zeros of CycleGAN's loss without an identity term: Π m! over the masses, m
    how many points have the mass, or 0 where the masses of p and q are not the same. Equation: gan-perfect-maps.
    """
    ours, theirs = (Counter(round(mass, 9) for mass in masses) for masses in (p, q))
    return math.prod(math.factorial(count) for count in ours.values()) if ours == theirs else 0
