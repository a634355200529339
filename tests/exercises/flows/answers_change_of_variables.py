"""Answers to the exercises on the change of variables."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch.distributions import Independent, Normal, TransformedDistribution
from torch.distributions.transforms import AffineTransform

from gmcourse.flows.planar import constrain_u, planar_inverse, planar_log_det


def affine(x, a, b):
    return Normal(b, a.abs()).log_prob(x).sum(1)


def affine_by_numpy(x, a, b):
    x, a, b = (value.numpy() for value in (x, a, b))
    z = (x - b) / a
    return (-0.5 * z**2 - np.log(np.abs(a)) - 0.5 * np.log(2 * np.pi)).sum(1)


def affine_by_loop(x, a, b):
    rows = []
    for row in x:
        total = 0.0
        for value, stretch, shift in zip(row.tolist(), a.tolist(), b.tolist(), strict=True):
            total -= 0.5 * ((value - shift) / stretch) ** 2 + math.log(abs(stretch)) + 0.5 * math.log(2 * math.pi)
        rows.append(total)
    return rows


def affine_by_torch(x, a, b):
    base = Normal(torch.zeros_like(b), torch.ones_like(b))
    return Independent(TransformedDistribution(base, [AffineTransform(b, a)]), 1).log_prob(x)


def affine_by_covariance(x, a, b):
    return torch.distributions.MultivariateNormal(b, torch.diag(a**2)).log_prob(x)


def affine_in_place(x, a, b):
    x -= b
    return Normal(0.0, 1.0).log_prob(x / a).sum(1) - a.abs().log().sum()


def base(z):
    return Normal(0.0, 1.0).log_prob(z).sum(1)


def stretch(a):
    return a.abs().log().sum()


def flat(x, v, b):
    return 1 - torch.tanh(x @ v + b) ** 2


def planar_by_slogdet(x, u, v, b):
    w = flat(x, v, b)[:, None] * v
    return torch.linalg.slogdet(torch.eye(len(u)) + u[:, None] * w[:, None, :]).logabsdet


def planar_by_jacrev(x, u, v, b):
    jacobian = torch.func.vmap(torch.func.jacrev(lambda row: row + u * torch.tanh(row @ v + b)))(x)
    return torch.linalg.det(jacobian).abs().log()


def planar_by_numpy(x, u, v, b):
    x, u, v = x.numpy().astype(np.float64), u.numpy(), v.numpy()
    return np.log(np.abs(1 + (u @ v) / np.cosh(x @ v + float(b)) ** 2))


def planar_by_loop(x, u, v, b):
    return [torch.log(torch.abs(1 + (1 - torch.tanh(v @ row + b) ** 2) * (u @ v))) for row in x]


def log_of(slope, share):
    return (1 + slope * share).abs().log()


def moved(u, v, shift):
    return u + shift * v / (v @ v)


def constrained_by_parts(u, v):
    along = (v @ u) / (v @ v) * v
    return u - along + (torch.log1p(torch.exp(v @ u)) - 1) / (v @ v) * v


def bisected(z, u, v, b, halvings=60, reach=None):
    height, slope = z @ v, v @ u
    reach = slope.abs() if reach is None else reach
    low, high = height - reach, height + reach
    for _ in range(halvings):
        middle = (low + high) / 2
        below = middle + slope * torch.tanh(middle + b) < height
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    return z - torch.outer(torch.tanh((low + high) / 2 + b), u)


def by_newton_in_float64(z, u, v, b):
    z, u, v = z.double(), u.double(), v.double()
    a, slope = -b.double() * torch.ones(len(z)), v @ u  # from the steepest place all steps stay bounded
    for _ in range(200):
        error = a + slope * torch.tanh(a + b) - z @ v
        step = error / (1 + slope * (1 - torch.tanh(a + b) ** 2))
        a = a - step.clamp(-0.5, 0.5)
    return z - torch.outer(torch.tanh(a + b), u)


def by_rows(z, u, v, b):
    found = []
    for row in z.tolist():
        height, slope = sum(p * q for p, q in zip(row, v.tolist(), strict=True)), float(v @ u)
        low, high = height - abs(slope), height + abs(slope)
        for _ in range(50):
            middle = (low + high) / 2
            if middle + slope * math.tanh(middle + float(b)) < height:
                low = middle
            else:
                high = middle
        found.append([p - q * math.tanh(low + float(b)) for p, q in zip(row, u.tolist(), strict=True)])
    return found


def iterated(z, u, v, b, times=200, share=1.0):
    x = z
    for _ in range(times):
        x = (1 - share) * x + share * (z - torch.outer(torch.tanh(x @ v + b), u))
    return x


RIGHT = {
    "flows.affine_log_prob": {
        "torch's normal": affine,
        "numpy": affine_by_numpy,
        "loops and a list": affine_by_loop,
        "a transformed distribution": affine_by_torch,
        "a covariance": affine_by_covariance,
        "in float64": lambda x, a, b: affine(x.double(), a.double(), b.double()),
        "a vmap over rows": lambda x, a, b: torch.func.vmap(lambda row: affine(row[None], a, b)[0])(x),
    },
    "flows.planar_log_det": {
        "the package's": planar_log_det,
        "slogdet of I + u wᵀ": planar_by_slogdet,
        "vmap of jacrev": planar_by_jacrev,
        "numpy, by cosh": planar_by_numpy,
        "a loop and a list": planar_by_loop,
    },
    "flows.constrain_u": {
        "the package's": constrain_u,
        "by parts": constrained_by_parts,
        "one line": lambda u, v: moved(u, v, F.softplus(v @ u) - 1 - v @ u),
        "in float64": lambda u, v: constrain_u(u.double(), v.double()),
        "an array": lambda u, v: constrain_u(u, v).numpy(),
    },
    "flows.planar_inverse": {
        "the package's": planar_inverse,
        "halvings": bisected,
        "Newton in float64": by_newton_in_float64,
        "row by row": by_rows,
        "a wide bracket": lambda z, u, v, b: bisected(z, u, v, b, reach=100.0),
        "a damped iteration": lambda z, u, v, b: iterated(z.double(), u.double(), v.double(), b, 1000, 0.1),
    },
    "flows.likeliest_value": {"exact": math.exp(-4), "rounded": 0.018, "a tensor": torch.tensor([-4.0]).exp()},
    "flows.mass_of_the_slip": {"a fraction": 1 / 64, "rounded": 0.0156, "numpy": np.float32(0.015625)},
}
WRONG = {
    "flows.affine_log_prob": {
        "the log-det in each coordinate": (lambda x, a, b: affine(x, a, b) - (len(a) - 1) * stretch(a), "reduction"),
        "the mean for the sum": (lambda x, a, b: base((x - b) / a) - a.abs().log().mean(), "reduction"),
        "|ln a|": (lambda x, a, b: base((x - b) / a) - a.abs().log().abs().sum(), ""),
        "a² for a": (lambda x, a, b: Normal(b, a**2).log_prob(x).sum(1), "spread"),
        "√|a| for a": (lambda x, a, b: Normal(b, a.abs().sqrt()).log_prob(x).sum(1), "spread"),
        "shifted after the stretch": (lambda x, a, b: base(x / a - b) - stretch(a), "one-to-one"),
        "the map forwards": (lambda x, a, b: base(a * x + b) - stretch(a), "direction"),
        "the shift added": (lambda x, a, b: base((x + b) / a) - stretch(a), "one-to-one"),
        "the largest stretch alone": (lambda x, a, b: base((x - b) / a) - a.abs().max().log(), ""),
        "the product, not its logarithm": (lambda x, a, b: base((x - b) / a) - a.abs().prod(), ""),
        "a row for all": (lambda x, a, b: affine(x, a, b)[:1].expand(len(x)), "shape"),
        "the batch's sum": (lambda x, a, b: affine(x, a, b).sum(), "shape"),
        "no 2π": (lambda x, a, b: (-0.5 * ((x - b) / a) ** 2 - a.abs().log()).sum(1), ""),
        "the density": (lambda x, a, b: affine(x, a, b).exp(), ""),
        "only a > 0": (lambda x, a, b: Normal(b, a.clamp(min=1e-3)).log_prob(x).sum(1), ""),
        "log of a": (lambda x, a, b: base((x - b) / a) - a.log().sum(), "not-finite"),
        "in place": (affine_in_place, "mutation"),
        "a string": (lambda x, a, b: "ln p", "container"),
        "in place, to cheat": (lambda x, a, b: x.copy_(b.expand_as(x)).sum(1), "mutation"),
    },
    "flows.planar_log_det": {
        "vᵀv for vᵀu": (lambda x, u, v, b: log_of(v @ v, flat(x, v, b)), "dependence"),
        "uᵀu for vᵀu": (lambda x, u, v, b: log_of(u @ u, flat(x, v, b)), "dependence"),
        "û for u": (lambda x, u, v, b: planar_log_det(x, constrain_u(u, v), v, b), ""),
        "clamped": (lambda x, u, v, b: (1 + (v @ u) * flat(x, v, b)).clamp(min=1e-6).log(), ""),
        "the diagonal's product": (
            lambda x, u, v, b: (1 + u * v * flat(x, v, b)[:, None]).abs().log().sum(1),
            "reduction",
        ),
        "at the output": (
            lambda x, u, v, b: planar_log_det(x + torch.outer(torch.tanh(x @ v + b), u), u, v, b),
            "direction",
        ),
        "b forgotten": (lambda x, u, v, b: planar_log_det(x, u, v, 0 * b), ""),
        "tanh′ without the square": (lambda x, u, v, b: log_of(v @ u, 1 - torch.tanh(x @ v + b)), ""),
        "the determinant": (lambda x, u, v, b: 1 + (v @ u) * flat(x, v, b), ""),
        "the first row for all": (lambda x, u, v, b: planar_log_det(x, u, v, b)[:1].expand(len(x)), "shape"),
        "no |·|": (lambda x, u, v, b: (1 + (v @ u) * flat(x, v, b)).log(), "not-finite"),
        "a column": (lambda x, u, v, b: planar_log_det(x, u, v, b)[:, None], "shape"),
    },
    "flows.constrain_u": {
        "m added to vᵀu": (lambda u, v: moved(u, v, F.softplus(v @ u) - 1), "direction"),
        "divided by ‖v‖⁴": (lambda u, v: u + (F.softplus(v @ u) - 1 - v @ u) * v / (v @ v) ** 2, "reduction"),
        "entry by entry": (lambda u, v: F.softplus(u) - 1, "dependence"),
        "along u": (lambda u, v: u + (F.softplus(v @ u) - 1 - v @ u) * u / (v @ u), "dependence"),
        "the part across dropped": (lambda u, v: (F.softplus(v @ u) - 1) * v / (v @ v), "dependence"),
        "exp for softplus": (lambda u, v: moved(u, v, (v @ u).exp() - 1 - v @ u), ""),
        "clamped in vᵀu": (lambda u, v: moved(u, v, (v @ u).clamp(min=-0.99) - v @ u), ""),
        "softplus of −vᵀu": (lambda u, v: moved(u, v, F.softplus(-v @ u) - 1 - v @ u), ""),
        "vᵀû": (lambda u, v: v @ constrain_u(u, v), "shape"),
        "u written into": (lambda u, v: u.copy_(constrain_u(u, v)), "mutation"),
    },
    "flows.planar_inverse": {
        "z as it is": (lambda z, u, v, b: z, ""),
        "two steps of an iteration": (lambda z, u, v, b: iterated(z, u, v, b, 2), ""),
        "a bracket of ½": (lambda z, u, v, b: bisected(z, u, v, b, reach=0.5), "one-to-one"),
        "ten halvings": (lambda z, u, v, b: bisected(z, u, v, b, halvings=8), ""),
        "b forgotten": (lambda z, u, v, b: bisected(z, u, v, 0 * b), ""),
        "the sign of u": (lambda z, u, v, b: bisected(z, -u, v, b), ""),
        "v for u in the last step": (
            lambda z, u, v, b: z - torch.outer(torch.tanh(planar_inverse(z, u, v, b) @ v + b), v),
            "",
        ),
        "the heights": (lambda z, u, v, b: planar_inverse(z, u, v, b) @ v, "shape"),
        "an iteration that cycles": (lambda z, u, v, b: iterated(z, u, v, b, 1001), "gradient"),
    },
    "flows.likeliest_value": {
        "ln x": (-4.0, "one-to-one"),
        "z": (-2, "one-to-one"),
        "half of it": (math.exp(-2), ""),
        "not a number": (math.nan, "not-finite"),
        "infinity": (math.inf, "not-finite"),
        "two": ([0.018, 0.018], "container"),
        "True": (True, "container"),
    },
    "flows.mass_of_the_slip": {
        "two coordinates": (1 / 16, "reduction"),
        "nine ln 2": (1 / 512, "reduction"),
        "up": (8, "sign"),
        "0": (0, ""),
        "a word": ("a quarter", "container"),
        "NaN": (math.nan, "not-finite"),
    },
}
