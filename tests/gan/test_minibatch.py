"""Minibatch discrimination as a layer of a critic."""

import pytest
import torch
from torch import nn

from gmcourse.gan.gan import GAN
from gmcourse.gan.minibatch import MinibatchDiscrimination
from gmcourse.nets import mlp


def critic():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 6), nn.ReLU(), MinibatchDiscrimination(6, 3, 2), nn.Linear(9, 1))


def test_features_stay_and_nearness_is_added():
    torch.manual_seed(0)
    layer, features = MinibatchDiscrimination(6, 3, 2), torch.randn(5, 6)
    out = layer(features)
    assert out.shape == (5, 9)
    torch.testing.assert_close(out[:, :6], features)
    assert (out[:, 6:] >= 1).all()
    assert (out[:, 6:] <= 5).all()


def test_equal_rows_are_as_near_as_can_be_and_a_lone_row_sees_itself():
    layer = MinibatchDiscrimination(6, 3, 2)
    torch.testing.assert_close(layer.nearness(torch.ones(5, 6)), torch.full((5, 3), 5.0))
    torch.testing.assert_close(layer.nearness(torch.randn(1, 6)), torch.ones(1, 3))
    far = 1e4 * torch.arange(3.0)[:, None] * torch.ones(3, 6)
    torch.testing.assert_close(layer.nearness(far), torch.ones(3, 3))


def test_a_row_depends_on_its_batch_but_not_on_its_order():
    torch.manual_seed(0)
    network, x = critic(), torch.randn(4, 2)
    h = network(x)
    torch.testing.assert_close(network(x.flip(0)).flip(0), h)
    assert (network(torch.cat([x[:1], x[:1], x[:1]]))[0] - h[0]).abs() > 1e-4


def test_every_weight_learns():
    network = critic()
    gan = GAN(mlp([2, 4, 2]), network, 2)
    gan.critic_loss(torch.randn(8, 2)).backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in network.parameters())


def test_equal_rows_have_finite_gradients():
    layer, features = MinibatchDiscrimination(6, 3, 2), torch.ones(4, 6, requires_grad=True)
    layer(features).sum().backward()
    assert torch.isfinite(features.grad).all()
    assert torch.isfinite(layer.weight.grad).all()


@pytest.mark.parametrize("shape", [(4,), (4, 5), (2, 4, 6)])
def test_wrong_input_is_named(shape):
    with pytest.raises(ValueError, match="features"):
        MinibatchDiscrimination(6)(torch.randn(shape))
    with pytest.raises(ValueError, match="kernels"):
        MinibatchDiscrimination(6, 0)
