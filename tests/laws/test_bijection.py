"""The laws of a bijection hold on an affine map and catch each planted bug."""

import pytest
import torch

from gmcourse.laws import LawBroken, bijection

MATRIX = torch.tensor([[2.0, 0.0, 0.0], [0.7, 0.5, 0.0], [-0.3, 0.2, 3.0]], dtype=torch.float64)
X = torch.randn(5, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


class Affine:
    """z = Ax, with `log_det` and `inverse` spoiled by the functions given."""

    def __init__(self, matrix=MATRIX, log_det=lambda value: value, back=lambda value: value, opposite=lambda v: -v):
        self.matrix, self.spoil, self.back, self.opposite = matrix, log_det, back, opposite

    def forward(self, x):
        return x @ self.matrix.T, self.spoil(torch.linalg.slogdet(self.matrix).logabsdet.expand(len(x)))

    def inverse(self, z):
        log_det = self.opposite(torch.linalg.slogdet(self.matrix).logabsdet.expand(len(z)))
        return self.back(torch.linalg.solve(self.matrix, z.T).T), log_det


def cause_of(law, candidate, **options):
    with pytest.raises(LawBroken) as caught:
        law(candidate, X, **options)
    return caught.value.cause


@pytest.mark.parametrize("law", [bijection.inverts, bijection.log_det_is_jacobians, bijection.is_autoregressive])
def test_holds(law):
    law(Affine(), X)


@pytest.mark.parametrize(
    ("bug", "cause"),
    [
        ({"back": lambda x: x + 1e-3}, "one-to-one"),
        ({"back": lambda x: x.flip(1)}, "one-to-one"),
        ({"opposite": lambda v: v}, "sign"),
        ({"opposite": lambda v: -v.sum()}, "shape"),
        ({"back": lambda x: x * float("nan")}, "overflow"),
    ],
)
def test_inversion_catches(bug, cause):
    assert cause_of(bijection.inverts, Affine(**bug)) == cause


@pytest.mark.parametrize(
    ("bug", "cause"),
    [
        (lambda v: -v, "sign"),
        (lambda v: v / 3, "reduction"),
        (lambda v: 0 * v, "constant"),
        (lambda v: v.mean(), "shape"),
        (lambda v: v.sum().expand(5), "shape"),
        (lambda v: v + 0.1, ""),
    ],
)
def test_log_det_catches(bug, cause):
    assert cause_of(bijection.log_det_is_jacobians, Affine(log_det=bug)) == cause


def test_volume():
    shear = torch.eye(3, dtype=torch.float64)
    shear[2, 0] = 5.0
    bijection.preserves_volume(Affine(shear), X)
    for matrix in (2 * shear, shear / 2, MATRIX):
        assert cause_of(bijection.preserves_volume, Affine(matrix)) == "constant"


def test_order():
    permutation = [2, 0, 1]
    matrix = torch.zeros(3, 3, dtype=torch.float64)
    matrix[torch.tensor(permutation)[:, None], torch.tensor(permutation)] = MATRIX
    bijection.is_autoregressive(Affine(matrix), X, order=permutation)
    assert cause_of(bijection.is_autoregressive, Affine(matrix)) == "dependence"
    assert cause_of(bijection.is_autoregressive, Affine(MATRIX.T)) == "dependence"
    assert cause_of(bijection.is_autoregressive, Affine(-MATRIX)) == "sign"
    assert cause_of(bijection.is_autoregressive, Affine(MATRIX), order=[0, 2, 1]) == "dependence"
