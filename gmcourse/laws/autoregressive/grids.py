"""Laws of maps of pixels: diagonals that become columns, two directions that are joined, pixels that are missed."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import require_close, require_shape, require_value
from gmcourse.laws.rows import draw

SHAPES = ((2, 3, 3, 4), (3, 2, 5, 3), (2, 2, 4, 4), (2, 1, 1, 3), (1, 2, 3, 1))  # batch, C, H, W
Place = tuple[int, int]


def _moved(x: Tensor, column: Callable[[int, int], int], wide: int) -> Tensor:
    """A map of `wide` columns: the pixel (r, c) of x at row r, column(r, c), if there is one, and 0 elsewhere."""
    moved = x.new_zeros(*x.shape[:-1], wide)
    for r in range(x.shape[-2]):
        for c in range(x.shape[-1]):
            if 0 <= column(r, c) < wide:
                moved[..., r, column(r, c)] = x[..., r, c]
    return moved


def diagonals_become_columns(candidate: Callable[[Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(x), (batch, C, H, W) → (batch, C, H, H + W − 1), has (r, c) at column r + c, and 0 elsewhere."""
    for i, shape in enumerate(SHAPES):
        noise = draw(*shape, seed=seed + i)
        x = noise + noise.sign()
        height, width = shape[2:]
        wide = height + width - 1
        size = f"a map of {height} × {width}"
        output = ask(candidate, x=x)
        observed = require_shape(f"{wide} columns: {size}", output, (*shape[:3], wide)).double()
        law = f"(r, c) stands at column r + c, zeros elsewhere: {size}"
        expected = _moved(x.double(), lambda r, c: r + c, wide)
        _require_rows(law, observed, expected, _other_skews(x.double(), wide), {"row of x": x})


def _other_skews(x: Tensor, wide: int) -> dict[str, list[Tensor]]:
    """What the usual slips would give in the place of the skewed map."""
    last = x.shape[2] - 1
    padded = _moved(x, lambda r, c: c, wide)
    rolled = [torch.stack([row.roll(r, -1) for r, row in enumerate(m.unbind(-2))], -2) for m in (x, padded)]
    return {
        "direction": [
            _moved(x, lambda r, c: last - r + c, wide),
            _moved(x, lambda r, c: c - r, wide),
            rolled[1].flip(-2),
            *(_moved(x.flip(axis), lambda r, c: r + c, wide) for axis in (2, 3)),
        ],
        "dependence": [_moved(rolled[0], lambda r, c: c, wide)],
        "constant": [
            padded,
            *(_moved(x, column, wide) for column in (lambda r, c: last + c, lambda r, c: min(r, 1) + c)),
        ],
        "spread": [
            _moved(x, lambda r, c: 2 * r + c, wide),
            *(_moved(x, lambda r, c, by=by: r + c + by, wide) for by in (1, -1)),
            _moved(x, lambda r, c: (r + c + 1) % wide, wide),
        ],
    }


