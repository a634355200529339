"""The laws of a bijection hold on affine and bent maps and catch each planted bug."""

from functools import partial

import torch

from gmcourse.laws import bijection

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


class Bent(Affine):
    """z = sinh x, entry by entry: a log-determinant of its own for each row."""

    def forward(self, x):
        return x.sinh(), self.spoil(x.cosh().log().sum(1))

    def inverse(self, z):
        return self.back(z.asinh()), self.opposite((1 + z**2).log().sum(1) / 2)


class Folded(Affine):
    """z = x², whose inverse is the positive root."""

    def forward(self, x):
        return x**2, (2 * x.abs()).log().sum(1)

    def inverse(self, z):
        return z.sqrt(), -(4 * z).log().sum(1) / 2


class Padded(Affine):
    """z has one number more than x, which the way back leaves out: no volume, and no bijection."""

    def forward(self, x):
        z, log_det = super().forward(x)
        return torch.cat([z, z[:, :1]], 1), log_det

    def inverse(self, z):
        return super().inverse(z[:, :3])


def permuted(matrix, order):
    order = torch.tensor(order)
    moved = torch.zeros_like(matrix)
    moved[order[:, None], order] = matrix
    return moved


SHEAR = torch.eye(3, dtype=torch.float64) + torch.tensor([[0.0, 0, 0], [0, 0, 0], [5, 0, 0]])
INVERTS, JACOBIAN = partial(bijection.inverts, x=X), partial(bijection.log_det_is_jacobians, x=X)
VOLUME, TRIANGLE = partial(bijection.preserves_volume, x=X), partial(bijection.is_autoregressive, x=X)
ORDERED = partial(bijection.is_autoregressive, x=X, order=[2, 0, 1])
SWAPPED = partial(bijection.is_autoregressive, x=X, order=[0, 2, 1])

RIGHT = {
    INVERTS: (Affine(), Bent()),
    JACOBIAN: (Affine(), Bent()),
    VOLUME: (Affine(SHEAR), Affine(SHEAR.flip(0))),
    TRIANGLE: (Affine(), Bent()),
    ORDERED: (Affine(permuted(MATRIX, [2, 0, 1])),),
}
BUGS = {
    INVERTS: {
        "one number more in z": (Padded(), "shape"),
        "another with the same z": (Folded(), "one-to-one"),
        "off by a thousandth": (Affine(back=lambda x: x + 1e-3), ""),
        "coordinates back to front": (Affine(back=lambda x: x.flip(1)), ""),
        "rows back to front": (Affine(back=lambda x: x.flip(0)), ""),
        "the first row for all": (Affine(back=lambda x: x[:1].expand_as(x)), ""),
        "log-det of the way back not negated": (Affine(opposite=lambda v: v), "sign"),
        "log-det of the way back not negated, row by row": (Bent(opposite=lambda v: v), "sign"),
        "log-det of the first row for all": (Bent(opposite=lambda v: -v[:1].expand_as(v)), ""),
        "no log-det on the way back": (Affine(opposite=lambda v: 0 * v), "constant"),
        "one log-det for the batch": (Affine(opposite=lambda v: -v.sum()), "shape"),
        "a square of log-dets": (Affine(opposite=lambda v: -v.expand(5, 5)), "shape"),
        "a column of log-dets": (Bent(log_det=lambda v: v[:, None]), "shape"),
        "NaN on the way back": (Affine(back=lambda x: x * float("nan")), "not-finite"),
        "NaN in one log-det": (Bent(log_det=lambda v: torch.where(v == v.max(), float("nan"), v)), "not-finite"),
    },
    JACOBIAN: {
        "sign": (Affine(log_det=lambda v: -v), "sign"),
        "mean for sum": (Affine(log_det=lambda v: v / 3), "reduction"),
        "left out": (Affine(log_det=lambda v: 0 * v), "constant"),
        "one for the batch": (Affine(log_det=lambda v: v.mean()), "shape"),
        "summed over the batch": (Affine(log_det=lambda v: v.sum().expand(5)), "shape"),
        "a constant more": (Affine(log_det=lambda v: v + 0.1), ""),
        "the determinant for its logarithm": (Bent(log_det=lambda v: v.exp()), ""),
        "the first row's for all": (Bent(log_det=lambda v: v[:1].expand_as(v)), ""),
        "sign, row by row": (Bent(log_det=lambda v: -v), "sign"),
        "a square": (Bent(log_det=lambda v: v.expand(5, 5)), "shape"),
        "NaN": (Affine(log_det=lambda v: v * float("nan")), "not-finite"),
    },
    VOLUME: {
        "doubled": (Affine(2 * SHEAR), ""),
        "halved": (Affine(SHEAR / 2), ""),
        "scaled unevenly": (Affine(MATRIX), ""),
        "volume kept near 0 alone": (Bent(), ""),
    },
    TRIANGLE: {
        "another order": (Affine(permuted(MATRIX, [2, 0, 1])), "dependence"),
        "the triangle upside down": (Affine(MATRIX.T), "dependence"),
        "falling": (Affine(-MATRIX), "sign"),
        "flat in one coordinate": (Affine(MATRIX * torch.tensor([[1.0], [0.0], [1.0]])), "sign"),
    },
    ORDERED: {"as the coordinates come": (Affine(MATRIX), "dependence")},
    SWAPPED: {"x₂ sees x₁, which comes later": (Affine(MATRIX), "dependence")},
}
