"""Answers to the exercises of lesson 01.2, right and wrong."""

import math

import numpy as np
import torch
from torch.distributions import Normal, kl_divergence

from gmcourse.protocols import Bounded, Density, Sampler, Unnormalised


def fit(samples):
    mean = samples.mean(0)
    return mean, ((samples - mean) ** 2).mean(0).sqrt().log()


def fit_by_loop(samples):
    means, log_stds = [], []
    for column in samples.T:
        mean = sum(column.tolist()) / len(column)
        means.append(mean)
        log_stds.append(0.5 * math.log(sum((v - mean) ** 2 for v in column.tolist()) / len(column)))
    return means, log_stds


def fit_by_descent(samples):
    x = samples.double()
    place = torch.stack([x[0], torch.zeros_like(x[0])]).requires_grad_()
    search = torch.optim.LBFGS([place], max_iter=200, tolerance_grad=1e-10, line_search_fn="strong_wolfe")

    def closure():
        search.zero_grad()
        loss = -Normal(place[0], place[1].exp()).log_prob(x).mean(0).sum()
        loss.backward()
        return loss

    search.step(closure)
    return place[0].detach(), place[1].detach()


def fit_in_numpy(samples):
    x = samples.numpy()
    return x.mean(axis=0), np.log(x.std(axis=0))


def fit_written_over(samples):
    mean = samples.mean(0)
    samples -= mean
    return mean, 0.5 * (samples**2).mean(0).log()


def largest_hill(samples):
    near = samples[(samples - samples.median(0).values).norm(dim=1) < samples.std(0).norm()]
    return fit(near)


def by_precision(samples):
    return samples.mean(0), -0.5 * samples.T.cov().inverse().diagonal().log()


def reverse(log_q, log_p, dx):
    return (torch.exp(log_q) * (log_q - log_p)).sum() * dx


def reverse_by_loop(log_q, log_p, dx):
    total = 0.0
    for a, b in zip(log_q.tolist(), log_p.tolist()):
        total += math.exp(a) * (a - b) * dx
    return total


def reverse_with_softmax(log_q, log_p, dx):
    return log_q.softmax(0) @ (log_q - log_p)


def jensen_shannon(log_q, log_p, dx):
    log_m = torch.logaddexp(log_q, log_p) - math.log(2)
    return (reverse(log_q, log_m, dx) + reverse(log_p, log_m, dx)) / 2


def with_epsilon(log_q, log_p, dx):
    q, p = log_q.exp(), log_p.exp()
    return (q * ((q + 1e-12).log() - (p + 1e-12).log())).sum() * dx


def reverse_where_p_is_seen(log_q, log_p, dx):
    seen = log_p.exp() > 0
    return reverse(log_q[seen], log_p[seen], dx)


def reverse_written_over(log_q, log_p, dx):
    log_q -= log_p
    return ((log_q + log_p).exp() * log_q).sum() * dx


METHODS = {"exact": "log_prob", "bound": "elbo", "unnormalised": "energy", "implicit": "sample"}


def classify(model, x, order=tuple(METHODS)):
    for word in order:
        method = getattr(model, METHODS[word], None)
        try:
            if method is not None:
                method(3 if word == "implicit" else x)
                return word
        except NotImplementedError:
            continue
    return "none"


def classify_backwards(model, x):
    answer = "none"
    for word, name in reversed(METHODS.items()):
        if hasattr(model, name):
            answer = asked(getattr(model, name), len(x) if name == "sample" else x, word, answer)
    return answer


def asked(method, x, word, other):
    try:
        method(x)
    except NotImplementedError:
        return other
    return word


def classify_by_table(model, x):
    def works(name, *given):
        try:
            return getattr(model, name)(*given) is not None
        except (NotImplementedError, AttributeError):
            return False

    table = {"exact": ("log_prob", x), "bound": ("elbo", x), "unnormalised": ("energy", x), "implicit": ("sample", 2)}
    return next((word for word, (name, given) in table.items() if works(name, given)), "none")


def classify_by_result(model, x):
    with torch.no_grad():
        for name, word in (("log_prob", "exact"), ("elbo", "bound"), ("energy", "unnormalised")):
            if hasattr(model, name):
                try:
                    if getattr(model, name)(x).shape == (len(x),):
                        return word
                except NotImplementedError:
                    continue
        try:
            return "implicit" if len(model.sample(7)) == 7 else "none"
        except (AttributeError, NotImplementedError):
            return "none"


def by_protocol(model, x):
    kinds = ((Density, "exact"), (Bounded, "bound"), (Unnormalised, "unnormalised"), (Sampler, "implicit"))
    return next((word for kind, word in kinds if isinstance(model, kind)), "none")


