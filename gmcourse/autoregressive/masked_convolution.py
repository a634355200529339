"""Masked convolutions: a pixel sees the pixels above it and those to its left, and no others."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Kind = Literal["A", "B"]


def pixel_mask(
    kernel: int | tuple[int, int], kind: Kind, inputs: int = 1, outputs: int = 1, colours: int = 1
) -> Tensor:
    """1 where a kernel tap looks at the past, 0 elsewhere: (outputs, inputs, rows, columns), float.

    Past is every row above, and of the own row what lies to the left. Of the own pixel, a map of colour a sees the maps
    of colours b < a (kind "A", for the first layer) or b ≤ a ("B", for all later ones). Maps come in `colours` groups
    of neighbours, in the order R, G, B: the first third of them belongs to R. `kernel` is one odd number, or two, rows
    and columns. Raises ValueError for an even kernel or another kind. van den Oord et al. 2016 (Pixel recurrent neural
    networks), section 3.4.

    Equation: autoregressive-pixel-mask
    """
    rows, columns = _kernel(kernel)
    if kind not in ("A", "B"):
        raise ValueError(f"kind: got {kind!r}, expected 'A' or 'B'")
    mask = torch.zeros(outputs, inputs, rows, columns)
    mask[:, :, : rows // 2] = 1
    mask[:, :, rows // 2, : columns // 2] = 1
    later, earlier = colour_of(outputs, colours)[:, None], colour_of(inputs, colours)[None, :]
    mask[:, :, rows // 2, columns // 2] = (earlier < later if kind == "A" else earlier <= later).float()
    return mask


def colour_of(maps: int, colours: int) -> Tensor:
    """The colour that each of `maps` feature maps belongs to, (maps,) int64: neighbours share one."""
    if maps < colours or colours < 1:
        raise ValueError(f"colours: got {colours} for {maps} maps, expected 1 to {maps}")
    return torch.arange(maps) * colours // maps


class MaskedConv2d(nn.Conv2d):
    """A convolution whose weights are multiplied by `pixel_mask` in every pass; the image's size is kept.

    The mask stands in the forward pass and not on the stored weights, which an optimiser's step would fill again.
    """

    mask: Tensor

    def __init__(self, inputs: int, outputs: int, kernel: int | tuple[int, int], kind: Kind, colours: int = 1):
        rows, columns = _kernel(kernel)
        super().__init__(inputs, outputs, (rows, columns), padding=(rows // 2, columns // 2))
        self.register_buffer("mask", pixel_mask(kernel, kind, inputs, outputs, colours), persistent=False)

    def masked_weight(self) -> Tensor:
        """The weight as the pass uses it, (outputs, inputs, rows, columns)."""
        return self.weight * self.mask

    def forward(self, input: Tensor) -> Tensor:
        """(batch, inputs, H, W) → (batch, outputs, H, W)."""
        return F.conv2d(input, self.masked_weight(), self.bias, padding=self.padding)


def _kernel(kernel: int | tuple[int, int]) -> tuple[int, int]:
    rows, columns = (kernel, kernel) if isinstance(kernel, int) else kernel
    if rows < 1 or columns < 1 or rows % 2 == 0 or columns % 2 == 0:
        raise ValueError(f"kernel: got {kernel}, expected odd sizes")
    return rows, columns
