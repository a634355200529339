"""Answers to the exercises of lesson 01.1, right and wrong."""

import math

import numpy as np
import torch
from torch.distributions import Bernoulli, Categorical, MultivariateNormal
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, logsigmoid, one_hot


def histogram_by_loop(x, logits, low, high):
    log_pi, width, values = torch.log_softmax(logits, 0), (high - low) / len(logits), []
    for point in x:
        value = torch.tensor(-math.inf)
        for k in range(len(logits)):
            last = k == len(logits) - 1
            if low + k * width <= point and (point < low + (k + 1) * width or (last and point <= high)):
                value = log_pi[k] - math.log(width)
        values.append(value)
    return torch.stack(values)


def histogram_by_buckets(x, logits, low, high):
    edges = torch.linspace(low, high, len(logits) + 1)
    density = logits.log_softmax(-1) - torch.log(edges[1] - edges[0])
    out = density[torch.bucketize(x, edges[1:-1], right=True)]
    return out.masked_fill((x < low) | (x > high), float("-inf"))


def histogram_in_numpy(x, logits, low, high):
    x, h = x.numpy().astype(np.float64), logits.numpy().astype(np.float64)
    log_pi = h - h.max() - np.log(np.exp(h - h.max()).sum())
    cell = np.minimum(np.floor((x - low) / (high - low) * len(h)), len(h) - 1)
    inside = (x >= low) & (x <= high)
    return np.where(inside, log_pi[np.where(inside, cell, 0).astype(int)] - np.log((high - low) / len(h)), -np.inf)


def histogram_by_one_hot(x, logits, low, high):
    k = len(logits)
    cell = ((x - low) * k / (high - low)).clamp(0, k - 0.5).long()
    value = (one_hot(cell, k) * (logits.log_softmax(0) - math.log((high - low) / k))).sum(1)
    value[(x < low) | (x > high)] = -math.inf
    return value


