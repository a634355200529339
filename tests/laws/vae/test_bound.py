"""Every law of the bound passes the package's own function and catches each planted bug."""

import math
from functools import partial

import pytest
import torch
import torch.nn.functional as F

from gmcourse.laws import LawBroken, mass
from gmcourse.laws.vae import bound
from gmcourse.probability import gaussian_kl, gaussian_log_prob
from gmcourse.vae.gaussian import log_evidence, reparameterize
from gmcourse.vae.linear import LinearGaussian


class Widened:
    """The exact posterior of a linear-Gaussian model, a third too wide; `bug` spoils the weights or the bound."""

    def __init__(self, bug=""):
        weight = torch.tensor([[1.0], [0.5], [-0.8]], dtype=torch.float64)
        self.truth, self.bug = LinearGaussian(weight, torch.zeros(3, dtype=torch.float64), 0.7), bug

    def log_weights(self, x, k, *, rng=None):
        mean, covariance = self.truth.posterior(x)
        log_std = (1.3 * covariance.diagonal().sqrt()).log().expand_as(mean)
        z = reparameterize(mean, log_std, torch.randn(k, *mean.shape, generator=rng, dtype=x.dtype))
        rows = [gaussian_log_prob(z_k, mean, log_std) for z_k in z]
        log_q = torch.zeros(1) if self.bug == "no log q" else torch.stack(rows)
        log_joint = torch.stack([self.truth.log_joint(x, z_k) for z_k in z])
        log_w = log_joint - log_q - (0.2 if self.bug == "constant" else 0.0)
        slips = {"first row": log_w[:, :1].expand_as(log_w), "one draw": log_w[:1].expand_as(log_w), "axes": log_w.T}
        return slips.get(self.bug, log_w)

    def elbo(self, x, *, rng=None):
        value = self.log_weights(x, 1, rng=rng).view(-1)[: len(x)]
        return {"no KL": value + 1.0, "slack": value - 0.5, "sign": -value, "NaN": math.nan * value}.get(
            self.bug, value
        )


X = torch.tensor([[0.3, -0.2, 0.5], [1.5, 1.0, -1.0]], dtype=torch.float64)
with torch.no_grad():
    ORDER = partial(bound.bounds_are_ordered, x=X, log_prob=Widened().truth.log_prob(X))


RIGHT = {
    bound.kl_is_expected_log_ratio: (gaussian_kl,),
    bound.draws_follow_gaussian: (reparameterize, lambda m, s, e: m - s.exp() * e),
    bound.weights_average_to_evidence: (log_evidence,),
    ORDER: (Widened(),),
}
BUGS = {
    bound.kl_is_expected_log_ratio: {
        "s for a log-variance": (lambda m, s: 0.5 * (m**2 + s.exp() - 1 - s).sum(1), "spread"),
        "q and p exchanged": (lambda m, s: 0.5 * ((1 + m**2) * (-2 * s).exp() - 1 + 2 * s).sum(1), "direction"),
        "mean over latents": (lambda m, s: gaussian_kl(m, s) / m.shape[1], "reduction"),
        "mean over the batch": (lambda m, s: gaussian_kl(m, s).mean(), "shape"),
        "sign": (lambda m, s: -gaussian_kl(m, s), "sign"),
        "½ more": (lambda m, s: gaussian_kl(m, s) + 0.5, ""),
        "s shifted": (lambda m, s: gaussian_kl(m, s - 0.1), ""),
        "|μ| for μ²": (lambda m, s: gaussian_kl(0 * m, s) + 0.5 * m.abs().sum(1), ""),
        "μ left out": (lambda m, s: gaussian_kl(0 * m, s), ""),
        "the second row for all": (lambda m, s: gaussian_kl(m[1:2].expand_as(m), s[1:2].expand_as(s)), "shape"),
        "the first latent for all": (lambda m, s: gaussian_kl(m[:, :1].expand_as(m), s), ""),
        "detached": (lambda m, s: gaussian_kl(m, s).detach(), "gradient"),
        "s detached": (lambda m, s: gaussian_kl(m, s.detach()), "gradient"),
    },
    bound.draws_follow_gaussian: {
        "s for a log-variance": (lambda m, s, e: m + (s / 2).exp() * e, "spread"),
        "the variance for the deviation": (lambda m, s, e: m + (2 * s).exp() * e, "spread"),
        "noise of its own": (lambda m, s, e: m + s.exp() * torch.randn_like(e), "randomness"),
        "μ detached": (lambda m, s, e: m.detach() + s.exp() * e, "gradient"),
        "s detached": (lambda m, s, e: m + s.detach().exp() * e, "gradient"),
        "detached": (lambda m, s, e: (m + s.exp() * e).detach(), "gradient"),
        "one noise for all rows": (lambda m, s, e: m + s.exp() * e[:1], "shape"),
        "one noise for all latents": (lambda m, s, e: m + s.exp() * e[:, :1], "dependence"),
        "the noise of the neighbour, too": (lambda m, s, e: m + s.exp() * (e + e.roll(1, 0)) / 2**0.5, ""),
        "no outliers": (lambda m, s, e: m + s.exp() * e.sign(), ""),
        "μ left out": (lambda m, s, e: s.exp() * e, "constant"),
        "the mean μ for all": (lambda m, s, e: m.mean(0) + s.exp() * e, ""),
    },
    bound.weights_average_to_evidence: {
        "weights clamped": (lambda w: w.exp().clamp(min=1e-300).mean(0).log(), "overflow"),
        "divided by K − 1": (lambda w: w.logsumexp(0) - math.log(max(len(w) - 0.5, 0.5)), ""),
        "sum for mean": (lambda w: w.logsumexp(0), "constant"),
        "mean of logarithms": (lambda w: w.mean(0), "log-mean"),
        "over the batch": (lambda w: w.logsumexp(1), "shape"),
        "not in logarithms": (lambda w: w.exp().mean(0).log(), "not-finite"),
        "the largest weight": (lambda w: w.amax(0), ""),
        "the first draw": (lambda w: w[0], ""),
    },
    ORDER: {
        "half a nat too little": (Widened("slack"), ""),
        "no log q": (Widened("no log q"), ""),
        "a constant less": (Widened("constant"), ""),
        "no KL": (Widened("no KL"), ""),
        "sign": (Widened("sign"), ""),
        "the first row for all": (Widened("first row"), ""),
        "one draw for all": (Widened("one draw"), ""),
        "axes exchanged": (Widened("axes"), "shape"),
        "NaN": (Widened("NaN"), "not-finite"),
    },
}


def test_bernoulli_on_grey_pixels_is_no_density():
    """∫₀¹ λ^x (1−λ)^{1−x} dx = (2λ−1)/ln(λ/(1−λ)): the law of mass sees it."""
    logit = torch.tensor(1.2)
    with pytest.raises(LawBroken) as caught:
        mass.integrates_to_one(lambda x: (x * logit - F.softplus(logit))[:, 0], low=[0], high=[1])
    lam = torch.sigmoid(logit)
    assert float(caught.value.observed) == pytest.approx(((2 * lam - 1) / logit).item(), abs=1e-3)
