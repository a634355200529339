"""The laws of a carried density and of a solver's step hold, and catch each planted bug."""

from functools import partial

import torch
from torch.distributions import Normal

from gmcourse.laws.flows import ode


def step(f, t, z, h, inner=0.5, middle=0.5, weights=(1, 2, 2, 1), last=1.0):
    k1 = f(t, z)
    k2 = f(t + middle * h, z + inner * h * k1)
    k3 = f(t + middle * h, z + inner * h * k2)
    k4 = f(t + last * h, z + h * k3)
    return z + h * sum(w * k for w, k in zip(weights, (k1, k2, k3, k4))) / sum(weights)


def three_eighths(f, t, z, h):
    k1 = f(t, z)
    k2 = f(t + h / 3, z + h * k1 / 3)
    k3 = f(t + 2 * h / 3, z + h * (k2 - k1 / 3))
    k4 = f(t + h, z + h * (k1 - k2 + k3))
    return z + h * (k1 + 3 * k2 + 3 * k3 + k4) / 8


def heun(f, t, z, h):
    k1 = f(t, z)
    return z + h * (k1 + f(t + h, z + h * k1)) / 2


def mixed_up(f, t, z, h):
    """The first half of the step with t held, the second with z: right where f hangs on one of the two alone."""
    held = step(lambda _, y: f(t, y), t, z, h) - z
    return z + held + step(lambda s, _: f(s, z) - f(t, z), t, z, h) - z


def linear(x, a, way=-1, trace=-1):
    z = x @ torch.linalg.matrix_exp(way * a).T
    return Normal(0, 1).log_prob(z).sum(1) + trace * a.trace()


POINTS = torch.randn(5, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
TURN = torch.tensor([[0.0, -1.0], [1.0, 0.0]], dtype=torch.float64)


def widening(t, z):
    return z


def widened(t, z):
    return Normal(0.0, t.exp()).log_prob(z).sum(1)


def drifting(t, z):
    return torch.tensor([1.0, -2.0], dtype=z.dtype).expand_as(z)


def drifted(t, z):
    return Normal(t * torch.tensor([1.0, -2.0], dtype=z.dtype), 1.0).log_prob(z).sum(1)


FIELD = partial(ode.density_follows_field, log_density=widened, points=POINTS)
DENSITY = partial(ode.density_follows_field, widening, points=POINTS)
DRIFT = partial(ode.density_follows_field, drifting, points=POINTS)
RIGHT = {
    ode.step_is_of_order_four: (step, three_eighths),
    ode.linear_ode_density: (linear,),
    FIELD: (widening, lambda t, z: z + z @ TURN.T),  # a rotation on top carries the same density
    DENSITY: (widened,),
    DRIFT: (drifted,),  # a velocity that hangs on nothing has no trace
}
BUGS = {
    ode.step_is_of_order_four: {
        "z held where f hangs on t and z": (mixed_up, ""),
        "h left out": (lambda f, t, z, h: step(f, t, z, 1.0), "constant"),
        "t stands still": (lambda f, t, z, h: step(f, t, z, h, middle=0, last=0), "dependence"),
        "Euler's step": (lambda f, t, z, h: z + h * f(t, z), "dependence"),
        "Heun's step": (heun, "reduction"),
        "equal weights": (lambda f, t, z, h: step(f, t, z, h, weights=(1, 1, 1, 1)), "reduction"),
        "whole steps inside": (lambda f, t, z, h: step(f, t, z, h, inner=1.0), "spread"),
        "backwards": (lambda f, t, z, h: step(f, t, z, -h), "constant"),
        "the first row alone": (lambda f, t, z, h: step(f, t, z, h)[0], "shape"),
        "the first row for all": (lambda f, t, z, h: step(f, t, z, h)[:1].expand_as(z), "constant"),
    },
    ode.linear_ode_density: {
        "trace added": (lambda x, a: linear(x, a, trace=1), "sign"),
        "no trace": (lambda x, a: linear(x, a, trace=0), "constant"),
        "forwards": (lambda x, a: linear(x, a, way=1), "direction"),
        "det A for its trace": (lambda x, a: linear(x, a, trace=0) - torch.linalg.slogdet(a).logabsdet, "not-finite"),
        "A transposed": (lambda x, a: linear(x, a.T), "dependence"),
        "one Euler step": (lambda x, a: Normal(0, 1).log_prob(x - x @ a.T).sum(1) - a.trace(), "spread"),
        "the first row for all": (lambda x, a: linear(x, a)[:1].expand(len(x)), "shape"),
        "one for the batch": (lambda x, a: linear(x, a).sum(), "shape"),
    },
    FIELD: {
        "sign": (lambda t, z: -z, ""),
        "twice as fast": (lambda t, z: 2 * z, ""),
        "one coordinate": (lambda t, z: z[:, :1], "shape"),
        "the first row for all": (lambda t, z: z[:1].expand_as(z), ""),
        "detached": (lambda t, z: z.detach(), ""),
    },
    DENSITY: {
        "half as fast": (lambda t, z: Normal(0.0, (t / 2).exp()).log_prob(z).sum(1), ""),
        "no trace": (lambda t, z: widened(t, z) + 2 * t, "constant"),
        "trace of the other sign": (lambda t, z: widened(t, z) + 4 * t, "sign"),
        "stands still": (lambda t, z: Normal(0.0, 1.0).log_prob(z).sum(1), ""),
        "detached": (lambda t, z: widened(t, z).detach(), "constant"),
        "one for the batch": (lambda t, z: widened(t, z).sum(), "shape"),
    },
    DRIFT: {"against the drift": (lambda t, z: drifted(-t, z), "")},
}
