"""The best linear code: its subspace, its error, a round of least squares, and the digits' own numbers."""

import pytest
import torch

from gmcourse.autoencoders.linear import alternate, covariance, pca_error, principal_angles, principal_subspace
from gmcourse.data import load


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture(scope="module")
def digits():
    return load("digits").train.flatten(1).double()


def test_covariance_divides_by_n():
    x = drawn(7, 3)
    centred = x - x.mean(0)
    torch.testing.assert_close(covariance(x), centred.T @ centred / 7)
    assert covariance(x[:, :1]).shape == (1, 1)


def test_principal_subspace_of_a_turned_diagonal():
    turn = torch.linalg.qr(drawn(4, 4))[0]
    spectrum = torch.tensor([5.0, 2.0, 1.0, 0.0], dtype=torch.float64)
    basis, eigenvalues = principal_subspace(turn * spectrum @ turn.T, 2)
    torch.testing.assert_close(eigenvalues, spectrum)
    torch.testing.assert_close((basis * turn[:, :2]).sum(0).abs(), torch.ones(2, dtype=torch.float64))
    assert (eigenvalues >= 0).all()


def test_the_digits_lose_what_the_tail_says(digits):
    matrix, mean = covariance(digits), digits.mean(0)
    for k, expected in ((2, 3.3437), (8, 1.5060), (32, 0.1540)):
        basis, eigenvalues = principal_subspace(matrix, k)
        assert pca_error(eigenvalues, k).item() == pytest.approx(expected, abs=1e-4)
        projected = mean + (digits - mean) @ basis @ basis.T
        assert (projected - digits).square().sum(1).mean().item() == pytest.approx(expected, abs=1e-4)


def test_a_round_is_two_least_squares():
    x, decoder = drawn(50, 6) * torch.linspace(2, 0.5, 6), drawn(6, 2, seed=1)
    x = x - x.mean(0)
    codes = torch.linalg.lstsq(decoder, x.T).solution
    expected = torch.linalg.lstsq(codes.T, x).solution.T
    torch.testing.assert_close(alternate(covariance(x), decoder), expected)


def test_rounds_are_the_power_method(digits):
    matrix, decoder = covariance(digits), drawn(64, 3)
    basis, eigenvalues = principal_subspace(matrix, 3)
    turned = principal_angles(alternate(matrix, decoder), matrix @ decoder)
    assert turned.max() < 1e-10
    angles = []
    for _ in range(60):
        decoder = alternate(matrix, decoder)
        angles.append(principal_angles(basis, decoder).max())
    assert angles[-1] < 1e-8
    assert angles[35] / angles[34] == pytest.approx(float(eigenvalues[3] / eigenvalues[2]), rel=1e-3)


def test_angles_of_known_planes():
    a, tilt = torch.eye(3, 2, dtype=torch.float64), 1e-7
    b = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, tilt]], dtype=torch.float64) @ drawn(2, 2)
    torch.testing.assert_close(
        principal_angles(a, b), torch.tensor([0.0, tilt], dtype=torch.float64), atol=1e-13, rtol=0
    )
    assert principal_angles(a, a @ drawn(2, 2)).max() < 1e-13


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: covariance(torch.zeros(3)), r"x: got shape \(3,\), expected \(n, D\)"),
        (lambda: covariance(torch.zeros(0, 3)), r"x: got shape \(0, 3\)"),
        (lambda: principal_angles(torch.ones(2, 3), torch.ones(2, 3)), r"a, b: got shapes .*, expected .* k ≤ D"),
        (lambda: principal_subspace(torch.eye(3), 4), "k: got 4, expected 1 to 3 numbers"),
        (lambda: principal_subspace(torch.eye(3), 0), "k: got 0"),
        (lambda: principal_angles(torch.eye(3), torch.eye(3, 2)), r"a, b: got shapes \(3, 3\) and \(3, 2\)"),
    ],
)
def test_bad_input_is_named(call, said):
    with pytest.raises(ValueError, match=said):
        call()


def test_subspace_and_spectrum_are_differentiable():
    matrix, away = covariance(drawn(9, 4)).requires_grad_(), drawn(4, 4)
    basis, eigenvalues = principal_subspace(matrix, 1)
    (slope,) = torch.autograd.grad(eigenvalues[0], matrix, retain_graph=True)
    torch.testing.assert_close(slope, (basis @ basis.T).detach())  # an eigenvalue's slope is v vᵀ
    (slope,) = torch.autograd.grad((basis.T @ away @ basis).sum(), matrix)
    assert slope.abs().max() > 1e-3
