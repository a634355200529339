"""Autoencoders: sums over entries, shapes, and linear ones that reach the principal subspace."""

import pytest
import torch
from torch import nn

from gmcourse.autoencoders.autoencoder import (
    CONVOLUTIONAL_AUTOENCODER,
    DEEP_AUTOENCODER,
    Autoencoder,
    conv_autoencoder,
    deep_autoencoder,
)
from gmcourse.data import Dataset
from gmcourse.training import fit

X = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("make", [deep_autoencoder, conv_autoencoder])
def test_shapes_and_sums(make):
    model = make((1, 8, 8), 3)
    assert model.encode(X).shape == (5, 3)
    assert model.decode(torch.zeros(2, 3)).shape == (2, 1, 8, 8)
    expected = ((model.reconstruct(X) - X) ** 2).sum((1, 2, 3))
    torch.testing.assert_close(model.errors(X).detach(), expected)
    torch.testing.assert_close(model.loss(X).detach(), expected.mean())
    assert not model.reconstruct(X).requires_grad


def test_reconstruct_leaves_dropout_out_and_the_mode_as_it_was():
    model = Autoencoder(nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, 2)), nn.Linear(2, 64)).train()
    assert torch.equal(model.reconstruct(X), model.reconstruct(X))
    assert model.training


def test_the_code_and_the_end_are_linear():
    model = deep_autoencoder((6,), 2, hidden=(5,))
    assert [type(layer).__name__ for layer in model.encoder[1]] == ["Linear", "SiLU", "Linear"]
    assert [type(layer).__name__ for layer in model.decoder[0]] == ["Linear", "SiLU", "Linear"]
    assert model.encoder[1][0].out_features == 5


def test_a_curved_line_of_points_needs_one_number():
    angle = torch.linspace(-2.5, 2.5, 200)
    x = torch.stack((angle.cos(), angle.sin()), 1)
    torch.manual_seed(0)
    model = deep_autoencoder((2,), 1, hidden=(32,))
    fit(model, (x,), steps=400, batch_size=200, lr=1e-2, progress=False)
    straight = torch.linalg.eigvalsh(torch.cov(x.T, correction=0))[0].item()
    assert model.loss(x).item() < straight / 10


@pytest.mark.parametrize("make", [deep_autoencoder, conv_autoencoder])
def test_an_empty_code_is_refused(make):
    with pytest.raises(ValueError, match="k: got 0, expected a code of at least one number"):
        make((1, 8, 8), 0)


def test_records_size_the_code_by_the_data():
    for shape, k in (((3,), 2), ((15,), 2), ((16,), 8), ((3, 4, 4), 8)):
        x = torch.rand(4, *shape)
        data = Dataset("own", "own", x, x, x, None, shape, "none", "drawn")
        assert DEEP_AUTOENCODER.build(data).encode(x).shape == (4, k)
    x = torch.rand(4, 3, 4, 8)
    data = Dataset("own", "own", x, x, x, None, (3, 4, 8), "none", "drawn")
    assert CONVOLUTIONAL_AUTOENCODER.build(data).reconstruct(x).shape == x.shape
    assert not CONVOLUTIONAL_AUTOENCODER.suits((1, 6, 8), torch.float32)
    assert not CONVOLUTIONAL_AUTOENCODER.suits((1, 8, 10), torch.float32)
    assert not CONVOLUTIONAL_AUTOENCODER.suits((16,), torch.float32)


def test_a_decoder_of_another_shape_is_refused():
    narrow = Autoencoder(nn.Linear(4, 2), nn.Linear(2, 1))
    with pytest.raises(ValueError, match=r"y: got shape \(3, 1\), expected \(3, 4\), that of x"):
        narrow.errors(torch.zeros(3, 4))
