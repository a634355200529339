"""The sentence VAE: a recurrent encoder and a recurrent decoder, and what makes the decoder listen to the latent."""

from functools import partial
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from gmcourse.nets import sampling
from gmcourse.probability import after_stop, gaussian_kl, gaussian_log_prob, require_codes
from gmcourse.record import Examples, held_then_falling_plan, stop_of, symbols_of
from gmcourse.vae.gaussian import reparameterize


def kl_weight(step: Tensor, wait: int, ramp: int) -> Tensor:
    """β of a step, from 0: β = 0 for the first `wait` steps, then a straight line, and 1 from step wait + ramp on.

    `step` holds one or more steps, any shape; β = (step − wait + 1)/(ramp + 1), kept within 0 and 1. Bowman et al.
    2016, section 3.1, raise it by a sigmoid.
    """
    return ((step - wait + 1) / (ramp + 1)).clamp(0, 1)


def word_dropout(x: Tensor, noise: Tensor, keep: float, start: int, unknown: int) -> Tensor:
    """What the decoder reads as it writes x: the start, then all of x but its last word, each kept where noise < keep.

    x: (batch, T) int64; noise: uniform on [0, 1), (batch, T), of which column t is for the t-th word that is read; the
    others give way to `unknown`, the start never does. x itself, the target, stays whole. Bowman et al. 2016, section
    3.2.
    """
    read = torch.where(noise[:, 1:] < keep, x[:, :-1], unknown)
    return torch.cat([torch.full_like(x[:, :1], start), read], 1)


def sentence_log_prob(x: Tensor, logits: Tensor, stop: int | None = None) -> Tensor:
    """Σ_t ln softmax(l_t)[x_t] up to the first stop, (batch,), nats: what fills a row up after it adds 0.

    x: (batch, T) int64; logits: (batch, V, T). −∞ where another word follows the stop, so that all rows sum to 1.
    """
    log_p = logits.log_softmax(1).gather(1, x[:, None])[:, 0]
    if stop is not None:
        filling = torch.zeros_like(log_p).masked_fill(x != stop, -torch.inf)
        log_p = torch.where(after_stop(x, stop), filling, log_p)
    return log_p.sum(1)


def between(a: Tensor, b: Tensor, shares: Tensor) -> Tensor:
    """(1 − t) a + t b for each t of `shares`, (steps,): the straight line from a to b, (L,) each, → (steps, L)."""
    return torch.lerp(a, b, shares[:, None])


class Written(NamedTuple):
    """What the decoder carries from word to word: the latent, (batch, L), and its hidden state, (1, batch, H)."""

    z: Tensor
    hidden: Tensor


