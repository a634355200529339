"""Answers to the exercises on flow matching."""

import math

import numpy as np
import torch

from gmcourse.flows.matching import empirical_velocity, flow_matching_target


def wide(t, x):
    return t.reshape(-1, *[1] * (x.dim() - 1))


def target_by_loop(x0, x1, t):
    x, velocity = torch.zeros(x1.shape), torch.zeros(x1.shape)
    for i in range(len(t)):
        x[i] = (1 - t[i]) * x0[i] + t[i] * x1[i]
        velocity[i] = x1[i] - x0[i]
    return x, velocity


def target_by_lists(x0, x1, t):
    rows = [(1 - s) * a + s * b for a, b, s in zip(x0, x1, t, strict=True)]
    return rows, [b - a for a, b in zip(x0, x1, strict=True)]


def target_by_einsum(x0, x1, t):
    return torch.einsum("b...,b->b...", x0, 1 - t) + torch.einsum("b...,b->b...", x1, t), x1 - x0


def target_in_numpy(x0, x1, t):
    x0, x1, t = (part.numpy().astype(np.float64) for part in (x0, x1, t))
    return (x0.T + t * (x1 - x0).T).T, x1 - x0


def target_by_vmap(x0, x1, t):
    return torch.func.vmap(lambda a, b, s: (a + s * (b - a), b - a))(x0, x1, t)


def target(place=lambda t: t, velocity=lambda x0, x1, t: x1 - x0):
    return lambda x0, x1, t: (torch.lerp(x0, x1, wide(place(t), x1)), velocity(x0, x1, wide(t, x1)))


def curved(x0, x1, t):
    """Another path, with its own velocity."""
    quarter = wide(t, x1) * math.pi / 2
    velocity = math.pi / 2 * (quarter.cos() * x1 - quarter.sin() * x0)
    return quarter.cos() * x0 + quarter.sin() * x1, velocity


def in_place(x0, x1, t):
    velocity = x1 - x0
    x0 += wide(t, x1) * velocity
    return x0, velocity


def field(logits, points, x, t, axis=1):
    return (logits.softmax(axis) @ points - x) / (1 - t)


def squares(x, t, points):
    return (x[:, None] - t * points).square().sum(2)


def field_by_loop(x, t, points):
    rows = []
    for row in x:
        logits = torch.tensor([-((row - t * p) ** 2).sum() / (2 * (1 - t) ** 2) for p in points])
        weights = torch.softmax(logits, 0)
        rows.append(sum(w * (p - row) / (1 - t) for w, p in zip(weights, points, strict=True)))
    return rows


def field_in_numpy(x, t, points):
    x, points = x.numpy().astype(float), points.numpy().astype(float)
    logits = -((x[:, None] - t * points) ** 2).sum(2) / (2 * (1 - t) ** 2)
    weights = np.exp(logits - logits.max(1, keepdims=True))
    return (weights @ points / weights.sum(1, keepdims=True) - x) / (1 - t)


def field_by_noise(x, t, points):
    """E x₁ − E x₀, each by itself."""
    weights = torch.softmax(-(torch.cdist(x.double(), t * points.double()) ** 2) / (2 * (1 - t) ** 2), 1)
    mean = weights @ points.double()
    return mean - (x - t * mean) / (1 - t)


def plain(x, t, points):
    weights = (-squares(x, t, points) / (2 * (1 - t) ** 2)).exp()
    return (weights @ points / weights.sum(1, keepdim=True) - x) / (1 - t)


