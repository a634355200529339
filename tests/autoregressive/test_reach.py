"""Counts and wedges against the gradients of masked convolutions with positive weights."""

import pytest
from torch import nn

from gmcourse.autoregressive.masked_convolution import MaskedConv2d
from gmcourse.autoregressive.reach import is_blind, seen_count
from gmcourse.laws.autoregressive.dependence import sees


def stack(layers, kernel=3):
    """Mask A, then mask B; all weights positive, so that nothing cancels."""
    convolutions = [MaskedConv2d(1, 1, kernel, "A" if number == 0 else "B") for number in range(layers)]
    for layer in convolutions:
        nn.init.constant_(layer.weight, 0.1)
    return nn.Sequential(*convolutions)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_the_count_of_seen_pixels(layers):
    rows, columns = layers + 1, 2 * layers + 1
    assert len(sees(stack(layers), (1, rows, columns), rows * columns - layers - 1)) == seen_count(layers)


@pytest.mark.parametrize("kernel", [3, 5])
def test_the_wedge_that_no_depth_opens(kernel):
    rows, columns = 4, 6
    seen = sees(stack(6, kernel), (1, rows, columns), 3 * columns)
    for up in range(1, rows):
        for right in range(columns):
            blind = (3 - up) * columns + right not in seen
            assert blind == is_blind(up, right, kernel // 2)


def test_what_lies_below_or_beside_is_no_question_of_depth():
    with pytest.raises(ValueError, match="up: got 0"):
        is_blind(0, 1, 1)
    with pytest.raises(ValueError, match="layers: got -1"):
        seen_count(-1)


@pytest.mark.parametrize(("layers", "count"), [(0, 0), (1, 4), (2, 11), (5, 50), (8, 116)])
def test_counts_by_hand(layers, count):
    assert seen_count(layers) == count


def test_pairs_out_of_sight_in_a_digit():
    """Of the 2,016 pairs of an 8 × 8 image, 322 at any depth."""
    places = range(8)
    blind = [
        (r, c, up, right)
        for r in places
        for c in places
        for up in range(1, r + 1)
        for right in range(1, 8 - c)
        if is_blind(up, right, 1)
    ]
    assert len(blind) == 322
