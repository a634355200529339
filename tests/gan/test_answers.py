"""Several right answers: counted, weighed against λ, and the maps that no loss tells apart."""

import math

import pytest
import torch

from gmcourse.gan.answers import counted, least_weight, perfect_maps, share_at


def test_a_coin_is_told_from_a_mixture_that_has_the_same_mean():
    coin, grey = torch.tensor([-0.8, 0.8] * 5), torch.zeros(10)
    assert coin.mean() == grey.mean() == 0
    assert counted(coin, (-0.8, 0.8), 0.2) == (1.0, (0.5, 0.5))
    assert counted(grey, (-0.8, 0.8), 0.2) == (0.0, (0.0, 0.0))


def test_the_data_are_matched_without_a_distance_and_left_with_a_large_one():
    assert share_at(0.7, 0.0, 0.4) == pytest.approx(0.7)
    assert share_at(0.5, 100.0, 0.4) == pytest.approx(0.5)
    assert share_at(0.7, 1e4, 0.4) == 1.0
    shares = [share_at(0.7, weight, 0.4) for weight in (0, 1, 2, 4, 5)]
    assert shares == sorted(shares)


def test_the_least_weight_is_where_the_rare_answer_ends():
    edge = least_weight(0.7, 0.4)
    assert edge == pytest.approx(math.log(1 + 1 / 0.7) / 0.16)
    assert share_at(0.7, edge * 1.001, 0.4) == 1.0
    assert share_at(0.7, edge * 0.999, 0.4) < 1.0
    assert least_weight(0.5, 0.4) == math.inf


def test_equal_masses_leave_every_order():
    assert perfect_maps([0.25] * 4, [0.25] * 4) == 24
    assert perfect_maps([0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1]) == 1
    assert perfect_maps([0.5, 0.5], [1.0]) == 0


@pytest.mark.parametrize("wrong", [(0.4, 1.0, 1.0), (1.0, 1.0, 1.0), (0.7, -1.0, 1.0), (0.7, 1.0, -1.0)])
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match="p, weight, distance: got"):
        share_at(*wrong)
