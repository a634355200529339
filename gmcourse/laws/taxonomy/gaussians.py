"""Law of Gaussians: what one part says of the rest."""

from collections.abc import Callable

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import require_close, require_parts, require_shape
from gmcourse.laws.rows import draw, within

Condition = Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]


def conditional_gaussian(candidate: Condition, *, seed: int = 0) -> None:
    """candidate(mean, cov, known, value) = mean and covariance of the coordinates outside `known`, given the others.

    The oracle never leaves the precision Λ = Σ⁻¹: the covariance is Λ_aa⁻¹, the mean μ_a − Λ_aa⁻¹ Λ_ab (v − μ_b).
    """
    for which in ([0, 1], [0, 1, 0, 1, 1], [0, 0, 1, 0, 0], [1, 0, 0, 1], [1, 0, 1, 1]):
        known, dims = torch.tensor(which, dtype=torch.bool), len(which)
        root = draw(dims, dims, seed=seed + dims)
        cov = root @ root.T + 0.3 * torch.eye(dims)
        mean, value = 2 * draw(2, dims, seed=seed + sum(which))
        inputs = {"mean": mean, "cov": cov, "known": known, "value": value[known]}
        law = f"the rest, given the coordinates {known.nonzero().flatten().tolist()} of {dims}"
        rest = dims - sum(which)
        first, second = require_parts(f"{law}: a mean and a covariance", ask(candidate, **inputs), 2)
        found_mean = require_shape(f"{law}: mean", first, (rest,)).detach().double()
        found_cov = require_shape(f"{law}: covariance", second, (rest, rest)).detach().double()
        exact_mean, exact_cov = _by_precision(*_exact(inputs))
        slips, given = _slips(*_exact(inputs)), inputs if dims == 2 else None
        for part, found, exact in (("mean", found_mean, exact_mean), ("covariance", found_cov, exact_cov)):
            near, close = within(exact, 1e-3), within(exact)
            require_close(f"{law}: {part}", found, exact, near, slips[part], given=given, fit=close)


def _exact(inputs: dict[str, Tensor]) -> tuple[Tensor, ...]:
    return tuple(value.double() if value.is_floating_point() else value for value in inputs.values())


def _by_precision(mean: Tensor, cov: Tensor, known: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
    precision = torch.linalg.inv(cov)
    exact_cov = torch.linalg.inv(precision[~known][:, ~known])
    return mean[~known] - exact_cov @ precision[~known][:, known] @ (value - mean[known]), exact_cov


def _slips(mean: Tensor, cov: Tensor, known: Tensor, value: Tensor) -> dict[str, dict[str, list[Tensor]]]:
    """By part, what each slip makes of it."""
    (right, exact), precision, off = _by_precision(mean, cov, known, value), torch.linalg.inv(cov), value - mean[known]
    own, across, other = cov[~known][:, ~known], cov[~known][:, known], cov[known][:, known]
    at, rest = mean[~known], precision[~known][:, ~known]
    one_by_one, turned = across / other.diagonal(), torch.linalg.solve(own, across)
    centred = _by_precision(0 * mean, cov, known, value)[0]
    exchanged = [_by_precision(mean, cov, ~known, value)[0]] if len(own) == len(other) else []
    means = {
        "constant": [right - at, centred, centred + at],
        "dependence": [at],
        "direction": [at + turned @ off, *exchanged],
        "sign": [2 * at - right, at - one_by_one @ off],
        "reduction": [at + one_by_one @ off],
        "log-mean": [at + way @ off for way in (across @ other, across, precision[~known][:, known])],
    }
    covs = {
        "dependence": [own],
        "direction": [_by_precision(mean, cov, ~known, at)[1]],
        "sign": [2 * own - exact, -exact],
        "reduction": [own - one_by_one @ across.T],
        "log-mean": [rest, torch.linalg.inv(own), own - across @ other @ across.T],
        "spread": [exact.sqrt(), exact.diagonal().sqrt().diag(), torch.linalg.cholesky(exact)],
        "one-to-one": [exact.diagonal().diag(), 1 / rest],
    }
    return {"mean": means, "covariance": covs}
