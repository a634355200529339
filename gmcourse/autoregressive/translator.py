"""A translator: an encoder reads one sequence, a decoder writes another, and looks back at the first at every place."""

from functools import partial
from typing import Any, NamedTuple, cast

import torch
from torch import Generator, Tensor, nn

from gmcourse.autoregressive.generation import generate
from gmcourse.nets import evaluating
from gmcourse.nets.attention import CrossBlock, Pairs, TransformerBlock, causal_mask
from gmcourse.probability import after_stop, categorical_log_prob, require_codes
from gmcourse.protocols import Density, Sampler, Trainable
from gmcourse.record import Examples, ModelRecord, Suits, held_then_falling_plan

END = 0
"""The code that ends a row and fills it up; it is also what the decoder reads before the first word."""


class Source(NamedTuple):
    """What the decoder looks back at: each layer's keys and values, and which places count, (batch, 1, 1, S)."""

    memory: tuple[Pairs, ...]
    counts: Tensor


class Writing(NamedTuple):
    """The source, how many codes have been read, each layer's cache, and which rows have ended, (batch,)."""

    source: Source
    read: int
    caches: tuple[Pairs | None, ...]
    ended: Tensor

    def rows(self, chosen: Tensor) -> "Writing":
        """The state of the rows `chosen`, (m,) int64, some of them twice: what a beam keeps."""
        memory = tuple((k[chosen], v[chosen]) for k, v in self.source.memory)
        caches = tuple(pair and (pair[0][chosen], pair[1][chosen]) for pair in self.caches)
        return Writing(Source(memory, self.source.counts[chosen]), self.read, caches, self.ended[chosen])


class Translator(nn.Module):
    """p(y | s) = ∏_t p(y_t | y_<t, s) of two rows of codes: encoder and decoder of pre-norm blocks, cross-attention.

    y (batch, T) and s (batch, S), `given`, are int64 codes 0..V−1 of one alphabet; 0 ends a row and fills it up, and
    nothing looks at what fills up a source. After the end comes 0 with probability 1, so that the probabilities of all
    rows of T codes sum to 1. Positions are learned; without `positions` the source has none, and is a bag of words.
    Raises ValueError for rows longer than there are places. Vaswani et al. 2017, figure 1, with the norms within the
    branches. Equation: autoregressive-translation.
    """

    measures = "probability"
    mask = staticmethod(causal_mask)

    def __init__(
        self,
        levels: int,
        places: int,
        source_places: int,
        *,
        width: int = 64,
        heads: int = 4,
        layers: int = 1,
        positions: bool = True,
    ):
        super().__init__()
        self.levels, self.event_shape, self.source_places = levels, (places,), source_places
        self.embed = nn.Embedding(levels, width)
        self.places = nn.Parameter(0.1 * torch.randn(places, width))
        self.source_positions = nn.Parameter(0.1 * torch.randn(source_places, width)) if positions else None
        self.encoder = nn.ModuleList(TransformerBlock(width, heads) for _ in range(layers))
        self.decoder = cast(list[CrossBlock], nn.ModuleList(CrossBlock(width, heads) for _ in range(layers)))
        self.source_norm, self.norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.head = nn.Linear(width, levels)

    def encode(self, given: Tensor) -> Source:
        """Read the source, (batch, S): every place looks at every other that holds a word."""
        n = given.shape[1]
        _require_places("given", n, self.source_places)
        filled = (given != END) | (torch.arange(n, device=given.device) == 0)  # of an empty source the first place
        counts = filled[:, None, None]
        x = self.embed(given) if self.source_positions is None else self.embed(given) + self.source_positions[:n]
        for block in self.encoder:
            x, _ = block(x, counts)
        x = self.source_norm(x)
        return Source(tuple(block.cross.read(x) for block in self.decoder), counts)

    def decode(self, codes: Tensor, state: Writing) -> tuple[Tensor, tuple[Pairs, ...]]:
        """The logits after each of the codes, (batch, t, V), and the caches with them; t = 1 once there are caches."""
        n, caches = codes.shape[1], []
        x = self.embed(codes) + self.places[state.read : state.read + n]
        mask = self.mask(n, codes.device) if n > 1 else None
        for block, cache, pairs in zip(self.decoder, state.caches, state.source.memory, strict=True):
            x, cache = block(x, mask, cache, pairs, state.source.counts)
            caches.append(cache)
        return self.head(self.norm(x)), tuple(caches)

    def logits(self, y: Tensor, given: Tensor) -> Tensor:
        """The logits of each y_t from y_<t and the source: (batch, T), (batch, S) → (batch, V, T)."""
        _require_places("y", y.shape[1], len(self.places))
        logits, _ = self.decode(shifted(y), self.begin(len(y), given))
        return only_end(logits, after_stop(y, END)).transpose(1, 2)

    def log_prob(self, y: Tensor, given: Tensor) -> Tensor:
        """ln p(y | s), (batch,), nats; −∞ where a word follows the end."""
        return categorical_log_prob(y, self.logits(y, given))

    def loss(self, y: Tensor, given: Tensor) -> Tensor:
        """−ln p(y | s), nats a row, the mean over the batch. Raises ValueError for codes that are none of 0..V−1."""
        require_codes(y, self.levels)
        return -self.log_prob(y, given).mean()

    def begin(self, batch: int, given: Tensor) -> Writing:
        """The state before anything is written, one row of `given` for each of the batch."""
        if len(given) != batch:
            raise ValueError(f"given: got {len(given)} rows, expected {batch}, one for each to be written")
        ended = torch.zeros(batch, dtype=torch.bool, device=given.device)
        return Writing(self.encode(given), 0, (None,) * len(self.decoder), ended)

    def step(self, symbol: Tensor | None, state: Writing) -> tuple[Tensor, Writing]:
        """Read a symbol, (batch,), None for the start: the logits of the next, (batch, V), and the new state."""
        code = torch.full_like(state.ended, END, dtype=torch.int64) if symbol is None else symbol
        ended = state.ended if symbol is None else state.ended | (symbol == END)
        logits, caches = self.decode(code[:, None], state)
        return only_end(logits[:, 0], ended), Writing(state.source, state.read + 1, caches, ended)

    def sample(self, n: int, given: Tensor, *, rng: Generator | None = None) -> Tensor:
        """A translation of each row of `given`, (n, S), drawn word by word: (n, T) int64."""
        return generate(self, n, *self.event_shape, given=(given,), rng=rng)

    def extra_repr(self) -> str:
        """Its words and places."""
        return f"levels={self.levels}, places={self.event_shape[0]}, source_places={self.source_places}"


