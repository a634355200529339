"""Laws of measuring: the Fréchet distance's bias, density and coverage, what a mixture costs, nearest neighbours."""

import math
import random
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import Slips, require_numbers, require_value
from gmcourse.laws.rows import draw, further

Bias = Callable[[Tensor, int, int], Any]
Neighbours = Callable[[Tensor, Tensor, int], Any]
Cost = Callable[[float, int], Any]
Share = Callable[[Tensor, Tensor, Tensor], Any]


def bias_is_that_of_two_samples(candidate: Bias, *, seed: int = 0) -> None:
    """candidate(λ, n, m) = (1/n + 1/m)[Σ_i λ_i + ½ Σ_ij λ_i λ_j (1 + δ_ij)/(λ_i + λ_j)], the sums by hand.

    On one axis the bracket is 3λ/2; of d unit eigenvalues d + d(d + 1)/4. The counts differ, and none is 1.
    """
    spread = (0.3 + draw(5, seed=seed).abs()).double()
    one, unit = torch.tensor([2.0], dtype=torch.float64), torch.ones(64, dtype=torch.float64)
    for values, n, m in ((spread, 40, 100), (one, 50, 80), (unit, 1000, 500)):
        right, suspects = _bias_and_slips(values.tolist(), n, m)
        given = {"eigenvalues": values, "n": n, "m": m}
        observed = ask(candidate, **given)
        law = f"the bias with {len(values)} eigenvalue{'s' * (len(values) > 1)}, n = {n}, m = {m}"
        require_value(law, observed, right, 1e-6 * right, suspects)


def _bias_and_slips(values: list[float], n: int, m: int) -> tuple[float, dict[str, Slips]]:
    """The bias by sums, and what slips make of it."""
    means = sum(values)
    twice = [a * b / (a + b) for a in values for b in values]
    alone = sum(a / 2 for a in values)
    rate, shapes = 1 / n + 1 / m, (sum(twice) + alone) / 2
    right, d = rate * (means + shapes), len(values)
    others = sum(twice) - alone  # of the pairs with i ≠ j
    seconds = [sum(twice) / 2, 2 * shapes, shapes / 2, alone, alone / 2, others / 4, others / 2, others / 4 + alone]
    seconds += [(sum(twice) + d) / 2, *([sum(twice)] if d == len(set(values)) else [])]
    roots, squares = ([v**power for v in values] for power in (0.5, 2))
    suspects: dict[str, Slips] = {
        "dependence": [rate * means, rate * shapes],
        "constant": [rate * (means + second) for second in seconds],
        "spread": [] if len(values) == len(set(values)) else [rate * (means + sum(twice))],
        "one-to-one": [right / (n * rate), right / (m * rate), right / (n * rate) * 2, right / (m * rate) * 2],
        "reduction": [
            *(right / rate * wrong for wrong in (2 / (n + m), 1 / (n + m), 4 / (n + m), 1 / (n * m), n + m, 1)),
            *(right / math.sqrt(rate), rate * means + shapes, (1 / (n - 1) + 1 / (m - 1)) * right / rate),
            *(right / d, rate * (means / d + shapes / d**2)),
        ],
        "direction": [
            *(rate * _bracket(roots), rate * _bracket(squares), rate * _bracket([1.0] * d)),
            rate * (means + (means**2 + sum(squares)) / 2),
        ],
        "sign": -right,
    }
    return right, suspects


def _bracket(values: list[float]) -> float:
    """Σ λ_i + ½ Σ λ_i λ_j (1 + δ_ij)/(λ_i + λ_j)."""
    return sum(values) + (sum(a * b / (a + b) for a in values for b in values) + sum(values) / 2) / 2


def neighbours_are_counted_in_balls_of_data(candidate: Neighbours, *, seed: int = 0) -> None:
    """candidate(real, fake, k) = (Σ_j #{i: fake_j in the ball of real_i}/(k m), the share of balls that hold a fake).

    A ball reaches from a real point to its k-th nearest *other* real point, which its rim holds. Points are taken pair
    by pair; the two sets differ in number and in width. In the last case whole numbers of a line lie on rims.
    """
    sizes = ((29, 22, 2, 1.2), (29, 37, 3, 1.5), (26, 26, 1, 1.0))
    cases = [(draw(n, 2, seed=seed).double(), w * draw(m, 2, seed=seed + 1).double(), k) for n, m, k, w in sizes]
    line = [torch.tensor(x, dtype=torch.float64)[:, None] for x in ((0, 2, 3, 7, 12, 14, 20), (1, 4, 11, 17, 26))]
    for real, fake, k in (*cases, (*line, 2)):
        right, n, m = _balls(real, fake, k), len(real), len(fake)
        others = {
            "direction": [_balls(fake, real, k), _balls(real, fake, k, about=fake), _across(real, fake, k)],
            "one-to-one": [_balls(real, fake, k, rank=k - 1), _balls(real, fake, k, rank=k + 1)],
            "spread": [_balls(real, fake, k, slack=1e-9)],
        }
        given = {"real": real, "fake": fake, "k": k}
        observed = require_numbers("density and coverage", ask(candidate, **given), 2)
        names = ("density, over k, of each fake", "coverage: balls of data with a fake in them")
        for j, name in enumerate(names):
            ways = {"dependence": [right[1 - j]], "reduction": _misread(real, fake, k)[j]}
            ways |= {cause: [way[j] for way in pairs] for cause, pairs in others.items()}
            law = f"{name}, {n} real and {m} fake points, k = {k}"
            require_value(law, observed[j], right[j], 1e-6, ways)


