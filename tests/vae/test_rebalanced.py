"""Rows drawn by how rare their codes are."""

import pytest
import torch

from gmcourse.vae.rebalanced import bin_shares, draw_rows, effective_size, rare_row_weights


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def codes(n=400):
    """Two latents; one row in twenty has its own place in the first."""
    z = torch.randn(n, 2, generator=seeded())
    rare = torch.arange(n) % 20 == 0
    z[rare, 0] += 8
    return z, rare


def test_shares_are_those_of_bins():
    z = torch.tensor([[0.0, 5.0], [0.1, 5.0], [1.0, 5.0], [0.4, 5.0]])
    assert bin_shares(z, 2).tolist() == [[0.75, 1.0], [0.75, 1.0], [0.25, 1.0], [0.75, 1.0]]


def test_rare_rows_are_drawn_more_often():
    z, rare = codes()
    weights = rare_row_weights(z, smoothing=0.02)
    assert weights.sum().item() == pytest.approx(1, abs=1e-5)
    share = weights[rare].sum().item()
    assert share > 0.2
    rows = draw_rows(weights, 20_000, rng=seeded())
    assert rare[rows].float().mean().item() == pytest.approx(share, abs=0.015)


def test_alpha_is_the_dial():
    z, _ = codes()
    sizes = [effective_size(rare_row_weights(z, smoothing=a)).item() for a in (0.001, 0.01, 0.1, 1.0, 100.0)]
    assert sizes == sorted(sizes)
    assert sizes[-1] == pytest.approx(len(z), rel=1e-3)
    assert effective_size(rare_row_weights(z, smoothing=0.01, largest=True)) > sizes[1]


def test_many_latents_leave_few_rows():
    z = torch.randn(1000, 20, generator=seeded())
    assert effective_size(rare_row_weights(z, smoothing=0.001)) < 20


def test_what_it_refuses():
    with pytest.raises(ValueError, match="codes: got shape"):
        bin_shares(torch.ones(3))
    with pytest.raises(ValueError, match="bins: got 0"):
        bin_shares(torch.ones(3, 1), 0)
    with pytest.raises(ValueError, match="smoothing: got 0"):
        rare_row_weights(torch.ones(3, 1), smoothing=0.0)
    with pytest.raises(ValueError, match="weights: got shape"):
        effective_size(torch.ones(3, 1))
