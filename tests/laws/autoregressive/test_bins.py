"""The law of bins passes right answers and catches each planted bug."""

import math

import torch
from torch.distributions import Normal
from torch.nn.functional import logsigmoid, softplus

from gmcourse.autoregressive.logistic_mixture import discretised_logistic
from gmcourse.laws.autoregressive import bins


def edges(code, mean, log_scale, levels, half=None):
    half = 1 / (levels - 1) if half is None else half
    y = 2 * code.double() / (levels - 1) - 1
    return [(y + sign * half - mean.double()) / log_scale.double().exp() for sign in (-1, 1)]


def by_halves(code, mean, log_scale, levels):
    """Reflected to the lower tail, where a difference of σ is the difference of exponentials."""
    a, b = edges(code, mean, log_scale, levels)
    a, b = torch.where(a + b > 0, -b, a), torch.where(a + b > 0, -a, b)
    inner = b + (-(a - b).expm1()).log() - softplus(a) - softplus(b)
    a, b = edges(code, mean, log_scale, levels)
    return torch.where(code == 0, -softplus(-b), torch.where(code == levels - 1, -softplus(a), inner))


def salimans(x, mean, log_scale, levels):
    """Four cases, as in the authors' code: the density in the middle of the bin where the mass is below 1e-5."""
    a, b = (edge.float() for edge in edges(x, mean, log_scale, levels))
    middle, mass = (a + b) / 2, b.sigmoid() - a.sigmoid()
    density = middle - log_scale - 2 * softplus(middle) + math.log(2 / (levels - 1))
    inner = torch.where(mass > 1e-5, mass.clamp(min=1e-12).log(), density)
    return torch.where(x == 0, b - softplus(b), torch.where(x == levels - 1, -softplus(a), inner))


def plain(code, mean, log_scale, levels, half=None, first=True, last=True, least=0.0, axis=lambda k, n: k):
    a, b = edges(axis(code, levels), mean, log_scale, levels, half)
    a, b = a.float(), b.float()
    above = torch.where((code == levels - 1) & last, 1.0, b.sigmoid())
    below = torch.where((code == 0) & first, 0.0, a.sigmoid())
    return (above - below).clamp(min=least).log()


def shifted(change):
    return lambda code, mean, s, n: discretised_logistic(code, *change(mean, s), n)


def density(code, mean, log_scale, levels):
    z = sum(edges(code, mean, log_scale, levels)) / 2
    return logsigmoid(z) + logsigmoid(-z) - log_scale + math.log(2 / (levels - 1))


RIGHT = {bins.bins_hold_the_mass: (discretised_logistic, by_halves)}
BUGS = {
    bins.bins_hold_the_mass: {
        "no open bins": (lambda *inputs: plain(*inputs, first=False, last=False), "constant"),
        "the last is not open": (lambda *inputs: plain(*inputs, last=False), "one-to-one"),
        "the first is not open": (lambda *inputs: plain(*inputs, first=False), "one-to-one"),
        "gaps": (lambda code, mean, s, n: plain(code, mean, s, n, half=1 / n), "spread"),
        "bins twice as wide": (lambda code, mean, s, n: plain(code, mean, s, n, half=2 / (n - 1)), "spread"),
        "the scale squared": (shifted(lambda mean, s: (mean, 2 * s)), "spread"),
        "times the scale": (shifted(lambda mean, s: (mean, -s)), "spread"),
        "a density": (density, "direction"),
        "levels from 0 to 1": (shifted(lambda mean, s: (2 * mean - 1, s + math.log(2))), "dependence"),
        "back to front": (lambda code, mean, s, n: discretised_logistic(n - 1 - code, mean, s, n), "sign"),
        "a density in the tail, of a scale much smaller than a bin": (salimans, "overflow"),
        "−ln P": (lambda *inputs: -discretised_logistic(*inputs), "sign"),
        "the mean's sign": (shifted(lambda mean, s: (-mean, s)), "sign"),
        "P": (lambda *inputs: discretised_logistic(*inputs).exp(), "log-mean"),
        "bits": (lambda *inputs: discretised_logistic(*inputs) / math.log(2), "log-mean"),
        "a difference": (plain, "not-finite"),
        "a difference, held off 0": (lambda *inputs: plain(*inputs, least=1e-12), "overflow"),
        "the mean of the batch": (
            lambda code, *rest: discretised_logistic(code, *rest).mean().expand(len(code)),
            "shape",
        ),
        "a normal": (lambda code, mean, s, n: _normal(*edges(code, mean, s, n)), ""),
    },
}


def _normal(a, b):
    return (Normal(0.0, 1.0).cdf(b) - Normal(0.0, 1.0).cdf(a) + 1e-30).log()
