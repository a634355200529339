"""Laws of x + g(x), where g contracts: how steep g is, and the log-determinant of I + J, summed or estimated."""

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, require_close, require_shape, standard_error

Normaliser = Callable[[Tensor, float], Tensor]
Estimator = Callable[[Callable[[Tensor], Tensor], Tensor, Generator], Tensor]


def _random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def norm_is_bounded(candidate: Normaliser, *, seed: int = 0) -> None:
    """candidate(W, c) = W min(1, c/‖W‖₂), (rows, columns), to 3 %, and never longer than c: ‖·‖₂ by SVD.

    Among the matrices are such that one step of a power iteration misjudges: all singular values alike, two nearly so,
    and a largest one across the vector of ones.
    """
    ones = torch.ones(6, dtype=torch.float64)
    across = ones * torch.tensor([1.0, -1.0] * 3)
    matrices = {
        "tall": _random(12, 2, seed=seed + 1),
        "square": _random(6, 6, seed=seed),
        "wide": 50 * _random(2, 12, seed=seed + 2),
        "orthogonal": 2 * torch.linalg.qr(_random(6, 6, seed=seed + 3)).Q,
        "of two lengths nearly alike": torch.diag(torch.tensor([1.5, 1.49, 0.1, 0.1, 0.1, 0.1])).double(),
        "longest across (1, …, 1)": torch.outer(across, across) + 0.1 * torch.outer(ones, ones),
    }
    for kind, matrix in matrices.items():
        for c in (0.5, 0.97):
            law = f"a {kind} matrix keeps its shape"
            scaled = require_shape(law, ask(candidate, weight=matrix, c=c), tuple(matrix.shape)).double()
            reached, norm = _longest(scaled), _longest(matrix)
            if reached > c * (1 + 1e-6):
                raise LawBroken(f"‖W̃‖₂ ≤ {c}, W {kind}", f"{reached:.4g}", f"at most {c}", "one-to-one")
            unit, suspects = matrix / norm, {"spread": (matrix / norm**2, matrix / matrix.norm())}
            law, tolerance = f"W̃ = W · {c}/‖W‖₂ to 3 %, W {kind}", 0.03 * float(unit.abs().max())
            require_close(law, scaled / c, unit, tolerance, suspects)
    small = 0.1 * matrices["orthogonal"]
    grown = {"spread": 0.9 * small / _longest(small)}
    scaled = require_shape("a small matrix keeps its shape", ask(candidate, weight=small, c=0.9), tuple(small.shape))
    require_close("a W with ‖W‖₂ < c stays", scaled.double(), small, 1e-6, grown)


def _longest(matrix: Tensor) -> float:
    return float(torch.linalg.svdvals(matrix.detach())[..., 0].max())


def contracts(candidate: Callable[[Tensor], Tensor], x: Tensor, bound: float) -> None:
    """‖g(x) − g(y)‖ ≤ bound · ‖x − y‖ of every two rows of `x`, and ‖∂g/∂x‖₂ ≤ bound at each; (batch, D), float64."""

    def one(row: Tensor) -> Tensor:
        return candidate(row.unsqueeze(0)).squeeze(0)

    value = require_shape("g keeps the shape of x", candidate(x), tuple(x.shape)).detach()
    apart = torch.pdist(value) / torch.pdist(x)
    steepest = _longest(torch.stack([torch.autograd.functional.jacobian(one, row) for row in x]))
    for law, seen in (("‖g(x) − g(y)‖ ≤ L ‖x − y‖", float(apart.max())), ("‖∂g/∂x‖₂ ≤ L", steepest)):
        if not seen <= bound * (1 + 1e-6):
            raise LawBroken(law, f"{seen:.4g}", f"at most {bound:.4g}", "one-to-one")


def series_is_log_det(candidate: Callable[[Tensor, int], Tensor]) -> None:
    """candidate(J, n), (batch, D, D) → (batch,), is the series of n terms of ln det(I + J): held against slogdet.

    For ‖J‖₂ = L it is off by D Σ_{k>n} L^k/k at most, and by that exactly where J = −L · I.
    """
    matrices = _random(5, 3, 3)
    matrices = 0.6 * matrices / torch.linalg.matrix_norm(matrices, 2)[:, None, None]
    expected = torch.linalg.slogdet(torch.eye(3) + matrices).logabsdet
    traces = [torch.linalg.matrix_power(matrices, k).diagonal(dim1=1, dim2=2).sum(1) for k in range(1, 41)]
    suspects = {
        "sign": sum(trace / k for k, trace in enumerate(traces, 1)),
        "constant": sum(-((-1) ** k) * trace for k, trace in enumerate(traces, 1)),
        "reduction": expected / 3,
        "dependence": torch.log1p(matrices).diagonal(dim1=1, dim2=2).sum(1),
        "direction": -expected,
    }
    answer = ask(candidate, jacobian=matrices, terms=40)
    observed = require_shape("one log-determinant for each row", answer, (5,)).double()
    require_close("Σ (−1)^{k+1} tr(J^k)/k = ln det(I + J)", observed, expected, 1e-6, suspects)
    straight = -0.6 * torch.eye(3, dtype=torch.float64)[None]
    sums = -3 * torch.tensor([0.0] + [0.6**k / k for k in range(1, 8)], dtype=torch.float64).cumsum(0)[:, None]
    for terms in (1, 2, 5):
        observed = require_shape("one number a row", ask(candidate, jacobian=straight, terms=terms), (1,)).double()
        miscounted = {"constant": (sums[terms - 1], sums[terms + 1])}
        require_close(f"{terms} terms of it", observed, sums[terms], 1e-6, miscounted)


def log_det_is_unbiased(candidate: Estimator, *, seed: int = 0) -> None:
    """candidate(f, x, rng) → (batch,) is ln det(I + ∂f/∂x) on average, f: (batch, D) → (batch, D) that contracts.

    f is x ↦ Ax + ¼ sin x, ‖A‖₂ ≤ ½, at each of four points, which the rows repeat: 1500 calls on 24 rows each, so
    that what a call draws once for all its rows is averaged, too.
    """
    matrix = _random(3, 3, seed=seed)
    matrix = -0.35 * matrix / _longest(matrix) - 0.15 * torch.eye(3)
    points = _random(4, 3, seed=seed + 1)
    x, rng = points.repeat(6, 1), torch.Generator().manual_seed(seed)

    def bent(rows: Tensor) -> Tensor:
        return rows @ matrix.T + 0.25 * rows.sin()

    whole = matrix + torch.diag_embed(0.25 * points.cos())
    expected = torch.linalg.slogdet(torch.eye(3) + whole).logabsdet
    calls = []
    for _ in range(1_500):
        value = require_shape("one estimate for each row", ask(candidate, f=bent, x=x, rng=rng), (len(x),))
        calls.append(value.detach().double().view(-1, 4).mean(0))
    observed = torch.stack(calls)
    powers = [torch.linalg.matrix_power(whole, k).diagonal(dim1=1, dim2=2).sum(1) for k in range(1, 41)]
    suspects = {
        "sign": sum(trace / k for k, trace in enumerate(powers, 1)),
        "direction": -expected,
        "constant": powers[0],
        "reduction": expected / 3,
    }
    tolerance = 4 * standard_error(observed) + 1e-4
    require_close("E[estimate] = ln det(I + J)", observed.mean(0), expected, tolerance, suspects)
