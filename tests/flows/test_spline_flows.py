"""Flows of splines: bijections with the right volume, identity at first, masses of 1."""

import pytest
import torch

from gmcourse.flows.spline_flows import (
    RationalQuadratic,
    SplineAutoregressive,
    SplineCoupling,
    spline_autoregressive,
    spline_coupling,
)
from gmcourse.laws import bijection, mass

LAYERS = {
    "coupling": lambda: SplineCoupling(5, (16,), bins=4),
    "swapped": lambda: SplineCoupling(5, (16,), swap=True, bins=4),
    "autoregressive": lambda: SplineAutoregressive(5, (16,), bins=4),
    "reordered": lambda: SplineAutoregressive(5, (16,), order=[3, 0, 4, 1, 2], bins=4),
    "coupling flow": lambda: spline_coupling(5, 3, (16,), bins=4),
    "autoregressive flow": lambda: spline_autoregressive(5, 3, (16,), bins=4),
}


def shaken(module, scale=0.5):
    """In float64, with weights that are not zero."""
    module = module.double()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += scale * torch.randn_like(parameter) / parameter.shape[-1] ** 0.5
    return module


@pytest.mark.parametrize("name", LAYERS)
def test_laws_of_a_bijection(name):
    x = 1.5 * torch.randn(40, 5, dtype=torch.float64)
    layer = shaken(LAYERS[name]())
    with torch.no_grad():
        bijection.inverts(layer, x, tolerance=1e-9)
    bijection.log_det_is_jacobians(layer, x[:6], tolerance=1e-9)


@pytest.mark.parametrize("name", LAYERS)
def test_starts_near_the_identity(name):
    x = torch.randn(20, 5)
    with torch.no_grad():
        z, log_det = LAYERS[name]()(x)
    torch.testing.assert_close(z, x, rtol=0, atol=0.05)
    torch.testing.assert_close(log_det, torch.zeros(20), rtol=0, atol=0.2)


@pytest.mark.parametrize("name", LAYERS)
def test_inverse_can_be_differentiated(name):
    layer, z = shaken(LAYERS[name]()), torch.randn(3, 5, dtype=torch.float64)
    x, log_det = layer.inverse(z)
    (x.sum() + log_det.sum()).backward()
    assert sum(p.grad.abs().sum() for p in layer.parameters() if p.grad is not None) > 0


def test_autoregressive_order():
    order = [3, 0, 4, 1, 2]
    layer = shaken(SplineAutoregressive(5, (16,), order=order, bins=4))
    bijection.is_autoregressive(
        layer, torch.randn(4, 5, dtype=torch.float64), order=sorted(range(5), key=order.__getitem__)
    )


@pytest.mark.parametrize("build", [spline_coupling, spline_autoregressive])
def test_mass_is_one(build):
    flow = shaken(build(2, 2, (16,), bins=4))
    with torch.no_grad():
        mass.integrates_to_one(flow.log_prob, low=[-7, -7], high=[7, 7], points=300, tolerance=2e-3)


def test_samples_follow_the_density():
    flow = shaken(spline_coupling(2, 2, (16,), bins=4))
    with torch.no_grad():
        mass.samples_follow_density(flow, flow.log_prob, low=[-7, -7], high=[7, 7], n=10_000, points=300)


def test_pictures_pass_through_a_conditioner_of_ones_own():
    from torch import nn

    conditioner = nn.Conv2d(2, 2 * 11, 3, padding=1)
    layer = SplineCoupling(4, bins=4, conditioner=conditioner).double()
    x = torch.randn(3, 4, 2, 2, dtype=torch.float64)
    with torch.no_grad():
        bijection.inverts(layer, x, tolerance=1e-9)
    bijection.log_det_is_jacobians(layer, x[:2], tolerance=1e-9)


@pytest.mark.parametrize(("options", "message"), [({"bins": 0}, "bins: got 0"), ({"bound": -1.0}, "bound: got -1.0")])
def test_bad_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        RationalQuadratic(**options)
