"""The laws of levels hold and catch each planted bug."""

import math

import torch

from gmcourse.laws.scores import levels


def ladder(largest, smallest, n):
    return (torch.linspace(1, 0, n) * math.log(largest / smallest)).exp() * smallest


def wide(sigma, x):
    return torch.as_tensor(sigma).reshape(-1, *[1] * (x.dim() - 1))


def kept(x, sigma, noise):
    sigma = wide(sigma, x)
    return (x + sigma * noise) / (1 + sigma**2) ** 0.5


RIGHT = {
    levels.levels_share_a_ratio: [ladder, lambda a, b, n: [a * (b / a) ** (k / (n - 1)) for k in range(n)]],
    levels.noised_keeps_variance: [kept],
}
BUGS = {
    levels.levels_share_a_ratio: {
        "equal differences": (torch.linspace, "log-mean"),
        "the smallest first": (lambda *a: ladder(*a).flip(0), "direction"),
        "n ratios": (lambda a, b, n: a * (b / a) ** (torch.arange(n) / n), "one-to-one"),
        "natural logarithms of ten": (lambda a, b, n: torch.logspace(math.log(a), math.log(b), n), "spread"),
        "logarithms": (lambda *a: ladder(*a).log(), "constant"),
    },
    levels.noised_keeps_variance: {
        "a squared": (lambda x, s, e: x / (1 + wide(s, x) ** 2) + kept(0 * x, s, e), "spread"),
        "the clean size": (lambda x, s, e: x + wide(s, x) * e, "constant"),
        "a + b = 1": (lambda x, s, e: (x + wide(s, x) * e) / (1 + wide(s, x)), "constant"),
        "exchanged": (lambda x, s, e: kept(e, s, x), "direction"),
        "one noise": (lambda x, s, e: kept(x, s, e[:1].expand_as(x)), "randomness"),
        "minus": (lambda x, s, e: kept(x, s, -e), "sign"),
    },
}
