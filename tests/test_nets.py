"""The shared networks: sizes, order of layers, modes."""

import pytest
import torch
from torch import nn

from gmcourse.nets import MADE, conv_decoder, conv_encoder, evaluating, mlp


def test_mlp_is_linear_layers_with_activations_between():
    net = mlp([3, 5, 7, 2], nn.Tanh)
    assert [type(layer) for layer in net] == [nn.Linear, nn.Tanh, nn.Linear, nn.Tanh, nn.Linear]
    assert net(torch.zeros(4, 3)).shape == (4, 2)
    assert [type(layer) for layer in mlp([3, 2])] == [nn.Linear]


def test_mlp_drops_hidden_units_only():
    net = mlp([3, 5, 5, 2], dropout=0.5)
    assert [isinstance(layer, nn.Dropout) for layer in net] == [False, False, True, False, False, True, False]


@pytest.mark.parametrize("sizes", [[], [3], [3, 0, 2], [3, -1]])
def test_mlp_refuses_sizes(sizes):
    with pytest.raises(ValueError, match="sizes: got"):
        mlp(sizes)


@pytest.mark.parametrize("training", [True, False])
def test_evaluating_restores_the_mode_even_after_an_error(training):
    net = nn.Sequential(nn.Dropout(0.5)).train(training)
    with evaluating(net):
        assert not net.training
        assert not net[0].training
    assert net.training == net[0].training == training
    with pytest.raises(RuntimeError, match="inside"), evaluating(net):
        raise RuntimeError("inside")
    assert net.training == training


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 16, 16), (1, 8, 12)], ids=str)
def test_convolutions_fit_the_image(shape):
    x = torch.zeros(2, *shape)
    codes = conv_encoder(shape, 6, width=4)(x)
    assert codes.shape == (2, 6)
    assert conv_decoder(6, shape, width=4)(codes).shape == x.shape


@pytest.mark.parametrize("build", [lambda shape: conv_encoder(shape, 2), lambda shape: conv_decoder(2, shape)])
@pytest.mark.parametrize("shape", [(1, 27, 28), (1, 28, 30)])
def test_convolutions_refuse_sides_that_four_does_not_divide(build, shape):
    with pytest.raises(ValueError, match="divisible by 4"):
        build(shape)


@pytest.mark.parametrize("order", [None, [2, 0, 3, 1], [3, 2, 1, 0]])
@pytest.mark.parametrize("hidden", [(), (1,), (3,), (16, 9)], ids=str)
def test_made_sees_what_came_before_and_all_of_it(order, hidden):
    net = MADE(4, hidden, 2, order).double()
    for parameter in net.parameters():
        parameter.data.abs_().add_(0.1)  # no path may cancel another or end in a dead unit
    matrix = torch.autograd.functional.jacobian(net, torch.rand(1, 4, dtype=torch.float64))[0, :, :, 0]
    place = net.order
    reaches = matrix.abs() > 0
    allowed = place[:, None] > place[None, :]
    assert not (reaches & ~allowed).any()
    if all(size >= 3 for size in hidden):
        assert torch.equal(reaches, allowed.expand_as(reaches))


def test_made_sorts_hidden_units_by_degree_and_uses_every_degree():
    first, second, _ = MADE(5, (11, 8), 1).layers[::2]
    seen = first.mask.sum(1)
    assert torch.equal(seen, seen.sort().values)
    assert set(seen.tolist()) == {1, 2, 3, 4}
    assert (second.mask.sum(1).diff() >= 0).all()


@pytest.mark.parametrize("order", [[0, 0, 1], [1, 2, 3], [0, 1]])
def test_made_refuses_what_is_no_order(order):
    with pytest.raises(ValueError, match="order: got"):
        MADE(3, (4,), 1, order)


@pytest.mark.parametrize("order", [None, [2, 0, 3, 1, 4]])
@pytest.mark.parametrize("hidden", [(), (7,), (16, 9), (3, 3, 3)], ids=str)
def test_made_gives_the_same_numbers_one_input_after_another(order, hidden):
    net = MADE(5, hidden, 3, order).double()
    x = torch.randn(6, 5, dtype=torch.float64)
    asked = {}

    def choose(i, h):
        asked[i] = h.clone()
        return x[:, i]

    chosen = net.sequentially(choose, 6)
    assert torch.equal(chosen, x)
    assert list(asked) == sorted(range(5), key=net.order.tolist().__getitem__)
    torch.testing.assert_close(torch.stack([asked[i] for i in range(5)], 2), net(x), rtol=0, atol=1e-12)


def test_made_one_after_another_multiplies_no_more_than_one_pass():
    """Counted by torch, over the blocks that the masks leave open: at most one pass over all."""
    from torch.utils.flop_counter import FlopCounterMode

    net, x = MADE(16, (64, 64), 2), torch.randn(10, 16)
    with FlopCounterMode(display=False) as one_pass, torch.no_grad():
        net(x)
    with FlopCounterMode(display=False) as sequential:
        net.sequentially(lambda i, h: h[:, 0], 10)
    assert sequential.get_total_flops() < one_pass.get_total_flops()
