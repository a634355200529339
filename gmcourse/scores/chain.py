"""The Gaussians of a diffusion chain: its posterior, the deviation of its reverse steps, and what a wrong x* costs."""

import math

import torch
from torch import Tensor

from gmcourse.probability import sum_event
from gmcourse.scores.levels import Level, column


def posterior(x: Tensor, noised: Tensor, sigma: Level, lower: Level) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of q(x + l ε' | x + σε, x): l²/σ² of the way from x to `noised`; l√(1 − l²/σ²).

    x and noised (batch, *event), lower < sigma numbers or (batch,); the deviation broadcasts against the mean.
    Equation: scores-diffusion-posterior. Ho et al. 2020, equations 6 and 7, divided by a.
    """
    sigma, lower = column(sigma, x), column(lower, x)
    share = (lower / sigma).square()
    return x + share * (noised - x), lower * (1 - share).sqrt()


def reverse_std(sigma: Level, lower: Level, spread: float = 0.0) -> Tensor:
    """Standard deviation of x + l ε' given x + σε, for data N(m, s²): √((σ² − l²)(s² + l²)/(s² + σ²)), s = `spread`.

    With s = 0 it is the posterior's (β̃ of the paper), with s = 1 that of the noising step (its β), both divided by a.
    Equation: scores-reverse-std. Ho et al. 2020, section 3.2.
    """
    sigma, lower = _square(sigma), _square(lower)
    return ((sigma - lower) * (spread**2 + lower) / (spread**2 + sigma)).sqrt()


def step_weight(sigma: Level, lower: Level, spread: float = 0.0) -> Tensor:
    """What ‖x* − x‖² costs in the step from σ to l, nats: (σ² − l²)(s² + σ²)/(2σ⁴(s² + l²)), s = `spread`.

    With s = 0 it is ½(1/l² − 1/σ²), half of what the signal-to-noise ratio gains: Kingma et al. 2021, equation 13.
    """
    sigma, lower = _square(sigma), _square(lower)
    return (sigma - lower) * (spread**2 + sigma) / (2 * sigma.square() * (spread**2 + lower))


def step_cost(error: Tensor, dims: int, sigma: Level, lower: Level, spread: float = 0.0) -> Tensor:
    """KL of the model's step from the posterior's, nats, (batch,): weight · error + ½D(r − 1 − ln r).

    error = ‖x* − x‖², (batch,), D = `dims`; r = l²(s² + σ²)/(σ²(s² + l²)) is the ratio of the two variances, 1 where
    s = `spread` is 0. 0 < lower < sigma. Equation: scores-diffusion-term. Ho et al. 2020, equations 5, 8 and 12.
    """
    above, below = _square(sigma), _square(lower)
    ratio = below * (spread**2 + above) / (above * (spread**2 + below))
    return step_weight(sigma, lower, spread) * error + dims / 2 * (ratio - 1 - ratio.log())


def binned_log_prob(x: Tensor, mean: Tensor, std: Tensor | float, levels: int) -> Tensor:
    """Log-mass of N(mean, std²) in the bin of each x, multiples of 1/(V − 1) in [0, 1], summed: (batch,), nats.

    The bins of 0 and 1 are open to the outside; a mean outside [0, 1] is taken to its edge. V = `levels`.
    Ho et al. 2020, equation 13.
    """
    half, gap = 0.5 / (levels - 1), (x - mean.clamp(0, 1)).abs()
    near = torch.special.log_ndtr((half - gap) / std)  # by symmetry every bin lies to the left of its mean
    far = torch.special.log_ndtr(-(half + gap) / std).where((x > half) & (x < 1 - half), -math.inf)
    return sum_event(near + torch.log1p(-(far - near).exp()))


def grey_levels(x: Tensor) -> int:
    """V where x holds at least two of the values k/(V − 1), V ≤ 256, and nothing else; otherwise 0."""
    steps = x.flatten().unique()
    if len(steps) < 2 or steps[0] < 0 or steps[-1] > 1:
        return 0
    levels = round(1 / steps.diff().min().item()) + 1
    off = (steps * (levels - 1) - (steps * (levels - 1)).round()).abs().max().item()
    return levels if levels <= 256 and off < 1e-3 else 0


def _square(level: Level) -> Tensor:
    """σ², of a number in float64."""
    return (level if isinstance(level, Tensor) else torch.tensor(level, dtype=torch.float64)).square()
