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


def by_bisection(normal, anomalous):
    ordered = normal.sort().values
    left, right = (torch.searchsorted(ordered, anomalous, right=side).double() for side in (False, True))
    return (left + right).mean() / 2 / len(normal)


def best_accuracy(normal, anomalous):
    both = torch.cat([normal, anomalous])
    return max(torch.cat([normal < level, anomalous >= level]).double().mean() for level in both)


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
    return np.random.default_rng(seed).multivariate_normal(codes.mean(0).numpy(), np.cov(codes.T.numpy()), n)


def number_by_number(codes, n, rng):
    """Each number of a code given those before it."""
    mean, S = codes.mean(0), codes.T.cov()
    out = torch.zeros(n, len(mean))
    for j in range(len(mean)):
        slopes = torch.linalg.solve(S[:j, :j], S[:j, j])
        spread = (S[j, j] - S[j, :j] @ slopes).sqrt()
        out[:, j] = mean[j] + (out[:, :j] - mean[:j]) @ slopes + spread * torch.randn(n, generator=rng)
    return out


def by_seed(codes, n, rng):
    """torch's own sampler, its seed drawn from rng."""
    with torch.random.fork_rng():
        torch.manual_seed(int(torch.randint(2**31, (1,), generator=rng)))
        return MultivariateNormal(codes.mean(0), codes.T.cov()).sample((n,))


def by_first_seed(codes, n, rng):
    return of_library(codes, n, torch.Generator().manual_seed(rng.initial_seed()))


def uniform(codes, n, rng):
    """The right mean and covariance, of uniform noise."""
    noise = (torch.rand(n, codes.shape[1], generator=rng) - 0.5) * 12**0.5
    return codes.mean(0) + noise @ torch.linalg.cholesky(codes.T.cov()).T


def bootstrap(codes, n, rng):
    """Codes drawn again, shrunk, with as much noise as keeps the covariance."""
    chosen = codes[torch.randint(len(codes), (n,), generator=rng)]
    return codes.mean(0) + 0.75**0.5 * (chosen - codes.mean(0)) + 0.5 * (of_library(codes, n, rng) - codes.mean(0))


def near_codes(codes, n, rng):
    return codes[torch.randint(len(codes), (n,), generator=rng)] + 0.3 * torch.randn(n, codes.shape[1], generator=rng)


def along_axes(turned):
    def answer(codes, n, rng):
        values, vectors = torch.linalg.eigh(codes.T.cov())
        noise = torch.randn(n, len(values), generator=rng) * values.sqrt()
        return codes.mean(0) + (noise @ vectors if turned else noise)

    return answer


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


def filled_by_vmap(reconstruct, x, known, passes):
    def one(row):
        for _ in range(passes):
            row = torch.where(known, row, reconstruct(row[None])[0])
        return row

    return torch.vmap(one)(x)


def filled_in_numpy(reconstruct, x, known, passes):
    y = x.numpy().copy()
    for _ in range(passes):
        y[:, ~known.numpy()] = reconstruct(torch.from_numpy(y)).numpy()[:, ~known.numpy()]
    return y


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
        "bisection": by_bisection,
        "heaviside": lambda s, a: torch.heaviside(a[:, None] - s, torch.tensor(0.5)).mean(),
        "thresholds": by_thresholds,
    },
    "autoencoders.fit_codes_and_sample": {
        "torch's own": of_library,
        "eigenvectors": by_eigenvectors,
        "mixed codes": by_mixing,
        "NumPy": in_numpy,
        "row by row": row_by_row,
        "number by number": number_by_number,
        "a seed": by_seed,
    },
    "autoencoders.fill_block": {
        "products": filled_by_products,
        "a copy": filled_in_a_copy,
        "recursion": filled_by_recursion,
        "row by row": filled_row_by_row,
        "vmap": filled_by_vmap,
        "NumPy": filled_in_numpy,
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
        "best threshold": (best_accuracy, "reduction"),
        "above the mean": (lambda s, a: (a > s.mean()).float().mean(), "reduction"),
        "ties left out": (lambda s, a: (a[:, None] > s).sum() / (a[:, None] != s).sum(), "constant"),
        "over n": (lambda s, a: pairs_by_loop(s, a) * len(a), "spread"),
        "per cent": (lambda s, a: 100 * pairs_by_loop(s, a), "spread"),
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
        "uniform": (uniform, "log-mean"),
        "bootstrap": (bootstrap, "log-mean"),
        "near the codes": (near_codes, ""),
        "the first seed": (by_first_seed, "randomness"),
        "axes of the covariance": (along_axes(False), "dependence"),
        "turned the other way": (along_axes(True), "direction"),
        "second moments": (
            lambda z, n, rng: z.mean(0) + torch.randn(n, 3, generator=rng) @ torch.linalg.cholesky(z.T @ z / len(z)).T,
            "constant",
        ),
        "correlations": (
            lambda z, n, rng: z.mean(0) + torch.randn(n, 3, generator=rng) @ torch.linalg.cholesky(z.T.corrcoef()).T,
            "spread",
        ),
        "rand": (
            lambda z, n, rng: z.mean(0) + torch.rand(n, 3, generator=rng) @ torch.linalg.cholesky(z.T.cov()).T,
            "spread",
        ),
        "one draw": (lambda z, n, rng: of_library(z, 1, rng).expand(n, 3), "shape"),
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
        "from x each time": (lambda f, x, known, n: torch.where(known, x, f(x)) if n else x, "reduction"),
        "at least one": (lambda f, x, known, n: filled_by_products(f, x, known, max(n, 1)), "reduction"),
        "drawn back at the end": (lambda f, x, known, n: f(filled_by_products(f, x, known, n)), "constant"),
        "known blanked": (lambda f, x, known, n: ~known * filled_by_products(f, x, known, n), "constant"),
        "from the mean": (
            lambda f, x, known, n: filled_by_products(f, torch.where(known, x, x.mean(0)), known, n),
            "dependence",
        ),
        "from NaN": (
            lambda f, x, known, n: filled_by_products(f, torch.where(known, x, torch.nan), known, n),
            "not-finite",
        ),
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
        "true or false": ((False, True), "container"),
        "nothing changes": ((0, 0), "container"),
    },
}
