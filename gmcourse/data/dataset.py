"""The record that `load` returns, the entry that describes a set before it is loaded, and how rows are split."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from gmcourse.protocols import Density

SPLITS = ("train", "valid", "test")


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """One data set, split in three, in memory.

    train, valid, test: (n, *event_shape); a text is one stream, (n,) codes, with event_shape ().
    labels: None, or for each split what a conditional model is given: classes, targets, the other half of a pair.
    density, entropy: for toys, the exact `Density` and its entropy, nats (differential, of codes Shannon's): the best
        possible NLL.
    alphabet: for text, the symbol of code i is `alphabet[i]`: a character of a string, or a word of a tuple.
    scale, shift: of a table, (columns,): x · scale + shift is in the units of its source.
    Raises ValueError where splits or labels do not agree in shape, type or number. `from_tensors` fills in the rest.
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
    alphabet: str | tuple[str, ...] | None = None
    scale: Tensor | None = None
    shift: Tensor | None = None

    def __post_init__(self):
        for split in SPLITS:
            rows = getattr(self, split)
            if tuple(rows.shape[1:]) != tuple(self.event_shape) or not rows.dim() or rows.dtype != self.train.dtype:
                raise ValueError(
                    f"{split}: got shape {tuple(rows.shape)} and {rows.dtype}, "
                    f"expected (n, *{tuple(self.event_shape)}) and {self.train.dtype}"
                )
            if self.labels is not None and len(self.labels[split]) != len(rows):
                raise ValueError(f"labels: got {len(self.labels[split])} for {split}, expected {len(rows)}, one a row")

    @classmethod
    def from_tensors(
        cls,
        x: Tensor | tuple[Tensor, Tensor, Tensor],
        labels: Tensor | tuple[Tensor, Tensor, Tensor] | None = None,
        *,
        key: str = "own",
        name: str | None = None,
        seed: int = 0,
        licence: str = "not stated",
        source: str = "your own",
    ) -> "Dataset":
        """Your own tensor, (n, *event): split 80/10/10 in a random order that is a function of `seed` alone.

        A tuple of three tensors is train, valid and test as you split them; `labels` are given in the same way, and
        are kept as they are. Values are taken as they stand: float32 (float64 and half precision are converted to
        it), or int64 codes (other integers are converted, bool to float32). Raises ValueError for fewer than ten
        rows, splits that are empty or of different shapes or types, labels of another length, and values that are
        not finite.
        """
        split = partial(_in_three, seed=seed)
        rows = {part: _plain(part, t) for part, t in split("x", x).items()}
        given = None if labels is None else split("labels", labels)
        return cls(
            key,
            name or key,
            train=rows["train"],
            valid=rows["valid"],
            test=rows["test"],
            labels=given,
            event_shape=tuple(rows["train"].shape[1:]),
            licence=licence,
            source=source,
        )

    def batch(self, split: str, told: bool = False) -> tuple[Tensor, ...]:
        """The rows of a split, (x,), or with `told` (x, labels). Raises ValueError where there are no labels."""
        if told and self.labels is None:
            raise ValueError(f"data: {self.key} has no labels, which a conditional model must be given")
        return (getattr(self, split), self.labels[split]) if told and self.labels else (getattr(self, split),)

    def windows(self, length: int) -> "Dataset":
        """A stream cut into rows of `length` symbols, (n, length), in order; what is left over at the end is dropped.

        Raises ValueError for rows that are none of a stream, or where a split is shorter than one row.
        """
        least = min(len(getattr(self, split)) for split in SPLITS)
        if self.event_shape != () or not 1 <= length <= least:
            raise ValueError(f"length: got {length} for {self!r}, expected a stream, and 1 to {least} of its symbols")
        rows = {split: getattr(self, split) for split in SPLITS}
        cut = {split: t[: len(t) // length * length].view(-1, length) for split, t in rows.items()}
        return replace(self, **cut, labels=None, event_shape=(length,))

    def __repr__(self) -> str:
        rows = ", ".join(f"{split} {len(getattr(self, split)):,}" for split in SPLITS)
        dtype = str(self.train.dtype).removeprefix("torch.")
        return f"Dataset({self.key!r}: {rows}; event {self.event_shape} {dtype}; {self.licence})"


@dataclass(frozen=True)
class Entry:
    """What is known of a data set before it is loaded; `build(**options)` makes the other fields of `Dataset`.

    event_shape, dtype, rows (of train, valid, test): as `load(key)` gives them, without options; None where they are
    not known before (a file of your own; the length of a text that differs by Python's version).
    """

    key: str
    name: str
    kind: Literal["toy", "embedded", "download", "own"]
    build: Callable[..., dict]
    licence: str
    source: str
    event_shape: tuple[int, ...] | None = None
    dtype: torch.dtype | None = None
    rows: tuple[int, int, int] | None = None


def split_rows(rows: Tensor, order: Tensor, train: int, valid: int) -> dict[str, Tensor]:
    """Rows in the given order: the first `train`, the next `valid`, the rest for test."""
    picked = torch.split(rows[order], [train, valid, len(order) - train - valid])
    return dict(zip(SPLITS, picked, strict=True))


def shuffled(n: int, seed: int) -> Tensor:
    """A random order of n rows, the same for the same seed: (n,) int64."""
    return torch.randperm(n, generator=torch.Generator().manual_seed(seed))


def split_text(codes: Tensor) -> dict[str, Tensor]:
    """A stream by position: the first 90 % train, the next 5 % valid, the last 5 % test."""
    n = len(codes)
    return split_rows(codes, torch.arange(n), n * 90 // 100, n * 95 // 100 - n * 90 // 100)


def _in_three(name: str, given: Tensor | tuple[Tensor, ...], seed: int) -> dict[str, Tensor]:
    """Train, valid and test of a tensor, 80/10/10, or of the three that were given."""
    if isinstance(given, Tensor) and given.dim():
        n = len(given)
        if n < 10:
            raise ValueError(f"{name}: got {n} rows, expected at least 10 (split 80/10/10)")
        return split_rows(given, shuffled(n, seed), n * 8 // 10, n // 10)
    if isinstance(given, tuple) and len(given) == 3 and all(isinstance(t, Tensor) and t.dim() for t in given):
        return dict(zip(SPLITS, given, strict=True))
    kinds = [type(t).__name__ for t in given] if isinstance(given, (tuple, list)) else type(given).__name__
    raise TypeError(f"{name}: got {kinds}, expected a tensor (n, ...), or a tuple of three: train, valid, test")


def _plain(split: str, rows: Tensor) -> Tensor:
    """Rows as float32 or int64; ValueError where there are none, or one is not finite."""
    if not rows.numel():
        raise ValueError(f"{split}: got shape {tuple(rows.shape)}, expected at least one row and one value in it")
    if rows.is_complex():
        raise ValueError(f"{split}: got {rows.dtype}, expected real numbers or integer codes")
    rows = rows.detach().cpu()
    rows = rows.float() if rows.is_floating_point() or rows.dtype == torch.bool else rows.long()
    if not torch.isfinite(rows).all():
        bad = (~torch.isfinite(rows.flatten(1) if rows.dim() > 1 else rows[:, None])).any(1).nonzero()[0].item()
        raise ValueError(f"{split}: row {bad} holds NaN or infinity (or is too large for float32), expected numbers")
    return rows
