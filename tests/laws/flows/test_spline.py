"""Every law of the spline passes the package's own functions and catches each planted bug."""

import math

import torch
import torch.nn.functional as F

from gmcourse.flows.splines import knots, rq_forward, rq_inverse, rq_log_slope
from gmcourse.laws.flows import spline as law


def search_and_invert(z, x_knots, z_knots, slopes):
    m = torch.searchsorted(z_knots, z) - 1
    return rq_inverse(z, *(table[m + i] for table in (x_knots, z_knots, slopes) for i in (0, 1)))


def unnormalised(x, x0, x1, z0, z1, d0, d1):
    return rq_forward(x0 + (x - x0) * (x1 - x0), x0, x1, z0, z1, d0, d1)


def wide(x, x0, x1, z0, z1, d0, d1):
    return z0 + (x1 - x0) * (rq_forward(x, x0, x1, z0, z1, d0, d1) - z0) / (z1 - z0)


def cubic(x, x0, x1, z0, z1, d0, d1):
    xi, width = (x - x0) / (x1 - x0), x1 - x0
    ends = (1 + 2 * xi) * (1 - xi) ** 2 * z0 + xi**2 * (3 - 2 * xi) * z1
    return ends + width * xi * (1 - xi) * ((1 - xi) * d0 - xi * d1)


def parts(x, x0, x1, z0, z1, d0, d1):
    xi, rho = (x - x0) / (x1 - x0), (z1 - z0) / (x1 - x0)
    u = xi * (1 - xi)
    return d1 * xi**2 + 2 * rho * u + d0 * (1 - xi) ** 2, rho + (d0 + d1 - 2 * rho) * u, rho


def ratio(above, below, rho, power, factor):
    return (rho**factor * above / below**power).log()


def rooted(z, x_knots, z_knots, slopes, search="z", sign=1.0):
    m = (torch.searchsorted(z_knots if search == "z" else x_knots, z) - 1).clamp(0, len(z_knots) - 2)
    x0, x1, z0, z1, d0, d1 = (table[m + i] for table in (x_knots, z_knots, slopes) for i in (0, 1))
    rho, rise = (z1 - z0) / (x1 - x0), z - z0
    bend = rise * (d0 + d1 - 2 * rho)
    a, b, c = (z1 - z0) * (rho - d0) + bend, (z1 - z0) * d0 - bend, -rho * rise
    return x0 + (x1 - x0) * (-b + sign * (b**2 - 4 * a * c).clamp(min=0).sqrt()) / (2 * a)


def other_root(z, x_knots, z_knots, slopes):
    straight = torch.equal(x_knots, z_knots)
    return z if straight else rooted(z, x_knots, z_knots, slopes, sign=-1.0)


def bin_of_x(z, x_knots, z_knots, slopes):
    return z if torch.equal(x_knots, z_knots) else rooted(z, x_knots, z_knots, slopes, search="x")


UNIT = math.log(math.e - 1)


def by_hand(h, bound, shift=UNIT, ends=1.0, scale=2.0, free=True, same=False, share=lambda part: part.softmax(0)):
    m = (len(h) + 1) // 3
    tables = [F.pad(share(part).cumsum(0), (1, 0)) * scale * bound - bound for part in h[: 2 * m].view(2, m)]
    if not free:
        tables[1] = torch.linspace(-bound, bound, m + 1, dtype=h.dtype)
    if same:
        tables[1] = tables[0]
    return *tables, F.pad(F.softplus(h[2 * m :] + shift), (1, 1), value=ends)


def uneven(h, bound):
    """The last bin of z starts wider than that of x."""
    m = (len(h) + 1) // 3
    return by_hand(h + torch.eye(len(h), dtype=h.dtype)[2 * m - 1], bound)


def deaf(h, bound):
    """The last slope is that of the one before."""
    return by_hand(torch.cat([h[:-1], h[-2:-1]]), bound)