@torch.no_grad()
def attention_map(model: Translator, y: Tensor, given: Tensor) -> Tensor:
    """How much the decoder looks at each word of the source as it is to write y_t: (layers, batch, heads, T, S)."""
    with evaluating(model):
        source, mask, maps = model.encode(given), model.mask(y.shape[1], y.device), []
        x = model.embed(shifted(y)) + model.places[: y.shape[1]]
        for block, pairs in zip(model.decoder, source.memory, strict=True):
            asking, _ = block.look(x, mask)
            maps.append(block.cross.weights(block.cross_norm(asking), pairs, source.counts))
            x, _ = block(x, mask, None, pairs, source.counts)
        return torch.stack(maps)


@torch.no_grad()
def beam(model: Translator, given: Tensor, k: int = 1) -> tuple[Tensor, Tensor]:
    """The likeliest translation that a beam of k finds, (batch, T), and its ln p, (batch,): k = 1 is greedy.

    At each place the k likeliest beginnings go on. One that has ended goes on by its end alone, at no cost, and so
    competes with those that are longer; lengths are not evened out. Equation: autoregressive-beam.
    """
    if k < 1:
        raise ValueError(f"k: got {k}, expected at least 1")
    n = len(given)
    with evaluating(model):
        logits, state = model.step(None, model.begin(n, given))
        log_p, codes = logits.new_zeros(n, 1), given.new_zeros(n, 1, 0)
        for t in range(model.event_shape[0]):
            if t:
                logits, state = model.step(codes[:, :, -1].flatten(), state)
            width, symbols = log_p.shape[1], logits.shape[-1]
            scores = (log_p[:, :, None] + logits.log_softmax(-1).view(n, width, symbols)).flatten(1)
            log_p, best = scores.topk(min(k, scores.shape[1]))
            parents = best // symbols
            kept = codes.gather(1, parents[:, :, None].expand(-1, -1, t))
            codes = torch.cat([kept, (best % symbols)[:, :, None]], 2)
            state = state.rows((parents + width * torch.arange(n, device=given.device)[:, None]).flatten())
    return codes[:, 0], log_p[:, 0]


def shifted(y: Tensor) -> Tensor:
    """What the decoder reads as it writes y: the start, then all of y but its last code."""
    return torch.cat([torch.full_like(y[:, :1], END), y[:, :-1]], 1)


def only_end(logits: Tensor, ended: Tensor) -> Tensor:
    """Where a row has ended, logits (…, V) that leave nothing but the end."""
    end = torch.full_like(logits, -torch.inf).index_fill(-1, torch.tensor([END], device=logits.device), 0.0)
    return torch.where(ended[..., None], end, logits)


def _require_places(name: str, n: int, most: int) -> None:
    if n > most:
        raise ValueError(f"{name}: got rows of {n} codes, expected at most {most}, the places there are")


def rows_of_codes(n: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Random rows of 4 to 6 codes 1..8, filled up with 0, and as their source the same backwards: (n, 6) each."""
    rng = torch.Generator().manual_seed(seed)
    codes = torch.randint(1, 9, (n, 6), generator=rng)
    filled = torch.arange(6) < torch.randint(4, 7, (n, 1), generator=rng)
    return codes * filled, (codes * filled).flip(1)


def make_translator(data: Examples | None = None, **options: Any) -> Translator:
    """As many codes and places as the data and their labels have. Without data: nine codes, six places, narrow."""
    if data is None:
        return Translator(9, 6, 6, width=16, heads=2, **options)
    y, given = data.batch("train", told=True)
    return Translator(int(max(y.max(), given.max())) + 1, y.shape[1], given.shape[1], **options)


TRANSLATOR = ModelRecord(
    name="Sequence-to-sequence translator",
    key="sequence-to-sequence-translator",
    family="autoregressive",
    branch=("explicit density", "tractable", "fully visible belief net"),
    density="exact",
    claims=(Trainable, Sampler, Density),
    paper="vaswani2017",
    year=2017,
    arxiv="1706.03762",
    lesson="02_autoregressive/06_attention",
    suits=Suits("codes (with codes as labels)", lambda shape, dtype: dtype == torch.int64 and len(shape) == 1),
    make=make_translator,
    plan=partial(held_then_falling_plan, steps=800, batch_size=64, peak=2e-3),
    example=rows_of_codes,
    told=True,
)
