"""Diagonal BiLSTM: an image read along its diagonals, from the left and from the right."""

from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gmcourse.autoregressive.discrete import levels_of
from gmcourse.autoregressive.incremental import Columns
from gmcourse.autoregressive.pixel_rnn import InputToState, PixelRNN, lstm_step
from gmcourse.protocols import Density, Sampler, Trainable
from gmcourse.record import IMAGES, Examples, ModelRecord, binary_images, held_then_falling_plan, shape_of


def skew(x: Tensor) -> Tensor:
    """Row r moved right by r: (…, H, W) → (…, H, H + W − 1), zeros elsewhere; the pixel (r, c) goes to column r + c.

    Equation: autoregressive-skew. van den Oord et al. 2016, figure 3.
    """
    height, width = x.shape[-2:]
    return F.pad(x, (0, height)).flatten(-2)[..., : height * (height + width - 1)].unflatten(-1, (height, -1))


def unskew(x: Tensor) -> Tensor:
    """Row r moved left by r, as `skew` found it: (…, H, H + W − 1) → (…, H, W)."""
    height, wide = x.shape[-2:]
    return F.pad(x.flatten(-2), (0, height)).unflatten(-1, (height, wide + 1))[..., : wide - height + 1]


def join(left: Tensor, right: Tensor) -> Tensor:
    """The map that came from the left, plus the one from the right shifted down by one row: (…, H, W).

    In its own row the right map has seen what lies to the right, the future. Equation: autoregressive-join.
    """
    return left + F.pad(right, (0, 0, 1, 0))[..., :-1, :]


