"""What stands beside a model for scale: one Gaussian, independent pixels, and which coordinates are discrete."""

import math

import pytest
import torch

from gmcourse.cli.baselines import discrete_coordinates, gaussian_nll, independent_nll


def test_one_gaussian_is_that_of_train():
    train, x = torch.randn(50, 3) @ torch.randn(3, 3) + 4, torch.randn(7, 3)
    known = train.double()
    normal = torch.distributions.MultivariateNormal(known.mean(0), known.T.cov(correction=0))
    assert torch.allclose(gaussian_nll(train, x), -normal.log_prob(x.double()))
    assert torch.allclose(gaussian_nll(train.view(50, 3, 1), x.view(7, 3, 1)), gaussian_nll(train, x))


@pytest.mark.parametrize(
    "train",
    [
        torch.randn(3, 3),
        torch.randn(50, 2)[:, [0, 1, 1]],
        torch.cat([torch.randn(50, 2), torch.zeros(50, 1)], 1),
        torch.randn(1100, 1025),
    ],
    ids=["few rows", "twins", "constant", "large"],
)
def test_a_singular_covariance_is_no_baseline(train):
    assert gaussian_nll(train, train) is None


def test_independent_pixels_are_smoothed_counts():
    train, x = torch.tensor([[0.0, 0.5], [0.0, 0.0], [0.0, 1.0]]), torch.tensor([[1.0, 0.0], [0.0, 0.5]])
    expected = [-math.log(1 / 6 * 2 / 6), -math.log(4 / 6 * 2 / 6)]  # three values in all: (count + 1) / (3 + 3)
    assert independent_nll(train, x).tolist() == pytest.approx(expected)


def test_a_stream_is_one_column():
    train, x = torch.tensor([0, 0, 2]), torch.tensor([0, 1])
    assert torch.equal(independent_nll(train, x), independent_nll(train[:, None], x[:, None]))


def test_the_values_of_independent_pixels_have_mass_one():
    train = torch.randint(0, 3, (40, 1)) / 2
    values = torch.tensor([[0.0], [0.5], [1.0]])
    assert (-independent_nll(train, values)).exp().sum().item() == pytest.approx(1)


def test_a_value_that_train_never_takes_has_a_probability():
    train, x = torch.zeros(10, 2), torch.tensor([[0.0, 3.0]])
    assert independent_nll(train, x).item() == pytest.approx(-math.log(11 / 12 * 1 / 12))


@pytest.mark.parametrize("rows", [30, 200, 6000])
def test_discrete_coordinates_are_counted(rows):
    x = torch.rand(rows, 5)
    x[:, 1] = (x[:, 1] > 0.5).float()
    x[:, 3] = (16 * x[:, 3]).round() / 16
    assert discrete_coordinates(x) == (1 if rows == 30 else 2)
    assert discrete_coordinates(torch.rand(rows, 4)) == 0
