"""Answers to the exercises on flows of images."""

import math

import numpy as np
import torch
from torch.distributions import TransformedDistribution, Uniform
from torch.distributions.transforms import AffineTransform, SigmoidTransform

from gmcourse.exercises.flows.images import (
    actnorm_log_det,
    bits_per_dim,
    dequantised_bound,
    invertible_1x1_log_det,
)


def logit_by_autograd(x, alpha):
    x = x.clone().requires_grad_()
    (slope,) = torch.autograd.grad(torch.logit(alpha + (1 - 2 * alpha) * x).sum(), x)
    return slope.log().sum(1)


def logit_by_loop(x, alpha):
    rows = []
    for row in x.tolist():
        y = [alpha + (1 - 2 * alpha) * value for value in row]
        rows.append(sum(math.log((1 - 2 * alpha) / (v * (1 - v))) for v in y))
    return rows


def logit_by_torch(x, alpha):
    steps = [AffineTransform(alpha, 1 - 2 * alpha), SigmoidTransform().inv]
    y = AffineTransform(alpha, 1 - 2 * alpha)(x)
    law = TransformedDistribution(Uniform(-1.0, 2.0), steps, validate_args=False)
    return -(law.log_prob(torch.logit(y)) + math.log(3)).sum(1)


def volume(x, alpha, first=1.0, left=1.0, right=1.0):
    y = alpha + (1 - 2 * alpha) * x
    return (first * math.log(1 - 2 * alpha) - left * y.log() - right * (1 - y).log()).sum(1)


def actnorm_by_jacobian(x, s):
    def layer(image):
        return (image * torch.exp(-s)[:, None, None]).flatten()

    return [torch.linalg.slogdet(torch.autograd.functional.jacobian(layer, im).flatten(1)).logabsdet for im in x]


def pixels(x):
    return x.shape[2] * x.shape[3]


def mixing_by_lu(x, w):
    total = torch.linalg.lu(w)[2].diagonal().abs().log().sum()
    return [pixels(x) * total for _ in x]


def bound_by_steps(log_p, x, u, log_q):
    log_w = torch.stack([log_p(x + draw) for draw in u]) - log_q
    most = log_w.max(0).values
    return most + (log_w - most).exp().mean(0).log()


def bound_in_numpy(log_p, x, u, log_q):
    return np.logaddexp.reduce((log_p(x + u) - log_q).numpy().astype(float), axis=0) - np.log(len(u))


def of(change):
    """The bound, with its arguments changed."""
    return lambda p, x, u, q: dequantised_bound(p, *change(x, u, q))


