"""Pairs made of pictures: what is given, and what it is to become. All are (batch, channel, H, W) in [0, 1]."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d

from gmcourse.record import Examples

INKS = ((0.95, 0.15, 0.1), (0.1, 0.2, 0.95))
"""Red and blue, as (r, g, b)."""


def edges(x: Tensor) -> Tensor:
    """The outline: the maximum of the 3 × 3 pixels around each, less the picture."""
    return max_pool2d(x, 3, stride=1, padding=1) - x


def coarse(x: Tensor, size: int = 2) -> Tensor:
    """The mean of each block of size × size pixels, in all of its pixels: a projection, which nothing inverts."""
    return interpolate(avg_pool2d(x, size), scale_factor=size, mode="nearest")


def inside_blocks(x: Tensor, size: int = 2) -> Tensor:
    """x − coarse(x): what x has inside its blocks, and 0 where x is the same all over each block."""
    return x - coarse(x, size)


def inked(x: Tensor, coin: Tensor) -> Tensor:
    """Grey (batch, 1, H, W) → (batch, 3, H, W): the ink in red where `coin`, (batch,) bool, is true, else in blue."""
    red, blue = (torch.tensor(ink, dtype=x.dtype, device=x.device) for ink in INKS)
    return x * torch.where(coin[:, None], red, blue)[:, :, None, None]


def redness(x: Tensor) -> Tensor:
    """k = Σ (r − b) / Σ (r + b) over the pixels of each picture, (batch, 3, H, W) → (batch,); 0 of a black one.

    Equation: gan-redness.
    """
    red, blue = x[:, 0].flatten(1).sum(1), x[:, 2].flatten(1).sum(1)
    return (red - blue) / (red + blue).clamp(min=1e-6)


def striped(x: Tensor, phase: Tensor, period: int = 4) -> Tensor:
    """Grey x under diagonal stripes, half of each period dark; `phase`, (batch,) in 0..period − 1, moves them."""
    rows, columns = (torch.arange(side, device=x.device) for side in x.shape[-2:])
    lit = (rows[:, None] + columns + phase[:, None, None]) % period < period / 2
    return x * lit[:, None].to(x.dtype)


def on_paper(x: Tensor) -> Tensor:
    """Grey (batch, 1, H, W) → (batch, 3, H, W): blue ink on yellow paper, affine in the ink, so it can be undone."""
    paper, ink = x.new_tensor((1.0, 0.9, 0.3)), x.new_tensor((0.1, 0.2, 0.7))
    return paper[:, None, None] + x * (ink - paper)[:, None, None]


class Split(NamedTuple):
    """Two disjoint halves of the rows: those of domain A, and those of domain B."""

    a: Tensor
    b: Tensor


def unpaired(x: Tensor, seed: int = 0) -> Split:
    """The rows of x in a random order, cut into two halves of one length, so that no row is in both.

    Raises ValueError for fewer than two rows.
    """
    if len(x) < 2:
        raise ValueError(f"x: got {len(x)} rows, expected at least 2, one for each half")
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    half = len(x) // 2
    return Split(x[order[:half]], x[order[half : 2 * half]])


def pictures_given(data: Examples, split: str) -> tuple[Tensor, Tensor]:
    """(x, given) of a data set: its labels where those are pictures of x's size, else the `edges` of x itself."""
    x, *labels = data.batch(split, told=_has_pictures(data))
    return x, labels[0] if labels else edges(x)


def pictures_apart(data: Examples, split: str) -> tuple[Tensor, Tensor]:
    """(x, given) as in `pictures_given`, of rows that belong to no pair: x of one half, given of the other."""
    x, given = pictures_given(data, split)
    rows = unpaired(torch.arange(len(x)))
    return x[rows.b], given[rows.a]


def _has_pictures(data: Examples) -> bool:
    labels = getattr(data, "labels", None)
    if labels is None:
        return False
    shape = labels["train"].shape
    return len(shape) == 4 and shape[1] in (1, 3) and tuple(shape[2:]) == tuple(data.event_shape[1:])
