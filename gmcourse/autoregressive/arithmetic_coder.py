"""An arithmetic coder of integers, and images coded under a model's own probabilities, losslessly."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gmcourse.autoregressive.discrete import from_codes, require_levels, to_codes
from gmcourse.nets.sampling import sampling

WHOLE, HALF, QUARTER = 1 << 32, 1 << 31, 1 << 30
MOST_BITS = 24


def cumulative(probabilities: Tensor, bits: int = 16) -> Tensor:
    """The edges 0 = c_0 < c_1 < … < c_V = 2^bits near 2^bits · P(k < v), (…, V + 1) int64.

    The rounded edges are kept where they rise by 1 at least, so that multiples of 2^−bits stay as they are.
    Probabilities (…, V), V ≥ 2, sum to 1 along the last axis. Raises ValueError where they do not, or where 2^bits < V
    or bits > 24.
    """
    symbols = probabilities.shape[-1]
    if not 2 <= symbols <= 2**bits <= 2**MOST_BITS:
        raise ValueError(f"bits: got {bits}, expected at most {MOST_BITS}, and 2**bits ≥ {symbols}, the symbols (≥ 2)")
    cdf = probabilities.double().cumsum(-1)
    if not ((probabilities >= 0).all() and ((cdf[..., -1] - 1).abs() < 1e-3).all()):
        raise ValueError("probabilities: got others, expected numbers from 0 that sum to 1 along the last axis")
    v = torch.arange(1, symbols, device=cdf.device)
    risen = ((cdf[..., :-1] * 2**bits).round().long() - v).cummax(-1).values.clamp(0, 2**bits - symbols) + v
    return F.pad(F.pad(risen, (1, 0)), (0, 1), value=2**bits)


def frequencies(probabilities: Tensor, bits: int = 16) -> Tensor:
    """Integers f_v near 2^bits p_v with Σ f_v = 2^bits, (…, V) int64: what the coder takes for probabilities.

    Each is in [1, 2^bits − 1]: a symbol of frequency 0 would have no code. Raises ValueError as `cumulative` does.
    """
    return cumulative(probabilities, bits).diff()


def narrow(low: int, high: int, start: int, end: int, total: int) -> tuple[int, int]:
    """The part of [low, high) that belongs to the frequencies start ≤ f < end of `total`: parts meet without a gap.

    low + ⌊(high − low) start/total⌋ and low + ⌊(high − low) end/total⌋.
    """
    width = high - low
    return low + width * start // total, low + width * end // total


def in_common(low: int, high: int) -> int | None:
    """What can be taken off all points of [low, high) before it is doubled, or None where it is too wide for that.

    0 in the lower half and 2^31 in the upper, a bit that is settled; 2^30 in the middle half, where the next bit is
    open, and the one after it is its opposite.
    """
    if high <= HALF:
        return 0
    if low >= HALF:
        return HALF
    return QUARTER if low >= QUARTER and high <= 3 * QUARTER else None


class Encoder:
    """Symbols in, bits out: [low, high) is the part of [0, 2^32) that is left, doubled for each bit that is known.

    `bits` holds what is settled: the bits that all points of the interval share. `pending` counts those that will be
    the opposite of the next one. A stream has at most −log₂ p + 2 bits, p the product of the shares of the interval
    that the symbols took. Witten, Neal & Cleary 1987.
    """

    def __init__(self) -> None:
        self.low, self.high, self.pending = 0, WHOLE, 0
        self.bits: list[int] = []

    def write(self, symbol: int, edges: Sequence[int]) -> int:
        """Code `symbol`, whose part goes from edges[symbol] to edges[symbol + 1] of edges[-1], and give it back."""
        self.low, self.high = narrow(self.low, self.high, edges[symbol], edges[symbol + 1], edges[-1])
        while (offset := in_common(self.low, self.high)) is not None:
            if offset == QUARTER:
                self.pending += 1
            else:
                self._settle(offset // HALF)
            self.low, self.high = 2 * (self.low - offset), 2 * (self.high - offset)
        return symbol

    def finish(self) -> list[int]:
        """All bits: two more, and those pending, so that whatever follows names a point of the interval."""
        self.pending += 1
        self._settle(int(self.low >= QUARTER))
        return self.bits

    def _settle(self, bit: int) -> None:
        self.bits += [bit, *repeat(1 - bit, self.pending)]
        self.pending = 0


class Decoder:
    """Bits in, symbols out: the encoder's interval, and the point in it that the bits name. After the last bit come 0s.

    Fed uniform bits it draws: a symbol comes with its probability, the length of its part.
    """

    def __init__(self, bits: Iterable[int]):
        self.rest = iter(bits)
        self.low, self.high, self.point = 0, WHOLE, 0
        for _ in range(32):
            self.point = 2 * self.point + next(self.rest, 0)

    def read(self, edges: Sequence[int]) -> int:
        """The symbol in whose part of the interval the point lies."""
        target = ((self.point - self.low + 1) * edges[-1] - 1) // (self.high - self.low)
        symbol = bisect_right(edges, target) - 1
        self.low, self.high = narrow(self.low, self.high, edges[symbol], edges[symbol + 1], edges[-1])
        while (offset := in_common(self.low, self.high)) is not None:
            self.low, self.high = 2 * (self.low - offset), 2 * (self.high - offset)
            self.point = 2 * (self.point - offset) + next(self.rest, 0)
        return symbol


def encode(symbols: Iterable[int], tables: Iterable[Sequence[int]]) -> list[int]:
    """The bits of a stream of symbols, each with the edges c_0 … c_V of its own table."""
    encoder = Encoder()
    for symbol, edges in zip(symbols, tables, strict=True):
        encoder.write(symbol, edges)
    return encoder.finish()


def decode(bits: Iterable[int], tables: Iterable[Sequence[int]]) -> list[int]:
    """The symbols of `encode`, as many as there are tables."""
    decoder = Decoder(bits)
    return [decoder.read(edges) for edges in tables]


Visit = Callable[[int, int, list[int]], int]
"""(image, place, edges) → the code of that place."""


def walk(model: Any, n: int, visit: Visit, *, batch: int = 512, precision: int = 16) -> Tensor:
    """n images, (n, *event), place after place: `visit` is given the edges of each place and gives its code.

    The model has `event_shape`, `levels` and `logits(x)`, (batch, V, C, H, W), each of which sees earlier places alone.
    Places are taken in raster order, the images of a batch in turn at each; what has no code yet is 0.
    Encoder and decoder both walk, so that the model is called with equal inputs in equal batches: in another batch the
    last digits of a sum differ, and one edge that is off by 1 spoils all that follows.
    """
    like = next(model.parameters(), torch.zeros(()))
    images = torch.zeros(n, *model.event_shape, device=like.device, dtype=like.dtype)
    channels, _, width = model.event_shape
    with sampling(model, n):
        for begin in range(0, n, batch):
            x = images[begin : begin + batch]
            for place in range(x[0].numel()):
                pixel, c = divmod(place, channels)
                row, column = divmod(pixel, width)
                probabilities = model.logits(x)[:, :, c, row, column].double().softmax(1)
                tables = cumulative(probabilities, precision).tolist()
                codes = [visit(begin + i, place, edges) for i, edges in enumerate(tables)]
                x[:, c, row, column] = from_codes(torch.tensor(codes, device=x.device), model.levels, x.dtype)
    return images


def write_all(model: Any, images: Tensor, *, batch: int = 512, precision: int = 16) -> Encoder:
    """The encoder after all images, (n, C, H, W) of the model's levels: its `bits` are settled, its end is open."""
    require_levels(images, model.levels)
    codes = to_codes(images, model.levels).movedim(1, -1).flatten(1).tolist()
    encoder = Encoder()

    def visit(i: int, place: int, edges: list[int]) -> int:
        return encoder.write(codes[i][place], edges)

    walk(model, len(images), visit, batch=batch, precision=precision)
    return encoder


def compress(model: Any, images: Tensor, *, batch: int = 512, precision: int = 16) -> list[int]:
    """One stream of bits for all images: −log₂ p and at most 2 bits, up to the rounding of the frequencies."""
    return write_all(model, images, batch=batch, precision=precision).finish()


def decompress(model: Any, bits: Iterable[int], n: int, *, batch: int = 512, precision: int = 16) -> Tensor:
    """The n images of `compress` with the same model, batch and precision, on the same machine."""
    decoder = Decoder(bits)
    return walk(model, n, lambda _i, _place, edges: decoder.read(edges), batch=batch, precision=precision)
