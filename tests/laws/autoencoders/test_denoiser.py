"""The laws of denoising pass the closed forms and catch each planted bug."""

import torch

from gmcourse.autoencoders.corruption import masking
from gmcourse.autoencoders.denoising import optimal_denoiser, score_from_denoiser
from gmcourse.laws.autoencoders.denoiser import blanks_a_share, is_best_denoiser, residual_is_score


def by_products(x, noise, share):
    return x * (noise >= share)


def in_place(x, noise, share):
    x[noise < share] = 0
    return x


def of_mixture(x, means, weights, std, sigma, inner=None, pull=None, log=torch.log, axis=1, hard=False):
    """Σ_k r_k (x + pull (m_k − x)), the shares r_k by the variance `inner`."""
    whole = std**2 + sigma**2
    logits = log(weights) - (x[:, None] - means).square().sum(2) / (2 * (inner or whole))
    shares = logits.softmax(axis)
    if hard:
        shares = torch.nn.functional.one_hot(shares.argmax(1), 3).to(x)
    pull = sigma**2 / whole if pull is None else pull
    return (1 - pull) * x + pull * shares @ means


def by_densities(x, means, weights, std, sigma):
    whole = std**2 + sigma**2
    shares = weights * (-(x[:, None] - means).square().sum(2) / (2 * whole)).exp()
    return (std**2 * x + sigma**2 * shares @ means / shares.sum(1, keepdim=True)) / whole


def residual(denoiser, x, sigma, power=2):
    return (denoiser(x) - x) / sigma**power


RIGHT = {
    blanks_a_share: (masking, by_products),
    is_best_denoiser: (optimal_denoiser, of_mixture),
    residual_is_score: (score_from_denoiser, residual),
}
BUGS = {
    blanks_a_share: {
        "rescaled as dropout does": (lambda x, u, s: masking(x, u, s) / (1 - s), "constant"),
        "keeps what it should blank": (lambda x, u, s: masking(x, 1 - u, 1 - s), "direction"),
        "counts from the other end": (lambda x, u, s: masking(x, 1 - u, s), "direction"),
        "one mask for the batch": (lambda x, u, s: masking(x, u[:1].expand_as(u), s), "dependence"),
        "noise of its own seed": (
            lambda x, u, s: masking(x, torch.rand(u.shape, generator=torch.Generator().manual_seed(0)), s),
            "",
        ),
        "another blank": (lambda x, u, s: torch.where(u < s, -1.0, x), "reduction"),
        "noise of its own": (lambda x, u, s: masking(x, torch.rand_like(u), s), "randomness"),
        "changes what it is given": (in_place, "mutation"),
        "adds the noise": (lambda x, u, s: x + s * u, "spread"),
    },
    is_best_denoiser: {
        "shares by the clean density": (lambda *a: of_mixture(*a, inner=a[3] ** 2), "spread"),
        "shares by the noise alone": (lambda *a: of_mixture(*a, inner=a[4] ** 2), "spread"),
        "deviations for variances": (lambda *a: of_mixture(*a, pull=a[4] / (a[3] + a[4])), "spread"),
        "the pulls swapped": (lambda *a: of_mixture(*a, pull=a[3] ** 2 / (a[3] ** 2 + a[4] ** 2)), "direction"),
        "the nearest component alone": (lambda *a: of_mixture(*a, hard=True), "one-to-one"),
        "weights left out": (lambda *a: of_mixture(*a, log=torch.zeros_like), "dependence"),
        "the mean of the means": (lambda *a: of_mixture(*a, pull=1.0), "log-mean"),
        "softmax over the batch": (lambda *a: of_mixture(*a, axis=0), "shape"),
        "densities, no logarithms": (by_densities, "overflow"),
        "x itself": (lambda x, *_: x, ""),
    },
    residual_is_score: {
        "σ for σ²": (lambda *a: residual(*a, power=1), "spread"),
        "not divided": (lambda *a: residual(*a, power=0), "spread"),
        "sign": (lambda *a: -residual(*a), "sign"),
        "the denoiser's value": (lambda r, x, sigma: r(x) / sigma**2, "constant"),
        "at the denoised point": (lambda r, x, sigma: residual(r, r(x), sigma), "direction"),
    },
}
