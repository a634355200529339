"""Drawing without computing anything twice: the features of what is drawn are kept, one column of new ones a pixel."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from gmcourse.autoregressive.discrete import choose, from_codes
from gmcourse.autoregressive.masked_convolution import MaskedConv2d


class PositionMap(nn.Module):
    """h + m, m a learned number for every channel and position: where on the image a pixel lies."""

    def __init__(self, channels: int, height: int, width: int):
        super().__init__()
        self.map = nn.Parameter(torch.zeros(channels, height, width))

    def forward(self, h: Tensor) -> Tensor:
        """(batch, channels, H, W) → (batch, channels, H, W)."""
        return h + self.map


class Past:
    """What a convolution was given at the pixels so far, (batch, H, W, inputs), with room around for its kernel.

    Of the kernel's rows only those down to the middle one are kept; the mask of the layer must close the others.
    """

    def __init__(self, layer: nn.Conv2d, batch: int, height: int, width: int):
        self.up, self.side = (size // 2 for size in layer.weight.shape[2:])
        weight = layer.masked_weight() if isinstance(layer, MaskedConv2d) else layer.weight
        self.weight = weight[:, :, : self.up + 1].permute(2, 3, 1, 0).flatten(0, 2)  # (taps · inputs, outputs)
        self.bias = weight.new_zeros(len(weight)) if layer.bias is None else layer.bias
        self.given = weight.new_zeros(batch, self.up + height, width + 2 * self.side, weight.shape[1])

    def image(self) -> Tensor:
        """The same numbers without the room around, (batch, inputs, H, W): a view, to be read and written."""
        return self.given[:, self.up :, self.side : self.given.shape[2] - self.side].permute(0, 3, 1, 2)

    def __call__(self, column: Tensor, r: int, c: int) -> Tensor:
        """The outputs at pixel (r, c), (batch, outputs), where the inputs there are `column`, (batch, inputs)."""
        if self.up == self.side == 0:
            return torch.addmm(self.bias, column, self.weight)
        self.given[:, r + self.up, c + self.side] = column
        window = self.given[:, r : r + self.up + 1, c : c + 2 * self.side + 1]
        return torch.addmm(self.bias, window.flatten(1), self.weight)


class Columns:
    """Applies layers at the one pixel `at`: columns(layer, (batch, inputs)) → (batch, outputs).

    A network written as a function of how a layer is applied is thus written once, for images and for single pixels.
    """

    def __init__(self, batch: int, height: int, width: int):
        self.size = batch, height, width
        self.at: tuple[int, int] = 0, 0
        self.pasts: dict[nn.Module, Past] = {}

    def past(self, layer: nn.Conv2d) -> Past:
        """What the layer was given so far; nothing yet where it is new."""
        if layer not in self.pasts:
            self.pasts[layer] = Past(layer, *self.size)
        return self.pasts[layer]

    def __call__(self, layer: nn.Module, column: Tensor) -> Tensor:
        r, c = self.at
        if isinstance(layer, PositionMap):
            return column + layer.map[:, r, c]
        return self.past(layer)(column, r, c) if isinstance(layer, nn.Conv2d) else layer(column)


@torch.no_grad()
def pixel_by_pixel(
    logits_at: Callable[[int, int], Tensor], x: Tensor, u: Tensor, levels: int, known: Tensor | None = None
) -> None:
    """Draw the coordinates of x, (batch, C, H, W), in place and in raster order: `one_by_one`, a pixel's logits alone.

    `logits_at(r, c)` is (batch, V, C), of what stands in x by then; u is (batch, C·H·W). Where `known`, a bool mask
    (C, H, W), x is left as it is.
    """
    channels, height, width = x.shape[1:]
    drawn = torch.ones(x.shape[1:], dtype=torch.bool) if known is None else ~known
    open_places = drawn.cpu().permute(1, 2, 0).tolist()
    for r in range(height):
        for c in range(width):
            for channel in range(channels):
                logits = logits_at(r, c)
                if open_places[r][c][channel]:
                    place = (r * width + c) * channels + channel
                    x[:, channel, r, c] = from_codes(choose(logits[:, :, channel], u[:, place]), levels, x.dtype)
