"""Laws of telling models apart: exact permutation tests, several claims at once, bounds, and runs near their best."""

import math
import random
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, Slips, require_close, require_shape
from gmcourse.laws.rows import further

Parting = Callable[[Tensor, Tensor], float]
Claims = Callable[[Tensor, float], Any]
Cost = tuple[float, str]
Known = Callable[[Cost, Cost], int]
Share = Callable[[Tensor, float], float]


CLAIMS = (
    [0.014, 0.0135, 0.003, 0.009, 0.06, 0.044],
    [0.045, 0.011, 0.2, 0.005, 0.016, 0.012],
    [0.02, 0.2, 0.001],
    [0.03, 0.009, 0.026, 0.011],
    [0.5, 0.9, 0.3],
    [0.045, 0.015, 0.003, 0.3, 0.015, 0.005],
)
"""Rows of p in no order: in the first a larger one meets its own bar behind one that does not, in the last two tie."""


def partings_are_counted(candidate: Parting, *, seed: int = 0) -> None:
    """candidate(a, b) = the share of partings of all values into as many and as many with a gap of means as large.

    Two-sided; the parting that was seen is one of them. Values of one test are whole, so that partings tie.
    """
    draw = random.Random(seed).random
    cases = [
        ([1.0, 2.0, 3.0, 5.0, 4.0], [3.0, 4.0, 7.0, 6.0]),
        ([1.0, 4.0], [2.0, 6.0, 3.0, 9.0, 5.0, 4.0]),
        ([3.0 + k for k in range(5)], [20.0 + 2 * k for k in range(5)]),
        ([round(10 * draw(), 2) for _ in range(4)], [round(3 + 10 * draw(), 2) for _ in range(5)]),
        ([round(10 * draw(), 2) for _ in range(3)], [round(10 * draw(), 2) for _ in range(3)]),
    ]
    for a, b in cases:
        inputs = {"a": torch.tensor(a, dtype=torch.float64), "b": torch.tensor(b, dtype=torch.float64)}
        expected, slips = _shares(a, b)
        observed = require_shape("p of two models", ask(candidate, **inputs), ()).double()
        require_close("the share of partings", observed, _number(expected), 1e-6, slips, given=inputs)
    a, b = [1.9, 3.8, 2.0], [1.5, 1.2, 5.9, 4.6, 4.2, 4.3]  # 38 of 84; without room for rounding 34 to 37
    inputs = {"a": torch.tensor(a, dtype=torch.float64), "b": torch.tensor(b, dtype=torch.float64)}
    observed = require_shape("p of two models", ask(candidate, **inputs), ()).double()
    law = "the share of partings, some of which have the gap seen but for rounding"
    require_close(law, observed, _number(_shares(a, b)[0]), 1e-6, given=inputs, deduced="one-to-one")


def _shares(a: list[float], b: list[float]) -> tuple[float, dict[str, Slips]]:
    """p by counting, and what it becomes by a slip."""
    pool, n = a + b, len(a)
    seen = math.fsum(a) / n - math.fsum(b) / len(b)
    gaps = []
    for chosen in combinations(range(len(pool)), n):
        first = math.fsum(pool[k] for k in chosen)
        gaps.append(first / n - (math.fsum(pool) - first) / len(b))
    close = 1e-9
    both = sum(abs(gap) >= abs(seen) - close for gap in gaps)
    more = sum(abs(gap) > abs(seen) + close for gap in gaps)
    up, down = (sum(sign * gap >= sign * seen - close for gap in gaps) for sign in (1, -1))
    total = len(gaps)
    ways = {
        "direction": [both / total / 2, up / total, down / total, 1 - both / total, 1 - more / total],
        "sign": [2 * min(up, down) / total],
        "constant": [both / (total + 1), (both + 1) / (total + 1), (both - 1) / total],
        "one-to-one": [more / total],
        "dependence": _halves(pool, abs(seen)),
        "reduction": [float(both), _swapped(a, b)],
    }
    return both / total, {
        cause: [_number(v) for v in values if abs(v - both / total) > 1e-6] for cause, values in ways.items()
    }


