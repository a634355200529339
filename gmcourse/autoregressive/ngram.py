"""The n-gram model: how often each symbol followed the last n − 1, and Witten–Bell's way to shorter memories."""

from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from gmcourse.autoregressive.generation import generate
from gmcourse.probability import require_codes


def witten_bell(counts: Tensor, lower: Tensor) -> Tensor:
    """p_v = (count_v + F·lower_v)/(N + F), (…, V): N visits of the context, F different symbols that followed it.

    counts: (…, V), how often each symbol followed; lower: (…, V), the probabilities of the next shorter context, which
    are returned where the context was never visited. Equation: autoregressive-witten-bell. Witten and Bell 1991.
    """
    return _mixed(counts, counts.sum(-1, keepdim=True), (counts > 0).sum(-1, keepdim=True), lower)


def _mixed(count: Tensor, visits: Tensor, followers: Tensor, lower: Tensor) -> Tensor:
    """`witten_bell` of single symbols: every argument of one shape, or one that fits it."""
    return torch.where(visits > 0, (count + followers * lower) / (visits + followers).clamp(min=1), lower)


class Table(NamedTuple):
    """What followed contexts of one length: `pairs` = context·V + symbol and `contexts` are sorted codes."""

    pairs: Tensor
    counts: Tensor
    contexts: Tensor
    visits: Tensor
    followers: Tensor


class NGram(nn.Module):
    """p(x_t | x_<t) by counts of the last n − 1 symbols, mixed with those of n − 2, …, 0, and with 1/V at the end.

    stream: (T,) int64 codes below V = `levels`, counted once: nothing is trained. It scores rows x, (batch, T), and
    draws `length` symbols. Of a context that is cut off by the start of a row, as much is used as there is. Raises
    ValueError for codes out of range, or an order n whose V^n contexts do not fit an int64.
    """

    def __init__(self, stream: Tensor, levels: int, order: int, length: int = 64):
        super().__init__()
        require_codes(stream, levels)
        if order < 1 or levels**order >= 2**63:
            raise ValueError(f"order: got {order}, expected 1 or more, with {levels}^order below 2^63")
        self.levels, self.order, self.event_shape = levels, order, (length,)
        self.tables = [_count(stream, levels, n) for n in range(order)]

    def next_probabilities(self, context: Tensor) -> Tensor:
        """p(next symbol | context), (batch, V), of contexts (batch, any length) int64."""
        every = torch.arange(self.levels)
        p = torch.full((len(context), self.levels), 1 / self.levels, dtype=torch.float64)
        code = torch.zeros(len(context), 1, dtype=torch.int64)
        for n, table in enumerate(self.tables[: context.shape[1] + 1]):
            if n:
                code = code + context[:, -n, None] * self.levels ** (n - 1)
            p = witten_bell(found(code * self.levels + every, table.pairs, table.counts), p)
        return p

    def symbol_log_prob(self, x: Tensor) -> Tensor:
        """ln p(x_t | x_<t) of each symbol of rows, (batch, T) int64 → (batch, T) float64, nats."""
        p = torch.full(x.shape, 1 / self.levels, dtype=torch.float64)
        code = torch.zeros_like(x)
        for n, table in enumerate(self.tables[: x.shape[1]]):
            if n:
                code = code[:, 1:] + x[:, :-n] * self.levels ** (n - 1)
            count = found(code * self.levels + x[:, n:], table.pairs, table.counts)
            visits, followers = (found(code, table.contexts, t) for t in (table.visits, table.followers))
            p[:, n:] = _mixed(count, visits, followers, p[:, n:])
        return p.log()

    def log_prob(self, x: Tensor) -> Tensor:
        """ln p(x) of rows, (batch, T) int64 → (batch,), nats."""
        return self.symbol_log_prob(x).sum(1)

    def begin(self, batch: int) -> Tensor:
        """The context before the first symbol: nothing, (batch, 0)."""
        return torch.zeros(batch, 0, dtype=torch.int64)

    def step(self, symbol: Tensor | None, state: Tensor) -> tuple[Tensor, Tensor]:
        """Read a symbol, (batch,), or None before the first: ln p of the next, (batch, V), and the context kept."""
        if symbol is not None:
            state = torch.cat([state, symbol[:, None]], 1)
            state = state[:, max(0, state.shape[1] - self.order + 1) :]
        return self.next_probabilities(state).log(), state

    def sample(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """n texts of `length` symbols, (n, length) int64."""
        return generate(self, n, self.event_shape[0], rng=rng)


def _count(stream: Tensor, levels: int, n: int) -> Table:
    """What followed each context of n symbols in the stream."""
    code = torch.zeros(max(0, len(stream) - n), dtype=torch.int64)
    for back in range(1, n + 1):
        code = code + stream[n - back : len(stream) - back] * levels ** (back - 1)
    pairs, counts = (code * levels + stream[n:]).unique(return_counts=True)
    contexts, first = (pairs // levels).unique(return_inverse=True)
    zeros = torch.zeros(len(contexts), dtype=torch.int64)
    return Table(
        pairs, counts, contexts, zeros.index_add(0, first, counts), zeros.index_add(0, first, torch.ones_like(counts))
    )


def found(codes: Tensor, known: Tensor, values: Tensor) -> Tensor:
    """The value of each code, of the codes' shape; 0 of one that is not among the sorted `known`."""
    if not len(known):
        return torch.zeros_like(codes)
    place = torch.searchsorted(known, codes).clamp(max=len(known) - 1)
    return torch.where(known[place] == codes, values[place], 0)
