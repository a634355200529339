"""The law of conditioning passes the package's own function and catches each planted bug."""

import torch

from gmcourse.laws.taxonomy import gaussians
from gmcourse.taxonomy.conditioning import condition


def spoiled(change_mean=None, change_cov=None):
    """The right pair, with the mean or the covariance made of (what is right, mean, cov, known, value)."""

    def answer(mean, cov, known, value):
        found = condition(mean, cov, known, value)
        changed = zip(found, (change_mean, change_cov), strict=True)
        return tuple(change(part, mean, cov, known, value) if change else part for part, change in changed)

    return answer


def regressed(mean, cov, known, value):
    """Each known coordinate for itself."""
    gain = cov[~known][:, known] / cov[known][:, known].diagonal()
    return mean[~known] + gain @ (value - mean[known]), cov[~known][:, ~known] - gain @ cov[known][:, ~known]


def shuffled(mean, cov, known, value):
    """The rest in the other order, where it has more than one."""
    new_mean, new_cov = condition(mean, cov, known, value)
    return new_mean.flip(0), new_cov.flip(0, 1)


RIGHT = {gaussians.conditional_gaussian: (condition, lambda *inputs: list(condition(*inputs)))}
BUGS = {
    gaussians.conditional_gaussian: {
        "nothing learned, of the mean": (spoiled(lambda right, m, c, k, v: m[~k]), "dependence"),
        "nothing learned, of the covariance": (spoiled(None, lambda right, m, c, k, v: c[~k][:, ~k]), "dependence"),
        "μ_b kept": (lambda m, c, k, v: condition(m, c, k, v + m[k]), "constant"),
        "no μ_a": (spoiled(lambda right, m, c, k, v: right - m[~k]), "constant"),
        "the wrong way": (spoiled(lambda right, m, c, k, v: 2 * m[~k] - right), "sign"),
        "wider": (spoiled(None, lambda right, m, c, k, v: 2 * c[~k][:, ~k] - right), "sign"),
        "one by one": (regressed, "reduction"),
        "a block of the precision": (spoiled(None, lambda right, m, c, k, v: right.inverse()), "log-mean"),
        "inverse of a block": (spoiled(None, lambda right, m, c, k, v: c[~k][:, ~k].inverse()), "log-mean"),
        "roots": (spoiled(None, lambda right, m, c, k, v: right.sqrt()), "spread"),
        "its factor": (spoiled(None, lambda right, m, c, k, v: torch.linalg.cholesky(right)), "spread"),
        "no correlation left": (spoiled(None, lambda right, m, c, k, v: right.diagonal().diag()), "one-to-one"),
        "exchanged": (
            lambda m, c, k, v: condition(m, c, ~k if 2 * int(k.sum()) == len(k) else k, v),
            "direction",
        ),
        "in another order": (shuffled, ""),
        "v in another order": (lambda m, c, k, v: condition(m, c, k, v.flip(0)), ""),
        "half as sure": (spoiled(None, lambda right, m, c, k, v: 1.01 * right), ""),
        "all of them": (lambda m, c, k, v: (m, c), "shape"),
        "the mean alone": (lambda m, c, k, v: condition(m, c, k, v)[0], "container"),
        "three parts": (lambda m, c, k, v: (*condition(m, c, k, v), v), "container"),
    },
}
