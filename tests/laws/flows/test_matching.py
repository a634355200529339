"""The laws of flow matching hold and catch each planted bug."""

import torch

from gmcourse.laws.flows import matching


def wide(t, x):
    return t.reshape(-1, *[1] * (x.dim() - 1))


def target(x0, x1, t):
    return torch.lerp(x0, x1, wide(t, x1)), x1 - x0


def arc(x0, x1, t):
    return (1 - wide(t, x1)).sqrt() * x0 + wide(t, x1).sqrt() * x1, x1 - x0


def field(x, t, points, variance=None, axis=1):
    squares = (x[:, None] - t * points).square().sum(2)
    weights = (-squares / (2 * (variance or (1 - t) ** 2))).softmax(axis)
    return (weights[:, :, None] * (points - x[:, None])).sum(1) / (1 - t)


RIGHT = {matching.line_and_velocity: (target,), matching.field_averages_lines: (field,)}
BUGS = {
    matching.line_and_velocity: {
        "not quite noise at t = 0": (lambda x0, x1, t: target(x0 + 1e-3 * (1 - wide(t, x1)) * x1, x1, t), ""),
        "not quite data at t = 1": (lambda x0, x1, t: target(x0, x1 + 1e-3 * wide(t, x1) * x0, t), ""),
        "velocity of the other sign": (lambda x0, x1, t: (target(x0, x1, t)[0], x0 - x1), "sign"),
        "noise and data exchanged": (lambda x0, x1, t: target(x1, x0, t), "direction"),
        "roots of t": (arc, "spread"),
        "velocity that is left": (lambda x0, x1, t: (target(x0, x1, t)[0], x1 - target(x0, x1, t)[0]), "gradient"),
        "divided by 1 − t": (lambda x0, x1, t: (target(x0, x1, t)[0], (x1 - x0) / (1 - wide(t, x1))), "not-finite"),
        "data for velocity": (lambda x0, x1, t: (target(x0, x1, t)[0], x1), "gradient"),
        "the first row's t for all": (lambda x0, x1, t: target(x0, x1, t[:1].expand_as(t)), "dependence"),
        "one t for the batch": (lambda x0, x1, t: target(x0, x1, t.mean().expand_as(t)), "dependence"),
        "t squared": (lambda x0, x1, t: target(x0, x1, t**2), "spread"),
        "mean velocity": (lambda x0, x1, t: (target(x0, x1, t)[0], (x1 - x0).mean(0)), "shape"),
    },
    matching.field_averages_lines: {
        "sign": (lambda x, t, p: -field(x, t, p), "sign"),
        "not divided by 1 − t": (lambda x, t, p: (1 - t) * field(x, t, p), "constant"),
        "the deviation for the variance": (lambda x, t, p: field(x, t, p, 1 - t), "spread"),
        "no ½ in the exponent": (lambda x, t, p: field(x, t, p, (1 - t) ** 2 / 2), "reduction"),
        "twice the variance": (lambda x, t, p: field(x, t, p, 2 * (1 - t) ** 2), "reduction"),
        "one mean point": (lambda x, t, p: p.mean(0) - (x - t * p.mean(0)) / (1 - t), "dependence"),
        "points widened by 1/t": (lambda x, t, p: field(x, t, p / t), ""),
        "softmax over the batch": (lambda x, t, p: field(x, t, p, axis=0), ""),
        "the first row for all": (lambda x, t, p: field(x, t, p)[:1].expand_as(x), "shape"),
        "mean over the batch": (lambda x, t, p: field(x, t, p).mean(0), "shape"),
    },
}
