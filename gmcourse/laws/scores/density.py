"""Law of a density by the probability flow: of one Gaussian, where each slip has a value of its own."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal, Normal

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import Slips, require_close, require_shape
from gmcourse.laws.rows import Level, draw, pooled

SMALLEST, LARGEST = 0.01, 50.0
"""The levels between which the flow is followed: the data's spread is far from both."""


def density_of_a_gaussian(candidate: Callable[[Callable, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(score, x), (batch,), is ln p of x (batch, D), float64, for Gaussian data, whose score(x, σ) it has.

    The flow goes up from the level 0.01 to 50; the oracle knows where it ends: along an axis of the data's variance v
    distances from the mean grow as √(v + σ²). In two dimensions the axes are turned, so that ∂v_1/∂x_2 is not 0.
    """
    for mean, variances in ((0.4, (0.6,)), (-0.3, (1.5, 0.1))):
        dims, variance = len(variances), torch.tensor(variances, dtype=torch.float64)
        axes = _turned(dims)
        x = _near(draw(5, dims, seed=seed + dims).double(), mean, variance, axes)

        def score(
            x: Tensor, sigma: Level, mean: float = mean, variance: Tensor = variance, axes: Tensor = axes
        ) -> Tensor:
            wide = torch.as_tensor(sigma, dtype=x.dtype).reshape(-1, 1)
            return ((mean - x) @ axes.to(x) / (variance.to(x) + wide.square())) @ axes.to(x).T

        ratio = (variance + LARGEST**2) / (variance + SMALLEST**2)
        law = f"ln p(x) of one Gaussian, D = {dims}"
        observed = require_shape(law, ask(candidate, score=score, x=x), (5,)).detach().double()
        covariance = (axes * variance) @ axes.T
        expected = MultivariateNormal(torch.full_like(variance, mean), covariance).log_prob(x)
        slips = _slips(x, mean, ratio, axes, expected)
        require_close(law, observed, expected, 0.04, slips, given={"x": x}, fit=0.06 + 0.03 * observed.abs())


def _near(x: Tensor, mean: float, variance: Tensor, axes: Tensor) -> Tensor:
    """x, with what is farther than 1 / |mean| standard deviations from the mean pulled in to there.

    At d of them the flow's answer is itself up to |mean| d √D / 50 nats off: it takes the noise at the largest level
    for one without a mean.
    """
    far = ((x - mean) @ axes / variance.sqrt()).norm(dim=1, keepdim=True) * abs(mean)
    return torch.where(far > 1, mean + (x - mean) / far, x)


def _turned(dims: int) -> Tensor:
    """Axes at an angle of 30° to the coordinates in the plane, (D, D), in columns."""
    c, s = math.cos(math.pi / 6), math.sin(math.pi / 6)
    return torch.tensor([[c, -s], [s, c]] if dims > 1 else [[1.0]], dtype=torch.float64)


def _slips(x: Tensor, mean: float, ratio: Tensor, axes: Tensor, right: Tensor) -> dict[str, Slips]:
    """The volume taken off, left out or of other slopes, the noise's density elsewhere or of another width, a flow
    twice as fast.
    """
    dims, grown = x.shape[1], ratio.log() / 2
    volume = grown.sum().item()

    def moved(factor: Tensor) -> Tensor:
        return mean + ((x - mean) @ axes * factor) @ axes.T

    far, fast = moved(ratio.sqrt()), moved(ratio)

    def noise(at: Tensor, std: float = LARGEST) -> Tensor:
        return Normal(0.0, std).log_prob(at).sum(1)

    bare, roots = -far.square().sum(1) / (2 * LARGEST**2) + volume, math.log(LARGEST * math.sqrt(2 * math.pi))
    slips: dict[str, Slips] = {}
    if dims > 1:
        whole, first = ((grown * weight).sum().item() for weight in (axes.sum(0) ** 2, axes[0] ** 2))
        slips["reduction"] = [right / dims, noise(far) + volume / dims, noise(far) / dims + volume]
        slips["one-to-one"] = [noise(far) + whole, noise(far) + first]
    return slips | {
        "sign": [noise(far) - volume, -right, noise(moved(1 / ratio.sqrt())) - volume],
        "direction": [noise(x) + volume, noise(x) - volume, noise(x)],
        "constant": [noise(far), noise(far, 1.0) + volume, noise(far, math.sqrt(LARGEST)) + volume]
        + [bare, bare - dims * math.log(LARGEST)]
        + [bare - roots] * (dims > 1),
        "spread": [noise(fast) + 2 * volume, noise(far) + 2 * volume, noise(far) + volume / 2, noise(fast) + volume],
        "shape": pooled(right),
    }
