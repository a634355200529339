"""What variants are made of: numbers from a seed, the same in every version of Python, and the law of one number."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from gmcourse.laws.broken import Slips, require_value

T = TypeVar("T")


def picker(seed: int) -> Callable[[Sequence[T]], T]:
    """A function that picks one of several options, each call by the next draw of `seed`."""
    draw = random.Random(seed).random  # the one method whose numbers Python promises to keep

    def pick(options: Sequence[T]) -> T:
        return options[int(draw() * len(options))]

    return pick


def near(value: float) -> tuple[float, float, float]:
    """A number, and the whole numbers below and above it, to which it may have been rounded."""
    return value, float(value // 1), float(-(-value // 1))


def value_law(
    law: str, expected: float, tolerance: float, suspects: Mapping[str, Slips], fit: float | None = None
) -> Callable[[object], None]:
    """The law that an answer is `expected`, as `require_value` has it."""
    return lambda answer: require_value(law, answer, expected, tolerance, suspects, fit)
