"""What models of bits share: the order in which they are said, the draw of one, and the data that they take."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from gmcourse.autoregressive.discrete import levels_of, require_levels
from gmcourse.probability import mean_logits
from gmcourse.record import Examples


def places_of(order: Sequence[int] | None, dims: int) -> Tensor:
    """The place of each entry of `x.flatten(1)`, 0 first, (dims,) int64; None: as they come. ValueError for others."""
    places = list(range(dims)) if order is None else [int(place) for place in order]
    if sorted(places) != list(range(dims)):
        raise ValueError(f"order: got {places}, expected the places 0..{dims - 1} of the entries, each once")
    return torch.tensor(places)


def draw_bit(logit: Tensor, u: Tensor) -> Tensor:
    """1 where u ≥ 1 − σ(l), else 0, both (batch,): what `choose` gives for the logits (0, l)."""
    return (u >= (-logit).sigmoid()).to(logit.dtype)


def require_bits(x: Tensor, event_shape: tuple[int, ...]) -> None:
    """Raise ValueError unless x is (batch, *event) of zeros and ones."""
    if tuple(x.shape[1:]) != event_shape:
        raise ValueError(f"x: got shape {tuple(x.shape)}, expected (batch, {', '.join(map(str, event_shape))})")
    require_levels(x, 2)


def bits_of(data: Examples | None, default: tuple[int, ...] = (1, 8, 8)) -> tuple[tuple[int, ...], Tensor]:
    """The shape of one example and the logits of its entries' means; without data, `default` and even coins.

    Raises ValueError where the data hold anything but zeros and ones.
    """
    if data is None:
        return default, torch.zeros(math.prod(default))
    if (levels := levels_of(data)) != 2:
        raise ValueError(f"data: {data.key} holds {levels} levels, expected two, 0 and 1")
    return tuple(data.event_shape), mean_logits(data.train)
