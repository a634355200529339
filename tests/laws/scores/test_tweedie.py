"""The laws of Tweedie's formula pass it and catch each planted bug."""

import torch

from gmcourse.laws.scores.tweedie import constant_of_gaussian, tweedie_is_the_posterior
from gmcourse.scores.matching import dsm_constant, tweedie


def posterior(score, x, sigma, first=2, second=2, sign=1, diagonal=False):
    """By one backward pass for each coordinate."""
    x = x.clone().requires_grad_()
    s = score(x)
    rows = [torch.autograd.grad(s[:, i].sum(), x, retain_graph=True)[0] for i in range(x.shape[1])]
    eye = torch.eye(x.shape[1], dtype=x.dtype)
    covariance = sigma**2 * (eye + sign * sigma**second * torch.stack(rows, 1))
    return (x + sign * sigma**first * s).detach(), covariance * eye if diagonal else covariance


def constant(variance, sigma, dims):
    return dims * variance / (2 * sigma**2 * (variance + sigma**2))


RIGHT = {
    tweedie_is_the_posterior: (tweedie, posterior),
    constant_of_gaussian: (constant, lambda v, s, d: dsm_constant(d / (v + s**2), s, d)),
}
BUGS = {
    tweedie_is_the_posterior: {
        "σ for σ²": (lambda *a: posterior(*a, first=1), "spread"),
        "σ for σ² in the covariance": (lambda *a: posterior(*a, second=1), "spread"),
        "sign": (lambda *a: posterior(*a, sign=-1), "sign"),
        "the score alone": (lambda f, x, s: (s**2 * f(x), posterior(f, x, s)[1]), "constant"),
        "applied twice": (lambda f, x, s: posterior(f, tweedie(f, x, s)[0], s), "direction"),
        "no covariance of two coordinates": (lambda *a: posterior(*a, diagonal=True), "one-to-one"),
        "not times σ²": (lambda f, x, s: (posterior(f, x, s)[0], posterior(f, x, s)[1] / s**2), "spread"),
        "the noise's covariance": (
            lambda f, x, s: (posterior(f, x, s)[0], s**2 * torch.eye(2).expand(4, 2, 2)),
            "constant",
        ),
    },
    constant_of_gaussian: {
        "v/(v + σ²)": (lambda v, s, d: v / (v + s**2), "constant"),
        "D forgotten": (lambda v, s, d: constant(v, s, 1), "reduction"),
        "no ½": (lambda v, s, d: 2 * constant(v, s, d), "constant"),
        "Fisher information for the constant": (lambda v, s, d: d / (2 * (v + s**2)), "constant"),
        "σ for σ²": (lambda v, s, d: constant(v, s, d) * s, "spread"),
    },
}
