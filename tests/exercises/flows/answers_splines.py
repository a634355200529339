"""Answers to the exercises on splines."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from gmcourse.exercises.flows.splines import spline_inverse
from gmcourse.flows.splines import knots, rq_forward, rq_inverse, rq_log_slope
from gmcourse.laws.flows.spline import bernstein


def forward_by_loop(x, x0, x1, z0, z1, d0, d1):
    z = torch.zeros(len(x))
    for i in range(len(x)):
        xi, rho = (x[i] - x0[i]) / (x1[i] - x0[i]), (z1[i] - z0[i]) / (x1[i] - x0[i])
        u = xi * (1 - xi)
        z[i] = z0[i] + (z1[i] - z0[i]) * (rho * xi**2 + d0[i] * u) / (rho + (d0[i] + d1[i] - 2 * rho) * u)
    return z


def by_numpy(function):
    return lambda *bin: function(*(torch.from_numpy(part.numpy().astype(np.float64)) for part in bin)).numpy()


def parts(x, x0, x1, z0, z1, d0, d1):
    xi, rho = (x - x0) / (x1 - x0), (z1 - z0) / (x1 - x0)
    u = xi * (1 - xi)
    return d1 * xi**2 + 2 * rho * u + d0 * (1 - xi) ** 2, rho + (d0 + d1 - 2 * rho) * u, rho


def cubic(x, x0, x1, z0, z1, d0, d1):
    xi, width = (x - x0) / (x1 - x0), x1 - x0
    ends = (1 + 2 * xi) * (1 - xi) ** 2 * z0 + xi**2 * (3 - 2 * xi) * z1
    return ends + width * xi * (1 - xi) * ((1 - xi) * d0 - xi * d1)


def slope_by_autograd(x, *corners):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(rq_forward(x, *corners).sum(), x)[0].log()


def slope_by_sum(*bin):
    above, below, rho = parts(*bin)
    return 2 * rho.log() + above.log() - 2 * below.log()


def at(z, tables, m=None, axis=1):
    m = torch.searchsorted(tables[axis], z) - 1 if m is None else m
    return [table[m.clamp(0, len(table) - 2) + i] for table in tables for i in (0, 1)]


def share(z, x0, x1, z0, z1, d0, d1, sign=-1.0):
    rho, rise = (z1 - z0) / (x1 - x0), z - z0
    bend = rise * (d0 + d1 - 2 * rho)
    a, b, c = (z1 - z0) * (rho - d0) + bend, (z1 - z0) * d0 - bend, -rho * rise
    return 2 * c / (-b + sign * (b**2 - 4 * a * c).clamp(min=0).sqrt())


def inverse_by_loop(z, *tables):
    found = []
    for value in z:
        m = sum(1 for knot in tables[1][1:-1] if knot < value)
        found.append(rq_inverse(value, *(table[m + i] for table in tables for i in (0, 1))))
    return found


def inverse_by_halvings(z, *tables):
    bin = at(z, tables)
    low, high = bin[0], bin[1]
    for _ in range(40):
        middle = (low + high) / 2
        below = bernstein(middle, *bin) < z
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    return (low + high) / 2


def from_share(way, **kind):
    def candidate(z, *tables):
        bin = at(z, tables)
        return way(share(z, *bin, **kind), *bin)

    return candidate


def textbook(z, *tables, by_z=True):
    x0, x1, z0, z1, d0, d1 = at(z, tables, axis=1 if by_z else 0)
    rho, rise = (z1 - z0) / (x1 - x0), z - z0
    bend = rise * (d0 + d1 - 2 * rho)
    a, b, c = (z1 - z0) * (rho - d0) + bend, (z1 - z0) * d0 - bend, -rho * rise
    return x0 + (x1 - x0) * (-b + (b**2 - 4 * a * c).sqrt()) / (2 * a)


UNIT = math.log(math.e - 1)


def by_hand(h, bound, widths=lambda h: h.softmax(0), slopes=lambda h: F.softplus(h + UNIT), ends=1.0):
    m = (len(h) + 1) // 3
    x, z = (F.pad(widths(part).cumsum(0), (1, 0)) * 2 * bound - bound for part in (h[:m], h[m : 2 * m]))
    return x, z, F.pad(slopes(h[2 * m :]), (1, 1), value=ends)


def knots_by_numpy(h, bound):
    h = h.numpy().astype(float)
    m = (len(h) + 1) // 3
    tables = []
    for part in (h[:m], h[m : 2 * m]):
        share = np.exp(part - part.max())
        tables.append(bound * (2 * np.concatenate([[0], np.cumsum(share) / share.sum()]) - 1))
    return *tables, np.concatenate([[1], np.logaddexp(0, h[2 * m :] + UNIT), [1]])


def knots_by_sigmoids(h, bound):
    """Another way: positive shares by softplus, slopes between 0 and 2."""
    return by_hand(
        h, bound, lambda part: (s := F.softplus(part) + 0.01) / s.sum(), lambda h: 0.01 + 1.98 * torch.sigmoid(h)
    )


def of_tables(change):
    return lambda h, bound: change(*by_hand(h, bound), bound)


def sorted_knots(h, bound):
    m = (len(h) + 1) // 3
    ends = torch.tensor([-bound, bound])
    x, z = (torch.cat([bound * part[1:].tanh(), ends]).sort()[0] for part in (h[:m], h[m : 2 * m]))
    return x, z, by_hand(h, bound)[2]


def exp_shares(h):
    return h.exp() / h.exp().sum()


RIGHT = {
    "flows.rq_forward": {
        "a loop into zeros": forward_by_loop,
        "the mean of corners": bernstein,
        "numpy in float64": by_numpy(rq_forward),
        "a list": lambda *bin: rq_forward(*bin).tolist(),
        "vmap": lambda *bin: torch.func.vmap(rq_forward)(*bin),
    },
    "flows.rq_log_slope": {
        "a sum of logarithms": slope_by_sum,
        "numpy in float64": by_numpy(slope_by_sum),
        "autograd": slope_by_autograd,
        "the log of the slope": lambda *bin: ((p := parts(*bin))[2] ** 2 * p[0] / p[1] ** 2).log(),
        "a list": lambda *bin: [rq_log_slope(*(part[i] for part in bin)) for i in range(len(bin[0]))],
    },
    "flows.rq_inverse": {
        "a loop": inverse_by_loop,
        "halvings": inverse_by_halvings,
        "in float64": lambda z, *tables: spline_inverse(z.double(), *(t.double() for t in tables)),
        "by bucketize": lambda z, *t: rq_inverse(z, *at(z, t, torch.bucketize(z, t[1]) - 1)),
        "by counting": lambda z, *t: rq_inverse(z, *at(z, t, (z[:, None] > t[1]).sum(1) - 1)),
    },
    "flows.spline_knots": {
        "the package's": knots,
        "by hand": by_hand,
        "numpy": knots_by_numpy,
        "other functions": knots_by_sigmoids,
        "a stacked tensor": lambda h, bound: torch.stack(knots(h, bound)),
        "in float64": lambda h, bound: by_hand(h.double(), bound),
    },
    "flows.share_outside": {"exact": 1 - math.erf(math.sqrt(0.5)), "rounded": 0.32, "a tensor": torch.tensor(0.317)},
    "flows.bins_for_fifty": {"4": 4, "4.0": 4.0, "numpy": np.int64(4), "a tensor": torch.tensor([4])},
}
WRONG = {
    "flows.rq_forward": {
        "the width for the height": (
            lambda x, x0, x1, z0, z1, d0, d1: z0 + (x1 - x0) * (rq_forward(x, x0, x1, z0, z1, d0, d1) - z0) / (z1 - z0),
            "reduction",
        ),
        "ξ clamped": (
            lambda x, x0, x1, *c: rq_forward(x0 + ((x - x0) / (x1 - x0)).clamp(0.001, 0.999) * (x1 - x0), x0, x1, *c),
            "",
        ),
        "a cubic": (cubic, ""),
        "d0 alone": (lambda x, x0, x1, z0, z1, d0, d1: rq_forward(x, x0, x1, z0, z1, d0, d0), ""),
        "d0 for ρ": (
            lambda x, x0, x1, z0, z1, d0, d1: rq_forward(
                x, x0, x1, z0, z1, (z1 - z0) / (x1 - x0), (z1 - z0) / (x1 - x0)
            ),
            "gradient",
        ),
        "ξ unnormalised": (
            lambda x, x0, x1, *c: rq_forward(x0 + (x - x0) * (x1 - x0), x0, x1, *c),
            "spread",
        ),
        "slopes exchanged": (
            lambda x, x0, x1, z0, z1, d0, d1: rq_forward(x, x0, x1, z0, z1, d1, d0),
            "direction",
        ),
        "the first bin for all": (
            lambda x, *c: rq_forward(x, *(corner[:1].expand(len(x)) for corner in c)),
            "",
        ),
        "the first z for all": (lambda *bin: rq_forward(*bin)[:1].expand(6), "shape"),
        "its inverse": (lambda x, *c: rq_inverse(x, *c), ""),
        "a column": (lambda *bin: rq_forward(*bin)[:, None], "shape"),
        "z0 left out": (lambda x, x0, x1, z0, *c: rq_forward(x, x0, x1, z0, *c) - z0, "constant"),
    },
    "flows.rq_log_slope": {
        "the inverse's": (lambda *bin: -rq_log_slope(*bin), "sign"),
        "ρ once": (lambda *bin: ((p := parts(*bin))[2] * p[0] / p[1] ** 2).log(), "reduction"),
        "ρ² left out": (lambda *bin: ((p := parts(*bin))[0] / p[1] ** 2).log(), "reduction"),
        "no denominator": (lambda *bin: ((p := parts(*bin))[2] ** 2 * p[0]).log(), "dependence"),
        "slopes exchanged": (
            lambda x, x0, x1, z0, z1, d0, d1: rq_log_slope(x, x0, x1, z0, z1, d1, d0),
            "direction",
        ),
        "ln ρ": (lambda *bin: parts(*bin)[2].log(), ""),
        "the slope": (lambda *bin: rq_log_slope(*bin).exp(), "spread"),
        "log₂": (lambda *bin: rq_log_slope(*bin) / math.log(2), ""),
        "2ρξ, not 2ρu": (lambda x, *c: rq_log_slope(x, *c) + 0.1 * (x - c[0]), ""),
        "a mean": (lambda *bin: rq_log_slope(*bin).mean(), "shape"),
    },
    "flows.rq_inverse": {
        "2c over the other sum": (from_share(lambda xi, x0, x1, *_: x0 + xi * (x1 - x0), sign=1.0), "not-finite"),
        "the textbook's root": (textbook, "not-finite"),
        "ξ times the height": (from_share(lambda xi, x0, x1, z0, z1, *_: x0 + xi * (z1 - z0)), "spread"),
        "ξ": (from_share(lambda xi, *_: xi), "spread"),
        "no x0": (from_share(lambda xi, x0, x1, *_: xi * (x1 - x0)), "spread"),
        "bin one too far": (lambda z, *t: rq_inverse(z, *at(z, t, torch.searchsorted(t[1], z))), ""),
        "the bin of x": (lambda z, *t: rq_inverse(z, *at(z, t, axis=0)), "direction"),
        "straight everywhere": (lambda z, *t: (b := at(z, t))[0] + (z - b[2]) / (b[3] - b[2]) * (b[1] - b[0]), ""),
        "z": (lambda z, *t: z, ""),
        "forwards": (lambda z, *t: rq_forward(z, *at(z, t, axis=0)), ""),
        "the bin's number": (lambda z, *t: torch.searchsorted(t[1], z), ""),
        "two": (lambda z, *t: (z, z), "shape"),
    },
    "flows.spline_knots": {
        "exp/Σexp": (lambda h, b: by_hand(h, b, exp_shares), "overflow"),
        "log(1 + e^h)": (lambda h, b: by_hand(h, b, slopes=lambda h: (1 + (h + UNIT).exp()).log()), "overflow"),
        "1 + h": (lambda h, b: by_hand(h, b, slopes=lambda h: 1 + h), "sign"),
        "sorted": (sorted_knots, "sign"),
        "|h|/Σ|h|": (lambda h, b: by_hand(h, b, lambda h: h.abs() / h.abs().sum()), "not-finite"),
        "end slopes 0": (lambda h, b: by_hand(h, b, ends=0.0), "gradient"),
        "from 0 to 2B": (of_tables(lambda x, z, d, b: (x + b, z + b, d)), "direction"),
        "from −1 to 1": (of_tables(lambda x, z, d, b: (x / b - 1, z / b - 1, d)), "spread"),
        "two tables": (lambda h, b: by_hand(h, b)[:2], "container"),
        "x for z": (of_tables(lambda x, z, d, b: (x, x, d)), "dependence"),
        "exchanged": (of_tables(lambda x, z, d, b: (z, x, d)), "dependence"),
        "sigmoid slopes": (lambda h, b: by_hand(h, b, slopes=torch.sigmoid), "constant"),
        "falling": (of_tables(lambda x, z, d, b: (x.flip(0), z.flip(0), d)), "direction"),
        "widths": (of_tables(lambda x, z, d, b: (x.diff(), z.diff(), d)), "shape"),
        "all the same": (
            lambda h, b: by_hand(0 * h, b),
            "dependence",
        ),
    },
    "flows.share_outside": {
        "percent": (31.7, "constant"),
        "half": (0.5, ""),
        "two sigma": (0.0455, ""),
        "one": (1.0, ""),
        "NaN": (math.nan, "not-finite"),
        "a text": ("32 %", "container"),
    },
    "flows.bins_for_fifty": {
        "the most": (32, "sign"),
        "another": (5, ""),
        "2": (2, ""),
        "both": ((4, 8), "container"),
        "NaN": (math.nan, "not-finite"),
        "a seed's": (8, "spread"),
    },
}
