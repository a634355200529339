"""Discretised logistic mixtures: the probability of a grey level is the mass of its bin, for all colours at once."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from gmcourse.autoregressive.discrete import to_codes


def discretised_logistic(code: Tensor, mean: Tensor, log_scale: Tensor, levels: int) -> Tensor:
    """ln P(k), nats, of a logistic distribution cut into V bins; all three of one shape, or broadcast to it.

    Level k stands at −1 + 2k/(V−1), in the middle of a bin of width Δ = 2/(V−1); the first and the last bin reach to
    −∞ and +∞. With a, b = (edges − mean)/s, s = exp(log_scale): P(k) = σ(b) − σ(a), and so
    ln P(k) = ln σ(b) + ln σ(−a) + ln(1 − e^(−Δ/s)), where no difference is lost to rounding. Salimans et al. 2017,
    equation 2. Equation: autoregressive-bin-log-mass
    """
    half = 1 / (levels - 1)
    centred = 2 * half * code.to(mean.dtype) - 1 - mean
    up = F.logsigmoid((centred + half) * torch.exp(-log_scale))
    down = F.logsigmoid((half - centred) * torch.exp(-log_scale))
    between = torch.log(-torch.expm1(-2 * half * torch.exp(-log_scale)))
    first, last = code == 0, code == levels - 1
    up, down = up.masked_fill(last, 0.0), down.masked_fill(first, 0.0)
    return up + down + between.expand_as(up).masked_fill(first | last, 0.0)


class Mixture(NamedTuple):
    """K components at each pixel: ln π (batch, K, H, W), normalised; means and log-scales (batch, K, C, H, W).

    `coefficients` (batch, K, C(C−1)/2, H, W) say how an earlier colour moves the mean of a later one, in the order
    G of R, B of R, B of G.
    """

    log_weights: Tensor
    means: Tensor
    log_scales: Tensor
    coefficients: Tensor


def channel_means(x: Tensor, mixture: Mixture) -> Tensor:
    """μ_c + Σ_{b<c} α_cb y_b, (batch, K, C, H, W), of the levels x (batch, C, H, W) in [0, 1], y = 2x − 1.

    Salimans et al. 2017, equation 3. Equation: autoregressive-colour-means
    """
    later, earlier = torch.tril_indices(x.shape[1], x.shape[1], -1, device=x.device)
    moved = mixture.coefficients * (2 * x[:, None, earlier] - 1)
    return mixture.means.index_add(2, later, moved)


def component_log_prob(x: Tensor, mixture: Mixture, levels: int) -> Tensor:
    """ln P_k(x_c | x_<c), (batch, K, C, H, W), of each colour under each component."""
    codes = to_codes(x, levels)[:, None]
    return discretised_logistic(codes, channel_means(x, mixture), mixture.log_scales, levels)


def mixture_log_prob(x: Tensor, mixture: Mixture, levels: int) -> Tensor:
    """Σ_pixels ln Σ_k π_k Π_c P_k(x_c | x_<c), (batch,), nats: one component for all colours of a pixel.

    Equation: autoregressive-logistic-mixture
    """
    pixels = (mixture.log_weights + component_log_prob(x, mixture, levels).sum(2)).logsumexp(1)
    return pixels.flatten(1).sum(1)


def level_logits(x: Tensor, mixture: Mixture, levels: int) -> Tensor:
    """ln P(x_c = v | x_<c), (batch, V, C, H, W), normalised: the mixture read colour by colour.

    Each colour that is known weighs the components anew: π_k Π_{b<c} P_k(x_b | x_<b), scaled to sum to 1.
    """
    known = component_log_prob(x, mixture, levels).cumsum(2)
    known = torch.cat([torch.zeros_like(known[:, :, :1]), known[:, :, :-1]], 2)
    weights = (mixture.log_weights[:, :, None] + known).log_softmax(1)
    v = torch.arange(levels, device=x.device)[:, None, None, None]
    means, log_scales = channel_means(x, mixture)[:, :, None], mixture.log_scales[:, :, None]
    return (weights[:, :, None] + discretised_logistic(v, means, log_scales, levels)).logsumexp(1)