class SentenceVAE(nn.Module):
    """p(z) = N(0, I), p(x|z) = ∏_t p(x_t | x_<t, z), q(z|x) = N(μ(x), e^{2s(x)}). Bowman et al. 2016.

    x: (batch, T) int64 codes below V = `levels`. The encoder reads x by a GRU, and μ and s are linear in the *mean* of
    its states; the decoder is a GRU that is given z as its first state and beside every word. With a `stop` symbol a
    row ends where it first stands. In training a word that the decoder reads is kept with probability `keep`, and the
    KL is weighed by `kl_weight`, with the number of steps taken in `steps`; in evaluation, and in `elbo`,
    `log_weights` and all draws, every word is read and the weight is 1. The paper has LSTMs and z as the state alone.
    """

    measures = "probability"

    def __init__(
        self,
        levels: int,
        length: int,
        *,
        embedding: int = 32,
        hidden: int = 64,
        latent_size: int = 8,
        keep: float = 1.0,
        wait: int = 0,
        ramp: int = 0,
        stop: int | None = None,
    ):
        super().__init__()
        if latent_size < 1 or not 0 <= keep <= 1 or min(wait, ramp) < 0:
            raise ValueError(
                f"latent_size, keep, wait, ramp: got {latent_size}, {keep}, {wait}, {ramp}, expected at least 1, a "
                "probability, and numbers of steps"
            )
        self.levels, self.event_shape, self.latent_size, self.stop = levels, (length,), latent_size, stop
        self.keep, self.wait, self.ramp = keep, wait, ramp
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self.embed = nn.Embedding(levels + 2, embedding)  # the last two rows are the start and the unknown word
        self.reader = nn.GRU(embedding, hidden, batch_first=True)
        self.statistics = nn.Linear(hidden, 2 * latent_size)
        self.first = nn.Linear(latent_size, hidden)
        self.writer = nn.GRU(embedding + latent_size, hidden, batch_first=True)
        self.head = nn.Linear(hidden, levels)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """μ(x) and s(x) of q(z|x), (batch, L) each. What fills a row up is not read."""
        states, _ = self.reader(self.embed(x))
        counts = torch.ones_like(x) if self.stop is None else 1 - after_stop(x, self.stop).long()
        mean = (states * counts[:, :, None]).sum(1) / counts.sum(1, keepdim=True)
        mu, log_std = self.statistics(mean).chunk(2, dim=1)
        return mu, log_std

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
        """ln p(x|z), (batch,), nats, every word read; with uniform `noise`, (batch, T), only the share `keep`."""
        noise = torch.zeros(x.shape, device=x.device) if noise is None else noise
        read = word_dropout(x, noise, keep, self.levels, self.levels + 1)
        logits, _ = self.read(read, self.begin(z))
        return sentence_log_prob(x, logits.transpose(1, 2), self.stop)

    def elbo(self, x: Tensor, *, rng: Generator | None = None) -> Tensor:
        """E_q ln p(x|z) − KL(q ‖ p(z)), (batch,), nats: one z a row, the KL in closed form, every word read."""
        require_codes(x, self.levels)
        mean, log_std = self.encode(x)
        z = reparameterize(mean, log_std, _noise(mean.shape, mean, rng))
        return self.log_likelihood(x, z) - gaussian_kl(mean, log_std)

    def loss(self, x: Tensor) -> Tensor:
        """β KL − ln p(x|z) with words dropped, mean over the batch, nats; in evaluation −ELBO."""
        if not self.training:
            return -self.elbo(x).mean()
        require_codes(x, self.levels)
        mean, log_std = self.encode(x)
        z = reparameterize(mean, log_std, torch.randn_like(mean))
        log_likelihood = self.log_likelihood(x, z, torch.rand(x.shape, device=x.device), self.keep)
        weight = kl_weight(self.steps, self.wait, self.ramp).to(mean.dtype)
        return (weight * gaussian_kl(mean, log_std) - log_likelihood).mean()

    def after_step(self) -> None:
        """Count a step of training: the weight of the KL is a function of their number."""
        self.steps += 1

    def log_weights(self, x: Tensor, k: int, *, rng: Generator | None = None) -> Tensor:
        """ln p(x|z) + ln p(z) − ln q(z|x) at k draws of z a row, (k, batch), nats, every word read."""
        if k < 1:
            raise ValueError(f"k: got {k}, expected at least one draw")
        require_codes(x, self.levels)
        mean, log_std = (t.repeat(k, 1) for t in self.encode(x))
        z = reparameterize(mean, log_std, _noise(mean.shape, mean, rng))
        log_joint = self.log_likelihood(x.repeat(k, 1), z) + gaussian_log_prob(z, 0.0, 0.0)
        return (log_joint - gaussian_log_prob(z, mean, log_std)).view(k, len(x))

    @torch.no_grad()
    def decode(self, z: Tensor) -> Tensor:
        """The sentence of each z, (batch, L) → (batch, T) int64, word by word the likeliest."""
        return self._write(z, lambda logits: logits.argmax(1))

    @torch.no_grad()
    def interpolate(self, a: Tensor, b: Tensor, steps: int) -> Tensor:
        """`decode` along the line between the means of two sentences, (T,) each: (steps, T) int64, the ends included."""
        mean, _ = self.encode(torch.stack([a, b]))
        shares = torch.linspace(0, 1, steps, dtype=mean.dtype, device=mean.device)
        return self.decode(between(mean[0], mean[1], shares))

    def sample(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """z ~ N(0, I), then word by word x_t ~ p(x_t | x_<t, z): (n, T) int64; after a stop there are stops only."""
        with sampling(self, n, rng):
            weight = self.head.weight
            z = _noise((n, self.latent_size), weight, rng)
            return self._write(z, lambda logits: _draw(logits, rng))

    def _write(self, z, choose) -> Tensor:
        logits, state = self.step(None, self.begin(z))
        words = [choose(logits)]
        for _ in range(self.event_shape[0] - 1):
            logits, state = self.step(words[-1], state)
            words.append(choose(logits))
        x = torch.stack(words, 1)
        return x if self.stop is None else x.masked_fill(after_stop(x, self.stop), self.stop)

    def extra_repr(self) -> str:
        """All that decides the model but the sizes of its layers, which these say."""
        return (
            f"levels={self.levels}, length={self.event_shape[0]}, keep={self.keep}, wait={self.wait}, "
            f"ramp={self.ramp}, stop={self.stop}"
        )


def _noise(shape, like: Tensor, rng: Generator | None) -> Tensor:
    return torch.randn(shape, generator=rng, device=like.device, dtype=like.dtype)


def _draw(logits: Tensor, rng: Generator | None) -> Tensor:
    """A word of each row of logits, (batch,), by inverting its distribution function at one uniform number."""
    u = torch.rand(len(logits), 1, generator=rng, device=logits.device, dtype=logits.dtype)
    below = (logits.softmax(1).cumsum(1) <= u).sum(1)
    return below.clamp(max=logits.shape[1] - 1)
