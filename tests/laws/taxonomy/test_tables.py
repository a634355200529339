"""Every law of tables passes right answers and catches each planted bug."""

import math
from functools import partial

import torch
import torch.nn.functional as F
from torch.distributions import Bernoulli, MultivariateNormal

from gmcourse.laws.taxonomy import tables
from gmcourse.taxonomy.discriminant import lda_logit


def histogram(x, logits, low, high, clamp=True, index=0, log_volume=1.0, log_pi=lambda logits: logits.log_softmax(0)):
    edges = torch.linspace(low, high, len(logits) + 1)
    cell = torch.searchsorted(edges, x, right=True) - 1 + index
    cell = cell.clamp(0, len(logits) - 1) if clamp else cell % len(logits)
    value = log_pi(logits)[cell] - log_volume * (edges[1] - edges[0]).log()
    return torch.where((x < low) | (x > high), -torch.inf, value)


def open_at_the_top(x, logits, low, high):
    return torch.where(x >= high, -torch.inf, histogram(x, logits, low, high))


def to_the_border(x, logits, low, high):
    return histogram(x.clamp(low, high), logits, low, high)


def loss(counts, logits):
    return -(counts * F.log_softmax(logits, 0)).sum() / counts.sum()


def bayes(x, means, cov, prior):
    first, second = (MultivariateNormal(mean, cov).log_prob(x) for mean in means)
    return second - first + math.log(prior) - math.log(1 - prior)


def by_densities(x, means, cov, prior):
    first, second = (MultivariateNormal(mean, cov).log_prob(x).exp() for mean in means)
    return (prior * second / ((1 - prior) * first)).log()


def rest(log_pi, logits, x, observed, hidden=True):
    each = Bernoulli(logits=logits).log_prob(x[:, None])
    seen = torch.where(observed, each, 0.0).sum(2)
    return (log_pi + each.sum(2)).logsumexp(1) - (log_pi + seen).logsumexp(1) * hidden


def rest_by_products(log_pi, logits, x, observed):
    each = torch.where(x[:, None] > 0, logits.sigmoid(), 1 - logits.sigmoid())
    return ((log_pi.exp() * each.prod(2)).sum(1) / (log_pi.exp() * each[:, :, observed].prod(2)).sum(1)).log()


def rest_by_marginals(log_pi, logits, x, observed):
    each = Bernoulli(logits=logits).log_prob(x[:, None])
    belief = (log_pi + each[:, :, observed].sum(2)).softmax(1)
    return (belief[:, :, None] * each[:, :, ~observed].exp()).sum(1).log().sum(1)


