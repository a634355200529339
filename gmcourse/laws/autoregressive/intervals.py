"""Laws of intervals of integers: the parts of symbols meet, and the bits that all points share."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from os.path import commonprefix

import torch

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, as_tensor, require_parts, require_shape

Part = tuple[int, int]

INTERVALS = (
    (12_345, 2**31 + 77, (0, 3_000, 4_001, 11_000, 16_000)),
    (0, 2**32, (0, 1, 2, 3)),
    (1_000, 1_017, (0, 2, 5, 6, 16)),
    (2**30 - 1, 3 * 2**30 + 5, (0, 1, 65_535, 65_536)),
    (2**59 + 12_345, 2**60 + 2**59, (0, 3, 100, 257)),
)
"""low, high and the edges of frequencies: off 0, whole, hardly wider than the total, uneven, wider than a double."""


def parts_meet(candidate: Callable[[int, int, int, int, int], Part], *, seed: int = 0) -> None:
    """candidate(low, high, start, end, total) → low and high of the part: low + (high − low) start/total, rounded.

    However it is rounded, the parts of neighbours meet, the first begins at low and the last ends at high.
    """
    for low, high, edges in INTERVALS:
        total, steps = edges[-1], list(zip(edges, edges[1:], strict=False))
        parts = [_part(ask(candidate, low=low, high=high, start=a, end=b, total=total)) for a, b in steps]
        exact = [low + Fraction((high - low) * c, total) for c in edges]
        wrong = [k for k, part in enumerate(parts) if not _near(part, (exact[k], exact[k + 1]))]
        open_ = [k for k, part in enumerate(parts) if part[1] != (*(p[0] for p in parts[1:]), high)[k]]
        if not wrong and not open_ and parts[0][0] == low:
            continue
        k = (wrong or open_ or [0])[0]
        law = "the symbols divide [low, high) by their frequencies: every number belongs to one of them"
        expected = f"({low + (high - low) * edges[k] // total}, {low + (high - low) * edges[k + 1] // total})"
        case = f"low = {low}, high = {high}, start = {edges[k]}, end = {edges[k + 1]}, total = {total}"
        cause = _cause(parts, low, high, edges) or ("overflow" if high > 2**53 else "")
        raise LawBroken(law, f"{parts[k]}", expected, cause, case)


def _part(output: object) -> Part:
    law = "a part is two integers, its low and its high"
    low, high = (_integer(law, part) for part in require_parts(law, output, 2))
    return low, high


def _integer(law: str, part: object) -> int:
    value = require_shape(law, torch.tensor(part, dtype=torch.float64) if isinstance(part, float) else part, ()).item()
    if value != int(value):
        raise LawBroken(law, f"{value:.6f}", "an integer", "container")
    return int(value)


def _near(part: Sequence[int], exact: Sequence[Fraction | int], within: int = 1) -> bool:
    return all(abs(x - e) < within for x, e in zip(part, exact, strict=True))


def _seam(parts: Sequence[Part], high: int) -> str:
    """Numbers that are in two parts, or past high: "reduction", the parts hold too much; else "one-to-one", a gap."""
    begins = (*(part[0] for part in parts[1:]), high)
    return "reduction" if any(part[1] > begin for part, begin in zip(parts, begins, strict=True)) else "one-to-one"


def _cause(parts: Sequence[Part], low: int, high: int, edges: Sequence[int]) -> str:
    """Which slip gives these parts, to within 2."""
    width, total, steps = high - low, edges[-1], list(zip(edges, edges[1:], strict=False))
    share = [Fraction(width * c, total) for c in edges]
    slips: dict[str, Sequence[Sequence[tuple[Fraction | int, Fraction | int]]]] = {
        _seam(parts, high): [[(low + share[k], low + share[k + 1]) for k in range(len(steps))]],
        "constant": [[(share[k], share[k + 1]) for k in range(len(steps))]],
        "dependence": [[(low + share[k], low + share[k] + share[k + 1]) for k in range(len(steps))]]
        + [[(low + share[k], end + share[k + 1] - share[k]) for k in range(len(steps))] for end in (low, 0)]
        + [[(low + share[k], share[k + 1]) for k in range(len(steps))]]
        + [[(low + share[k], high - share[k + 1]) for k in range(len(steps))]]
        + [[(low + share[k], low + share[k] + (width - share[k]) * b / total) for k, (_, b) in enumerate(steps)]],
        "direction": [[(high - share[k + 1], high - share[k]) for k in range(len(steps))]]
        + [[(high - share[k], high - share[k + 1]) for k in range(len(steps))]],
        "log-mean": [[(low + width * (a // total), low + width * (b // total)) for a, b in steps]]
        + [[(low + width // total * a, low + width // total * b) for a, b in steps]],
        "spread": [
            [(low + Fraction(high * a, total), low + Fraction(high * b, total)) for a, b in steps],
            [(Fraction(high * a, total), Fraction(high * b, total)) for a, b in steps],
            [(low + a, low + b) for a, b in steps],
            [(Fraction(low * a, total), Fraction(high * b, total)) for a, b in steps],
            [(low + Fraction(width * a, total - 1), low + Fraction(width * b, total - 1)) for a, b in steps],
        ],
    }
    for cause, ways in slips.items():
        if any(all(_near(part, e, 3) for part, e in zip(parts, way, strict=True)) for way in ways):
            return cause
    return ""


POINTS = (
    (5, 6, 5),
    (64, 96, 8),
    (6, 8, 4),
    (9, 15, 4),
    (8, 13, 5),
    (7, 9, 4),
    (0, 1, 5),
    (40, 48, 6),
    (30, 32, 5),
    (0, 2**32, 32),
    (2**31 - 5, 2**31 + 3, 32),
    (2_863_311_530, 2_863_311_600, 32),
    (1_431_655_765, 1_431_700_000, 32),
)
"""low, high, places: one point, a whole block, off the blocks, about the middle, all of them."""


def bits_are_shared(candidate: Callable[[int, int, int], Sequence[int]], *, seed: int = 0) -> None:
    """candidate(low, high, places): the first bits that low, …, high − 1 share, written with `places` binary digits.

    The oracle writes the numbers out, all of them where they are few.
    """
    for low, high, places in POINTS:
        few = range(low, high) if high - low < 100 else (low, high - 1)
        expected = [int(digit) for digit in commonprefix([f"{x:0{places}b}" for x in few])]
        law = f"the bits that all points of the interval share, of {places}"
        observed = _bits(law, ask(candidate, low=low, high=high, places=places))
        if observed == expected:
            continue
        cause = next((c for c, ways in _other_bits(low, high, places, expected).items() if observed in ways), "")
        raise LawBroken(law, f"{observed}", f"{expected}", cause, f"low = {low}, high = {high}, places = {places}")


def _bits(law: str, output: object) -> list[int]:
    """0s and 1s in a list, a tuple, an array or a tensor; anything else breaks the law."""
    tensor = None if isinstance(output, (str, bytes)) else as_tensor(output)
    if tensor is None or tensor.dim() != 1 or tensor.is_complex() or not ((tensor == 0) | (tensor == 1)).all():
        raise LawBroken(
            law, f"{output if isinstance(output, str) else type(output).__name__}", "0s and 1s", "container"
        )
    return [int(bit) for bit in tensor]


def _other_bits(low: int, high: int, places: int, right: list[int]) -> dict[str, list[list[int]]]:
    """What the usual slips would give in the place of the shared bits."""
    first, last, over = ([int(d) for d in f"{x:0{places}b}"] for x in (low, high - 1, high))
    span = [k for k in range(places) if first[k] == last[k]]
    length = places - (high - low).bit_length() + 1
    return {
        "one-to-one": [first[: len(commonprefix([first, over]))], over[: len(commonprefix([first, over[-places:]]))]],
        "reduction": [first[:length], first[: length - 1]],
        "spread": [[first[k] for k in span]],
        "direction": [right[::-1]],
        "constant": [[int(d) for d in f"{low:b}"][: len(right)], right[_zeros(right) :]],
        "dependence": [[*right, *more] for more in ([0], [1], [0, 1], [1, 0])] + [first, last],
    }


def _zeros(bits: list[int]) -> int:
    return bits.index(1) if 1 in bits else len(bits)