RIGHT = {
    "flows.bits_per_dim": {
        "in nats first": lambda p, d, v: (d * math.log(v) - p) / (d * math.log(2)),
        "numpy": lambda p, d, v: np.log2(v) - p.numpy() / d * np.log2(np.e),
        "a list": lambda p, d, v: [math.log2(v) - value / d / math.log(2) for value in p.tolist()],
        "in float64": lambda p, d, v: bits_per_dim(p.double(), d, v),
        "torch.log2": lambda p, d, v: torch.log2(torch.tensor(float(v))) - p / d / torch.log(torch.tensor(2.0)),
    },
    "flows.logit_log_det": {
        "autograd": logit_by_autograd,
        "loops": logit_by_loop,
        "a transformed distribution": logit_by_torch,
        "by steps": volume,
        "numpy": lambda x, a: np.log((1 - 2 * a) / ((y := a + (1 - 2 * a) * x.numpy()) * (1 - y))).sum(1),
    },
    "flows.actnorm_log_det": {
        "Jacobians": actnorm_by_jacobian,
        "a list": lambda x, s: [-pixels(x) * sum(s.tolist())] * len(x),
        "expanded and summed": lambda x, s: -s[:, None, None].expand_as(x).sum((1, 2, 3)),
        "numpy": lambda x, s: np.full(len(x), -pixels(x) * s.numpy().sum()),
        "in float64": lambda x, s: actnorm_log_det(x.double(), s.double()),
    },
    "flows.invertible_1x1_log_det": {
        "LU": mixing_by_lu,
        "singular values": lambda x, w: (pixels(x) * torch.linalg.svdvals(w).log().sum()).repeat(len(x)),
        "numpy": lambda x, w: np.full(len(x), pixels(x) * np.linalg.slogdet(w.numpy())[1]),
        "in float64": lambda x, w: invertible_1x1_log_det(x, w.double()),
        "QR": lambda x, w: pixels(x) * torch.linalg.qr(w).R.diagonal().abs().log().sum() * torch.ones(len(x)),
    },
    "flows.dequantised_bound": {
        "by steps": bound_by_steps,
        "numpy": bound_in_numpy,
        "logsumexp": lambda p, x, u, q: torch.logsumexp(p(x[None] + u) - q - math.log(len(u)), 0),
        "in float64": lambda p, x, u, q: dequantised_bound(p, x.double(), u.double(), q.double()),
        "a softmax of one line": lambda p, x, u, q: (w := p(x + u) - q).logsumexp(0).sub(math.log(w.shape[0])),
    },
}
WRONG = {
    "flows.bits_per_dim": {
        "in nats": (lambda p, d, v: bits_per_dim(p, d, v) * math.log(2), "spread"),
        "ln V": (lambda p, d, v: -p / (d * math.log(2)) + math.log(v), "spread"),
        "the whole image": (lambda p, d, v: bits_per_dim(p, d, v) * d, "reduction"),
        "log₂ V divided by D": (lambda p, d, v: -p / (d * math.log(2)) + math.log2(v) / d, "reduction"),
        "log₂ V taken away": (lambda p, d, v: -p / (d * math.log(2)) - math.log2(v), "direction"),
        "minus": (lambda p, d, v: -bits_per_dim(p, d, v), "sign"),
        "V − ½ levels": (lambda p, d, v: bits_per_dim(p, d, v - 1 / 2), ""),
        "V − 1 levels": (lambda p, d, v: -p / (d * math.log(2)) + math.log2(v - 1), "constant"),
        "D log₂ V": (lambda p, d, v: -p / (d * math.log(2)) + d * math.log2(v), "reduction"),
        "times ln 2": (lambda p, d, v: -p * math.log(2) / d + math.log2(v), "spread"),
        "a mean": (lambda p, d, v: bits_per_dim(p, d, v).mean(), "shape"),
        "a mean for each": (lambda p, d, v: bits_per_dim(p, d, v).mean().expand(len(p)), "shape"),
        "in place": (lambda p, d, v: p.mul_(-1 / (d * math.log(2))).add_(math.log2(v)), "mutation"),
    },
    "flows.logit_log_det": {
        "ln y alone": (lambda x, a: volume(x, a, right=0.0), "direction"),
        "the logit itself": (lambda x, a: volume(x, a, right=-1.0), "direction"),
        "1 − 2α once": (lambda x, a: volume(x, a, 1 / x.shape[1]), "reduction"),
        "1 − 2α below": (lambda x, a: volume(x, a, -1.0), ""),
        "1 − α": (lambda x, a: (math.log(1 - a) - (y := a + (1 - a) * x).log() - (1 - y + 1e-3).log()).sum(1), ""),
        "the slopes": (
            lambda x, a: ((1 - 2 * a) / ((y := a + (1 - 2 * a) * x) * (1 - y))).sum(1),
            "spread",
        ),
        "at x": (lambda x, a: (math.log(1 - 2 * a) - x.log() - (1 - x).log()).sum(1), "not-finite"),
        "the first row for all": (lambda x, a: volume(x[:1], a).expand(len(x)), "shape"),
        "one for the batch": (lambda x, a: volume(x, a).sum(), "shape"),
        "log₂": (lambda x, a: volume(x, a) / math.log(2), ""),
        "x moved in place": (lambda x, a: volume(x.clamp_(0.1, 0.9), a), "mutation"),
    },
    "flows.actnorm_log_det": {
        "H pixels": (lambda x, s: (-x.shape[2] * s.sum()).expand(len(x)), "reduction"),
        "W pixels": (lambda x, s: (-x.shape[3] * s.sum()).expand(len(x)), "reduction"),
        "the mean of s": (lambda x, s: (-pixels(x) * s.mean()).expand(len(x)), "reduction"),
        "C·H·W pixels": (lambda x, s: (-x[0].numel() * s.sum()).expand(len(x)), "reduction"),
        "e^s": (lambda x, s: (-pixels(x) * s.exp().sum()).expand(len(x)), "constant"),
        "|s|": (lambda x, s: (-pixels(x) * s.abs().sum()).expand(len(x)), ""),
        "of a variance": (lambda x, s: 2 * actnorm_log_det(x, s), "spread"),
        "s taken for ln σ²": (lambda x, s: actnorm_log_det(x, s) / 2, "spread"),
        "C·H pixels": (lambda x, s: (-x.shape[1] * x.shape[2] * s.sum()).expand(len(x)), "reduction"),
        "C·W pixels": (lambda x, s: (-x.shape[1] * x.shape[3] * s.sum()).expand(len(x)), "reduction"),
        "the batch's": (lambda x, s: actnorm_log_det(x, s) * len(x), "shape"),
        "x scored too": (lambda x, s: actnorm_log_det(x, s) + x.sum((1, 2, 3)), "randomness"),
        "one number": (lambda x, s: -pixels(x) * s.sum(), "shape"),
        "one for each channel": (lambda x, s: -pixels(x) * s, "shape"),
    },
    "flows.invertible_1x1_log_det": {
        "C pixels": (lambda x, w: len(w) * torch.linalg.slogdet(w).logabsdet.expand(len(x)), "reduction"),
        "the determinant": (lambda x, w: pixels(x) * torch.linalg.det(w).abs().expand(len(x)), "direction"),
        "the trace": (lambda x, w: pixels(x) * w.trace().expand(len(x)), ""),
        "singular values": (lambda x, w: pixels(x) * torch.linalg.svdvals(w).sum().expand(len(x)), "dependence"),
        "of AᵀA": (lambda x, w: pixels(x) * torch.linalg.slogdet(w.T @ w).logabsdet.expand(len(x)), ""),
        "a determinant kept off 0": (
            lambda x, w: pixels(x) * torch.linalg.det(w).abs().clamp(min=1e-30).log().expand(len(x)),
            "",
        ),
        "a negative one clamped": (
            lambda x, w: pixels(x) * torch.linalg.det(w).clamp(min=1e-30).log().expand(len(x)),
            "",
        ),
        "no logarithm of a negative one": (
            lambda x, w: pixels(x) * torch.logdet(w).expand(len(x)),
            "not-finite",
        ),
        "the whole batch": (lambda x, w: len(x) * invertible_1x1_log_det(x, w), "shape"),
        "slogdet's pair": (lambda x, w: torch.linalg.slogdet(w), "shape"),
        "the inverse's": (lambda x, w: invertible_1x1_log_det(x, torch.linalg.inv(w)), "sign"),
    },
    "flows.dequantised_bound": {
        "p(u)": (of(lambda x, u, q: (0 * x, u, q)), "direction"),
        "x − u": (of(lambda x, u, q: (x, -u, q)), "direction"),
        "p(x)": (of(lambda x, u, q: (x, 0 * u, q)), "direction"),
        "x for all the first": (of(lambda x, u, q: (x[:1].expand_as(x), u, q)), ""),
        "the first draw": (of(lambda x, u, q: (x, u[:1], q[:1])), ""),
        "log of the mean of exp": (lambda p, x, u, q: (p(x + u) - q).exp().mean(0).log(), "not-finite"),
        "+ log q": (of(lambda x, u, q: (x, u, -q)), "sign"),
        "no q": (of(lambda x, u, q: (x, u, 0 * q)), "dependence"),
        "no mean": (lambda p, x, u, q: (p(x + u) - q).logsumexp(0), "constant"),
        "the largest": (lambda p, x, u, q: (p(x + u) - q).max(0).values, ""),
        "+ ln K": (lambda p, x, u, q: (p(x + u) - q).logsumexp(0) + math.log(len(u)), "constant"),
        "the sum of the logarithms": (lambda p, x, u, q: (p(x + u) - q).sum(0), "constant"),
        "divided by K outside": (lambda p, x, u, q: (p(x + u) - q).logsumexp(0) / len(u), "constant"),
        "noise of its own": (lambda p, x, u, q: dequantised_bound(p, x, torch.rand_like(u), q), ""),
        "q of the mean": (lambda p, x, u, q: p(x + u).logsumexp(0) - math.log(len(u)) - q.mean(0), ""),
        "over the batch": (lambda p, x, u, q: (p(x + u) - q).logsumexp(1), "shape"),
        "u moved in place": (lambda p, x, u, q: dequantised_bound(p, x, u.add_(0.5), q), "mutation"),
    },
}
