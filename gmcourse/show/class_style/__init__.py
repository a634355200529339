"""Class and style: a decoder that is told both runs in the page, and each is turned alone."""

import math
from collections.abc import Sequence
from pathlib import Path

import torch
import traitlets
from matplotlib.figure import Figure
from torch import Tensor, nn

from gmcourse.nets import evaluating
from gmcourse.show.class_style.figure import style_figure
from gmcourse.show.explorer import check_sizes, checked_points, float_bytes, joined, layers_of
from gmcourse.show.style import CLASS_COLOURS, png
from gmcourse.show.widget import Explorer, styled

_HERE = Path(__file__).parent
_ALT = (
    "A plane of styles with the code of every example as a point and a handle at z; beside it the image of the chosen "
    "class in that style, and below it one image for each class, all in that style."
)


class ClassStyle(Explorer):
    """Turn the style z by a handle and the class by a press, and see decoder(z, class), computed in the page.

    `decoder` is an MLP of 2 + V numbers, z and a 1 at the place of the class, to height × width in [0, 1]: end it with
    nn.Sigmoid where it gives logits. `points` (n, 2) are the codes of data, `labels` (n,) their classes 0 to V − 1;
    `shape` is (height, width), a square if not given; `classes` names the V classes. It opens at `z` and the class
    `chosen`, and the traits follow where a kernel runs. Rings mark 1, 2 and 3 standard deviations of N(0, I). For print
    and for GitHub there is `still`, or else the explorer as it opens; `alt` says what is seen. Raises TypeError or
    ValueError with the name of what does not fit.
    """

    _esm = joined(_HERE / "class_style.js")
    _css = styled(_HERE / "class_style.css")

    layers = traitlets.List().tag(sync=True)
    weights = traitlets.Bytes().tag(sync=True)
    points = traitlets.Bytes().tag(sync=True)
    labels = traitlets.Bytes().tag(sync=True)
    classes = traitlets.List(traitlets.Unicode()).tag(sync=True)
    colours = traitlets.List(traitlets.Unicode(), list(CLASS_COLOURS)).tag(sync=True)
    shape = traitlets.List(traitlets.Int()).tag(sync=True)
    extent = traitlets.Float().tag(sync=True)
    z = traitlets.List(traitlets.Float(), [0.0, 0.0], minlen=2, maxlen=2).tag(sync=True)
    chosen = traitlets.Int(0).tag(sync=True)

    def __init__(
        self,
        decoder: nn.Sequential,
        points: Tensor,
        labels: Tensor,
        shape: tuple[int, int] | None = None,
        *,
        classes: Sequence[str] | None = None,
        z: tuple[float, float] = (0.0, 0.0),
        chosen: int = 0,
        still: Figure | None = None,
        alt: str = _ALT,
    ):
        layers, weights = layers_of(decoder)
        count, shape = _classes_in(layers), _checked_shape(layers, shape)
        check_sizes(layers, "decoder", 2 + count, shape[0] * shape[1])
        codes = checked_points(points, "points")
        extent = max(3.2, math.ceil(codes.abs().max().item() * 10) / 10)
        at, names = _checked_place(z, extent), _checked_names(classes, count)
        if not 0 <= chosen < count:
            raise ValueError(f"chosen: got {chosen}, expected a class from 0 to {count - 1}")
        marks = _checked_labels(labels, len(codes), count)
        pictures = _drawn(decoder, at, count, extent).view(-1, *shape)
        super().__init__(
            still=still,
            opening=lambda: png(style_figure(codes, marks, names, pictures, at, chosen, extent)),
            alt=alt,
            layers=layers,
            weights=weights,
            points=float_bytes(codes),
            labels=marks.astype("uint8").tobytes(),
            classes=names,
            shape=list(shape),
            extent=extent,
            z=at,
            chosen=chosen,
        )


def _classes_in(layers: list[list[int] | str]) -> int:
    """V, of the 2 + V numbers that the first linear layer takes."""
    inputs = next((layer[0] for layer in layers if not isinstance(layer, str)), 0)
    if not 4 <= int(inputs) <= 22:
        raise ValueError(f"decoder: got {inputs} inputs, expected 2 of the style and one for each of 2 to 20 classes")
    return int(inputs) - 2


def _checked_shape(layers: list[list[int] | str], shape: tuple[int, int] | None) -> tuple[int, int]:
    if shape is None:
        outputs = next((int(layer[1]) for layer in reversed(layers) if not isinstance(layer, str)), 0)
        shape = (math.isqrt(outputs), math.isqrt(outputs))
    if not isinstance(shape, Sequence) or len(shape) != 2 or min(shape) < 1:
        raise ValueError(f"shape: got {shape}, expected (height, width)")
    return shape[0], shape[1]


def _checked_place(z: tuple[float, float], extent: float) -> list[float]:
    at = [float(value) for value in z]
    if len(at) != 2 or not all(abs(value) <= extent for value in at):
        raise ValueError(f"z: got {z}, expected two numbers from {-extent:.3g} to {extent:.3g}")
    return at


def _checked_names(classes: Sequence[str] | None, count: int) -> list[str]:
    names = [str(k) for k in range(count)] if classes is None else list(classes)
    if len(names) != count:
        raise ValueError(f"classes: got {len(names)} names, expected one for each of {count} classes")
    return names


def _checked_labels(labels: Tensor, rows: int, count: int):
    """The class of each code, as an array."""
    if not isinstance(labels, Tensor):
        raise TypeError(f"labels: got {type(labels).__name__}, expected a Tensor ({rows},)")
    if labels.shape != (rows,) or labels.is_floating_point() or labels.min() < 0 or labels.max() >= count:
        came = f"{labels.dtype} of shape {tuple(labels.shape)}"
        raise ValueError(f"labels: got {came}, expected ({rows},) whole numbers from 0 to {count - 1}")
    return labels.cpu().numpy()


def _drawn(decoder: nn.Sequential, at: list[float], count: int, extent: float) -> Tensor:
    """The image of each class at `at`, (V, …); ValueError where the decoder leaves [0, 1] on a grid of styles."""
    axis = torch.linspace(-extent, extent, 9)
    z = torch.cat([torch.tensor([at]), torch.cartesian_prod(axis, axis)])
    told = torch.cat([z.repeat_interleave(count, 0), torch.eye(count).repeat(len(z), 1)], 1)
    with torch.no_grad(), evaluating(decoder):
        images = decoder(told.to(next(decoder.parameters())))
    low, high = images.min().item(), images.max().item()
    if not (low >= -1e-6 and high <= 1 + 1e-6):
        came = f"outputs from {low:.3g} to {high:.3g}"
        raise ValueError(f"decoder: got {came}, expected [0, 1]: end it with nn.Sigmoid where it gives logits")
    return images[:count].float().cpu()
