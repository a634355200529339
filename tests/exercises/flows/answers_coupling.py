"""Answers to the exercises on coupling."""

import math

import numpy as np
import torch
from torch.distributions import Laplace, Normal

from gmcourse.exercises.flows.coupling import coupling_inverse, coupling_log_det, filament_mass, ica_angle, lost_mode


def log_det_by_loop(x, mask, network):
    s = network(mask * x)[0]
    return [sum(row[i] for i in range(len(mask)) if mask[i] == 0) for row in s]


def log_det_by_jacobian(x, mask, network):
    def forward(row):
        s, m = network((mask * row)[None])
        return torch.where(mask == 1, row, row * s[0].exp() + m[0])

    return torch.stack([torch.linalg.slogdet(torch.autograd.functional.jacobian(forward, row)).logabsdet for row in x])


def inverse_by_loop(z, mask, network):
    s, m = network(mask * z)
    x = torch.zeros(z.shape)
    for n in range(len(z)):
        for i in range(len(mask)):
            x[n, i] = z[n, i] if mask[i] == 1 else (z[n, i] - m[n, i]) / torch.exp(s[n, i])
    return x


def inverse_by_index(z, mask, network):
    s, m = network(mask * z)
    x, changes = z.clone(), mask == 0
    x[:, changes] = (x[:, changes] - m[:, changes]) * torch.exp(-s[:, changes])
    return x


def inverse_by_numpy(z, mask, network):
    s, m = (value.numpy() for value in network(mask * z))
    z, mask = z.numpy(), mask.numpy()
    return mask * z + (1 - mask) * (z - m) / np.exp(s)


def in_place(z, mask, network):
    s, m = network(mask * z)
    z[:, mask == 0] = ((z - m) * (-s).exp())[:, mask == 0]
    return z


def undone(way, sees=lambda z, mask: mask * z):
    def candidate(z, mask, network):
        s, m = network(sees(z, mask))
        return torch.where(mask == 1, z, way(z, s, m))

    return candidate


def turned(x, degrees):
    angle = math.radians(degrees)
    c, s = math.cos(angle), math.sin(angle)
    return x @ torch.tensor([[c, -s], [s, c]]).to(x.dtype)


def angle_by_numpy(x):
    x, best = x.numpy(), []
    for angle in np.radians(np.arange(90)):
        c, s = np.cos(angle), np.sin(angle)
        best.append(np.abs(x @ np.array([[c, -s], [s, c]])).mean())
    return np.argmin(best)


def angle_in_float32(x):
    def loss(degrees):
        c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        return (x @ torch.tensor([[c, -s], [s, c]])).abs().mean()

    return torch.stack([loss(degrees) for degrees in range(90)]).argmin()


def by_likelihood(x):
    law = Laplace(0.0, 1 / math.sqrt(2))
    return max(range(180), key=lambda degrees: law.log_prob(turned(x, degrees)).sum().item())


def by_kurtosis(x):
    return max(range(-45, 45), key=lambda degrees: turned(x, degrees).pow(4).mean().item())


def argmin(x, kind=lambda z: z.abs(), angles=range(90)):
    return min(angles, key=lambda degrees: kind(turned(x, degrees)).mean().item())


def price_of_half(share):
    q, p = np.array([1.0, 0.0]), np.array([1 - share, share])

    def divergence(a, b):
        with np.errstate(divide="ignore"):
            return sum(x * np.log(np.divide(x, y)) for x, y in zip(a, b, strict=True) if x > 0)

    return np.array([divergence(p, q), (divergence(p, (p + q) / 2) + divergence(q, (p + q) / 2)) / 2, divergence(q, p)])


def with_js(share, js):
    return math.inf, js, lost_mode(share)[2]


