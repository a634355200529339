"""Means of random numbers: how far off they are, and how to take them without leaving the logarithm."""

import math

import torch
from torch import Tensor


def standard_error(values: Tensor) -> Tensor:
    """s/√n of n independent draws, s² = Σ (v − v̄)²/(n − 1): the standard deviation of their mean, scalar.

    Raises TypeError for values that are not floating point, ValueError for fewer than two of them or another shape.
    Equation: taxonomy-standard-error.
    """
    if not values.is_floating_point():
        raise TypeError(f"values: got dtype {values.dtype}, expected floating point")
    if values.dim() != 1 or len(values) < 2:
        raise ValueError(f"values: got shape {tuple(values.shape)}, expected (n,) with n at least 2")
    return values.std() / math.sqrt(len(values))


def log_mean_exp(log_values: Tensor) -> Tensor:
    """ln (1/K) Σ_k e^{a_k} of each row: (batch, K) → (batch,), for logarithms of any size.

    Raises ValueError for K = 0. Equation: taxonomy-log-mean-exp.
    """
    if log_values.shape[-1] < 1:
        raise ValueError(f"log_values: got shape {tuple(log_values.shape)}, expected at least one value in a row")
    return log_values.logsumexp(-1) - math.log(log_values.shape[-1])


def kl_terms(log_p: Tensor, log_q: Tensor) -> Tensor:
    """(r − 1) − ln r with r = q/p at draws of p: each at least 0, their mean KL(p ‖ q), nats, of the shape of both.

    The mean of r − 1 under p is 0 where q has its mass where p has, so that the mean stays that of −ln r, and most of
    the noise cancels. Equation: taxonomy-kl-terms.
    """
    log_ratio = log_q - log_p
    return torch.expm1(log_ratio) - log_ratio
