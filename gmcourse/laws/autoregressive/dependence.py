"""Laws of an order: what is said of a place hangs on the places before it, and on nothing else."""

from collections.abc import Callable, Sequence
from math import prod

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, require_shape, show_value

Logits = Callable[[Tensor], Tensor]


def raster(shape: tuple[int, ...]) -> list[int]:
    """The place of each entry of `x.flatten()`: rows, in a row pixels, in a pixel (C, H, W) its channels, in turn."""
    if len(shape) < 3:
        return list(range(prod(shape)))
    channels, height, width = shape
    return torch.arange(prod(shape)).view(height, width, channels).permute(2, 0, 1).flatten().tolist()


def is_autoregressive(
    candidate: Logits,
    *,
    shape: tuple[int, ...],
    order: Sequence[int] | None = None,
    levels: int | None = None,
    seed: int = 0,
) -> None:
    """∂ logit at place i / ∂ x at place j is 0, exactly, for place j ≥ place i, and for x of another row of the batch.

    `candidate` takes x, (batch, *shape), and returns (batch, *shape) or (batch, V, *shape). `order[d]` is the place of
    entry d of `x.flatten()` (default: raster order). With `levels` x holds codes, int64, and one after another is
    changed; else x is uniform on [0, 1) and the slopes are autograd's. Where no logit hangs on anything, as with
    weights that start at 0, nothing could be seen: that breaks the law too.
    """
    law = "a logit hangs on x at earlier places only"
    slopes = _slopes(candidate, shape, seed, levels)
    own, across = slopes.diagonal(dim1=0, dim2=2).amax(-1), _across(slopes)
    if across > 0:
        raise LawBroken(law, f"a slope {show_value(across)} from another row of the batch", "0", "shape")
    places = raster(shape) if order is None else list(order)
    if not (worst := _too_late(own, places)):
        if own.any() or len(places) == 1:
            return
        raise LawBroken("a logit hangs on some x before it", "no slope at all", "some, to be seen by", "constant")
    i, j, value = worst
    inverse = [places.index(d) for d in range(len(places))]
    backwards = any(not _too_late(own, other) for other in (inverse, [-place for place in places]))
    cause = "direction" if backwards else "dependence"
    raise LawBroken(law, f"slope {value:.4g} of the logit at place {i} in x at place {j}", "0", cause)


def sees(
    logits: Logits,
    shape: tuple[int, ...],
    place: int,
    *,
    order: Sequence[int] | None = None,
    levels: int | None = None,
    seed: int = 0,
) -> set[int]:
    """The places that the logits at `place` depend on, as `is_autoregressive` finds them."""
    return set(
        by_place(dependence(logits, shape, levels=levels, seed=seed), order or raster(shape))[place]
        .nonzero()
        .flatten()
        .tolist()
    )


def by_place(matrix: Tensor, order: Sequence[int]) -> Tensor:
    """A (D, D) matrix of entries brought into the order of their places: a triangle, where the law holds."""
    entry = torch.tensor(order).argsort()
    return matrix[entry][:, entry]


def dependence(logits: Logits, shape: tuple[int, ...], *, levels: int | None = None, seed: int = 0) -> Tensor:
    """(D, D), [d, e]: the largest slope of the logits of entry d of `x.flatten()` in entry e, over two draws of x."""
    return _slopes(logits, shape, seed, levels).diagonal(dim1=0, dim2=2).amax(-1)


def _across(slopes: Tensor) -> Tensor:
    """The largest slope from one row of the batch to another."""
    other = ~torch.eye(len(slopes), dtype=torch.bool)[:, None, :, None]
    return (slopes * other).max()


def _too_late(own: Tensor, places: Sequence[int]) -> tuple[int, int, float] | None:
    """The largest slope at place i from place j ≥ i, with i and j; None where there is none."""
    place = torch.tensor(places)
    late = own * (place[:, None] <= place[None, :])
    d, e = divmod(int(late.argmax()), len(place))
    return (int(place[d]), int(place[e]), float(late[d, e])) if late.any() else None


def _slopes(logits: Logits, shape: tuple[int, ...], seed: int, levels: int | None) -> Tensor:
    """[a, d, b, e]: the largest slope of the logits of row a, entry d, in row b, entry e; two rows of x."""
    rng = torch.Generator().manual_seed(seed)
    if levels is None:
        return _by_gradient(logits, torch.rand(2, *shape, generator=rng), rng)
    return _by_change(logits, torch.randint(levels, (2, *shape), generator=rng), levels)


def _by_gradient(logits: Logits, x: Tensor, rng: torch.Generator) -> Tensor:
    x.requires_grad_()
    output = _flat(ask(logits, x=x), x)
    output = output * (0.5 + torch.rand(output.shape[1], 1, generator=rng, dtype=output.dtype))  # so that none cancel
    slopes = torch.zeros(2, x[0].numel(), 2, x[0].numel(), dtype=output.dtype)
    if output.requires_grad:
        for a in range(2):
            for d in range(x[0].numel()):
                part = output[a, :, d].sum()
                (slope,) = torch.autograd.grad(part, x, retain_graph=True, materialize_grads=True)
                slopes[a, d] = slope.flatten(1).abs()
    return slopes


def _by_change(logits: Logits, x: Tensor, levels: int) -> Tensor:
    size = x[0].numel()
    slopes = torch.zeros(2, size, 2, size)
    with torch.no_grad():
        before = _flat(ask(logits, x=x), x)
        for b in range(2):
            for e in range(size):
                changed = x.clone()
                changed[b].view(-1)[e] = (changed[b].view(-1)[e] + 1) % levels
                slopes[:, :, b, e] = (_flat(logits(changed), x) - before).abs().amax(1)
    return slopes


def _flat(output: object, x: Tensor) -> Tensor:
    """The logits as (batch, V, D)."""
    axes = getattr(output, "shape", ())
    numbers = tuple(axes[1:2]) if len(axes) == x.dim() + 1 else ()
    logits = require_shape("logits for each place of each row", output, (len(x), *numbers, *x.shape[1:]))
    return logits.reshape(len(x), -1, x[0].numel())
