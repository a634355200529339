"""Pixel completion: the reader draws the upper rows of a digit, and a PixelCNN that runs in the page draws the rest."""

from pathlib import Path

import torch
import traitlets
from matplotlib.figure import Figure
from torch import Tensor, nn

from gmcourse.autoregressive.incremental import PositionMap
from gmcourse.autoregressive.masked_convolution import MaskedConv2d
from gmcourse.autoregressive.pixelcnn import PixelCNN
from gmcourse.probability import is_binary
from gmcourse.show.explorer import float_bytes, joined
from gmcourse.show.images import grid
from gmcourse.show.style import png
from gmcourse.show.widget import Explorer, styled

_HERE = Path(__file__).parent
_ALT = "The upper rows of a digit, and below them the rows that a model drew, in several ways."


class PixelCompletion(Explorer):
    """Draw the upper rows of a digit; a PixelCNN draws the rest, many times, with the exact ln p of each way.

    `model` is a PixelCNN of one channel and two levels, with a map of positions; its weights go into the page, where no
    kernel is needed. `examples` (n, 1, H, W), of 0 and 1, are digits to begin with; `rows` of the first are given. For
    print and for GitHub there is `still`, or else eight ways to go on with the first example; `alt` says what is seen.
    Raises TypeError or ValueError with the name of what does not fit.
    """

    _esm = joined(_HERE / "pixel_completion.js")
    _css = styled(_HERE / "pixel_completion.css")

    shape = traitlets.Dict().tag(sync=True)
    weights = traitlets.Bytes().tag(sync=True)
    examples = traitlets.Bytes().tag(sync=True)
    rows = traitlets.Int().tag(sync=True)

    def __init__(
        self, model: PixelCNN, examples: Tensor, *, rows: int = 4, still: Figure | None = None, alt: str = _ALT
    ):
        shape, weights = exported(model)
        if examples.shape[1:] != model.event_shape or not len(examples) or not is_binary(examples):
            raise ValueError(f"examples: got {tuple(examples.shape)}, expected (n, *{model.event_shape}) of 0 and 1")
        if not 1 <= rows < shape["height"]:
            raise ValueError(f"rows: got {rows}, expected 1 to {shape['height'] - 1}")
        super().__init__(
            still=still,
            opening=lambda: png(_ways(model, examples[0], rows)),
            alt=alt,
            shape=shape,
            weights=weights,
            examples=examples.flatten(1).byte().cpu().numpy().tobytes(),
            rows=rows,
        )


def exported(model: PixelCNN) -> tuple[dict[str, int], bytes]:
    """What `pixelcnn.js` runs: the sizes of the net, and its weights as the passes use them, float32, in their order.

    Raises TypeError or ValueError for another model than a PixelCNN of one channel, two levels and a map of positions.
    """
    if not isinstance(model, PixelCNN):
        raise TypeError(f"model: got {type(model).__name__}, expected a PixelCNN")
    if model.event_shape[0] != 1 or model.levels != 2 or not isinstance(model.positions, PositionMap):
        raise ValueError(f"model: got {model.event_shape}, {model.levels} levels, expected one channel, two, positions")
    numbers: list[Tensor] = []
    for layer in model.modules():
        if isinstance(layer, MaskedConv2d) and layer.bias is not None:
            numbers += [layer.masked_weight().flatten(), layer.bias]
        elif isinstance(layer, PositionMap):
            numbers.append(layer.map.flatten())
    kernels = [layer.kernel_size[0] for layer in model.blocks.modules() if isinstance(layer, nn.Conv2d)]
    sizes = {"height": model.event_shape[1], "width": model.event_shape[2], "channels": model.first.out_channels}
    sizes |= {"first": model.first.kernel_size[0], "kernel": max(kernels, default=1), "blocks": len(model.blocks)}
    return sizes, float_bytes(torch.cat(numbers))


def _ways(model: PixelCNN, example: Tensor, rows: int) -> Figure:
    """The example with its last rows drawn eight times."""
    known = torch.zeros(model.event_shape, dtype=torch.bool)
    known[:, :rows] = True
    ways = model.complete(example.expand(8, *model.event_shape), known, rng=torch.Generator().manual_seed(0))
    return grid(ways, columns=8)
