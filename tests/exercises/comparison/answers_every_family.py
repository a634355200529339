"""Answers to the exercises of lesson 08.2, right and wrong."""

import math
from itertools import combinations

import numpy as np
import torch


def parted(a, b):
    a, b = a.tolist(), b.tolist()
    pool, n = a + b, len(a)
    seen = abs(sum(a) / n - sum(b) / len(b))
    met = total = 0
    for chosen in combinations(range(len(pool)), n):
        first = [pool[k] for k in chosen]
        rest = [pool[k] for k in range(len(pool)) if k not in chosen]
        met += abs(sum(first) / n - sum(rest) / len(rest)) >= seen - 1e-9
        total += 1
    return met / total


def parted_in_numpy(a, b):
    pool, n = np.concatenate([a.numpy(), b.numpy()]), len(a)
    mask = np.array([[k in chosen for k in range(len(pool))] for chosen in combinations(range(len(pool)), n)])
    gaps = (mask * pool).sum(1) / n - (~mask * pool).sum(1) / (len(pool) - n)
    return np.mean(np.abs(gaps) >= np.abs(a.numpy().mean() - b.numpy().mean()) - 1e-9)


def parted_by_sums(a, b):
    """The gap grows with the distance of the chosen sum from its mean n s/(n + m)."""
    pool, n = torch.cat([a, b]), len(a)
    sums = torch.stack([pool[list(chosen)].sum() for chosen in combinations(range(len(pool)), n)])
    middle = n * pool.mean()
    return ((sums - middle).abs() >= (a.sum() - middle).abs() - 1e-9).double().mean()


def without_room(a, b):
    """Gaps compared as they are rounded."""
    pool, n = [*a.tolist(), *b.tolist()], len(a)
    gaps = []
    for chosen in combinations(range(len(pool)), n):
        rest = sum(pool[k] for k in range(len(pool)) if k not in chosen)
        gaps.append(abs(sum(pool[k] for k in chosen) / n - rest / len(b)))
    return sum(gap >= gaps[0] for gap in gaps) / len(gaps)


def in_halves(a, b):
    pool, n = torch.cat([a, b]), (len(a) + len(b)) // 2
    sums = torch.stack([pool[list(chosen)].sum() for chosen in combinations(range(len(pool)), n)])
    gaps = (sums / n - (pool.sum() - sums) / (len(pool) - n)).abs()
    return (gaps >= (a.mean() - b.mean()).abs() - 1e-9).double().mean()


def by_scipy(a, b):
    """SciPy's two-sided p is twice that of the smaller side."""
    from scipy.stats import permutation_test

    def gap(x, y, axis):
        return x.mean(axis=axis) - y.mean(axis=axis)

    return permutation_test((a.numpy(), b.numpy()), gap, n_resamples=np.inf, vectorized=True).pvalue


def one_sided(a, b):
    pool, n = torch.cat([a, b]), len(a)
    sums = torch.stack([pool[list(chosen)].sum() for chosen in combinations(range(len(pool)), n)])
    return (sums >= a.sum() - 1e-9).double().mean()


def one_sided_doubled(a, b):
    up = float(one_sided(a, b))
    return 2 * min(up, 1 - up)


def shuffled(a, b):
    """A few random partings in place of all."""
    rng, pool, n = torch.Generator().manual_seed(0), torch.cat([a, b]), len(a)
    seen = (a.mean() - b.mean()).abs()
    drawn = [pool[torch.randperm(len(pool), generator=rng)] for _ in range(500)]
    return sum(bool((x[:n].mean() - x[n:].mean()).abs() >= seen - 1e-9) for x in drawn) / 500


def t_test(a, b):
    from scipy.stats import ttest_ind

    return ttest_ind(a.numpy(), b.numpy()).pvalue


def strictly(a, b):
    pool, n = torch.cat([a, b]), len(a)
    sums = torch.stack([pool[list(chosen)].sum() for chosen in combinations(range(len(pool)), n)])
    return ((sums - n * pool.mean()).abs() > (a.sum() - n * pool.mean()).abs() + 1e-9).double().mean()


