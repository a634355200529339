"""Answers to the exercises of lesson 03.4, right and wrong."""

import numpy as np
import torch
from torch.distributions import MultivariateNormal


def pairs_by_loop(normal, anomalous):
    wins = 0.0
    for a in anomalous:
        for s in normal:
            wins += 1.0 if a > s else 0.5 if a == s else 0.0
    return wins / (len(normal) * len(anomalous))


def by_ranks(normal, anomalous):
    from scipy.stats import rankdata

    ranks = rankdata(torch.cat([normal, anomalous]).numpy())[len(normal) :]
    m, n = len(anomalous), len(normal)
    return (ranks.sum() - m * (m + 1) / 2) / (m * n)


def by_sklearn(normal, anomalous):
    from sklearn.metrics import roc_auc_score

    labels = np.r_[np.zeros(len(normal)), np.ones(len(anomalous))]
    return roc_auc_score(labels, torch.cat([normal, anomalous]).numpy())


def by_signs(normal, anomalous):
    return ((anomalous[None] - normal[:, None]).sign() + 1).mean() / 2


def by_thresholds(normal, anomalous):
    """The area under true against false alarms, by trapezoids."""
    levels = torch.cat([normal, anomalous]).unique().flip(0)
    false = torch.stack([(normal >= level).double().mean() for level in levels])
    true = torch.stack([(anomalous >= level).double().mean() for level in levels])
    return torch.trapezoid(torch.cat([torch.zeros(1), true]), torch.cat([torch.zeros(1), false]))


def without_ties(normal, anomalous):
    """Ranks by argsort: ties as they come."""
    both = torch.cat([normal, anomalous])
    ranks = both.argsort(stable=True).argsort()[len(normal) :].double()
    m = len(anomalous)
    return (ranks.sum() - m * (m - 1) / 2) / (m * len(normal))


def accuracy(normal, anomalous):
    middle = torch.cat([normal, anomalous]).median()
    return torch.cat([normal <= middle, anomalous > middle]).double().mean()


def of_library(codes, n, rng):
    normal = MultivariateNormal(codes.mean(0), codes.T.cov())
    return normal.mean + torch.randn(n, codes.shape[1], generator=rng) @ normal.scale_tril.T


def by_eigenvectors(codes, n, rng):
    values, vectors = torch.linalg.eigh(torch.cov(codes.T, correction=0))
    return codes.mean(0) + (torch.randn(n, len(values), generator=rng) * values.sqrt()) @ vectors.T


def by_mixing(codes, n, rng):
    """Centred codes, mixed with normal weights."""
    weights = torch.randn(n, len(codes), generator=rng) / len(codes) ** 0.5
    return codes.mean(0) + weights @ (codes - codes.mean(0))


def in_numpy(codes, n, rng):
    seed = int(torch.randint(2**31, (1,), generator=rng))
    return np.random.default_rng(seed).multivariate_normal(codes.double().mean(0), np.cov(codes.T.double()), n)


def row_by_row(codes, n, rng):
    root = torch.linalg.cholesky(torch.cov(codes.T))
    return [codes.mean(0) + root @ torch.randn(codes.shape[1], generator=rng) for _ in range(n)]


def filled_by_products(reconstruct, x, known, passes):
    for _ in range(passes):
        x = known * x + ~known * reconstruct(x)
    return x


def filled_in_a_copy(reconstruct, x, known, passes):
    y = x.clone()
    for _ in range(passes):
        y[:, ~known] = reconstruct(y)[:, ~known]
    return y


def filled_by_recursion(reconstruct, x, known, passes):
    return (
        x if not passes else filled_by_recursion(reconstruct, torch.where(known, x, reconstruct(x)), known, passes - 1)
    )


def filled_row_by_row(reconstruct, x, known, passes):
    return torch.cat([filled_by_products(reconstruct, row[None], known, passes) for row in x])


def written_into(reconstruct, x, known, passes):
    for _ in range(passes):
        x[:, ~known] = reconstruct(x)[:, ~known]
    return x


def put_in_at_the_end(reconstruct, x, known, passes):
    y = x
    for _ in range(passes):
        y = reconstruct(y)
    return torch.where(known, x, y)


