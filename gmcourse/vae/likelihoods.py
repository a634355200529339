"""What a decoder says of a pixel: the distribution p(x|z) whose parameters it puts out."""

import math
from typing import Protocol

import torch
from torch import Generator, Tensor, nn

from gmcourse.probability import bernoulli_log_prob, categorical_log_prob, gaussian_log_prob, is_binary, noise_like
from gmcourse.record import Examples


class Likelihood(Protocol):
    """p(x|z), given what a decoder puts out: its log-probability, (batch,), its mean, and a draw."""

    def log_prob(self, x: Tensor, parameters: Tensor, /) -> Tensor: ...
    def mean(self, parameters: Tensor, /) -> Tensor: ...
    def draw(self, parameters: Tensor, rng: Generator | None = None, /) -> Tensor: ...


class Bernoulli(nn.Module):
    """x | z ~ Bern(sigmoid(l)), one logit l a pixel; x (batch, *event) in {0, 1}."""

    measures = "probability"

    def log_prob(self, x: Tensor, logits: Tensor) -> Tensor:
        """log p(x|z), (batch,), nats. Raises ValueError where the logits have another shape than x."""
        _require_shape(logits, x)
        return bernoulli_log_prob(x, logits)

    def mean(self, logits: Tensor) -> Tensor:
        """E[x|z] = sigmoid(l): a grey picture, not a sample."""
        return logits.sigmoid()

    def draw(self, logits: Tensor, rng: Generator | None = None) -> Tensor:
        """One binary draw a pixel."""
        return torch.bernoulli(logits.sigmoid(), generator=rng)


class Gaussian(nn.Module):
    """x | z ~ N(m, σ²I) with the decoder's output as m; x (batch, *event).

    σ starts at `std` and is `learned` or fixed; `shape` () shares one σ, an event shape gives each pixel its own.
    """

    measures = "density"

    def __init__(self, std: float, learned: bool = False, shape: tuple[int, ...] = ()):
        super().__init__()
        if not std > 0:
            raise ValueError(f"std: got {std}, expected a positive standard deviation")
        self.log_std = nn.Parameter(torch.full(shape, math.log(std)), requires_grad=learned)

    def log_prob(self, x: Tensor, mean: Tensor) -> Tensor:
        """log p(x|z) = −‖x − m‖²/2σ² − D ln σ − (D/2) ln 2π, (batch,), nats, when σ is shared.

        Raises ValueError where the mean has another shape than x. Equation: vae-gaussian-likelihood.
        """
        _require_shape(mean, x)
        return gaussian_log_prob(x, mean, self.log_std)

    def mean(self, mean: Tensor) -> Tensor:
        """E[x|z] = m: the picture without its noise, not a sample."""
        return mean

    def draw(self, mean: Tensor, rng: Generator | None = None) -> Tensor:
        """m + σε."""
        noise = noise_like(mean, rng)
        return mean + self.log_std.exp() * noise


class Categorical(nn.Module):
    """x | z ~ softmax(l), V = `levels` levels k/(V−1) a value; x (batch, *event), logits l (batch, V, *event)."""

    measures = "probability"

    def __init__(self, levels: int):
        super().__init__()
        if levels < 2:
            raise ValueError(f"levels: got {levels}, expected at least 2")
        self.levels = levels

    def log_prob(self, x: Tensor, logits: Tensor) -> Tensor:
        """log p(x|z) = Σ ln softmax(l)[k], (batch,), nats. Raises ValueError for other values than k/(V−1)."""
        scaled = x.detach() * (self.levels - 1)
        codes = scaled.round()
        off = ((scaled - codes).abs() > 1e-3) | (codes < 0) | (codes >= self.levels)
        if not x.is_meta and off.any():
            last = self.levels - 1
            raise ValueError(f"x: got {x[off][0].item():.4g}, expected only k/{last} with k = 0..{last}")
        return categorical_log_prob(codes.long(), logits)

    def mean(self, logits: Tensor) -> Tensor:
        """E[x|z]: the mean level, not a sample."""
        levels = torch.arange(self.levels, dtype=logits.dtype, device=logits.device) / (self.levels - 1)
        return logits.softmax(1).movedim(1, -1) @ levels

    def draw(self, logits: Tensor, rng: Generator | None = None) -> Tensor:
        """One level drawn for each value."""
        probabilities = logits.softmax(1).movedim(1, -1)
        codes = torch.multinomial(probabilities.flatten(0, -2), 1, generator=rng).view(probabilities.shape[:-1])
        return codes.to(logits.dtype) / (self.levels - 1)

    def extra_repr(self) -> str:
        return f"{self.levels}"


def likelihood_for(data: Examples | None = None) -> Bernoulli | Gaussian:
    """Bernoulli for binary data, and without any; else a Gaussian with a learned σ that starts at 0.1."""
    return Bernoulli() if data is None or is_binary(data.train) else Gaussian(std=0.1, learned=True)


def _require_shape(parameters: Tensor, x: Tensor) -> None:
    if parameters.shape != x.shape:
        raise ValueError(
            f"decoder: gave shape {tuple(parameters.shape)}, expected that of x, {tuple(x.shape)}: a parameter a value"
        )
