"""The laws of score matching pass each right loss and catch each planted bug."""

import torch

from gmcourse.laws.scores.matching import (
    denoising_is_explicit,
    error_is_of_its_level,
    implicit_is_explicit,
    levels_weigh_alike,
    sliced_is_implicit,
    target_is_conditional_score,
)
from gmcourse.scores.matching import denoising_loss, dsm_target, implicit_loss, score_errors, sliced_loss


def wide(sigma, x):
    return torch.as_tensor(sigma, dtype=x.dtype).reshape(-1, *[1] * (x.dim() - 1))


def by_grad(score, x, graph=True, whole=False, half=0.5, sign=1):
    """½‖s‖² + tr ∇s, one backward pass for each coordinate; `whole`: one of the sum of them all."""
    x = x.clone().requires_grad_()
    s = score(x)
    parts = [s.sum()] if whole else [s[:, i].sum() for i in range(x.shape[1])]
    slopes = [torch.autograd.grad(part, x, create_graph=graph, retain_graph=True)[0] for part in parts]
    trace = slopes[0].sum(1) if whole else sum(g[:, i] for i, g in enumerate(slopes))
    return half * s.square().sum(1) + sign * trace


def sliced(score, x, v, square=lambda v, s: (v * s).sum(1).square(), sign=1, graph=True):
    x = x.clone().requires_grad_()
    s = score(x)
    (pulled,) = torch.autograd.grad((v * s).sum(), x, create_graph=graph, retain_graph=True)
    return square(v, s) / 2 + sign * (pulled * v).sum(1)


def denoising(score, x, sigma, noise, power=1, sign=1, half=2):
    s = score(x + wide(sigma, x) * noise)
    return (s + sign * noise / wide(sigma, x) ** power).square().sum(1) / half


def weighted(score, x, sigma, noise, power=2):
    s = score(x + wide(sigma, x) * noise, sigma)
    return sigma**power * (s + noise / wide(sigma, x)).square().sum(1) / 2


def predicted(score, x, sigma, noise):
    return (sigma[:, None] * score(x + sigma[:, None] * noise, sigma) + noise).square().sum(1) / 2


def error(model, truth, x, sigma, noise, power=2, clean=False, level=1.0):
    noised = x + wide(sigma, x) * noise
    away = model.score(noised, sigma) - truth.score(x if clean else noised, level * torch.as_tensor(sigma))
    return torch.as_tensor(sigma) ** power * away.square().sum(1) / 2


RIGHT = {
    implicit_is_explicit: (implicit_loss, by_grad),
    sliced_is_implicit: (
        sliced_loss,
        lambda s, x, v: sliced_loss(s, x, v, reduced=True),
        sliced,
        lambda s, x, v: implicit_loss(s, x),
    ),
    target_is_conditional_score: (dsm_target, lambda x, s, e: (x + wide(s, x) * e, -e / wide(s, x))),
    denoising_is_explicit: (denoising_loss, denoising),
    levels_weigh_alike: (weighted, predicted),
    error_is_of_its_level: (score_errors, error),
}
BUGS = {
    implicit_is_explicit: {
        "the column sums for the trace": (lambda s, x: by_grad(s, x, whole=True), "one-to-one"),
        "no ½": (lambda s, x: by_grad(s, x, half=1.0), "constant"),
        "sign of the trace": (lambda s, x: by_grad(s, x, sign=-1), "sign"),
        "mean over coordinates": (lambda s, x: by_grad(s, x) / x.shape[1], "reduction"),
        "mean over the batch": (lambda s, x: by_grad(s, x).mean(), "shape"),
        "the trace is no part of the graph": (lambda s, x: by_grad(s, x, graph=False), "gradient"),
        "a trace detached": (
            lambda s, x: s(x).square().sum(1) / 2 + (by_grad(s, x) - s(x).square().sum(1) / 2).detach(),
            "gradient",
        ),
        "no trace": (lambda s, x: s(x).square().sum(1) / 2, "dependence"),
    },
    sliced_is_implicit: {
        "sign": (lambda s, x, v: sliced(s, x, v, sign=-1), "sign"),
        "one probe for all rows": (lambda s, x, v: sliced(s, x, v[:1].expand_as(v)), "direction"),
        "‖s‖² without ½": (lambda s, x, v: sliced(s, x, v, lambda v, s: 2 * (v * s).sum(1).square()), "constant"),
        "the trace is no part of the graph": (lambda s, x, v: sliced(s, x, v, graph=False), "gradient"),
        "a probe of ones": (lambda s, x, v: sliced(s, x, torch.ones_like(v)), "one-to-one"),
        "mean over coordinates": (lambda s, x, v: sliced(s, x, v) / x.shape[1], "reduction"),
        "one for the batch": (lambda s, x, v: sliced(s, x, v).mean(), "shape"),
    },
    target_is_conditional_score: {
        "away from the data": (lambda x, s, e: (x + wide(s, x) * e, e / wide(s, x)), "sign"),
        "σ² for σ": (lambda x, s, e: (x + wide(s, x) * e, -e / wide(s, x) ** 2), "spread"),
        "the noise itself": (lambda x, s, e: (x + wide(s, x) * e, -e), "spread"),
        "a missing root: the variance for the deviation": (
            lambda x, s, e: (x + wide(s, x) ** 2 * e, -e / wide(s, x)),
            "spread",
        ),
        "the score of the clean point": (lambda x, s, e: (x + wide(s, x) * e, -x / wide(s, x) ** 2), "direction"),
        "the point is not noised": (lambda x, s, e: (x, -e / wide(s, x)), "dependence"),
    },
    denoising_is_explicit: {
        "sign": (lambda *a: denoising(*a, sign=-1), "sign"),
        "ε/σ² for ε/σ": (lambda *a: denoising(*a, power=2), "spread"),
        "ε for ε/σ": (lambda *a: denoising(*a, power=0), "spread"),
        "no ½": (lambda *a: denoising(*a, half=1), "constant"),
        "the score at the clean point": (
            lambda f, x, s, e: (f(x) + e / s).square().sum(1) / 2,
            "direction",
        ),
        "mean over coordinates": (lambda f, x, s, e: denoising(f, x, s, e) / x.shape[1], "reduction"),
        "mean over the batch": (lambda *a: denoising(*a).mean(), "shape"),
    },
    levels_weigh_alike: {
        "no weight": (lambda *a: weighted(*a, power=0), "spread"),
        "σ for σ²": (lambda *a: weighted(*a, power=1), "spread"),
        "no ½": (lambda *a: 2 * weighted(*a), "constant"),
        "the first level for all": (lambda f, x, s, e: weighted(f, x, s[:1].expand(4), e), ""),
        "away from the data": (lambda f, x, s, e: weighted(f, x, s, -e), "sign"),
    },
    error_is_of_its_level: {
        "the score of the clean density": (lambda *a: error(*a, level=0.0), "dependence"),
        "the score at the clean point": (lambda *a: error(*a, clean=True), "direction"),
        "both, and no weight": (lambda *a: error(*a, power=0, level=0.0), "dependence"),
        "no weight": (lambda *a: error(*a, power=0), "spread"),
        "not squared": (lambda *a: error(*a).sqrt(), "spread"),
        "no ½": (lambda *a: 2 * error(*a), "constant"),
        "one for the batch": (lambda *a: error(*a).mean(), "shape"),
    },
}
