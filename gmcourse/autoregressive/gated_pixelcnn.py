"""Gated PixelCNN: two stacks of convolutions, one for the rows above and one for the own row, and gates."""

from functools import partial
from math import prod

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from gmcourse.autoregressive.discrete import (
    codes_log_prob,
    levels_of,
    require_levels,
    to_codes,
    uniforms,
)
from gmcourse.autoregressive.incremental import Past, pixel_by_pixel
from gmcourse.autoregressive.masked_convolution import Kind, MaskedConv2d, pixel_mask
from gmcourse.nets import sampling
from gmcourse.protocols import Density, Sampler, Trainable
from gmcourse.record import IMAGES, Examples, ModelRecord, binary_images, held_then_falling_plan, shape_of


def gate(features: Tensor, given_features: Tensor | None = None) -> Tensor:
    """tanh(f + f′) ⊙ σ(g + g′), (batch, p, …), of features (batch, 2p, …): first f, then g.

    `given_features` (batch, 2p) are f′ and g′, the same at every place. van den Oord et al. 2016 (Conditional image
    generation with PixelCNN decoders), equations 2 and 4. Equation: autoregressive-gate
    """
    if given_features is not None:
        features = features + given_features.view(*given_features.shape, *[1] * (features.dim() - 2))
    filtered, opened = features.chunk(2, dim=1)
    return filtered.tanh() * opened.sigmoid()


def one_row_late(maps: Tensor) -> Tensor:
    """Each row of (batch, channels, H, W) moved down by one; the first is 0, the last is gone."""
    return F.pad(maps, (0, 0, 1, 0))[:, :, :-1]


class RowConv(MaskedConv2d):
    """A masked convolution along the own row with two outputs for each of `width` maps, both of that map's colour."""

    def __init__(self, inputs: int, width: int, kernel: int, kind: Kind, colours: int):
        super().__init__(inputs, 2 * width, (1, kernel), kind)
        mask = pixel_mask((1, kernel), kind, inputs, width, colours).repeat(2, 1, 1, 1)
        self.register_buffer("mask", mask, persistent=False)


