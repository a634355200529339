"""Bricks of codes, (time, row, column): read as one row in raster order, and a Transformer that predicts the row."""

import math
from functools import reduce

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from gmcourse.autoregressive.generation import generate
from gmcourse.autoregressive.transformer import Reading
from gmcourse.nets.attention import Caches, stacked_blocks, through


def flatten_codes(codes: Tensor) -> Tensor:
    """(batch, T, R, C) → (batch, T·R·C), raster order of time, row, column: place (t, r, c) is number (t·R + r)·C + c.

    All codes of a slot of time stand before those of the next, so that a beginning in time is a beginning of the row.
    Equation: vae-raster.
    """
    if codes.dim() != 4:
        raise ValueError(f"codes: got shape {tuple(codes.shape)}, expected (batch, time, rows, columns)")
    return codes.flatten(1)


def unflatten_codes(row: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """(batch, T·R·C) → (batch, T, R, C), `flatten_codes` undone; `shape` is (T, R, C)."""
    if row.dim() != 2 or len(shape) != 3 or row.shape[1] != math.prod(shape):
        raise ValueError(f"row: got shape {tuple(row.shape)}, expected (batch, {' · '.join(map(str, shape))})")
    return row.unflatten(1, shape)


def summed_places(tables: list[Tensor]) -> Tensor:
    """e_t + e_r + … at each place in raster order, (T·R·…, width), of tables (T, width), (R, width), … of the axes."""
    return reduce(lambda before, table: (before[:, None] + table).flatten(0, 1), tables)


def codes_ahead(log_probs: Tensor, given: int) -> Tensor:
    """−Σ_{i ≥ given} ln p(k_i | k_<i), (batch,), nats, of log-probabilities (batch, places) of each code.

    What the given codes cost is not counted: they were told. Equal to ln p(k_<given) − ln p(k) by the chain rule.
    Equation: vae-codes-ahead.
    """
    if not 0 <= given <= log_probs.shape[1]:
        raise ValueError(f"given: got {given}, expected 0 to {log_probs.shape[1]} codes")
    return -log_probs[:, given:].sum(1)


def known_beside(shape: tuple[int, int, int], reach: int) -> Tensor:
    """The numbers of the places beside each place that a row in raster order has passed: (T·R·C, near) int64.

    Up to `reach` rows and columns away: all of the slot before, and of its own slot those that come first. T·R·C, the
    number after the last, stands for a place outside the brick.
    """
    around = range(-reach, reach + 1)
    steps = [(1, r, c) for r in around for c in around] + [(0, r, c) for r in around for c in around if (r, c) < (0, 0)]
    outside = math.prod(shape)
    table = torch.full((*shape, len(steps)), outside)
    for t, r, c in torch.cartesian_prod(*map(torch.arange, shape)).tolist():
        for i, (slots, down, right) in enumerate(steps):
            before, row, column = t - slots, r + down, c + right
            if before >= 0 and 0 <= row < shape[1] and 0 <= column < shape[2]:
                table[t, r, c, i] = (before * shape[1] + row) * shape[2] + column
    return table.flatten(0, 2)


class Beside(nn.Module):
    """A linear map of the codes `known_beside` a place, each as a vector of `dims` numbers: (batch, places, width)."""

    table: Tensor

    def __init__(self, levels: int, shape: tuple[int, int, int], reach: int, dims: int, width: int):
        super().__init__()
        self.register_buffer("table", known_beside(shape, reach), persistent=False)
        self.vectors = nn.Embedding(levels + 1, dims)
        self.join = nn.Linear(self.table.shape[1] * dims, width, bias=False)
        nn.init.normal_(self.join.weight, 0.0, 0.02)

    def forward(self, codes: Tensor, before: int, count: int) -> Tensor:
        """For the places before..before+count−1, of the start and the codes that come before them, (batch, n)."""
        start = codes[:, :1]
        row = torch.cat([codes[:, 1:], start.expand(-1, len(self.table) + 2 - codes.shape[1])], 1)
        return self.join(self.vectors(row[:, self.table[before : before + count]]).flatten(2))


class BrickTransformer(nn.Module):
    """p(k) = ∏_i p(k_i | k_<i) of rows (batch, T·R·C) of int64 codes 0..V−1: causal attention, three added positions.

    The row is a brick `shape` = (T, R, C) in raster order. The place that is to be predicted is told by the sum of
    three learned embeddings, of its time, its row and its column: T + R + C vectors in the place of T·R·C. What is read
    begins with a start of its own, the code V. With a `reach`, what is `Beside` a place is added, each code as a vector
    of `dims` numbers. Dropout follows the embedding and each branch. Vaswani et al. 2017; for codes of videos Yan et
    al. 2021. Equation: vae-brick-prior.
    """

    measures = "probability"

    def __init__(
        self,
        levels: int,
        shape: tuple[int, int, int],
        *,
        width: int = 96,
        heads: int = 4,
        layers: int = 3,
        dropout: float = 0.0,
        reach: int | None = None,
        dims: int = 8,
    ):
        super().__init__()
        if len(shape) != 3 or min(shape) < 1:
            raise ValueError(f"shape: got {shape}, expected (time, rows, columns), each at least 1")
        self.levels, self.shape, self.event_shape = levels, shape, (math.prod(shape),)
        self.embed = nn.Embedding(levels + 1, width)
        self.tables = nn.ParameterList(torch.empty(size, width) for size in shape)
        self.blocks = stacked_blocks(width, heads, layers, dropout=dropout)
        self.norm, self.head, self.drop = nn.LayerNorm(width), nn.Linear(width, levels), nn.Dropout(dropout)
        for table in (self.embed.weight, *self.tables, self.head.weight):
            nn.init.normal_(table, 0.0, 0.02)
        self.beside = None if reach is None else Beside(levels, self.shape, reach, dims, width)

    @torch.no_grad()
    def begin_with(self, book: Tensor) -> None:
        """Codes beside a place begin as the vectors of a book (V, d), less their mean, in units of their spread."""
        if self.beside is None or book.shape != (self.levels, self.beside.vectors.embedding_dim):
            came = f"shape {tuple(book.shape)}" if self.beside else "one for a model without a reach"
            raise ValueError(f"book: got {came}, expected (V, dims) of a model with a reach")
        self.beside.vectors.weight[:-1] = (book - book.mean(0)) / book.std()

    def read(self, codes: Tensor, caches: Caches = ()) -> tuple[Tensor, Caches]:
        """The logits after each of the codes (batch, t), the start first, (batch, t, V), and the caches.

        With caches, after the last alone: (batch, 1, V).
        """
        count = 1 if caches else codes.shape[1]
        before = codes.shape[1] - count
        x = self.embed(codes[:, before:]) + summed_places(list(self.tables))[before : before + count]
        x = self.drop(x if self.beside is None else x + self.beside(codes, before, count))
        x, caches = through(self.blocks, x, caches)
        return self.head(self.norm(x)), caches

    def starts(self, batch: int) -> Tensor:
        """The code V that comes before every first code: (batch, 1)."""
        return torch.full((batch, 1), self.levels, device=self.embed.weight.device)

    def logits(self, x: Tensor) -> Tensor:
        """The logits of each k_i from k_<i: rows (batch, n), n at most T·R·C → (batch, V, n)."""
        most = self.event_shape[0]
        if x.dim() != 2 or x.shape[1] > most:
            raise ValueError(f"x: got shape {tuple(x.shape)}, expected (batch, {most}), rows of codes, or less of them")
        return self.read(torch.cat([self.starts(len(x)), x[:, :-1]], 1)[:, : x.shape[1]])[0].transpose(1, 2)

    def symbol_log_prob(self, x: Tensor) -> Tensor:
        """ln p(k_i | k_<i) of each code, (batch, n), nats."""
        return -F.cross_entropy(self.logits(x), x, reduction="none")

    def log_prob(self, x: Tensor) -> Tensor:
        """ln p(k) = Σ_i ln p(k_i | k_<i), (batch,), nats."""
        return self.symbol_log_prob(x).sum(1)

    def loss(self, x: Tensor) -> Tensor:
        """−ln p(k), nats a row, the mean over the batch."""
        return -self.log_prob(x).mean()

    def begin(self, batch: int) -> Reading:
        """The state before anything is read."""
        return Reading(self.starts(batch)[:, :0], ())

    def step(self, symbol: Tensor | None, state: Reading) -> tuple[Tensor, Reading]:
        """Read a code, (batch,), None for the start: the logits of the next, (batch, V), and the new state."""
        new = self.starts(len(state.codes)) if symbol is None else symbol[:, None]
        codes = torch.cat([state.codes, new], 1)
        logits, caches = self.read(codes, state.caches)
        return logits[:, -1], Reading(codes, caches)

    def sample(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """k ~ p(k): (n, T·R·C) int64."""
        return generate(self, n, self.event_shape[0], rng=rng)

    def extra_repr(self) -> str:
        return f"levels={self.levels}, shape={self.shape}"
