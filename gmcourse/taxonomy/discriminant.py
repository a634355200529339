"""Two Gaussian classes, read as a model of the pair (x, y): what Bayes' rule makes of it."""

import math

import torch
from torch import Tensor


def lda_logit(x: Tensor, means: Tensor, cov: Tensor, prior: float = 0.5) -> Tensor:
    """ln p(y=1|x)/p(y=0|x) of classes N(μ_y, Σ) with one covariance: wᵀx + b, (batch,).

    w = Σ⁻¹(μ₁ − μ₀), b = ½ μ₀ᵀΣ⁻¹μ₀ − ½ μ₁ᵀΣ⁻¹μ₁ + ln π/(1 − π). x (batch, D), means (2, D), cov (D, D), π = p(y=1).
    Raises ValueError for a prior outside (0, 1). Equation: taxonomy-lda.
    """
    if not 0 < prior < 1:
        raise ValueError(f"prior: got {prior}, expected a probability between 0 and 1")
    weight = torch.linalg.solve(cov, means[1] - means[0])
    return (x - means.mean(0)) @ weight + math.log(prior / (1 - prior))