class GatedLayer(nn.Module):
    """One layer of both stacks: (v, h) → (v′, h′).

    The vertical stack v sees the own row and those above, without a mask, the horizontal stack h the own row's past. Of
    v, what has not yet met its gate is handed to h, one row late, through a 1×1 convolution; nothing goes from h to v.
    Only h has a residual connection, and only where `kind` is "B". With `classes`, `given` (batch,) adds to what meets
    the gates. van den Oord et al. 2016 (Conditional image generation with PixelCNN decoders), figure 2.
    """

    def __init__(self, inputs: int, width: int, kernel: int, kind: Kind, colours: int, classes: int | None):
        super().__init__()
        self.residual, self.reach = kind == "B", kernel // 2
        self.vertical = nn.Conv2d(inputs, 2 * width, (kernel // 2 + 1, kernel))
        self.down = nn.Conv2d(2 * width, 2 * width, 1)
        self.across = RowConv(inputs, width, kernel, kind, colours)
        self.out = MaskedConv2d(width, width, 1, "B", colours)
        self.told = nn.Embedding(classes, 4 * width) if classes else None

    def forward(self, v: Tensor, h: Tensor, given: Tensor | None) -> tuple[Tensor, Tensor]:
        """(batch, inputs, H, W) twice → (batch, width, H, W) twice."""
        given_v, given_h = self.given_features(given)
        above = self.vertical(F.pad(v, (self.reach, self.reach, self.reach, 0)))
        out = self.out(gate(self.down(one_row_late(above)) + self.across(h), given_h))
        return gate(above, given_v), h + out if self.residual else out

    def given_features(self, given: Tensor | None) -> tuple[Tensor, Tensor] | tuple[None, None]:
        """What the class adds in the vertical and in the horizontal stack, (batch, 2 width) each."""
        if self.told is None:
            return None, None
        given_v, given_h = self.told(given).chunk(2, dim=1)
        return given_v, given_h


class GatedPixelCNN(nn.Module):
    """p(x) = Π_d p(x_d | x_<d) on images of levels k/(V−1), (batch, C, H, W), by a vertical and a horizontal stack.

    `layers` gated layers of `width` maps, the first with a kernel of `first`, the others of 3, then two 1×1
    convolutions. Every pixel before d can be seen, once the layers reach it. With `classes`, the model is told a class:
    `given` (batch,) int64. van den Oord et al. 2016 (Conditional image generation with PixelCNN decoders), section 2;
    here the head is narrower (`width`), and the maps are ten times fewer.
    """

    measures = "probability"

    def __init__(
        self,
        event_shape: tuple[int, int, int] = (1, 8, 8),
        levels: int = 2,
        width: int = 24,
        layers: int = 6,
        first: int = 7,
        classes: int | None = None,
    ):
        super().__init__()
        self.event_shape, self.levels, self.classes = event_shape, levels, classes
        colours = event_shape[0]
        begin = GatedLayer(colours, width, first, "A", colours, classes)
        rest = [GatedLayer(width, width, 3, "B", colours, classes) for _ in range(layers - 1)]
        self.layers = nn.ModuleList([begin, *rest])
        outputs = MaskedConv2d(width, colours * levels, 1, "B", colours)
        self.head = nn.Sequential(nn.ReLU(), MaskedConv2d(width, width, 1, "B", colours), nn.ReLU(), outputs)
        self.to(memory_format=torch.channels_last)  # a third faster on a processor

    def logits(self, x: Tensor, given: Tensor | None = None) -> Tensor:
        """(batch, V, C, H, W): of each sub-pixel, from those before it alone."""
        self._require_told(given)
        v = h = x
        for layer in self.layers:
            v, h = layer(v, h, given)
        return self.head(h).unflatten(1, (self.event_shape[0], self.levels)).transpose(1, 2)

    def log_prob(self, x: Tensor, given: Tensor | None = None) -> Tensor:
        """ln p(x), (batch,), nats."""
        return codes_log_prob(self.logits(x, given), to_codes(x, self.levels))

    def loss(self, x: Tensor, given: Tensor | None = None) -> Tensor:
        """−ln p(x), mean over the batch, nats. Raises ValueError for other values than levels."""
        require_levels(x, self.levels)
        return -self.log_prob(x, given).mean()

    def sample(self, n: int, given: Tensor | None = None, *, rng: Generator | None = None) -> Tensor:
        """n images, (n, C, H, W), drawn sub-pixel by sub-pixel; each feature is computed once."""
        with sampling(self, n, rng):
            self._require_told(given)
            u = uniforms(n, prod(self.event_shape), next(self.parameters()), rng)
            stacks = Stacks(self, n, given)
            pixel_by_pixel(stacks.logits, stacks.x, u, self.levels)
            return stacks.x.contiguous()

    def _require_told(self, given: Tensor | None) -> None:
        if (given is None) != (self.classes is None):
            expected = "None" if self.classes is None else f"classes (batch,), int64, of 0..{self.classes - 1}"
            raise ValueError(f"given: got {'None' if given is None else 'a tensor'}, expected {expected}")


class Stacks:
    """Both stacks, filled in while an image x is drawn: the vertical one row by row, the horizontal one by pixels.

    `logits(r, c)` is (n, V, C), from what stands in x, (n, C, H, W), by then. Each feature is computed once.
    """

    def __init__(self, model: GatedPixelCNN, n: int, given: Tensor | None):
        self.model, size = model, (n, *model.event_shape[1:])
        self.pasts = [(Past(layer.across, *size), Past(layer.out, *size)) for layer in model.layers]
        self.head = [Past(layer, *size) for layer in model.head if isinstance(layer, MaskedConv2d)]
        self.x = self.pasts[0][0].image()
        width = model.layers[0].out.in_channels
        self.above = [self.x, *(self.x.new_zeros(n, width, *size[1:]) for _ in model.layers)]
        self.told = [layer.given_features(given) for layer in model.layers]
        self.row = -1

    def logits(self, r: int, c: int) -> Tensor:
        """Of the pixel (r, c), (n, V, C); pixels must be asked for in raster order."""
        if r != self.row:
            self.row, self.down = r, [self._handed_down(depth, r) for depth in range(len(self.told))]
        h = self.x[:, :, r, c]
        for layer, (across, out), down in zip(self.model.layers, self.pasts, self.down):
            new = out(gate(across(h, r, c) + down[c]), r, c)
            h = h + new if layer.residual else new
        for layer in self.head:
            h = layer(h.relu(), r, c)
        return h.unflatten(1, (-1, self.model.levels)).transpose(1, 2)

    def _handed_down(self, depth: int, r: int) -> Tensor:
        """What the layer tells row r from above and of the class, (W, n, 2p), once the maps of row r − 1 are made."""
        layer, v, (given_v, given_h) = self.model.layers[depth], self.above[depth], self.told[depth]
        k = layer.reach
        above = v.new_zeros(len(v), layer.down.in_channels, 1, v.shape[3])
        if r:
            above = layer.vertical(F.pad(v[:, :, max(r - 1 - k, 0) : r], (k, k, max(k + 1 - r, 0), 0)))
            self.above[depth + 1][:, :, r - 1 : r] = gate(above, given_v)
        told = layer.down(above)[:, :, 0]
        told = told if given_h is None else told + given_h[:, :, None]
        return told.permute(2, 0, 1).contiguous()


def make_gated_pixelcnn(data: Examples | None = None) -> GatedPixelCNN:
    """Six layers of 24 maps; the levels are counted in the data. Without data: for 8×8 binary images."""
    channels, height, width = shape_of(data, (1, 8, 8))
    return GatedPixelCNN((channels, height, width), 2 if data is None else levels_of(data))


GATED_PIXELCNN = ModelRecord(
    name="Gated PixelCNN",
    key="gated-pixelcnn",
    family="autoregressive",
    branch=("explicit density", "tractable", "fully visible belief net"),
    density="exact",
    claims=(Trainable, Sampler, Density),
    paper="vandenoord2016conditional",
    year=2016,
    arxiv="1606.05328",
    lesson="02_autoregressive/04_gates_and_mixtures",
    suits=IMAGES,
    make=make_gated_pixelcnn,
    plan=partial(held_then_falling_plan, steps=800, batch_size=32, peak=3e-3),
    example=binary_images,
)
