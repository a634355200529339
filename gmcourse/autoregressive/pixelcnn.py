"""PixelCNN: a stack of masked convolutions gives every pixel's probabilities in one pass. van den Oord et al. 2016."""

import math
from collections.abc import Callable
from functools import partial
from typing import cast

import torch
from torch import Generator, Tensor, nn

from gmcourse.autoregressive.discrete import codes_log_prob, levels_of, require_levels, to_codes, uniforms
from gmcourse.autoregressive.incremental import Columns, PositionMap, pixel_by_pixel
from gmcourse.autoregressive.masked_convolution import MaskedConv2d
from gmcourse.nets import sampling
from gmcourse.protocols import Density, Sampler, Trainable
from gmcourse.record import IMAGES, Examples, ModelRecord, binary_images, held_then_falling_plan, shape_of

Apply = Callable[[nn.Module, Tensor], Tensor]


class Bottleneck(nn.Module):
    """h + expand(relu(look(relu(narrow(relu h))))): 1 × 1 to half the width, masked 3 × 3, 1 × 1 back, from near 0.

    van den Oord et al. 2016, section 3.3.
    """

    def __init__(self, width: int, kernel: int, colours: int):
        super().__init__()
        self.narrow = MaskedConv2d(width, width // 2, 1, "B", colours)
        self.look = MaskedConv2d(width // 2, width // 2, kernel, "B", colours)
        self.expand = MaskedConv2d(width // 2, width, 1, "B", colours)
        nn.init.normal_(self.expand.weight, std=0.01)

    def through(self, apply: Apply, h: Tensor) -> Tensor:
        """The block where apply(layer, h) applies a layer: to images, or to the column of one pixel."""
        inner = apply(self.narrow, h.relu())
        return h + apply(self.expand, apply(self.look, inner.relu_()).relu_())


class PixelCNN(nn.Module):
    """p(x) = ∏_d p(x_d | x_<d), pixels in raster order, the colours of a pixel in the order R, G, B; V levels each.

    A 7 × 7 convolution of mask A, a learned map of positions where `positions` (not in the paper), `blocks` residual
    bottlenecks of mask B, two 1 × 1. `width` is the number of feature maps, of all colours together. van den Oord et
    al. 2016 (Pixel recurrent neural networks), sections 3.4 and 3.5, table 1.

    Equation: autoregressive-pixelcnn
    """

    measures = "probability"

    def __init__(
        self,
        event_shape: tuple[int, ...],
        levels: int = 2,
        *,
        width: int = 32,
        blocks: int = 4,
        first: int = 7,
        kernel: int = 3,
        positions: bool = True,
    ):
        super().__init__()
        colours, height, wide = event_shape
        self.event_shape, self.levels = tuple(event_shape), levels
        self.first = MaskedConv2d(colours, width, first, "A", colours)
        self.positions = PositionMap(width, height, wide) if positions else nn.Identity()
        self.blocks = nn.ModuleList(Bottleneck(width, kernel, colours) for _ in range(blocks))
        self.before_last = MaskedConv2d(width, width, 1, "B", colours)
        self.last = MaskedConv2d(width, colours * levels, 1, "B", colours)

    def through(self, apply: Apply, x: Tensor) -> Tensor:
        """Logits (batch, V, C, …) of x, (batch, C, …), where apply(layer, h) applies a layer."""
        h = apply(self.positions, apply(self.first, x))
        for block in self.blocks:
            h = cast(Bottleneck, block).through(apply, h)
        h = apply(self.last, apply(self.before_last, h.relu()).relu_())
        return h.unflatten(1, (self.event_shape[0], self.levels)).transpose(1, 2)

    def logits(self, x: Tensor) -> Tensor:
        """(batch, C, H, W) → (batch, V, C, H, W); the logits of a place depend on the places before it alone."""
        return self.through(lambda layer, h: layer(h), _pixels_together(x))

    def log_prob(self, x: Tensor) -> Tensor:
        """(batch,), nats, of images of levels k/(V−1)."""
        return codes_log_prob(self.logits(x), to_codes(x, self.levels))

    def loss(self, x: Tensor) -> Tensor:
        """The mean of −ln p(x). Raises ValueError where x holds other values than k/(V−1)."""
        require_levels(x, self.levels)
        return -self.log_prob(x).mean()

    def sample(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """(n, C, H, W), drawn pixel by pixel, the features of earlier pixels kept."""
        with sampling(self, n, rng):
            like = self.first.weight
            return self._fill(like.new_zeros(n, *self.event_shape), self._uniforms(n, rng))

    def complete(self, x: Tensor, known: Tensor, *, rng: Generator | None = None) -> Tensor:
        """x, (batch, C, H, W), with each place that is not `known`, a bool mask (C, H, W), drawn from p(x_d | x_<d).

        Exact draws of p(unknown | known) where the known places come first in raster order; a known place that comes
        after an unknown one has no say in it.

        Equation: autoregressive-completion
        """
        self._require_mask(known)
        with sampling(self, len(x), rng):
            return self._fill(x, self._uniforms(len(x), rng), known)

    def log_prob_given(self, x: Tensor, known: Tensor) -> Tensor:
        """ln p(the places that are not known | the known ones), (batch,), nats: the sum of their conditionals.

        Raises ValueError unless the known places come first in raster order.

        Equation: autoregressive-completion
        """
        self._require_mask(known)
        place = known.permute(1, 2, 0).flatten()
        if (place[1:] & ~place[:-1]).any():
            raise ValueError("known: got a place after one that is not known, expected the first places")
        log_probs = self.logits(x).log_softmax(1).gather(1, to_codes(x, self.levels)[:, None])[:, 0]
        return (log_probs * ~known).flatten(1).sum(1)

    def _require_mask(self, known: Tensor) -> None:
        if known.dtype != torch.bool or known.shape != self.event_shape:
            raise ValueError(f"known: got {known.dtype} {tuple(known.shape)}, expected bool {self.event_shape}")

    def _uniforms(self, n: int, rng: Generator | None) -> Tensor:
        return uniforms(n, math.prod(self.event_shape), self.first.weight, rng)

    def _fill(self, x: Tensor, u: Tensor, known: Tensor | None = None) -> Tensor:
        """x with its unknown places drawn; the first layer's past is the image itself."""
        columns = Columns(len(x), *self.event_shape[1:])
        image = columns.past(self.first).image()
        image.copy_(x)

        def logits_at(r: int, c: int) -> Tensor:
            columns.at = r, c
            return self.through(columns, image[:, :, r, c])

        pixel_by_pixel(logits_at, image, u, self.levels, known)
        return image.contiguous()


def _pixels_together(x: Tensor) -> Tensor:
    """The same images, the colours of a pixel side by side in memory: twice as fast on a processor."""
    colours = x.shape[1]
    return x.movedim(1, -1).flatten(2).unflatten(2, (-1, colours)).movedim(-1, 1)


def _make(data: Examples | None) -> PixelCNN:
    return PixelCNN(shape_of(data, (1, 8, 8)), 2 if data is None else levels_of(data))


PIXELCNN = ModelRecord(
    name="PixelCNN",
    key="pixelcnn",
    family="autoregressive",
    branch=("explicit density", "tractable", "fully visible belief net"),
    density="exact",
    claims=(Trainable, Sampler, Density),
    paper="vandenoord2016pixel",
    year=2016,
    arxiv="1601.06759",
    lesson="02_autoregressive/03_convolutional_pixels",
    suits=IMAGES,
    make=_make,
    plan=partial(held_then_falling_plan, steps=600, batch_size=32, peak=3e-3),
    example=binary_images,
)
