"""The record that `load` returns, the entry that describes a set before it is loaded, and how rows are split."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from gmcourse.protocols import Density


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """One data set, split in three, in memory.

    train, valid, test: (n, *event_shape); a text is one stream, (n,) codes, with event_shape ().
    labels: None, or for each split what a conditional model is given: classes, targets, the other half of a pair.
    density, entropy: for toys, the exact `Density` and its differential entropy, nats: the best possible NLL.
    alphabet: for text, the symbol of code i is `alphabet[i]`.
    """

    key: str
    name: str
    train: Tensor
    valid: Tensor
    test: Tensor
    labels: dict[str, Tensor] | None
    event_shape: tuple[int, ...]
    licence: str
    source: str
    density: Density | None = None
    entropy: float | None = None
    alphabet: str | None = None

    def __repr__(self) -> str:
        rows = ", ".join(f"{split} {len(getattr(self, split)):,}" for split in ("train", "valid", "test"))
        dtype = str(self.train.dtype).removeprefix("torch.")
        return f"Dataset({self.key!r}: {rows}; event {self.event_shape} {dtype}; {self.licence})"


@dataclass(frozen=True)
class Entry:
    """What is known of a data set before it is loaded; `build(**options)` makes the other fields of `Dataset`."""

    key: str
    name: str
    kind: Literal["toy", "embedded", "download"]
    build: Callable[..., dict]
    licence: str
    source: str


def split_rows(rows: Tensor, order: Tensor, train: int, valid: int) -> dict[str, Tensor]:
    """Rows in the given order: the first `train`, the next `valid`, the rest for test."""
    picked = torch.split(rows[order], [train, valid, len(order) - train - valid])
    return dict(zip(("train", "valid", "test"), picked, strict=True))


def shuffled(n: int, seed: int) -> Tensor:
    """A random order of n rows, the same for the same seed: (n,) int64."""
    return torch.randperm(n, generator=torch.Generator().manual_seed(seed))


def split_text(codes: Tensor) -> dict[str, Tensor]:
    """A stream by position: the first 90 % train, the next 5 % valid, the last 5 % test."""
    n = len(codes)
    return split_rows(codes, torch.arange(n), n * 90 // 100, n * 95 // 100 - n * 90 // 100)


def float_event_shape(data: Dataset | None, default: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of one example, `default` without data. Raises TypeError where the data are codes, not float values."""
    if data is None:
        return default
    if not data.train.is_floating_point():
        raise TypeError(f"data: {data.key} holds {data.train.dtype} codes, expected float values")
    return tuple(data.event_shape)
