"""How near samples lie to data: grey images in the course's features, mixtures by modes, all else by distances."""

from typing import Any

import torch
from torch import Tensor, nn

from gmcourse.cli.report import selected
from gmcourse.data import Dataset
from gmcourse.data.densities import GaussianMixture
from gmcourse.metrics import features, frechet_distance, mmd, modes, precision_recall, sliced_wasserstein
from gmcourse.protocols import Bounded, Density, Sampler

FEATURES = 64  # of the digit classifier: a covariance of no more images is singular
DIGITS = {"digits", "binarized-digits", "mnist", "binarized-mnist", "usps"}
MOST_ROWS = 1_000  # of each sample, when distances between all pairs are taken


def fidelity(model: nn.Module, data: Dataset, batch: tuple[Tensor, ...], seed: int = 0) -> list[dict[str, Any]]:
    """As many samples as `x` has rows, against it; each number beside its floor, that of as many rows of train.

    `batch` is (x,), or (x, given) of a conditional model, whose samples are for the same `given`.

    Distances of samples that are neither grey images nor points of a mixture are taken where there is no likelihood
    to go by. Nothing is sampled where nothing is measured.
    """
    x, *given = batch
    implicit = not isinstance(model, (Density, Bounded))
    grey = len(data.event_shape) == 3 and data.event_shape[0] == 1 and x.is_floating_point()
    mixture = data.density if isinstance(data.density, GaussianMixture) else None
    if not isinstance(model, Sampler) or len(x) < 4 or not (grey or mixture or implicit and x.is_floating_point()):
        return []
    x = x if grey or mixture else x[:MOST_ROWS]
    n = min(len(x), len(data.train))
    rng = torch.Generator(next(model.parameters()).device).manual_seed(seed)
    told = (t[:n].to(rng.device) for t in given)
    samples, other = model.sample(n, *told, rng=rng).cpu(), selected(data.train, n, seed)
    if not torch.isfinite(samples).all():
        share = (~torch.isfinite(samples)).double().mean().item()
        return [_held(n, "not finite", share, None, "share of the sampled values: no distance was taken")]
    if mixture:
        return _near_modes(samples, other, mixture)
    return _near_images(samples, x, other) if grey else _near_rows(samples, x, other, seed)


def show(rows: list[dict[str, Any]], data: Dataset) -> None:
    """A line a measurement, with its floor, what it is, and how many samples it was taken of."""
    if not rows:
        return
    print(f"  {rows[0]['n']:,} samples     samples   data again")
    for row in rows:
        value, floor = ("" if row[side] is None else f"{row[side]:.3f}" for side in ("value", "floor"))
        print(f"  {row['quantity']:<12}{value:>10}{floor:>13}  {row['meaning']}")
    if any(row["quantity"] == "recall" for row in rows):
        print('  In 64 features of a classifier of handwritten DIGITS. "data again": as many rows of train.')
        if data.key not in DIGITS:
            print(f"  {data.name} may hold others, of which these features were never taught: compare models alone.")


def _held(n: int, quantity: str, value: float | None, floor: float | None, meaning: str) -> dict[str, Any]:
    """A measurement of n samples, beside the same of as many rows of train."""
    return {"quantity": quantity, "value": value, "floor": floor, "n": n, "meaning": meaning}


def _near_modes(samples: Tensor, other: Tensor, mixture: GaussianMixture) -> list[dict[str, Any]]:
    (found, quality), (all_of_them, most) = (modes(t, mixture.means, mixture.noise) for t in (samples, other))
    n = len(samples)
    return [
        _held(n, "modes", found, all_of_them, f"of {len(mixture.means)}, with 1 % of the samples"),
        _held(n, "quality", quality, most, "share within 3σ of a mode"),
    ]


def _near_rows(samples: Tensor, x: Tensor, other: Tensor, seed: int) -> list[dict[str, Any]]:
    def sliced(y: Tensor) -> float:
        return sliced_wasserstein(x, y, rng=torch.Generator().manual_seed(seed))

    n, h = len(samples), max(torch.pdist(x.flatten(1).double()).median().item(), 1e-6)
    kernel = f"squared, Gaussian kernel, bandwidth {h:.3g}; may be below 0"
    mean = "Wasserstein distance, mean over 100 directions, in units of x"
    return [
        _held(n, "MMD²", mmd(x, samples, h), mmd(x, other, h), kernel),
        _held(n, "sliced W₁", sliced(samples), sliced(other), mean),
    ]


def _near_images(samples: Tensor, x: Tensor, other: Tensor) -> list[dict[str, Any]]:
    n, outside = len(samples), ((samples < 0) | (samples > 1)).double().mean().item()
    real, fake, again = (features(images.clamp(0, 1)) for images in (x, samples, other))
    (precision, recall), (most, all_of_it) = (precision_recall(real, t) for t in (fake, again))
    near, far, meaning = None, None, f"not taken: it needs more than {FEATURES} images"
    if n > FEATURES:
        near, far = (frechet_distance(real, t) for t in (fake, again))
        meaning = "distance, which falls with n: compare at one n alone"
    among = "share of samples among the data; one blob can have 1: see recall"
    rows = [
        _held(n, "Fréchet", near, far, meaning),
        _held(n, "precision", precision, most, among),
        _held(n, "recall", recall, all_of_it, "share of the data among the samples"),
    ]
    clamped = _held(n, "clamped", outside, None, "share of pixel values outside [0, 1], clamped for these")
    return rows + [clamped] * (outside > 0)
