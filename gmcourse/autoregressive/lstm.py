"""The LSTM language model: the past of a text in one vector, which a gated sum carries along."""

from functools import partial

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from gmcourse.autoregressive.generation import generate
from gmcourse.nets import evaluating
from gmcourse.probability import after_stop, require_codes
from gmcourse.protocols import Density, Sampler, Trainable
from gmcourse.record import TEXTS, Examples, ModelRecord, code_rows, held_then_falling_plan, stop_of, symbols_of

State = tuple[Tensor, Tensor]


def lstm_cell(x: Tensor, h: Tensor, c: Tensor, weight: Tensor, recurrent: Tensor, bias: Tensor) -> State:
    """One step: (i, f, g, o) = W x + U h + b; c' = σ(f)⊙c + σ(i)⊙tanh(g), h' = σ(o)⊙tanh(c'), each (batch, H).

    x: (batch, E); weight W: (4H, E), recurrent U: (4H, H), bias b: (4H,), the rows of i, f, g and o one below the
    other. Equation: autoregressive-lstm. Hochreiter and Schmidhuber 1997, with the forget gate f of Gers et al. 2000.
    """
    i, f, g, o = (x @ weight.T + h @ recurrent.T + bias).chunk(4, -1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


class LSTMLanguageModel(nn.Module):
    """ln p(x) = Σ_t ln p(x_t | h_t): rows of codes x, (batch, T) int64 below V = `levels`, read by one LSTM layer.

    A row begins with a start vector and a state of zeros. With a `stop` symbol a row ends where it first stands: what
    follows must be stops again and counts nothing, else the row has probability 0; without one, `log_prob` is that of
    the first T symbols of a text. `dropout` is the share of inputs and outputs of the layer that training sets to 0.
    `torch.vmap` does not go through torch's fused LSTM.
    """

    def __init__(
        self,
        levels: int,
        length: int = 64,
        *,
        embedding: int = 64,
        hidden: int = 256,
        dropout: float = 0.0,
        stop: int | None = None,
    ):
        super().__init__()
        self.levels, self.event_shape, self.stop = levels, (length,), stop
        self.embed = nn.Embedding(levels + 1, embedding)  # the last row is the start
        self.dropout = nn.Dropout(dropout)
        self.lstm = nn.LSTM(embedding, hidden, batch_first=True)
        self.head = nn.Linear(hidden, levels)

    def read(self, symbols: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Logits of what follows each symbol, (batch, T, V), and the state (h, c) after the last."""
        features, carried = self.lstm(self.dropout(self.embed(symbols)), state)
        return self.head(self.dropout(features)), carried

    def logits(self, x: Tensor) -> Tensor:
        """Logits of x_t given x_<t, (batch, V, T)."""
        start = torch.full_like(x[:, :1], self.levels)
        return self.read(torch.cat([start, x[:, :-1]], 1))[0].transpose(1, 2)

    def symbol_log_prob(self, x: Tensor) -> Tensor:
        """ln p(x_t | x_<t) of each symbol, (batch, T), nats; after a stop 0, or −∞ where another symbol follows it."""
        log_p = -F.cross_entropy(self.logits(x), x, reduction="none")
        if self.stop is None:
            return log_p
        filling = torch.zeros_like(log_p).masked_fill(x != self.stop, -torch.inf)
        return torch.where(after_stop(x, self.stop), filling, log_p)

    @torch.no_grad()
    def stream_log_prob(self, stream: Tensor, chunk: int = 1_000) -> Tensor:
        """ln p(x_t | x_<t) of each symbol of a long stream, (T,) → (T,), nats: read once, the state carried along."""
        with evaluating(self):
            start, state, log_p = torch.full_like(stream[:1], self.levels), None, []
            for before, x in zip(torch.cat([start, stream[:-1]]).split(chunk), stream.split(chunk), strict=True):
                logits, state = self.read(before[None], state)
                log_p.append(-F.cross_entropy(logits[0], x, reduction="none"))
        return torch.cat(log_p)

    def log_prob(self, x: Tensor) -> Tensor:
        """ln p(x), (batch,), nats."""
        return self.symbol_log_prob(x).sum(1)

    def loss(self, x: Tensor) -> Tensor:
        """Mean of −ln p(x), nats a row. Raises ValueError for codes that are none of 0..V−1."""
        require_codes(x, self.levels)
        return -self.log_prob(x).mean()

    def begin(self, batch: int) -> State:
        """The state before the first symbol: zeros h and c, (1, batch, H) each."""
        zeros = self.head.weight.new_zeros(1, batch, self.lstm.hidden_size)
        return zeros, zeros

    def step(self, symbol: Tensor | None, state: State) -> tuple[Tensor, State]:
        """Read a symbol, (batch,), or None for the start: logits of the next, (batch, V), and the state after it."""
        if symbol is None:
            symbol = torch.full(state[0].shape[1:2], self.levels, device=state[0].device)
        logits, state = self.read(symbol[:, None], state)
        return logits[:, 0], state

    def sample(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """n rows of codes, (n, length) int64; after a stop there are stops only."""
        x = generate(self, n, self.event_shape[0], rng=rng)
        return x if self.stop is None else x.masked_fill(after_stop(x, self.stop), self.stop)


WINDOW = 64


def make(data: Examples | None) -> LSTMLanguageModel:
    """For rows of the data's length, or for windows of a stream; a stop symbol where the rows have one."""
    if data is None:
        return LSTMLanguageModel(5, 6, embedding=16, hidden=32)
    length = (*data.event_shape, WINDOW)[0]
    return LSTMLanguageModel(symbols_of(data), length, dropout=0.2, stop=stop_of(data))


LSTM_LANGUAGE_MODEL = ModelRecord(
    name="LSTM language model",
    key="lstm-language-model",
    family="autoregressive",
    branch=("explicit density", "tractable", "fully visible belief net"),
    density="exact",
    claims=(Trainable, Sampler, Density),
    paper="graves2013",
    year=2013,
    arxiv="1308.0850",
    lesson="02_autoregressive/05_characters",
    suits=TEXTS,
    make=make,
    plan=partial(held_then_falling_plan, steps=1_000, batch_size=32, peak=6e-3, clip=64.0),
    example=code_rows,
    window=WINDOW,
)
