"""Harder and harder pictures: two classes of digits, all ten, four digits at once; and the simplest models of each."""

from collections.abc import Callable
from functools import cache

import torch
from torch import Generator, Tensor

from gmcourse.comparison.discrete import quantised
from gmcourse.data import Dataset, load

ROWS = 4_000  # training pictures of four digits; there are 10,000 kinds of them


@cache
def rung(name: str) -> Dataset:
    """The pictures of a rung of the ladder: "two-classes" (0 and 1), "digits", or "four-digits" (16 × 16).

    Raises ValueError for another name.
    """
    if name not in RUNGS:
        raise ValueError(f"rung: got {name!r}, expected one of {', '.join(RUNGS)}")
    return RUNGS[name](load("digits"))


def pieces(images: Tensor) -> Tensor:
    """Pictures of 8 × 8: those given, or the four quarters of each, (n, 1, 8, 8)."""
    return images.unfold(2, 8, 8).unfold(3, 8, 8).permute(0, 2, 3, 1, 4, 5).flatten(0, 2)


def train_again(train: Tensor, n: int, rng: Generator) -> Tensor:
    """Rows of train: a model that has learned them by heart. Its numbers are the floor of all."""
    return train[torch.randperm(len(train), generator=rng)[:n]]


def independent_pixels(train: Tensor, n: int, rng: Generator) -> Tensor:
    """Each pixel from a row of train of its own: the histogram of every pixel, and nothing between them."""
    rows = torch.randint(len(train), (n, train[0].numel()), generator=rng)
    return train.flatten(1).gather(0, rows).view(n, *train.shape[1:])


def one_gaussian(train: Tensor, n: int, rng: Generator) -> Tensor:
    """Samples of the Gaussian with the mean and covariance of train, brought to the nearest level."""
    x = train.flatten(1).double()
    values, vectors = torch.linalg.eigh(x.T.cov())
    noise = torch.randn(n, len(values), generator=rng, dtype=torch.float64)
    return quantised((x.mean(0) + (noise * values.clamp(min=0).sqrt()) @ vectors.T).float().view(n, *train.shape[1:]))


def _two_classes(digits: Dataset) -> Dataset:
    def kept(part: str) -> Tensor:
        x, labels = digits.batch(part, told=True)
        return x[labels <= 1]

    return Dataset.from_tensors((kept("train"), kept("valid"), kept("test")))


def _four_digits(digits: Dataset) -> Dataset:
    """Each quarter a digit of the same split, drawn anew."""
    rng = torch.Generator().manual_seed(0)

    def drawn(x: Tensor, n: int) -> Tensor:
        quarters = x[torch.randint(len(x), (n, 2, 2), generator=rng)]  # (n, row, column, 1, 8, 8)
        return quarters.permute(0, 3, 1, 4, 2, 5).reshape(n, 1, 16, 16)

    return Dataset.from_tensors((drawn(digits.train, ROWS), drawn(digits.valid, 180), drawn(digits.test, 360)))


RUNGS: dict[str, Callable[[Dataset], Dataset]] = {
    "two-classes": _two_classes,
    "digits": lambda digits: digits,
    "four-digits": _four_digits,
}
BASELINES: dict[str, Callable[[Tensor, int, Generator], Tensor]] = {
    "rows of train": train_again,
    "independent pixels": independent_pixels,
    "one Gaussian": one_gaussian,
}