RIGHT = {
    "flows.flow_matching_target": {
        "a loop into zeros": target_by_loop,
        "lists": target_by_lists,
        "einsum": target_by_einsum,
        "numpy": target_in_numpy,
        "vmap": target_by_vmap,
        "a list of two": lambda x0, x1, t: list(flow_matching_target(x0, x1, t)),
        "in float64": lambda x0, x1, t: flow_matching_target(x0.double(), x1.double(), t.double()),
    },
    "flows.matching_floor": {"exact": math.pi / 2, "rounded": 1.57, "a tensor": torch.tensor(math.pi / 2)},
    "flows.one_euler_step": {"0": 0, "0.0": 0.0, "a tensor": torch.zeros(1), "nearly": 1e-7},
    "flows.empirical_velocity": {
        "loops and a list": field_by_loop,
        "numpy": field_in_numpy,
        "by the noise's mean": field_by_noise,
        "in float64": lambda x, t, p: empirical_velocity(x.double(), t, p.double()),
        "by softmax": lambda x, t, p: field(-squares(x, t, p) / (2 * (1 - t) ** 2), p, x, t),
        "vmap": lambda x, t, p: torch.func.vmap(lambda row: empirical_velocity(row[None], t, p)[0])(x),
    },
}
WRONG = {
    "flows.flow_matching_target": {
        "the first t": (target(lambda t: t[:1].expand_as(t)), "dependence"),
        "the mean t": (target(lambda t: t.mean().expand_as(t)), "dependence"),
        "x₁ as the velocity": (target(velocity=lambda x0, x1, t: x1), "gradient"),
        "what is left": (target(velocity=lambda x0, x1, t: (1 - t) * (x1 - x0)), "gradient"),
        "what is gone": (target(velocity=lambda x0, x1, t: t * (x1 - x0)), "gradient"),
        "a quarter circle": (curved, "spread"),
        "t squared": (target(lambda t: t**2), "spread"),
        "t turned around": (target(lambda t: 1 - t), "direction"),
        "the noise stays": (lambda x0, x1, t: (x0 + wide(t, x1) * x1, x1 - x0), "constant"),
        "the mean velocity": (target(velocity=lambda x0, x1, t: (x1 - x0).mean(0).expand_as(x1)), "shape"),
        "backwards": (target(velocity=lambda x0, x1, t: x0 - x1), "sign"),
        "twice as fast": (target(velocity=lambda x0, x1, t: 2 * (x1 - x0)), ""),
        "remaining time": (target(velocity=lambda x0, x1, t: (x1 - x0) / (1 - t)), "not-finite"),
        "x_t alone": (lambda x0, x1, t: target()(x0, x1, t)[0], "container"),
        "for vectors alone": (lambda x0, x1, t: (x0 + t[:, None] * (x1 - x0), x1 - x0), None),
        "in place": (in_place, "mutation"),
    },
    "flows.matching_floor": {
        "π": (math.pi, "reduction"),
        "π/4": (math.pi / 4, "reduction"),
        "half": (0.5, ""),
        "the distance squared": (25.0, ""),
        "NaN": (math.nan, "not-finite"),
        "a text": ("pi/2", "container"),
        "before anything is known": (2, "dependence"),
    },
    "flows.one_euler_step": {
        "the mean": (3, "direction"),
        "√2": (math.sqrt(2), "dependence"),
        "one": (1, "constant"),
        "two steps": (0.5, "reduction"),
        "a tenth": (0.1, ""),
        "NaN": (math.nan, "not-finite"),
        "None": (None, "container"),
    },
    "flows.empirical_velocity": {
        "exp/Σexp": (plain, "not-finite"),
        "points not shrunk": (lambda x, t, p: field(-squares(x, 1.0, p) / (2 * (1 - t) ** 2), p, x, t), "direction"),
        "no ½": (lambda x, t, p: field(-squares(x, t, p) / (1 - t) ** 2, p, x, t), "reduction"),
        "distances not squared": (
            lambda x, t, p: field(-squares(x, t, p).sqrt() / (2 * (1 - t) ** 2), p, x, t),
            "",
        ),
        "over the batch": (lambda x, t, p: field(-squares(x, t, p) / (2 * (1 - t) ** 2), p, x, t, axis=0), "shape"),
        "the way to the mean": (lambda x, t, p: p.mean(0) - x, "dependence"),
        "the nearest point": (lambda x, t, p: (p[squares(x, t, p).argmin(1)] - x) / (1 - t), ""),
        "E x₁": (lambda x, t, p: (1 - t) * empirical_velocity(x, t, p) + x, ""),
        "the way to go": (lambda x, t, p: (1 - t) * empirical_velocity(x, t, p), "constant"),
        "divided by t": (lambda x, t, p: (1 - t) / t * empirical_velocity(x, t, p), ""),
        "the spread for its square": (lambda x, t, p: field(-squares(x, t, p) / (2 * (1 - t)), p, x, t), "spread"),
        "from data to noise": (lambda x, t, p: -empirical_velocity(x, t, p), "sign"),
        "a mean over coordinates": (
            lambda x, t, p: field(-(x[:, None] - t * p).square().mean(2) / (2 * (1 - t) ** 2), p, x, t),
            "reduction",
        ),
        "1 − t²": (lambda x, t, p: field(-squares(x, t, p) / (2 * (1 - t**2)), p, x, t), ""),
        "one for the batch": (lambda x, t, p: empirical_velocity(x, t, p).mean(0), "shape"),
        "x moved": (lambda x, t, p: empirical_velocity(x.mul_(0.5), t, p), "mutation"),
    },
}
