"""Answers to the exercises on continuous flows."""

import math

import numpy as np
import torch
from torch.distributions import MultivariateNormal, Normal

from gmcourse.exercises.flows.continuous_flows import (
    hutchinson,
    linear_ode_log_prob,
    rademacher_variance,
    runge_kutta_step,
)


def base(z):
    return Normal(0.0, 1.0).log_prob(z).sum(1)


def exp(a):
    return torch.linalg.matrix_exp(a)


def density_by_covariance(x, a):
    flow = exp(a.double())
    return MultivariateNormal(torch.zeros(len(a)).double(), flow @ flow.T).log_prob(x.double())


def density_by_solving(x, a):
    z = torch.linalg.solve(exp(a), x.T).T
    return base(z) - torch.linalg.slogdet(exp(a)).logabsdet


def density_by_loop(x, a):
    back = exp(-a)
    return [float(-0.5 * (back @ row).square().sum() - len(a) / 2 * math.log(2 * math.pi) - a.trace()) for row in x]


def density_by_steps(x, a):
    """A million Euler steps back, with their own volume."""
    z, step = x.double(), torch.eye(len(a)).double() - a.double() / 2**20
    power = torch.linalg.matrix_power(step, 2**20)
    return base(z @ power.T) + torch.linalg.slogdet(power).logabsdet


def product(f, z, v):
    return torch.func.jvp(f, (z,), (v,))[1]


def gaussian(z, rng):
    return torch.randn(z.shape, generator=rng)


def signs(z, rng):
    return 2.0 * torch.randint(0, 2, z.shape, generator=rng) - 1


def with_probe(probe, way=lambda f, z, v: (v * product(f, z, v)).sum(1)):
    return lambda f, z, rng: way(f, z, probe(z, rng))


def by_vjp(f, z, rng):
    v = gaussian(z, rng)
    return (torch.func.vjp(f, z)[1](v)[0] * v).sum(1)


def by_autograd(f, z, rng):
    z, v = z.detach().requires_grad_(), signs(z, rng)
    return (torch.autograd.grad(f(z), z, v)[0] * v).sum(1)


def by_differences(f, z, rng):
    v, h = signs(z, rng), 1e-2
    return (v * (f(z + h * v) - f(z - h * v))).sum(1) / (2 * h)


def one_coordinate(f, z, rng):
    """√D times one of the D axes."""
    v = math.sqrt(z.shape[1]) * torch.eye(z.shape[1])[torch.randint(0, z.shape[1], (len(z),), generator=rng)]
    return torch.einsum("bi,bi->b", v, product(f, z, v))


def exactly(f, z, rng):
    axes = torch.eye(z.shape[1])
    return sum(product(f, z, axis.expand_as(z))[:, i] for i, axis in enumerate(axes))


def at_noise(scale):
    return lambda f, z, rng: hutchinson(f, z + scale * gaussian(z, rng), rng)


def difference(h):
    """Over a step h, forwards."""
    return with_probe(gaussian, lambda f, z, v: (v * (f(z + h * v) - f(z))).sum(1) / h)


def on_a_sphere(z, rng, radius=1.0):
    v = gaussian(z, rng)
    return radius * v / v.norm(dim=1, keepdim=True)


def by_jacobians(f, z, rng):
    jacobian = torch.func.vmap(torch.func.jacrev(lambda row: f(row[None])[0]))(z)
    return torch.einsum("bi,bij,bj->b", v := gaussian(z, rng), jacobian, v)


def gill(f, t, z, h):
    r = math.sqrt(2)
    k1 = f(t, z)
    k2 = f(t + h / 2, z + h / 2 * k1)
    k3 = f(t + h / 2, z + h * ((r - 1) / 2 * k1 + (1 - 1 / r) * k2))
    k4 = f(t + h, z + h * ((1 + 1 / r) * k3 - k2 / r))
    return z + h / 6 * (k1 + (2 - r) * k2 + (2 + r) * k3 + k4)


def gauss(f, t, z, h):
    """Two implicit stages of order 4, found by repetition."""
    r = math.sqrt(3) / 6
    k1 = k2 = f(t, z)
    for _ in range(40):
        first = f(t + (0.5 - r) * h, z + h * (k1 / 4 + (0.25 - r) * k2))
        k1, k2 = first, f(t + (0.5 + r) * h, z + h * ((0.25 + r) * k1 + k2 / 4))
    return z + h / 2 * (k1 + k2)