def holm(p, level):
    verdicts = torch.zeros(len(p), dtype=torch.bool)
    for k, place in enumerate(torch.argsort(p)):
        if p[place] > level / (len(p) - k):
            break
        verdicts[place] = True
    return verdicts


def holm_as_a_list(p, level):
    order = sorted(range(len(p)), key=lambda k: p[k])
    held = {}
    for k, place in enumerate(order):
        held[place] = bool(p[place] <= level / (len(p) - k)) and (k == 0 or held[order[k - 1]])
    return [held[k] for k in range(len(p))]


def holm_by_adjusted_p(p, level):
    ranked, order = p.sort()
    adjusted = (ranked * torch.arange(len(p), 0, -1)).cummax(0).values
    out = torch.empty(len(p), dtype=torch.float32)
    out[order] = (adjusted <= level * (1 + 1e-12)).float()
    return out


def hochberg(p, level):
    """From the largest down: at the first that holds, all smaller ones do."""
    ranked, order = p.sort()
    met = ranked <= level / torch.arange(len(p), 0, -1)
    verdicts = torch.zeros(len(p), dtype=torch.bool)
    verdicts[order] = met.flip(0).cummax(0).values.flip(0)
    return verdicts


def discoveries(p, level):
    """Benjamini and Hochberg."""
    ranked, order = p.sort()
    met = ranked <= level * torch.arange(1, len(p) + 1) / len(p)
    verdicts = torch.zeros(len(p), dtype=torch.bool)
    verdicts[order] = met.flip(0).cummax(0).values.flip(0)
    return verdicts


def known(a, b):
    possible = {"exact": lambda v: (v, v), "bound": lambda v: (-math.inf, v)}
    (low_a, high_a), (low_b, high_b) = (possible[kind](value) for value, kind in (a, b))
    return -1 if high_a < low_b else 1 if high_b < low_a else 0


def known_by_match(a, b):
    match (a[1], b[1]):
        case ("bound", "bound"):
            return 0.0
        case ("bound", "exact"):
            return -float(a[0] < b[0])
        case ("exact", "bound"):
            return float(b[0] < a[0])
    return float(np.sign(a[0] - b[0]))


def by_value(a, b):
    return -1 if a[0] <= b[0] else 1


def near(results, times):
    best = results.min()
    return sum(float(v) <= times * float(best) for v in results.flatten() if v < torch.inf) / results.numel()


def near_in_numpy(results, times):
    grid = results.numpy()
    alive = np.isfinite(grid)
    return np.mean(alive & (np.where(alive, grid, 1e300) <= times * grid.min())) if alive.any() else 0.0


def near_masked(results, times):
    alive = results[results.isfinite()]
    return (alive <= times * alive.min()).sum() / results.numel() if len(alive) else torch.tensor(0.0)


