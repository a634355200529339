"""Levels that are trained apart: each makes its own codes of x, and only their priors stand on one another."""

from collections.abc import Callable
from typing import Protocol, cast

import torch
from torch import Generator, Tensor, nn

from gmcourse.nets import evaluating, sampling
from gmcourse.vae.hierarchy import LevelLengths, Levels, PairPrior, UniformPair, code_lengths
from gmcourse.vae.likelihoods import Likelihood
from gmcourse.vae.quantizer import VectorQuantizer


class OneLevel(Protocol):
    """An autoencoder with one level of codes, such as a `VQVAE`."""

    quantizer: VectorQuantizer
    decoder: nn.Module
    likelihood: Likelihood
    places: tuple[int, ...]

    def encode(self, x: Tensor, /) -> Tensor: ...
    def codes(self, x: Tensor, /) -> Tensor: ...
    def parameters_of(self, codes: Tensor, /) -> Tensor: ...
    def decode(self, codes: Tensor, /) -> Tensor: ...


class StackedVQ(nn.Module):
    """t = VQ(E_t(x)) and b = VQ(E_b(x)), each with a decoder of its own; p(x, t, b) = p(t) p(b|t) p(x|b).

    `top` and `bottom` are whole models with one level of codes, the top's codes fewer; no gradient goes from one to the
    other. x is decoded from the bottom codes alone: what the top is for is a prior of short rows, from which p(b|t)
    goes on. −ln p(t) − ln p(b|t) − ln p(x|b) is a total length, at least −ln p(x). `further`, of x̂ and x, (batch,), is
    a term of the loss of each level, and no part of the length. The priors of the two models themselves are not used.
    Dhariwal et al. 2020, sections 3 and 4, have three levels.
    """

    def __init__(
        self,
        top: nn.Module,
        bottom: nn.Module,
        prior: PairPrior | None = None,
        further: Callable[[Tensor, Tensor], Tensor] | None = None,
    ):
        super().__init__()
        self.top, self.bottom, self.further = top, bottom, further
        above, below = self._levels()
        sizes, places = (above.quantizer.size, below.quantizer.size), (above.places, below.places)
        self.prior: PairPrior = UniformPair(sizes, places) if prior is None else prior

    def codes(self, x: Tensor) -> Levels:
        """t(x) and b(x), (batch, *places) int64 each: neither hangs on the other."""
        return Levels(*(level.codes(x) for level in self._levels()))

    def decode(self, codes: Levels) -> Tensor:
        """E[x|b], (batch, *event)."""
        return self._levels()[1].decode(codes[1])

    def preview(self, codes: Levels) -> Tensor:
        """E[x|t] by the top's own decoder, (batch, *event): what the few codes say alone."""
        return self._levels()[0].decode(codes[0])

    def lengths(self, x: Tensor) -> LevelLengths:
        """−ln p(t), −ln p(b|t), −ln p(x|b), (batch,) each, nats."""
        codes, below = self.codes(x), self._levels()[1]
        residual = -below.likelihood.log_prob(x, below.parameters_of(codes.bottom))
        return LevelLengths(*code_lengths(self.prior, codes), residual)

    def elbo(self, x: Tensor, *, rng: Generator | None = None) -> Tensor:
        """ln p(t) + ln p(b|t) + ln p(x|b), (batch,), nats: nothing is drawn."""
        return -torch.stack(self.lengths(x)).sum(0)

    def loss(self, x: Tensor) -> dict[str, Tensor]:
        """Of each level the residual, nats, the terms of its quantiser, and `further`; then both priors, nats."""
        terms, codes = {}, []
        for name, level in zip(("top", "bottom"), self._levels(), strict=True):
            values, own, quantised = level.quantizer(level.encode(x))
            parameters = level.decoder(values)
            terms[f"{name} residual"] = -level.likelihood.log_prob(x, parameters).mean()
            terms |= {f"{name} {term}": value for term, value in quantised.items()}
            if self.further is not None:
                terms[f"{name} further"] = self.further(level.likelihood.mean(parameters), x).mean()
            codes.append(own)
        top, bottom = code_lengths(self.prior, Levels(*codes))
        return terms | {"top prior": top.mean(), "bottom prior": bottom.mean()}

    def after_step(self) -> None:
        """Each book follows its encoder."""
        for level in self._levels():
            level.quantizer.after_step()

    def reconstruct(self, x: Tensor) -> Tensor:
        """E[x|b(x)]."""
        with torch.no_grad(), evaluating(self):
            return self.decode(self.codes(x))

    def sample_codes(self, n: int, *, rng: Generator | None = None) -> Levels:
        """t ~ p(t), b ~ p(b|t), (n, *places) int64 each."""
        with sampling(self, n, rng):
            top = self.prior.sample_prefix(n, rng=rng)
            rows = top, self.prior.sample(n, top, rng=rng)
            return Levels(*(row.view(n, *level.places) for row, level in zip(rows, self._levels(), strict=True)))

    def sample(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """t ~ p(t), b ~ p(b|t), x ~ p(x|b): (n, *event), the decoder's noise included."""
        with sampling(self, n, rng):
            below, codes = self._levels()[1], self.sample_codes(n, rng=rng)
            return below.likelihood.draw(below.parameters_of(codes.bottom), rng)

    def sample_mean(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """t ~ p(t), b ~ p(b|t), E[x|b]: what papers print."""
        with sampling(self, n, rng):
            return self.decode(self.sample_codes(n, rng=rng))

    def _levels(self) -> tuple[OneLevel, OneLevel]:
        return cast(OneLevel, self.top), cast(OneLevel, self.bottom)
