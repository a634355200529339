"""Every law of the game passes the package's own functions and catches each planted bug."""

import math
from functools import partial

import pytest
import torch
from torch.distributions import Normal
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid, softplus

from gmcourse.gan.divergences import divergence_bound, jensen_shannon, optimal_discriminator
from gmcourse.gan.losses import gan_critic_loss, non_saturating_loss, saturating_loss
from gmcourse.laws.gan import game
from gmcourse.laws.gan.exact import gaussian_js

P, Q = Normal(0.0, 1.0), Normal(2.0, 1.0)
BEST = partial(game.critic_is_best, log_p=P.log_prob, log_q=Q.log_prob, low=-9.0, high=11.0)


def kl(p, q, dx):
    return (p * (p / q).log()).sum() * dx


def half(p, q, dx):
    m = (p + q) / 2
    return 0.5 * kl(p, m, dx) + 0.5 * kl(q, m, dx)


def clamped(log_p, log_q):
    """No NaN, and no answer either, where both densities underflow."""
    p, q = (log.exp().clamp(min=1e-30) for log in (log_p, log_q))
    return p / (p + q)


def clamped_bound(h_real, h_fake):
    real, fake = h_real.sigmoid().clamp(1e-12, 1), (-h_fake).sigmoid().clamp(1e-12, 1)
    return math.log(2) + (real.log().mean() + fake.log().mean()) / 2


def losses(h):
    return saturating_loss(lambda x: x, h, h), non_saturating_loss(lambda x: x, h, h)


def cross_entropies(h):
    return -binary_cross_entropy_with_logits(h, 0 * h), binary_cross_entropy_with_logits(h, torch.ones_like(h))


def in_pairs(r, f):
    n = min(len(r), len(f))
    return math.log(2) - 0.5 * (softplus(-r[:n]) + softplus(f[:n]))


