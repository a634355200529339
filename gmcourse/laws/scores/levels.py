"""Laws of levels of noise: a ladder of one ratio, and what a level makes of a point where the variance is kept."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import Slips, require_close, require_shape
from gmcourse.laws.rows import Level, draw, further, pooled, within


def levels_share_a_ratio(candidate: Callable[[float, float, int], Tensor], *, seed: int = 0) -> None:
    """candidate(largest, smallest, n): n levels, the largest first, each the same share of the one before.

    The oracle takes the root of the ratio by bisection, and multiplies.
    """
    fixed = (20.0, 1.0, 10), (3.0, 0.01, 5), (0.8, 0.05, 2), (50.0, 40.0, 3)
    more = further(seed, lambda rng: (rng.uniform(5, 40), rng.uniform(0.02, 2.0), rng.randint(3, 12)))
    for largest, smallest, n in (*fixed, *more):
        share = _root(smallest / largest, n - 1)
        expected = torch.tensor([largest * share**k for k in range(n)], dtype=torch.float64)
        law = f"{n} levels of one ratio, from {largest} down to {smallest}"
        answer = ask(candidate, largest=largest, smallest=smallest, n=n)
        observed = require_shape(law, answer, (n,)).double()
        require_close(law, observed, expected, 1e-4 * expected, _ladder_slips(expected, largest, smallest, n))


def _root(value: float, n: int) -> float:
    low, high = 0.0, 1.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if middle**n < value else (low, middle)
    return high


def _ladder_slips(right: Tensor, largest: float, smallest: float, n: int) -> dict[str, Slips]:
    """Equal differences, of σ or of a power of it; the other order; a ratio too many; logarithms left as they are."""

    def even(power: float) -> Tensor:
        return torch.linspace(largest**power, smallest**power, n, dtype=torch.float64) ** (1 / power)

    logs = right.log()
    short, places = (smallest / largest) ** (1 / n), torch.arange(n, dtype=torch.float64)
    equal = [even(power) for power in (1.0, 2.0, 0.5, -1.0, 1 / 7)]
    return {
        "direction": [right.flip(0), *(way.flip(0) for way in equal)],
        "log-mean": equal,
        "one-to-one": [largest * short**places, largest * short ** (places + 1)]
        + [largest * (smallest / largest) ** ((places + first) / (n + 1)) for first in (0, 1)]
        + [largest * (smallest / largest) ** places],
        "spread": [10.0**logs, math.e ** (logs / math.log(10)), right.square(), right.sqrt()],
        "constant": [logs, right.log10(), right / largest, right / smallest],
    }


def noised_keeps_variance(candidate: Callable[[Tensor, Level, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(x, σ, ε) = a x + b ε with b/a = σ and a² + b² = 1, of the shape of x; σ a number or (batch,).

    The oracle reads a and b off an angle θ of tangent σ.
    """
    for event, sigma in (((3,), 0.6), ((1, 2, 2), 2.5), ((2,), torch.tensor([0.05, 0.7, 1.6, 40.0]))):
        x, noise = draw(4, *event, seed=seed + len(event)), draw(4, *event, seed=seed + 9)
        angle = torch.as_tensor(sigma).double().atan().reshape(-1, *[1] * len(event))
        a, b, s = angle.cos(), angle.sin(), angle.tan()
        expected = a * x.double() + b * noise.double()
        inputs = {"x": x, "sigma": sigma, "noise": noise}
        law = "a x + b ε, b/a = σ, a² + b² = 1" + (", a level for each row" if isinstance(sigma, Tensor) else "")
        observed = require_shape(law, ask(candidate, **inputs), tuple(x.shape)).detach().double()
        ways = {
            "spread": [(a**2, b), (a**2, b**2), (a, b**2), (a.sqrt(), b.sqrt()), (1 / (1 + s**2), s), (a, b.sqrt())]
            + [(a, s * b), ((1 + s**4).rsqrt(), s**2 * (1 + s**4).rsqrt()), ((1 + s).rsqrt(), (s / (1 + s)).sqrt())],
            "constant": [(1 + 0 * a, s), (1 / (1 + s), s / (1 + s)), (1 - b, b), (a, s), (1 + 0 * a, b), (a, 1 - a)]
            + [(1 - s, s), (1 / a, s / a), (0.5**0.5 + 0 * a, s * 0.5**0.5)],
            "direction": [(b, a), (s / (1 + s), 1 / (1 + s))],
            "sign": [(a, -b), (-a, b)],
            "dependence": [(a, 0 * b), (0 * a, b)],
        }
        suspects: dict[str, Slips] = {
            cause: [left * x.double() + right * noise.double() for left, right in pairs]
            for cause, pairs in ways.items()
        }
        suspects["randomness"] = a * x.double() + b * noise[:1].double()
        single = [s.flatten()[:1], s.mean()]  # a level for all rows
        suspects["shape"] = pooled(expected) + [(x + one * noise) / (1 + one**2).sqrt() for one in single]
        require_close(law, observed, expected, within(expected), suspects, given=inputs)