RIGHT = {
    "autoencoders.auroc": {
        "a loop": pairs_by_loop,
        "ranks": by_ranks,
        "scikit-learn": by_sklearn,
        "signs": by_signs,
        "thresholds": by_thresholds,
    },
    "autoencoders.fit_codes_and_sample": {
        "torch's own": of_library,
        "eigenvectors": by_eigenvectors,
        "mixed codes": by_mixing,
        "NumPy": in_numpy,
        "row by row": row_by_row,
    },
    "autoencoders.fill_block": {
        "products": filled_by_products,
        "a copy": filled_in_a_copy,
        "recursion": filled_by_recursion,
        "row by row": filled_row_by_row,
    },
    "autoencoders.recall_then_precision": {
        "a tuple": (-1, 1),
        "a list": [-1, 1],
        "a tensor": torch.tensor([-1, 1]),
        "NumPy": np.array([-1.0, 1.0]),
    },
}
WRONG = {
    "autoencoders.auroc": {
        "accuracy": (accuracy, "reduction"),
        "above all normal ones": (lambda s, a: (a > s.max()).float().mean(), "reduction"),
        "swapped": (lambda s, a: pairs_by_loop(a, s), "sign"),
        "ties lost": (lambda s, a: (a[:, None] > s).float().mean(), "constant"),
        "ties won": (lambda s, a: (a[:, None] >= s).float().mean(), "constant"),
        "ties as they come": (without_ties, "constant"),
        "counted": (lambda s, a: pairs_by_loop(s, a) * len(s) * len(a), "spread"),
        "Gini": (lambda s, a: 2 * pairs_by_loop(s, a) - 1, "direction"),
        "one at a time": (lambda s, a: (a[: min(len(a), len(s))] > s[: min(len(a), len(s))]).float().mean(), ""),
        "of each anomaly": (lambda s, a: (a[:, None] > s).float().mean(1), "shape"),
        "a text": (lambda s, a: "good", "container"),
    },
    "autoencoders.fit_codes_and_sample": {
        "axes": (lambda z, n, rng: z.mean(0) + z.std(0) * torch.randn(n, z.shape[1], generator=rng), "dependence"),
        "N(0, I)": (lambda z, n, rng: torch.randn(n, z.shape[1], generator=rng), "constant"),
        "covariance": (lambda z, n, rng: z.mean(0) + torch.randn(n, z.shape[1], generator=rng) @ z.T.cov(), "spread"),
        "root turned": (
            lambda z, n, rng: z.mean(0) + torch.randn(n, z.shape[1], generator=rng) @ torch.linalg.cholesky(z.T.cov()),
            "direction",
        ),
        "no mean": (lambda z, n, rng: of_library(z, n, rng) - z.mean(0), "constant"),
        "one spread": (
            lambda z, n, rng: z.mean(0) + z.var(0).mean().sqrt() * torch.randn(n, z.shape[1], generator=rng),
            "reduction",
        ),
        "codes again": (lambda z, n, rng: z[torch.randint(len(z), (n,), generator=rng)], "one-to-one"),
        "own seed": (lambda z, n, rng: of_library(z, n, torch.Generator().manual_seed(0)), "randomness"),
        "global": (lambda z, n, rng: MultivariateNormal(z.mean(0), z.T.cov()).sample((n,)), "randomness"),
        "as many as codes": (lambda z, n, rng: of_library(z, len(z), rng), "shape"),
        "columns": (lambda z, n, rng: of_library(z, n, rng).T, "shape"),
        "uniform in the box": (
            lambda z, n, rng: z.amin(0) + (z.amax(0) - z.amin(0)) * torch.rand(n, z.shape[1], generator=rng),
            "",
        ),
    },
    "autoencoders.fill_block": {
        "all drawn back": (lambda f, x, known, n: filled_by_products(f, x, known & ~known, n), "constant"),
        "mask inverted": (lambda f, x, known, n: filled_by_products(f, x, ~known, n), "sign"),
        "one pass": (lambda f, x, known, n: torch.where(known, x, f(x)), "reduction"),
        "one more": (lambda f, x, known, n: filled_by_products(f, x, known, n + 1), "reduction"),
        "at the end": (put_in_at_the_end, "dependence"),
        "from blank": (lambda f, x, known, n: filled_by_products(f, x * known, known, n), "dependence"),
        "written into": (written_into, "mutation"),
        "the block alone": (lambda f, x, known, n: filled_by_products(f, x, known, n)[:, ~known], "shape"),
        "one row": (lambda f, x, known, n: filled_by_products(f, x[:1], known, n).expand_as(x), ""),
    },
    "autoencoders.recall_then_precision": {
        "precision first": ((1, -1), "direction"),
        "both better": ((1, 1), "spread"),
        "both worse": ((-1, -1), "sign"),
        "in words": (("falls", "rises"), "container"),
        "the values": ((0.2, 0.93), "container"),
        "one number": (-1, "shape"),
    },
}
