"""Inverting: modes stay, features have their weight, and starts of another shape are named."""

import pytest
import torch
from torch import nn

from gmcourse.gan.inversion import invert
from gmcourse.nets import mlp

X = torch.rand(5, 3, generator=torch.Generator().manual_seed(0))


def generator():
    torch.manual_seed(0)
    return nn.Sequential(mlp([2, 8, 3], dropout=0.5), nn.BatchNorm1d(3)).train()


def test_more_starts_never_leave_more_and_the_mode_stays():
    network, z = generator(), torch.randn(4, 5, 2, generator=torch.Generator().manual_seed(1))
    one, four = invert(network, X, z[:1], steps=20), invert(network, X, z, steps=20)
    assert (four.residual <= one.residual + 1e-4).all()
    assert four.z.shape == (5, 2)
    assert all(module.training for module in network.modules())
    assert all(p.grad is None for p in network.parameters())
    assert not four.residual.requires_grad


def test_no_step_is_the_residual_of_the_start():
    network, z = generator(), torch.zeros(1, 5, 2)
    found = invert(network, X, z, steps=0)
    torch.testing.assert_close(found.residual, (X - network.eval()(z[0])).square().sum(1).detach())
    assert torch.equal(found.z, z[0])


def test_features_pull_the_search_and_are_not_in_the_residual():
    network, z, features = nn.Linear(2, 3), torch.zeros(1, 5, 2), nn.Linear(3, 1)
    plain = invert(network, X, z, steps=200)
    pulled = invert(network, X, z, steps=200, features=features, weight=50.0)
    assert (pulled.residual >= plain.residual - 1e-4).all()
    gaps = [(features(X) - features(network(run.z))).square().mean().item() for run in (plain, pulled)]
    assert gaps[1] < gaps[0]


def test_a_conditional_generator_is_told_of_each_row():
    class Shifted(nn.Module):
        def forward(self, z, given):
            return z + given

    given = torch.arange(10.0).view(5, 2)
    found = invert(Shifted(), given + 0.5, torch.zeros(2, 5, 2), given, steps=200)
    torch.testing.assert_close(found.z, torch.full((5, 2), 0.5), atol=1e-2, rtol=0)


def test_what_is_amiss_is_named():
    with pytest.raises(ValueError, match="z: got shape"):
        invert(generator(), X, torch.zeros(5, 2))
    with pytest.raises(ValueError, match="features: got None"):
        invert(generator(), X, torch.zeros(1, 5, 2), weight=0.1)
