"""What variants are made of: numbers from a seed, the same in every version of Python, and the law of one number."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gmcourse.exercises.record import Variant
from gmcourse.laws.broken import LawBroken, Slips, require_value

Pick = Callable[[Sequence[Any]], Any]


def picker(seed: int) -> Pick:
    """A function that picks one of several options, each call by the next draw of `seed`."""
    draw = random.Random(seed).random  # the one method whose numbers Python promises to keep

    def pick(options: Sequence[Any]) -> Any:
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


def first_sound(seed: int, build: Callable[[Pick], Variant], lesson: object) -> Variant:
    """The first of `build(pick)`, called again and again, that is as sound as its exercise.

    Its reference passes, each wrong answer draws its own cause, and `lesson`, the answer to the exercise as it stands
    in the lesson, does not pass. Raises ValueError where none of 200 is.
    """
    pick = picker(seed)
    for _ in range(200):
        drawn = build(pick)
        blames = [(drawn.reference, None), *drawn.wrong]
        if all(_blame(drawn, answer) == cause for answer, cause in blames) and _blame(drawn, lesson) is not None:
            return drawn
    raise ValueError(f"build: got {build.__name__}, expected one that gives a sound variant")


def _blame(variant: Variant, answer: object) -> str | None:
    """The cause that an answer draws, None where it passes."""
    try:
        for law in variant.laws:
            law(answer)
    except LawBroken as broken:
        return broken.cause
    return None