RIGHT = {
    tables.histogram_is_density: (histogram, open_at_the_top, to_the_border),
    tables.histogram_ends: (histogram,),
    tables.loss_needs_only_counts: (loss, lambda c, h: h.logsumexp(0) - (c / c.sum()) @ h),
    tables.logit_is_bayes_rule: (lda_logit, bayes),
    tables.rest_is_a_ratio_of_sums: (rest, rest_by_products),
    tables.rest_of_a_large_picture: (rest,),
}
BUGS = {
    tables.histogram_is_density: {
        "width left out": (partial(histogram, log_volume=0.0), "constant"),
        "multiplied by the width": (partial(histogram, log_volume=-1.0), "sign"),
        "divided twice": (partial(histogram, log_volume=2.0), "spread"),
        "one cell further": (partial(histogram, index=1, clamp=False), "dependence"),
        "one cell before": (partial(histogram, index=-1, clamp=False), "dependence"),
        "not normalised": (lambda x, h, a, b: histogram(x, h, a, b) + h.logsumexp(0), "direction"),
        "the density": (lambda x, h, a, b: histogram(x, h, a, b).exp(), "log-mean"),
        "bits": (lambda x, h, a, b: histogram(x, h, a, b) / math.log(2), "log-mean"),
        "by the range": (lambda x, h, a, b: histogram(x, h, a, b) - math.log(len(h)), "spread"),
        "softmax, then log": (partial(histogram, log_pi=lambda h: h.softmax(0).log()), "not-finite"),
        "softmax, clamped": (partial(histogram, log_pi=lambda h: h.softmax(0).clamp(min=1e-30).log()), "overflow"),
        "cell 0 for all": (lambda x, h, a, b: histogram(0 * x + a, h, a, b), "shape"),
    },
    tables.histogram_ends: {
        "clipped into the border cells": (to_the_border, "one-to-one"),
        "high left out": (open_at_the_top, "not-finite"),
        "a very low density outside": (
            lambda x, h, a, b: histogram(x, h, a, b).nan_to_num(neginf=-100.0),
            "one-to-one",
        ),
        "NaN outside": (lambda x, h, a, b: histogram(x, h, a, b).nan_to_num(neginf=math.nan), "not-finite"),
        "+∞ outside": (lambda x, h, a, b: histogram(x, h, a, b).abs(), "not-finite"),
        "high in the first cell": (lambda x, h, a, b: histogram(torch.where(x == b, a, x), h, a, b), ""),
    },
    tables.loss_needs_only_counts: {
        "mean over the states": (lambda c, h: loss(c, h) * c.sum() / len(c), "reduction"),
        "a sum": (lambda c, h: loss(c, h) * c.sum(), "reduction"),
        "softmax, then log": (lambda c, h: -(c * h.softmax(0).log()).sum() / c.sum(), "not-finite"),
        "clamped": (lambda c, h: -(c * h.softmax(0).clamp(min=1e-30).log()).sum() / c.sum(), "overflow"),
        "bits": (lambda c, h: loss(c, h) / math.log(2), "log-mean"),
        "each state once": (lambda c, h: -F.log_softmax(h, 0).mean(), "one-to-one"),
        "not normalised": (lambda c, h: -(c * h).sum() / c.sum(), "direction"),
        "sign": (lambda c, h: -loss(c, h), "sign"),
        "the KL": (lambda c, h: loss(c, h) - torch.special.entr(c / c.sum()).sum(), "constant"),
        "the model's weights": (lambda c, h: (h.softmax(0) * -F.log_softmax(h, 0)).sum(), "dependence"),
        "smoothed": (lambda c, h: loss(c + 0.5, h), ""),
    },
    tables.logit_is_bayes_rule: {
        "no prior": (lambda x, m, c, p: lda_logit(x, m, c), "constant"),
        "ln π": (lambda x, m, c, p: lda_logit(x, m, c) + math.log(p), "constant"),
        "the prior of the other": (lambda x, m, c, p: lda_logit(x, m, c, 1 - p), "direction"),
        "no constant": (
            lambda x, m, c, p: lda_logit(x, m, c, p) - lda_logit(torch.zeros(1, len(c)), m, c),
            "dependence",
        ),
        "sign": (lambda x, m, c, p: -lda_logit(x, m, c, p), "sign"),
        "Σ for its inverse": (lambda x, m, c, p: lda_logit(x, m, c.inverse(), p), "spread"),
        "no correlation": (lambda x, m, c, p: lda_logit(x, m, c.diagonal().diag(), p), "reduction"),
        "½ forgotten": (
            lambda x, m, c, p: lda_logit(x, m, c, p) + lda_logit(torch.zeros(1, len(c)), m, c),
            "one-to-one",
        ),
        "the probability": (lambda x, m, c, p: lda_logit(x, m, c, p).sigmoid(), "log-mean"),
        "by densities": (by_densities, "not-finite"),
        "clamped": (lambda x, m, c, p: lda_logit(x, m, c, p).clamp(-30, 30), "overflow"),
        "the first row for all": (lambda x, m, c, p: lda_logit(x[:1].expand_as(x), m, c, p), "shape"),
    },
    tables.rest_is_a_ratio_of_sums: {
        "product of marginals": (rest_by_marginals, "dependence"),
        "not divided": (partial(rest, hidden=False), "constant"),
        "given the hidden": (lambda p, h, x, seen: rest(p, h, x, ~seen), "spread"),
        "nothing observed": (
            lambda p, h, x, seen: rest(p, h[:, ~seen], x[:, ~seen], seen[~seen]),
            "reduction",
        ),
        "even classes": (lambda p, h, x, seen: rest(0 * p, h, x, seen), "randomness"),
        "the probability": (lambda p, h, x, seen: rest(p, h, x, seen).exp(), "log-mean"),
        "sign": (lambda p, h, x, seen: -rest(p, h, x, seen), "sign"),
        "paper for ink": (lambda p, h, x, seen: rest(p, -h, x, seen), ""),
    },
    tables.rest_of_a_large_picture: {
        "by products": (rest_by_products, "not-finite"),
        "clamped": (lambda *a: rest(*a).clamp(min=-103.0), "overflow"),
        "log of a sigmoid": (
            lambda p, h, x, seen: rest(p, h.sigmoid().logit(eps=1e-6), x, seen),
            "overflow",
        ),
    },
}
