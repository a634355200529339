"""The laws of contractions and of their log-determinants hold for right answers and catch each planted bug."""

import math
from functools import partial

import torch

from gmcourse.laws.flows import contraction

X = 2 * torch.randn(30, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
A = torch.tensor([[1.3, -0.4], [0.2, 0.9]], dtype=torch.float64)


def normalised(weight, c):
    return weight * min(1.0, c / torch.linalg.matrix_norm(weight, 2).item())


def by_power_iteration(steps):
    def candidate(weight, c):
        v = torch.ones(weight.shape[1], dtype=weight.dtype)
        for _ in range(steps):
            v = weight.T @ (weight @ v)
            v = v / v.norm()
        return weight * min(1.0, c / (weight @ v).norm().item())

    return candidate


def series(jacobian, terms):
    power, total = jacobian, 0
    for k in range(1, terms + 1):
        total = total + (-1) ** (k + 1) * power.diagonal(dim1=1, dim2=2).sum(1) / k
        power = power @ jacobian
    return total


def elementwise_powers(jacobian, terms):
    return sum((-1) ** (k + 1) * (jacobian**k).diagonal(dim1=1, dim2=2).sum(1) / k for k in range(1, terms + 1))


def estimator(survival=0.7, weight=None, sign=-1, divided=True, terms=None, fresh=False):
    """Russian roulette with P(n ≥ k) = survival^{k−1}; the options spoil it."""
    weight = weight or (lambda k: survival ** (k - 1))

    def candidate(f, x, rng):
        def draw():
            return torch.where(torch.rand(x.shape, generator=rng) < 0.5, -1.0, 1.0).to(x.dtype)

        n = terms or 1 + int(math.log(1 - torch.rand((), generator=rng).item()) / math.log(survival))
        pulled_back, v, total = torch.func.vjp(f, x)[1], draw(), 0
        product = v
        for k in range(1, n + 1):
            (product,) = pulled_back(product)
            probe = draw() if fresh else v
            total = total + sign ** (k + 1) * (product * probe).sum(1) / (weight(k) * (k if divided else 1))
        return total

    return candidate


def gentle(x):
    return 0.6 * torch.tanh(x @ A.T / torch.linalg.matrix_norm(A, 2))


def gentle_line(x):
    return 0.6 * x.sin()


contracts = partial(contraction.contracts, x=X, bound=0.6)
at_two_points = partial(contraction.contracts, x=math.pi / 15 * torch.tensor([[0.0], [4.0]]).double(), bound=0.6)


RIGHT = {
    contraction.norm_is_bounded: (normalised,),
    contracts: (gentle, lambda x: -0.6 * x),
    at_two_points: (gentle_line,),
    contraction.series_is_log_det: (series,),
    contraction.log_det_is_unbiased: (estimator(), estimator(0.85)),
}
BUGS = {
    contraction.norm_is_bounded: {
        "a power iteration of one step": (by_power_iteration(1), "one-to-one"),
        "a power iteration from a start across the answer": (by_power_iteration(5), "one-to-one"),
        "the largest entry for the norm": (lambda w, c: w * min(1.0, c / w.abs().max().item()), "one-to-one"),
        "σ², the eigenvalue of WᵀW": (
            lambda w, c: w * min(1.0, c / torch.linalg.matrix_norm(w, 2).item() ** 2),
            "spread",
        ),
        "√σ": (lambda w, c: w * min(1.0, c / torch.linalg.matrix_norm(w, 2).item() ** 0.5), "one-to-one"),
        "Frobenius' norm": (lambda w, c: w * min(1.0, c / w.norm().item()), "spread"),
        "always scaled": (lambda w, c: w * c / torch.linalg.matrix_norm(w, 2), "spread"),
        "every singular value clipped": (
            lambda w, c: (s := torch.linalg.svd(w, full_matrices=False)).U @ torch.diag(s.S.clamp(max=c)) @ s.Vh,
            "",
        ),
        "no c": (lambda w, c: normalised(w, 1.0), "one-to-one"),
        "transposed": (lambda w, c: normalised(w, c).T, "shape"),
    },
    contracts: {
        "one layer left as it was": (lambda x: 0.6 * torch.tanh(x @ A.T), "one-to-one"),
        "an activation steeper than 1": (lambda x: 0.6 * torch.nn.functional.silu(x), "one-to-one"),
        "the sum of the layers' bounds": (lambda x: 1.2 * x, "one-to-one"),
        "a step, which has no slope": (lambda x: 0.5 * x + 3.0 * (x > 0), "one-to-one"),
        "a column too few": (lambda x: 0.5 * x[:, :1], "shape"),
    },
    at_two_points: {"steep at points that map to one": (lambda x: torch.sin(30 * x), "one-to-one")},
    contraction.series_is_log_det: {
        "signs that do not take turns": (lambda j, n: -series(-j, n), "sign"),
        "of I − J": (lambda j, n: series(-j, n), ""),
        "no 1/k": (
            lambda j, n: sum(
                (-1) ** (k + 1) * torch.linalg.matrix_power(j, k).diagonal(dim1=1, dim2=2).sum(1)
                for k in range(1, n + 1)
            ),
            "constant",
        ),
        "powers of the entries": (elementwise_powers, "dependence"),
        "a mean for a trace": (lambda j, n: series(j, n) / 3, "reduction"),
        "of the inverse": (lambda j, n: -series(j, n), "direction"),
        "a term too few": (lambda j, n: series(j, n - 1) if n > 1 else 0 * j[:, 0, 0], "constant"),
        "a term too many": (lambda j, n: series(j, n + 1), "constant"),
        "summed over the batch": (lambda j, n: series(j, n).sum(), "shape"),
    },
    contraction.log_det_is_unbiased: {
        "a series of one term": (estimator(terms=1), "constant"),
        "a series of two terms": (estimator(terms=2), ""),
        "terms that are not weighed": (estimator(weight=lambda k: 1.0), ""),
        "weights off by one": (estimator(weight=lambda k: 0.7**k), ""),
        "weighed by P(n = k)": (estimator(weight=lambda k: 0.3 * 0.7 ** (k - 1)), ""),
        "signs that do not take turns": (estimator(sign=1), "sign"),
        "no 1/k": (estimator(divided=False), ""),
        "of the inverse": (lambda f, x, rng: -estimator()(f, x, rng), "direction"),
        "two probes": (estimator(fresh=True), ""),
        "mean for sum": (lambda f, x, rng: estimator()(f, x, rng) / 3, "reduction"),
        "one for the batch": (lambda f, x, rng: estimator()(f, x, rng).mean(), "shape"),
    },
}
