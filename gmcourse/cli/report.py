"""What the commands show: likelihoods with their errors, how near samples lie to data, and samples as a file."""

import io
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from gmcourse.checkpoint import write
from gmcourse.data import Dataset
from gmcourse.data.densities import GaussianMixture
from gmcourse.metrics import (
    Estimate,
    estimate,
    features,
    frechet_distance,
    importance_weighted,
    mean_elbo,
    modes,
    nll,
    precision_recall,
)
from gmcourse.probability import bits_per_dim
from gmcourse.protocols import Bounded, Density, ImportanceWeighted, Sampler


def measure(model: nn.Module, loaded: Dataset, x: Tensor, k: int | None = None, seed: int = 0) -> list[dict[str, Any]]:
    """What the model knows of log p(x): exact, bounded, and with `k` draws importance-weighted; nats an example."""
    rng = torch.Generator(next(model.parameters()).device).manual_seed(seed)
    dims = math.prod(loaded.event_shape) if _discrete(loaded.train) else None
    rows = []
    if isinstance(model, Density):
        rows.append(_row("NLL", estimate(nll(model, x)), "exact", dims))
    if isinstance(model, Bounded):
        mean, error = mean_elbo(model, x, rng)
        rows.append(_row("-ELBO", Estimate(-mean, error), "a bound: the NLL is lower", dims))
    if k and isinstance(model, ImportanceWeighted):
        parts = tqdm(x.split(100), unit_scale=100, unit=" examples", leave=False, disable=not sys.stderr.isatty())
        values = -torch.cat([importance_weighted(model, part, k, rng) for part in parts])
        rows.append(_row(f"NLL, k={k}", estimate(values), "importance-weighted: a tighter bound, stochastic", dims))
    if rows and loaded.entropy is not None:
        rows.append(_row("entropy", Estimate(loaded.entropy, 0.0), "of the data: no model's NLL is lower", None))
    return rows


def fidelity(model: nn.Module, loaded: Dataset, x: Tensor, seed: int = 0) -> list[dict[str, Any]]:
    """How near as many samples as `x` has rows lie to it: grey images in the course's features, mixtures by modes."""
    grey = len(loaded.event_shape) == 3 and loaded.event_shape[0] == 1 and x.is_floating_point()
    mixture = isinstance(loaded.density, GaussianMixture)
    if not (grey or mixture) or not isinstance(model, Sampler) or len(x) < 4:
        return []
    samples = model.sample(len(x), rng=torch.Generator(next(model.parameters()).device).manual_seed(seed)).cpu()
    return _near_modes(samples, loaded.density) if mixture else _near_images(samples, x, loaded.train, seed)


def selected(x: Tensor, n: int | None, seed: int) -> Tensor:
    """A random selection of `n` rows (all where `n` is None or more than there are), the same for equal seeds."""
    return x[torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))[:n]]


def _near_modes(samples: Tensor, mixture: GaussianMixture) -> list[dict[str, Any]]:
    found, quality = modes(samples, mixture.means, mixture.noise)
    return [
        {"quantity": "modes", "value": found, "meaning": f"of {len(mixture.means)}, with 1 % of the samples"},
        {"quantity": "quality", "value": quality, "meaning": "share of samples within 3σ of a mode"},
    ]


def _near_images(samples: Tensor, x: Tensor, train: Tensor, seed: int) -> list[dict[str, Any]]:
    sets = x, samples, selected(train, len(x), seed)
    real, fake, other = (features(images.clamp(0, 1)) for images in sets)
    precision, recall = precision_recall(real, fake)
    return [
        {"quantity": "Fréchet", "value": frechet_distance(real, fake), "meaning": "samples against this split"},
        {"quantity": "  of train", "value": frechet_distance(real, other), "meaning": "data against data"},
        {"quantity": "precision", "value": precision, "meaning": "share of samples that lie among the data"},
        {"quantity": "recall", "value": recall, "meaning": "share of the data that lie among the samples"},
    ]


def show(rows: list[dict[str, Any]]) -> None:
    """One line a measurement: mean ± standard error over the examples, bits/dim where the data are discrete."""
    for row in rows:
        if "value" in row:
            print(f"  {row['quantity']:<12}{row['value']:10.3f}  ({row['meaning']})")
            continue
        value = f"{row['nats']:10.3f} ± {row['error']:.3f} nats"
        bits = f"  {row['bits_per_dim']:.4f} bits/dim" if "bits_per_dim" in row else ""
        print(f"  {row['quantity']:<12}{value}{bits}  ({row['meaning']})")
    if not any("nats" in row for row in rows):
        print("  this model knows nothing of log p(x)")


def write_samples(out: Path, samples: Tensor) -> None:
    """Samples (n, *event) as .npy, or as .png where they are images or points of the plane."""
    buffer, samples = io.BytesIO(), samples.cpu()
    if out.suffix == ".npy":
        np.save(buffer, samples.numpy())
    else:
        _picture(samples).savefig(buffer, format="png", dpi=150)
    write(out, buffer.getvalue())


def _picture(samples: Tensor) -> Any:
    from gmcourse.show.images import grid

    if samples.dim() == 4 and samples.shape[1] in (1, 3):
        return grid(samples.clamp(0, 1), columns=math.ceil(math.sqrt(len(samples))))
    if samples.dim() == 2 and samples.shape[1] == 2:
        return _scatter(samples)
    raise ValueError(f"out: samples of shape {tuple(samples.shape)} make no picture; name an .npy")


def _scatter(points: Tensor) -> Any:
    from matplotlib.figure import Figure

    from gmcourse.show.style import COLOURS

    figure = Figure(figsize=(4, 4), layout="constrained")
    axes = figure.subplots()
    axes.scatter(*points.T, s=6, color=COLOURS["samples"])
    axes.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
    return figure


def _row(quantity: str, value: Estimate, meaning: str, dims: int | None) -> dict[str, Any]:
    row = {"quantity": quantity, "nats": value.mean, "error": value.error, "meaning": meaning}
    return row | ({"bits_per_dim": -bits_per_dim(value.mean, dims)} if dims else {})


def _discrete(x: Tensor) -> bool:
    return not x.is_floating_point() or bool(((x == 0) | (x == 1)).all())
