"""Exercises of lesson 06.3, splines."""

import math
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from gmcourse.exercises.drawing import Pick, first_sound
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.flows.splines import knots, rq_forward, rq_inverse, rq_log_slope
from gmcourse.laws.broken import require_value
from gmcourse.laws.flows import spline as law


def spline_inverse(z: Tensor, x_knots: Tensor, z_knots: Tensor, slopes: Tensor) -> Tensor:
    """The bin whose corners hold z, then its root."""
    m = torch.searchsorted(z_knots, z) - 1
    return rq_inverse(z, *(table[m + i] for table in (x_knots, z_knots, slopes) for i in (0, 1)))


def bins_for_fifty_points(answer: int) -> None:
    """Of 4, 8, 16 and 32 bins fitted to 50 points, the number that is best on other points of the same density."""
    require_value("bins with the lowest NLL on new points", answer, 4, 0, {"sign": (16, 32), "spread": 8})


def _corners(x, x0, x1, z0, z1):
    return (x - x0) / (x1 - x0), (z1 - z0) / (x1 - x0)


def _unnormalised(x, x0, x1, z0, z1, d0, d1):
    return rq_forward(x0 + (x - x0) * (x1 - x0), x0, x1, z0, z1, d0, d1)


def _slope_parts(x, x0, x1, z0, z1, d0, d1):
    xi, rho = _corners(x, x0, x1, z0, z1)
    u = xi * (1 - xi)
    return d1 * xi**2 + 2 * rho * u + d0 * (1 - xi) ** 2, rho + (d0 + d1 - 2 * rho) * u, rho


def _unsquared(*bin):
    above, below, rho = _slope_parts(*bin)
    return (rho**2 * above / below).log()


def _without_rho(*bin):
    above, below, _ = _slope_parts(*bin)
    return (above / below**2).log()


def _root(z, tables, sign=1.0, by="z"):
    x_knots, z_knots, slopes = tables
    m = (torch.searchsorted(z_knots if by == "z" else x_knots, z) - 1).clamp(0, len(z_knots) - 2)
    x0, x1, z0, z1, d0, d1 = (table[m + i] for table in tables for i in (0, 1))
    rho, rise = (z1 - z0) / (x1 - x0), z - z0
    bend = rise * (d0 + d1 - 2 * rho)
    a, b, c = (z1 - z0) * (rho - d0) + bend, (z1 - z0) * d0 - bend, -rho * rise
    root = (b**2 - 4 * a * c).clamp(min=0).sqrt()
    straight = torch.where(b + sign * root == 0, 0.5, 2 * c / (-b - sign * root))
    return x0 + (x1 - x0) * (straight if by == "x" or sign < 0 else (-b + root) / (2 * a))


def _other_root(z, *tables):
    return z if torch.equal(tables[0], tables[1]) else _root(z, tables, sign=-1.0)


def _knots(h, bound, shift=None, ends=1.0, free=True, scale=2.0):
    bins = (len(h) + 1) // 3
    x, z = (F.pad(part.softmax(0).cumsum(0), (1, 0)) * scale * bound - bound for part in h[: 2 * bins].view(2, bins))
    if not free:
        x = torch.linspace(-bound, bound, bins + 1, dtype=h.dtype)
    shift = math.log(math.e - 1) if shift is None else shift
    return x, z, F.pad(F.softplus(h[2 * bins :] + shift), (1, 1), value=ends)


def share_elsewhere(seed: int) -> Variant:
    """The same for another box and spread."""
    return first_sound(seed, _share, lesson=0.317)


def _share(pick: Pick) -> Variant:
    bound, std = pick((2.0, 2.5, 3.0)), pick([k / 10 for k in range(15, 60)])
    share, unit = (1 - math.erf(bound / (width * math.sqrt(2))) for width in (std, 1.0))
    return Variant(
        f"A colleague forgets to standardise: the coordinate has mean 0 and standard deviation {std:g}, is Gaussian, "
        f"and the box has $B = {bound:g}$. Which share of the data does the spline never touch? Answer with a number "
        f"between "
        "0 and 1, to three decimals.",
        laws=(partial(law.share_outside, bound=bound, std=std, to=0.003),),
        reference=share,
        wrong=((1 - share, "sign"), (unit, "spread"), (share / 2, "reduction")),
        hints=(
            "How many standard deviations away from the mean is the edge of the box?",
            f"{bound:g}/{std:g} = {bound / std:.3f}: what share of a normal variable is farther from its mean than "
            f"that?",
        ),
        causes={"spread": f"That is for a deviation of 1. How many deviations is B = {bound:g} at {std:g}?"},
    )


