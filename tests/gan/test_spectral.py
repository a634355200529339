"""Spectral normalisation: no linear layer stretches, and so no two points are told apart by more than the bound."""

import pytest
import torch

from gmcourse.gan.gan import GAN
from gmcourse.gan.spectral import slope_at_most, with_spectral_norm
from gmcourse.nets import mlp
from gmcourse.training import fit_adversarial


def critic(bound=1.0):
    torch.manual_seed(0)
    network = mlp([3, 16, 16, 1])
    for layer in network[::2]:
        layer.weight.data *= 4
    return with_spectral_norm(network, bound)


@pytest.mark.parametrize("bound", [1.0, 5.0])
def test_singular_values_reach_their_bounds_after_power_iterations(bound):
    network = critic(bound)
    for _ in range(200):
        network(torch.zeros(1, 3))
    largest = [torch.linalg.svdvals(layer.weight)[0].item() for layer in network[::2]]
    assert largest == pytest.approx([1, 1, bound], rel=1e-3)
    assert slope_at_most(network) == pytest.approx(bound, rel=2e-3)


def test_differences_of_the_output_are_bounded_and_by_the_product_of_plain_layers_too():
    torch.manual_seed(1)
    x, y = torch.randn(2, 500, 3)
    for network in (critic(), critic(5.0), mlp([3, 16, 16, 1])):
        slopes = (network(x) - network(y)).abs().squeeze(1) / (x - y).norm(dim=1)
        assert slopes.max() <= slope_at_most(network) * 1.0001


def test_training_keeps_the_slope_near_its_bound():
    model = GAN(mlp([2, 8, 3]), critic(), 2)
    fit_adversarial(model, (torch.randn(64, 3),), steps=100, batch_size=16, lr=1e-2, progress=False)
    assert slope_at_most(model.critic) < 1.1