def _radii(points: list[list[float]], k: int) -> list[float]:
    """Of each point, the distance to its k-th nearest other one; itself is the 0th."""
    return [sorted(math.dist(a, b) for b in points)[k] for a in points]


def _inside(real: Tensor, fake: Tensor, k: int, about: Tensor | None = None, slack: float = 0.0) -> list[list[bool]]:
    """Whether fake j is in the ball of real i, as a list; the balls are those of `about`, or smaller by `slack`."""
    centres, points = real.tolist(), fake.tolist()
    radii = _radii(centres if about is None else about.tolist(), k)
    radii = [radii[i % len(radii)] for i in range(len(centres))]
    return [[math.dist(c, p) <= radius - slack for p in points] for c, radius in zip(centres, radii, strict=True)]


def _balls(
    real: Tensor, fake: Tensor, k: int, about: Tensor | None = None, rank: int | None = None, slack: float = 0.0
) -> tuple[float, float]:
    rows = _inside(real, fake, k if rank is None else rank, about, slack)
    return sum(map(sum, rows)) / (k * len(rows[0])), sum(map(any, rows)) / len(rows)


def _misread(real: Tensor, fake: Tensor, k: int) -> tuple[list[float], list[float]]:
    """Densities and coverages that are reduced over the wrong axis, or divided by another number."""
    rows = _inside(real, fake, k)
    pairs, precision = sum(map(sum, rows)), sum(map(any, zip(*rows, strict=True))) / len(fake)
    n, m = len(real), len(fake)
    densities = [pairs / m, pairs / (k * n), pairs / (k * n * m), pairs / (n * m), pairs / k, float(pairs), precision]
    often = sum(sum(row) >= k for row in rows) / n
    return densities, [precision, float(sum(map(any, rows))), pairs / (n * m), sum(map(all, rows)) / n, often]


def _across(real: Tensor, fake: Tensor, k: int) -> tuple[float, float]:
    """Of balls that reach to the k-th nearest fake; and the share of real points in the balls of fakes, the recall."""
    recalled = zip(*_inside(fake, real, k), strict=True)
    return len(real) / len(fake), sum(map(any, recalled)) / len(real)


def cost_of_a_mixture(candidate: Cost, *, seed: int = 0) -> None:
    """candidate(share, dims) = −log₂(share)/dims, bits/dim: nothing at share 1, one bit a dimension at 2^−dims."""
    fixed = ((0.01, 64), (0.3, 10), (2.0**-12, 12), (1.0, 7))
    for share, dims in (*fixed, *further(seed, _mixture)):
        right, nats = -math.log2(share) / dims, -math.log(share) / dims
        rest = -math.log2(1 - share) / dims if share < 1 else math.inf
        suspects: dict[str, Slips] = {
            "constant": [nats, -math.log10(share) / dims],
            "direction": [rest, rest * math.log(2)],
            "reduction": [right * dims, nats * dims, right * dims**2],
            "sign": [-right, -nats],
        }
        observed = ask(candidate, share=share, dims=dims)
        require_value(f"the cost at share {share:g} in {dims} dimensions", observed, right, 2e-7, suspects)


def _mixture(rng: random.Random) -> tuple[float, int]:
    return round(rng.uniform(0.02, 0.4), 2), rng.randint(5, 90)


def nearer_rows_are_counted(candidate: Share, *, seed: int = 0) -> None:
    """candidate(fake, train, held_out): the share of fakes whose nearest training row is nearer than any held-out row.

    Equal distances count one half: some points are of {0, 1}³, where many are equal. Rows are compared one by one.
    """
    rng = torch.Generator().manual_seed(seed)
    smooth = [draw(n, 3, seed=seed + k) for k, n in enumerate((11, 8, 8))]
    cube = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 3)
    binary = [torch.cat([cube[:6], cube[torch.randint(8, (10,), generator=rng)]]), cube[[1, 2, 4]], cube[[4, 5, 7]]]
    copied = [torch.cat([smooth[1][:5], smooth[0][:4]]), smooth[1], 0.3 * smooth[2]]
    for kind, (fake, train, held) in ((", five of them copies", copied), ("", smooth), (", binary", binary)):
        gaps = [(_least(row, train), _least(row, held)) for row in fake.tolist()]
        near, ties = (sum(a < b for a, b in gaps), sum(a == b for a, b in gaps))
        right, n = (near + ties / 2) / len(fake), len(fake)
        means = [(_mean(row, train), _mean(row, held)) for row in fake.tolist()]
        suspects: dict[str, Slips] = {
            "direction": 1 - right,
            "reduction": [right * n, *([] if ties else [sum(a < b for a, b in means) / n])],
            "one-to-one": [(near + ties) / n, near / n, near / max(n - ties, 1), (near - ties / 2) / n],
        }
        observed = ask(candidate, fake=fake, train=train, held_out=held)
        require_value(f"the share of {n} fakes nearer to training rows{kind}", observed, right, 1e-6, suspects)


def _least(row: list[float], others: Tensor) -> float:
    return min(math.dist(row, other) for other in others.tolist())


def _mean(row: list[float], others: Tensor) -> float:
    return sum(math.dist(row, other) for other in others.tolist()) / len(others)