RIGHT = {
    "flows.coupling_log_det": {
        "by indices": lambda x, mask, net: net(mask * x)[0][:, mask == 0].sum(1),
        "loops": log_det_by_loop,
        "a Jacobian": log_det_by_jacobian,
        "a product": lambda x, mask, net: net(mask * x)[0] @ (1 - mask),
        "in float64": lambda x, mask, net: coupling_log_det(x.double(), mask.double(), net),
        "numpy": lambda x, mask, net: ((1 - mask) * net(x * mask)[0]).numpy().sum(1),
    },
    "flows.coupling_inverse": {
        "loops": inverse_by_loop,
        "by indices": inverse_by_index,
        "numpy": inverse_by_numpy,
        "torch.where": undone(lambda z, s, m: (z - m) / s.exp()),
        "in float64": lambda z, mask, net: coupling_inverse(z.double(), mask.double(), net),
    },
    "flows.nice_floor": {
        "exact": 1.5 * math.log(2 * math.pi) + 0.375,
        "rounded": 3.13,
        "a tensor": torch.tensor([3.1318]),
        "numpy": np.float32(3.13),
    },
    "flows.ica_angle": {
        "numpy's argmin": angle_by_numpy,
        "a float32 rotation": angle_in_float32,
        "a likelihood, twice round": by_likelihood,
        "fourth moments": by_kurtosis,
        "a tensor of shape (1,)": lambda x: torch.tensor([ica_angle(x)]),
        "90 degrees on": lambda x: ica_angle(x) + 90.0,
    },
    "flows.filament_mass": {
        "torch's normal": lambda gap, slope: 2 * Normal(0.0, 1.0).cdf(torch.tensor(gap / 2 / slope)) - 1,
        "erf": lambda gap, slope: torch.erf(torch.tensor(gap / (slope * math.sqrt(8)))),
        "numpy by a sum": lambda gap, slope: (
            np.exp(-0.5 * (z := np.linspace(-gap / slope / 2, gap / slope / 2, 20_001)) ** 2)[:-1].sum()
            * (z[1] - z[0])
            / np.sqrt(2 * np.pi)
        ),
        "a list of one": lambda gap, slope: [filament_mass(gap, slope)],
    },
    "flows.lost_mode": {
        "numpy by sums": price_of_half,
        "a tensor": lambda share: torch.tensor(lost_mode(share)),
        "a list": lambda share: list(lost_mode(share)),
        "log1p": lambda share: (
            float("inf"),
            -math.log1p(-share / 2)
            + 0.5 * ((1 - share) * math.log1p(-share) + share * math.log(2))
            + 0.5 * share * math.log1p(-share / 2),
            -math.log1p(-share),
        ),
    },
}
WRONG = {
    "flows.coupling_log_det": {
        "everything fed": (lambda x, mask, net: net(x)[0] @ (1 - mask), "dependence"),
        "the other half fed": (lambda x, mask, net: net((1 - mask) * x)[0] @ (1 - mask), "dependence"),
        "what stays is summed": (lambda x, mask, net: net(mask * x)[0] @ mask, "dependence"),
        "the other half fed, and summed": (lambda x, mask, net: net((1 - mask) * x)[0] @ mask, "dependence"),
        "the determinant": (lambda x, mask, net: coupling_log_det(x, mask, net).exp(), "constant"),
        "m": (lambda x, mask, net: net(mask * x)[1] @ (1 - mask), ""),
        "the mean over what changes": (lambda x, mask, net: net(mask * x)[0][:, mask == 0].mean(1), "reduction"),
        "the first row for all": (lambda x, mask, net: coupling_log_det(x[:1], mask, net).expand(len(x)), "shape"),
        "the batch's mean": (lambda x, mask, net: coupling_log_det(x, mask, net).mean().expand(len(x)), "shape"),
        "|s|, minus": (lambda x, mask, net: -net(mask * x)[0].abs() @ (1 - mask), "sign"),
        "s of each coordinate": (lambda x, mask, net: net(mask * x)[0] * (1 - mask), "shape"),
        "both": (lambda x, mask, net: (x, coupling_log_det(x, mask, net)), "container"),
        "x written into": (lambda x, mask, net: net(x.mul_(mask))[0] @ (1 - mask), "mutation"),
    },
    "flows.coupling_inverse": {
        "forwards again": (undone(lambda z, s, m: z * s.exp() + m), "sign"),
        "s not negated": (undone(lambda z, s, m: (z - m) * s.exp()), "sign"),
        "divided by s": (undone(lambda z, s, m: (z - m) / s), "constant"),
        "not scaled": (undone(lambda z, s, m: z - m), "constant"),
        "not shifted": (undone(lambda z, s, m: z * (-s).exp()), "constant"),
        "s and m exchanged": (undone(lambda z, m, s: (z - m) * (-s).exp()), ""),
        "the other half fed": (
            undone(lambda z, s, m: (z - m) * (-s).exp(), lambda z, mask: (1 - mask) * z),
            "dependence",
        ),
        "what stayed is dropped": (lambda z, mask, net: (1 - mask) * coupling_inverse(z, mask, net), "dependence"),
        "the mask upside down": (lambda z, mask, net: coupling_inverse(z, 1 - mask, net), "dependence"),
        "the changed part alone": (lambda z, mask, net: coupling_inverse(z, mask, net)[:, mask == 0], "shape"),
        "in place": (in_place, "mutation"),
    },
    "flows.nice_floor": {
        "one dimension's floor": (0.919, ""),
        "of two dimensions": (math.log(2 * math.pi) + 0.25, ""),
        "σ for σ²": (1.5 * math.log(2 * math.pi) + 0.75, ""),
        "minus": (-3.132, ""),
        "NaN": (math.nan, "not-finite"),
        "infinity": (-math.inf, "not-finite"),
        "a guess nearby": (3.14, ""),
        "a function": (lambda: 3.132, "container"),
    },
    "flows.ica_angle": {
        "in half degrees": (lambda x: 2 * ica_angle(x), ""),
        "the grid's index": (lambda x: argmin(x, angles=range(0, 90, 3)) / 3, ""),
        "Gaussian sources": (lambda x: argmin(x, lambda z: (1e3 * (z**2).mean()).round()), "constant"),
        "principal axes": (lambda x: math.degrees(math.atan2(*torch.linalg.eigh(x.T @ x)[1][:, 1].tolist())), ""),
        "too coarse": (lambda x: argmin(x, angles=range(0, 90, 20)), ""),
        "lightest tails": (lambda x: argmin(x, lambda z: z**4), "direction"),
        "always 30": (lambda x: 30.0, "constant"),
        "minus": (lambda x: -ica_angle(x), "sign"),
        "radians": (lambda x: math.radians(ica_angle(x)), "spread"),
        "one for each row": (lambda x: x.new_full((len(x),), ica_angle(x)), "shape"),
        "the rotation": (lambda x: torch.eye(2), "shape"),
        "NaN": (lambda x: math.nan, "not-finite"),
    },
    "flows.filament_mass": {
        "one end": (lambda gap, slope: Normal(0.0, 1.0).cdf(torch.tensor(gap / slope / 2)), "constant"),
        "half": (lambda gap, slope: filament_mass(gap, slope) / 2, "constant"),
        "what is left": (lambda gap, slope: 1 - filament_mass(gap, slope), "constant"),
        "no √2": (lambda gap, slope: math.erf(gap / (2 * slope)), "reduction"),
        "the density times the width": (lambda gap, slope: gap / slope / math.sqrt(2 * math.pi), ""),
        "the slope forgotten": (lambda gap, slope: filament_mass(gap, 1.0), ""),
        "the root of the slope": (lambda gap, slope: filament_mass(gap, slope**0.5), ""),
        "turned around": (lambda gap, slope: filament_mass(slope, gap), ""),
        "NaN": (lambda gap, slope: math.nan, "not-finite"),
    },
    "flows.lost_mode": {
        "KL(p‖m) for JS": (
            lambda share: with_js(share, (1 - share) * math.log((1 - share) / (1 - share / 2)) + share * math.log(2)),
            "constant",
        ),
        "KL(q‖m) for JS": (lambda share: with_js(share, -math.log(1 - share / 2)), "constant"),
        "bits": (lambda share: tuple(value / math.log(2) for value in lost_mode(share)), "spread"),
        "KLs first": (lambda share: (math.inf, lost_mode(share)[2], lost_mode(share)[1]), "shape"),
        "a large number for ∞": (lambda share: (1e6, *lost_mode(share)[1:]), "overflow"),
        "weighed by what is left": (
            lambda share: (math.inf, lost_mode(share)[1], (1 - share) * lost_mode(share)[2]),
            "log-mean",
        ),
        "half ζ ln 2 for JS": (lambda share: with_js(share, share / 2 * math.log(2)), ""),
        "minus infinity": (lambda share: (-math.inf, *lost_mode(share)[1:]), "sign"),
        "NaN": (lambda share: (math.nan, *lost_mode(share)[1:]), "not-finite"),
        "two": (lambda share: lost_mode(share)[:2], "shape"),
    },
}