def seeded(f, z, rng):
    return hutchinson(f, z, torch.Generator().manual_seed(3))


def shared(f, z, rng):
    v = signs(z[:1], rng).expand_as(z)
    return (v * product(f, z, v)).sum(1)


def one_number(z, rng):
    return gaussian(z[:, :1], rng).expand_as(z)


def variance_by_trying(matrix):
    size = len(matrix)
    signs = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * size).view(-1, size)
    return torch.einsum("ni,ij,nj->n", signs, matrix, signs).var(correction=0)


def variance_by_loop(matrix):
    rows = matrix.tolist()
    return sum((rows[i][j] + rows[j][i]) ** 2 for i in range(len(rows)) for j in range(i))


def tableau(weights, *stages):
    """An explicit scheme: each stage its time and its weights of the slopes before."""

    def candidate(f, t, z, h):
        slopes = []
        for time, before in stages:
            slopes.append(f(t + time * h, z + h * sum((w * k for w, k in zip(before, slopes, strict=True)), 0 * z)))
        return z + h * sum(w * k for w, k in zip(weights, slopes, strict=True))

    return candidate


FEHLBERG = (
    (0, ()),
    (1 / 4, (1 / 4,)),
    (3 / 8, (3 / 32, 9 / 32)),
    (12 / 13, (1932 / 2197, -7200 / 2197, 7296 / 2197)),
    (1, (439 / 216, -8, 3680 / 513, -845 / 4104)),
    (1 / 2, (-8 / 27, 2, -3544 / 2565, 1859 / 4104, -11 / 40)),
)
FOURTH = tableau((25 / 216, 0, 1408 / 2565, 2197 / 4104, -1 / 5, 0), *FEHLBERG)
FIFTH = tableau((16 / 135, 0, 6656 / 12825, 28561 / 56430, -9 / 50, 2 / 55), *FEHLBERG)
THREE_EIGHTHS = tableau((1 / 8, 3 / 8, 3 / 8, 1 / 8), (0, ()), (1 / 3, (1 / 3,)), (2 / 3, (-1 / 3, 1)), (1, (1, -1, 1)))
KUTTA3 = tableau((1 / 6, 2 / 3, 1 / 6), (0, ()), (1 / 2, (1 / 2,)), (1, (-1, 2)))
HEUN = tableau((1 / 2, 1 / 2), (0, ()), (1, (1,)))
MIDDLE = tableau((0, 1), (0, ()), (1 / 2, (1 / 2,)))
EQUAL = tableau((1 / 4,) * 4, (0, ()), (1 / 2, (1 / 2,)), (1 / 2, (0, 1 / 2)), (1, (0, 0, 1)))
WHOLE = tableau((1 / 6, 1 / 3, 1 / 3, 1 / 6), (0, ()), (1 / 2, (1,)), (1 / 2, (0, 1)), (1, (0, 0, 1)))
ALL_FROM_FIRST = tableau((1 / 6, 1 / 3, 1 / 3, 1 / 6), (0, ()), (1 / 2, (1 / 2,)), (1 / 2, (1 / 2, 0)), (1, (1, 0, 0)))


def classic_by_names(f, t, z, h):
    k1 = f(t, z)
    k2 = f(t + h / 2, z + h * k1 / 2)
    k3 = f(t + h / 2, z + h * k2 / 2)
    k4 = f(t + h, z + h * k3)
    return z + h * (k1 + 2 * k2 + 2 * k3 + k4) / 6


def richardson(f, t, z, h):
    """Three runs of the middle rule by two, four and eight steps, extrapolated."""

    def run(n):
        y = z
        for i in range(n):
            y = MIDDLE(f, t + i * h / n, y, h / n)
        return y

    a, b, c = run(2), run(4), run(8)
    a, b = b + (b - a) / 3, c + (c - b) / 3
    return b + (b - a) / 7


def in_numpy(f, t, z, h):
    return runge_kutta_step(lambda t, z: torch.as_tensor(f(t, z)), t, z, h).numpy()


def in_place(f, t, z, h):
    z += runge_kutta_step(f, t, z, h) - z
    return z


