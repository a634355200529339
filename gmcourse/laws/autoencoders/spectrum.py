"""Laws of the best linear code: what it loses, the subspace that it spans, and the least rate of a Gaussian."""

from collections.abc import Callable
from math import log, pi, sqrt

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import require_close, require_numbers, require_shape
from gmcourse.laws.rows import draw

SPECTRA = ((3.0, 2.0, 0.5, 0.25, 0.125), (0.7, 0.7, 0.1), (5.0, 0.04, 0.01, 0.0))
"""Eigenvalues, the largest first: plain, with two equal ones, with a zero and one that outweighs all others."""


def error_is_the_tail(candidate: Callable[[Tensor, int], object], *, seed: int = 0) -> None:
    """candidate(eigenvalues, k) is the least mean squared error of k numbers and two linear maps.

    The oracle is given points ±√(D λ_j) e_j, whose covariance is diag(λ), and leaves out all coordinates but k.
    """
    law = "the best k numbers lose the eigenvalues from the (k + 1)-th on"
    for spectrum in SPECTRA:
        eigenvalues = torch.tensor(spectrum)
        half = (len(spectrum) * eigenvalues).sqrt().diag()
        points = torch.cat((half, -half))
        for k in range(1, len(spectrum) + 1):
            lost = points.index_fill(1, torch.arange(k), 0.0)
            expected = lost.square().sum(1).mean()
            kept, sized = eigenvalues.sum() - expected, (points.abs().amax(0) / sqrt(len(spectrum)))[k:]
            slips = {
                "direction": [kept, eigenvalues.flip(0)[k:].sum()],
                "reduction": [expected / part for part in (len(spectrum), len(spectrum) - k, k, 2)]
                + [share / eigenvalues.sum() for share in (expected, kept)]
                + [expected / kept],
                "one-to-one": [eigenvalues[k - 1 :].sum(), eigenvalues[k + 1 :].sum()]
                + [eigenvalues[j : j + 1].sum() for j in (k, k - 1)]
                + [eigenvalues[-k:].sum()],
                "spread": [sized.sum(), eigenvalues[k:].square().sum(), expected.sqrt(), eigenvalues[k:].norm()],
            }
            observed = require_shape(law, ask(candidate, eigenvalues=eigenvalues, k=k), ())
            require_close(law, observed.float(), expected, 1e-5, slips, {"eigenvalues": eigenvalues, "k": k})


def reconstructs_best(candidate: Callable[[Tensor, int], Tensor], *, seed: int = 0) -> None:
    """candidate(x, k), rows (n, D) → (n, D): what a linear autoencoder of k numbers gives back that was fitted to x.

    The oracle cuts off the singular values of the centred rows: no k numbers and two affine maps lose less.
    """
    law = "the best reconstruction is the projection onto the principal subspace through the mean"
    for n, d, k in ((40, 5, 2), (30, 6, 1), (12, 4, 3)):
        x = (draw(n, d, seed=seed + d) * torch.linspace(2, 0.3, d)) @ draw(d, d, seed=seed) + 3 * draw(d, seed=seed + 1)
        mean = x.mean(0)
        slips = {
            "constant": [_cut(x, k), _cut(x - mean, k), _cut(x - mean, k) + x.median(0).values],
            "direction": [x - _cut(x - mean, k), x - _cut(x - mean, d - k)],
            "one-to-one": [mean + _cut(x - mean, k + j) for j in (-1, 1)],
            "reduction": [mean.expand(n, d), x],
        }
        observed = require_shape(law, ask(candidate, x=x, k=k), (n, d)).float()
        require_close(law, observed, mean + _cut(x - mean, k), 2e-3, slips, {"x": x, "k": k})


def _cut(x: Tensor, k: int) -> Tensor:
    """x with all but its k largest singular values at 0."""
    left, values, right = torch.linalg.svd(x, full_matrices=False)
    return left[:, :k] * values[:k] @ right[:k]


ANGLES = ((0.3, 1.2), (1e-8, 0.5), (1e-8, 1e-7), (0.0, pi / 2), (0.8,), (0.1, 0.4, 0.9))
"""Angles between two subspaces: plain, tiny, the least and the largest that there are."""


