"""The sentence VAE: a recurrent encoder and decoder, and what makes the decoder listen to the latent."""

from functools import partial
from typing import Any

import torch
from torch import Generator, Tensor, nn

from gmcourse.nets import evaluating, sampling
from gmcourse.probability import gaussian_kl, noise_like, require_codes
from gmcourse.protocols import Bounded, ImportanceWeighted, Sampler, Trainable
from gmcourse.record import TEXTS, Examples, ModelRecord, code_rows, held_then_falling_plan, stop_of, symbols_of
from gmcourse.vae.gaussian import log_weight, reparameterize, repeated
from gmcourse.vae.recurrent import SentenceDecoder, SentenceEncoder, drawn, likeliest


def kl_weight(step: Tensor, wait: int, ramp: int) -> Tensor:
    """β of a step, from 0: β = 0 for the first `wait` steps, then a straight line, and 1 from step wait + ramp on.

    `step` holds one or more steps, any shape; β = (step − wait + 1)/(ramp + 1), kept within 0 and 1. Equation:
    vae-kl-weight. Bowman et al. 2016, section 3, raise it by a sigmoid.
    """
    return ((step - wait + 1) / (ramp + 1)).clamp(0, 1)


def between(a: Tensor, b: Tensor, shares: Tensor) -> Tensor:
    """(1 − u) a + u b for each u of `shares`, (steps,): the straight line from a to b, (L,) each, → (steps, L).

    Equation: vae-between.
    """
    return torch.lerp(a, b, shares[:, None])


class SentenceVAE(nn.Module):
    """p(z) = N(0, I), p(x|z) by a `SentenceDecoder`, q(z|x) = N(μ(x), e^{2s(x)}) by a `SentenceEncoder`.

    x: (batch, T) int64 codes below V = `levels`; with a `stop` symbol a row ends where it first stands. In training a
    word that the decoder reads is kept with probability `keep`, and the KL is weighed by `kl_weight` of the number of
    steps taken; in evaluation, and in `elbo`, `log_weights` and all draws, every word is read and the weight is 1.
    Equation: vae-sentence-elbo. Bowman et al. 2016 have LSTMs, the encoder's last state, and z as the decoder's first
    state alone.
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
        self.encoder = SentenceEncoder(levels, latent_size, embedding=embedding, hidden=hidden, stop=stop)
        self.decoder = SentenceDecoder(levels, length, latent_size, embedding=embedding, hidden=hidden, stop=stop)
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """μ(x) and s(x) of q(z|x), (batch, L) each. Raises ValueError for codes that are none of 0..V−1."""
        require_codes(x, self.levels)
        return self.encoder(x)

    def elbo(self, x: Tensor, *, rng: Generator | None = None) -> Tensor:
        """E_q ln p(x|z) − KL(q ‖ p(z)), (batch,), nats: one z a row, the KL in closed form, every word read."""
        mean, log_std = self.encode(x)
        z = reparameterize(mean, log_std, noise_like(mean, rng))
        return self.decoder.log_likelihood(x, z) - gaussian_kl(mean, log_std)

    def loss(self, x: Tensor) -> Tensor:
        """β KL − ln p(x|z) with words dropped, mean over the batch, nats; in evaluation −ELBO."""
        if not self.training:
            return -self.elbo(x).mean()
        mean, log_std = self.encode(x)
        z = reparameterize(mean, log_std, torch.randn_like(mean))
        log_likelihood = self.decoder.log_likelihood(x, z, torch.rand(x.shape, device=x.device), self.keep)
        weight = kl_weight(self.steps, self.wait, self.ramp).to(mean.dtype)
        return (weight * gaussian_kl(mean, log_std) - log_likelihood).mean()

    def after_step(self) -> None:
        """Count a step of training: the weight of the KL is a function of their number."""
        self.steps += 1

    def log_weights(self, x: Tensor, k: int, *, rng: Generator | None = None) -> Tensor:
        """ln p(x|z) + ln p(z) − ln q(z|x) at k draws of z a row, (k, batch), nats, every word read."""
        if k < 1:
            raise ValueError(f"k: got {k}, expected at least one draw")
        mean, log_std = (repeated(t, k) for t in self.encode(x))
        z = reparameterize(mean, log_std, noise_like(mean, rng))
        return log_weight(self.decoder.log_likelihood(repeated(x, k), z), z, (mean, log_std)).view(k, len(x))

    @torch.no_grad()
    def decode(self, z: Tensor) -> Tensor:
        """The sentence of each z, (batch, L) → (batch, T) int64, word by word the likeliest."""
        with evaluating(self):
            return self.decoder.write(z, likeliest)

    @torch.no_grad()
    def interpolate(self, a: Tensor, b: Tensor, steps: int) -> Tensor:
        """`decode` along the line between the means of two sentences, (T,) each: (steps, T) int64, with both ends."""
        mean, _ = self.encode(torch.stack([a, b]))
        shares = torch.linspace(0, 1, steps, dtype=mean.dtype, device=mean.device)
        return self.decode(between(mean[0], mean[1], shares))

    def sample(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """z ~ N(0, I), then word by word x_t ~ p(x_t | x_<t, z): (n, T) int64; after a stop there are stops only."""
        with sampling(self, n, rng):
            z = noise_like(self.decoder.first.weight.new_empty(n, self.latent_size), rng)
            return self.decoder.write(z, partial(drawn, rng=rng))

    def extra_repr(self) -> str:
        """All that decides the model but the sizes of its layers, which these say."""
        return (
            f"levels={self.levels}, length={self.event_shape[0]}, keep={self.keep}, wait={self.wait}, "
            f"ramp={self.ramp}, stop={self.stop}"
        )


WINDOW = 32


def make_sentence_vae(data: Examples | None = None, **options: Any) -> SentenceVAE:
    """For rows of the data's length, or windows of a stream; a stop where the rows have one. Without data: tiny."""
    if data is None:
        return SentenceVAE(5, 6, embedding=16, hidden=32, latent_size=4, **options)
    settings = {"keep": 0.5, "wait": 250, "ramp": 250, "stop": stop_of(data)} | options
    return SentenceVAE(symbols_of(data), (*data.event_shape, WINDOW)[0], **settings)


SENTENCE_VAE = ModelRecord(
    name="Sentence VAE",
    key="sentence-vae",
    family="vae",
    branch=("explicit density", "approximate", "variational"),
    density="bound",
    claims=(Trainable, Sampler, Bounded, ImportanceWeighted),
    paper="bowman2016",
    year=2016,
    arxiv="1511.06349",
    lesson="04_vae/07_sentences",
    suits=TEXTS,
    make=make_sentence_vae,
    plan=partial(held_then_falling_plan, steps=1_000, batch_size=64, peak=6e-3),
    example=code_rows,
    window=WINDOW,
)
