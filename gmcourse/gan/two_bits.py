"""GAIN on two fair bits, by enumeration: what each mask's rows look like once filled, and what a critic can say.

Rows and masks are in the order (0,0), (0,1), (1,0), (1,1). `laws`, (4 masks, 4 rows), holds the law of the filled rows
of each mask; each bit is known with the probability `observed`, whatever the row.
"""

from itertools import product

import torch
from torch import Tensor

PAIRS = tuple(product((0, 1), repeat=2))


def mask_probabilities(observed: float) -> Tensor:
    """P(m) of the four masks, (4,)."""
    return torch.tensor([observed ** sum(m) * (1 - observed) ** (2 - sum(m)) for m in PAIRS], dtype=torch.float64)


def wrong_optimum(delta: float, observed: float) -> Tensor:
    """The laws q_m to which no critic without hints objects, (4, 4).

    q₁₁ = p, q₁₀ = q₀₁ = p + u, q₀₀ = p + u (1 − 2o)/(1 − o), with u = δ (+1, −1, −1, +1) and o = `observed`; δ = 0 is
    the truth. Raises ValueError where a probability would be negative. Equation: gan-wrong-optimum.
    """
    u = delta * torch.tensor([1.0, -1.0, -1.0, 1.0], dtype=torch.float64)
    shares = (1 - 2 * observed) / (1 - observed), 1, 1, 0
    laws = torch.stack([0.25 + share * u for share in shares])
    if (laws < -1e-12).any():
        raise ValueError(f"delta: got {delta}, expected at most {largest_delta(observed):.4g} either way")
    return laws.clamp(min=0)


def largest_delta(observed: float) -> float:
    """The largest |δ| of `wrong_optimum`: no probability is below 0. 1/12 at 0.8."""
    return 0.25 / max(1.0, abs((1 - 2 * observed) / (1 - observed)))


def critic_without_hints(laws: Tensor, observed: float) -> Tensor:
    """D_i(x) = P(m_i = 1 | x), (2 bits, 4 rows): all that can be said of a filled row; NaN where none ever comes.

    Equation: gan-best-mask-critic.
    """
    joint, masks = mask_probabilities(observed)[:, None] * laws, torch.tensor(PAIRS, dtype=laws.dtype)
    return masks.T @ joint / joint.sum(0)


def critic_with_hint(laws: Tensor, observed: float) -> Tensor:
    """D_i(x, h) = P(m_i = 1 | x, m_j), j the other bit, (2 bits, 2 values of m_j, 4 rows): h tells all but m_i."""
    joint = (mask_probabilities(observed)[:, None] * laws).view(2, 2, 4)  # m₁, m₂, row
    first, second = joint, joint.transpose(0, 1)  # m_i in front, then m_j
    return torch.stack([part[1] / part.sum(0) for part in (first, second)])


def conditions(observed: float, hints: bool) -> Tensor:
    """The homogeneous conditions of an optimum on the three changes q_m − p of m = 00, 01, 10, (equations, 12).

    That each is a change of mass 0 which leaves known bits as they are, and that no critic gains: of the rows with
    m_i = 1 and with m_i = 0 the laws are one (without hints), or so for either value of m_j (with them). Its null space
    holds all optima: how far from the truth the game can end.
    """
    rows = torch.tensor(PAIRS, dtype=torch.float64)
    lines: list[Tensor] = []
    for m in range(3):
        lines.append(_on(m, torch.ones(4, dtype=torch.float64)))
        lines += [_on(m, rows[:, i]) for i in range(2) if PAIRS[m][i]]
    p = mask_probabilities(observed)
    for i, x in product(range(2), range(4)):
        each = torch.eye(4, dtype=torch.float64)[x]
        gaps = [torch.zeros(12, dtype=torch.float64) for _ in range(2)]
        for k, m in enumerate(PAIRS[:3]):  # the change of 11 is 0
            sign = 1 if m[i] else -1
            share = 1.0 if hints else p[k] / (observed if m[i] else 1 - observed)
            gaps[m[1 - i] if hints else 0] += sign * share * _on(k, each)
        lines += gaps if hints else gaps[:1]
    return torch.stack(lines)


def _on(mask: int, values: Tensor) -> Tensor:
    """The values at the place of one of the three masks, 0 at the others: (12,)."""
    place = torch.zeros(3, 4, dtype=torch.float64)
    place[mask] = values
    return place.flatten()
