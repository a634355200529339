"""Law of gradient estimators: their mean is the gradient of the mean."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, require_close, require_shape, show_value, standard_error

Function = Callable[[Tensor], Tensor]
LARGEST_ERROR = 1.0  # several times that of a score-function estimate: a mean that varies more says nothing
Estimator = Callable[[Function, Tensor, Tensor, Tensor], Tensor]


def gradient_is_unbiased(candidate: Estimator, *, seed: int = 0) -> None:
    """E candidate(f, μ, s, ε) = ∇_μ E f(μ + e^s ε), for f = ‖z‖² and Σ cos z, within 4 standard errors.

    The candidate returns one estimate a row, (n, d). It is called on rows by threes, where a baseline that has seen
    its own sample is biased by a third: 960 calls in all, since what the estimates share with two known ones is taken
    out first.
    """
    rng = torch.Generator().manual_seed(seed)
    for centre, *std in ((1.0, 1.0, 0.7), (1.0, 0.5, 0.8), (-0.6, 1.5, 1.2)):
        mean, std = torch.tensor([[centre, 0.4], std], dtype=torch.float64)
        s = std.log()
        noise = torch.randn(160, 3, 2, generator=rng, dtype=torch.float64)
        for name, f, slope, gradient in (
            ("‖z‖²", lambda z: (z**2).sum(-1), lambda z: 2 * z, 2 * mean),
            ("Σ cos z", lambda z: z.cos().sum(-1), lambda z: -z.sin(), -mean.sin() * (-(std**2) / 2).exp()),
        ):
            law = f"the mean estimate is ∇ E f, f = {name}, σ = {show_value(std)}"
            asked = (ask(candidate, f=f, mean=mean, log_std=s, noise=rows) for rows in noise)
            estimates = torch.stack([require_shape("one estimate for each row", rows, (3, 2)) for rows in asked])
            z = mean + std * noise
            known = torch.cat([f(z)[..., None] * noise / std - gradient, slope(z) - gradient, noise], 2)
            observed, error = _mean_beside(estimates.detach().double().mean(1), known.mean(1))
            attached = 2 * mean * (-0.5 - s - 0.5 * math.log(2 * math.pi)).sum() if name == "‖z‖²" else gradient
            suspects = {
                "spread": gradient * std,
                "dependence": gradient * 2 / 3,
                "sign": -gradient,
                "gradient": attached,
            }
            if error.max() > LARGEST_ERROR:
                raise LawBroken(
                    law, f"{show_value(observed)} ± {show_value(error)}", f"{show_value(gradient)}, more surely"
                )
            require_close(law, observed, gradient, 4 * error + 1e-5, suspects)


def _mean_beside(draws: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """The mean of the draws and its standard error, by regression on what is known to be 0 on average."""
    regressors = torch.cat([torch.ones(len(known), 1, dtype=known.dtype), known], 1)
    weights = torch.linalg.lstsq(regressors, draws, driver="gelsd").solution
    return weights[0], standard_error(draws - regressors @ weights)