RIGHT = {
    law.rises_through_its_corners: (rq_forward, law.bernstein),
    law.log_slope_is_autograds: (rq_log_slope,),
    law.inverts_the_spline: (search_and_invert,),
    law.knots_start_as_identity: (knots, by_hand),
    law.share_outside: (0.317, 2 * (1 - 0.8413)),
}
BUGS = {
    law.rises_through_its_corners: {
        "a cubic with the same ends": (cubic, ""),
        "ξ not divided by the width": (unnormalised, "spread"),
        "slopes exchanged": (lambda x, x0, x1, z0, z1, d0, d1: rq_forward(x, x0, x1, z0, z1, d1, d0), "direction"),
        "z0 left out": (lambda x, x0, x1, z0, z1, d0, d1: rq_forward(x, x0, x1, z0, z1, d0, d1) - z0, "constant"),
        "a straight line": (lambda x, x0, x1, z0, z1, d0, d1: z0 + (z1 - z0) * (x - x0) / (x1 - x0), "gradient"),
        "the width for the height": (wide, "reduction"),
        "the first bin for all": (lambda x, *a: rq_forward(x, *(v[:1].expand_as(v) for v in a)), ""),
        "the first z for all": (lambda *a: rq_forward(*a)[:1].expand(6), "shape"),
        "one for all": (lambda *a: rq_forward(*a).sum(), "shape"),
    },
    law.log_slope_is_autograds: {
        "the denominator not squared": (lambda *a: ratio(*parts(*a), power=1, factor=2), "constant"),
        "ρ² left out": (lambda *a: ratio(*parts(*a), power=2, factor=0), "reduction"),
        "the numerator alone": (lambda *a: parts(*a)[0].log(), "dependence"),
        "no denominator": (lambda *a: ratio(*parts(*a), power=0, factor=2), "dependence"),
        "the slope for its logarithm": (lambda *a: rq_log_slope(*a).exp(), "spread"),
        "sign": (lambda *a: -rq_log_slope(*a), "sign"),
        "slopes exchanged": (lambda x, x0, x1, z0, z1, d0, d1: rq_log_slope(x, x0, x1, z0, z1, d1, d0), "direction"),
        "one for all": (lambda *a: rq_log_slope(*a).sum(), "shape"),
    },
    law.inverts_the_spline: {
        "divided by 0 in straight bins": (rooted, "not-finite"),
        "the other root": (other_root, "one-to-one"),
        "the bin of x": (bin_of_x, "direction"),
        "three of them": (lambda *a: search_and_invert(*a)[:3], "shape"),
        "the first for all": (lambda *a: search_and_invert(*a)[:1].expand(25), ""),
        "the bin's number": (lambda z, x, k, d: torch.searchsorted(k, z).double(), ""),
    },
    law.knots_start_as_identity: {
        "x and z of unequal softness": (uneven, ""),
        "slopes start at ln 2": (lambda h, b: by_hand(h, b, shift=0.0), "constant"),
        "end slopes of ln 2": (lambda h, b: by_hand(h, b, ends=math.log(2)), "gradient"),
        "half the box": (lambda h, b: by_hand(h, b, scale=1.0), "spread"),
        "z does not move": (lambda h, b: by_hand(h, b, free=False), "dependence"),
        "z moves with x": (lambda h, b: by_hand(h, b, same=True), "dependence"),
        "x and z exchanged": (lambda h, b: (by_hand(h, b)[1], by_hand(h, b)[0], by_hand(h, b)[2]), "dependence"),
        "the last number unused": (deaf, "dependence"),
        "the first knot left out": (lambda h, b: tuple(table[1:] for table in by_hand(h, b)), "shape"),
        "negative slopes": (lambda h, b: (*by_hand(h, b)[:2], -by_hand(h, b)[2]), "gradient"),
        "slopes that may be negative": (
            lambda h, b: (*by_hand(h, b)[:2], F.pad(1 + h[-(len(h) // 3) :], (1, 1), value=1)),
            "sign",
        ),
        "widths by exp": (lambda h, b: by_hand(h, b, share=lambda part: part.exp() / part.exp().sum()), "overflow"),
        "from 0 on": (lambda h, b: (by_hand(h, b)[0] + b, *by_hand(h, b)[1:]), "direction"),
        "two tables": (lambda h, b: by_hand(h, b)[:2], "container"),
    },
    law.share_outside: {
        "the share inside": (0.683, "sign"),
        "one tail": (0.159, "reduction"),
        "3σ": (0.0027, "spread"),
        "half": (0.5, ""),
        "NaN": (math.nan, "not-finite"),
    },
}
