"""The contractive autoencoder: its penalty against the whole Jacobian, its tied weights, what the penalty does."""

import pytest
import torch

from gmcourse.autoencoders.contractive import CONTRACTIVE_AUTOENCODER, ContractiveAutoencoder, jacobians
from gmcourse.nets import mlp
from gmcourse.training import fit


def built(gamma=0.1, k=5, shape=(1, 2, 3), seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return ContractiveAutoencoder(shape, k, gamma)


def test_jacobians_of_any_network_against_differences():
    x = torch.randn(3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = mlp([4, 6, 2], torch.nn.Tanh).double()
    step = 1e-6 * torch.eye(4, dtype=torch.float64)
    columns = [(net(x + e) - net(x - e)) / 2e-6 for e in step]
    assert torch.allclose(jacobians(net, x), torch.stack(columns, 2), atol=1e-8)


def test_the_penalty_is_that_of_its_own_encoder():
    model = built().double()
    x = torch.rand(4, 1, 2, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    whole = jacobians(model.encode, x)
    assert whole.shape == (4, 5, 6)
    assert torch.allclose(model.penalties(x), whole.square().sum((1, 2)), atol=1e-12, rtol=0)
    expected = model.errors(x).mean() + 0.1 * model.penalties(x).mean()
    assert torch.allclose(model.loss(x), expected)


def test_by_hand():
    model = built(gamma=2.0, k=1, shape=(2,))
    with torch.no_grad():
        model.layer.weight.copy_(torch.tensor([[3.0, 4.0]]))
        model.layer.bias.zero_()
        model.offset.copy_(torch.tensor([0.5, -2.0]))
    x = torch.zeros(1, 2)  # h = ½, d(h) = (1.5, 2) + (0.5, −2), ‖J‖² = 25/16
    assert model.encode(x).item() == 0.5
    assert torch.equal(model.decode(torch.tensor([[0.5]])), torch.tensor([[2.0, 0.0]]))
    assert model.errors(x).item() == 4
    assert model.penalties(x).item() == 25 / 16
    assert model.loss(x).item() == 4 + 2 * 25 / 16
    assert torch.equal(model.reconstruct(x), torch.tensor([[2.0, 0.0]]))


def test_the_penalty_contracts_and_costs_error():
    x = torch.rand(64, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    results = []
    for gamma in (0.0, 1.0):
        model = built(gamma, k=20, shape=(1, 4, 4))
        fit(model, (x,), steps=200, batch_size=64, lr=1e-2, progress=False)
        with torch.no_grad():
            results.append((model.errors(x).mean().item(), model.penalties(x).mean().item()))
    (free, steep), (bound, flat) = results
    assert flat < steep / 2
    assert free < bound


def test_what_is_refused_and_said():
    for wrong, said in (
        ((1, 0, 0.1), "k: got 0"),
        ((1, 2, -0.1), "gamma: got -0.1"),
        ((1, 2, float("nan")), "gamma: got nan"),
    ):
        with pytest.raises(ValueError, match=said):
            ContractiveAutoencoder((wrong[0],), *wrong[1:])
    assert "shape=(1, 8, 8), gamma=0.1" in repr(CONTRACTIVE_AUTOENCODER.build())
