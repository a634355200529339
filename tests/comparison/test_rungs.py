"""The pictures of the ladder, and the simplest models of each."""

import pytest
import torch

from gmcourse.comparison.rungs import BASELINES, RUNGS, independent_pixels, one_gaussian, pieces, rung, train_again
from gmcourse.data import load


def rng():
    return torch.Generator().manual_seed(0)


def test_two_classes_are_the_noughts_and_ones_of_each_split():
    digits, two = load("digits"), rung("two-classes")
    for part in ("train", "valid", "test"):
        assert len(getattr(two, part)) == (digits.labels[part] <= 1).sum()


def test_every_quarter_of_four_is_a_digit_of_its_split():
    digits, four = load("digits"), rung("four-digits")
    for part in ("train", "valid", "test"):
        known = {row.numpy().tobytes() for row in getattr(digits, part)}
        quarters = pieces(getattr(four, part)[:40])
        assert quarters.shape == (160, 1, 8, 8)
        assert {row.numpy().tobytes() for row in quarters} <= known


def test_pieces_of_a_digit_are_itself_and_those_of_four_in_order():
    x = torch.arange(256.0).view(1, 1, 16, 16)
    assert torch.equal(pieces(x[:, :, :8, :8]), x[:, :, :8, :8])
    assert pieces(x)[:, 0, 0, 0].tolist() == [0, 8, 128, 136]


def test_an_unknown_rung_is_refused():
    with pytest.raises(ValueError, match="rung: got 'three', expected one of two-classes, digits, four-digits"):
        rung("three")


@pytest.mark.parametrize("name", RUNGS)
@pytest.mark.parametrize("key", BASELINES)
def test_the_simplest_models_draw_levels(name, key):
    data = rung(name)
    x = BASELINES[key](data.train, 30, rng())
    assert x.shape == (30, *data.event_shape)
    torch.testing.assert_close(x * 16, (x * 16).round())
    assert 0 <= x.min() <= x.max() <= 1


def test_independent_pixels_keep_each_histogram_and_nothing_else():
    train = load("digits").train
    x = independent_pixels(train, 40_000, rng())
    torch.testing.assert_close(x.mean(0), train.mean(0), atol=0.02, rtol=0)
    neighbours = torch.stack([x[:, 0, 3, 3], x[:, 0, 4, 3]]).corrcoef()[0, 1]
    assert neighbours.abs() < 0.02
    assert torch.stack([train[:, 0, 3, 3], train[:, 0, 4, 3]]).corrcoef()[0, 1] > 0.3


def test_one_gaussian_keeps_the_covariance():
    train = load("digits").train
    own, seen = (t.flatten(1).double().T.cov() for t in (train, one_gaussian(train, 40_000, rng())))
    assert torch.stack([own.flatten(), seen.flatten()]).corrcoef()[0, 1] > 0.98


def test_rows_of_train_are_rows_of_train():
    train = load("digits").train
    assert (torch.cdist(train_again(train, 20, rng()).flatten(1), train.flatten(1)).min(1).values == 0).all()
