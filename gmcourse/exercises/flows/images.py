"""Exercises of lesson 06.4, images."""

import math

import torch
from torch import Tensor

from gmcourse import probability
from gmcourse.exercises.record import Exercise
from gmcourse.laws.flows import channels, dequantisation


def bits_per_dim(log_prob: Tensor, dims: int, levels: int) -> Tensor:
    """−log p_v / (D ln 2) + log₂ V."""
    return probability.bits_per_dim(log_prob, dims) + math.log2(levels)


def logit_log_det(x: Tensor, alpha: float) -> Tensor:
    """Σ [ln(1−2α) − ln y − ln(1−y)], y = α + (1−2α) x."""
    y = alpha + (1 - 2 * alpha) * x
    return (math.log(1 - 2 * alpha) - torch.log(y) - torch.log1p(-y)).sum(1)


def actnorm_log_det(x: Tensor, log_std: Tensor) -> Tensor:
    """−HW Σ_c s_c."""
    height, width = x.shape[-2:]
    return (-height * width * log_std.sum()).expand(len(x))


def invertible_1x1_log_det(x: Tensor, weight: Tensor) -> Tensor:
    """HW ln|det A|."""
    height, width = x.shape[-2:]
    return (height * width * torch.linalg.slogdet(weight).logabsdet).expand(len(x))


def dequantised_bound(log_p, x: Tensor, u: Tensor, log_q: Tensor) -> Tensor:
    """ln (1/K) Σ p(x + u_k)/q(u_k|x)."""
    log_weights = log_p(x + u) - log_q
    return log_weights.logsumexp(0) - math.log(len(u))


