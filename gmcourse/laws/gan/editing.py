"""The law of a direction among styles that holds the class, by sorting each class by itself."""

from collections.abc import Callable

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import Slips, require_close, require_shape
from gmcourse.laws.rows import draw


def direction_holds_the_class(candidate: Callable[[Tensor, Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(w, values, classes) (W,): inside each class, mean w of the upper half of values − of the lower half.

    Then the mean over classes, weighted by their rows. w (n, W), values (n,), classes (n,); every class has an even
    number of rows, and no two values are the same. The oracle sorts each class by itself.
    """
    rng = torch.Generator().manual_seed(seed)
    counts = (6, 2, 8)
    classes = torch.cat([torch.full((count,), 2 * k) for k, count in enumerate(counts)])
    order = torch.randperm(len(classes), generator=rng)
    classes = classes[order]
    w = draw(len(classes), 3, seed=seed + 1) + 2.0 * classes[:, None] * torch.tensor([1.0, 0.0, -1.0])
    values = draw(len(classes), seed=seed + 2) + 1.5 * classes
    parts = [_half_gap(w[classes == c].double(), values[classes == c]) for c in (0, 2, 4)]
    weights = torch.tensor(counts, dtype=torch.float64) / sum(counts)
    expected = (weights[:, None] * torch.stack(parts)).sum(0)
    law = "upper half − lower half inside each class, weighted by the rows of the class"
    observed = require_shape(law, ask(candidate, w=w, values=values, classes=classes), (3,)).double()
    require_close(law, observed, expected, 1e-4, _direction_slips(w.double(), values, classes, torch.stack(parts)))


def _direction_slips(w: Tensor, values: Tensor, classes: Tensor, parts: Tensor) -> dict[str, Slips]:
    kinds = classes.unique()
    weights = torch.stack([(classes == c).double().mean() for c in kinds])
    right = weights @ parts

    def each(way: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        return weights @ torch.stack([way(w[classes == c], values[classes == c]) for c in kinds])

    def cut(rows: Tensor, upper: Tensor) -> Tensor:
        return rows[upper].mean(0) - rows[~upper].mean(0)

    def fifths(rows: Tensor, r: Tensor) -> Tensor:
        order, count = r.argsort(), max(1, len(r) // 5)
        return rows[order[-count:]].mean(0) - rows[order[:count]].mean(0)

    def late(r: Tensor) -> Tensor:
        return torch.arange(len(r)) >= len(r) // 2

    centred = w - torch.stack([w[classes == c].mean(0) for c in classes])
    return {
        "dependence": [_half_gap(w, values), _half_gap(centred, values)],
        "reduction": [parts.mean(0), parts.sum(0), len(w) * right, parts[-1], weights[-1] * parts[-1]]
        + [weights[:2] @ parts[:2]],
        "sign": -right,
        "spread": [right / 2, right / right.norm()],
        "one-to-one": each(lambda rows, r: cut(w[r.argsort()], late(r))),
        "constant": [each(fifths), each(lambda rows, r: cut(rows, r > r.mean()))],
        "direction": [each(lambda rows, r: cut(rows, late(r)[r.argsort()])), each(lambda rows, r: cut(rows, late(r)))],
    }


def _half_gap(w: Tensor, values: Tensor) -> Tensor:
    """Mean w of the half with the larger values − that of the other."""
    pairs = sorted(zip(values.tolist(), w.tolist(), strict=True))
    half = len(pairs) // 2
    low, high = (torch.tensor([row for _, row in part], dtype=w.dtype) for part in (pairs[:half], pairs[half:]))
    return high.mean(0) - low.mean(0)
