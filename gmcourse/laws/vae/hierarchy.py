"""Laws of two levels of codes: lengths that add, and which level may hang on which."""

import math
from collections.abc import Callable
from itertools import product

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, require_close, require_parts, require_shape
from gmcourse.laws.rows import draw, pooled, within


def lengths_add(candidate: Callable[[Tensor, Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(top, bottom, residual) = −(Σ top + Σ bottom + Σ residual) / ln 2, (batch,), bits.

    They are log-probabilities, nats: of each top code (batch, T), of each bottom code after the top ones (batch, 4 T),
    and of each value of x after both (batch, *event). No two of the three have as many entries.
    """
    for batch, places, event in ((4, 3, (1, 5, 4)), (3, 3, (2, 9)), (1, 2, (1, 3, 3)), (2, 5, (1, 6, 6))):
        top = -draw(batch, places, seed=seed).abs() - 0.2
        bottom = -2 * draw(batch, 4 * places, seed=seed + 1).abs() - 0.1
        residual = draw(batch, *event, seed=seed + 2) - 0.7
        law = f"bits of {places} top codes, {4 * places} bottom codes and {math.prod(event)} values"
        output = ask(candidate, top=top, bottom=bottom, residual=residual)
        observed = require_shape(law, output, (batch,)).detach().double()
        parts = [part.double().flatten(1) for part in (top, bottom, residual)]
        expected = -torch.stack([part.sum(1) for part in parts]).sum(0) / math.log(2)
        require_close(law, observed, expected, within(expected), _length_slips(parts))


def _length_slips(parts: list[Tensor]) -> dict[str, list[Tensor]]:
    sums, means = ([f(part) for part in parts] for f in (lambda p: p.sum(1), lambda p: p.mean(1)))
    top, bottom, residual = sums
    count, bits = [part.shape[1] for part in parts], -1 / math.log(2)
    dims = [means[0] + means[1] + means[2], top + bottom + means[2], means[0] + means[1] + residual]
    right = (top + bottom + residual) * bits
    mixed = [top * a + bottom * b + residual * c for a, b, c in product((bits, -1.0), repeat=3)][1:]
    signs = [(top * a + bottom * b + residual * c) * bits for a, b, c in product((1, -1), repeat=3)][1:]
    logs = torch.stack([part.logsumexp(1) for part in parts])
    flows = [logs.exp().sum(0), logs.sum(0)]
    return {
        "spread": [*mixed, *(-(top + bottom + residual) * by for by in (math.log(2), 1 / math.log(10), 0.5))],
        "constant": [(count[1] * top + bottom + residual) * bits, (4 * top + bottom + residual) * bits],
        "sign": [*signs, (top + bottom - residual.abs()) * bits, (top + bottom - parts[2].abs().sum(1)) * bits],
        "log-mean": [*flows, *(flow * bits for flow in flows), top * bottom * residual * bits],
        "reduction": [
            *(part * bits for part in dims),
            *(right / by for by in (3, count[2], sum(count), count[0] + count[1])),
        ],
        "dependence": [(top + bottom) * bits, residual * bits, (bottom + residual) * bits, (top + residual) * bits],
        "shape": pooled(right) if len(right) > 1 else [],
    }


def top_stands_first(
    candidate: Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]],
    x: Tensor,
    *,
    top: tuple[int, int],
    bottom: tuple[int, int],
    places: tuple[tuple[int, ...], tuple[int, ...]],
    draws: int = 3,
    seed: int = 0,
) -> None:
    """candidate(x, top book, bottom book) → top codes and bottom codes, (batch, *places): the top hangs on no bottom
    book, the bottom on both, each code is one of its own book, and each row's codes hang on that row alone.

    `top` and `bottom` are the shapes of the books, (V, d), with another V each, which tells one index from the other.
    """
    rng = torch.Generator().manual_seed(seed)
    books = [[torch.randn(shape, generator=rng).to(x) for _ in range(draws)] for shape in (top, bottom)]

    def codes_of(x: Tensor, upper: int = 0, lower: int = 0) -> list[Tensor]:
        law = "codes of both levels"
        output = ask(candidate, x=x, top_book=books[0][upper], bottom_book=books[1][lower])
        pair = zip(require_parts(law, output, 2), places, strict=True)
        return [require_shape(law, codes, (len(x), *level)) for codes, level in pair]

    first = codes_of(x)
    _are_codes(first, (top[0], bottom[0]))
    by_bottom, by_top = ([codes_of(x, *at) for at in ats] for ats in _others(draws))
    if any(not torch.equal(codes[0], first[0]) for codes in by_bottom):
        raise LawBroken("top codes hang on no bottom book", "other codes by another book", "the same", "direction")
    for law, cause, level, others in (
        ("bottom codes hang on the top codes", "dependence", 1, by_top),
        ("bottom codes hang on the bottom book", "constant", 1, by_bottom),
        ("top codes hang on the top book", "constant", 0, by_top),
    ):
        if all(torch.equal(codes[level], first[level]) for codes in others):
            raise LawBroken(law, "the same codes by another book", "others somewhere", cause)
    alone = [codes_of(x[i : i + 1]) for i in range(len(x))]
    if not all(torch.equal(torch.cat([pair[level] for pair in alone]), first[level]) for level in (0, 1)):
        raise LawBroken("codes hang on their own row", "others in another batch", "the same", "shape")


def _others(draws: int) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Which books are used: another bottom one with the first top one, then the other way round."""
    return [(0, k) for k in range(1, draws)], [(k, 0) for k in range(1, draws)]


def _are_codes(levels: list[Tensor], sizes: tuple[int, int]) -> None:
    for level, codes, size in zip(("top", "bottom"), levels, sizes, strict=True):
        if codes.min() < 0 or codes.max() >= size:
            seen = f"{int(codes.min())} to {int(codes.max())}"
            raise LawBroken(f"a {level} code is one of {size}", seen, f"0 to {size - 1}", "shape")
        if len(codes.unique()) == 1:
            raise LawBroken(f"{level} codes differ from place to place", "one code for all", "several", "constant")