class Direction(nn.Module):
    """One LSTM from the upper left corner: a state sees the pixels above it and to its left, itself included.

    In the skewed map both neighbours, left and above, stand in the column before, so that a column is one step: gates
    are the pixel's own, by a 1×1 layer, and two taps down the column before. No bias is in those taps: where the map
    was padded, to the left of a row, states stay 0.

    Equation: autoregressive-diagonal-lstm. van den Oord et al. 2016, section 3.2.
    """

    def __init__(self, hidden: int, colours: int = 1):
        super().__init__()
        self.hidden = hidden
        self.input_to_state = InputToState(hidden, 1, colours)
        self.from_left = nn.Linear(hidden, 4 * hidden, bias=False)
        self.from_above = nn.Linear(hidden, 4 * hidden, bias=False)

    def forward(self, gates: Tensor) -> Tensor:
        """The pixels' own gates, (batch, 4h, H, W) → h, (batch, h, H, W), in H + W − 1 steps."""
        columns = skew(gates).unbind(3)
        taps = torch.stack([self.from_above.weight, self.from_left.weight], 2)
        h = cell = gates.new_zeros(len(gates), self.hidden, gates.shape[2])
        states = []
        for own in columns:
            h, cell = lstm_step(own + F.conv1d(F.pad(h, (1, 0)), taps), cell)
            states.append(h)
        return unskew(torch.stack(states, 3))

    def step(self, gates: Tensor, left: Tensor, above: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        """h and c of one pixel, (batch, h), from its gates, (batch, 4h), h to its left and above, c to its left."""
        return lstm_step(gates + self.from_left(left) + self.from_above(above), cell)


class DiagonalState(NamedTuple):
    """What is kept of images that are being drawn, written in place."""

    x: Tensor  # the image, (batch, C, H, W)
    features: Tensor  # (batch, 2h, H, W)
    left: Tensor  # h and c of the first direction: (2, batch, h, H + 1, W + 1), zeros above and to the left
    right: Tensor  # the same of the second, mirrored


class DiagonalLayer(nn.Module):
    """Two directions, the second on the mirrored map, joined with the second one row down: all of the rows above.

    With `mended`, an addition of this course, the second direction also reads the pixels themselves, which the mask A
    of the first layer hides: without it the last pixel of the row above is seen by no state.
    """

    def __init__(self, hidden: int, colours: int = 1, mended: bool = False):
        super().__init__()
        self.left, self.right = Direction(hidden, colours), Direction(hidden, colours)
        self.pixels = nn.Conv2d(colours, 4 * hidden, 1, bias=False) if mended else None

    def forward(self, features: Tensor, x: Tensor) -> Tensor:
        """(batch, 2h, H, W) → (batch, h, H, W); x is the image, (batch, C, H, W)."""
        left = self.left(self.left.input_to_state(features))
        right = self.right(self.gates_from_right(features, x).flip(3)).flip(3)
        return join(left, right)

    def gates_from_right(self, features: Tensor, x: Tensor) -> Tensor:
        """The second direction's own gates, (batch, 4h, H, W), not mirrored."""
        gates = self.right.input_to_state(features)
        return gates if self.pixels is None else gates + self.pixels(x)

    def begin(self, x: Tensor) -> DiagonalState:
        """What is kept of an image x that is drawn pixel by pixel."""
        batch, _, height, width = x.shape
        left, right = x.new_zeros(2, 2, batch, self.left.hidden, height + 1, width + 1)
        return DiagonalState(x, x.new_zeros(batch, 2 * self.left.hidden, height, width), left, right)

    def pixel(self, columns: Columns, state: DiagonalState, features: Tensor) -> Tensor:
        """h of the pixel that is drawn, (batch, h), from its features, (batch, 2h).

        The second direction reads a row when that is finished: at the first pixel of the next.
        """
        r, c = columns.at
        if c == 0 and r > 0:
            row = slice(r - 1, r)
            gates = self.gates_from_right(state.features[:, :, row], state.x[:, :, row]).flip(3)[:, :, 0]
            for i, own in enumerate(gates.unbind(2)):
                advance(self.right, own, state.right, r - 1, i)
        state.features[:, :, r, c] = features
        own = self.left.input_to_state.at(columns, features)
        return advance(self.left, own, state.left, r, c) + state.right[0, :, :, r, state.x.shape[3] - c]


def advance(direction: Direction, gates: Tensor, kept: Tensor, r: int, c: int) -> Tensor:
    """h of the pixel (r, c), written down with its c, from what is kept of its neighbours."""
    (left, cell), above = kept[..., r + 1, c], kept[0, ..., r, c + 1]
    kept[..., r + 1, c + 1] = torch.stack(direction.step(gates, left, above, cell))
    return kept[0, ..., r + 1, c + 1]


class DiagonalBiLSTM(PixelRNN):
    """P(x) = Π P(x_d | x_<d) with recurrent layers that see the whole past, but for one pixel: see `DiagonalLayer`.

    H + W − 1 steps a layer and direction. `mended` concerns the first recurrent layer, after which all is known.
    van den Oord et al. 2016.
    """

    def __init__(
        self,
        event_shape: tuple[int, ...],
        levels: int = 2,
        *,
        hidden: int = 16,
        kernel: int = 7,
        layers: int = 1,
        mended: bool = False,
    ):
        def layer(depth: int, colours: int) -> DiagonalLayer:
            return DiagonalLayer(hidden, colours, mended and depth == 0)

        super().__init__(event_shape, levels, layer, hidden, kernel, layers)


def make(data: Examples | None = None) -> DiagonalBiLSTM:
    """h = 16, or 15 where there are three colours."""
    shape = shape_of(data, (1, 8, 8))
    return DiagonalBiLSTM(shape, 2 if data is None else levels_of(data), hidden=16 - 16 % shape[0])


DIAGONAL_BILSTM = ModelRecord(
    name="Diagonal BiLSTM",
    key="diagonal-bilstm",
    family="autoregressive",
    branch=("explicit density", "tractable", "fully visible belief net"),
    density="exact",
    claims=(Trainable, Sampler, Density),
    paper="vandenoord2016pixel",
    year=2016,
    arxiv="1601.06759",
    lesson="02_autoregressive/02_recurrent_pixels",
    suits=IMAGES,
    make=make,
    plan=partial(held_then_falling_plan, steps=600, batch_size=32, peak=5e-3),
    example=binary_images,
)
