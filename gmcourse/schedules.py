"""Learning rates as functions of the step, for `fit`."""

from collections.abc import Callable


def held_then_falling(peak: float, steps: int) -> Callable[[int], float]:
    """The rate `peak` for half of `steps`, then in a straight line to 0."""
    return lambda step: peak * min(1.0, 2 * (1 - step / steps))
