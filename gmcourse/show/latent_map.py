"""The latent map: a decoder that runs in the page, dragged through its latent plane."""

import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import anywidget
import numpy as np
import torch
import traitlets
from PIL import Image
from torch import Tensor, nn

from gmcourse.show.style import CLASS_COLOURS

_JS = Path(__file__).parent / "js"
_ACTIVATIONS = {nn.ReLU: "relu", nn.Tanh: "tanh", nn.Sigmoid: "sigmoid"}
_SHAPES_ONLY = (nn.Identity, nn.Dropout, nn.Flatten, nn.Unflatten)


def join_modules(*names: str) -> str:
    """The ES modules of `show/js` as one, in this order: no imports of each other, the last's exports alone."""
    sources = [(_JS / name).read_text("utf-8") for name in names]
    sources = [re.sub(r'^import .* from "\./\w+\.js";\n', "", source, flags=re.MULTILINE) for source in sources]
    shared = [re.sub(r"^export (?=function|const)", "", source, flags=re.MULTILINE) for source in sources[:-1]]
    return "\n".join([*shared, sources[-1]])


def layers_of(network: nn.Sequential, name: str = "decoder") -> tuple[list[list[int] | str], bytes]:
    """What `mlp.js` runs: [inputs, outputs] or an activation's name for each layer, and all weights as float32.

    Dropout rests and changes of shape do nothing to a flat vector; a leaky ReLU has the slope 0.2. Raises TypeError for
    any other layer, with the `name` of the argument.
    """
    if not isinstance(network, nn.Sequential):
        raise TypeError(f"{name}: got {type(network).__name__}, expected an nn.Sequential")
    layers, numbers = [], []
    for layer in _flatten(network):
        if isinstance(layer, nn.Linear):
            layers.append([layer.in_features, layer.out_features])
            bias = layer.bias if layer.bias is not None else torch.zeros(layer.out_features)
            numbers += [layer.weight.detach().flatten(), bias.detach()]
        elif isinstance(layer, nn.LeakyReLU) and layer.negative_slope == 0.2:
            layers.append("leaky_relu")
        elif type(layer) in _ACTIVATIONS:
            layers.append(_ACTIVATIONS[type(layer)])
        elif not isinstance(layer, _SHAPES_ONLY):
            known = ", ".join(kind.__name__ for kind in (nn.Linear, *_ACTIVATIONS, *_SHAPES_ONLY)) + ", LeakyReLU(0.2)"
            raise TypeError(f"{name}: got a layer {type(layer).__name__}, which the page cannot run; expected {known}")
    weights = torch.cat([part.cpu() for part in numbers]) if numbers else torch.zeros(0)
    return layers, weights.numpy().astype("<f4").tobytes()


def _flatten(stack: nn.Sequential) -> Iterator[nn.Module]:
    for layer in stack:
        yield from _flatten(layer) if isinstance(layer, nn.Sequential) else (layer,)


class LatentMap(anywidget.AnyWidget):
    """Drag z through a 2-D latent plane and see decoder(z), computed in the page: no kernel is needed.

    `decoder` (an MLP, 2 numbers to height × width in [0, 1]: end it with nn.Sigmoid where it gives logits), `points`
    (n, 2) the codes of data, `labels` (n,) their classes 0, 1, …, `shape` (height, width), `images` (n, ..., height,
    width) in [0, 1] the data themselves (the nearest is shown beside the decoded one), `classes` the names of the
    classes. Rings mark 1, 2 and 3 standard deviations of the prior N(0, I). `z` follows the handle where a kernel runs.
    """

    _esm = join_modules("mlp.js", "keys.js", "plot.js", "latent_map.js")
    _css = (_JS / "latent_map.css").read_text("utf-8")

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

    def __init__(
        self,
        decoder: nn.Sequential,
        points: Tensor,
        labels: Tensor,
        shape: tuple[int, int],
        *,
        images: Tensor | None = None,
        classes: Sequence[str] | None = None,
    ):
        layers, weights = layers_of(decoder)
        _check_sizes(layers, tuple(shape))
        _check_data(points, labels)
        count = int(labels.max()) + 1
        classes = list(classes) if classes is not None else [str(label) for label in range(count)]
        if len(classes) < count:
            raise ValueError(f"classes: got {len(classes)} names, expected one for each of {count} labels")
        codes = points.detach().cpu().numpy().astype("<f4")
        super().__init__(
            layers=layers,
            weights=weights,
            points=codes.tobytes(),
            labels=labels.cpu().numpy().astype("uint8").tobytes(),
            images=_sheet(images, len(points), tuple(shape)) if images is not None else b"",
            classes=classes,
            shape=list(shape),
            extent=max(3.2, float(np.ceil(np.abs(codes).max() * 10) / 10)),
        )


def _check_sizes(layers: list[list[int] | str], shape: tuple[int, ...]) -> None:
    if len(shape) != 2 or min(shape) < 1:
        raise ValueError(f"shape: got {shape}, expected (height, width)")
    linear = [layer for layer in layers if not isinstance(layer, str)]
    if not linear or linear[0][0] != 2:
        came = linear[0][0] if linear else "no linear layer"
        raise ValueError(f"decoder: got {came} as its input size, expected 2: the map shows a latent plane")
    for (_, outputs), (inputs, _) in zip(linear, linear[1:], strict=False):
        if inputs != outputs:
            raise ValueError(f"decoder: got a layer of {inputs} inputs, expected the {outputs} outputs before it")
    if linear[-1][1] != shape[0] * shape[1]:
        raise ValueError(f"decoder: got {linear[-1][1]} outputs, expected {shape[0] * shape[1]} for the shape {shape}")


def _check_data(points: Tensor, labels: Tensor) -> None:
    if points.ndim != 2 or points.shape[1] != 2 or not len(points) or not points.isfinite().all():
        raise ValueError(f"points: got {tuple(points.shape)}, expected (n, 2), n at least 1, all finite")
    if labels.shape != points.shape[:1] or labels.is_floating_point() or labels.min() < 0 or labels.max() > 255:
        came = f"{labels.dtype} of shape {tuple(labels.shape)}"
        raise ValueError(f"labels: got {came}, expected ({len(points)},) whole numbers from 0 to 255")


def _sheet(images: Tensor, count: int, shape: tuple[int, int]) -> bytes:
    """All images side by side in one PNG of 16 greys, ink on paper."""
    if len(images) != count or images[0].numel() != shape[0] * shape[1] or tuple(images.shape[-2:]) != shape:
        raise ValueError(f"images: got {tuple(images.shape)}, expected ({count}, {shape[0]}, {shape[1]})")
    paper = 1 - images.detach().cpu().float().clamp(0, 1).reshape(count, *shape)
    strip = (paper.permute(1, 0, 2).reshape(shape[0], -1) * 15).round().byte().numpy() * 17
    file = io.BytesIO()
    Image.fromarray(strip).quantize(16).save(file, "png", optimize=True, bits=4)
    return file.getvalue()
