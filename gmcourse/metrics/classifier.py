"""The features in which pictures of digits are compared: those of one small classifier, trained for it."""

from functools import cache
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.functional import interpolate

WEIGHTS = Path(__file__).parents[1] / "results" / "metrics" / "digit_classifier.safetensors"
SIDE = 28


def digit_classifier() -> nn.Sequential:
    """(batch, 1, 28, 28) in [0, 1] → (batch, 10) logits; what enters its last layer are the 64 features."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(32 * 7 * 7, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )


@torch.no_grad()
def features(images: Tensor, batch_size: int = 500) -> Tensor:
    """Features of grey images of digits, (n, 1, H, W) in [0, 1] → (n, 64); other sizes are brought to 28 × 28.

    The classifier was trained by benchmarks/metrics/digit_classifier.py, which also keeps its accuracy. Raises
    ValueError for another shape or for values outside [0, 1].
    """
    return _through(_trained()[:-1], images, batch_size)


@torch.no_grad()
def digit_class(images: Tensor, batch_size: int = 500) -> Tensor:
    """The digit that the same classifier reads in each picture, (n, 1, H, W) in [0, 1] → (n,) int64."""
    return _through(_trained(), images, batch_size).argmax(1)


def _through(network: nn.Module, images: Tensor, batch_size: int) -> Tensor:
    if images.dim() != 4 or images.shape[1] != 1 or not len(images):
        raise ValueError(f"images: got shape {tuple(images.shape)}, expected (n, 1, height, width)")
    if not (images.min() >= 0 and images.max() <= 1):
        raise ValueError(f"images: got values in [{images.min():.3g}, {images.max():.3g}], expected [0, 1]")
    return torch.cat([network(resized(part.float())) for part in images.split(batch_size)])


def resized(images: Tensor) -> Tensor:
    """(n, 1, H, W) → (n, 1, 28, 28), bilinear."""
    return interpolate(images, size=(SIDE, SIDE), mode="bilinear")


@cache
def _trained() -> nn.Sequential:
    classifier = digit_classifier()
    classifier.load_state_dict(load_file(WEIGHTS))
    return classifier.eval()
