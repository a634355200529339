"""What is measured of a trained model: its samples against held-out pictures, and what it knows of them."""

import math
from typing import Any

import torch
from scipy.fft import dctn
from torch import Tensor, nn

from gmcourse.comparison.discrete import Leveled, quantised
from gmcourse.comparison.rungs import pieces, rung
from gmcourse.metrics import (
    density_coverage,
    estimate,
    features,
    frechet_distance,
    kernel_distance,
    mean_elbo,
    nearest_share,
    nll,
    precision_recall,
)
from gmcourse.metrics.classifier import digit_class
from gmcourse.probability import bits_per_dim
from gmcourse.protocols import Density

SAMPLES = 360
"""As many pictures as `test` has digits: four digits at once make as many of a quarter as many samples."""
LEAST_SHARE = 0.02  # of the samples, for a class to count as found


def of_samples(samples: Tensor, name: str, seed: int) -> dict[str, float]:
    """What samples of a rung are worth, against `test`; the Fréchet distance to `valid`, too, for choices.

    Samples are brought to the nearest level. Off the rung of the ten digits, the kernel distance alone, for it has no
    bias in the counts, which differ from rung to rung.
    """
    data, drawn = rung(name), pieces(quantised(samples))
    real, fake = features(pieces(data.test)), features(drawn)
    row = {"kernel": kernel_distance(real, fake)}
    if name != "digits":
        return row
    precision, recall = precision_recall(real, fake)
    density, coverage = density_coverage(real, fake)
    valid = features(data.valid)
    halves = [frechet_distance(valid, half) for half in fake.chunk(2)]
    return row | {
        "valid_frechet": sum(halves) / len(halves),
        "frechet": frechet_distance(real, fake),
        "precision": precision,
        "recall": recall,
        "density": density,
        "coverage": coverage,
        "classes": float(((digit_class(drawn).bincount(minlength=10) / len(drawn)) >= LEAST_SHARE).sum()),
        "rough": roughness(drawn),
        "near": nearest_share(drawn, _as_many(data.train, len(data.test), seed), data.test),
    }


def of_means(model: Any, name: str, seed: int) -> dict[str, float]:
    """Of a model with a decoder: the Fréchet distance and the roughness of its means, in the place of samples."""
    decoder: Any = model.model if isinstance(model, Leveled) else model
    if name != "digits" or not hasattr(decoder, "sample_mean"):
        return {}
    means = decoder.sample_mean(SAMPLES, rng=torch.Generator().manual_seed(seed))
    means = model.pictures(means) if isinstance(model, Leveled) else quantised(means)
    near = frechet_distance(features(rung("digits").test), features(means))
    return {"mean_frechet": near, "mean_rough": roughness(means)}


def of_density(model: Any, rows: int, seed: int) -> dict[str, float]:
    """Bits/dim of so many digits of test and their standard error: exact, or an upper bound by one draw a picture."""
    x, rng = rung("digits").test[:rows], torch.Generator().manual_seed(seed)
    found = estimate(-nll(model, x)) if isinstance(model, Density) else mean_elbo(model, x, rng)
    bits, error = (float(bits_per_dim(torch.tensor(value), x[0].numel())) for value in (found.mean, -found.error))
    return {"bits": bits, "bits_error": error}


def roughness(images: Tensor) -> float:
    """The share of a picture's changes that is fine: Σ c²_ij over i + j ≥ 7 by Σ c²_ij over i + j ≥ 1, of the DCT.

    Of (n, 1, 8, 8), summed over pictures. Blur lowers it, noise raises it. Raises ValueError for another shape.
    """
    if images.shape[1:] != (1, 8, 8):
        raise ValueError(f"images: got shape {tuple(images.shape)}, expected (n, 1, 8, 8)")
    power = torch.from_numpy(dctn(images.double().numpy(), axes=(2, 3), norm="ortho")).square().sum((0, 1))
    order = torch.arange(8)[:, None] + torch.arange(8)
    return (power[order >= 7].sum() / power[order >= 1].sum()).item()


def size(model: nn.Module) -> int:
    """The number of parameters that are learned."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def rounded(row: dict[str, float], digits: int = 5) -> dict[str, float | None]:
    """Each number to so many significant digits; None for one that is not finite."""
    return {name: float(f"{value:.{digits}g}") if math.isfinite(value) else None for name, value in row.items()}


def _as_many(rows: Tensor, n: int, seed: int) -> Tensor:
    return rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(1_000 + seed))[:n]]
