"""Every law of the estimates passes the right answer and catches each planted bug."""

import math

import torch
from torch.distributions import Normal

from gmcourse.laws.vae import estimates
from gmcourse.vae.gaussian import log_evidence, reparameterize
from gmcourse.vae.gradients import pathwise_gradient, score_gradient


def evidence(log_likelihood, z, mean, log_std):
    log_prior = Normal(0.0, 1.0).log_prob(z).sum(-1)
    log_q = Normal(mean, log_std.exp()).log_prob(z).sum(-1)
    return log_evidence(log_likelihood + log_prior - log_q)


def mean_of_logarithms(ll, z, m, s):
    return (ll + (Normal(0.0, 1.0).log_prob(z) - Normal(m, s.exp()).log_prob(z)).sum(-1)).mean(0)


def squares(x, mean):
    return (x - mean) ** 2


def attached(f, mean, log_std, noise):
    """f, too, is differentiated through the draw."""
    m = mean.expand_as(noise).clone().requires_grad_()
    z = reparameterize(m, log_std, noise)
    return torch.autograd.grad((f(z) * Normal(m, log_std.exp()).log_prob(z).sum(1)).sum(), m)[0]


RIGHT = {
    estimates.evidence_estimate: (evidence,),
    estimates.values_are_weighed: (score_gradient, lambda f, m, s, e: score_gradient(f, m, s, e, 1.5)),
    estimates.noise_maximises_likelihood: (
        lambda x, m: squares(x, m).mean().log() / 2,
        lambda x, m: (x - m).pow(2).mean().sqrt().log(),
    ),
}
BUGS = {
    estimates.values_are_weighed: {
        "f differentiated": (pathwise_gradient, "direction"),
        "z not detached": (attached, "gradient"),
        "sign": (lambda f, m, s, e: -score_gradient(f, m, s, e), "sign"),
        "(z − μ)/σ": (lambda f, m, s, e: score_gradient(f, m, s, e) * s.exp(), "spread"),
        "noise for z": (lambda f, m, s, e: f(e)[:, None] * e / s.exp(), "randomness"),
        "twice": (lambda f, m, s, e: 2 * score_gradient(f, m, s, e), ""),
        "the mean for each": (lambda f, m, s, e: score_gradient(f, m, s, e).mean(0).expand_as(e), "shape"),
    },
    estimates.evidence_estimate: {
        "weights clamped": (lambda ll, z, m, s: evidence(ll, z, m, s).exp().clamp(min=1e-30).log(), "overflow"),
        "sum for mean": (lambda ll, z, m, s: evidence(ll, z, m, s) + math.log(len(z)), "constant"),
        "draws taken for the prior's": (lambda ll, z, m, s: log_evidence(ll), "direction"),
        "no prior": (lambda ll, z, m, s: (ll - Normal(m, s.exp()).log_prob(z).sum(-1)).mean(0), ""),
        "mean of logarithms": (mean_of_logarithms, "log-mean"),
        "mean over the batch": (lambda ll, z, m, s: evidence(ll, z, m, s).mean(), "shape"),
        "not in logarithms": (lambda ll, z, m, s: evidence(ll, z, m, s).exp().log(), "not-finite"),
        "s for a log-variance": (lambda ll, z, m, s: evidence(ll, z, m, s / 2), "spread"),
        "the first row's q for all": (lambda ll, z, m, s: evidence(ll, z, m[:1].expand_as(m), s), ""),
        "the first row for all": (lambda ll, z, m, s: evidence(ll, z, m, s)[:1].expand(len(m)), "shape"),
        "latents exchanged": (lambda ll, z, m, s: evidence(ll, z.flip(-1), m, s), ""),
    },
    estimates.noise_maximises_likelihood: {
        "the variance for the deviation": (lambda x, m: squares(x, m).mean().log(), "spread"),
        "sum over pixels": (lambda x, m: squares(x, m).flatten(1).sum(1).mean().log() / 2, "reduction"),
        "the deviation": (lambda x, m: squares(x, m).mean().sqrt(), "constant"),
        "the variance": (lambda x, m: squares(x, m).mean(), "log-mean"),
        "mean of logarithms": (lambda x, m: (x - m).abs().log().mean(), ""),
        "the mean absolute error": (lambda x, m: (x - m).abs().mean().log(), ""),
        "sign": (lambda x, m: -squares(x, m).mean().log() / 2, "sign"),
        "the first image alone": (lambda x, m: squares(x[0], m[0]).mean().log() / 2, "dependence"),
        "about the mean error": (lambda x, m: (x - m + 1).var().log() / 2 + 0.01, ""),
        "the spread of x": (lambda x, m: x.std().log(), "dependence"),
        "one for each image": (lambda x, m: squares(x, m).flatten(1).mean(1).log() / 2, "shape"),
        "NaN": (lambda x, m: (x - m).mean().log() * math.nan, "not-finite"),
    },
}
