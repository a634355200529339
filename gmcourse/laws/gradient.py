"""Law of gradient estimators: their mean is the gradient of the mean."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import nearest, require_close, require_shape, show_value, standard_error

Function = Callable[[Tensor], Tensor]
Estimator = Callable[[Function, Tensor, Tensor, Tensor], Tensor]


def gradient_is_unbiased(candidate: Estimator, *, seed: int = 0, values_only: bool = False) -> None:
    """E candidate(f, μ, s, ε) = ∇_μ E f(μ + e^s ε), for f = ‖z‖² and Σ cos z, within 4 standard errors.

    The candidate returns one estimate a row, (n, d). It is called on rows by threes, where a baseline that has seen
    its own sample is biased by a third. With `values_only` the f that it is handed has no slope, as a black box has.
    """
    rng = torch.Generator().manual_seed(seed)
    for centre, *std in ((1.0, 1.0, 0.7), (1.0, 0.5, 0.8), (-0.6, 1.5, 1.2)):
        mean, std = torch.tensor([[centre, 0.4], std], dtype=torch.float64)
        s = std.log()
        noise = torch.randn(1_500, 3, 2, generator=rng, dtype=torch.float64)
        for name, f, gradient in (
            ("‖z‖²", lambda z: (z**2).sum(1), 2 * mean),
            ("Σ cos z", lambda z: z.cos().sum(1), -mean.sin() * (-(std**2) / 2).exp()),
        ):
            box = _without_slope(f) if values_only else f
            law = f"the mean estimate is ∇ E f, f = {name}, σ = {show_value(std)}"
            asked = (ask(candidate, f=box, mean=mean, log_std=s, noise=rows) for rows in noise)
            estimates = torch.cat([require_shape("one estimate for each row", rows, (3, 2)) for rows in asked])
            observed = estimates.mean(0)
            attached = 2 * mean * (-0.5 - s - 0.5 * math.log(2 * math.pi)).sum() if name == "‖z‖²" else gradient
            suspects = {
                "spread": gradient * std,
                "dependence": gradient * 2 / 3,
                "sign": -gradient,
                "gradient": nearest(observed, attached, 0 * gradient) if values_only else attached,
            }
            require_close(law, observed, gradient, 4 * standard_error(estimates), suspects)


def _without_slope(f: Function) -> Function:
    """The values of f, whose slope is 0 for whoever differentiates them."""
    return lambda z: f(z.detach()) + 0.0 * z.sum(1)
