"""Every law of convolution passes the right answer and catches each planted bug."""

import math
from functools import partial

import torch
from torch.nn import functional as F

from gmcourse.gan.convolution import checkerboard_share, conv_matrix, phase_sums, transposed_size
from gmcourse.laws.gan import convolution


def matrix(kernel, size, stride, padding):
    return conv_matrix(kernel[None, None], (size,), stride, padding)


def adjoint(y, kernel, stride, padding):
    return F.conv_transpose1d(y[None, None], kernel.to(y)[None, None], stride=stride, padding=padding)[0, 0]


def phases(kernel, stride):
    return phase_sums(kernel.expand(stride, -1) / stride, stride).sum(0)


def power_at(*places, of_mean=False, exponent=2):
    def share(images):
        power = torch.fft.fft2(images).abs().pow(exponent).sum((0, 1))
        power[0, 0] *= of_mean
        height, width = power.shape
        return sum(power[height // 2 * a, width // 2 * b] for a, b in places) / power.sum().clamp(min=1e-12)

    return share


def transposed(y, k, s, p):
    return matrix(k, transposed_size(len(y), len(k), s, p), s, p).T @ y


def pseudo_inverse(y, k, s, p):
    return torch.linalg.pinv(matrix(k, transposed_size(len(y), len(k), s, p), s, p)) @ y


def row_by_row(images):
    return torch.stack([torch.tensor(checkerboard_share(row[None])) for row in images]).mean()


ALL = ((0, 1), (1, 0), (1, 1))
LOW, HIGH = [0.30, 0.31, 0.33, 0.29, 0.32], [0.90, 0.95, 0.85, 0.92, 0.88]
NEAR = [value + 0.005 for value in LOW]
COUNTS = partial(convolution.counts_are_torchs, kernel=5, stride=3)


def said(one, two, verdict):
    return {"one": one, "two": two, "verdict": verdict}


RIGHT = {
    convolution.matrix_is_convolution: (matrix,),
    convolution.is_adjoint: (adjoint, transposed),
    convolution.sizes_are_torchs: (transposed_size,),
    convolution.phases_are_sums: (phases,),
    convolution.share_is_alternating_power: (checkerboard_share,),
    COUNTS: (torch.tensor([1, 2, 2]), (2, 1, 2)),
    convolution.verdict_follows_from_seeds: (
        said(LOW, HIGH, "one"),
        said(HIGH, LOW, "two"),
        said(LOW, NEAR, "no difference seen"),
    ),
}
BUGS = {
    convolution.matrix_is_convolution: {
        "the kernel flipped": (lambda k, n, s, p: matrix(k.flip(0), n, s, p), "direction"),
        "transposed": (lambda k, n, s, p: matrix(k, n, s, p).T, "shape"),
        "padding left out": (lambda k, n, s, p: matrix(k, n, s, 0), "dependence"),
        "stride left out": (lambda k, n, s, p: matrix(k, n, 1, p), "shape"),
        "mean for sum": (lambda k, n, s, p: matrix(k / len(k), n, s, p), "reduction"),
        "roots of the taps": (lambda k, n, s, p: matrix(k, n, s, p).abs().sqrt(), ""),
        "the first row for all": (lambda k, n, s, p: (m := matrix(k, n, s, p))[:1].expand_as(m), ""),
    },
    convolution.is_adjoint: {
        "the kernel flipped": (lambda y, k, s, p: adjoint(y, k.flip(0), s, p), "direction"),
        "padding left out": (lambda y, k, s, p: adjoint(y, k, s, 0), "dependence"),
        "one output short": (lambda y, k, s, p: adjoint(y, k, s, p)[:-1], "shape"),
        "mean for sum": (lambda y, k, s, p: adjoint(y, k, s, p) / len(k), "reduction"),
        "the pseudo-inverse": (pseudo_inverse, ""),
        "back to front": (lambda y, k, s, p: adjoint(y, k, s, p).flip(0), "direction"),
    },
    convolution.sizes_are_torchs: {
        "the convolution's size": (lambda n, k, s, p, op: (n + 2 * p - k) // s + 1, "direction"),
        "padding added": (lambda n, k, s, p, op: (n - 1) * s + 2 * p + k + op, "sign"),
        "output padding left out": (lambda n, k, s, p, op: (n - 1) * s - 2 * p + k, "constant"),
        "n strides": (lambda n, k, s, p, op: n * s - 2 * p + k + op, "reduction"),
        "padding on one side": (lambda n, k, s, p, op: (n - 1) * s - p + k + op, ""),
    },
    convolution.phases_are_sums: {
        "counts": (lambda k, s: torch.tensor([float(len(k[a::s])) for a in range(s)]), "constant"),
        "mean for sum": (lambda k, s: torch.stack([k[a::s].mean() for a in range(s)]), "spread"),
        "cut in pieces": (lambda k, s: torch.stack([part.sum() for part in k.tensor_split(s)]), "dependence"),
        "back to front": (lambda k, s: phases(k, s).flip(0), "direction"),
        "the first phase for all": (lambda k, s: phases(k, s)[:1].expand(s), ""),
        "one sum": (lambda k, s: k.sum(), "shape"),
    },
    convolution.share_is_alternating_power: {
        "the mean counted": (power_at(*ALL, of_mean=True), "constant"),
        "one pattern of three": (power_at((1, 1)), "dependence"),
        "one row and column cut off": (lambda x: power_at(*ALL)(x[..., :-1, :-1]), "shape"),
        "mean of shares": (row_by_row, "log-mean"),
        "amplitudes": (power_at(*ALL, exponent=1), "spread"),
        "the first image alone": (lambda x: checkerboard_share(x[:1]), ""),
        "0": (lambda x: 0.0, ""),
        "a share for each image": (lambda x: x.mean((2, 3)), "shape"),
    },
    COUNTS: {
        "all in each": ((5, 5, 5), "reduction"),
        "the mean": ((5 / 3,) * 3, "constant"),
        "one in each": ((1, 1, 1), "spread"),
        "a tap too much": ((1, 1, 3), "one-to-one"),
        "two phases": ((2, 3), "shape"),
        "NaN": ((1, 2, math.nan), "not-finite"),
    },
    convolution.verdict_follows_from_seeds: {
        "the other": (said(LOW, HIGH, "two"), "sign"),
        "a difference not seen": (said(LOW, HIGH, "no difference seen"), "dependence"),
        "a difference of noise": (said(LOW, NEAR, "one"), "constant"),
        "two seeds": (said(LOW[:2], HIGH, "one"), "spread"),
        "one run five times": (said([0.3] * 5, HIGH, "one"), "randomness"),
        "a seed that failed": (said([*LOW[:4], math.nan], HIGH, "one"), "not-finite"),
        "a verdict of its own": (said(LOW, HIGH, "the first"), ""),
        "the verdict alone": ("one batch", "shape"),
    },
}
