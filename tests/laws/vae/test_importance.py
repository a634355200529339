"""Every law of importance weights passes the right answer and catches each planted bug."""

import math
from functools import partial

import torch

from gmcourse.laws.vae import importance
from gmcourse.probability import gaussian_kl, gaussian_log_prob
from gmcourse.vae.gaussian import log_evidence, reparameterize
from gmcourse.vae.importance import doubly_reparameterized, iwae_loss, normalised_weights, weight_variance
from gmcourse.vae.linear import LinearGaussian


def squares(log_weights):
    return normalised_weights(log_weights) ** 2


def by_loop(log_weights):
    return torch.stack([(column.exp() / column.exp().sum()) ** 2 for column in (log_weights - 2).detach().double().T]).T


def attached(log_weights):
    """Σ w̃ ln w, w̃ not detached: neither the value nor the gradient of L_K."""
    return -(log_weights.softmax(0) * log_weights).sum(0).mean()


def surrogate(log_weights):
    """The right gradient at a wrong value."""
    return -(normalised_weights(log_weights) * log_weights).sum(0).mean()


def plain(log_weight, mean, log_std, noise):
    return log_evidence(log_weight(reparameterize(mean, log_std, noise), mean, log_std))


def hooked(power, decoder=1, stopped=True):
    """DReG with w̃ to another power for the encoder, or for the decoder, or with the score of q left in."""

    def bound(log_weight, mean, log_std, noise):
        z = reparameterize(mean, log_std, noise)
        q = (mean.detach(), log_std.detach()) if stopped else (mean, log_std)
        log_weights = log_weight(z, *q)
        weights = normalised_weights(log_weights)
        z.register_hook(lambda slope: weights[..., None] ** (power - decoder) * slope)
        teacher = (weights**decoder * log_weights).sum(0)
        return log_evidence(log_weights).detach() + teacher - teacher.detach()

    return bound


def in_two_passes(log_weight, mean, log_std, noise):
    """Without a hook: z carries w̃ of its slope, as found in a first pass."""
    with torch.no_grad():
        weights = normalised_weights(log_weight(reparameterize(mean, log_std, noise), mean, log_std))[..., None]
    z = reparameterize(mean, log_std, noise)
    z = weights * z + ((1 - weights) * z).detach()
    return log_evidence(log_weight(z, mean.detach(), log_std.detach()))


def variance(bug=""):
    def value(m, s, q_m, q_s):
        if bug == "the mean over latents":
            return weight_variance(m, s, q_m, q_s) / m.shape[1]
        width = {"s for ln σ²": 0.5, "narrow": 0.9}.get(bug, 1.0)
        return weight_variance(m, width * s, q_m, q_s)

    return value


class Wide:
    """The posterior of a linear-Gaussian model, moved and widened; `bug` spoils the weights or the bound."""

    def __init__(self, bug=""):
        basis = torch.linalg.qr(torch.tensor([[1.0, 0.2], [0.5, -1.0], [-0.8, 0.3]], dtype=torch.float64))[0]
        scaled = basis * torch.tensor([1.4, 0.8], dtype=torch.float64)
        self.truth, self.bug = LinearGaussian(scaled, torch.zeros(3, dtype=torch.float64), 0.7), bug

    def guess(self, x):
        mean, covariance = self.truth.posterior(x)
        return mean + 0.1, (1.2 * covariance.diagonal().sqrt()).log().expand_as(mean)

    def facts(self, x):
        """ln p(x), the KL of the guess from the posterior, and the variance of w/p(x)."""
        mean, covariance = self.truth.posterior(x)
        log_std, (q_mean, q_log_std) = covariance.diagonal().sqrt().log().expand_as(mean), self.guess(x)
        kl = gaussian_kl(q_mean, q_log_std, mean, log_std)
        spread = weight_variance(mean, log_std, q_mean, q_log_std)
        return {"x": x, "log_prob": self.truth.log_prob(x), "kl": kl, "variance": spread}

    def log_weights(self, x, k, *, rng=None):
        mean, log_std = self.guess(x)
        z = reparameterize(mean, log_std, torch.randn(k, *mean.shape, generator=rng, dtype=x.dtype))
        rows = z.flatten(0, 1)
        log_q = gaussian_log_prob(rows, mean.repeat(k, 1), log_std.repeat(k, 1))
        log_w = (self.truth.log_joint(x.repeat(k, 1), rows) - log_q).view(k, len(x))
        spoilt = {
            "less": log_w - 0.05,
            "more": log_w + 0.05,
            "tempered": 0.8 * (log_w - self.truth.log_prob(x)) + self.truth.log_prob(x),
            "one draw": log_w[:1].expand_as(log_w),
            "axes": log_w.T,
        }
        return spoilt.get(self.bug, log_w)

    def elbo(self, x, *, rng=None):
        value = self.log_weights(x, 1, rng=rng).view(-1)[: len(x)]
        return {"slack": value - 0.1, "above": value + 0.2, "sum": value.sum().expand(len(x))}.get(self.bug, value)


