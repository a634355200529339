"""Every law of the first estimates passes the package's own function and catches each planted bug."""

import math

from gmcourse.laws.taxonomy import estimates
from gmcourse.probability import bits_per_dim
from gmcourse.taxonomy.monte_carlo import kl_terms, log_mean_exp, standard_error

RIGHT = {
    estimates.error_of_mean: (standard_error, lambda v: (v.double().var() / len(v)).sqrt()),
    estimates.mean_of_exponentials: (log_mean_exp, lambda a: (a - math.log(a.shape[1])).logsumexp(1)),
    estimates.terms_of_kl: (kl_terms, lambda p, q: (q - p).exp() - 1 - q + p),
    estimates.bits_of_nats: (bits_per_dim, lambda log_prob, dims: -log_prob.double() / dims / math.log(2)),
}
BUGS = {
    estimates.error_of_mean: {
        "no root of n": (lambda v: v.std(), "reduction"),
        "n for its root": (lambda v: v.std() / len(v), "spread"),
        "the variance": (lambda v: v.var() / len(v), "spread"),
        "n for n − 1": (lambda v: v.std(correction=0) / len(v) ** 0.5, "dependence"),
        "n − 1 for both": (lambda v: v.std() / (len(v) - 1) ** 0.5, "one-to-one"),
        "half a 95 % interval": (lambda v: 1.96 * standard_error(v), "constant"),
        "about 0": (lambda v: (v.square().sum() / (len(v) - 1) / len(v)).sqrt(), "direction"),
        "by the range": (lambda v: (v.max() - v.min()) / 12**0.5 / len(v) ** 0.5, ""),
        "of the first half": (lambda v: standard_error(v[: (len(v) + 2) // 2]), ""),
        "minus": (lambda v: -standard_error(v), ""),
        "1 % too large": (lambda v: 1.01 * standard_error(v), ""),
    },
    estimates.mean_of_exponentials: {
        "the sum": (lambda a: a.logsumexp(1), "constant"),
        "the mean of logarithms": (lambda a: a.mean(1), "log-mean"),
        "not in logarithms": (lambda a: a.exp().mean(1).log(), "not-finite"),
        "the largest": (lambda a: a.amax(1), "one-to-one"),
        "the mean itself": (lambda a: log_mean_exp(a).exp(), "spread"),
        "the smallest": (lambda a: -log_mean_exp(-a), "sign"),
        "clamped": (lambda a: a.exp().mean(1).clamp(min=1e-30, max=1e30).log(), "overflow"),
        "one maximum for all rows": (lambda a: (a - a.max()).exp().mean(1).log() + a.max(), "reduction"),
        "one minimum for all rows": (lambda a: (a - a.min()).exp().mean(1).log() + a.min(), "reduction"),
        "weights of 0 left out": (lambda a: a.logsumexp(1) - a.isfinite().sum(1).log(), "dependence"),
        "the mean of the batch": (lambda a: log_mean_exp(a).mean().expand(len(a)), "shape"),
        "the size of the batch": (lambda a: a.logsumexp(1) - math.log(len(a)), "shape"),
        "without the last": (lambda a: log_mean_exp(a[:, : max(1, a.shape[1] - 1)]), ""),
        "the largest two": (lambda a: a.topk(min(2, a.shape[1])).values.logsumexp(1) - math.log(a.shape[1]), ""),
        "one mean taken off": (lambda a: a.mean(1) + log_mean_exp(a - a.mean(1, keepdim=True)), "not-finite"),
    },
    estimates.terms_of_kl: {
        "−ln r": (lambda p, q: p - q, "sign"),
        "p/q": (lambda p, q: kl_terms(q, p), "direction"),
        "without − 1": (lambda p, q: kl_terms(p, q) + 1, "constant"),
        "half the square": (lambda p, q: (q - p).square() / 2, "spread"),
        "cut at 0": (lambda p, q: (p - q).clamp(min=0), "one-to-one"),
        "weighed by p": (lambda p, q: p.exp() * kl_terms(p, q), "dependence"),
        "the ratio of logarithms": (lambda p, q: q / p - 1 - (q / p).log(), "log-mean"),
        "two exponentials": (lambda p, q: q.exp() / p.exp() - 1 - q + p, "not-finite"),
        "two exponentials, held off 0": (lambda p, q: q.exp() / (p.exp() + 1e-20) - 1 - q + p, "overflow"),
        "the mean for each": (lambda p, q: kl_terms(p, q).mean().expand(len(p)), "shape"),
        "the first draw for all": (lambda p, q: kl_terms(p[:1], q[:1]).expand(len(p)), "shape"),
        "to third order": (lambda p, q: (q - p) ** 2 / 2 + (q - p) ** 3 / 6, ""),
        "bits": (lambda p, q: kl_terms(p, q) / math.log(2), ""),
    },
    estimates.bits_of_nats: {
        "nats": (lambda log_prob, dims: -log_prob / dims, "constant"),
        "multiplied by ln 2": (lambda log_prob, dims: -log_prob * math.log(2) / dims, "constant"),
        "sign": (lambda log_prob, dims: -bits_per_dim(log_prob, dims), "sign"),
        "of an example": (lambda log_prob, dims: bits_per_dim(log_prob, 1), "reduction"),
        "the logarithm of a logarithm": (lambda log_prob, dims: 2 ** bits_per_dim(log_prob, dims), "log-mean"),
        "the mean for each": (
            lambda log_prob, dims: bits_per_dim(log_prob, dims).mean().expand(len(log_prob)),
            "shape",
        ),
        "never below 0": (lambda log_prob, dims: bits_per_dim(log_prob, dims).clamp(min=0), "one-to-one"),
        "one dimension more": (lambda log_prob, dims: bits_per_dim(log_prob, dims + 1), ""),
    },
}
