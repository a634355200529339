"""How near samples lie to data in a space of features: the Fréchet distance, precision, recall, density, coverage."""

import warnings
from typing import NamedTuple

import torch
from torch import Tensor

from gmcourse.metrics.classifier import features

COUNT = 540  # pictures on either side wherever the course gives one of these numbers: all digits that are held out


class Fidelity(NamedTuple):
    """Fréchet distance, precision and recall of samples against data, at one count."""

    frechet: float
    precision: float
    recall: float


def fidelity(real: Tensor, fake: Tensor) -> Fidelity:
    """The course's one protocol for pictures of digits: `COUNT` against `COUNT`, in the classifier's 64 features.

    Of `real`, (n, 1, H, W) in [0, 1], `COUNT` evenly spaced pictures are taken; `fake` is cut into as many parts of
    `COUNT` as it fills, and the numbers are the means over the parts. Real pictures given as `fake` yield the floor:
    what data against data give. Raises ValueError where either has fewer.
    """
    if min(len(real), len(fake)) < COUNT:
        raise ValueError(f"real, fake: got {len(real)} and {len(fake)} pictures, expected at least {COUNT} of each")
    held = features(real[torch.linspace(0, len(real) - 1, COUNT).round().long()])
    parts = [part for part in features(fake).split(COUNT) if len(part) == COUNT]
    values = [(frechet_distance(held, part), *precision_recall(held, part)) for part in parts]
    return Fidelity(*(sum(column) / len(parts) for column in zip(*values, strict=True)))


def frechet_distance(x: Tensor, y: Tensor) -> float:
    """‖μ − μ′‖² + tr(Σ + Σ′ − 2(ΣΣ′)^½) of features (n, d) and (m, d): W₂² of the Gaussians fitted to them.

    Biased upwards in proportion to 1/n + 1/m, so only distances from equal counts compare; a bias that differs between
    models stays. The square root's trace is that of the symmetric (Σ^½ Σ′ Σ^½)^½. Warns where n ≤ d or m ≤ d: a
    covariance is singular then, and the number tells more of the count than of the samples. Raises ValueError for fewer
    than two rows or values that are not finite. Heusel et al. 2017, eq. 6. Equation: taxonomy-frechet.
    """
    x, y = _features(x, y, least=2)
    if min(len(x), len(y)) <= x.shape[1]:
        warnings.warn(
            f"features: got {len(x)} and {len(y)} rows of {x.shape[1]}, too few for a covariance that is not singular; "
            f"compare with the distance of as many rows of data, or give more than {x.shape[1]}",
            stacklevel=2,
        )
    covariance, other = (torch.atleast_2d(t.T.cov()) for t in (x, y))
    root = _root(covariance)
    overlap = torch.linalg.eigvalsh(root @ other @ root).clamp(min=0).sqrt().sum()
    return ((x.mean(0) - y.mean(0)).square().sum() + covariance.trace() + other.trace() - 2 * overlap).item()


def precision_recall(real: Tensor, fake: Tensor, k: int = 3) -> tuple[float, float]:
    """Share of fakes among the data, and of data among the fakes, of features (n, d) and (m, d).

    A point lies among a set when it is no farther from one of its points than that point's k-th nearest neighbour
    in the set. Raises ValueError for fewer than k + 1 rows or values that are not finite. Kynkäänniemi et al. 2019,
    eqs 1–2. Equation: taxonomy-precision-recall.
    """
    if k < 1:
        raise ValueError(f"k: got {k}, expected at least 1")
    real, fake = _features(real, fake, least=k + 1)
    return _among(fake, real, k), _among(real, fake, k)


def density_coverage(real: Tensor, fake: Tensor, k: int = 5) -> tuple[float, float]:
    """How many balls of the data a fake lies in, over k, and the share of balls that hold a fake at all.

    Of features (n, d) and (m, d); a ball reaches from a real point to its k-th nearest neighbour among the real ones.
    The density of the truth is 1 in the mean and has no upper end; the coverage of the truth is
    1 − Π_{j<k} (n − 1 − j)/(n + m − 1 − j). Raises ValueError as `precision_recall`. Naeem et al. 2020, eqs 3–4.
    Equation: comparison-density-coverage.
    """
    if k < 1:
        raise ValueError(f"k: got {k}, expected at least 1")
    real, fake = _features(real, fake, least=k + 1)
    radii = _radii(real, k)
    inside = torch.cat([torch.cdist(part, real) <= radii for part in fake.split(1000)])
    return (inside.sum(1).double().mean() / k).item(), inside.any(0).double().mean().item()


def frechet_bias(eigenvalues: Tensor, n: int, m: int) -> float:
    """What two samples of one Gaussian give in the mean, to second order, where its covariance has these eigenvalues.

    (1/n + 1/m)·[Σ_i λ_i + ½ Σ_ij λ_i λ_j (1 + δ_ij)/(λ_i + λ_j)]; of d unit eigenvalues (1/n + 1/m)(d + d(d+1)/4).
    Slightly too small down to about n = d, too large below. Raises ValueError for eigenvalues below 0 or counts below
    2. Chong and Forsyth 2020 take it out by extrapolation. Equation: comparison-frechet-bias.
    """
    if eigenvalues.dim() != 1 or (eigenvalues < 0).any() or min(n, m) < 2:
        raise ValueError(
            f"eigenvalues, n, m: got {tuple(eigenvalues.shape)}, {n}, {m}, expected (d,) from 0 on, 2 or more"
        )
    values = eigenvalues.double()[eigenvalues > 0]
    pairs = values[:, None] * values / (values[:, None] + values)
    return ((1 / n + 1 / m) * (values.sum() + 0.5 * (pairs.sum() + pairs.diagonal().sum()))).item()


def _among(points: Tensor, others: Tensor, k: int) -> float:
    radii = _radii(others, k)
    inside = [(torch.cdist(part, others) <= radii).any(1) for part in points.split(1000)]
    return torch.cat(inside).double().mean().item()


def _radii(points: Tensor, k: int) -> Tensor:
    """Each point's distance to its k-th nearest neighbour, itself not counted."""
    return torch.cat([torch.cdist(part, points).kthvalue(k + 1).values for part in points.split(1000)])


def _root(matrix: Tensor) -> Tensor:
    """The symmetric square root of a covariance."""
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp(min=0).sqrt()) @ vectors.T


def _features(x: Tensor, y: Tensor, least: int) -> tuple[Tensor, Tensor]:
    if x.dim() != 2 or y.dim() != 2 or x.shape[1] != y.shape[1] or min(len(x), len(y)) < least:
        raise ValueError(
            f"features: got shapes {tuple(x.shape)} and {tuple(y.shape)}, expected (n, d) and (m, d) "
            f"with at least {least} rows each"
        )
    for rows in (x, y):
        if not rows.isfinite().all():
            bad = int((~rows.isfinite()).any(1).sum())
            raise ValueError(f"features: got {bad} of {len(rows)} rows that are not finite, expected none")
    return x.detach().double(), y.detach().double()
