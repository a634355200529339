"""For scale, beside a model's likelihood: what one Gaussian, or independent pixels, make of the same rows."""

import math

import torch
from torch import Tensor

MOST_DIMS = 1024  # of the Gaussian: beyond, its covariance takes longer than it tells
FEW = 20  # values or fewer: a coordinate that takes so many, or a tenth of the rows, is discrete
LOOKED_AT = 5_000  # rows, when coordinates are judged


def gaussian_nll(train: Tensor, x: Tensor) -> Tensor | None:
    """−log N(x; μ, Σ), (n,), nats, with mean and full covariance of train; None where Σ is singular or too large."""
    known, rows = (t.flatten(1).double() for t in (train, x))
    dims = known.shape[1]
    if dims > MOST_DIMS or len(known) <= dims:
        return None
    covariance = torch.atleast_2d(known.T.cov(correction=0))
    spread = torch.linalg.eigvalsh(covariance)
    if spread[0] <= 1e-9 * spread[-1]:
        return None
    root = torch.linalg.cholesky(covariance)
    z = torch.linalg.solve_triangular(root, (rows - known.mean(0)).T, upper=False)
    return 0.5 * z.square().sum(0) + root.diagonal().log().sum() + 0.5 * dims * math.log(2 * math.pi)


def independent_nll(train: Tensor, x: Tensor) -> Tensor:
    """−Σ_d log p_d(x_d), (n,), nats: for each coordinate the counts of its values in train, one added to each.

    The values are those that any coordinate takes in train or x.
    """
    known, rows = (t.reshape(len(t), t.shape[1:].numel()) for t in (train, x))
    values = torch.cat([known.unique(), rows.unique()]).unique()
    dims, column = known.shape[1], torch.arange(known.shape[1])
    codes, asked = (torch.searchsorted(values, t.contiguous()) + column * len(values) for t in (known, rows))
    counts = torch.bincount(codes.flatten(), minlength=dims * len(values)).double() + 1
    return -(counts[asked].log() - math.log(len(known) + len(values))).sum(1)


def discrete_coordinates(train: Tensor) -> int:
    """How many coordinates take at most 20 values, or a tenth of the rows: no density of theirs has an upper limit.

    Judged by the first 5,000 rows; of 40 rows or fewer, at most half.
    """
    rows = train[:LOOKED_AT].flatten(1).sort(0).values
    values = 1 + (rows.diff(dim=0) > 0).sum(0)
    return int((values <= max(len(rows) / 10, min(FEW, len(rows) / 2))).sum())