def by_attribute(model, x):
    if hasattr(model, "log_prob"):
        return "exact"
    if hasattr(model, "elbo"):
        return "bound"
    if hasattr(model, "energy"):
        return "unnormalised"
    return "implicit" if hasattr(model, "sample") else "none"


def no_attribute(model, x):
    """Takes for granted that every model has every method."""
    for word, name in METHODS.items():
        try:
            getattr(model, name)(1 if word == "implicit" else x)
            return word
        except NotImplementedError:
            continue
    return "none"


def by_own_class(model, x):
    return classify(model, x, [word for word, name in METHODS.items() if name in vars(type(model))])


def by_sign(model, x):
    """Takes a log-density above 0 for an error."""
    word = classify(model, x)
    return "unnormalised" if word == "exact" and (model.log_prob(x) > 0).any() else word


def classify_by_keyword(model, x):
    for word, name in METHODS.items():
        try:
            getattr(model, name)(**({"n": 1} if name == "sample" else {"x": x}))
        except (AttributeError, NotImplementedError):
            continue
        return word
    return "none"


def sample_of_x(model, x):
    for word, name in METHODS.items():
        try:
            getattr(model, name)(x)
            return word
        except Exception:
            continue
    return "none"


def frechet(mean, std, mean2, std2):
    return (mean - mean2).square() + (std - std2).square()


def frechet_by_loop(mean, std, mean2, std2):
    rows = zip(mean.tolist(), std.tolist(), mean2.tolist(), std2.tolist())
    return [(m - m2) ** 2 + (s - s2) ** 2 for m, s, m2, s2 in rows]


def frechet_of_covariances(mean, std, mean2, std2):
    var, var2 = std**2, std2**2
    return (mean - mean2) ** 2 + var + var2 - 2 * (var.sqrt() * var2 * var.sqrt()).sqrt()


def frechet_by_quantiles(mean, std, mean2, std2):
    z = torch.linspace(-8, 8, 4_001, dtype=torch.float64)
    gap = (mean[:, None] + std[:, None] * z) - (mean2[:, None] + std2[:, None] * z)
    return (gap**2) @ (-(z**2) / 2).softmax(0)


