"""The laws of layers that act alike at every pixel pass the right function and catch each planted bug."""

import torch

from gmcourse.laws.flows import channels


def actnorm(x, s):
    return -x[0, 0].numel() * s.sum().expand(len(x))


def mixing(x, w):
    return x[0, 0].numel() * torch.linalg.slogdet(w).logabsdet.expand(len(x))


def by_the_largest(x, w):
    """Singular values below 1e-3 are dropped as if they were noise."""
    values = torch.linalg.svdvals(w)
    return x[0, 0].numel() * values.clamp(min=1e-3).log().sum().expand(len(x))


RIGHT = {channels.actnorm_counts_pixels: (actnorm,), channels.mixing_counts_pixels: (mixing,)}
BUGS = {
    channels.actnorm_counts_pixels: {
        "pixels not counted": (lambda x, s: -s.sum().expand(len(x)), "reduction"),
        "rows counted, not pixels": (lambda x, s: -x.shape[2] * s.sum().expand(len(x)), "reduction"),
        "the variance for the deviation": (lambda x, s: 2 * actnorm(x, s), "spread"),
        "sign": (lambda x, s: -actnorm(x, s), "sign"),
        "the statistics of this batch": (lambda x, s: actnorm(x, x.std((0, 2, 3)).log()), "randomness"),
        "e^s for s": (lambda x, s: actnorm(x, s.exp()), "constant"),
        "mean over channels": (lambda x, s: actnorm(x, s) / len(s), "reduction"),
        "one for the batch": (lambda x, s: actnorm(x, s).sum(), "shape"),
    },
    channels.mixing_counts_pixels: {
        "singular values over the largest": (by_the_largest, ""),
        "pixels not counted": (lambda x, w: torch.linalg.slogdet(w).logabsdet.expand(len(x)), "reduction"),
        "no absolute value": (lambda x, w: x[0, 0].numel() * torch.linalg.det(w).log().expand(len(x)), "not-finite"),
        "a determinant that underflows": (
            lambda x, w: x[0, 0].numel() * torch.linalg.det(w).abs().log().expand(len(x)),
            "not-finite",
        ),
        "the diagonal alone": (
            lambda x, w: x[0, 0].numel() * w.diagonal().abs().log().sum().expand(len(x)),
            "constant",
        ),
        "singular values without logarithm": (
            lambda x, w: x[0, 0].numel() * torch.linalg.svdvals(w).sum().expand(len(x)),
            "dependence",
        ),
        "sign": (lambda x, w: -mixing(x, w), "sign"),
        "the first image alone": (lambda x, w: mixing(x, w)[0], "shape"),
    },
}
