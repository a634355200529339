"""The laws of telling models apart hold and catch each planted bug."""

import math
from itertools import combinations

import torch

from gmcourse.laws.comparison import differences


def parted(a, b, close=1e-9, both=True):
    """Every choice, by loops."""
    values, n = [*a.tolist(), *b.tolist()], len(a)
    seen, gaps = a.mean() - b.mean(), []
    for chosen in combinations(range(len(values)), n):
        rest = [v for k, v in enumerate(values) if k not in chosen]
        gaps.append(sum(values[k] for k in chosen) / n - sum(rest) / len(rest))
    size = abs if both else (lambda gap: gap)
    return sum(size(gap) >= size(seen) - close for gap in gaps) / len(gaps)


def student(a, b):
    from scipy.stats import ttest_ind

    return float(ttest_ind(a.numpy(), b.numpy()).pvalue)


def in_turn(p, level):
    holds, failed = torch.zeros(len(p), dtype=torch.bool), False
    for k, place in enumerate(p.argsort().tolist()):
        failed = failed or bool(p[place] > level / (len(p) - k))
        holds[place] = not failed
    return holds


def by_place(p, level):
    holds, failed = [], False
    for k, value in enumerate(p.tolist()):
        failed = failed or value > level / (len(p) - k)
        holds.append(not failed)
    return holds


def each_at_its_bar(p, level):
    return p <= level / (len(p) - p.argsort().argsort())


def known(a, b):
    (x, kind_x), (y, kind_y) = a, b
    if kind_y == "exact" and x < y:
        return -1
    return 1 if kind_x == "exact" and y < x else 0


def by_value(a, b):
    return (a[0] > b[0]) - (a[0] < b[0])


def near(results, times):
    alive = results[results < math.inf]
    return (alive <= times * alive.min()).sum().item() / results.numel() if len(alive) else 0.0


RIGHT = {
    differences.partings_are_counted: (parted,),
    differences.claims_hold_in_turn: (in_turn, lambda *a: in_turn(*a).tolist()),
    differences.bounds_are_known_below_alone: (known,),
    differences.near_is_near_the_own_best: (near,),
}
BUGS = {
    differences.partings_are_counted: {
        "to one side": (lambda a, b: parted(a, b, both=False), "direction"),
        "to the other side": (lambda a, b: parted(b, a, both=False), "direction"),
        "above the gap alone": (lambda a, b: parted(a, b, close=-1e-9), "one-to-one"),
        "a t test": (student, ""),
        "one more parting": (lambda a, b: (parted(a, b) * 126 + 1) / 127, "constant"),
        "a count": (lambda a, b: parted(a, b) * math.comb(len(a) + len(b), len(a)), "reduction"),
        "one minus": (lambda a, b: 1 - parted(a, b), "direction"),
    },
    differences.claims_hold_in_turn: {
        "no correction": (lambda p, level: p <= level, "constant"),
        "Bonferroni": (lambda p, level: p <= level / len(p), "reduction"),
        "goes on after a failure": (each_at_its_bar, "dependence"),
        "by place": (by_place, "one-to-one"),
        "the largest first": (lambda p, level: p <= level / (p.argsort().argsort() + 1), "direction"),
        "sorted": (lambda p, level: in_turn(p, level)[p.argsort()], "shape"),
        "how many": (lambda p, level: in_turn(p, level).sum(), "shape"),
    },
    differences.bounds_are_known_below_alone: {
        "by value": (by_value, "direction"),
        "never of a bound": (lambda a, b: by_value(a, b) if a[1] == b[1] == "exact" else 0, "spread"),
        "turned": (lambda a, b: -known(a, b), "sign"),
        "equal is less": (lambda a, b: -1 if a[0] == b[0] else known(a, b), "constant"),
        "a word": (lambda a, b: "first" if known(a, b) < 0 else "second", "container"),
    },
    differences.near_is_near_the_own_best: {
        "each rate's best": (
            lambda r, times: sum(near(row[None], times) for row in r) / len(r),
            "reduction",
        ),
        "of those that lived": (lambda r, t: (r <= t * r.min()).sum() / max(1, r.isfinite().sum()), "reduction"),
        "a count": (lambda r, times: near(r, times) * r.numel(), "reduction"),
        "far": (lambda r, times: 1 - near(r, times), "direction"),
        "below the mean": (
            lambda r, times: (r <= times * r[r < math.inf].mean()).double().mean() * bool(r.isfinite().any()),
            "constant",
        ),
        "added": (lambda r, times: (r <= times + r.min()).double().mean() * bool(r.isfinite().any()), "spread"),
    },
}
