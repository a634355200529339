"""The latent map: a decoder that runs in the page, dragged through its latent plane."""

import io
import math
from collections.abc import Sequence
from pathlib import Path

import torch
import traitlets
from matplotlib.figure import Figure
from PIL import Image
from torch import Tensor, nn

from gmcourse.nets import evaluating
from gmcourse.show.explorer import check_sizes, checked_points, float_bytes, joined, layers_of
from gmcourse.show.latent_map.figure import map_figure
from gmcourse.show.style import CLASS_COLOURS, png
from gmcourse.show.widget import Explorer, styled

_HERE = Path(__file__).parent
_ALT = (
    "A latent plane with the code of every example as a point, and a handle at z; beside it the image that the decoder "
    "makes of z."
)


class LatentMap(Explorer):
    """Drag z through a 2-D latent plane and see decoder(z), computed in the page: no kernel is needed.

    `decoder` (an MLP, 2 numbers to height × width in [0, 1]: end it with nn.Sigmoid where it gives logits), `points`
    (n, 2) the codes of data, `labels` (n,) their classes 0, 1, …, if they have any, `shape` (height, width), a square
    if not given, `images` (n, ..., height, width) in [0, 1] the data themselves (the nearest is shown beside the
    decoded one), `classes` the names of the classes. Rings mark 1, 2 and 3 standard deviations of the prior N(0, I);
    with `prior=False` there are none, the window is that of the codes, and the distance to the nearest code is told,
    also in units of the median distance of a code to its nearest. The handle opens at `z`, or else in the middle, and
    the trait follows it where a kernel runs. For print and for GitHub there is `still`, or else the map as it opens;
    `alt` says what is seen. Raises TypeError or ValueError with the name of what does not fit.
    """

    _esm = joined(_HERE / "latent_map.js")
    _css = styled(_HERE / "latent_map.css")

    layers = traitlets.List().tag(sync=True)
    weights = traitlets.Bytes().tag(sync=True)
    points = traitlets.Bytes().tag(sync=True)
    labels = traitlets.Bytes().tag(sync=True)
    images = traitlets.Bytes().tag(sync=True)
    classes = traitlets.List(traitlets.Unicode()).tag(sync=True)
    colours = traitlets.List(traitlets.Unicode(), list(CLASS_COLOURS)).tag(sync=True)
    shape = traitlets.List(traitlets.Int()).tag(sync=True)
    extent = traitlets.Float().tag(sync=True)
    z = traitlets.List(traitlets.Float(), [0.0, 0.0], minlen=2, maxlen=2).tag(sync=True)
    prior = traitlets.Bool(True).tag(sync=True)
    centre = traitlets.List(traitlets.Float(), [0.0, 0.0]).tag(sync=True)
    spacing = traitlets.Float(0.0).tag(sync=True)

    def __init__(
        self,
        decoder: nn.Sequential,
        points: Tensor,
        labels: Tensor | None = None,
        shape: tuple[int, int] | None = None,
        *,
        images: Tensor | None = None,
        classes: Sequence[str] | None = None,
        prior: bool = True,
        z: tuple[float, float] | None = None,
        still: Figure | None = None,
        alt: str = _ALT,
    ):
        layers, weights = layers_of(decoder)
        shape = _checked_shape(layers, shape)
        check_sizes(layers, "decoder", 2, shape[0] * shape[1])
        codes = checked_points(points, "points")
        centre, extent = _prior_window(codes) if prior else _window(codes)
        at = _checked_place(z, centre, extent)
        decoded = _checked_range(decoder, codes, centre, extent, at).reshape(shape)
        marks = _checked_labels(labels, len(codes))
        names = _checked_classes(classes, labels)
        super().__init__(
            still=still,
            opening=lambda: png(map_figure(codes, marks, names, decoded, (centre, extent), at, prior=prior)),
            alt=alt,
            layers=layers,
            weights=weights,
            points=float_bytes(codes),
            labels=marks,
            images=_sheet(images, len(codes), shape) if images is not None else b"",
            classes=names,
            shape=list(shape),
            extent=extent,
            z=at,
            prior=prior,
            centre=centre,
            spacing=0.0 if prior else _spacing(codes),
        )


def _prior_window(codes: Tensor) -> tuple[list[float], float]:
    """About the origin, wide enough for three standard deviations of N(0, I) and for every code."""
    return [0.0, 0.0], max(3.2, math.ceil(codes.abs().max().item() * 10) / 10)


