"""The best linear autoencoder: the principal subspace, alternating least squares, and angles between subspaces."""

import torch
from torch import Tensor


def covariance(x: Tensor) -> Tensor:
    """S = E (x − m)(x − m)ᵀ of rows x (n, D), divided by n: (D, D)."""
    if x.dim() != 2 or not len(x):
        raise ValueError(f"x: got shape {tuple(x.shape)}, expected (n, D), n ≥ 1")
    return torch.cov(x.T, correction=0).reshape(x.shape[1], x.shape[1])


def principal_subspace(covariance: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Orthonormal eigenvectors (D, k) of the k largest eigenvalues, and all eigenvalues (D,), the largest first."""
    if not 1 <= k <= len(covariance):
        raise ValueError(f"k: got {k}, expected 1 to {len(covariance)} numbers")
    eigenvalues, vectors = torch.linalg.eigh(covariance)
    return vectors.flip(1)[:, :k], eigenvalues.flip(0).clamp(min=0)


def pca_error(eigenvalues: Tensor, k: int) -> Tensor:
    """Σ_{j>k} λ_j, the least mean squared error of k numbers and two linear maps; the largest eigenvalue first.

    Equation: autoencoders-tail.
    """
    return eigenvalues[k:].sum()


def alternate(covariance: Tensor, decoder: Tensor) -> Tensor:
    """One round of alternating least squares: the best encoder E = B⁺, then the best decoder SEᵀ(ESEᵀ)⁻¹, (D, k).

    Equation: autoencoders-alternating.
    """
    encoder = torch.linalg.pinv(decoder)
    carried = covariance @ encoder.T
    return torch.linalg.solve(encoder @ carried, carried, left=False)


def principal_angles(a: Tensor, b: Tensor) -> Tensor:
    """The angles between the column spaces of a and b, (D, k) each: (k,) radians, the smallest first.

    With orthonormal bases Q_a, Q_b: cosines are the singular values of Q_aᵀQ_b, sines those of (I − Q_aQ_aᵀ)Q_b, which
    keep their digits where angles are small. Björck & Golub 1973.
    Equation: autoencoders-angles.
    """
    if a.dim() != 2 or a.shape != b.shape or a.shape[1] > a.shape[0]:
        raise ValueError(f"a, b: got shapes {tuple(a.shape)} and {tuple(b.shape)}, expected (D, k) twice, k ≤ D")
    q_a, q_b = torch.linalg.qr(a)[0], torch.linalg.qr(b)[0]
    cosines = torch.linalg.svdvals(q_a.T @ q_b)
    sines = torch.linalg.svdvals(q_b - q_a @ (q_a.T @ q_b)).flip(0)
    return torch.atan2(sines, cosines)
