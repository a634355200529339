"""What the two pixel RNNs share: the gates of the LSTM, the residual layers around it, and drawing pixel by pixel."""

from collections.abc import Callable
from math import prod
from typing import Any, Protocol, cast

from torch import Generator, Tensor, nn

from gmcourse.autoregressive.discrete import codes_log_prob, require_levels, to_codes, uniforms
from gmcourse.autoregressive.incremental import Columns, pixel_by_pixel
from gmcourse.autoregressive.masked_convolution import MaskedConv2d
from gmcourse.nets import sampling


def lstm_step(gates: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
    """h = σ(o) ⊙ tanh m, m = σ(f) ⊙ m₋ + σ(i) ⊙ tanh g, (batch, h, …), of m₋ and the gates o, f, i, g, (batch, 4h, …).

    Equation: autoregressive-pixel-lstm. van den Oord et al. 2016 (Pixel recurrent neural networks), eq. 3.
    """
    size = gates.shape[1] // 4
    o, f, i = gates[:, : 3 * size].sigmoid().chunk(3, 1)
    cell = f * cell + i * gates[:, 3 * size :].tanh()
    return o * cell.tanh(), cell


class InputToState(MaskedConv2d):
    """2h maps, (batch, 2h, H, W) → gates o, f, i, g, (batch, 4h, H, W): a convolution along the row, mask B.

    Each gate holds the maps of all colours in turn; the convolution gives each colour its four gates.
    """

    def __init__(self, hidden: int, kernel: int, colours: int):
        super().__init__(2 * hidden, 4 * hidden, (1, kernel), "B", colours)
        self.colours = colours

    def forward(self, input: Tensor) -> Tensor:
        """(batch, 2h, H, W) → (batch, 4h, H, W)."""
        return self.by_gate(super().forward(input))

    def at(self, columns: Columns, features: Tensor) -> Tensor:
        """The gates of the pixel that is drawn, (batch, 4h), from its features, (batch, 2h)."""
        return self.by_gate(columns(self, features))

    def by_gate(self, maps: Tensor) -> Tensor:
        """(batch, colours · 4 · k, …) → (batch, 4 · colours · k, …)."""
        return maps.unflatten(1, (self.colours, 4, -1)).transpose(1, 2).flatten(1, 3)


class Recurrent(Protocol):
    """A layer of LSTMs, 2h maps → h maps: all at once, or one pixel from what it keeps of the pixels before."""

    def __call__(self, features: Tensor, x: Tensor) -> Tensor: ...
    def begin(self, x: Tensor) -> Any: ...
    def pixel(self, columns: Columns, state: Any, features: Tensor) -> Tensor: ...


class PixelRNN(nn.Module):
    """P(x) = Π P(x_d | x_<d) of images of `levels` levels: a masked convolution, recurrent layers, two 1×1 layers.

    x is (batch, C, H, W), float, of values k/(V−1). The first layer, mask A with a square `kernel`, gives 2h maps; each
    recurrent layer makes h maps of them, which a 1×1 layer brings to 2h and adds. Maps come in groups, one a colour,
    so that `hidden` must be divisible by C. van den Oord et al. 2016, table 1 and sections 3.3–3.4.
    """

    measures = "probability"

    def __init__(
        self,
        event_shape: tuple[int, ...],
        levels: int,
        recurrent: Callable[[int, int], nn.Module],
        hidden: int = 16,
        kernel: int = 7,
        layers: int = 1,
    ):
        super().__init__()
        channels = event_shape[0]
        if hidden < 1 or hidden % channels:
            raise ValueError(f"hidden: got {hidden}, expected a multiple of the {channels} channels")
        if levels < 2:
            raise ValueError(f"levels: got {levels}, expected at least 2")
        self.event_shape, self.levels, self.hidden = tuple(event_shape), levels, hidden
        self.first = MaskedConv2d(channels, 2 * hidden, kernel, "A", channels)
        self.recurrent = nn.ModuleList(recurrent(depth, channels) for depth in range(layers))
        self.up = nn.ModuleList(MaskedConv2d(hidden, 2 * hidden, 1, "B", channels) for _ in range(layers))
        self.head = nn.Sequential(
            nn.ReLU(),
            MaskedConv2d(2 * hidden, 2 * hidden, 1, "B", channels),
            nn.ReLU(),
            MaskedConv2d(2 * hidden, channels * levels, 1, "B", channels),
        )

    def logits(self, x: Tensor) -> Tensor:
        """(batch, C, H, W) → (batch, V, C, H, W), each from the values before it in raster order."""
        features = self.first(x)
        for layer, up in zip(self.recurrent, self.up, strict=True):
            features = features + up(layer(features, x))
        return self.by_level(self.head(features))

    def by_level(self, maps: Tensor) -> Tensor:
        """(batch, C·V, …) → (batch, V, C, …)."""
        return maps.unflatten(1, (self.event_shape[0], self.levels)).transpose(1, 2)

    def log_prob(self, x: Tensor) -> Tensor:
        """ln P(x), (batch,), nats."""
        return codes_log_prob(self.logits(x), to_codes(x, self.levels))

    def loss(self, x: Tensor) -> Tensor:
        """Mean of −ln P(x), nats an image. Raises ValueError where x holds other values than k/(V−1)."""
        require_levels(x, self.levels)
        return -self.log_prob(x).mean()

    def sample(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """n images. The features of a pixel are computed when it is drawn, once for each colour, and then kept."""
        with sampling(self, n, rng):
            columns = Columns(n, *self.event_shape[1:])
            image = columns.past(self.first).image()
            recurrent = cast("list[Recurrent]", list(self.recurrent))
            states = [layer.begin(image) for layer in recurrent]

            def logits_at(r: int, c: int) -> Tensor:
                columns.at = r, c
                features = columns(self.first, image[:, :, r, c])
                for layer, up, state in zip(recurrent, self.up, states, strict=True):
                    features = features + columns(up, layer.pixel(columns, state, features))
                for layer in self.head:
                    features = columns(layer, features)
                return self.by_level(features)

            pixel_by_pixel(logits_at, image, uniforms(n, prod(self.event_shape), image, rng), self.levels)
            return image.contiguous()
