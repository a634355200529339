"""What laws share: how near a careful float32 answer comes, and the slips of the batch axis."""

import random
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

Case = TypeVar("Case")

Level = Tensor | float
"""A noise level: one number, or one for each row."""


def draw(*shape: int, seed: int) -> Tensor:
    """Standard normal float32 draws, as the lessons use them."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float32)


def within(expected: Tensor, share: float = 1e-4) -> Tensor:
    """The tolerance share · (1 + |expected|), entry by entry."""
    return share * (1 + expected.abs())


def pooled(expected: Tensor) -> list[Tensor]:
    """What a slip of the batch axis makes of `expected`: the first row, the mean or the sum of all rows for each."""
    options = (expected[:1], expected.mean(0, keepdim=True), expected.sum(0, keepdim=True))
    return [option.expand_as(expected) for option in options]


def further(seed: int, case: Callable[[random.Random], Case]) -> list[Case]:
    """Cases beside the fixed ones of a law: none at seed 0, else two drawn by `case` from the seed."""
    rng = random.Random(seed)
    return [case(rng), case(rng)] if seed else []
