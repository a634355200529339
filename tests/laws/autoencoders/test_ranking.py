"""Every law of the uses passes the package's own function and catches each planted bug."""

import torch

from gmcourse.autoencoders.codes import fill_block, fit_codes_and_sample
from gmcourse.laws.autoencoders import ranking
from gmcourse.metrics.ranking import auroc


def by_pairs(normal, anomalous):
    return (anomalous[:, None] > normal).double().mean() + (anomalous[:, None] == normal).double().mean() / 2


def by_ranks(normal, anomalous):
    scores = torch.cat([normal, anomalous])
    ranks = (scores[:, None] > scores).double().sum(1) + ((scores[:, None] == scores).double().sum(1) + 1) / 2
    n, m = len(normal), len(anomalous)
    return (ranks[n:].sum() - m * (m + 1) / 2) / (n * m)


def accuracy(normal, anomalous):
    middle = torch.cat([normal, anomalous]).median()
    return ((anomalous > middle).sum() + (normal <= middle).sum()) / (len(normal) + len(anomalous))


def by_cholesky(codes, n, rng):
    root = torch.linalg.cholesky(codes.T.cov())
    return codes.mean(0) + torch.randn(n, codes.shape[1], generator=rng) @ root.T


def noise(codes, n, rng):
    return torch.randn(n, codes.shape[1], generator=rng)


def drawn(codes, n, rng, root):
    return codes.mean(0) + noise(codes, n, rng) @ root


def filled(reconstruct, x, known, passes):
    for _ in range(passes):
        x = known * x + ~known * reconstruct(x)
    return x


def in_place(reconstruct, x, known, passes):
    for _ in range(passes):
        x[:, ~known] = reconstruct(x)[:, ~known]
    return x


def put_in_at_the_end(reconstruct, x, known, passes):
    y = x
    for _ in range(passes):
        y = reconstruct(y)
    return torch.where(known, x, y)


RIGHT = {
    ranking.counts_pairs: (auroc, by_pairs, by_ranks),
    ranking.keeps_moments: (fit_codes_and_sample, by_cholesky),
    ranking.fills_by_passes: (fill_block, filled),
}
BUGS = {
    ranking.counts_pairs: {
        "swapped": (lambda s, a: auroc(a, s), "sign"),
        "ties are wins": (lambda s, a: (a[:, None] >= s).double().mean(), "constant"),
        "ties are losses": (lambda s, a: (a[:, None] > s).double().mean(), "constant"),
        "accuracy at the median": (accuracy, "reduction"),
        "above the largest normal score": (lambda s, a: (a > s.max()).double().mean(), "reduction"),
        "not divided": (lambda s, a: auroc(s, a) * len(s) * len(a), "spread"),
        "Gini": (lambda s, a: 2 * auroc(s, a) - 1, "direction"),
        "from ½ up": (lambda s, a: max(auroc(s, a), auroc(a, s)), "sign"),
        "difference of means": (lambda s, a: a.mean() - s.mean(), ""),
        "of a logistic": (lambda s, a: (a[:, None] - s).sigmoid().mean(), ""),
        "row by row": (lambda s, a: (a[: len(s)] > s[: len(a)]).double().mean(), ""),
    },
    ranking.keeps_moments: {
        "axes alone": (lambda z, n, rng: z.mean(0) + z.std(0) * noise(z, n, rng), "dependence"),
        "variance for root": (lambda z, n, rng: drawn(z, n, rng, z.T.cov()), "spread"),
        "variances for deviations": (lambda z, n, rng: z.mean(0) + z.var(0) * noise(z, n, rng), "spread"),
        "root turned": (lambda z, n, rng: drawn(z, n, rng, torch.linalg.cholesky(z.T.cov())), "direction"),
        "standard normal": (noise, "constant"),
        "no spread of its own": (lambda z, n, rng: z.mean(0) + noise(z, n, rng), "spread"),
        "no mean": (lambda z, n, rng: by_cholesky(z, n, rng) - z.mean(0), "constant"),
        "one deviation for all": (
            lambda z, n, rng: z.mean(0) + z.var(0).mean().sqrt() * noise(z, n, rng),
            "reduction",
        ),
        "codes again": (lambda z, n, rng: z[torch.randint(len(z), (n,), generator=rng)], "one-to-one"),
        "randomness of its own": (lambda z, n, rng: by_cholesky(z, n, None), "randomness"),
        "one draw for all": (lambda z, n, rng: by_cholesky(z, 1, rng).expand(n, -1), "shape"),
        "uniform noise": (
            lambda z, n, rng: (
                z.mean(0) + (torch.rand(n, 3, generator=rng) - 0.5) * 12**0.5 @ torch.linalg.cholesky(z.T.cov()).T
            ),
            "log-mean",
        ),
        "codes again, and a little noise": (
            lambda z, n, rng: z[torch.randint(len(z), (n,), generator=rng)] + 0.3 * noise(z, n, rng),
            "",
        ),
        "the same again": (
            lambda z, n, rng: by_cholesky(z, n, torch.Generator().manual_seed(rng.initial_seed())),
            "randomness",
        ),
        "twice as wide": (lambda z, n, rng: 2 * by_cholesky(z, n, rng) - z.mean(0), "spread"),
    },
    ranking.fills_by_passes: {
        "known entries are drawn back, too": (lambda f, x, known, n: filled(f, x, known & False, n), "constant"),
        "the known for the unknown": (lambda f, x, known, n: filled(f, x, ~known, n), "sign"),
        "one pass": (lambda f, x, known, n: filled(f, x, known, min(n, 1)), "reduction"),
        "one pass more": (lambda f, x, known, n: filled(f, x, known, n + 1), "reduction"),
        "from blank": (lambda f, x, known, n: filled(f, x * known, known, n), "dependence"),
        "known entries put in at the end": (put_in_at_the_end, "dependence"),
        "written into x": (in_place, "mutation"),
        "nothing done": (lambda f, x, known, n: x, "reduction"),
        "one row for all": (lambda f, x, known, n: filled(f, x[:1], known, n).expand_as(x), ""),
    },
}
