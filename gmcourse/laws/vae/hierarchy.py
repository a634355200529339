"""Laws of two levels of codes: lengths that add, and which level may hang on which."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, require_close, require_parts, require_shape, show_value
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
        expected = -sum(part.sum(1) for part in parts) / math.log(2)
        require_close(law, observed, torch.as_tensor(expected), within(torch.as_tensor(expected)), _length_slips(parts))


def _length_slips(parts: list[Tensor]) -> dict[str, list[Tensor]]:
    sums, means = ([f(part) for part in parts] for f in (lambda p: p.sum(1), lambda p: p.mean(1)))
    top, bottom, residual = sums
    count, bits = [part.shape[1] for part in parts], -1 / math.log(2)
    dims = [means[0] + means[1] + means[2], top + bottom + means[2], means[0] + means[1] + residual]
    right = (top + bottom + residual) * bits
    return {
        "spread": [-(top + bottom + residual), -(top + bottom) + residual * bits, (top + bottom) * bits - residual],
        "constant": [(count[1] * top + bottom + residual) * bits, (4 * top + bottom + residual) * bits],
        "sign": [-right],
        "reduction": [*(part * bits for part in dims), right / count[2], right / sum(count)],
        "dependence": [(top + bottom) * bits, residual * bits, (bottom + residual) * bits, (top + residual) * bits],
        "shape": pooled(right) if len(right) > 1 else [],
    }


def top_stands_first(
    candidate: Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]],
    x: Tensor,
    *,
    top: tuple[int, int],
    bottom: tuple[int, int],
    draws: int = 3,
    seed: int = 0,
) -> None:
    """candidate(x, top book, bottom book) → top codes and bottom codes: the top hangs on no bottom book, the bottom on
    both, each code is one of its own book, and each row's codes hang on that row alone.

    `top` and `bottom` are the shapes of the books, (V, d), with another V each, which tells one index from the other.
    """
    rng = torch.Generator().manual_seed(seed)
    books = [[torch.randn(shape, generator=rng).to(x) for _ in range(draws)] for shape in (top, bottom)]
    first = _codes(candidate, x, books[0][0], books[1][0])
    for level, codes, size in zip(("top", "bottom"), first, (top[0], bottom[0]), strict=True):
        if codes.min() < 0 or codes.max() >= size:
            raise LawBroken(f"a {level} code is one of {size}", show_value(codes.max()), f"at most {size - 1}", "shape")
        if len(codes.unique()) == 1:
            raise LawBroken(f"{level} codes differ from place to place", "one code for all", "several", "constant")
    by_bottom = [_codes(candidate, x, books[0][0], book) for book in books[1][1:]]
    by_top = [_codes(candidate, x, book, books[1][0]) for book in books[0][1:]]
    if any(not torch.equal(codes[0], first[0]) for codes in by_bottom):
        raise LawBroken("top codes hang on no bottom book", "other codes by another book", "the same", "direction")
    for law, cause, level, others in (
        ("bottom codes hang on the top codes", "dependence", 1, by_top),
        ("bottom codes hang on the bottom book", "constant", 1, by_bottom),
        ("top codes hang on the top book", "constant", 0, by_top),
    ):
        if all(torch.equal(codes[level], first[level]) for codes in others):
            raise LawBroken(law, "the same codes by another book", "others somewhere", cause)
    alone = [_codes(candidate, x[i : i + 1], books[0][0], books[1][0]) for i in range(len(x))]
    for level, codes in enumerate(first):
        if not torch.equal(torch.cat([pair[level] for pair in alone]), codes):
            raise LawBroken("codes hang on their own row", "others in another batch", "the same", "shape")


def _codes(candidate: Callable[..., object], x: Tensor, top: Tensor, bottom: Tensor) -> tuple[Tensor, Tensor]:
    law = "codes of both levels"
    pair = require_parts(law, ask(candidate, x=x, top_book=top, bottom_book=bottom), 2)
    shapes = [tuple(getattr(part, "shape", ())) for part in pair]
    one, two = (require_shape(law, part, shape) for part, shape in zip(pair, shapes, strict=True))
    if min(one.dim(), two.dim()) < 2 or one.numel() >= two.numel():
        raise LawBroken(law, f"shapes {shapes[0]} and {shapes[1]}", "fewer codes at the top", "shape")
    return one, two
