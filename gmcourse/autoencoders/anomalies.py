"""Scores of strangeness that need no network: each is fitted to normal rows alone and is larger for stranger rows."""

import torch
from torch import Tensor


def subspace_error(train: Tensor, x: Tensor, k: int) -> Tensor:
    """‖(I − P)(x − m)‖², (n,): the squared distance to the plane of the k first principal components of `train`.

    Rows of any shape. Equation: autoencoders-subspace-error.
    """
    rows, x = _centred(train, x)
    if not 0 < k <= min(rows.shape):
        raise ValueError(f"k: got {k}, expected 1 to {min(rows.shape)}, the rank that {tuple(rows.shape)} may have")
    axes = torch.linalg.svd(rows, full_matrices=False)[2][:k]
    return (x - x @ axes.T @ axes).square().sum(1)


def mahalanobis(train: Tensor, x: Tensor, ridge: float = 0.01) -> Tensor:
    """(x − m)ᵀ (S + ridge · I)⁻¹ (x − m), (n,): with mean m and covariance S of `train`, rows of any shape.

    Without a ridge, S has no inverse where columns of `train` depend on each other: torch's LinAlgError.
    Equation: autoencoders-mahalanobis.
    """
    if not ridge >= 0:
        raise ValueError(f"ridge: got {ridge}, expected at least 0")
    rows, x = _centred(train, x)
    covariance = rows.T @ rows / len(rows) + ridge * torch.eye(rows.shape[1]).to(rows)
    return (x * torch.linalg.solve(covariance, x.T).T).sum(1)


def standardised_length(train: Tensor, x: Tensor) -> Tensor:
    """Σ_d (x_d − m_d)²/s_d², (n,), with mean and standard deviation of `train`; constant entries are left out."""
    rows, x = _centred(train, x)
    variance = rows.square().mean(0)
    varies = variance > 0
    return (x[:, varies].square() / variance[varies]).sum(1)


def _centred(train: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """Rows of both, float64, less the mean of `train`."""
    if not len(train) or x.shape[1:].numel() != train.shape[1:].numel():
        came = f"{tuple(train.shape)} and {tuple(x.shape)}"
        raise ValueError(f"train, x: got shapes {came}, expected (m, *event) and (n, *event), m ≥ 1, of equal size")
    rows, x = (t.detach().double().flatten(1) for t in (train, x))
    return rows - rows.mean(0), x - rows.mean(0)