RIGHT = {
    "comparison.permutation_p": {"loops": parted, "numpy": parted_in_numpy, "sums": parted_by_sums},
    "comparison.holm": {"a break": holm, "a list": holm_as_a_list, "adjusted": holm_by_adjusted_p},
    "comparison.known_order": {"intervals": known, "match": known_by_match},
    "comparison.share_near_best": {"a sum": near, "numpy": near_in_numpy, "masked": near_masked},
    "comparison.least_p": {
        "a share": 1 / 792,
        "rounded": 0.00126,
        "by factorials": 1 / math.comb(12, 5),
        "a tensor": torch.tensor(0.001263),
    },
}
WRONG = {
    "comparison.permutation_p": {
        "one side": (one_sided, "direction"),
        "one side doubled": (one_sided_doubled, ""),
        "random partings": (shuffled, ""),
        "a t test": (t_test, ""),
        "no room": (without_room, "one-to-one"),
        "in halves": (in_halves, "dependence"),
        "SciPy": (by_scipy, "sign"),
        "above the gap": (strictly, "one-to-one"),
        "a count": (lambda a, b: parted(a, b) * math.comb(len(a) + len(b), len(a)), "reduction"),
        "not the seen one": (lambda a, b: parted(a, b) - 1 / math.comb(len(a) + len(b), len(a)), "constant"),
        "one minus": (lambda a, b: 1 - parted(a, b), "direction"),
        "the gap": (lambda a, b: (a.mean() - b.mean()).abs(), ""),
        "a tuple": (lambda a, b: (parted(a, b), 0.05), "shape"),
    },
    "comparison.holm": {
        "one bar": (lambda p, level: p <= level, "constant"),
        "Bonferroni": (lambda p, level: p <= level / len(p), "reduction"),
        "Hochberg": (hochberg, "dependence"),
        "discoveries": (discoveries, "dependence"),
        "goes on": (lambda p, level: p <= level / (len(p) - p.argsort().argsort()), "dependence"),
        "ranks turned": (lambda p, level: p <= level / (p.argsort().argsort() + 1), "direction"),
        "sorted": (lambda p, level: holm(p, level)[p.argsort()], "shape"),
        "how many": (lambda p, level: int(holm(p, level).sum()), "shape"),
        "the failed": (lambda p, level: ~holm(p, level), ""),
        "any": (lambda p, level: holm(p, level).any(), "shape"),
        "places": (lambda p, level: p <= level / torch.arange(len(p), 0, -1), "one-to-one"),
        "one argsort": (lambda p, level: p <= level / (len(p) - p.argsort()), "one-to-one"),
    },
    "comparison.known_order": {
        "by value": (by_value, "direction"),
        "bounds never": (lambda a, b: known(a, b) if a[1] == b[1] == "exact" else 0, "spread"),
        "the greater": (lambda a, b: -known(a, b), "sign"),
        "at most": (lambda a, b: -1 if a[0] == b[0] else known(a, b), "constant"),
        "a bound is below": (lambda a, b: -1 if (a[1], b[1]) == ("bound", "exact") else known(a, b), "direction"),
        "exact wins": (lambda a, b: -1 if (a[1], b[1]) == ("exact", "bound") else known(a, b), "sign"),
        "at most, of a bound": (lambda a, b: -1 if a[0] == b[0] and a[1] != b[1] else known(a, b), "constant"),
        "a word": (lambda a, b: "first", "container"),
        "nothing": (lambda a, b: None, "container"),
        "a gap": (lambda a, b: a[0] - b[0], "container"),
        "the winner": (lambda a, b: min(a, b), "container"),
    },
    "comparison.share_near_best": {
        "failures too": (lambda r, t: (r <= t * r.min()).double().mean(), "not-finite"),
        "each rate": (lambda r, t: torch.stack([torch.tensor(near(row, t)) for row in r]).mean(), "reduction"),
        "of the alive": (lambda r, t: near(r, t) * r.numel() / max(1, int(r.isfinite().sum())), "reduction"),
        "a count": (lambda r, t: near(r, t) * r.numel(), "reduction"),
        "far": (lambda r, t: 1 - near(r, t), "direction"),
        "strictly": (lambda r, t: ((r < t * r.min()) & r.isfinite()).double().mean(), "constant"),
        "added": (lambda r, t: ((r <= t + r.min()) & r.isfinite()).double().mean(), "spread"),
        "a row each": (lambda r, t: (r <= t * r.min()).double().mean(1), "shape"),
        "zero": (lambda r, t: 0.0, ""),
        "always 1.5": (lambda r, t: near(r, 1.5), "dependence"),
    },
    "comparison.least_p": {
        "two sides": (2 / 792, "direction"),
        "five and five": (2 / 252, "spread"),
        "none": (0, "one-to-one"),
        "signs of pairs": (2 / 32, "one-to-one"),
        "orders of five": (1 / 120, "reduction"),
        "the level": (0.05, "constant"),
        "a text": ("0.0013", "container"),
        "a guess": (0.02, ""),
    },
}