RIGHT = {
    "taxonomy.forward_kl_fit": {
        "mean of squares": fit,
        "loop": fit_by_loop,
        "descent": fit_by_descent,
        "numpy": fit_in_numpy,
        "n − 1": lambda x: (x.mean(0), x.std(0).log()),
        "stacked": lambda x: torch.stack(fit(x)),
        "list": lambda x: list(fit(x)),
        "var_mean": lambda x: torch.var_mean(x, 0)[::-1][:1] + (torch.var_mean(x, 0)[0].log() / 2,),
        "E x² − (E x)²": lambda x: (x.mean(0), 0.5 * ((x.double() ** 2).mean(0) - x.double().mean(0) ** 2).log()),
    },
    "taxonomy.reverse_kl": {
        "sum": reverse,
        "loop": reverse_by_loop,
        "softmax": reverse_with_softmax,
        "trapezoid": lambda log_q, log_p, dx: torch.trapezoid(log_q.exp() * (log_q - log_p), dx=dx),
        "cross-entropy − entropy": lambda log_q, log_p, dx: (
            dx * ((log_q.exp() * log_q).sum() - (log_q.exp() * log_p).sum())
        ),
        "kl_div": lambda log_q, log_p, dx: (
            torch.nn.functional.kl_div(log_p, log_q, reduction="sum", log_target=True) * dx
        ),
        "numpy": lambda log_q, log_p, dx: np.sum(np.exp(log_q.numpy()) * (log_q.numpy() - log_p.numpy())) * dx,
        "float64": lambda log_q, log_p, dx: reverse(log_q.double(), log_p.double(), dx),
    },
    "taxonomy.classify_record": {
        "loop": classify,
        "backwards": classify_backwards,
        "table": classify_by_table,
        "shape of the result": classify_by_result,
        "one row of x": lambda model, x: classify(model, x[:1]),
        "by keyword": classify_by_keyword,
        "upper case": lambda model, x: classify(model, x).capitalize(),
        "American": lambda model, x: classify(model, x).replace("unnormalised", "unnormalized"),
    },
    "taxonomy.frechet_1d": {
        "squares": frechet,
        "loop": frechet_by_loop,
        "covariances": frechet_of_covariances,
        "expanded": lambda m, s, m2, s2: (m - m2) ** 2 + s**2 + s2**2 - 2 * s * s2,
        "quantiles": frechet_by_quantiles,
        "modulus": lambda m, s, m2, s2: torch.complex(m - m2, s - s2).abs() ** 2,
        "norm": lambda m, s, m2, s2: torch.stack([m - m2, s - s2]).norm(dim=0) ** 2,
        "numpy": lambda *a: np.square(a[0].numpy() - a[2].numpy()) + np.square(a[1].numpy() - a[3].numpy()),
    },
    "taxonomy.lost_hill": {
        "set": {"reverse", "js"},
        "list": ["js", "reverse"],
        "tuple": ("Reverse", "JS"),
        "frozenset": frozenset({"reverse", "js"}),
        "string": "reverse, js",
        "in words": "Reverse KL and Jensen–Shannon",
        "both": "both reverse and js",
        "twice": ["reverse", "js", "js"],
        "array": np.array(["js", "reverse"]),
    },
}
WRONG = {
    "taxonomy.forward_kl_fit": {
        "variance": (lambda x: (x.mean(0), x.var(0, correction=0).log()), "spread"),
        "no logarithm": (lambda x: (x.mean(0), x.std(0)), "constant"),
        "variance itself": (lambda x: (x.mean(0), x.var(0)), "constant"),
        "of the mean": (lambda x: (x.mean(0), (x.std(0) / len(x) ** 0.5).log()), "reduction"),
        "not divided by n": (lambda x: (x.mean(0), 0.5 * ((x - x.mean(0)) ** 2).sum(0).log()), "reduction"),
        "precision": (by_precision, "direction"),
        "median": (lambda x: (x.quantile(0.5, dim=0), fit(x)[1]), "one-to-one"),
        "centred at 0": (lambda x: (0 * x[0], 0.5 * (x**2).mean(0).log()), "constant"),
        "second moment": (lambda x: (x.mean(0), 0.5 * (x**2).mean(0).log()), "dependence"),
        "one σ": (lambda x: (x.mean(0), x.std().log().expand(x.shape[1])), "dependence"),
        "one mean": (lambda x: (x.mean().expand(x.shape[1]), fit(x)[1]), "dependence"),
        "the largest hill": (largest_hill, ""),
        "covariance": (lambda x: (x.mean(0), x.T.cov()), "shape"),
        "over the coordinates": (lambda x: (x.mean(1), x.std(1).log()), "shape"),
        "sign": (lambda x: (x.mean(0), -x.std(0).log()), "sign"),
        "order": (lambda x: fit(x)[::-1], "spread"),
        "one tensor": (lambda x: x.mean(0), "container"),
        "a distribution": (lambda x: Normal(x.mean(0), x.std(0)), "container"),
        "in place": (fit_written_over, "mutation"),
        "mean distance": (lambda x: (x.mean(0), (x - x.mean(0)).abs().mean(0).log()), "log-mean"),
    },
    "taxonomy.reverse_kl": {
        "forward": (lambda q, p, dx: reverse(p, q, dx), "direction"),
        "weighed by p": (lambda q, p, dx: (p.exp() * (q - p)).sum() * dx, "direction"),
        "no entropy": (lambda q, p, dx: -(q.exp() * p).sum() * dx, "constant"),
        "the entropy alone": (lambda q, p, dx: (q.exp() * q).sum() * dx, "constant"),
        "no dx": (lambda q, p, dx: (q.exp() * (q - p)).sum(), "reduction"),
        "mean": (lambda q, p, dx: (q.exp() * (q - p)).mean(), "reduction"),
        "no weight": (lambda q, p, dx: (q - p).sum() * dx, "one-to-one"),
        "no density": (lambda q, p, dx: (q * (q - p)).sum() * dx, ""),
        "sign": (lambda q, p, dx: (q.exp() * (p - q)).sum() * dx, "sign"),
        "bits": (lambda q, p, dx: reverse(q, p, dx) / math.log(2), "log-mean"),
        "JS": (jensen_shannon, "dependence"),
        "both": (lambda q, p, dx: reverse(q, p, dx) + reverse(p, q, dx), "dependence"),
        "absolute": (lambda q, p, dx: (q.exp() * (q - p).abs()).sum() * dx, "one-to-one"),
        "cells of p = 0 left out": (reverse_where_p_is_seen, "overflow"),
        "0": (lambda q, p, dx: 0 * dx, ""),
        "a ratio": (lambda q, p, dx: (q.exp() * (q.exp() / p.exp()).log()).sum() * dx, "not-finite"),
        "logs of 0": (lambda q, p, dx: (q.exp() * (q.exp().log() - p.exp().log())).sum() * dx, "not-finite"),
        "each cell": (lambda q, p, dx: q.exp() * (q - p) * dx, "shape"),
        "in place": (reverse_written_over, "mutation"),
    },
    "taxonomy.classify_record": {
        "isinstance": (by_protocol, "dependence"),
        "hasattr": (by_attribute, "dependence"),
        "methods of its own class": (by_own_class, "one-to-one"),
        "a log-density above 0": (by_sign, ""),
        "sample first": (
            lambda model, x: classify(model, x, ("implicit", "exact", "bound", "unnormalised")),
            "direction",
        ),
        "bound first": (
            lambda model, x: classify(model, x, ("bound", "exact", "unnormalised", "implicit")),
            "direction",
        ),
        "energy before the bound": (
            lambda model, x: classify(model, x, ("exact", "unnormalised", "bound", "implicit")),
            "direction",
        ),
        "no sample": (lambda model, x: classify(model, x, ("exact", "bound", "unnormalised")), "one-to-one"),
        "no energy": (lambda model, x: classify(model, x, ("exact", "bound", "implicit")), "one-to-one"),
        "x for n": (sample_of_x, "one-to-one"),
        "explicit": (lambda model, x: "explicit", "constant"),
        "the method": (lambda model, x: METHODS.get(classify(model, x), "none"), "constant"),
        "a truth value": (lambda model, x: hasattr(model, "log_prob"), "container"),
        "None": (lambda model, x: None, "container"),
        "always exact": (lambda model, x: "exact", ""),
        "every method taken for granted": (no_attribute, None),
    },
    "taxonomy.frechet_1d": {
        "variances": (lambda m, s, m2, s2: (m - m2) ** 2 + (s**2 - s2**2) ** 2, "spread"),
        "no square of σ − σ′": (lambda m, s, m2, s2: (m - m2) ** 2 + (s - s2).abs(), "one-to-one"),
        "σ for the variance": (lambda m, s, m2, s2: (m - m2) ** 2 + s + s2 - 2 * (s * s2).sqrt(), "spread"),
        "root": (lambda *a: frechet(*a).sqrt(), "log-mean"),
        "at random": (lambda m, s, m2, s2: (m - m2) ** 2 + s**2 + s2**2, "dependence"),
        "2 forgotten": (lambda m, s, m2, s2: (m - m2) ** 2 + s**2 + s2**2 - s * s2, ""),
        "absolute": (lambda m, s, m2, s2: (m - m2).abs() + (s - s2).abs(), "one-to-one"),
        "square of the sum": (lambda m, s, m2, s2: (m - m2 + s - s2) ** 2, "one-to-one"),
        "means": (lambda m, s, m2, s2: (m - m2) ** 2, "constant"),
        "spreads": (lambda m, s, m2, s2: (s - s2) ** 2, "constant"),
        "KL": (lambda m, s, m2, s2: kl_divergence(Normal(m, s), Normal(m2, s2)), "direction"),
        "KL, the other": (lambda m, s, m2, s2: kl_divergence(Normal(m2, s2), Normal(m, s)), "direction"),
        "half": (lambda *a: frechet(*a) / 2, "reduction"),
        "distance of the means": (lambda m, s, m2, s2: (m - m2).abs(), "one-to-one"),
        "z reversed": (lambda m, s, m2, s2: (m - m2) ** 2 + (s + s2) ** 2, "sign"),
        "sum of the batch": (lambda *a: frechet(*a).sum(), "shape"),
        "complex": (lambda m, s, m2, s2: torch.complex(m - m2, s - s2).abs() ** 2 + 0j, "complex"),
        "means not squared": (lambda m, s, m2, s2: m - m2 + (s - s2) ** 2, "one-to-one"),
        "mean of the batch for all": (lambda *a: frechet(*a).mean().expand_as(a[0]), "shape"),
        "all pairs": (lambda m, s, m2, s2: frechet(m[:, None], s[:, None], m2, s2), "shape"),
    },
    "taxonomy.lost_hill": {
        "reverse alone": ("reverse", "spread"),
        "in a set": ({"Reverse"}, "spread"),
        "js alone": ("js", "dependence"),
        "none": (set(), "constant"),
        "none, in words": ("none", "constant"),
        "all": ({"forward", "reverse", "js"}, "direction"),
        "forward": ("forward", "direction"),
        "forward and js": (["forward", "js"], "direction"),
        "other names": ({"rkl", "js"}, "container"),
        "a number": (2, "container"),
        "numbers": ([1, 2], "container"),
        "None": (None, "container"),
    },
}
