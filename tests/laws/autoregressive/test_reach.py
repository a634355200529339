"""The laws of reach pass right answers and catch each planted bug; the walk itself against gradients."""

import torch
from torch import nn

from gmcourse.autoregressive.masked_convolution import MaskedConv2d
from gmcourse.exercises.autoregressive.convolutional_pixels import is_blind, seen_count
from gmcourse.laws.autoregressive import reach
from gmcourse.laws.autoregressive.dependence import sees


def by_walking(layers, half):
    return len(reach.seen(layers, half))


def closed(layers, half):
    far = half * layers
    return far * (far + 2) + half * (layers * (layers + 1) // 2 + layers * (far - layers))


RIGHT = {
    reach.blind_at_any_depth: (is_blind, lambda up, right, first, half: int(right - first > (up - 1) * half)),
    reach.seen_pixels_are_counted: (seen_count, by_walking, closed),
}
BUGS = {
    reach.blind_at_any_depth: {
        "the edge is blind, too": (lambda up, right, first, half: right >= first + half * (up - 1), "one-to-one"),
        "the left, too": (lambda up, right, first, half: abs(right) > first + half * (up - 1), "sign"),
        "seen": (lambda *inputs: not is_blind(*inputs), "direction"),
        "all kernels as the later ones": (lambda up, right, first, half: right > half * up, "dependence"),
        "all kernels as the first": (lambda up, right, first, half: right > first * up, "spread"),
        "a row too many": (lambda up, right, first, half: right > first + half * up, "reduction"),
        "whatever is to the right": (lambda up, right, first, half: right > 0, "constant"),
        "never": (lambda *inputs: False, "constant"),
        "how far": (lambda up, right, first, half: first + half * (up - 1), "container"),
        "a text": (lambda *inputs: "yes", "container"),
        "in the row above alone": (lambda up, right, first, half: right > first and up == 1, ""),
    },
    reach.seen_pixels_are_counted: {
        "itself, too": (lambda layers, half: closed(layers, half) + 1, "constant"),
        "all of the past": (lambda layers, half: 2 * (half * layers) ** 2 + 2 * half * layers, "one-to-one"),
        "as layers of 3 × 3": (lambda layers, half: closed(half * layers, 1), "spread"),
        "for h = 1": (lambda layers, half: closed(layers, 1), "dependence"),
        "the left alone": (lambda layers, half: (half * layers) ** 2 + 2 * half * layers, "reduction"),
        "the future, too": (lambda layers, half: (2 * half * layers + 1) ** 2, "sign"),
        "rows above alone": (lambda layers, half: closed(layers, half) - half * layers, "direction"),
        "a wrong wedge": (lambda layers, half: closed(layers, half) - layers + 1, ""),
        "which": (reach.seen, "container"),
    },
}


def test_the_walk_is_what_gradients_see():
    rows, columns, place = 5, 9, (4, 4)
    convolutions = [MaskedConv2d(1, 1, 5, "A"), MaskedConv2d(1, 1, 3, "B"), MaskedConv2d(1, 1, 3, "B")]
    for layer in convolutions:
        nn.init.constant_(layer.weight, 0.1)
    found = sees(nn.Sequential(*convolutions), (1, rows, columns), place[0] * columns + place[1])
    walked = {
        (place[0] - up) * columns + place[1] + right for up, right in reach.seen(3, 1, 2) if up <= 4 and abs(right) <= 4
    }
    assert found == walked
    assert torch.tensor(sorted(found)).max() < place[0] * columns + place[1]
