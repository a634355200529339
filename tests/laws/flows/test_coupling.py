"""The laws of coupling hold on right answers, written in more than one way, and catch each planted bug."""

import math
from functools import partial

import torch
from torch.distributions import Normal

from gmcourse.laws.flows import coupling as laws


def log_det(x, mask, network):
    return (network(mask * x)[0] * (1 - mask)).sum(1)


def by_indices(x, mask, network):
    s, _ = network(mask * x)
    return s[:, mask == 0].sum(1)


def undo(z, mask, network):
    s, m = network(mask * z)
    return torch.where(mask == 1, z, (z - m) * (-s).exp())


def undone(way, sees=lambda z, mask: mask * z, where=lambda mask: mask == 1):
    """`undo`, with another formula (z, s, m), other sight, or another half left alone."""

    def candidate(z, mask, network):
        s, m = network(sees(z, mask))
        return torch.where(where(mask), z, way(z, s, m))

    return candidate


def back(z, s, m):
    return (z - m) * (-s).exp()


def unmixed(x, degrees):
    angle = math.radians(degrees)
    return x @ torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]], dtype=x.dtype)


def angle(x):
    return min(range(90), key=lambda degrees: unmixed(x, degrees).abs().mean().item())


def by_kurtosis(x):
    """Heaviest tails instead of the largest likelihood, and another branch of the angle."""
    return min(range(100, 190), key=lambda degrees: -unmixed(x, degrees).pow(4).mean().item())


def mass(gap, slope):
    return math.erf(gap / (2 * slope * math.sqrt(2)))


def by_distribution(gap, slope):
    return 2 * Normal(0.0, 1.0).cdf(torch.tensor(gap / (2 * slope))) - 1


def prices(share):
    of_p = (1 - share) * math.log((1 - share) / (1 - share / 2)) + share * math.log(2)
    return math.inf, (of_p - math.log(1 - share / 2)) / 2, -math.log(1 - share)


ANGLE = partial(laws.finds_angle, tolerance=4.0)
RIGHT = {
    laws.log_det_of_changed_part: (log_det, by_indices),
    laws.coupling_is_undone: (undo,),
    ANGLE: (angle, by_kurtosis, lambda x: torch.tensor(angle(x))),
    laws.gap_takes_mass: (mass, by_distribution),
    laws.prices_of_lost_mode: (prices, lambda share: torch.tensor(prices(share), dtype=torch.float64)),
}
BUGS = {
    laws.log_det_of_changed_part: {
        "summed over all": (lambda x, mask, net: net(mask * x)[0].sum(1), "dependence"),
        "the network sees what changes": (
            lambda x, mask, net: (net((1 - mask) * x)[0] * (1 - mask)).sum(1),
            "dependence",
        ),
        "the network sees everything": (lambda x, mask, net: (net(x)[0] * (1 - mask)).sum(1), "dependence"),
        "summed over what stays": (lambda x, mask, net: (net(mask * x)[0] * mask).sum(1), "dependence"),
        "e^s for s": (lambda x, mask, net: (net(mask * x)[0] * (1 - mask)).exp().sum(1), "constant"),
        "the determinant for its logarithm": (lambda x, mask, net: log_det(x, mask, net).exp(), "constant"),
        "mean for sum": (lambda x, mask, net: net(mask * x)[0][:, mask == 0].mean(1), "reduction"),
        "sign": (lambda x, mask, net: -log_det(x, mask, net), "sign"),
        "one for the batch": (lambda x, mask, net: log_det(x, mask, net).mean(), "shape"),
        "the first row for all": (lambda x, mask, net: log_det(x, mask, net)[:1].expand(len(x)), "shape"),
        "m for s": (lambda x, mask, net: net(mask * x)[1][:, mask == 0].sum(1), ""),
    },
    laws.coupling_is_undone: {
        "scaled before shifted": (undone(lambda z, s, m: z * (-s).exp() - m), "direction"),
        "m added": (undone(lambda z, s, m: (z + m) * (-s).exp()), "sign"),
        "s not negated": (undone(lambda z, s, m: (z - m) * s.exp()), "sign"),
        "forward again": (undone(lambda z, s, m: z * s.exp() + m), "sign"),
        "the network sees everything": (undone(back, sees=lambda z, mask: z), "dependence"),
        "the network sees what changed": (undone(back, sees=lambda z, mask: (1 - mask) * z), "dependence"),
        "all of it moved": (undone(back, where=lambda mask: mask == 2), "dependence"),
        "the other half moved": (undone(back, where=lambda mask: mask == 0), "dependence"),
        "s and m exchanged": (undone(lambda z, s, m: (z - s) * (-m).exp()), ""),
        "the changed part alone": (lambda z, mask, net: z[:, mask == 0], "shape"),
    },
    ANGLE: {
        "0": (lambda x: 0.0, "constant"),
        "45": (lambda x: 45, "constant"),
        "sign": (lambda x: -angle(x), "sign"),
        "the least likely": (lambda x: angle(x) + 45, "direction"),
        "in radians": (lambda x: math.radians(angle(x)), "spread"),
        "two numbers": (lambda x: torch.zeros(2), "shape"),
    },
    laws.gap_takes_mass: {
        "one tail and the gap": (lambda gap, slope: Normal(0.0, 1.0).cdf(torch.tensor(gap / (2 * slope))), "constant"),
        "half of it": (lambda gap, slope: mass(gap, slope) / 2, "constant"),
        "what is left": (lambda gap, slope: 1 - mass(gap, slope), "constant"),
        "the gap on either side": (lambda gap, slope: mass(2 * gap, slope), "spread"),
        "multiplied by the slope": (lambda gap, slope: mass(gap, 1 / slope), "direction"),
        "no root of 2": (lambda gap, slope: math.erf(gap / (2 * slope)), "reduction"),
        "NaN": (lambda gap, slope: math.nan, "not-finite"),
    },
    laws.prices_of_lost_mode: {
        "back to front": (lambda share: prices(share)[::-1], "direction"),
        "JS not halved": (lambda share: (math.inf, 2 * prices(share)[1], prices(share)[2]), "constant"),
        "a finite KL": (lambda share: (-math.log(share), *prices(share)[1:]), "overflow"),
        "a negative KL": (lambda share: (math.inf, prices(share)[1], math.log(1 - share)), "sign"),
        "weighed by the share": (lambda share: (math.inf, prices(share)[1], share * prices(share)[2]), "log-mean"),
        "one number": (lambda share: math.inf, "shape"),
        "two numbers": (lambda share: (math.inf, 0.0), "shape"),
    },
}
