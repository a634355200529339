"""The laws of intervals pass right answers and catch each planted bug."""

from fractions import Fraction
from math import ceil

import torch

from gmcourse.autoregressive.arithmetic_coder import narrow
from gmcourse.exercises.autoregressive.gates_and_mixtures import hidden_bits
from gmcourse.laws.autoregressive import intervals


def part(at):
    """Both ends by one function of (low, width, c, total)."""
    return lambda low, high, a, b, n: (at(low, high - low, a, n), at(low, high - low, b, n))


def by_sets(low, high, places):
    """Bit after bit, while the block of numbers that begin so holds the interval."""
    bits, begin, size = [], 0, 2**places
    while size > 1:
        size //= 2
        if low >= begin + size:
            begin, bits = begin + size, [*bits, 1]
        elif high <= begin + size:
            bits = [*bits, 0]
        else:
            break
    return bits


RIGHT = {
    intervals.parts_meet: (
        narrow,
        part(lambda low, width, c, n: low + -(-width * c // n)),
        part(lambda low, width, c, n: low + round(Fraction(width * c, n))),
        part(lambda low, width, c, n: ceil(low + Fraction(width * c, n))),
    ),
    intervals.bits_are_shared: (hidden_bits, by_sets, lambda *inputs: torch.tensor(by_sets(*inputs))),
}
BUGS = {
    intervals.parts_meet: {
        "high is the last number": (
            lambda low, high, a, b, n: (narrow(low, high, a, b, n)[0], narrow(low, high, a, b, n)[1] - 1),
            "one-to-one",
        ),
        "overlapping": (
            lambda low, high, a, b, n: (narrow(low, high, a, b, n)[0], narrow(low, high, a, b, n)[1] + 1),
            "reduction",
        ),
        "a width of one more": (part(lambda low, width, c, n: low + (width + 1) * c // n), "reduction"),
        "doubles": (part(lambda low, width, c, n: int(low + width * c / n)), "overflow"),
        "not from low": (part(lambda low, width, c, n: width * c // n), "constant"),
        "divided first": (part(lambda low, width, c, n: low + width // n * c), "log-mean"),
        "whole parts alone": (part(lambda low, width, c, n: low + width * (c // n)), "log-mean"),
        "from the new low": (
            lambda low, high, a, b, n: (
                low + (high - low) * a // n,
                low + (high - low) * a // n + (high - low) * b // n,
            ),
            "dependence",
        ),
        "from the other end": (part(lambda low, width, c, n: low + width - width * c // n), "direction"),
        "a share of high": (lambda low, high, a, b, n: (low + high * a // n, low + high * b // n), "spread"),
        "frequencies": (part(lambda low, width, c, n: low + c), "spread"),
        "not rounded": (part(lambda low, width, c, n: low + width * c / n), "container"),
        "low alone": (lambda low, high, a, b, n: low + (high - low) * a // n, "container"),
        "the whole interval": (lambda low, high, a, b, n: (low, high), ""),
    },
    intervals.bits_are_shared: {
        "high is in it": (lambda low, high, n: by_sets(low, min(high + 1, 2**n), n), "one-to-one"),
        "by the width": (
            lambda low, high, n: by_sets(low, low + 1, n)[: n - (high - low - 1).bit_length()],
            "reduction",
        ),
        "whatever agrees": (
            lambda low, high, n: [int(a) for a, b in zip(f"{low:0{n}b}", f"{high - 1:0{n}b}", strict=True) if a == b],
            "spread",
        ),
        "back to front": (lambda *inputs: by_sets(*inputs)[::-1], "direction"),
        "no zeros in front": (lambda low, high, n: by_sets(low, high, max(high - 1, 1).bit_length()), "constant"),
        "the end of the stream, too": (lambda low, high, n: [*by_sets(low, high, n), 0, 1], "dependence"),
        "all of low": (lambda low, high, n: by_sets(low, low + 1, n), "dependence"),
        "how many": (lambda *inputs: len(by_sets(*inputs)), "container"),
        "a text": (lambda *inputs: "".join(map(str, by_sets(*inputs))), "container"),
        "nothing": (lambda *inputs: [], ""),
        "one less": (lambda *inputs: by_sets(*inputs)[:-1], "reduction"),
    },
}
