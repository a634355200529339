"""A Transformer of rows that stand for places: to each code is handed what a picture or a sound has near it."""

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from gmcourse.autoregressive.transformer import Reading
from gmcourse.nets import sampling
from gmcourse.nets.attention import Caches, stacked_blocks, through
from gmcourse.vae.bricks import summed_places


def above(top: tuple[int, ...], bottom: tuple[int, ...]) -> Tensor:
    """Which top place stands over which bottom place, (∏ bottom, ∏ top), 1 or 0, both in raster order.

    Raises ValueError where a side of the bottom is no multiple of the top's.
    """
    if len(top) != len(bottom) or any(below % over for over, below in zip(top, bottom, strict=True)):
        raise ValueError(f"top, bottom: got {top} and {bottom}, expected sides of which the first divide the second")
    over = torch.arange(torch.Size(top).numel()).view(top)
    for axis, (side, below) in enumerate(zip(top, bottom, strict=True)):
        over = over.repeat_interleave(below // side, axis)
    return F.one_hot(over.flatten(), torch.Size(top).numel()).float()


def neighbours(wide: int) -> tuple[int, ...]:
    """How far back in raster order the places above stand: straight above, to the right of it, to the left."""
    return tuple(step for step in (wide, wide - 1, wide + 1) if step > 1)


class HandedInputs(nn.Module):
    """What enters at each place: the symbol before, the place itself, earlier codes near it, its part of a prefix.

    `over` (T, P) and `back` are those of a `CodeTransformer`. All it takes lies to the left in the row.
    """

    over: Tensor

    def __init__(self, levels: int, places: tuple[int, ...], over: Tensor, back: tuple[int, ...], width: int):
        super().__init__()
        count = torch.Size(places).numel()
        if over.dim() != 2 or len(over) != count:
            raise ValueError(f"over: got shape {tuple(over.shape)}, expected ({count}, P), a row for each of {places}")
        if any(step < 1 for step in back):
            raise ValueError(f"back: got {back}, expected steps to the left, at least 1")
        self.back, self.prefix = tuple(back), over.shape[1]
        self.register_buffer("over", over, persistent=False)
        self.embed = nn.Embedding(levels + 1, width)
        self.earlier = nn.ModuleList(nn.Embedding(levels, width) for _ in back)
        self.said = nn.Embedding(levels, width) if self.prefix else None
        self.words = nn.Parameter(torch.empty(self.prefix, width))
        self.axes = nn.ParameterList(torch.empty(side, width) for side in places)
        for table in self.parameters():
            nn.init.normal_(table, 0.0, 0.02)

    def forward(self, codes: Tensor, first: int = 0) -> Tensor:
        """What stands at the places from `first` on, (batch, t − first, width), of `codes` (batch, t), start first."""
        length = codes.shape[1]
        x = self.embed(codes[:, first:]) + torch.cat([self.words, summed_places(list(self.axes))])[first:length]
        for step, table in zip(self.back, self.earlier, strict=True):
            begin = max(first, self.prefix + step)  # from here on the symbol so far back is a code
            if begin < length:
                x = _added(x, begin - first, table(codes[:, begin - step + 1 : length - step + 1]))
        begin = max(first, self.prefix)
        if self.said and begin < length:
            over = self.over[begin - self.prefix : length - self.prefix]
            x = _added(x, begin - first, over @ self.said(codes[:, 1 : self.prefix + 1]))
        return x


class CodeTransformer(nn.Module):
    """p(r) = ∏_t p(r_t | r_<t) of rows (prefix, codes): causal attention; what lies near a code is handed to its place.

    Of a row (batch, P + T), int64 ids 0..`levels`−1, the first P are a prefix (words, or the codes of another level),
    the others stand at `places`, in raster order. Where a code is to be said, the input is the symbol before it, its
    place on each axis, the codes `back` places before it (in a picture of W columns, W: the one above), and of the
    prefix what `over`, (T, P), adds up for that place: all words for each code, or the top code that stands above. What
    is handed lies to the left in the row, so that all stays causal. Attention has to find nothing that is always in the
    same spot. Dhariwal et al. 2020, section 4, hand the upper level to each place, too.
    """

    def __init__(
        self,
        levels: int,
        places: tuple[int, ...],
        over: Tensor | None = None,
        back: tuple[int, ...] = (),
        *,
        width: int = 64,
        heads: int = 4,
        layers: int = 1,
        dropout: float = 0.1,
    ):
        super().__init__()
        over = torch.zeros(torch.Size(places).numel(), 0) if over is None else over
        self.levels, self.places, self.back, self.prefix = levels, tuple(places), tuple(back), over.shape[1]
        self.length = self.prefix + len(over)
        self.inputs = HandedInputs(levels, places, over, back, width)
        self.blocks = stacked_blocks(width, heads, layers, dropout=dropout)
        self.norm, self.head, self.drop = nn.LayerNorm(width), nn.Linear(width, levels), nn.Dropout(dropout)
        nn.init.normal_(self.head.weight, 0.0, 0.02)

    def read(self, codes: Tensor, caches: Caches = ()) -> tuple[Tensor, Caches]:
        """The logits after each of the codes (batch, t), the start first, (batch, t, levels), and the caches.

        With caches, after the last alone: (batch, 1, levels).
        """
        h = self.drop(self.inputs(codes, codes.shape[1] - 1 if caches else 0))
        h, caches = through(self.blocks, h, caches)
        return self.head(self.norm(h)), caches

    def logits(self, x: Tensor) -> Tensor:
        """The logits of each symbol from those before it: (batch, P + T) → (batch, levels, P + T)."""
        if x.shape[1] != self.length:
            raise ValueError(f"x: got {x.shape[1]} symbols, expected {self.length}, prefix and codes")
        return self.read(torch.cat([self._starts(len(x)), x[:, :-1]], 1))[0].transpose(1, 2)

    def log_prob(self, x: Tensor) -> Tensor:
        """ln p of each row, (batch,), nats."""
        return -F.cross_entropy(self.logits(x), x, reduction="none").sum(1)

    def loss(self, x: Tensor) -> Tensor:
        """−ln p, nats a row, the mean over the batch."""
        return -self.log_prob(x).mean()

    def begin(self, batch: int) -> Reading:
        """The state before anything is read."""
        return Reading(self._starts(batch)[:, :0], ())

    def step(self, symbol: Tensor | None, state: Reading) -> tuple[Tensor, Reading]:
        """Read a symbol, (batch,), None for the start: the logits of the next, (batch, levels), and the new state."""
        new = self._starts(len(state.codes)) if symbol is None else symbol[:, None]
        codes = torch.cat([state.codes, new], 1)
        logits, caches = self.read(codes, state.caches)
        return logits[:, -1], Reading(codes, caches)

    def sample(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """(n, P + T) int64."""
        with sampling(self, n, rng):
            state, symbol, row = self.begin(n), None, []
            for _ in range(self.length):
                logits, state = self.step(symbol, state)
                symbol = torch.multinomial(logits.softmax(1), 1, generator=rng).squeeze(1)
                row.append(symbol)
            return torch.stack(row, 1)

    def extra_repr(self) -> str:
        return f"levels={self.levels}, places={self.places}, prefix={self.prefix}, back={self.back}"

    def _starts(self, batch: int) -> Tensor:
        return torch.full((batch, 1), self.levels, device=self.head.weight.device)


def _added(x: Tensor, begin: int, more: Tensor) -> Tensor:
    """x, to whose places from `begin` on `more` is added."""
    return torch.cat([x[:, :begin], x[:, begin:] + more], 1)
