"""Samples as a file: an array of anything, a picture of images or of points of the plane, or the lines of a text."""

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from gmcourse.checkpoint import write
from gmcourse.data import Dataset

SUFFIXES = (".png", ".txt", ".npy")


def chosen(out: Path | None, data: Dataset) -> Path:
    """`out`, or a name of the best kind: grey or coloured images and points of the plane make a picture.

    Raises ValueError where samples like the data make no such file.
    """
    shape = data.event_shape
    drawable = data.alphabet is None and ((len(shape) == 3 and shape[0] in (1, 3)) or shape == (2,))
    suffixes = (*[".png"] * drawable, *[".txt"] * (data.alphabet is not None), ".npy")
    out = out or Path(f"samples{suffixes[0]}")
    if out.suffix.lower() not in suffixes:
        what = "text" if out.suffix.lower() == ".txt" else "picture"
        raise ValueError(f"out: samples of shape (n, *{shape}) make no {what}; name an .npy")
    return out


def write_samples(out: Path, samples: Tensor, alphabet: str | tuple[str, ...] | None = None) -> None:
    """Samples (n, *event) as .npy, as .txt with an alphabet, a sample a paragraph, or else as .png."""
    buffer, samples = io.BytesIO(), samples.cpu()
    if out.suffix.lower() == ".npy":
        np.save(buffer, samples.numpy())
    elif out.suffix.lower() == ".txt" and alphabet is not None:
        between = "" if isinstance(alphabet, str) else " "
        texts = (between.join(alphabet[code] for code in row) for row in samples.tolist())
        buffer.write("\n\n".join(texts).encode())
    else:
        _picture(samples).savefig(buffer, format="png", dpi=150)
    write(out, buffer.getvalue())


def outside(samples: Tensor) -> float:
    """The share of image values outside [0, 1], which a picture clamps."""
    return ((samples < 0) | (samples > 1)).double().mean().item() if samples.dim() == 4 else 0.0


def _picture(samples: Tensor) -> Any:
    from gmcourse.show.images import grid

    if samples.dim() == 4:
        return grid(samples.clamp(0, 1), columns=math.ceil(math.sqrt(len(samples))))
    return _scatter(samples)


def _scatter(points: Tensor) -> Any:
    from matplotlib.figure import Figure

    from gmcourse.show.style import COLOURS

    figure = Figure(figsize=(4, 4), layout="constrained")
    axes = figure.subplots()
    axes.scatter(*points.T, s=6, color=COLOURS["samples"])
    axes.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
    return figure
