"""Two levels of codes: few that see all of x, and many that see what the few have said. For pictures and for sounds."""

import math
from collections.abc import Callable
from typing import NamedTuple, Protocol

import torch
from torch import Generator, Tensor, nn

from gmcourse.nets import evaluating, sampling
from gmcourse.vae.likelihoods import Likelihood
from gmcourse.vae.quantizer import Quantized, VectorQuantizer
from gmcourse.vae.strided import growing, shrinking

Places = tuple[tuple[int, ...], tuple[int, ...]]
"""How many codes there are along each axis, at the top and at the bottom."""


class PairPrior(Protocol):
    """p(t) and p(b|t) of rows of codes, (batch, T) and (batch, B) int64: a `CaptionPrior` whose words are top codes."""

    def prefix_log_prob(self, given: Tensor, /) -> Tensor: ...
    def log_prob(self, codes: Tensor, given: Tensor, /) -> Tensor: ...
    def sample_prefix(self, n: int, *, rng: Generator | None = None) -> Tensor: ...
    def sample(self, n: int, given: Tensor, *, rng: Generator | None = None) -> Tensor: ...


class UniformPair(nn.Module):
    """p(t) = V_t^{−T}, p(b|t) = V_b^{−B}: what is assumed while no prior is learned."""

    def __init__(self, sizes: tuple[int, int], places: Places):
        super().__init__()
        self.sizes, self.lengths = tuple(sizes), tuple(math.prod(level) for level in places)

    def prefix_log_prob(self, given: Tensor) -> Tensor:
        """−T ln V_t, (batch,), nats."""
        return torch.full((len(given),), -self.lengths[0] * math.log(self.sizes[0]), device=given.device)

    def log_prob(self, codes: Tensor, given: Tensor) -> Tensor:
        """−B ln V_b, (batch,), nats."""
        return torch.full((len(codes),), -self.lengths[1] * math.log(self.sizes[1]), device=given.device)

    def sample_prefix(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """(n, T) int64."""
        return self._codes(0, n, rng)

    def sample(self, n: int, given: Tensor, *, rng: Generator | None = None) -> Tensor:
        """(n, B) int64."""
        return self._codes(1, n, rng).to(given.device)

    def extra_repr(self) -> str:
        return f"{self.sizes}, {self.lengths}"

    def _codes(self, level: int, n: int, rng: Generator | None) -> Tensor:
        device = None if rng is None else rng.device
        return torch.randint(self.sizes[level], (n, self.lengths[level]), generator=rng, device=device)


class Levels(NamedTuple):
    """One thing of each level: codes (batch, *places), or places, or books."""

    top: Tensor
    bottom: Tensor


class LevelLengths(NamedTuple):
    """What x costs, (batch,) nats each: −ln p(t), −ln p(b|t) and −ln p(x|t, b)."""

    top: Tensor
    bottom: Tensor
    residual: Tensor


def code_lengths(prior: PairPrior, codes: Levels) -> tuple[Tensor, Tensor]:
    """−ln p(t) and −ln p(b|t) of codes of both levels, (batch,) each, nats."""
    top, bottom = (part.flatten(1) for part in codes)
    return -prior.prefix_log_prob(top), -prior.log_prob(bottom, top)


def total_bits(top: Tensor, bottom: Tensor, residual: Tensor) -> Tensor:
    """−[Σ ln p(t_i|t_<i) + Σ ln p(b_j|b_<j, t) + Σ ln p(x_d|t, b)] / ln 2, (batch,), bits.

    What comes in are log-probabilities in nats, (batch, *event), one of each code and of each value of x.
    Equation: vae-two-level-length.
    """
    sums = [part.flatten(1).sum(1) for part in (top, bottom, residual)]
    return -torch.stack(sums).sum(0) / math.log(2)


class LevelNetworks(nn.Module):
    """The five networks of two levels, in the order in which they are used.

    `lower` makes h of x; what `upper` makes of h is quantised to t; `raised` brings t to the places of h; `joined`
    reads both, and what it makes is quantised to b; `decoder` makes the parameters of p(x|t, b) of b and the raised t.
    """

    def __init__(self, lower: nn.Module, upper: nn.Module, raised: nn.Module, joined: nn.Module, decoder: nn.Module):
        super().__init__()
        self.lower, self.upper, self.raised, self.joined, self.decoder = lower, upper, raised, joined, decoder


def level_networks(
    axes: int,
    channels: int,
    outputs: int,
    *,
    halvings: tuple[int, int] = (1, 1),
    dims: tuple[int, int] = (8, 8),
    width: int = 32,
) -> LevelNetworks:
    """Convolutions over `axes` axes: the bottom has 2^halvings[1] values of x to a code along each, the top
    2^(halvings[0] + halvings[1]). `dims` are the numbers of a code, top and bottom; `outputs` those for a value of x.
    """
    (up, down), (top, bottom) = halvings, dims
    return LevelNetworks(
        shrinking(axes, channels, width, width, down),
        shrinking(axes, width, width, top, up),
        growing(axes, top, width, width, up),
        shrinking(axes, 2 * width, width, bottom, 0),
        growing(axes, bottom + width, width, outputs, down),
    )


class TwoLevelVQ(nn.Module):
    """h = E(x), t = VQ(E_t(h)), b = VQ([h, D_t(t)]), p(x, t, b) = p(t) p(b|t) p(x|t, b): trained as one (VQ-VAE-2).

    The bottom sees the decoded top before it is quantised, so that it can leave out what the top has said; the decoder
    sees both. `places` are those of top and bottom. `prior` gives p(t) and p(b|t) of codes in raster order; None:
    uniform. q(t, b|x) puts its mass on one pair, so that the ELBO is minus the total length, and nothing is drawn.
    `further`(x̂, x) → (batch,), such as a `SpectralDistance`, is a term of the loss, and no part of the length. Razavi
    et al. 2019, algorithm 1; there the priors are trained last, which `loss` allows: the codes get no gradient of them.
    Equation: vae-two-levels.
    """

    def __init__(
        self,
        networks: LevelNetworks,
        top: VectorQuantizer,
        bottom: VectorQuantizer,
        likelihood: Likelihood,
        places: Places,
        prior: PairPrior | None = None,
        further: Callable[[Tensor, Tensor], Tensor] | None = None,
    ):
        super().__init__()
        self.networks, self.top, self.bottom = networks, top, bottom
        self.likelihood: Likelihood = likelihood
        self.places = (tuple(places[0]), tuple(places[1]))
        self.prior: PairPrior = UniformPair((top.size, bottom.size), places) if prior is None else prior
        self.further = further

    def quantize(self, x: Tensor) -> tuple[Quantized, Quantized, Tensor]:
        """Top and bottom, each with values, codes and terms, and the decoded top, (batch, width, *bottom places)."""
        h = self.networks.lower(x)
        top = self.top(self.networks.upper(h))
        raised = self.networks.raised(top.values)
        _require_places(self.places, top.codes[:, None], h, raised)
        bottom = self.bottom(self.networks.joined(torch.cat([h, raised], 1)))
        return top, bottom, raised

    def codes(self, x: Tensor) -> Levels:
        """t(x) and b(x), (batch, *places) int64 each."""
        return Levels(*(level.codes for level in self.quantize(x)[:2]))

    def parameters_of(self, codes: Levels) -> Tensor:
        """The parameters of p(x|t, b), of codes of both levels."""
        raised = self.networks.raised(self.top.decode(codes[0]))
        return self.networks.decoder(torch.cat([self.bottom.decode(codes[1]), raised], 1))

    def decode(self, codes: Levels) -> Tensor:
        """E[x|t, b], (batch, *event): a mean, not a sample."""
        return self.likelihood.mean(self.parameters_of(codes))

    def lengths(self, x: Tensor) -> LevelLengths:
        """−ln p(t), −ln p(b|t), −ln p(x|t, b), (batch,) each, nats: their sum is at least −ln p(x)."""
        codes = self.codes(x)
        residual = -self.likelihood.log_prob(x, self.parameters_of(codes))
        return LevelLengths(*code_lengths(self.prior, codes), residual)

    def elbo(self, x: Tensor, *, rng: Generator | None = None) -> Tensor:
        """ln p(t) + ln p(b|t) + ln p(x|t, b), (batch,), nats: nothing is drawn, since q has one pair."""
        return -torch.stack(self.lengths(x)).sum(0)

    def loss(self, x: Tensor) -> dict[str, Tensor]:
        """Means over the batch: residual, priors of both levels, nats; the terms of the quantisers; `further`."""
        top, bottom, raised = self.quantize(x)
        parameters = self.networks.decoder(torch.cat([bottom.values, raised], 1))
        lengths = code_lengths(self.prior, Levels(top.codes, bottom.codes))
        terms = {"residual": -self.likelihood.log_prob(x, parameters).mean()}
        for level, quantized, length in zip(("top", "bottom"), (top, bottom), lengths, strict=True):
            terms |= {f"{level} prior": length.mean()}
            terms |= {f"{level} {name}": value for name, value in quantized.terms.items()}
        if self.further is not None:
            terms["further"] = self.further(self.likelihood.mean(parameters), x).mean()
        return terms

    def after_step(self) -> None:
        """Both books follow the encoders."""
        self.top.after_step()
        self.bottom.after_step()

    def reconstruct(self, x: Tensor) -> Tensor:
        """E[x|t(x), b(x)]."""
        with torch.no_grad(), evaluating(self):
            return self.decode(self.codes(x))

    def sample_codes(self, n: int, *, top: Tensor | None = None, rng: Generator | None = None) -> Levels:
        """t ~ p(t), b ~ p(b|t); with `top`, (n, *places), only the bottom is drawn: other details of the same x."""
        with sampling(self, n, rng):
            row = self.prior.sample_prefix(n, rng=rng) if top is None else top.flatten(1)
            bottom = self.prior.sample(n, row, rng=rng)
            return Levels(row.view(n, *self.places[0]), bottom.view(n, *self.places[1]))

    def sample(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """t ~ p(t), b ~ p(b|t), x ~ p(x|t, b): (n, *event), the decoder's noise included."""
        with sampling(self, n, rng):
            return self.likelihood.draw(self.parameters_of(self.sample_codes(n, rng=rng)), rng)

    def sample_mean(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """t ~ p(t), b ~ p(b|t), E[x|t, b]: what papers print."""
        with sampling(self, n, rng):
            return self.decode(self.sample_codes(n, rng=rng))

    def extra_repr(self) -> str:
        return f"places={self.places}"


def _require_places(places: Places, top: Tensor, h: Tensor, raised: Tensor) -> None:
    got = tuple(tuple(part.shape[2:]) for part in (top, h, raised))
    if got != (*places, places[1]):
        raise ValueError(f"networks: gave places {got} for top, bottom and raised top, expected {(*places, places[1])}")
