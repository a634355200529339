"""The vector-quantised autoencoder (VQ-VAE): a picture becomes a few codes of a book, and a prior prices the codes."""

import math
from functools import partial
from typing import Any, NamedTuple, Protocol

import torch
from torch import Generator, Tensor, nn

from gmcourse.autoregressive.discrete import levels_of
from gmcourse.autoregressive.lstm import LSTMLanguageModel
from gmcourse.nets import evaluating, sampling
from gmcourse.protocols import Bounded, Sampler, Trainable
from gmcourse.record import IMAGES, Examples, ModelRecord, binary_images, held_then_falling_plan, shape_of
from gmcourse.vae.likelihoods import Categorical, Likelihood, likelihood_for
from gmcourse.vae.quantizer import VectorQuantizer


class CodePrior(Protocol):
    """p(k) of rows of codes (batch, T), int64: any autoregressive model of codes is one."""

    def log_prob(self, x: Tensor, /) -> Tensor: ...
    def sample(self, n: int, *, rng: Generator | None = None) -> Tensor: ...


class UniformCodes(nn.Module):
    """p(k) = V^{−T}: T codes, each of V as likely, independent; what a VQ-VAE assumes while no prior is learned."""

    def __init__(self, size: int, length: int):
        super().__init__()
        self.size, self.length = size, length

    def log_prob(self, x: Tensor) -> Tensor:
        """−T ln V for each row of codes (batch, T), nats."""
        return torch.full((len(x),), -x.shape[1] * math.log(self.size), device=x.device)

    def sample(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """(n, T) int64."""
        device = None if rng is None else rng.device
        return torch.randint(self.size, (n, self.length), generator=rng, device=device)

    def extra_repr(self) -> str:
        return f"{self.size}, {self.length}"


class Lengths(NamedTuple):
    """What a picture costs, (batch,) nats each: its codes, −ln p(k), and the rest, −ln p(x|k)."""

    codes: Tensor
    residual: Tensor


class VQVAE(nn.Module):
    """k(x) = the codes nearest to encoder(x); p(x, k) = p(k) p(x|k), p(x|k) = likelihood(decoder(book[k])).

    `encoder` maps x (batch, *event) to (batch, d, *places), `decoder` such vectors to the parameters of the likelihood.
    `prior` is a density of the codes read in raster order, (batch, T) int64; None: uniform. q(k|x) puts all its mass on
    k(x), so that the ELBO is ln p(k(x)) + ln p(x|k(x)), minus the total length; a draw of k adds nothing to it.
    Van den Oord et al. 2017 (there the prior is trained last, which `loss` allows: the codes get no gradient of it).
    """

    def __init__(
        self,
        encoder: nn.Module,
        quantizer: VectorQuantizer,
        decoder: nn.Module,
        likelihood: Likelihood,
        places: tuple[int, ...],
        prior: CodePrior | None = None,
    ):
        super().__init__()
        self.encoder, self.quantizer, self.decoder = encoder, quantizer, decoder
        self.likelihood: Likelihood = likelihood
        self.places = tuple(places)
        self.prior: CodePrior = UniformCodes(quantizer.size, math.prod(places)) if prior is None else prior

    def encode(self, x: Tensor) -> Tensor:
        """What is to be quantised, (batch, d, *places)."""
        z = self.encoder(x)
        if z.shape[2:] != self.places:
            raise ValueError(
                f"encoder: gave shape {tuple(z.shape)} for x of shape {tuple(x.shape)}, "
                f"expected (batch, d, {', '.join(map(str, self.places))})"
            )
        return z

    def codes(self, x: Tensor) -> Tensor:
        """k(x), (batch, *places), int64."""
        return self.quantizer.encode(self.encode(x))

    def parameters_of(self, codes: Tensor) -> Tensor:
        """The parameters of p(x|k), of codes (batch, *places)."""
        return self.decoder(self.quantizer.decode(codes))

    def decode(self, codes: Tensor) -> Tensor:
        """E[x|k], (batch, *event), of codes (batch, *places): a mean, not a sample."""
        return self.likelihood.mean(self.parameters_of(codes))

    def lengths(self, x: Tensor) -> Lengths:
        """−ln p(k(x)) and −ln p(x|k(x)), (batch,) each, nats: together the total length, at least −ln p(x).

        Equation: vae-total-length.
        """
        codes = self.codes(x)
        residual = -self.likelihood.log_prob(x, self.parameters_of(codes))
        return Lengths(-self.prior.log_prob(codes.flatten(1)), residual)

    def elbo(self, x: Tensor, *, rng: Generator | None = None) -> Tensor:
        """ln p(k(x)) + ln p(x|k(x)), (batch,), nats: nothing is drawn, since q(k|x) has one code."""
        codes, residual = self.lengths(x)
        return -codes - residual

    def loss(self, x: Tensor) -> dict[str, Tensor]:
        """Means over the batch: residual and prior, nats, and the terms of the quantiser, as it weighs them."""
        values, codes, terms = self.quantizer(self.encode(x))
        residual = -self.likelihood.log_prob(x, self.decoder(values)).mean()
        return {"residual": residual, "prior": -self.prior.log_prob(codes.flatten(1)).mean(), **terms}

    def after_step(self) -> None:
        """The book follows the encoder."""
        self.quantizer.after_step()

    @torch.no_grad()
    def reconstruct(self, x: Tensor) -> Tensor:
        """E[x|k(x)]."""
        with evaluating(self):
            return self.decode(self.codes(x))

    def sample_codes(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """k ~ p(k), (n, *places) int64."""
        with sampling(self, n, rng):
            return self.prior.sample(n, rng=rng).view(n, *self.places)

    def sample(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """k ~ p(k), x ~ p(x|k): (n, *event), the decoder's noise included."""
        with sampling(self, n, rng):
            return self.likelihood.draw(self.parameters_of(self.sample_codes(n, rng=rng)), rng)

    def sample_mean(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """k ~ p(k), E[x|k]: what papers print."""
        with sampling(self, n, rng):
            return self.decode(self.sample_codes(n, rng=rng))

    def extra_repr(self) -> str:
        return f"places={self.places}"


class ToBlocks(nn.Module):
    """(batch, C, H, W) → (batch, C f², H/f, W/f): each block of f × f pixels becomes one place. No rows give none."""

    def __init__(self, f: int):
        super().__init__()
        self.f = f

    def forward(self, x: Tensor) -> Tensor:
        """(batch, C f², H/f, W/f)."""
        batch, channels, height, wide = x.shape
        blocks = x.view(batch, channels, height // self.f, self.f, wide // self.f, self.f).permute(0, 1, 3, 5, 2, 4)
        return blocks.reshape(batch, channels * self.f**2, height // self.f, wide // self.f)

    def extra_repr(self) -> str:
        return f"{self.f}"


class FromBlocks(ToBlocks):
    """(batch, C f², H, W) → (batch, C, H f, W f): `ToBlocks` undone."""

    def forward(self, x: Tensor) -> Tensor:
        """(batch, C, H f, W f)."""
        batch, maps, height, wide = x.shape
        channels = maps // self.f**2
        pixels = x.view(batch, channels, self.f, self.f, height, wide).permute(0, 1, 4, 2, 5, 3)
        return pixels.reshape(batch, channels, height * self.f, wide * self.f)


def image_networks(
    shape: tuple[int, int, int], dims: int, outputs: int, width: int = 64
) -> tuple[nn.Sequential, nn.Sequential, tuple[int, int]]:
    """Encoder (batch, C, H, W) → (batch, d, H/f, W/f), decoder back to `outputs` maps, and the places (H/f, W/f).

    f is the largest of 4, 2, 1 that divides both sides. Each block of f × f pixels becomes one place with f²C maps, and
    back; all convolutions work on the places, which keeps them small.
    """
    channels, height, wide = shape
    f = next(f for f in (4, 2, 1) if not height % f and not wide % f)

    def across(inputs: int, last: int) -> list[nn.Module]:
        first = nn.Conv2d(inputs, width, 3, padding=1)
        return [first, nn.SiLU(), nn.Conv2d(width, width, 3, padding=1), nn.SiLU(), nn.Conv2d(width, last, 1)]

    encoder = nn.Sequential(ToBlocks(f), *across(f * f * channels, dims))
    decoder = nn.Sequential(*across(dims, f * f * outputs), FromBlocks(f))
    return encoder, decoder, (height // f, wide // f)


def make_vq_vae(data: Examples | None = None, size: int = 64, dims: int = 8, **settings: Any) -> VQVAE:
    """Convolutions, 64 codes of 8 numbers, one for 4 × 4 pixels where 4 divides the sides, and an LSTM as prior.

    Bernoulli for binary data, categorical for up to 32 levels, else a Gaussian with learned σ. Without data: for binary
    8 × 8 images. `settings` are those of `VectorQuantizer`.
    """
    channels, height, wide = shape_of(data, (1, 8, 8))
    likelihood, outputs, last = pixels_for(data, channels)
    encoder, decoder, places = image_networks((channels, height, wide), dims, outputs)
    decoder.extend(last)
    prior = LSTMLanguageModel(size, math.prod(places), embedding=32, hidden=64)
    return VQVAE(encoder, VectorQuantizer(size, dims, **settings), decoder, likelihood, places, prior)


def pixels_for(data: Examples | None, channels: int) -> tuple[Likelihood, int, list[nn.Module]]:
    """p(x|k) that suits a data set, the maps that a decoder makes for it, and the layers that come after these.

    Bernoulli for binary data, and without data; categorical for up to 32 levels, a map for each level of each channel;
    else a Gaussian with learned σ.
    """
    levels = 2 if data is None else _few_levels(data)
    if levels > 2:
        return Categorical(levels), channels * levels, [nn.Unflatten(1, (levels, channels))]
    return likelihood_for(data), channels, []


def _few_levels(data: Examples) -> int:
    """The number of levels, 2 for binary data; 0 where there are more than 32 or none."""
    try:
        return levels_of(data, 32)
    except ValueError:
        return 0


VQ_VAE = ModelRecord(
    name="VQ-VAE",
    key="vq-vae",
    family="vae",
    branch=("explicit density", "approximate", "discrete codes"),
    density="bound",
    claims=(Trainable, Sampler, Bounded),
    paper="vandenoord2017",
    year=2017,
    arxiv="1711.00937",
    lesson="04_vae/04_discrete_codes",
    suits=IMAGES,
    make=make_vq_vae,
    plan=partial(held_then_falling_plan, steps=1_500, batch_size=64, peak=2e-3),
    example=binary_images,
)
