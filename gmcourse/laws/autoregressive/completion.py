"""A law of completing: known pixels stay, the others are drawn in turn from what stands before them."""

from collections.abc import Callable, Iterable
from functools import partial
from itertools import product

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, require_entries, require_shape

Logits = Callable[[Tensor], Tensor]
Complete = Callable[[Logits, Tensor, Tensor, Tensor], Tensor]

ROWS, COLUMNS = 3, 4


def completes_in_turn(candidate: Complete, *, seed: int = 0) -> None:
    """candidate(logits, x, known, u): known pixels of x, (batch, 1, H, W), stay, the others are drawn in raster order.

    A pixel is 1 where u ≥ P(0 | those before it), logits (batch, 2, 1, H, W). What x holds at the unknown pixels makes
    no difference.
    """
    rng = torch.Generator().manual_seed(seed)
    logits = _toy(rng)
    places = torch.arange(ROWS * COLUMNS).view(1, ROWS, COLUMNS)
    scattered = torch.tensor([[[1, 0, 0, 1], [0, 1, 0, 0], [1, 0, 0, 0]]]).bool()
    for name, known in (
        ("the upper rows known", places < COLUMNS * 2),
        ("nothing known", places < 0),
        ("the first pixels known", places < 6),
        ("pixels known here and there", scattered),
        ("all known", places >= 0),
    ):
        x, u = (torch.rand(8, 1, ROWS, COLUMNS, generator=rng) < 0.5).float(), torch.rand(8, 12, generator=rng)
        law = f"known pixels stay, the others are drawn in turn, {name}"

        def told(image: Tensor, law: str = law, known: Tensor = known, u: Tensor = u) -> Tensor:
            output = ask(candidate, logits=logits, x=image, known=known, u=u)
            return require_shape(law, output, tuple(image.shape)).detach().double()

        _require_images(law, told, x, _drawn(logits, x, known, u).double(), _slips(logits, x, known, u))
        if not torch.equal(told(torch.where(known, x, 1 - x)), told(x)):
            law = "what x holds at the unknown pixels makes no difference"
            raise LawBroken(law, "another image", "the same image", "dependence")


def _require_images(law: str, told: Logits, x: Tensor, expected: Tensor, slips: dict[str, list[Tensor]]) -> None:
    """told(x) is `expected`; where no slip fits, it may be noise, or no image of 0 and 1."""
    first, again = told(x), told(x)
    try:
        require_entries(law, first, expected, slips, ("image", "channel", "row", "column"))
    except LawBroken as broken:
        left = "" if torch.equal(again, first) else "randomness"
        left = left if ((first == 0) | (first == 1)).all() else "container"
        raise LawBroken(law, broken.observed, broken.expected, broken.cause or left, broken.case) from None


def _toy(rng: torch.Generator) -> Logits:
    """Logits of 0 and 1 that are linear in the pixels before, far enough from each other to tell orders apart."""
    weight = (1.2 * torch.randn(12, 12, generator=rng)).tril(-1)
    bias = 0.5 * torch.randn(12, generator=rng)

    def logits(x: Tensor) -> Tensor:
        ink = (x.float().reshape(len(x), -1) @ weight.T + bias).view(len(x), 1, ROWS, COLUMNS)
        return torch.stack([-ink / 2, ink / 2], 1)

    return logits


def _drawn(
    logits: Logits,
    x: Tensor,
    known: Tensor,
    u: Tensor,
    order: Iterable[tuple[int, int]] | None = None,
    rule: Callable[[Tensor, Tensor], Tensor] = lambda zero, u: u >= zero,
    begin: Tensor | None = None,
) -> Tensor:
    """Pixel by pixel in this order; `rule(P(0), u)` says whether there is ink. The unknown `begin` as 0."""
    done = torch.where(known, x, torch.zeros_like(x) if begin is None else begin)
    for r, c in order or product(range(ROWS), range(COLUMNS)):
        if not known[0, r, c]:
            two = logits(done)[:, :, 0, r, c].exp()
            done[:, 0, r, c] = rule(two[:, 0] / two.sum(1), u[:, COLUMNS * r + c]).float()
    return done


def _slips(logits: Logits, x: Tensor, known: Tensor, u: Tensor) -> dict[str, list[Tensor]]:
    """What the usual slips would give."""
    drawn, nothing, blank = partial(_drawn, logits, x), torch.zeros_like(known), torch.where(known, x, 0.0)
    in_one = [logits(image).softmax(1) for image in (x, blank)]
    dense, unknown = torch.zeros_like(u), ~known.flatten()
    dense[:, unknown] = u[:, : int(unknown.sum())]
    unlike = u[:, torch.tensor([ROWS * r + c for r in range(ROWS) for c in range(COLUMNS)])]
    rules = (lambda zero, u: u < zero, lambda zero, u: u < 1 - zero, lambda zero, u: u >= 1 - zero)
    alone = [lambda zero, u, of=of: u >= of(zero.logit() / 2) for of in (torch.sigmoid, lambda zero: zero, _batchwise)]
    slips = {
        "constant": [drawn(nothing, u)],
        "dependence": [torch.where(known, x, (u.view_as(x) >= p[:, 0]).float()) for p in in_one],
        "one-to-one": [drawn(known, u, rule=lambda zero, _: zero < 0.5)]
        + [torch.where(known, x, p.argmax(1).float()) for p in in_one],
        "sign": [drawn(known, u, rule=rule) for rule in (*rules, *alone)],
        "direction": [*_otherwise_ordered(logits, x, known, u), drawn(known, unlike)],
        "spread": [drawn(~known, u)],
        "reduction": [drawn(known, dense)],
        "log-mean": [torch.where(known, x, drawn(nothing, u)), _unseen(logits, x, known, u)],
        "shape": [drawn(known, u[:1].expand_as(u))]
        + [_drawn(lambda image: logits(image[:1]).expand(len(x), -1, -1, -1, -1), x, known, u)],
    }
    return {cause: [image.double() for image in images] for cause, images in slips.items()}


def _batchwise(zero: Tensor) -> Tensor:
    return zero.softmax(0)


def _unseen(logits: Logits, x: Tensor, known: Tensor, u: Tensor) -> Tensor:
    """The unknown pixels drawn in turn as if the known ones were 0, which are put in at the end."""
    drawn = torch.zeros_like(x)
    for r, c in product(range(ROWS), range(COLUMNS)):
        if not known[0, r, c]:
            drawn[:, 0, r, c] = (u[:, COLUMNS * r + c] >= logits(drawn)[:, :, 0, r, c].softmax(1)[:, 0]).float()
    return torch.where(known, x, drawn)


def _otherwise_ordered(logits: Logits, x: Tensor, known: Tensor, u: Tensor) -> list[Tensor]:
    """The pixels by columns or from the end, or their numbers, or both."""
    backwards = list(product(range(ROWS), range(COLUMNS)))[::-1]
    by_columns = [(r, c) for c in range(COLUMNS) for r in range(ROWS)]
    turned = u.view(-1, COLUMNS, ROWS).transpose(1, 2).reshape(u.shape)
    return [_drawn(logits, x, known, numbers) for numbers in (turned, u.flip(1))] + [
        _drawn(logits, x, known, numbers, order, begin=begin)
        for numbers in (u, turned, u.flip(1))
        for order in (by_columns, backwards)
        for begin in (x, None)
    ]