EXERCISES = (
    Exercise(
        id="flows.rq_forward",
        stub='''def rq_forward(x, x0, x1, z0, z1, d0, d1):
    """z of each x in its bin: from (x0, z0), slope d0, to (x1, z1), slope d1.

    All are (n,), one bin for each x, and x0 <= x <= x1.
    """
    raise NotImplementedError''',
        points=2,
        laws=(law.rises_through_its_corners,),
        reference=rq_forward,
        hints=(
            "First two numbers: ξ, which runs from 0 to 1 through the bin, and ρ, the mean slope of the bin.",
            "z0 + (z1 − z0) · (ρ ξ² + d0 u) / (ρ + (d0 + d1 − 2ρ) u), with u = ξ(1 − ξ).",
        ),
        wrong=(
            (_unnormalised, "spread"),
            (lambda x, x0, x1, z0, z1, d0, d1: rq_forward(x, x0, x1, z0, z1, d1, d0), "direction"),
            (lambda x, x0, x1, z0, z1, d0, d1: rq_forward(x, x0, x1, z0, z1, d0, d1) - z0, "constant"),
            (lambda x, x0, x1, z0, z1, d0, d1: z0 + (z1 - z0) * (x - x0) / (x1 - x0), "gradient"),
        ),
        causes={
            "spread": "Your curve does not end at its corner, and jumps from bin to bin. Is your ξ equal to 1 at x1?",
            "direction": "The corners are right and the slopes are not. Which of the two is the slope at ξ = 0?",
            "constant": "What is z at x = x0, where ξ = 0?",
            "gradient": "The corners are right, and the line between them is straight. What have d0 and d1 done?",
            "reduction": "Right at x0, but the rise to x1 is the width of the bin. How much has z to rise?",
        },
    ),
    Exercise(
        id="flows.rq_log_slope",
        stub='''def rq_log_slope(x, x0, x1, z0, z1, d0, d1):
    """ln ∂z/∂x of each x in its bin, (n,), by the formula and not by autograd."""
    raise NotImplementedError''',
        points=2,
        laws=(law.log_slope_is_autograds,),
        reference=rq_log_slope,
        hints=(
            "Try a straight bin, d0 = d1 = ρ: the numerator and the denominator are both ρ. What must be left?",
            "2 ln ρ + ln(d1 ξ² + 2ρu + d0 (1 − ξ)²) − 2 ln(ρ + (d0 + d1 − 2ρ) u), with u = ξ(1 − ξ).",
        ),
        wrong=(
            (_unsquared, "constant"),
            (_without_rho, "reduction"),
            (lambda *bin: _slope_parts(*bin)[0].log(), "dependence"),
            (lambda *bin: rq_log_slope(*bin).exp(), "spread"),
            (lambda *bin: rq_log_slope(*bin).sum(), "shape"),
        ),
        causes={
            "constant": "In a straight bin your value is 2 ln ρ and not ln ρ. Which power has the denominator?",
            "sign": "Put in a straight bin of slope 2: is ln 2 what comes out, or −ln 2?",
            "reduction": "In a straight bin of slope 2 ln 2 must come out. Which power of ρ stands in front?",
            "dependence": "What stands in the denominator, and is ρ² where the bin is straight? Where is it in yours?",
            "direction": "ξ is 0 at x0. Which of the two slopes must come out there?",
            "spread": "Is that the slope, or its logarithm?",
            "shape": "One number for each x: the sum over coordinates is made later, by the layer.",
        },
    ),
    Exercise(
        id="flows.rq_inverse",
        stub='''def spline_inverse(z, x_knots, z_knots, slopes):
    """The x of each z, (n,), of one spline whose knots and slopes are (M + 1,), rising.

    Each z is strictly between z_knots[0] and z_knots[-1]; some bins may be straight.
    """
    raise NotImplementedError''',
        points=3,
        laws=(law.inverts_the_spline,),
        reference=spline_inverse,
        hints=(
            "torch.searchsorted(z_knots, z) counts the knots below each z: so it tells the bin.",
            "With a, b, c of the lesson's quadratic, ξ = 2c / (−b − √(b² − 4ac)); then x = x0 + ξ (x1 − x0).",
        ),
        wrong=(
            (lambda z, *tables: _root(z, tables), "not-finite"),
            (_other_root, "one-to-one"),
            (lambda z, *tables: _root(z, tables, by="x"), "direction"),
        ),
        causes={
            "not-finite": "In a straight bin a = 0: what do you divide by? And can your b² − 4ac be negative?",
            "one-to-one": "A quadratic has two roots. Is the ξ of yours between 0 and 1?",
            "direction": "You are given z. On which axis do you look for its bin?",
            "spread": "ξ is a share of the bin's way along x. Where does that begin, and how long is it?",
        },
    ),
    Exercise(
        id="flows.spline_knots",
        stub='''def spline_knots(h, bound):
    """Knots x and z and slopes d, each (M + 1,), from any 3M − 1 numbers h.

    h holds M numbers for the widths, M for the heights and M − 1 for the inner slopes.
    Knots run from −bound to bound; the slope at both ends is 1; h = 0 is the identity.
    """
    raise NotImplementedError''',
        points=2,
        laws=(law.knots_start_as_identity,),
        reference=knots,
        hints=(
            "Widths are positive and sum to 2B: 2B times a softmax. A cumulative sum makes knots of them.",
            "Slopes: softplus(h + ln(e − 1)), which is 1 at h = 0; torch.nn.functional.pad adds the two ends.",
        ),
        wrong=(
            (lambda h, bound: _knots(h, bound, shift=0.0), "constant"),
            (lambda h, bound: _knots(h, bound, ends=math.log(2)), "gradient"),
            (lambda h, bound: _knots(h, bound, free=False), "dependence"),
            (lambda h, bound: _knots(h, bound, scale=1.0), "spread"),
        ),
        causes={
            "constant": "At h = 0 the knots are right, the inner slopes are not 1. What does your function make of 0?",
            "gradient": "Outside [−B, B] the slope is 1. Without the same slope at ±B the density jumps there.",
            "dependence": "Which numbers of h move x, which z, which d? One group moved something else, or nothing.",
            "spread": "How long is the interval from −B to B?",
            "direction": "Your knots span 2B, as they should. Where have they to begin?",
            "sign": "h may hold any number, 0 and −5 too. Is every width, height and slope of yours positive there?",
            "overflow": "e^1000 is infinite. Which functions of torch give shares and softplus without forming it?",
            "container": "Three tables are asked for, in this order: knots x, knots z, slopes d.",
        },
    ),
    Exercise(
        id="flows.share_outside",
        stub="share_outside = ...",
        points=1,
        laws=(law.share_outside,),
        reference=0.317,
        hints=(
            "How many standard deviations away from the mean is the edge of the box?",
            "3/3 = 1: what share of a normal variable is farther than one standard deviation from its mean?",
        ),
        wrong=((0.683, "sign"), (0.0027, "spread"), (0.159, "reduction")),
        causes={
            "sign": "That is the share inside, which the spline can reach.",
            "spread": "That would be three standard deviations. How many is B = 3 when the standard deviation is 3?",
            "reduction": "The box has two ends.",
            "constant": "In percent, that is. A number between 0 and 1 is asked for.",
        },
        variant=share_elsewhere,
    ),
    Exercise(
        id="flows.bins_for_fifty",
        stub="bins_for_fifty = ...",
        points=1,
        laws=(bins_for_fifty_points,),
        reference=4,
        hints=(
            "Count parameters: 3M − 1 numbers, fitted to 50 points.",
            "Run the cell of failure B with each number of bins, and read the column of the true NLL.",
        ),
        wrong=((32, "sign"), (16, "sign"), (8, "spread")),
        causes={
            "sign": "That one is far ahead on the 50 points themselves. Which points does the question name?",
            "spread": "Near, but there is one with fewer parameters that does better on new points.",
        },
    ),
)