RIGHT = {
    game.discriminator_is_optimal: (optimal_discriminator, lambda p, q: (p - torch.logaddexp(p, q)).exp()),
    BEST: (lambda x: 2 - 2 * x, lambda x: 2.01 - 1.98 * x[:, 0]),
    game.divergence_is_jensen_shannon: (jensen_shannon,),
    game.bound_is_below_divergence: (divergence_bound,),
    game.generator_losses_pull: (losses, cross_entropies),
    game.critic_loss_is_minus_value: (gan_critic_loss,),
}
BUGS = {
    game.discriminator_is_optimal: {
        "densities clamped": (clamped, "overflow"),
        "½ only by chance": (lambda p, q: torch.sigmoid(p - q + 0.01), ""),
        "sign": (lambda p, q: torch.sigmoid(q - p), "sign"),
        "the ratio": (lambda p, q: (p - q).exp(), "constant"),
        "the difference": (lambda p, q: p.exp() - q.exp(), "constant"),
        "the logit": (lambda p, q: p - q, "constant"),
        "not in logarithms": (lambda p, q: p.exp() / (p.exp() + q.exp()), "not-finite"),
        "one for all": (lambda p, q: torch.sigmoid(p - q).mean(), "shape"),
        "the root of the ratio": (lambda p, q: torch.sigmoid((p - q) / 2), "spread"),
        "the first x for all": (lambda p, q: torch.sigmoid(p - q)[:1].expand_as(p), ""),
    },
    BEST: {
        "sign": (lambda x: 2 * x - 2, "sign"),
        "shifted": (lambda x: 1.0 - 2 * x, "constant"),
        "half as steep": (lambda x: 1 - x, "spread"),
        "twice as steep": (lambda x: 4 - 4 * x, "spread"),
        "nothing": (lambda x: 0 * x, ""),
        "a probability for a logit": (lambda x: torch.sigmoid(2 - 2 * x), ""),
        "one for all": (lambda x: (2 - 2 * x).mean(), "shape"),
        "a row of them": (lambda x: (2 - 2 * x).T, "shape"),
    },
    game.divergence_is_jensen_shannon: {
        "a trifle where p = q": (lambda p, q, dx: jensen_shannon(p, q, dx) + 2e-5, ""),
        "not halved": (lambda p, q, dx: 2 * jensen_shannon(p, q, dx), "reduction"),
        "dx left out": (lambda p, q, dx: jensen_shannon(p, q, 1.0), "reduction"),
        "in bits": (lambda p, q, dx: jensen_shannon(p, q, dx) / math.log(2), "constant"),
        "the critic's loss": (lambda p, q, dx: 2 * jensen_shannon(p, q, dx) - math.log(4), ""),
        "one half": (lambda p, q, dx: kl(p, (p + q) / 2, dx), "dependence"),
        "Jeffreys": (lambda p, q, dx: kl(p, q, dx) + kl(q, p, dx), "direction"),
        "KL": (lambda p, q, dx: kl(p, q, dx), "direction"),
        "the geometric mean": (
            lambda p, q, dx: (kl(p, (p * q).sqrt(), dx) + kl(q, (p * q).sqrt(), dx)) / 2,
            "log-mean",
        ),
        "0 ln 0": (half, "not-finite"),
        "not summed": (lambda p, q, dx: dx * (p + q), "shape"),
    },
    game.bound_is_below_divergence: {
        "probabilities clamped": (clamped_bound, "overflow"),
        "not halved": (lambda r, f: 2 * divergence_bound(r, f), "reduction"),
        "ln 2 left out": (lambda r, f: divergence_bound(r, f) - math.log(2), "constant"),
        "the value": (lambda r, f: -softplus(-r).mean() - softplus(f).mean(), "constant"),
        "sign of the logits": (lambda r, f: divergence_bound(-r, -f), "sign"),
        "in bits": (lambda r, f: divergence_bound(r, f) / math.log(2), "log-mean"),
        "not in logarithms": (
            lambda r, f: math.log(2) + 0.5 * (r.sigmoid().log().mean() + (1 - f.sigmoid()).log().mean()),
            "not-finite",
        ),
        "fakes weighed by their number": (
            lambda r, f: math.log(2) - (softplus(-r).sum() + softplus(f).sum()) / (len(r) + len(f)),
            "dependence",
        ),
        "a row for each": (in_pairs, "shape"),
    },
    game.generator_losses_pull: {
        "ln(1 − D) for −ln D": (lambda h: (losses(h)[0], softplus(h).mean()), "sign"),
        "sign": (lambda h: (-losses(h)[0], losses(h)[1]), "sign"),
        "exchanged": (lambda h: losses(h)[::-1], "direction"),
        "ln of a sigmoid": (lambda h: (losses(h)[0], -h.sigmoid().log().mean()), "not-finite"),
        "ln of 1 − a sigmoid": (lambda h: ((1 - h.sigmoid()).log().mean(), losses(h)[1]), "not-finite"),
        "sum for mean": (lambda h: tuple(len(h) * loss for loss in losses(h)), "reduction"),
        "not averaged": (lambda h: (losses(h)[0], -logsigmoid(h)), "shape"),
        "mean before the logarithm": (lambda h: (losses(h)[0], -h.sigmoid().mean().log()), "log-mean"),
        "detached": (lambda h: losses(h.detach()), "gradient"),
        "the right value, half detached": (
            lambda h: tuple((loss + loss.detach()) / 2 for loss in losses(h)),
            "gradient",
        ),
        "one loss": (lambda h: losses(h)[0], "container"),
    },
    game.critic_loss_is_minus_value: {
        "sign": (lambda c, r, f: -gan_critic_loss(c, r, f), "sign"),
        "data and fakes exchanged": (lambda c, r, f: gan_critic_loss(c, f, r), "sign"),
        "mean of both halves": (lambda c, r, f: gan_critic_loss(c, r, f) / 2, "reduction"),
        "data alone": (lambda c, r, f: softplus(-c(r)).mean(), "reduction"),
        "no logarithm": (lambda c, r, f: c(r).sigmoid().mean() + 1 - c(f).sigmoid().mean(), ""),
        "labels smoothed": (lambda c, r, f: gan_critic_loss(c, r, f, smooth=0.1), ""),
        "not averaged": (lambda c, r, f: softplus(-c(r)) + softplus(c(f)), "shape"),
        "the first row for all": (lambda c, r, f: gan_critic_loss(c, r[:1], f), ""),
    },
}


def test_js_of_gaussians_by_two_rules():
    x = torch.linspace(-12, 20, 20_001, dtype=torch.float64)
    for theta in (0.0, 1.0, 4.0, 8.0):
        for std in (1.0, 0.6):
            p, q = (Normal(*by).log_prob(x).exp() for by in ((0.0, 1.0), (theta, std)))
            assert gaussian_js(theta, std) == pytest.approx(jensen_shannon(p, q, x[1] - x[0]).item(), abs=1e-5)