def _window(codes: Tensor) -> tuple[list[float], float]:
    """About the middle of the codes, a quarter wider than they need."""
    low, high = codes.amin(0), codes.amax(0)
    return ((low + high) / 2).tolist(), max(0.01, 1.25 * (high - low).max().item() / 2)


def _checked_place(z: tuple[float, float] | None, centre: list[float], extent: float) -> list[float]:
    """Where the handle opens."""
    at = list(centre) if z is None else [float(value) for value in z]
    if len(at) != 2 or not all(abs(value - middle) <= extent for value, middle in zip(at, centre, strict=True)):
        ends = " and ".join(f"{middle - extent:.3g} to {middle + extent:.3g}" for middle in centre)
        raise ValueError(f"z: got {z}, expected two numbers in the window, {ends}")
    return at


def _spacing(codes: Tensor) -> float:
    """The median distance of a code to its nearest; 0 where there is one code."""
    if len(codes) == 1:
        return 0.0
    distances = torch.cdist(codes, codes, compute_mode="donot_use_mm_for_euclid_dist")
    return distances.fill_diagonal_(torch.inf).amin(1).median().item()


def _checked_shape(layers: list[list[int] | str], shape: tuple[int, int] | None) -> tuple[int, int]:
    if shape is None:
        outputs = next((layer[1] for layer in reversed(layers) if not isinstance(layer, str)), 0)
        side = math.isqrt(outputs)
        shape = (side, side)
        if side * side != outputs:
            raise ValueError(f"shape: got None, expected (height, width): {outputs} outputs are no square")
    if not isinstance(shape, Sequence) or len(shape) != 2 or min(shape) < 1:
        raise ValueError(f"shape: got {shape}, expected (height, width)")
    return shape[0], shape[1]


def _checked_range(
    decoder: nn.Sequential, codes: Tensor, centre: list[float], extent: float, at: list[float]
) -> Tensor:
    """The image of `at`; ValueError where the decoder leaves [0, 1] on a grid over the window or on the first codes."""
    axis = torch.linspace(-extent, extent, 21)
    z = torch.cat([torch.tensor([at]), torch.tensor(centre) + torch.cartesian_prod(axis, axis), codes[:500]])
    with torch.no_grad(), evaluating(decoder):
        images = decoder(z.to(next(decoder.parameters())))
    low, high = images.min().item(), images.max().item()
    if not (low >= -1e-6 and high <= 1 + 1e-6):
        came, greys = f"outputs from {low:.3g} to {high:.3g}", "with nn.Hardtanh(0, 1) where it gives greys"
        raise ValueError(f"decoder: got {came}, expected [0, 1]: end it with nn.Sigmoid where it gives logits, {greys}")
    return images[0].float().cpu()


def _checked_labels(labels: Tensor | None, count: int) -> bytes:
    if labels is None:
        return b""
    if not isinstance(labels, Tensor):
        raise TypeError(f"labels: got {type(labels).__name__}, expected a Tensor ({count},), or None")
    if labels.shape != (count,) or labels.is_floating_point() or labels.min() < 0 or labels.max() > 255:
        came = f"{labels.dtype} of shape {tuple(labels.shape)}"
        raise ValueError(f"labels: got {came}, expected ({count},) whole numbers from 0 to 255")
    return labels.cpu().numpy().astype("uint8").tobytes()


def _checked_classes(classes: Sequence[str] | None, labels: Tensor | None) -> list[str]:
    count = 0 if labels is None else int(labels.max()) + 1
    if classes is None:
        return [str(label) for label in range(count)]
    if len(classes) < count or labels is None:
        raise ValueError(f"classes: got {len(classes)} names, expected one for each of {count} labels")
    return list(classes)


def _sheet(images: Tensor, count: int, shape: tuple[int, int]) -> bytes:
    """All images side by side in one PNG of 16 greys, ink on paper."""
    if not isinstance(images, Tensor):
        raise TypeError(f"images: got {type(images).__name__}, expected a Tensor")
    if len(images) != count or images[0].numel() != shape[0] * shape[1] or tuple(images.shape[-2:]) != shape:
        raise ValueError(f"images: got {tuple(images.shape)}, expected ({count}, {shape[0]}, {shape[1]})")
    paper = 1 - images.detach().cpu().float().clamp(0, 1).reshape(count, *shape)
    strip = (paper.permute(1, 0, 2).reshape(shape[0], -1) * 15).round().byte().numpy() * 17
    file = io.BytesIO()
    Image.fromarray(strip).quantize(16).save(file, "png", optimize=True, bits=4)
    return file.getvalue()
