"""Law of a density by the probability flow: of one Gaussian, where each slip has a value of its own."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.distributions import Normal

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import Slips, require_close, require_shape
from gmcourse.laws.rows import draw, pooled

SMALLEST, LARGEST = 0.01, 50.0
"""The levels between which the flow is followed: the data's spread is far from both."""


def density_of_a_gaussian(candidate: Callable[[Callable, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(score, x), (batch,), is ln p of x (batch, D), float64, for data N(m, v I), whose score(x, σ) it has.

    The flow goes up from the level 0.01 to 50; the oracle knows where it ends: distances from m grow as √(v + σ²).
    """
    for dims, mean, variance in ((1, 0.4, 0.6), (2, -0.3, 1.5)):
        x = draw(5, dims, seed=seed + dims).double()

        def score(x: Tensor, sigma: Tensor | float, mean: float = mean, variance: float = variance) -> Tensor:
            wide = torch.as_tensor(sigma, dtype=x.dtype).reshape(-1, 1)
            return (mean - x) / (variance + wide.square())

        ratio = (variance + LARGEST**2) / (variance + SMALLEST**2)
        law = f"ln p(x) of one Gaussian, D = {dims}"
        observed = require_shape(law, ask(candidate, score=score, x=x), (5,)).detach().double()
        expected = Normal(mean, math.sqrt(variance)).log_prob(x).sum(1)
        slips = _slips(x, mean, ratio, expected)
        require_close(law, observed, expected, 0.03, slips, given={"x": x}, fit=0.06 + 0.03 * observed.abs())


def _slips(x: Tensor, mean: float, ratio: float, right: Tensor) -> dict[str, Slips]:
    """The volume taken off or left out, the noise's density elsewhere or of another width, a flow twice as fast."""
    dims = x.shape[1]
    volume, far = dims / 2 * math.log(ratio), mean + (x - mean) * math.sqrt(ratio)
    fast = mean + (x - mean) * ratio

    def noise(at: Tensor, std: float = LARGEST) -> Tensor:
        return Normal(0.0, std).log_prob(at).sum(1)

    slips: dict[str, Slips] = {
        "sign": [noise(far) - volume, -right, noise(mean + (x - mean) / math.sqrt(ratio)) - volume],
        "direction": [noise(x) + volume, noise(x) - volume, noise(x)],
        "constant": [noise(far), noise(far, 1.0) + volume, noise(far, math.sqrt(LARGEST)) + volume],
        "spread": [noise(fast) + 2 * volume, noise(far) + 2 * volume, noise(far) + volume / 2, noise(fast) + volume],
        "shape": pooled(right),
    }
    if dims > 1:
        slips["reduction"] = [right / dims, noise(far) + volume / dims, noise(far) / dims + volume]
    return slips
