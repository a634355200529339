"""Which of several slips an answer shows."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor


def draw(*shape: int, seed: int) -> Tensor:
    """Standard normal float32 draws, as the lessons use them."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def within(expected: Tensor, share: float = 1e-4) -> Tensor:
    """The tolerance share · (1 + |expected|), entry by entry."""
    return share * (1 + expected.abs())


def fitting(observed: Tensor, slips: Mapping[str, Iterable[Tensor]], share: float = 1e-4) -> dict[str, Tensor]:
    """Of each cause the value, if any, that is what was observed."""
    return {
        cause: value
        for cause, values in slips.items()
        for value in values
        if value.shape == observed.shape and value.isfinite().all() and _near(observed, value, share)
    }


def _near(observed: Tensor, value: Tensor, share: float) -> bool:
    return bool(((observed - value).abs() <= within(value, share)).all())


def pooled(expected: Tensor) -> list[Tensor]:
    """What a slip of the batch axis makes of `expected`: the first row, the mean or the sum of all rows for each."""
    options = (expected[:1], expected.mean(0, keepdim=True), expected.sum(0, keepdim=True))
    return [option.expand_as(expected) for option in options]