def angles_are_principal(candidate: Callable[[Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(a, b), (D, k) each: the angles between their column spaces, k radians, the smallest first.

    Float64 to 1e-9, to 1e-12 near 0 and to 1e-7 near a right angle, so that sines alone will do; float32 to 1e-5 where
    no angle is near either. The oracle builds b: cos θ_j of the j-th axis of a, sin θ_j of an axis off it, then any
    basis of both.
    """
    law = "the angles between two subspaces are those by which one was turned away from the other"
    for number, angles in enumerate(ANGLES):
        expected, k = torch.tensor(angles, dtype=torch.float64), len(angles)
        axes = torch.linalg.qr(draw(9, 2 * k, seed=seed + number).double())[0]
        turned = axes[:, :k] * expected.cos() + axes[:, k:] * expected.sin()
        a, b = (
            basis @ (draw(k, k, seed=seed + 20 * side + number).double() + 2 * torch.eye(k))
            for side, basis in enumerate((axes[:, :k], turned), 1)
        )
        slips = _angle_slips(a, b, expected)
        observed = require_numbers(law, ask(candidate, a=a, b=b), k)
        near = (observed - expected).abs().max() < 1e-4
        deduced = "overflow" if near or 0 < min(angles) < 1e-5 else ""  # digits lost where a function is flat
        tolerance = torch.where(expected < 1e-5, 1e-12, torch.where(expected > 1.5, 1e-7, 1e-9))
        require_close(law, observed, expected, tolerance, slips, {"angles": expected}, deduced=deduced)
        if 0.2 < min(angles) and max(angles) < 1.3:
            rough = require_numbers(law, ask(candidate, a=a.float(), b=b.float()), k)
            require_close(law, rough, expected, 1e-5, slips, {"angles": expected}, fit=1e-4)


def _angle_slips(a: Tensor, b: Tensor, expected: Tensor) -> dict[str, list[Tensor]]:
    """No orthonormal bases, columns compared, other numbers than angles, sines in the order of cosines."""
    q_a, q_b = (torch.linalg.qr(basis)[0] for basis in (a, b))
    unit_a, unit_b = a / a.norm(dim=0), b / b.norm(dim=0)

    def angles(p: Tensor, q: Tensor) -> Tensor:
        sines = torch.linalg.svdvals(q - p @ (p.T @ q)).flip(0)
        return torch.atan2(sines, torch.linalg.svdvals(p.T @ q))

    columns = [torch.nn.functional.cosine_similarity(p, q, dim=0).clamp(-1, 1) for p, q in ((a, b), (q_a, q_b))]
    return {
        "spread": [torch.linalg.svdvals(p.T @ q).clamp(max=1).acos() for p, q in ((a, b), (unit_a, unit_b))]
        + [angles(p, q) for p, q in ((a, b), (q_a, b), (a, q_b), (unit_a, unit_b))],
        "one-to-one": [
            way for c in columns for way in (c.acos(), c.acos().sort().values, c.abs().acos().sort().values)
        ],
        "constant": [expected.rad2deg(), expected.cos(), expected.sin(), expected.cos().flip(0), expected / pi],
        "direction": [expected.flip(0), pi / 2 - expected, (pi / 2 - expected).flip(0)]
        + [torch.atan2(expected.sin().flip(0), expected.cos())],
    }


def rate_is_least(candidate: Callable[[Tensor, float], object], *, seed: int = 0) -> None:
    """candidate(eigenvalues, level) → (rate in nats, distortion) of a Gaussian with these variances at a water level θ.

    The oracle minimises λ_j e^{−2r} + 2θ r over the rate r ≥ 0 of each coordinate, on a fine grid.
    """
    law = "each variance is cut at the water level, and pays half the logarithm of what stood above"
    grid = torch.linspace(0, 6, 60_001, dtype=torch.float64)
    for spectrum in SPECTRA:
        for level in (0.02, 0.3, 1.5, 6.0):
            eigenvalues = torch.tensor(spectrum, dtype=torch.float64)
            cost = eigenvalues[:, None] * (-2 * grid).exp() + 2 * level * grid
            rates = grid[cost.argmin(1)]
            rate, lost = rates.sum(), (eigenvalues * (-2 * rates).exp()).sum()
            used = eigenvalues > level
            all_of_them = 0.5 * (eigenvalues.clamp(min=1e-12) / level).log().sum()
            slips = {
                "constant": [torch.stack((c * rate, lost)) for c in (2.0, 1 / log(2), 2 / log(2))],
                "sign": [torch.stack((-rate, lost))],
                "reduction": [torch.stack((r, lost)) for r in (all_of_them, rate / len(spectrum))],
                "direction": [
                    torch.stack((rate, swapped))
                    for swapped in (eigenvalues.clamp(min=level).sum(), eigenvalues[used].sum())
                ],
                "dependence": [
                    torch.stack((rate, other)) for other in (eigenvalues[~used].sum(), level * used.sum().double())
                ],
            }
            observed = require_numbers(law, ask(candidate, eigenvalues=eigenvalues, level=level), 2)
            given = {"eigenvalues": eigenvalues, "level": level}
            require_close(law, observed, torch.stack((rate, lost)), 2e-3, slips, given)