def rows_come_back(candidate: Callable[[Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(s), (batch, C, H, H + W − 1) → (batch, C, H, W), has at (r, c) what s has at row r, column r + c.

    What stands in the other columns of s is not 0 there, as in a map of states.
    """
    for i, shape in enumerate(SHAPES):
        height, width = shape[2:]
        s = draw(*shape[:3], height + width - 1, seed=seed + i)
        size = f"a map of {height} × {width}"
        observed = require_shape(f"{width} columns: {size}", ask(candidate, skewed=s), shape).double()

        def taken(column: Callable[[int, int], int], s: Tensor = s, shape: tuple[int, ...] = shape) -> Tensor:
            """The map whose (r, c) is s at column(r, c), around the edge where there is no such column."""
            grid = torch.tensor([[column(r, c) for c in range(shape[3])] for r in range(shape[2])])
            return s.double().gather(3, (grid % s.shape[3]).expand(shape))

        suspects = {
            "spread": [taken(lambda r, c: r + c + 1), taken(lambda r, c: r + c - 1), taken(lambda r, c: 2 * r + c)],
            "direction": [
                taken(lambda r, c, last=height - 1: last - r + c),
                taken(lambda r, c: c - r),
                taken(lambda r, c: c - r - 1),
                taken(lambda r, c: r + c).flip(2),
            ],
            "constant": [taken(lambda r, c, by=by: by + c) for by in (0, 1, height - 1)],
        }
        law = f"(r, c) is what stood at column r + c: {size}"
        _require_rows(law, observed, taken(lambda r, c: r + c), suspects, {"row of the map": s})


def own_row_is_seen_from_the_left(candidate: Callable[[Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(left, right), all (batch, h, H, W), is at row r the left map's row r plus the right map's row r − 1."""
    for i, shape in enumerate(SHAPES):
        left, right = draw(*shape, seed=seed + 2 * i), draw(*shape, seed=seed + 2 * i + 1)
        law = "a map of the same size"
        observed = require_shape(law, ask(candidate, left=left, right=right), shape).double()
        a, b = left.double(), right.double()
        suspects = {
            "dependence": [a + b, a + b.roll(1, 2), a + torch.cat([b[:, :, :1], b[:, :, :-1]], 2)],
            "direction": [a + _shifted(b, -1), _shifted(a, 1) + b, a + b.roll(-1, 2), *_by_columns(a, b)],
            "spread": [_shifted(a + b, 1), (a + b).roll(1, 2), a + _shifted(b, 2)],
            "sign": [a - _shifted(b, 1), _shifted(b, 1) - a],
            "constant": [a, _shifted(b, 1), b],
            "reduction": [(a + _shifted(b, 1)) / 2, torch.maximum(a, _shifted(b, 1))],
            "one-to-one": [a + _shifted(b, 1).flip(3)],
        }
        law = f"row r = left row r + right row r − 1: {shape[2]} × {shape[3]} pixels"
        _require_rows(law, observed, a + _shifted(b, 1), suspects, {"row of left": left, "row of right": right})


def _require_rows(law: str, observed: Tensor, expected: Tensor, suspects: dict[str, Any], given: dict) -> None:
    """The two maps are equal, and what is shown of a failure is the first row of an image that differs."""
    known = {cause: [slip.flatten(0, 2) for slip in slips] for cause, slips in suspects.items()}
    rows = {name: value.flatten(0, 2) for name, value in given.items()}
    require_close(law, observed.flatten(0, 2), expected.flatten(0, 2), 1e-6, known, rows)


def _by_columns(a: Tensor, b: Tensor) -> list[Tensor]:
    """The sums of which one map was moved by a column instead of a row, or by both."""
    moved = [move for n in (1, -1) for move in (_shifted(b.mT, n).mT, b.roll(n, 3), _shifted(_shifted(b, 1).mT, n).mT)]
    return [a + move for move in moved] + [_shifted(a.mT, n).mT + b for n in (1, -1)]


def _shifted(x: Tensor, rows: int) -> Tensor:
    """Down by `rows`, zeros coming in."""
    moved = torch.zeros_like(x)
    for r in range(x.shape[2]):
        if 0 <= r - rows < x.shape[2]:
            moved[:, :, r] = x[:, :, r - rows]
    return moved


def counts_what_row_lstm_misses(answer: object, *, size: int = 8, kernel: int = 3) -> None:
    """`answer` is how many pairs (a pixel, one before it) of size² the logits of a Row LSTM of one layer do not see.

    Found by walking from each logit to all that it is made of: its features and its state; of a state the features at
    its place and on its left, and the three states above; of features what mask A of `kernel` × `kernel` leaves.
    """
    _, missed, suspects = missed_by_row_lstm(size, kernel)
    law = f"pairs that one layer misses, {size} × {size}, {kernel} × {kernel} first"
    require_value(law, answer, float(missed), 0.5, suspects)


@cache
def missed_by_row_lstm(size: int, kernel: int) -> tuple[int, int, dict[str, Any]]:
    """All pairs, how many of them are missed, and what slips count."""
    seen = [_walked(size, kernel, r, c) for r in range(size) for c in range(size)]
    pairs = size**2 * (size**2 - 1) // 2
    count, share = sum(map(len, seen)), _missed_share(size + 1, kernel)
    own_row = sum(max(c - kernel // 2 - 1, 0) for c in range(size)) * size
    suspects = {
        "direction": float(count),
        "constant": float(pairs),
        "dependence": [_outside(size, own, left) for own in (1, 2) for left in (0, 1)],
        "one-to-one": float(pairs - sum(len(_walked(size, 7, r, c)) for r in range(size) for c in range(size))),
        "shape": [share * (size + 1) ** 2 * size * (size + 2) / 2, share * pairs, round(share, 2) * pairs],
        "spread": float(pairs - count - own_row),
        "reduction": ((pairs - count) / size**2, (pairs - count) / pairs, 100 * (pairs - count) / pairs),
    }
    return pairs, pairs - count, suspects


def _missed_share(size: int, kernel: int) -> float:
    """The share of the pairs of size² pixels that a Row LSTM of one layer does not see."""
    seen = sum(len(_walked(size, kernel, r, c)) for r in range(size) for c in range(size))
    return 1 - seen / (size**2 * (size**2 - 1) / 2)


def _walked(size: int, kernel: int, r: int, c: int) -> set[Place]:
    """The pixels that the logit at (r, c) is made of."""
    pixels, done = set(), set()
    ways = [("features", r, c), ("state", r, c)]
    while ways:
        node = ways.pop()
        if node in done:
            continue
        done.add(node)
        kind, i, j = node
        if kind == "features":
            pixels |= set(_mask_a(size, kernel, i, j))
            continue
        near = [("features", i, j), ("features", i, j - 1), *(("state", i - 1, j + step) for step in (-1, 0, 1))]
        ways += [way for way in near if way[1] >= 0 and 0 <= way[2] < size]
    return pixels


def _mask_a(size: int, kernel: int, r: int, c: int) -> Iterator[Place]:
    half = kernel // 2
    for i in range(max(r - half, 0), r + 1):
        for j in range(max(c - half, 0), min(c + half, size - 1) + 1):
            if (i, j) < (r, c):
                yield i, j


def _outside(size: int, own: int, left: int) -> float:
    """Pairs outside of a triangle: `own` pixels of the own row; a rows up the columns from c − a − left to c + a."""
    places = [(r, c) for r in range(size) for c in range(size)]
    inside = 0
    for r, c in places:
        for i, j in places:
            inside += c - own <= j < c if i == r else i < r and c - (r - i) - left <= j <= c + (r - i)
    return float(len(places) * (len(places) - 1) // 2 - inside)
