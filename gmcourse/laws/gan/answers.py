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
        late = pull > math.log1p(1 / p)
        slips = {
            "one-to-one": [_formula(p, pull), *([p] if late else [])],
            "dependence": [_rest(p, 0.0, distance), _rest(p, 1.0, distance)],
            "spread": [_rest(p, weight, 1.0)],
            "sign": [_rest(p, -weight, distance), 1 - expected],
            "constant": [min(1.0, _formula(p, weight * part * distance)) for part in (p, 1.0, 1 - p)],
            "gradient": [_moving(p, pull)],
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


def _moving(p: float, pull: float) -> float:
    """The rest if D* is not held but moves with q, so that the slope has q/(p + q) − (1 − q)/(2 − p − q) more."""
    low, high = 0.0, 1.0
    for _ in range(60):
        q = (low + high) / 2
        held = math.log((1 - p) / (2 - p - q)) - math.log(p / (p + q)) - pull
        low, high = (low, q) if held + q / (p + q) - (1 - q) / (2 - p - q) > 0 else (q, high)
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
        ([0.4, 0.4, 0.2], [0.4, 0.2, 0.2, 0.2]),
    ):
        seen = require_shape("one count", ask(candidate, p=p, q=q), ()).double()
        carried = _carrying(p, q)
        expected = float(_perfect(p, q))
        points = [p.count(mass) for mass in set(p)]
        orders = [math.factorial(m) for m in points]
        slips = {
            "dependence": [float(_perfect(*same)) for same in ((p, p), (q, q))]
            + [float(len(carried) * len(_carrying(q, p))), *([] if expected else [1.0])],
            "constant": [float(math.factorial(len(p)))],
            "one-to-one": [1.0] if expected else [],
            "spread": [float(len(carried))],
            "reduction": [float(n) for n in (math.prod(points), sum(orders), max(orders), orders[0], len(p))],
            "direction": [0.0] if p != q and expected else [],
        }
        law = f"pairs of maps without a loss, masses {p} and {q}"
        require_close(law, seen, torch.tensor(expected, dtype=torch.float64), 1e-6, slips)


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
        (k, [0.1, 0.8, -0.8, 3.0], 0.5, (1.0, 0.2, 0.55, 0.25, 0.0)),
        (k[14:18], [-0.8, 0.8], 0.2, (0.0, 0.0, 0.0)),
        (torch.tensor([-0.5, 0.25, 0.5, 0.75]), [0.5, -0.5], 0.25, (0.5, 0.5, 0.5)),
    ):
        said = ask(candidate, k=answers, modes=modes, within=width)
        pure, shares = require_parts("the share of pure answers, and a share for each mode", said, 2)
        share = require_shape("the share of pure answers", pure, ()).double().reshape(1)
        seen = torch.cat((share, require_numbers("a share for each mode", shares, len(modes))))
        expected = torch.tensor(right, dtype=torch.float64)
        law = f"pure answers within {width} of {modes}, of {len(answers)}"
        require_close(law, seen, expected, 1e-5, _miscounts(answers, torch.tensor(modes), width, expected))


def _miscounts(answers: Tensor, centres: Tensor, width: float, expected: Tensor) -> dict[str, list[Tensor]]:
    """What slips would count; `expected` is the pure share and then those of the modes."""
    pure, shares, n, rows = expected[:1], expected[1:], len(centres), len(answers)
    gaps = (answers[:, None] - centres).abs()
    owner, near = gaps.argmin(1), gaps < width
    edge, hit = gaps.amin(1) <= width, near.any(1)
    first = torch.where(hit, near.int().argmax(1), -1)  # the first mode that is near enough
    several = [near.double().sum(0) / max(int(all_), 1) for all_ in (hit.sum(), near.sum())]
    several.append(torch.stack([(first == mode).double().sum() for mode in range(n)]) / max(int(hit.sum()), 1))
    of_all_rows, at_edge = (
        torch.stack([(held == mode).double().mean().nan_to_num() for mode in range(n)]) for held in (owner, owner[edge])
    )
    return {
        "reduction": [
            torch.cat((pure, pure * shares)),
            torch.cat((pure * rows, shares)),
            100 * expected,
            torch.cat((pure, pure * shares * rows)),
        ],
        "spread": [torch.cat((edge.double().mean().reshape(1), at_edge))],
        "one-to-one": [torch.cat((pure, counted)) for counted in several],
        "not-finite": [] if near.any() else [torch.cat((pure, shares + 1 / n))],
        "dependence": [torch.cat((one, of_all_rows)) for one in (pure, torch.ones_like(pure))],
        "sign": [torch.cat((1 - pure, shares))],
        "direction": [torch.cat((pure, turned)) for turned in (shares.flip(0), shares[centres.argsort()])],
    }
