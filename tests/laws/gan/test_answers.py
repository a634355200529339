"""Every law of several answers passes the package's own function and catches each planted bug."""

import math

from gmcourse.gan.answers import counted, perfect_maps, share_at
from gmcourse.laws.gan import answers


def by_logits(p, weight, distance):
    """The closed form, written with a sigmoid."""
    pull = weight * (2 * p - 1) * distance
    least = math.log(1 + 1 / p)
    if pull >= least:
        return 1.0
    c = math.exp(pull)
    return (p * (2 - p) * c - p * (1 - p)) / (1 - p + p * c)


def unlimited(p, weight, distance):
    c = math.exp(weight * (2 * p - 1) * distance)
    return p * ((2 - p) * c - (1 - p)) / (1 - p + p * c)


def shares_of_all(k, modes, within):
    pure, shares = counted(k, modes, within)
    return pure, [pure * share for share in shares]


def nearest(k, modes, within):
    return counted(k, modes, within).pure, counted(k, modes, math.inf).shares


RIGHT = {
    answers.share_is_where_the_slope_is_zero: (share_at, by_logits),
    answers.maps_are_enumerated: (perfect_maps,),
    answers.answers_are_counted: (counted,),
}
BUGS = {
    answers.share_is_where_the_slope_is_zero: {
        "the data's share": (lambda p, weight, distance: p, "dependence"),
        "λ left out": (lambda p, weight, distance: share_at(p, 1.0, distance), "dependence"),
        "no limit at 1": (unlimited, "one-to-one"),
        "the rare one": (lambda p, weight, distance: 1 - share_at(p, weight, distance), "sign"),
        "all or nothing": (lambda p, weight, distance: 1.0 if p > 0.5 else p, "reduction"),
        "p for 2p − 1": (
            lambda p, weight, distance: share_at(p, weight * p / max(2 * p - 1, 1e-9), distance),
            "constant",
        ),
    },
    answers.maps_are_enumerated: {
        "n!": (lambda p, q: math.factorial(len(p)), "constant"),
        "the identity alone": (lambda p, q: 1, "one-to-one"),
        "whatever q": (lambda p, q: perfect_maps(p, p), "dependence"),
        "never": (lambda p, q: 0, ""),
        "both alike": (lambda p, q: [perfect_maps(p, q)] * 2, "shape"),
    },
    answers.answers_are_counted: {
        "shares of all": (shares_of_all, "reduction"),
        "the nearest, however far": (nearest, "dependence"),
        "the impure": (lambda k, m, w: (1 - counted(k, m, w).pure, counted(k, m, w).shares), "sign"),
        "the modes exchanged": (lambda k, m, w: (counted(k, m, w).pure, counted(k, m, w).shares[::-1]), "direction"),
        "the share alone": (lambda k, m, w: counted(k, m, w).pure, "container"),
    },
}
