"""Which differences between models may be told: exact permutation tests over seeds, and orders with ties."""

import math
from collections.abc import Mapping, Sequence
from itertools import combinations

import torch
from torch import Tensor

MOST = 200_000  # ways to part the values


def permutation_p(a: Tensor, b: Tensor) -> float:
    """The share of all ways to part the values of two models at which the means differ by at least as much.

    `a` (n,) and `b` (m,) are one number a seed. Two-sided and exact: the parting that was observed is one of them, so
    that p is at least `smallest_p(n, m)` where the values differ. Raises ValueError for fewer than two values of
    either, values that are not finite, or more than 200,000 ways. Pitman 1937.
    """
    if a.dim() != 1 or b.dim() != 1 or min(len(a), len(b)) < 2:
        raise ValueError(f"a, b: got shapes {tuple(a.shape)} and {tuple(b.shape)}, expected two or more values of each")
    if (ways := math.comb(len(a) + len(b), len(a))) > MOST:
        raise ValueError(f"a, b: got {len(a)} and {len(b)} values, parted in {ways:,} ways, expected at most {MOST:,}")
    values = torch.cat([a, b]).double()
    if not values.isfinite().all():
        raise ValueError("a, b: got values that are not finite: a run that failed has no number, so count it apart")
    chosen = torch.tensor(list(combinations(range(len(values)), len(a))))
    first = values[chosen].sum(1)
    gaps = (first / len(a) - (values.sum() - first) / len(b)).abs()
    return (gaps >= gaps[0] * (1 - 1e-9)).double().mean().item()


def signs_p(gaps: Tensor) -> float:
    """The share of all ways to turn the signs of the gaps, (n,), at which their mean is at least as far from 0.

    For pairs, and for one model beside a number without chance: two-sided, exact, at least 2/2ⁿ. Raises ValueError for
    fewer than two gaps, more than 17, or gaps that are not finite. Fisher 1935, section 21.
    """
    if gaps.dim() != 1 or not 2 <= len(gaps) <= 17 or not gaps.isfinite().all():
        raise ValueError(f"gaps: got {gaps.tolist()}, expected one row of two to 17 finite numbers")
    signs = torch.cartesian_prod(*[torch.tensor([1.0, -1.0], dtype=torch.float64)] * len(gaps))
    sums = (signs @ gaps.double()).abs()
    return (sums >= sums[0] * (1 - 1e-9)).double().mean().item()


def difference_p(a: Tensor, b: Tensor) -> float:
    """p of two ways by their values, one a seed: `permutation_p`, or `signs_p` where all values of one are equal.

    A way without chance has one number, and no parting; two of these differ or do not, p = 0 or 1.
    """
    fixed = [bool((values == values[0]).all()) for values in (a, b)]
    if all(fixed):
        return float(a[0] == b[0])
    if any(fixed):
        return signs_p(a - b[0] if fixed[1] else b - a[0])
    return permutation_p(a, b)


def smallest_p(n: int, m: int) -> float:
    """The least that `permutation_p` can be with n and m seeds: 2/C(n + m, n), and 1/C(n + m, n) where n ≠ m."""
    return (2 if n == m else 1) / math.comb(n + m, n)


def holm(p: Tensor, level: float = 0.05) -> Tensor:
    """Which of several claims hold together, (n,) bool: the k-th smallest p (from 0) needs p ≤ level/(n − k), in turn.

    At the first that fails all larger ones fail, so that the chance of one false claim or more is at most `level`.
    Raises ValueError for anything but values in [0, 1]. Holm 1979. Equation: comparison-holm.
    """
    if p.dim() != 1 or not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"p: got {p.tolist()}, expected one row of numbers in [0, 1]")
    ranked = p.argsort()
    needed = (1 + 1e-6) * level / torch.arange(len(p), 0, -1)  # a p that meets its bar but for rounding holds
    holds = torch.zeros(len(p), dtype=torch.bool)
    holds[ranked] = (p[ranked] <= needed).long().cumprod(0).bool()
    return holds


def known_order(a: tuple[float, str], b: tuple[float, str]) -> int:
    """−1 where the first of two costs is known to be the less, 1 where the second is, 0 where neither is.

    A cost is (value, kind): kind "exact", or "bound", where the true cost is at most the value. Raises ValueError for
    another kind.
    """
    for value, kind in (a, b):
        if kind not in ("exact", "bound"):
            raise ValueError(f"kind: got {kind!r} of {value}, expected 'exact' or 'bound'")
    return int(a[1] == "exact" and b[0] < a[0]) - int(b[1] == "exact" and a[0] < b[0])


def share_near_best(results: Tensor, times: float = 1.5) -> float:
    """The share of runs within so many times the best of them, least is best; one that failed is ∞, and is not.

    0 where all failed. Raises ValueError for no run, or `times` below 1.
    """
    if not results.numel() or times < 1:
        raise ValueError(f"results, times: got {results.numel()} runs and {times}, expected one or more, from 1 on")
    near = (results <= times * results.min()) & results.isfinite()
    return near.double().mean().item()


def seeds_needed(claims: int, level: float = 0.05) -> int:
    """The least k of seeds a model for which each of so many claims may have p ≤ level/claims: 2/C(2k, k).

    Raises ValueError for fewer than one claim.
    """
    if claims < 1:
        raise ValueError(f"claims: got {claims}, expected at least 1")
    return next(k for k in range(2, 1_000) if smallest_p(k, k) <= level / claims)


def order(values: Mapping[str, Tensor], level: float = 0.05, *, larger_is_better: bool = False) -> list[list[str]]:
    """Names from best to worst, those together that `difference_p` does not tell at `level` from the best of their row.

    A row begins with the best that is left and takes in all that are not told from it; a model may be a tie with those
    of the next row, too, for ties do not pass on. `level` is of each pair: divide it by the number of pairs to claim
    them all at once.
    """
    left = sorted(values, key=lambda name: values[name].double().mean().item(), reverse=larger_is_better)
    rows: list[list[str]] = []
    while left:
        best = left[0]
        rows.append([name for name in left if name == best or difference_p(values[best], values[name]) >= level])
        left = [name for name in left if name not in rows[-1]]
    return rows


def spread_of_the_best(models: int) -> float:
    """E of the largest less the smallest of so many draws from N(0, 1): the gap between equals, in standard errors.

    By quadrature of ∫ 1 − Φⁿ − (1 − Φ)ⁿ. Of eight models it is 2.847. Raises ValueError for fewer than two.
    """
    if models < 2:
        raise ValueError(f"models: got {models}, expected at least 2")
    x = torch.linspace(-9, 9, 20_001, dtype=torch.float64)
    below = torch.special.ndtr(x)
    return torch.trapezoid(1 - below**models - (1 - below) ** models, x).item()


def rank_correlation(a: Sequence[float], b: Sequence[float]) -> float:
    """Spearman's correlation of two orders without ties: 1 − 6 Σ d²/(n(n² − 1)). Raises ValueError for ties."""
    if len(a) != len(b) or len(a) < 2 or len({*a}) < len(a) or len({*b}) < len(b):
        raise ValueError(f"a, b: got {len(a)} and {len(b)} values, expected as many of both, two or more, without ties")
    ranks = [torch.tensor(values, dtype=torch.float64).argsort().argsort().double() for values in (a, b)]
    return (1 - 6 * (ranks[0] - ranks[1]).square().sum() / (len(a) * (len(a) ** 2 - 1))).item()
