"""Two estimators of the gradient of an expectation, ∇_μ E_{z ~ N(μ, σ²)} f(z), one row a noise."""

from collections.abc import Callable

import torch
from torch import Tensor

from gmcourse.vae.gaussian import reparameterize


def score_gradient(
    f: Callable[[Tensor], Tensor], mean: Tensor, log_std: Tensor, noise: Tensor, baseline: float | Tensor = 0.0
) -> Tensor:
    """(f(z) − b) ∇_μ log q(z) = (f(z) − b)(z − μ)/σ², (n, d): unbiased for any b independent of z.

    `f` maps (n, d) to (n,) and may be a black box; `noise` is (n, d), `mean` and `log_std` (d,).
    Equation: vae-score-gradient. Williams 1992.
    """
    with torch.no_grad():
        z = reparameterize(mean, log_std, noise)
        return (f(z) - baseline)[:, None] * (z - mean) / (2 * log_std).exp()


def pathwise_gradient(f: Callable[[Tensor], Tensor], mean: Tensor, log_std: Tensor, noise: Tensor) -> Tensor:
    """∇_μ f(μ + σε) = f′(z), (n, d): unbiased; f must be differentiable.

    Equation: vae-pathwise-gradient. Kingma & Welling 2014, §2.4.
    """
    z = reparameterize(mean, log_std, noise).detach().requires_grad_()
    return torch.autograd.grad(f(z).sum(), z)[0]
