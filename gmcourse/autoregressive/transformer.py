"""A Transformer language model: every symbol looks up what it needs among all the symbols before it."""

from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from gmcourse.autoregressive.generation import generate
from gmcourse.nets.attention import Caches, stacked_blocks, through
from gmcourse.probability import require_codes
from gmcourse.protocols import Density, Sampler, Trainable
from gmcourse.record import TEXTS, Examples, ModelRecord, code_rows, held_then_falling_plan, symbols_of


class Reading(NamedTuple):
    """What has been read: the codes that are in the window, the start first, (batch, t), and each layer's cache."""

    codes: Tensor
    caches: Caches


class TransformerLanguageModel(nn.Module):
    """p(x) = ∏_t p(x_t | x_<t) of T ≤ `window` symbols: causal self-attention in pre-norm blocks, learned positions.

    x is (batch, T), int64 codes 0..V−1, V = `levels`; what is read begins with a start of its own, the code V. Dropout
    follows the embedding and each branch. Raises ValueError for more symbols than the window has places. Vaswani et
    al. 2017, the decoder without the encoder. Equation: autoregressive-transformer.
    """

    measures = "probability"

    def __init__(
        self, levels: int, window: int, *, width: int = 64, heads: int = 4, layers: int = 2, dropout: float = 0.0
    ):
        super().__init__()
        self.levels, self.window, self.event_shape = levels, window, (window,)
        self.embed = nn.Embedding(levels + 1, width)
        self.places = nn.Parameter(torch.empty(window, width))
        self.blocks = stacked_blocks(width, heads, layers, dropout=dropout)
        self.norm, self.head, self.drop = nn.LayerNorm(width), nn.Linear(width, levels), nn.Dropout(dropout)
        for table in (self.embed.weight, self.places, self.head.weight):
            nn.init.normal_(table, 0.0, 0.02)

    def read(self, codes: Tensor, caches: Caches = ()) -> tuple[Tensor, Caches]:
        """The logits after each of the codes, (batch, t, V), and the caches with them; t = 1 where there are caches."""
        before = caches[0][0].shape[-2] if caches else 0
        x = self.drop(self.embed(codes) + self.places[before : before + codes.shape[1]])
        x, caches = through(self.blocks, x, caches)
        return self.head(self.norm(x)), caches

    def starts(self, batch: int) -> Tensor:
        """The code V that comes before every first symbol: (batch, 1)."""
        return torch.full((batch, 1), self.levels, device=self.places.device)

    def logits(self, x: Tensor) -> Tensor:
        """The logits of each x_t from x_<t: (batch, T) → (batch, V, T)."""
        if x.shape[1] > self.window:
            raise ValueError(f"x: got {x.shape[1]} symbols, expected at most {self.window}, the places of the window")
        return self.read(torch.cat([self.starts(len(x)), x[:, :-1]], 1))[0].transpose(1, 2)

    def symbol_log_prob(self, x: Tensor) -> Tensor:
        """ln p(x_t | x_<t) of each symbol, (batch, T), nats."""
        return -F.cross_entropy(self.logits(x), x, reduction="none")

    def log_prob(self, x: Tensor) -> Tensor:
        """ln p(x) = Σ_t ln p(x_t | x_<t), (batch,), nats."""
        return self.symbol_log_prob(x).sum(1)

    def loss(self, x: Tensor) -> Tensor:
        """−ln p(x), nats a row, the mean over the batch. Raises ValueError for codes that are none of 0..V−1."""
        require_codes(x, self.levels)
        return -self.log_prob(x).mean()

    def begin(self, batch: int) -> Reading:
        """The state before anything is read."""
        return Reading(self.starts(batch)[:, :0], ())

    def step(self, symbol: Tensor | None, state: Reading) -> tuple[Tensor, Reading]:
        """Read a symbol, (batch,), None for the start: the logits of the next, (batch, V), and the new state.

        The cache makes this one place's work. Where the window is full, positions are at an end: the last half of it
        is read anew from the first place on, so that a text goes on for ever with window/2 to window symbols in sight.
        """
        new = self.starts(len(state.codes)) if symbol is None else symbol[:, None]
        codes, caches = torch.cat([state.codes, new], 1), state.caches
        if codes.shape[1] > self.window:
            codes, caches = torch.cat([codes[:, :1], codes[:, -(self.window // 2) :]], 1), ()
            new = codes
        logits, caches = self.read(new, caches)
        return logits[:, -1], Reading(codes, caches)

    def sample(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """A whole window: (n, window), int64 codes."""
        return generate(self, n, self.window, rng=rng)

    def extra_repr(self) -> str:
        """Its symbols and places."""
        return f"levels={self.levels}, window={self.window}"


WINDOW = 64


def make_transformer(data: Examples | None = None) -> TransformerLanguageModel:
    """For rows of the data's length, or for windows of a stream. Without data: five symbols, six places, narrow."""
    if data is None:
        return TransformerLanguageModel(5, 6, width=16, heads=2)
    return TransformerLanguageModel(symbols_of(data), (*data.event_shape, WINDOW)[0], dropout=0.1)


TRANSFORMER_LANGUAGE_MODEL = ModelRecord(
    name="Transformer language model",
    key="transformer-language-model",
    family="autoregressive",
    branch=("explicit density", "tractable", "fully visible belief net"),
    density="exact",
    claims=(Trainable, Sampler, Density),
    paper="vaswani2017",
    year=2017,
    arxiv="1706.03762",
    lesson="02_autoregressive/06_attention",
    suits=TEXTS,
    make=make_transformer,
    plan=partial(held_then_falling_plan, steps=1_500, batch_size=32, peak=2e-3, clip=100.0),
    example=code_rows,
    window=WINDOW,
)
