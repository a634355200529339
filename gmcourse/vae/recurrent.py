"""A recurrent encoder and decoder of sentences: rows of codes that are read, and written, word by word."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from gmcourse.autoregressive.discrete import choose, uniforms
from gmcourse.probability import after_stop


def word_dropout(x: Tensor, noise: Tensor, keep: float, start: int, unknown: int) -> Tensor:
    """What the decoder reads as it writes x: the start, then all of x but its last word, each kept where noise < keep.

    x: (batch, T) int64; noise: uniform on [0, 1), (batch, T), of which column t is for the t-th word that is read; the
    others give way to `unknown`, the start never does. x itself, the target, stays whole. Equation: vae-dropped-words.
    Bowman et al. 2016, section 3.
    """
    read = torch.where(noise[:, 1:] < keep, x[:, :-1], unknown)
    return torch.cat([torch.full_like(x[:, :1], start), read], 1)


def sentence_log_prob(x: Tensor, logits: Tensor, stop: int | None = None) -> Tensor:
    """Σ_t ln softmax(l_t)[x_t] up to the first stop, (batch,), nats: what fills a row up after it adds 0.

    x: (batch, T) int64; logits: (batch, V, T). −∞ where another word follows the stop, so that all rows sum to 1.
    Equation: vae-sentence-factors.
    """
    log_p = logits.log_softmax(1).gather(1, x[:, None])[:, 0]
    if stop is not None:
        filling = torch.zeros_like(log_p).masked_fill(x != stop, -torch.inf)
        log_p = torch.where(after_stop(x, stop), filling, log_p)
    return log_p.sum(1)


class Written(NamedTuple):
    """What the decoder carries from word to word: the latent, (batch, L), and its hidden state, (1, batch, H)."""

    z: Tensor
    hidden: Tensor


class SentenceEncoder(nn.Module):
    """μ and s, linear in the *mean* of the states of a GRU that reads x, (batch, T) int64 codes below V = `levels`.

    What stands after the first `stop` is not read. Bowman et al. 2016 take the last state of an LSTM.
    """

    def __init__(self, levels: int, latent_size: int, *, embedding: int, hidden: int, stop: int | None = None):
        super().__init__()
        self.stop = stop
        self.embed = nn.Embedding(levels, embedding)
        self.reader = nn.GRU(embedding, hidden, batch_first=True)
        self.statistics = nn.Linear(hidden, 2 * latent_size)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """μ(x) and s(x), (batch, L) each."""
        states, _ = self.reader(self.embed(x))
        counts = torch.ones_like(x) if self.stop is None else 1 - after_stop(x, self.stop).long()
        mean = (states * counts[:, :, None]).sum(1) / counts.sum(1, keepdim=True)
        mu, log_std = self.statistics(mean).chunk(2, dim=1)
        return mu, log_std


class SentenceDecoder(nn.Module):
    """p(x|z) = ∏_t p(x_t | x_<t, z): a GRU that has z as its first state, by a linear layer and tanh, and at each word.

    Rows of T = `length` codes below V = `levels`; with a `stop` a row ends where it first stands.
    """

    def __init__(
        self, levels: int, length: int, latent_size: int, *, embedding: int, hidden: int, stop: int | None = None
    ):
        super().__init__()
        self.levels, self.length, self.latent_size, self.stop = levels, length, latent_size, stop
        self.embed = nn.Embedding(levels + 2, embedding)  # the last two rows are the start and the unknown word
        self.first = nn.Linear(latent_size, hidden)
        self.writer = nn.GRU(embedding + latent_size, hidden, batch_first=True)
        self.head = nn.Linear(hidden, levels)

    def begin(self, z: Tensor) -> Written:
        """The state before the first word."""
        if z.dim() != 2 or z.shape[1] != self.latent_size:
            raise ValueError(f"z: got shape {tuple(z.shape)}, expected (batch, {self.latent_size})")
        return Written(z, self.first(z).tanh()[None])

    def read(self, words: Tensor, state: Written) -> tuple[Tensor, Written]:
        """Logits of what follows each word, (batch, T, V), and the state after the last."""
        told = state.z[:, None].expand(-1, words.shape[1], -1)
        features, hidden = self.writer(torch.cat([self.embed(words), told], 2), state.hidden)
        return self.head(features), Written(state.z, hidden)

    def step(self, word: Tensor | None, state: Written) -> tuple[Tensor, Written]:
        """Read a word, (batch,), or None for the start: logits of the next, (batch, V), and the state after it."""
        if word is None:
            word = torch.full(state.z.shape[:1], self.levels, dtype=torch.int64, device=state.z.device)
        logits, state = self.read(word[:, None], state)
        return logits[:, 0], state

    def log_likelihood(self, x: Tensor, z: Tensor, noise: Tensor | None = None, keep: float = 1.0) -> Tensor:
        """ln p(x|z), (batch,), nats, every word read; with uniform `noise`, (batch, T), the share `keep` of them."""
        noise = torch.zeros(x.shape, device=x.device) if noise is None else noise
        read = word_dropout(x, noise, keep, self.levels, self.levels + 1)
        logits, _ = self.read(read, self.begin(z))
        return sentence_log_prob(x, logits.transpose(1, 2), self.stop)

    def write(self, z: Tensor, choose: Callable[[Tensor], Tensor]) -> Tensor:
        """A sentence for each z, word by word what `choose` makes of logits (batch, V): (batch, T) int64."""
        logits, state = self.step(None, self.begin(z))
        words = [choose(logits)]
        for _ in range(self.length - 1):
            logits, state = self.step(words[-1], state)
            words.append(choose(logits))
        x = torch.stack(words, 1)
        return x if self.stop is None else x.masked_fill(after_stop(x, self.stop), self.stop)


def likeliest(logits: Tensor) -> Tensor:
    """The likeliest word of each row of logits, (batch, V) → (batch,)."""
    return logits.argmax(1)


def drawn(logits: Tensor, rng: Generator | None) -> Tensor:
    """A word of each row of logits, (batch, V) → (batch,): its distribution function, inverted at a uniform number."""
    return choose(logits, uniforms(len(logits), 1, logits, rng)[:, 0])
