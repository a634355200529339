"""Laws of questions with several answers: where pix2pix rests, which maps a cycle allows, what is counted."""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import require_close, require_numbers, require_parts, require_shape


def share_is_where_the_slope_is_zero(candidate: Callable[[float, float, float], Any]) -> None:
    """candidate(p, weight, distance) is the share q of the commoner answer at which the generator rests, at most 1.

    The oracle follows the slope of the generator's own loss, by autograd, against the best critic at q: bisection.
    """
    for p, weight, distance in ((0.7, 1.0, 0.3), (0.7, 4.0, 0.3), (0.5, 10.0, 0.3), (0.6, 3.0, 0.5), (0.7, 100.0, 0.2)):
        expected = _rest(p, weight, distance)
        seen = require_shape("one share", ask(candidate, p=p, weight=weight, distance=distance), ()).double()
        pull = weight * (2 * p - 1) * distance
        slips = {
            "dependence": [_rest(p, 0.0, distance), _rest(p, 1.0, distance)],
            "spread": [_rest(p, weight, 1.0)],
            "sign": [_rest(p, -weight, distance), 1 - expected],
            "constant": [_rest(p, weight * lost / (2 * p - 1), distance) for lost in (1.0, p)] if p > 0.5 else [],
            "one-to-one": [_formula(p, pull)],
            "direction": [_saturating(p, pull)],
            "reduction": [1.0 if pull else p],
        }
        law = f"the slope at q is 0, p = {p}, λ = {weight:g}, distance {distance}"
        require_close(law, seen, torch.tensor(expected, dtype=torch.float64), 1e-4, slips)


def _rest(p: float, weight: float, distance: float) -> float:
    """Where the slope of −E ln D*(x̂) + λ E |x − x̂| in q is 0, D* held; 1 or 0 where it never is."""
    low, high = 0.0, 1.0
    for _ in range(60):
        q = torch.tensor((low + high) / 2, dtype=torch.float64, requires_grad=True)
        held = q.detach()
        common, rare = p / (p + held), (1 - p) / (2 - p - held)
        fooling = -q * common.log() - (1 - q) * rare.log()
        away = distance * (q * (1 - p) + (1 - q) * p)
        (rise,) = torch.autograd.grad(fooling + weight * away, q)
        low, high = (low, held.item()) if rise > 0 else (held.item(), high)
    return (low + high) / 2


def _formula(p: float, pull: float) -> float:
    """The closed form without its limit at 1."""
    c = math.exp(pull)
    return p * ((2 - p) * c - (1 - p)) / (1 - p + p * c)


def _saturating(p: float, pull: float) -> float:
    """The rest of ln(1 − D*), whose slope is ln [q (2 − p − q) / ((p + q) (1 − q))]."""
    low, high = 0.0, 1.0
    for _ in range(60):
        q = (low + high) / 2
        rise = math.log(q * (2 - p - q) / ((p + q) * max(1 - q, 1e-300))) - pull
        low, high = (low, q) if rise > 0 else (q, high)
    return (low + high) / 2


def maps_are_enumerated(candidate: Callable[[list[float], list[float]], Any]) -> None:
    """candidate(p, q) is how many pairs (G, F) have no loss: G carries masses p to q, F back, and both cycles close.

    The oracle tries all maps between up to four points. All masses are positive.
    """
    for p, q in (
        ([0.25] * 4, [0.25] * 4),
        ([0.1, 0.2, 0.3, 0.4], [0.4, 0.1, 0.3, 0.2]),
        ([0.2, 0.2, 0.3, 0.3], [0.3, 0.2, 0.3, 0.2]),
        ([0.5, 0.25, 0.25], [0.25, 0.5, 0.25]),
        ([0.25] * 4, [0.5, 0.5]),
        ([0.6, 0.4], [0.7, 0.3]),
    ):
        seen = require_shape("one count", ask(candidate, p=p, q=q), ()).double()
        carried, right = _carrying(p, q), _perfect(p, q)
        slips = {
            "dependence": [float(_perfect(p, p)), float(len(carried) * len(_carrying(q, p)))],
            "constant": [float(math.factorial(len(p)))],
            "one-to-one": [1.0] if right else [],
            "direction": [float(len(carried))],
        }
        slips["dependence"] += [] if right else [1.0]
        law = f"pairs of maps without a loss, masses {p} and {q}"
        require_close(law, seen, torch.tensor(float(right), dtype=torch.float64), 1e-6, slips)


def _carrying(p: Sequence[float], q: Sequence[float]) -> list[tuple[int, ...]]:
    """All maps from the points of p to those of q that carry the masses."""
    maps = itertools.product(range(len(q)), repeat=len(p))
    return [
        g
        for g in maps
        if all(math.isclose(sum(m for m, to in zip(p, g) if to == j), mass, abs_tol=1e-9) for j, mass in enumerate(q))
    ]


def _perfect(p: Sequence[float], q: Sequence[float]) -> int:
    """Pairs of carrying maps that undo each other, from both sides."""
    back = _carrying(q, p)
    return sum(
        all(f[g[i]] == i for i in range(len(p))) and all(g[f[j]] == j for j in range(len(q)))
        for g in _carrying(p, q)
        for f in back
    )


def answers_are_counted(candidate: Callable[[Tensor, list[float], float], Any]) -> None:
    """candidate(k, modes, within) is (share of pure answers, the share of each mode among them), counted by hand."""
    k = torch.tensor([-0.81] * 3 + [-0.7] * 2 + [0.8] * 9 + [0.1] * 4 + [0.55] * 2)
    for answers, modes, width, right in (
        (k, [-0.8, 0.8], 0.2, (0.7, 5 / 14, 9 / 14)),
        (k, [-0.8, 0.1, 0.8], 0.3, (1.0, 0.25, 0.2, 0.55)),
        (k[14:18], [-0.8, 0.8], 0.2, (0.0, 0.0, 0.0)),
    ):
        said = ask(candidate, k=answers, modes=modes, within=width)
        pure, shares = require_parts("the share of pure answers, and a share for each mode", said, 2)
        first = require_shape("the share of pure answers", pure, ()).double().reshape(1)
        seen = torch.cat((first, require_numbers("a share for each mode", shares, len(modes))))
        expected = torch.tensor(right, dtype=torch.float64)
        centres = torch.tensor(modes)
        owner = (answers[:, None] - centres).abs().argmin(1)
        all_of_them = [(owner == mode).double().mean() for mode in range(len(modes))]
        of_all = torch.cat((expected[:1], expected[0] * expected[1:]))
        slips = {
            "reduction": [of_all, torch.cat((expected[:1] * len(answers), expected[1:]))],
            "dependence": [torch.stack([expected[0], *all_of_them]), torch.stack([torch.ones(()), *all_of_them])],
            "sign": [torch.cat((1 - expected[:1], expected[1:]))],
            "direction": [torch.cat((expected[:1], expected[1:].flip(0)))],
        }
        law = f"pure answers within {width} of {modes}, of {len(answers)}"
        require_close(law, seen, expected, 1e-5, slips)