def _halves(pool: list[float], seen: float) -> list[float]:
    """The share, where all are parted into halves in place of n and m."""
    shares = []
    for n in (len(pool) // 2, len(pool) - len(pool) // 2):
        firsts = [math.fsum(chosen) for chosen in combinations(pool, n)]
        gaps = [first / n - (math.fsum(pool) - first) / (len(pool) - n) for first in firsts]
        shares.append(sum(abs(gap) >= seen - 1e-9 for gap in gaps) / len(gaps))
    return shares


def _swapped(a: list[float], b: list[float]) -> float:
    """p of the test of pairs, whose signs are turned, where there are as many of both."""
    if len(a) != len(b):
        return -1.0
    gaps = [x - y for x, y in zip(a, b, strict=True)]
    sums = [math.fsum(g if code >> k & 1 else -g for k, g in enumerate(gaps)) for code in range(2 ** len(gaps))]
    return sum(abs(s) >= abs(math.fsum(gaps)) - 1e-9 for s in sums) / len(sums)


def claims_hold_in_turn(candidate: Claims, *, seed: int = 0) -> None:
    """candidate(p, level), (n,) bool: from the smallest p on, the k-th (from 0) needs p ≤ level/(n − k), up to a first
    that fails.
    """
    for row, level in ((row, level) for row in (*CLAIMS, _rising(seed)) for level in (0.05, 0.2)):
        p = torch.tensor(row, dtype=torch.float64)
        expected = _in_turn(row, level)
        bars = [level / (len(row) - sorted(row).index(value)) for value in row]
        order = sorted(range(len(row)), key=row.__getitem__)
        met = [value for value, bar in zip(row, bars, strict=True) if value <= bar]
        places = [value <= level / (len(row) - k) for k, value in enumerate(row)]
        ways: dict[str, list[list[bool]]] = {
            "constant": [[value <= level for value in row]],
            "reduction": [[value <= level / len(row) for value in row]],
            "dependence": [[value in met for value in row], [value <= max(met, default=-1.0) for value in row]],
            "direction": [[value <= level / (sorted(row).index(value) + 1) for value in row]],
            "one-to-one": [
                [all(places[: k + 1]) for k in range(len(row))],
                places,
                [value <= level / (len(row) - place) for value, place in zip(row, order, strict=True)],
            ],
            "shape": [[expected[place] for place in order]],
        }
        slips: dict[str, Slips] = {
            cause: [torch.tensor(way).double() for way in group if way != expected] for cause, group in ways.items()
        }
        observed = require_shape("a verdict for each claim", ask(candidate, p=p, level=level), (len(row),)).double()
        given = {"p": p, "level": level}
        law = "which claims hold together (1: holds)"
        _require_row(law, observed, torch.tensor(expected).double(), slips, given)


def _rising(seed: int) -> list[float]:
    """Five p, not in order, about where the bars are."""
    draw = random.Random(seed).random
    return [round(0.004 + 0.06 * draw(), 4) for _ in range(5)]


def _in_turn(row: Sequence[float], level: float) -> list[bool]:
    holds = {}
    failed = False
    for k, place in enumerate(sorted(range(len(row)), key=row.__getitem__)):
        failed = failed or row[place] > level / (len(row) - k)
        holds[place] = not failed
    return [holds[place] for place in range(len(row))]


def _require_row(law: str, observed: Tensor, expected: Tensor, slips: dict[str, Slips], given: dict[str, Any]) -> None:
    """As `require_close`, but the failure tells the whole row, for one claim's verdict hangs on the others."""
    try:
        require_close(law, observed, expected, 1e-6, slips)
    except LawBroken as broken:
        seen, right = (f"[{', '.join(f'{v:.3g}' for v in row.tolist())}]" for row in (observed, expected))
        at = f"p = {given['p'].tolist()}, level = {given['level']:g}"
        raise LawBroken(law, seen, right, broken.cause, at) from None


def bounds_are_known_below_alone(candidate: Known, *, seed: int = 0) -> None:
    """candidate((value, kind), (value, kind)) = −1, 1 or 0: the first costs less for certain, the second, neither.

    A "bound" says that the cost is at most its value; "exact" that it is its value. Equal values tell nothing.
    """
    cases: tuple[tuple[Cost, Cost, int], ...] = (
        ((86.3, "bound"), (88.3, "exact"), -1),
        ((90.0, "bound"), (88.3, "exact"), 0),
        ((88.3, "exact"), (86.3, "bound"), 1),
        ((88.3, "exact"), (90.0, "bound"), 0),
        ((2.0, "exact"), (2.1, "exact"), -1),
        ((2.1, "exact"), (2.0, "exact"), 1),
        ((2.0, "bound"), (2.1, "bound"), 0),
        ((2.1, "bound"), (2.0, "bound"), 0),
        ((2.0, "exact"), (2.0, "exact"), 0),
        ((2.0, "bound"), (2.0, "exact"), 0),
        ((2.0, "exact"), (2.0, "bound"), 0),
        ((-1.5, "bound"), (-1.2, "exact"), -1),
    )
    law = "-1: the first costs less for certain, 1: the second, 0: not known"
    for a, b, expected in (*cases, *further(seed, _bound_and_exact)):
        observed = require_shape(law, ask(candidate, a=a, b=b), ()).double()
        if observed != expected:
            why = _why(a, b, float(observed), expected)
            raise LawBroken(law, f"{observed:g}", f"{expected}", why, f"a = {a}, b = {b}")


def _bound_and_exact(rng: random.Random) -> tuple[Cost, Cost, int]:
    low, gap = round(rng.uniform(1, 90), 1), round(rng.uniform(0.1, 3), 1)
    return rng.choice(
        [
            ((low, "bound"), (low + gap, "exact"), -1),
            ((low, "exact"), (low + gap, "bound"), 0),
            ((low + gap, "exact"), (low, "bound"), 1),
        ]
    )


def _why(a: Cost, b: Cost, observed: float, expected: int) -> str:
    if observed not in (-1, 0, 1):
        return "container"
    if observed == -expected:
        return "sign"
    if expected:
        return "one-to-one" if a[1] == b[1] else "spread"
    return "constant" if a[0] == b[0] else "direction"


def near_is_near_the_own_best(candidate: Share, *, seed: int = 0) -> None:
    """candidate(results, times) = the share of entries that are at most `times` the least; ∞ is a run that failed.

    Of (rates, seeds), any shape. All failed: 0.
    """
    failed, draw = math.inf, random.Random(seed).random
    grids = [
        [[4.8, failed, 5.6, 2.0], [3.0, 6.0, 3.4, 4.0]],
        [[10.0, 14.0, 40.0], [22.0, failed, 12.0]],
        [[10.0, 30.0], [20.0, 28.0]],
        [[5.0, 5.2], [5.1, 7.4]],
        [[failed, failed, failed]],
        [[round(10 + 20 * draw(), 2) for _ in range(5)] for _ in range(3)],
    ]
    for grid, times in ((grid, times) for grid in grids for times in (1.5, 1.0, 3.0)):
        results = torch.tensor(grid, dtype=torch.float64)
        expected, slips = _share_and_slips(grid, times)
        inputs = {"results": results, "times": times}
        observed = require_shape("one share", ask(candidate, **inputs), ()).double()
        require_close("the share of runs near the best", observed, _number(expected), 1e-6, slips, given=inputs)


def _share_and_slips(grid: Sequence[Sequence[float]], times: float) -> tuple[float, dict[str, Slips]]:
    """The share of runs near the best, counted, and what slips make of it."""
    runs = [value for row in grid for value in row]
    alive = [value for value in runs if value < math.inf]
    best = min(alive, default=math.inf)
    near = sum(value <= times * best for value in alive)
    ways = {
        "dependence": [sum(v <= 1.5 * best for v in alive) / len(runs)],
        "reduction": [
            *(float(near), near / len(grid), near / len(grid[0]), near / max(1, len(alive))),
            *(_by_rate(grid, times), _by_rate([*zip(*grid, strict=True)], times)),
        ],
        "direction": [1 - near / len(runs), sum(v >= times * best for v in alive) / len(runs)],
        "spread": [
            sum(v <= best + times for v in alive) / len(runs),
            sum(v - best <= times * best for v in alive) / len(runs),
        ],
        "constant": [sum(v <= times * reference for v in alive) / len(runs) for reference in _references(alive)]
        + [sum(v < times * best for v in alive) / len(runs), len(alive) / len(runs)],
    }
    expected = near / len(runs)
    if not alive:
        ways = {"not-finite": [1.0]}
    slips: dict[str, Slips] = {
        cause: [_number(v) for v in values if abs(v - expected) > 1e-6] for cause, values in ways.items()
    }
    return expected, slips


def _by_rate(grid: Sequence[Sequence[float]], times: float) -> float:
    """The share within each rate's own best."""
    near = total = 0
    for row in grid:
        best = min((v for v in row if v < math.inf), default=math.inf)
        near, total = near + sum(v <= times * best for v in row if v < math.inf), total + len(row)
    return near / total


def _references(alive: list[float]) -> list[float]:
    """What one may take for the best: the mean, the median, the worst."""
    if not alive:
        return []
    ordered = sorted(alive)
    return [math.fsum(alive) / len(alive), ordered[len(ordered) // 2], ordered[-1]]


def _number(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)
