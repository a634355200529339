"""What the game is worth: on a line where both densities are known, and from the logits of any critic."""

import math

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, softplus

from gmcourse.probability import grid_jensen_shannon


def optimal_discriminator(log_p: Tensor, log_q: Tensor) -> Tensor:
    """D*(x) = p(x) / (p(x) + q(x)) from two log-densities of any shape: the probability that x came from p.

    Its logit is their difference, so that no density is taken out of its logarithm.
    Equation: gan-optimal-discriminator. Goodfellow et al. 2014, eq. 2.
    """
    return torch.sigmoid(log_p - log_q)


def game_value(h: Tensor, p: Tensor, q: Tensor, dx: float) -> Tensor:
    """𝒱 = Σ [p ln D + q ln(1 − D)] dx, D = sigmoid(h), all (cells,) on a grid of cells of width dx; nats, scalar.

    Equation: gan-value. Goodfellow et al. 2014, eq. 1.
    """
    return (p * logsigmoid(h) + q * logsigmoid(-h)).sum() * dx


def jensen_shannon(p: Tensor, q: Tensor, dx: float) -> Tensor:
    """½ KL(p ‖ m) + ½ KL(q ‖ m), m = ½(p + q), densities (cells,) on a grid; nats, scalar, from 0 to ln 2.

    Where a density is 0, it adds nothing to its own divergence. Equation: gan-jensen-shannon.
    """
    return grid_jensen_shannon(p.log(), q.log(), dx)


def divergence_bound(h_real: Tensor, h_fake: Tensor) -> Tensor:
    """ln 2 − ½ mean softplus(−h_real) − ½ mean softplus(h_fake): never above JS in expectation; nats, scalar.

    The logits are those of any critic on points that it was not trained on, as many real as fake or not.
    Equation: gan-bound.
    """
    return math.log(2) - 0.5 * (softplus(-h_real).mean() + softplus(h_fake).mean())
