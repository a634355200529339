"""The law of an order passes honest networks of every shape, and catches each way of seeing what is to be said."""

from functools import partial

import pytest
import torch

from gmcourse.laws.autoregressive.dependence import by_place, dependence, is_autoregressive, raster, sees
from gmcourse.laws.broken import LawBroken
from gmcourse.nets import MADE

ORDER = (2, 0, 3, 1)  # not its own inverse
TWO_CHANNELS = raster((2, 1, 2))
CODES = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))


def made(order=range(4), outputs=1, seed=0):
    torch.manual_seed(seed)
    net = MADE(4, (16,), outputs, tuple(order))
    return lambda x: net(x.flatten(1)).view(len(x), *(outputs,) * (outputs > 1), *x.shape[1:])


def linear(sees):
    weight = torch.randn(4, 4, generator=torch.Generator().manual_seed(1)) * sees
    return lambda x: (x.flatten(1) @ weight.T).view(x.shape)


def inverse(order):
    return torch.tensor(order).argsort().tolist()


def of_codes(strict=1, spoil=lambda x: x):
    """Logits of three levels from the sum of what stood before."""

    def logits(x):
        told = CODES[spoil(x)].cumsum(1).movedim(2, 1)
        return torch.cat([torch.zeros_like(told[:, :, :strict]), told[:, :, : x.shape[1] - strict]], 2)

    return logits


BELOW = torch.ones(4, 4).tril(-1)
OWN = torch.ones(4, 4).tril()
VECTOR, IMAGE = partial(is_autoregressive, shape=(4,)), partial(is_autoregressive, shape=(1, 2, 2))
ORDERED = partial(is_autoregressive, shape=(4,), order=ORDER)
COLOURS = partial(is_autoregressive, shape=(2, 1, 2))
TEXT = partial(is_autoregressive, shape=(5,), levels=5)

RIGHT = {
    VECTOR: (made(), linear(BELOW), made(outputs=3)),
    IMAGE: (made(outputs=2), linear(BELOW)),
    ORDERED: (made(ORDER), made(ORDER, outputs=2)),
    COLOURS: (made(TWO_CHANNELS, outputs=3),),
    TEXT: (of_codes(),),
}
BUGS = {
    VECTOR: {
        "its own entry": (linear(OWN), "dependence"),
        "its own entry alone": (lambda x: 3 * x, "dependence"),
        "everything": (linear(torch.ones(4, 4)), "dependence"),
        "read from the end": (linear(BELOW.T), "direction"),
        "the mean of the batch": (lambda x: linear(BELOW)(x) + x.mean(), "shape"),
        "batch norm": (lambda x: linear(BELOW)((x - x.mean(0)) / (x.std(0) + 0.1)), "shape"),
        "a softmax over places": (lambda x: linear(BELOW)(x).softmax(1), "dependence"),
        "weights that start at 0": (lambda x: 0 * x, "constant"),
        "x changed in place": (lambda x: x.data.mul_(2), "mutation"),
        "one logit": (lambda x: x[:, :1], "shape"),
        "two in another place": (made(outputs=3, order=(0, 1, 3, 2)), "dependence"),
    },
    IMAGE: {
        "rows from below": (lambda x: linear(BELOW)(x.flip(2)).flip(2), "dependence"),
        "the last pixel wraps round": (lambda x: x.flatten(1).roll(1, 1).view(x.shape), "dependence"),
    },
    ORDERED: {
        "the order for its inverse": (made(inverse(ORDER)), "direction"),
        "as they come": (made(), "dependence"),
        "its own entry": (lambda x: made(ORDER)(x) + x, "dependence"),
    },
    COLOURS: {"channel after channel": (made(), "dependence")},
    TEXT: {
        "no shift": (of_codes(strict=0), "dependence"),
        "read from the end": (of_codes(spoil=lambda x: x.flip(1)), "dependence"),
        "another row's text": (of_codes(spoil=lambda x: x.flip(0)), "shape"),
        "sees nothing": (lambda x: CODES[0].expand(2, 5, 3).movedim(2, 1), "constant"),
    },
}


def test_raster_order_takes_the_channels_of_a_pixel_in_turn():
    assert raster((4,)) == [0, 1, 2, 3]
    assert raster((1, 2, 2)) == [0, 1, 2, 3]
    assert raster((2, 1, 2)) == [0, 2, 1, 3]
    assert raster((3, 2, 1)) == [0, 3, 1, 4, 2, 5]


def test_the_set_of_what_a_place_sees():
    assert sees(made(), (4,), 0) == set()
    assert sees(made(), (4,), 3) == {0, 1, 2}
    assert sees(made(ORDER), (4,), 2, order=ORDER) == {0, 1}
    assert sees(made(TWO_CHANNELS), (2, 1, 2), 1) == {0}
    assert sees(lambda x: x.roll(2, 1) * torch.tensor([0.0, 0.0, 1.0, 1.0]), (4,), 3) == {1}
    assert sees(of_codes(), (5,), 2, levels=5) == {0, 1}


def test_the_matrix_is_by_entries_and_a_triangle_by_places():
    matrix = dependence(made(ORDER), (4,))
    assert matrix.triu().any()
    assert not by_place(matrix, ORDER).triu().any()
    assert by_place(torch.arange(9.0).view(3, 3), (2, 0, 1))[0, 2] == 3  # entry 1 stands first, entry 0 last


def test_slopes_that_sum_to_nothing_over_the_levels_are_seen():
    with pytest.raises(LawBroken, match=r"slope [0-9.]+ of the logit at place \d in x at place \d"):
        is_autoregressive(lambda x: torch.stack([5 * x, -5 * x], 1) + made(outputs=2)(x) * 0.1, shape=(4,))
