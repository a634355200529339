"""The μ-law: the amplitude of a sound as one of few codes, fine near silence and coarse where it is loud."""

import math

import torch
from torch import Tensor


def encode(x: Tensor, levels: int = 256) -> Tensor:
    """Amplitudes in [−1, 1] → codes 0..V−1, int64, of any shape: the nearest of V steps of f(x), louder ones clipped.

    f(x) = sgn(x) ln(1 + μ|x|) / ln(1 + μ) with μ = V − 1. Raises ValueError for fewer than two levels.
    Equation: autoregressive-sound-mu-law. ITU-T G.711; van den Oord et al. 2016, section 2.2.
    """
    mu = _mu(levels)
    squeezed = x.detach().sign() * torch.log1p(mu * x.detach().abs()) / math.log1p(mu)
    return ((squeezed + 1) / 2 * mu).round().long().clamp(0, mu)


def decode(codes: Tensor, levels: int = 256, dtype: torch.dtype = torch.float32) -> Tensor:
    """Codes → the amplitude that each stands for, f⁻¹(y) = sgn(y) ((1 + μ)^{|y|} − 1) / μ at y = 2k/μ − 1."""
    mu = _mu(levels)
    y = 2 * codes.to(dtype) / mu - 1
    return y.sign() * torch.expm1(y.abs() * math.log1p(mu)) / mu


def _mu(levels: int) -> int:
    if levels < 2:
        raise ValueError(f"levels: got {levels}, expected at least 2")
    return levels - 1
