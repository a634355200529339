"""Row LSTM: an image read row by row, each row at once from the states of the row above."""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gmcourse.autoregressive.discrete import levels_of
from gmcourse.autoregressive.incremental import Columns
from gmcourse.autoregressive.pixel_rnn import InputToState, PixelRNN, lstm_step
from gmcourse.protocols import Density, Sampler, Trainable
from gmcourse.record import IMAGES, Examples, ModelRecord, binary_images, held_then_falling_plan, shape_of


class RowLayer(nn.Module):
    """Gates of a row: a masked convolution of its own features, and one of the states above, which all are past.

    gates_r = K_is ∗ features_r + K_ss ∗ h_{r−1}: three taps along the row each, K_is with mask B and K_ss without a
    mask. A state of row r sees one column more to the right for each row up: a triangle.

    Equation: autoregressive-row-lstm. van den Oord et al. 2016, section 3.1.
    """

    def __init__(self, hidden: int, colours: int = 1):
        super().__init__()
        self.hidden = hidden
        self.input_to_state = InputToState(hidden, 3, colours)
        self.state_to_state = nn.Conv1d(hidden, 4 * hidden, 3, padding=1, bias=False)

    def forward(self, features: Tensor, x: Tensor | None = None) -> Tensor:
        """(batch, 2h, H, W) → (batch, h, H, W), in H steps; the image x is not looked at."""
        gates = self.input_to_state(features)
        h = cell = features.new_zeros(len(features), self.hidden, features.shape[3])
        rows = []
        for own in gates.unbind(2):
            h, cell = lstm_step(own + self.state_to_state(h), cell)
            rows.append(h)
        return torch.stack(rows, 2)

    def begin(self, x: Tensor) -> Tensor:
        """Room for h and c of an image x that is drawn, (2, batch, h, H + 1, W + 2): zeros above and on both sides."""
        batch, _, height, width = x.shape
        return x.new_zeros(2, batch, self.hidden, height + 1, width + 2)

    def pixel(self, columns: Columns, state: Tensor, features: Tensor) -> Tensor:
        """h of the pixel that is drawn, (batch, h), from its features, (batch, 2h), and the states above it."""
        r, c = columns.at
        above = F.conv1d(state[0, ..., r, c : c + 3], self.state_to_state.weight)[:, :, 0]
        gates = self.input_to_state.at(columns, features) + above
        state[..., r + 1, c + 1] = torch.stack(lstm_step(gates, state[1, ..., r, c + 1]))
        return state[0, ..., r + 1, c + 1]


class RowLSTM(PixelRNN):
    """P(x) = Π P(x_d | x_<d) with recurrent layers that go down the rows: H steps a layer, whatever the width.

    One layer does not see all that lies before a pixel: above it a triangle alone. van den Oord et al. 2016.
    """

    def __init__(
        self, event_shape: tuple[int, ...], levels: int = 2, *, hidden: int = 16, kernel: int = 7, layers: int = 1
    ):
        super().__init__(event_shape, levels, lambda _, colours: RowLayer(hidden, colours), hidden, kernel, layers)


def make(data: Examples | None = None) -> RowLSTM:
    """h = 16, or 15 where there are three colours."""
    shape = shape_of(data, (1, 8, 8))
    return RowLSTM(shape, 2 if data is None else levels_of(data), hidden=16 - 16 % shape[0])


ROW_LSTM = ModelRecord(
    name="Row LSTM",
    key="row-lstm",
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
