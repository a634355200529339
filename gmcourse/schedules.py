"""Learning rates as functions of the step, for `fit`."""

from collections.abc import Callable


def held_then_falling(peak: float, steps: int, warm: int = 1) -> Callable[[int], float]:
    """Up to `peak` over the first `warm` steps, held for half of `steps`, then in a straight line to 0."""
    return lambda step: peak * min(1.0, 2 * (1 - step / steps)) * min(1.0, (step + 1) / warm)