MASS = (1 + math.pi**2 / 64) ** -4
RIGHT = {
    "flows.linear_ode_log_prob": {
        "a covariance": density_by_covariance,
        "by solving": density_by_solving,
        "a loop and a list": density_by_loop,
        "many steps": density_by_steps,
        "in float64": lambda x, a: linear_ode_log_prob(x.double(), a.double()),
    },
    "flows.hutchinson": {
        "Gaussian, float32": with_probe(gaussian),
        "signs": with_probe(signs),
        "a vjp": by_vjp,
        "autograd": by_autograd,
        "central differences": by_differences,
        "one axis": one_coordinate,
        "uniform of variance 1": with_probe(lambda z, rng: math.sqrt(12) * (torch.rand(z.shape, generator=rng) - 0.5)),
        "all axes": exactly,
        "a forward difference": difference(1e-2),
        "whole Jacobians": by_jacobians,
        "on a sphere": with_probe(lambda z, rng: on_a_sphere(z, rng, math.sqrt(z.shape[1]))),
        "two probes averaged": lambda f, z, rng: (hutchinson(f, z, rng) + hutchinson(f, z, rng)) / 2,
    },
    "flows.hutchinson_variance": {
        "all vectors": variance_by_trying,
        "a double loop": variance_by_loop,
        "numpy": lambda a: np.square(np.triu((b := a.numpy()) + b.T, 1)).sum(),
        "einsum": lambda a: torch.einsum("ij,ij->", s := (a + a.T).triu(1), s),
        "by two norms": lambda a: 2 * ((a + a.T).norm() ** 2 / 4 - a.diagonal().norm() ** 2),
        "of shape (1,)": lambda a: rademacher_variance(a)[None],
    },
    "flows.runge_kutta_step": {
        "by names": classic_by_names,
        "the three-eighths rule": THREE_EIGHTHS,
        "Fehlberg, order 4": FOURTH,
        "Fehlberg, order 5": FIFTH,
        "extrapolated": richardson,
        "Gill's": gill,
        "Gauss, implicit": gauss,
        "two half steps": lambda f, t, z, h: runge_kutta_step(f, t + h / 2, runge_kutta_step(f, t, z, h / 2), h / 2),
        "numpy": in_numpy,
    },
    "flows.claimed_mass": {"exact": MASS, "rounded": 0.563, "a tensor": torch.tensor(MASS), "numpy": np.float32(MASS)},
}
WRONG = {
    "flows.linear_ode_log_prob": {
        "x @ e^{−A}": (lambda x, a: base(x @ exp(-a)) - a.trace(), "dependence"),
        "e^A": (lambda x, a: base(x @ exp(a).T) - a.trace(), "direction"),
        "e^A, and + trace": (lambda x, a: base(x @ exp(a).T) + a.trace(), "direction"),
        "at x": (lambda x, a: base(x) - a.trace(), "direction"),
        "entry by entry": (lambda x, a: base(x @ (-a).exp().T) - a.trace(), "reduction"),
        "one step": (lambda x, a: base(x - x @ a.T) - a.trace(), "spread"),
        "the sum of A": (lambda x, a: base(x @ exp(-a).T) - a.sum(), ""),
        "ln tr A": (lambda x, a: base(x @ exp(-a).T) - a.trace().abs().log(), "not-finite"),
        "det A": (lambda x, a: base(x @ exp(-a).T) - torch.linalg.det(a), ""),
        "e^{tr A}": (lambda x, a: base(x @ exp(-a).T) - a.trace().exp(), ""),
        "no trace": (lambda x, a: base(x @ exp(-a).T), "constant"),
        "the first row for all": (lambda x, a: linear_ode_log_prob(x[:1], a).expand(len(x)), "shape"),
        "no sum": (lambda x, a: Normal(0.0, 1.0).log_prob(x @ exp(-a).T) - a.trace(), "shape"),
    },
    "flows.hutchinson": {
        "v·f(v)": (with_probe(signs, lambda f, z, v: (v * f(v)).sum(1)), "direction"),
        "v·(f(z + v) − f(z))": (with_probe(gaussian, lambda f, z, v: (v * (f(z + v) - f(z))).sum(1)), "gradient"),
        "v·f(z + v)": (with_probe(signs, lambda f, z, v: (v * f(z + v)).sum(1)), "gradient"),
        "the Jacobian at v": (with_probe(gaussian, lambda f, z, v: (v * product(f, v, v)).sum(1)), "direction"),
        "a step of 0.1": (difference(0.1), "gradient"),
        "at z + 0.1 noise": (at_noise(0.1), "gradient"),
        "at z + 0.03 noise": (at_noise(0.03), "gradient"),
        "at 0.9 z": (lambda f, z, rng: hutchinson(f, 0.9 * z, rng), ""),
        "of length 1": (with_probe(on_a_sphere), "reduction"),
        "the Jacobian at 0": (lambda f, z, rng: hutchinson(f, 0 * z, rng), "direction"),
        "its own seed": (seeded, "randomness"),
        "z as the probe": (lambda f, z, rng: (z * product(f, z, z)).sum(1), "randomness"),
        "ones": (lambda f, z, rng: product(f, z, torch.ones_like(z)).sum(1), "randomness"),
        "torch's own noise": (lambda f, z, rng: hutchinson(f, z, None), "randomness"),
        "in [0, 1)": (with_probe(lambda z, rng: torch.rand(z.shape, generator=rng)), "one-to-one"),
        "one number for all coordinates": (with_probe(one_number), "one-to-one"),
        "a mean over coordinates": (with_probe(signs, lambda f, z, v: (v * product(f, z, v)).mean(1)), "reduction"),
        "‖Jv‖²": (with_probe(signs, lambda f, z, v: product(f, z, v).square().sum(1)), ""),
        "v·f(z)": (with_probe(signs, lambda f, z, v: (v * f(z)).sum(1)), "constant"),
        "two probes": (lambda f, z, rng: (gaussian(z, rng) * product(f, z, gaussian(z, rng))).sum(1), "constant"),
        "one probe": (shared, "dependence"),
        "in [−1, 1]": (with_probe(lambda z, rng: 2 * torch.rand(z.shape, generator=rng) - 1), "spread"),
        "|·| of each": (lambda f, z, rng: hutchinson(f, z, rng).abs(), ""),
        "twice too wide": (with_probe(lambda z, rng: 2 * gaussian(z, rng)), ""),
        "z moved": (lambda f, z, rng: hutchinson(f, z.add_(1.0), rng), "mutation"),
        "the batch's mean": (lambda f, z, rng: hutchinson(f, z, rng).mean(), "shape"),
    },
    "flows.hutchinson_variance": {
        "the mean square": (lambda a: rademacher_variance(a) + a.trace() ** 2, "log-mean"),
        "each pair twice": (lambda a: 2 * rademacher_variance(a), "constant"),
        "Gaussian": (lambda a: 2 * ((a + a.T) / 2).square().sum(), "spread"),
        "not symmetric": (lambda a: 2 * (a.square().sum() - a.diagonal().square().sum()), "direction"),
        "the antisymmetric part": (lambda a: ((a - a.T) ** 2).triu(1).sum(), ""),
        "of one draw": (lambda a: torch.ones(len(a)) @ a @ torch.ones(len(a)), ""),
        "a matrix": (lambda a: a, "shape"),
        "NaN": (lambda a: math.nan, "not-finite"),
    },
    "flows.runge_kutta_step": {
        "Kutta, order 3": (KUTTA3, ""),
        "Heun": (HEUN, "reduction"),
        "the middle rule": (MIDDLE, "dependence"),
        "Euler": (tableau((1,), (0, ())), "dependence"),
        "time frozen at the middle": (
            lambda f, t, z, h: classic_by_names(lambda _, y: f(t + h / 2, y), t, z, h),
            "dependence",
        ),
        "equal weights": (EQUAL, "reduction"),
        "whole steps inside": (WHOLE, "spread"),
        "all from the first slope": (ALL_FROM_FIRST, ""),
        "the change alone": (lambda f, t, z, h: classic_by_names(f, t, z, h) - z, "constant"),
        "backwards": (lambda f, t, z, h: classic_by_names(f, t, z, -h), "constant"),
        "no h": (lambda f, t, z, h: z + f(t, z), "constant"),
        "in place": (in_place, "mutation"),
    },
    "flows.claimed_mass": {
        "one": (1, "constant"),
        "too large": (1 / MASS, "direction"),
        "one step": (MASS**0.25, "reduction"),
        "two steps": (MASS**0.5, "spread"),
        "a half turn's": (0.390, ""),
        "NaN": (math.nan, "not-finite"),
        "a text": ("less", "container"),
    },
}
