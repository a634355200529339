"""Whether a model knows its training rows by heart: nearest neighbours, which copies that moved a pixel escape."""

from typing import NamedTuple

import torch
from torch import Tensor


class OneNearest(NamedTuple):
    """The share of fakes, and of data, whose nearest other row is of their own kind: ½ each where none can tell."""

    fakes: float
    data: float


def nearest_share(fake: Tensor, train: Tensor, held_out: Tensor) -> float:
    """The share of fakes that lie nearer to a training row than to any of as many held-out rows; ties count half.

    ½ under honest sampling, with a standard error of 0.5/√n; 1 for copies. Rows of any shape, Euclidean. Raises
    ValueError for sets of unequal sizes, which have another share than ½, for none, and for shapes that differ.
    Equation: comparison-nearest-share.
    """
    fake, train, held_out = (t.detach().double().flatten(1) for t in (fake, train, held_out))
    if len(train) != len(held_out) or not len(fake) or not len(train):
        said = f"got {len(train)} and {len(held_out)} rows, {len(fake)} fakes, expected as many rows of both"
        raise ValueError(f"train, held_out: {said}")
    if not fake.shape[1] == train.shape[1] == held_out.shape[1]:
        raise ValueError(f"fake, train, held_out: got rows of {fake.shape[1]}, {train.shape[1]}, {held_out.shape[1]}")
    near, far = (_nearest(fake, rows) for rows in (train, held_out))
    return ((near < far).double() + 0.5 * (near == far).double()).mean().item()


def one_nearest(real: Tensor, fake: Tensor) -> OneNearest:
    """Leave-one-out accuracy of the nearest neighbour in telling fakes from data, for each side apart.

    (n − 1)/(2n − 1) on both sides where fakes are data. Exact copies make both 0, noisy copies that of the fakes. The
    mean of the two hides a fault where one is above ½ and the other below. Rows of any shape, as many of both. Raises
    ValueError for other counts. Lopez-Paz and Oquab 2017, section 3.
    """
    real, fake = (t.detach().double().flatten(1) for t in (real, fake))
    if len(real) != len(fake) or len(real) < 2 or real.shape[1] != fake.shape[1]:
        raise ValueError(f"real, fake: got {tuple(real.shape)} and {tuple(fake.shape)}, expected as many rows of both")
    among_fakes, among_data = _nearest(fake, fake, itself=True), _nearest(real, real, itself=True)
    across = torch.cdist(fake, real)
    fakes = (among_fakes < across.min(1).values).double() + 0.5 * (among_fakes == across.min(1).values).double()
    data = (among_data < across.min(0).values).double() + 0.5 * (among_data == across.min(0).values).double()
    return OneNearest(fakes.mean().item(), data.mean().item())


def _nearest(rows: Tensor, others: Tensor, itself: bool = False) -> Tensor:
    """Each row's distance to the nearest of the others; to the nearest but itself where they are the same."""
    return torch.cat([torch.cdist(part, others).kthvalue(2 if itself else 1).values for part in rows.split(1000)])