def histogram_with_categorical(x, logits, low, high):
    k = len(logits)
    cell = torch.clip(((x - low) // ((high - low) / k)).int(), 0, k - 1)
    value = Categorical(logits=logits).log_prob(cell) + math.log(k) - math.log(high - low)
    return torch.where((low <= x) & (x <= high), value, torch.tensor(-torch.inf))


def histogram(x, logits, low, high, log_pi=None, volume=None):
    k, width = len(logits), (high - low) / len(logits)
    cell = ((x - low) / width).long().clamp(0, k - 1)
    log_pi = logits.log_softmax(0) if log_pi is None else log_pi
    value = log_pi[cell] - (math.log(width) if volume is None else volume(width))
    return torch.where((x < low) | (x > high), -torch.inf, value)


def histogram_written_over(x, logits, low, high):
    x -= low
    return histogram(x + low, logits, low, high)


def histogram_from_zero(x, logits, low, high):
    width = (high - low) / len(logits)
    cell = (x / width).long().clamp(0, len(logits) - 1)
    return torch.where((x < low) | (x > high), -torch.inf, logits.log_softmax(0)[cell] - math.log(width))


def histogram_rounded(x, logits, low, high):
    k, width = len(logits), (high - low) / len(logits)
    cell = ((x - low) / width).round().long().clamp(0, k - 1)
    return torch.where((x < low) | (x > high), -torch.inf, logits.log_softmax(0)[cell] - math.log(width))


def histogram_unclamped(x, logits, low, high):
    width = (high - low) / len(logits)
    cell = ((x - low) / width).floor().long()
    inside = (x >= low) & (x <= high)
    return torch.where(inside, logits.log_softmax(0)[torch.where(inside, cell, 0)] - math.log(width), -torch.inf)


def nll(counts, logits):
    return -(counts * logits.log_softmax(0)).sum() / counts.sum()


def nll_draw_by_draw(counts, logits):
    draws = [k for k, c in enumerate(counts.tolist()) for _ in range(int(c))]
    return sum(-logits.log_softmax(0)[k] for k in draws) / len(draws)


def nll_with_cross_entropy(counts, logits):
    draws = torch.repeat_interleave(torch.arange(len(counts)), counts.long())
    return cross_entropy(logits.expand(len(draws), -1), draws)


def nll_in_numpy(counts, logits):
    c, h = counts.numpy().astype(float), logits.numpy().astype(float)
    return np.logaddexp.reduce(h) - (c / c.sum() * h).sum()


def smoothed(counts, logits):
    return nll(counts + 1, logits)


def bayes(x, means, cov, prior):
    first, second = (MultivariateNormal(mean, covariance_matrix=cov).log_prob(x) for mean in means)
    return second - first + math.log(prior / (1 - prior))


def lda(x, means, cov, prior, half=0.5, odds=True):
    inverse = torch.linalg.inv(cov)
    weight = inverse @ (means[1] - means[0])
    bias = half * (means[0] @ inverse @ means[0] - means[1] @ inverse @ means[1])
    return x @ weight + bias + (math.log(prior) - math.log(1 - prior) if odds else 0.0)


def lda_by_loop(x, means, cov, prior):
    out = []
    for row in x:
        quadratic = [(row - mean) @ torch.linalg.solve(cov, row - mean) for mean in means]
        out.append(0.5 * (quadratic[0] - quadratic[1]) + torch.logit(torch.tensor(prior)))
    return torch.stack(out)


def lda_by_cholesky(x, means, cov, prior):
    root = torch.linalg.cholesky(cov)
    z, centres = (torch.linalg.solve_triangular(root, v.T, upper=False).T for v in (x, means))
    first, second = (((z - centre) ** 2).sum(1) for centre in centres)
    return (first - second) / 2 + math.log(prior) - math.log1p(-prior)


def lda_in_numpy(x, means, cov, prior):
    x, m, c = (v.numpy().astype(float) for v in (x, means, cov))
    return (x - m.mean(0)) @ np.linalg.inv(c) @ (m[1] - m[0]) + np.log(prior / (1 - prior))


def posterior_then_logit(x, means, cov, prior):
    one, two = (MultivariateNormal(mean, cov).log_prob(x).exp() for mean in means)
    return torch.logit(prior * two / (prior * two + (1 - prior) * one))


def complete(log_pi, logits, x, observed):
    each = torch.where(x[:, None] > 0.5, logsigmoid(logits), logsigmoid(-logits))
    return (log_pi + each.sum(-1)).logsumexp(-1) - (log_pi + each[..., observed].sum(-1)).logsumexp(-1)


def complete_by_belief(log_pi, logits, x, observed):
    each = -binary_cross_entropy_with_logits(
        logits.expand(len(x), -1, -1), x[:, None].expand(-1, len(logits), -1), reduction="none"
    )
    belief = (log_pi + each[:, :, observed].sum(2)).log_softmax(1)
    return torch.logsumexp(belief + each[:, :, ~observed].sum(2), 1)


def complete_by_loop(log_pi, logits, x, observed):
    out = []
    for row in x:
        each = Bernoulli(logits=logits).log_prob(row)
        joint, part = log_pi.clone(), log_pi.clone()
        for y in range(len(log_pi)):
            joint[y] = joint[y] + each[y].sum()
            part[y] = part[y] + each[y][observed].sum()
        out.append(joint.logsumexp(0) - part.logsumexp(0))
    return torch.stack(out)


def complete_by_matrices(log_pi, logits, x, observed):
    x, h, p = x.double(), logits.double(), log_pi.double()
    mask = observed.double()

    def joint(weight):
        return p + (x * weight) @ h.T - (weight * torch.nn.functional.softplus(h)).sum(1)

    return joint(torch.ones_like(mask)).logsumexp(1) - joint(mask).logsumexp(1)


def complete_pixel_by_pixel(log_pi, logits, x, observed):
    """The chain rule: one hidden pixel after the other, each seen from then on."""
    each = Bernoulli(logits=logits).log_prob(x[:, None])
    belief = log_pi + each[:, :, observed].sum(2)
    total = torch.zeros(len(x))
    for i in (~observed).nonzero()[:, 0][:20] if len(observed) < 100 else []:
        total = total + (belief.log_softmax(1) + each[:, :, i]).logsumexp(1)
        belief = belief + each[:, :, i]
    return total if len(observed) < 100 else complete(log_pi, logits, x, observed)


def marginals(log_pi, logits, x, observed):
    each = Bernoulli(logits=logits).log_prob(x[:, None])
    belief = (log_pi + each[:, :, observed].sum(2)).softmax(1)
    mean = (belief[:, :, None] * logits.sigmoid()).sum(1)
    return Bernoulli(mean[:, ~observed]).log_prob(x[:, ~observed]).sum(1)


def guessed_class(log_pi, logits, x, observed):
    each = Bernoulli(logits=logits).log_prob(x[:, None])
    y = (log_pi + each[:, :, observed].sum(2)).argmax(1)
    return each[torch.arange(len(x)), y][:, ~observed].sum(1)


def mean_of_logs(log_pi, logits, x, observed):
    each = Bernoulli(logits=logits).log_prob(x[:, None])
    belief = (log_pi + each[:, :, observed].sum(2)).softmax(1)
    return (belief * each[:, :, ~observed].sum(2)).sum(1)


def peeked(log_pi, logits, x, observed):
    each = Bernoulli(logits=logits).log_prob(x[:, None])
    belief = (log_pi + each.sum(2)).softmax(1)
    return (belief * each[:, :, ~observed].sum(2).exp()).sum(1).log()


def by_products(log_pi, logits, x, observed):
    each = Bernoulli(logits=logits).log_prob(x[:, None]).exp()
    return ((log_pi.exp() * each.prod(2)).sum(1) / (log_pi.exp() * each[:, :, observed].prod(2)).sum(1)).log()


def mean_pixels(log_pi, logits, x, observed):
    each = Bernoulli(logits=logits).log_prob(x[:, None])
    seen = (log_pi + each[:, :, observed].mean(2)).logsumexp(1)
    return (log_pi + each.mean(2)).logsumexp(1) - seen


RIGHT = {
    "taxonomy.histogram_log_prob": {
        "loop": histogram_by_loop,
        "bucketize": histogram_by_buckets,
        "numpy": histogram_in_numpy,
        "one-hot": histogram_by_one_hot,
        "Categorical": histogram_with_categorical,
        "where": histogram,
        "list": lambda x, h, a, b: histogram(x, h, a, b).tolist(),
        "float64": lambda x, h, a, b: histogram(x.double(), h.double(), a, b),
    },
    "taxonomy.categorical_nll": {
        "sum over draws": nll_draw_by_draw,
        "cross_entropy": nll_with_cross_entropy,
        "numpy": nll_in_numpy,
        "matrix product": lambda c, h: -(c @ h.log_softmax(0)) / c.sum(),
        "log of the mass": lambda c, h: h.logsumexp(0) - (c * h).sum() / c.sum(),
        "shape (1,)": lambda c, h: nll(c, h)[None],
        "a float": lambda c, h: float(nll(c, h)),
        "seen states alone": lambda c, h: -(c[c > 0] * h.log_softmax(0)[c > 0]).sum() / c.sum(),
        "cross_entropy of shares": lambda c, h: cross_entropy(h, c / c.sum()),
    },
    "taxonomy.lda_logit": {
        "Bayes' rule": bayes,
        "w and b": lda,
        "loop": lda_by_loop,
        "Cholesky": lda_by_cholesky,
        "numpy": lda_in_numpy,
        "einsum": lambda x, m, c, p: (
            torch.einsum("bi,ij,j->b", x - (m[0] + m[1]) / 2, c.inverse(), m[1] - m[0]) + math.log(p / (1 - p))
        ),
        "float64": lambda x, m, c, p: lda(x.double(), m.double(), c.double(), p),
    },
    "taxonomy.complete_log_prob": {
        "where": complete,
        "belief of the class": complete_by_belief,
        "loop": complete_by_loop,
        "matrix products": complete_by_matrices,
        "chain rule": complete_pixel_by_pixel,
        "numpy out": lambda *a: complete(*a).numpy(),
        "hidden pixels": lambda p, h, x, seen: complete(p, h, x, ~~seen),
    },
    "taxonomy.overtaking": {
        "int": 160,
        "float": 160.0,
        "tensor": torch.tensor(160),
        "array": np.array([160]),
        "int64": np.int64(160),
        "shape (1,)": torch.tensor([160.0]),
    },
}
WRONG = {
    "taxonomy.histogram_log_prob": {
        "probability of the cell": (lambda x, h, a, b: histogram(x, h, a, b, volume=lambda w: 0.0), "constant"),
        "times the width": (lambda x, h, a, b: histogram(x, h, a, b, volume=lambda w: -math.log(w)), "sign"),
        "width, no log": (lambda x, h, a, b: histogram(x, h, a, b, volume=lambda w: w), ""),
        "by high − low": (lambda x, h, a, b: histogram(x, h, a, b, volume=lambda w: math.log(b - a)), "spread"),
        "by 1/K": (lambda x, h, a, b: histogram(x, h, a, b, volume=lambda w: -math.log(len(h))), "spread"),
        "logits": (lambda x, h, a, b: histogram(x, h, a, b, log_pi=h), "direction"),
        "softmax, then log": (lambda x, h, a, b: histogram(x, h, a, b, log_pi=h.softmax(0).log()), "not-finite"),
        "clipped": (lambda x, h, a, b: histogram(x.clamp(a, b), h, a, b), "one-to-one"),
        "0 outside": (lambda x, h, a, b: histogram(x, h, a, b).nan_to_num(neginf=0.0), "one-to-one"),
        "a large number outside": (lambda x, h, a, b: histogram(x, h, a, b).nan_to_num(neginf=-1e9), "one-to-one"),
        "high not in": (
            lambda x, h, a, b: torch.where(x >= b, -torch.inf, histogram(x, h, a, b)),
            "not-finite",
        ),
        "the density": (lambda x, h, a, b: histogram(x, h, a, b).exp(), "log-mean"),
        "no last cell": (histogram_unclamped, None),
        "cells from 0": (histogram_from_zero, ""),
        "rounded": (histogram_rounded, ""),
        "flipped": (lambda x, h, a, b: histogram(x, h.flip(0), a, b), "dependence"),
        "in place": (histogram_written_over, "mutation"),
        "the sum": (lambda x, h, a, b: histogram(x, h, a, b).sum(), "shape"),
        "the mean for all": (lambda x, h, a, b: histogram(x, h, a, b).mean().expand_as(x), "shape"),
        "a column": (lambda x, h, a, b: histogram(x, h, a, b)[:, None], "shape"),
        "nothing": (lambda x, h, a, b: None, "container"),
    },
    "taxonomy.categorical_nll": {
        "mean over the states": (lambda c, h: -(c * h.log_softmax(0)).mean(), "reduction"),
        "sum": (lambda c, h: -(c * h.log_softmax(0)).sum(), "reduction"),
        "softmax, then log": (lambda c, h: -(c / c.sum() * h.softmax(0).log()).sum(), "not-finite"),
        "ε": (lambda c, h: -(c / c.sum() * (h.softmax(0) + 1e-12).log()).sum(), "overflow"),
        "exp, sum, log": (lambda c, h: h.exp().sum().log() - (c * h).sum() / c.sum(), "not-finite"),
        "bits": (lambda c, h: -(c / c.sum() * h.softmax(0).log2()).sum(), "log-mean"),
        "logits": (lambda c, h: -(c * h).sum() / c.sum(), "direction"),
        "not weighed": (lambda c, h: -h.log_softmax(0).mean(), "one-to-one"),
        "entropy of the model": (lambda c, h: Categorical(logits=h).entropy(), "dependence"),
        "entropy of the counts": (lambda c, h: Categorical(probs=c).entropy(), "constant"),
        "the KL": (lambda c, h: nll(c, h) - Categorical(probs=c).entropy(), "constant"),
        "sign": (lambda c, h: -nll(c, h), "sign"),
        "for each state": (lambda c, h: -(c * h.log_softmax(0)) / c.sum(), "shape"),
        "smoothed": (smoothed, ""),
        "softmax of the counts": (lambda c, h: -(c.softmax(0) * h.log_softmax(0)).sum(), ""),
        "in place": (lambda c, h: -(c.div_(c.sum()) * h.log_softmax(0)).sum(), "mutation"),
        "perplexity": (lambda c, h: nll(c, h).exp(), "log-mean"),
    },
    "taxonomy.lda_logit": {
        "no prior": (lambda x, m, c, p: lda(x, m, c, p, odds=False), "constant"),
        "+ ln π": (lambda x, m, c, p: lda(x, m, c, p, odds=False) + math.log(p), "constant"),
        "+ π": (lambda x, m, c, p: lda(x, m, c, p, odds=False) + p, "constant"),
        "prior of class 0": (lambda x, m, c, p: lda(x, m, c, 1 - p), "direction"),
        "no ½": (lambda x, m, c, p: lda(x, m, c, p, half=1.0), "one-to-one"),
        "b of the wrong sign": (lambda x, m, c, p: lda(x, m, c, p, half=-0.5), "one-to-one"),
        "w alone": (lambda x, m, c, p: lda(x, m, c, p, half=0.0), "dependence"),
        "classes exchanged": (lambda x, m, c, p: lda(x, m.flip(0), c, p), "sign"),
        "both exchanged": (lambda x, m, c, p: lda(x, m.flip(0), c, 1 - p), "sign"),
        "Σ": (lambda x, m, c, p: (x - m.mean(0)) @ c @ (m[1] - m[0]) + math.log(p / (1 - p)), "spread"),
        "variances": (lambda x, m, c, p: lda(x, m, c.diagonal().diag(), p), "reduction"),
        "no Σ": (lambda x, m, c, p: lda(x, m, torch.eye(len(c)), p), "reduction"),
        "probability": (lambda x, m, c, p: lda(x, m, c, p).sigmoid(), "log-mean"),
        "ln p(y=1|x)": (lambda x, m, c, p: logsigmoid(lda(x, m, c, p)), "log-mean"),
        "from the first mean": (
            lambda x, m, c, p: (x - m[0]) @ c.inverse() @ (m[1] - m[0]) + math.log(p / (1 - p)),
            "dependence",
        ),
        "from probabilities": (posterior_then_logit, "not-finite"),
        "log-density of class 1": (lambda x, m, c, p: MultivariateNormal(m[1], c).log_prob(x), ""),
        "one number": (lambda x, m, c, p: lda(x, m, c, p).mean(), "shape"),
        "a column": (lambda x, m, c, p: lda(x, m, c, p)[:, None], "shape"),
        "in place": (lambda x, m, c, p: lda(x.sub_(m[0]) + m[0], m, c, p), "mutation"),
    },
    "taxonomy.complete_log_prob": {
        "marginals": (marginals, "dependence"),
        "the likeliest class": (guessed_class, "one-to-one"),
        "mean of logs": (mean_of_logs, "log-mean"),
        "peeked": (peeked, "direction"),
        "ln p(x)": (lambda p, h, x, seen: complete(p, h, x, seen & False), "constant"),
        "mask inverted": (lambda p, h, x, seen: complete(p, h, x, ~seen), "spread"),
        "ln p(observed)": (
            lambda p, h, x, seen: complete(p, h[:, seen], x[:, seen], seen[seen] & False),
            "spread",
        ),
        "the prior alone": (
            lambda p, h, x, seen: complete(p, h[:, ~seen], x[:, ~seen], seen[~seen]),
            "reduction",
        ),
        "even classes": (lambda p, h, x, seen: complete(p * 0, h, x, seen), "randomness"),
        "the probability": (lambda *a: complete(*a).exp(), "log-mean"),
        "bits": (lambda *a: complete(*a) / math.log(2), "log-mean"),
        "sign": (lambda *a: -complete(*a), "sign"),
        "paper for ink": (lambda p, h, x, seen: complete(p, h, 1 - x, seen), ""),
        "means of pixels": (mean_pixels, ""),
        "products": (by_products, "not-finite"),
        "for each pixel": (lambda p, h, x, seen: Bernoulli(logits=h[0]).log_prob(x), "shape"),
        "one number": (lambda *a: complete(*a).mean(), "shape"),
        "first row for all": (lambda *a: complete(*a)[:1].expand(len(a[2])), "shape"),
        "in place": (lambda p, h, x, seen: complete(p.sub_(p.logsumexp(0)).add_(1), h, x, seen), "mutation"),
    },
    "taxonomy.overtaking": {
        "at once": (20, "spread"),
        "0": (0, "spread"),
        "40": (40, "spread"),
        "the crossing": (90, "one-to-one"),
        "80": (80, "one-to-one"),
        "640": (640, "dependence"),
        "all": (1257, "dependence"),
        "never": (math.inf, "not-finite"),
        "NaN": (math.nan, "not-finite"),
        "in words": ("never", "container"),
        "a list": ([160, 640], "container"),
        "yes": (True, "container"),
        "other": (5000, ""),
    },
}