X = torch.tensor([[0.3, -0.2, 0.5], [1.5, 1.0, -1.0]], dtype=torch.float64)
with torch.no_grad():
    RISE = partial(importance.bounds_rise_to_the_evidence, **Wide().facts(X))

RIGHT = {
    importance.loss_is_the_average_weight: (iwae_loss, lambda w: -(w.logsumexp(0) - math.log(len(w))).mean()),
    importance.encoder_counts_squares: (squares, lambda w: (w.detach() - w.detach().logsumexp(0)).exp().square()),
    importance.gradients_agree: (doubly_reparameterized, in_two_passes),
    importance.weights_vary_so_much: (weight_variance,),
    RISE: (Wide(),),
}
BUGS = {
    importance.loss_is_the_average_weight: {
        "mean of logarithms": (lambda w: -w.mean(), "log-mean"),
        "ln K left out": (lambda w: -w.logsumexp(0).mean(), "constant"),
        "over the batch": (lambda w: -w.logsumexp(1).mean(), "direction"),
        "sum over the batch": (lambda w: -log_evidence(w).sum(), "reduction"),
        "to be maximised": (lambda w: log_evidence(w).mean(), "sign"),
        "shares attached": (attached, "gradient"),
        "shares detached, a wrong value": (surrogate, "gradient"),
        "no gradient": (lambda w: iwae_loss(w.detach()), "gradient"),
        "not in logarithms": (lambda w: -w.exp().mean(0).log().mean(), "not-finite"),
        "one for each row": (lambda w: -log_evidence(w), "shape"),
        "the largest weight": (lambda w: -w.amax(0).mean(), "one-to-one"),
    },
    importance.encoder_counts_squares: {
        "not squared": (normalised_weights, "one-to-one"),
        "over the batch": (lambda w: w.detach().softmax(1) ** 2, "direction"),
        "weights, not shares": (lambda w: w.detach().exp() ** 2, "constant"),
        "squares brought to 1": (lambda w: squares(w) / squares(w).sum(0), "reduction"),
        "attached": (lambda w: w.softmax(0) ** 2, "gradient"),
        "not in logarithms": (lambda w: (w.detach().exp() / w.detach().exp().sum(0)) ** 2, "not-finite"),
        "of the squares of ln w": (lambda w: (2 * w.detach()).softmax(0), "reduction"),
    },
    importance.gradients_agree: {
        "autograd's own": (plain, "gradient"),
        "w̃ for w̃²": (hooked(1), ""),
        "w̃³": (hooked(3), ""),
        "w̃² for the decoder too": (hooked(2, decoder=2), ""),
        "the score left in": (hooked(2, stopped=False), ""),
        "detached": (lambda f, m, s, e: plain(f, m.detach(), s.detach(), e), "gradient"),
        "sum for mean": (lambda f, m, s, e: doubly_reparameterized(f, m, s, e) + math.log(len(e)), "constant"),
    },
    importance.weights_vary_so_much: {
        "the square, not the variance": (lambda *a: weight_variance(*a) + 1, "constant"),
        "its logarithm": (lambda *a: weight_variance(*a).log1p(), "constant"),
        "s half as large": (variance("s for ln σ²"), "not-finite"),
        "a little narrow": (variance("narrow"), ""),
        "the mean over latents": (variance("the mean over latents"), ""),
        "no square root of v": (
            lambda m, s, q_m, q_s: (2 * q_s - s - (2 * (2 * q_s).exp() - (2 * s).exp()).log()).sum(1).expm1(),
            "",
        ),
        "the deviation": (lambda *a: weight_variance(*a).sqrt(), "spread"),
        "the first row for all": (lambda *a: weight_variance(*(t[:1].expand_as(t) for t in a)), "shape"),
    },
    RISE: {
        "weights too small": (Wide("less"), ""),
        "weights too large": (Wide("more"), ""),
        "weights too even": (Wide("tempered"), ""),
        "one draw for all": (Wide("one draw"), ""),
        "a slack bound": (Wide("slack"), ""),
        "a bound above": (Wide("above"), ""),
        "rows added": (Wide("sum"), ""),
        "axes exchanged": (Wide("axes"), "shape"),
    },
}


def test_the_toy_of_the_lesson():
    """x = 1, the prior for a guess: Var(w/p) = 0.3641, so that the gap at K is near 0.182/K."""
    zero, half = torch.zeros(1, 1), torch.full((1, 1), 0.5)
    assert abs(weight_variance(half, half.log() / 2, zero, zero) - 0.3641) < 5e-5


def test_squares_by_a_loop():
    log_weights = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(squares(log_weights), by_loop(log_weights).float())
