"""Shares: through a classifier and back, at a temperature, and by rejection, each by simulation."""

import pytest
import torch

from gmcourse.comparison.shares import acceptance, corrected_share, minority_recall, tempered_shares


def test_the_classifier_s_errors_are_taken_out():
    for share in (0.0, 0.1, 1.0):
        seen = share * 0.95 + (1 - share) * 0.02
        assert corrected_share(seen, 0.02, 0.95) == pytest.approx(share)
    for bad in ((0.1, 0.5, 0.5), (0.1, -0.1, 0.9), (1.1, 0.0, 1.0)):
        with pytest.raises(ValueError, match="rates: got"):
            corrected_share(*bad)


def test_a_low_temperature_takes_from_the_minority():
    shares = torch.tensor([0.9, 0.1], dtype=torch.float64)
    assert torch.allclose(tempered_shares(shares, 1.0), shares)
    for temperature, left in ((0.9, 0.0801), (0.7, 0.0415), (0.5, 0.0122)):
        found = tempered_shares(shares, temperature)
        assert found[1].item() == pytest.approx(left, abs=1e-4)
        assert found.sum().item() == pytest.approx(1)
    assert tempered_shares(torch.tensor([1.0, 0.0]), 0.5).tolist() == [1.0, 0.0]
    with pytest.raises(ValueError, match="shares: got"):
        tempered_shares(torch.tensor([0.5, 0.6]), 1.0)
    with pytest.raises(ValueError, match="temperature: got 0"):
        tempered_shares(shares, 0)


def test_rejection_gives_the_shares_that_are_wanted_at_the_cost_that_is_told():
    shares, wanted = torch.tensor([0.9, 0.1]), torch.tensor([0.5, 0.5])
    keep, cost = acceptance(shares, wanted)
    assert cost == pytest.approx(5.0)
    assert keep.tolist() == pytest.approx([1 / 9, 1.0])
    draw = torch.Generator().manual_seed(0)
    groups = torch.multinomial(shares, 200_000, replacement=True, generator=draw)
    kept = groups[torch.rand(200_000, generator=draw) < keep[groups]]
    assert kept.double().mean().item() == pytest.approx(0.5, abs=0.01)
    assert 200_000 / len(kept) == pytest.approx(cost, rel=0.02)
    with pytest.raises(ValueError, match="never drawn"):
        acceptance(torch.tensor([1.0, 0.0]), wanted)


def test_the_recall_of_a_minority_is_what_a_count_gives():
    x = 0.8 + torch.randn(400_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for share in (0.5, 0.1, 0.03):
        weighted = share * (-0.5 * (x - 0.8) ** 2).exp() > (1 - share) * (-0.5 * (x + 0.8) ** 2).exp()
        assert minority_recall(share, 0.8) == pytest.approx(weighted.double().mean().item(), abs=0.003)
    for bad in ((0.0, 1.0), (1.0, 1.0), (0.1, 0.0)):
        with pytest.raises(ValueError, match="share, distance: got"):
            minority_recall(*bad)
