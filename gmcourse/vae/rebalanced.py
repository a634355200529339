"""Rows that are rare in the latent, drawn more often: a biased data set rebalanced without a label of its groups."""

import torch
from torch import Generator, Tensor


def bin_shares(codes: Tensor, bins: int = 10) -> Tensor:
    """Q̂_j(z_j): the share of all rows in the bin that this row's code j falls in, (n, L), of codes (n, L).

    Each column has `bins` bins of equal width from its least to its largest value.
    """
    if codes.dim() != 2 or not len(codes):
        raise ValueError(f"codes: got shape {tuple(codes.shape)}, expected (n, L), a code for each row")
    if bins < 1:
        raise ValueError(f"bins: got {bins}, expected at least one")
    low, high = codes.amin(0), codes.amax(0)
    width = torch.where(high > low, high - low, 1.0)
    place = ((codes - low) / width * bins).long().clamp(max=bins - 1)
    counts = torch.zeros(bins, codes.shape[1], dtype=codes.dtype, device=codes.device)
    counts.scatter_add_(0, place, torch.ones_like(codes))
    return counts.gather(0, place) / len(codes)


def rare_row_weights(codes: Tensor, bins: int = 10, smoothing: float = 0.1, largest: bool = False) -> Tensor:
    """W_i ∝ Π_j 1/(Q̂_j(z_ij) + α), (n,), summing to 1: how often each row is to be drawn; `codes` (n, L).

    α = `smoothing`: large, all rows alike; small, a few rare rows only. With `largest` a row has the largest factor
    alone in place of the product. Codes are posterior means, say.
    Equation: vae-rare-rows. Amini et al. 2019.
    """
    if not smoothing > 0:
        raise ValueError(f"smoothing: got {smoothing}, expected a positive share")
    log_factors = -(bin_shares(codes, bins) + smoothing).log()
    return (log_factors.amax(1) if largest else log_factors.sum(1)).softmax(0)


def effective_size(weights: Tensor) -> Tensor:
    """(Σ w)² / Σ w², a scalar: that many rows of equal weight would vary as much; from 1 to n, of weights (n,)."""
    if weights.dim() != 1 or not len(weights):
        raise ValueError(f"weights: got shape {tuple(weights.shape)}, expected (n,)")
    return weights.sum() ** 2 / (weights**2).sum()


def draw_rows(weights: Tensor, n: int, *, rng: Generator | None = None) -> Tensor:
    """n indices, (n,), int64, with replacement, each row as often as its weight says."""
    return torch.multinomial(weights, n, replacement=True, generator=rng)
