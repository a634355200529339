"""The laws of the change of variables hold on the package's functions and catch each planted bug."""

import pytest
import torch
import torch.nn.functional as F
from torch.distributions import Independent, Normal, TransformedDistribution
from torch.distributions.transforms import AffineTransform

from gmcourse.flows.planar import constrain_u, planar_inverse, planar_log_det
from gmcourse.laws.flows import change_of_variables as law


def affine(x, a, b):
    base = Normal(torch.zeros_like(b), 1.0)
    return Independent(TransformedDistribution(base, [AffineTransform(b, a)]), 1).log_prob(x)


def stretch(a):
    return a.abs().log().sum()


def slope(x, v, b):
    return 1 - torch.tanh(x @ v + b) ** 2


def moved(u, v, length, offset=1.0):
    return u + (F.softplus(v @ u) - offset - v @ u) * v / length


def iterated(z, u, v, b, times=100):
    x = z
    for _ in range(times):
        x = z - torch.outer(torch.tanh(x @ v + b), u)
    return x


def narrow(z, u, v, b):
    """The root is looked for within 1 of vᵀz alone."""
    a = (planar_inverse(z, u, v, b) @ v).clamp(z @ v - 1, z @ v + 1)
    return z - torch.outer(torch.tanh(a + b), u)


RIGHT = {
    law.affine_density: (affine,),
    law.planar_volume: (planar_log_det,),
    law.planar_constraint: (constrain_u,),
    law.planar_inversion: (planar_inverse,),
}
BUGS = {
    law.affine_density: {
        "no log-det": (lambda x, a, b: affine(x, a, b) + stretch(a), "constant"),
        "log-det of the other sign": (lambda x, a, b: affine(x, a, b) + 2 * stretch(a), "sign"),
        "no absolute value": (lambda x, a, b: affine(x, a, b) + stretch(a) - a.log().sum(), "not-finite"),
        "scored at x": (lambda x, a, b: Normal(0.0, 1.0).log_prob(x).sum(1) - stretch(a), "direction"),
        "log-det a mean": (lambda x, a, b: affine(x, a, b) + stretch(a) / len(a), "reduction"),
        "one density for the batch": (lambda x, a, b: affine(x, a, b).mean(), "shape"),
        "the first row for all": (lambda x, a, b: affine(x[:1].expand_as(x), a, b), "shape"),
        "sign of the offset": (lambda x, a, b: affine(x, a, -b), "one-to-one"),
        "the offset multiplied too": (lambda x, a, b: affine(x, a, b * a), "one-to-one"),
        "the variance for the deviation": (lambda x, a, b: affine(x, a.abs().sqrt(), b), "spread"),
    },
    law.planar_volume: {
        "far out, not flat": (lambda x, u, v, b: planar_log_det(x.clamp(-2, 2), u, v, b), ""),
        "the map for its slope": (lambda x, u, v, b: (1 + (v @ u) * torch.tanh(x @ v + b)).abs().log(), "gradient"),
        "the root of the slope": (lambda x, u, v, b: (1 + (v @ u) * slope(x, v, b).sqrt()).abs().log(), ""),
        "no 1": (lambda x, u, v, b: ((v @ u) * slope(x, v, b)).abs().log(), "constant"),
        "no absolute value": (lambda x, u, v, b: (1 + (v @ u) * slope(x, v, b)).log(), "not-finite"),
        "sign": (lambda x, u, v, b: -planar_log_det(x, u, v, b), "sign"),
        "‖u‖² for vᵀu": (lambda x, u, v, b: (1 + (u @ u) * slope(x, v, b)).abs().log(), "dependence"),
        "no bias": (lambda x, u, v, b: planar_log_det(x, u, v, 0 * b), ""),
        "one for the batch": (lambda x, u, v, b: planar_log_det(x, u, v, b).sum(), "shape"),
    },
    law.planar_constraint: {
        "u clamped": (lambda u, v: u.clamp(min=-0.5), "dependence"),
        "not divided by ‖v‖²": (lambda u, v: moved(u, v, 1.0), "spread"),
        "divided by ‖v‖": (lambda u, v: moved(u, v, v.norm()), "reduction"),
        "softplus alone": (lambda u, v: moved(u, v, v @ v, offset=0.0), "constant"),
        "not constrained": (lambda u, v: u, "one-to-one"),
        "along u": (lambda u, v: u + (F.softplus(v @ u) - 1 - v @ u) * u / (v @ u), "dependence"),
        "vᵀû for û": (lambda u, v: v @ constrain_u(u, v), "shape"),
    },
    law.planar_inversion: {
        "iterated where it does not contract": (iterated, "gradient"),
        "a bracket too narrow": (narrow, "one-to-one"),
        "one step": (lambda z, u, v, b: iterated(z, u, v, b, times=1), "dependence"),
        "forward again": (lambda z, u, v, b: z + torch.outer(torch.tanh(z @ v + b), u), "direction"),
        "one coordinate": (lambda z, u, v, b: planar_inverse(z, u, v, b)[:, 0], "shape"),
        "the first row for all": (lambda z, u, v, b: planar_inverse(z, u, v, b)[:1].expand_as(z), ""),
        "sign of the bias": (lambda z, u, v, b: planar_inverse(z, u, v, -b), ""),
    },
}


@pytest.mark.parametrize("statement", RIGHT)
def test_holds_for_other_draws(statement):
    for seed in (1, 2):
        statement(*RIGHT[statement], seed=seed)