EXERCISES: tuple[Exercise, ...] = (
    Exercise(
        id="flows.bits_per_dim",
        stub='''def bits_per_dim(log_prob, dims, levels):
    """Bits a dimension, (batch,), of log p_v in nats, v = (x + u)/levels."""
    raise NotImplementedError''',
        points=1,
        laws=(dequantisation.bits_of_a_density,),
        reference=bits_per_dim,
        hints=(
            "v is V times smaller than x + u in every dimension, so that its density is V^D times larger.",
            "Nats become bits by a division by ln 2. A uniform density on [0, 1)^D must give log₂ V.",
        ),
        wrong=(
            (lambda log_prob, dims, levels: -log_prob / (dims * math.log(2)), "constant"),
            (lambda log_prob, dims, levels: -log_prob / dims + math.log2(levels), "spread"),
            (lambda log_prob, dims, levels: -log_prob / math.log(2) + math.log2(levels), "reduction"),
            (lambda log_prob, dims, levels: log_prob / (dims * math.log(2)) + math.log2(levels), "sign"),
        ),
        causes={
            "constant": "A uniform density on [0, 1)^D does not know V. How many bits are V levels worth?",
            "spread": "Is log p in nats or in bits? Which base do you owe?",
            "reduction": "Each of D dimensions has V levels, and log p is of all of them. What is divided by D?",
            "sign": "Should a more probable image have a longer code?",
            "direction": "v is V times smaller than x + u: is its density larger or smaller, and the code for x?",
        },
    ),
    Exercise(
        id="flows.logit_log_det",
        stub='''def logit_log_det(x, alpha):
    """log|det ∂z/∂x| of z = logit(α + (1 − 2α) x), x (batch, D) → (batch,)."""
    raise NotImplementedError''',
        points=2,
        laws=(dequantisation.logit_counts_volume,),
        reference=logit_log_det,
        hints=(
            "Two maps, one after the other: their slopes multiply, so that the logarithms add.",
            "The slope of logit(y) is 1/(y(1−y)), that of y = α + (1−2α)x is 1−2α.",
        ),
        wrong=(
            (lambda x, a: logit_log_det(x, a) - x.shape[1] * math.log(1 - 2 * a), "constant"),
            (lambda x, a: -logit_log_det(x, a), "sign"),
            (lambda x, a: logit_log_det(x, a) / x.shape[1], "reduction"),
            (lambda x, a: logit_log_det(x, 0.0), "not-finite"),
        ),
        causes={
            "constant": "Two maps are applied. What is the slope of the first, x → y?",
            "not-finite": "A pixel may be exactly 0 or 1. What is α for?",
            "sign": "Near x = 0 and 1 the logit is steep. Is your log-determinant large there?",
            "reduction": "Each coordinate has the slope (1−2α)/(y(1−y)). How often does each factor enter your sum?",
            "direction": "logit(y) = ln y − ln(1 − y) has two terms. What is the derivative of each, and their sum?",
            "spread": "Is that the slope of each coordinate, or its logarithm?",
        },
    ),
    Exercise(
        id="flows.actnorm_log_det",
        stub='''def actnorm_log_det(x, log_std):
    """log|det ∂z/∂x| of z = (x − μ) e^{−s}, (batch,).

    x is (batch, C, H, W) and log_std, the s of each channel, (C,).
    """
    raise NotImplementedError''',
        points=1,
        laws=(channels.actnorm_counts_pixels,),
        reference=actnorm_log_det,
        hints=(
            "The Jacobian is diagonal. How many entries has it, and how often does each e^{−s_c} occur?",
            "Each of the H·W pixels of channel c contributes −s_c.",
        ),
        wrong=(
            (lambda x, s: -s.sum().expand(len(x)), "reduction"),
            (lambda x, s: 2 * actnorm_log_det(x, s), "spread"),
            (lambda x, s: -actnorm_log_det(x, s), "sign"),
            (lambda x, s: actnorm_log_det(x, x.std((0, 2, 3)).log()), "randomness"),
        ),
        causes={
            "reduction": "How many values of one image does the s of one channel stretch? How many did you count?",
            "sign": "s > 0: x is divided by e^s > 1. Does the volume rise or fall?",
            "spread": "e^s divides x once. Is s the log of a standard deviation or of a variance?",
            "constant": "Put in s = 0: nothing is stretched. What must the log-determinant be?",
            "randomness": "Other images, another log-determinant: did you initialise again? s is given.",
        },
    ),
    Exercise(
        id="flows.invertible_1x1_log_det",
        stub='''def invertible_1x1_log_det(x, weight):
    """log|det ∂z/∂x| of z = A x at every pixel, (batch,).

    x is (batch, C, H, W) and weight, the A of every pixel, (C, C).
    """
    raise NotImplementedError''',
        points=2,
        laws=(channels.mixing_counts_pixels,),
        reference=invertible_1x1_log_det,
        hints=(
            "Ordered pixel by pixel, the Jacobian is block-diagonal, with A as each block.",
            "H·W times ln|det A|: `torch.linalg.slogdet` never forms the determinant itself.",
        ),
        wrong=(
            (lambda x, w: torch.linalg.slogdet(w).logabsdet.expand(len(x)), "reduction"),
            (lambda x, w: x[0, 0].numel() * torch.linalg.det(w).log().expand(len(x)), "not-finite"),
            (lambda x, w: x[0, 0].numel() * torch.linalg.det(w).abs().log().expand(len(x)), "not-finite"),
            (lambda x, w: x[0, 0].numel() * w.diagonal().abs().log().sum().expand(len(x)), "constant"),
            (lambda x, w: -invertible_1x1_log_det(x, w), "sign"),
        ),
        causes={
            "not-finite": "A determinant may be negative, and with many channels too small for a float.",
            "dependence": "|det A| is the product of the singular values. What becomes of a product in the logarithm?",
            "direction": "Is that |det A|, or its logarithm?",
            "constant": "The diagonal alone is the determinant of a triangular matrix. Is A one?",
            "reduction": "A is applied at every pixel. How many blocks has the Jacobian of one image?",
        },
    ),
    Exercise(
        id="flows.dequantised_bound",
        stub='''def dequantised_bound(log_p, x, u, log_q):
    """Estimate log P(x), (batch,), from K draws u of q(u|x), (K, batch, D), in [0, 1).

    log_p maps points (K, batch, D) to (K, batch); x is (batch, D), log_q (K, batch).
    """
    raise NotImplementedError''',
        points=3,
        laws=(dequantisation.bin_is_bounded,),
        reference=dequantised_bound,
        hints=(
            "P(x) is the mean under q of p(x + u)/q(u|x): average K of these, and only then take the logarithm.",
            "logsumexp over the K draws of log p(x + u) − log q, and − ln K.",
        ),
        wrong=(
            (lambda p, x, u, q: dequantised_bound(p, x, u, -q), "sign"),
            (lambda p, x, u, q: (p(x + u) - q).mean(0), "log-mean"),
            (lambda p, x, u, q: dequantised_bound(p, x, u - 0.5, q), "direction"),
            (lambda p, x, u, q: dequantised_bound(p, x, u, 0 * q), "dependence"),
            (lambda p, x, u, q: dequantised_bound(p, x, u, q) + math.log(len(u)), "constant"),
        ),
        causes={
            "sign": "A draw that q makes often must count for less. Which sign has log q?",
            "log-mean": "The mean of the logarithms does not tighten with K. Which comes first?",
            "direction": "Level x owns the bin [x, x + 1), from which its mass is gathered. Where do you ask for p?",
            "not-finite": "Of an image of many pixels p may be e^{−2000}. Which function takes the mean in logarithms?",
            "dependence": "The draws are not uniform. What makes up for that?",
            "constant": "With K equal weights the estimate must be that weight. What is left over?",
        },
    ),
)
