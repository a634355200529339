"""The shared networks: sizes, order of layers, modes."""

import pytest
import torch
from torch import nn

from gmcourse.nets import conv_decoder, conv_encoder, evaluating, mlp


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
