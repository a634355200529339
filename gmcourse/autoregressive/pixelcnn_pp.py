"""PixelCNN++: shifted convolutions at several resolutions, and a mixture of logistics for each pixel."""

from collections.abc import Sequence
from functools import partial
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from gmcourse.autoregressive.discrete import choose, from_codes, levels_of, require_levels, uniforms
from gmcourse.autoregressive.gated_pixelcnn import one_row_late
from gmcourse.autoregressive.logistic_mixture import Mixture, level_logits, mixture_log_prob
from gmcourse.nets import sampling
from gmcourse.protocols import Density, Sampler, Trainable
from gmcourse.record import IMAGES, Examples, ModelRecord, grey_images, held_then_falling_plan, shape_of

Stream = Literal["above", "left"]
LEAST_LOG_SCALE = -7.0


def concat_elu(maps: Tensor) -> Tensor:
    """elu(h) and elu(−h), (batch, 2 channels, H, W)."""
    return F.elu(torch.cat([maps, -maps], 1))


class ShiftedConv2d(nn.Conv2d):
    """A convolution that looks up, and to both sides ("above") or to the left only ("left"): own row and column too.

    `stride` 2 halves both sides, rounded up. Salimans et al. 2017, section 2.3 and the authors' code.
    """

    def __init__(self, inputs: int, outputs: int, kernel: tuple[int, int], stream: Stream, stride: int = 1):
        super().__init__(inputs, outputs, kernel, stride)
        rows, columns = kernel
        self.room = (columns // 2, columns // 2) if stream == "above" else (columns - 1, 0)
        self.room = (*self.room, rows - 1, 0)

    def forward(self, input: Tensor) -> Tensor:
        """(batch, inputs, H, W) → (batch, outputs, H, W), or half of H and W."""
        return super().forward(F.pad(input, self.room))


class GatedResidual(nn.Module):
    """x + a ⊙ σ(b), (a, b) a shifted convolution of a shifted convolution of x, to which `aside` was added.

    Salimans et al. 2017, the authors' `gated_resnet`.
    """

    def __init__(self, width: int, stream: Stream, aside: int, dropout: float):
        super().__init__()
        kernel = (2, 3) if stream == "above" else (2, 2)
        self.first = ShiftedConv2d(2 * width, width, kernel, stream)
        self.aside = nn.Conv2d(2 * aside, width, 1) if aside else None
        self.dropout = nn.Dropout2d(dropout)
        self.second = ShiftedConv2d(2 * width, 2 * width, kernel, stream)

    def forward(self, x: Tensor, aside: Sequence[Tensor] = ()) -> Tensor:
        """(batch, width, H, W) → the same; `aside` are maps of the same size."""
        h = self.first(concat_elu(x))
        if self.aside is not None:
            h = h + self.aside(concat_elu(torch.cat([*aside], 1)))
        a, b = self.second(self.dropout(concat_elu(h))).chunk(2, 1)
        return x + a * b.sigmoid()


class Pair(nn.Module):
    """A gated residual block of the stream from above, then one of that from the left, which is told the first."""

    def __init__(self, width: int, dropout: float, skips: bool):
        super().__init__()
        self.above = GatedResidual(width, "above", width * skips, dropout)
        self.left = GatedResidual(width, "left", width * (1 + skips), dropout)

    def forward(self, above: Tensor, left: Tensor, skip: tuple[Tensor, ...] = ()) -> tuple[Tensor, Tensor]:
        """Both streams, (batch, width, H, W); `skip` are those of a pair of the way down."""
        above = self.above(above, skip[:1])
        return above, self.left(left, (above, *skip[1:]))


class ShiftedUNet(nn.Module):
    """(batch, C, H, W) → (batch, outputs, H, W): at each pixel a function of the pixels before it, at two resolutions.

    `blocks` pairs at the full and at half the resolution, then back, where each pair is told one of the way down.
    Salimans et al. 2017, figure 2, which has a third resolution.
    """

    def __init__(self, channels: int, outputs: int, width: int, blocks: int, dropout: float):
        super().__init__()
        self.rows_above = ShiftedConv2d(channels + 1, width, (2, 3), "above")
        self.row_above = ShiftedConv2d(channels + 1, width, (1, 3), "above")
        self.own_row = ShiftedConv2d(channels + 1, width, (2, 1), "left")
        self.down_full = nn.ModuleList(Pair(width, dropout, skips=False) for _ in range(blocks))
        self.shrink_above = ShiftedConv2d(width, width, (2, 3), "above", stride=2)
        self.shrink_left = ShiftedConv2d(width, width, (2, 2), "left", stride=2)
        self.down_half = nn.ModuleList(Pair(width, dropout, skips=False) for _ in range(blocks))
        self.up_half = nn.ModuleList(Pair(width, dropout, skips=True) for _ in range(blocks))
        self.grow_above = nn.ConvTranspose2d(width, width, (2, 3), stride=2)
        self.grow_left = nn.ConvTranspose2d(width, width, (2, 2), stride=2)
        self.up_full = nn.ModuleList(Pair(width, dropout, skips=True) for _ in range(blocks + 1))
        self.last = nn.Conv2d(width, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Of x in [−1, 1]."""
        height, width = x.shape[2:]
        x = torch.cat([x, torch.ones_like(x[:, :1])], 1)  # the ones tell the image from the padding
        left = one_row_late(self.row_above(x)) + F.pad(self.own_row(x), (1, 0))[..., :-1]
        seen = [(one_row_late(self.rows_above(x)), left)]
        for pair in self.down_full:
            seen.append(pair(*seen[-1]))
        seen.append((self.shrink_above(seen[-1][0]), self.shrink_left(seen[-1][1])))
        for pair in self.down_half:
            seen.append(pair(*seen[-1]))
        above, left = seen.pop()
        for pair in self.up_half:
            above, left = pair(above, left, seen.pop())
        above = self.grow_above(above)[:, :, :height, 1 : width + 1]
        left = self.grow_left(left)[:, :, :height, :width]
        for pair in self.up_full:
            above, left = pair(above, left, seen.pop())
        return self.last(F.elu(left))


class PixelCNNPP(nn.Module):
    """PixelCNN++: p(x) = Π over pixels of a mixture of `components` discretised logistics; (batch, C, H, W) of k/(V−1).

    Of the paper it has the mixture, the colours' means, the two shifted streams, gated residual blocks, skips from the
    way down and dropout. Smaller here: two resolutions for three, 1 pair of blocks at each for 5, 16 maps for 160, 5
    components for 10; and it has neither weight normalisation with its data-dependent start nor averaged weights.
    Salimans et al. 2017, section 2.
    """

    measures = "probability"

    def __init__(
        self,
        event_shape: tuple[int, int, int] = (1, 8, 8),
        levels: int = 17,
        width: int = 16,
        blocks: int = 1,
        components: int = 5,
        dropout: float = 0.0,
    ):
        super().__init__()
        self.event_shape, self.levels, self.components = event_shape, levels, components
        colours = event_shape[0]
        self.parts = [1, colours, colours, colours * (colours - 1) // 2]
        self.net = ShiftedUNet(colours, components * sum(self.parts), width, blocks, dropout)

    def mixture(self, x: Tensor) -> Mixture:
        """Of each pixel, from the pixels before it alone. A log-scale is at least −7, as in the authors' code."""
        numbers = self.net(2 * x - 1).unflatten(1, (self.components, sum(self.parts)))
        weights, means, log_scales, coefficients = numbers.split(self.parts, 2)
        log_scales = log_scales.clamp(min=LEAST_LOG_SCALE)
        return Mixture(weights[:, :, 0].log_softmax(1), means, log_scales, coefficients.tanh())

    def logits(self, x: Tensor) -> Tensor:
        """ln P(x_d = v | x_<d), (batch, V, C, H, W), normalised."""
        return level_logits(x, self.mixture(x), self.levels)

    def log_prob(self, x: Tensor) -> Tensor:
        """ln p(x), (batch,), nats."""
        return mixture_log_prob(x, self.mixture(x), self.levels)

    def loss(self, x: Tensor) -> Tensor:
        """−ln p(x), mean over the batch, nats. Raises ValueError for other values than levels."""
        require_levels(x, self.levels)
        return -self.log_prob(x).mean()

    def sample(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """n images, (n, C, H, W). One pass a pixel, over its row and those above; its colours are drawn from that pass.

        A colour is a level before the next one is conditioned on it, as in training.
        """
        with sampling(self, n, rng):
            like, (channels, height, width) = self.net.last.weight, self.event_shape
            u = uniforms(n, channels * height * width, like, rng).view(n, height, width, channels)
            x = like.new_zeros(n, *self.event_shape)
            for r in range(height):
                for c in range(width):
                    passed = self.mixture(x[:, :, : r + 1])
                    here = Mixture(*(numbers[..., r : r + 1, c : c + 1] for numbers in passed))
                    for channel in range(channels):
                        pixel = x[:, :, r : r + 1, c : c + 1]
                        logits = level_logits(pixel, here, self.levels)[:, :, channel, 0, 0]
                        x[:, channel, r, c] = from_codes(choose(logits, u[:, r, c, channel]), self.levels, x.dtype)
            return x


def make_pixelcnn_pp(data: Examples | None = None) -> PixelCNNPP:
    """The levels are counted in the data. Without data: for 8×8 images of 17 levels."""
    channels, height, width = shape_of(data, (1, 8, 8))
    return PixelCNNPP((channels, height, width), 17 if data is None else levels_of(data))


PIXELCNN_PP = ModelRecord(
    name="PixelCNN++",
    key="pixelcnn-pp",
    family="autoregressive",
    branch=("explicit density", "tractable", "fully visible belief net"),
    density="exact",
    claims=(Trainable, Sampler, Density),
    paper="salimans2017",
    year=2017,
    arxiv="1701.05517",
    lesson="02_autoregressive/04_gates_and_mixtures",
    suits=IMAGES,
    make=make_pixelcnn_pp,
    plan=partial(held_then_falling_plan, steps=800, batch_size=32, peak=2e-3),
    example=grey_images,
)
