"""Change of variables, and bijections one after another."""

import math
from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn

from gmcourse.nets import evaluating
from gmcourse.probability import sum_event
from gmcourse.protocols import Bijection


class Normal(nn.Module):
    """Base distribution N(0, I) of latents (batch, *event): −½ Σ (z² + ln 2π)."""

    def log_prob(self, z: Tensor) -> Tensor:
        """(batch,), nats."""
        return -0.5 * sum_event(z * z + math.log(2 * math.pi))

    def draw(self, like: Tensor, rng: Generator | None = None) -> Tensor:
        """A draw of the shape, dtype and device of `like`."""
        return torch.randn(like.shape, generator=rng, dtype=like.dtype, device=like.device)


class Laplace(nn.Module):
    """Base distribution Π ½ e^{−|z|}: heavier tails than a Gaussian, and a preferred set of axes."""

    def log_prob(self, z: Tensor) -> Tensor:
        """(batch,), nats."""
        return sum_event(-z.abs() - math.log(2))

    def draw(self, like: Tensor, rng: Generator | None = None) -> Tensor:
        """A draw of the shape, dtype and device of `like`."""
        u = torch.rand(like.shape, generator=rng, dtype=like.dtype, device=like.device) - 0.5
        return -u.sign() * torch.log1p(-2 * u.abs().clamp(max=0.5 - 1e-7))


class Flow(nn.Module):
    """z = f_n ∘ … ∘ f_1 (x) with z from a base distribution: log p(x) = log p(z) + Σ_k log|det ∂f_k|.

    `bijections` go from data to latent, each at its own input; `event_shape` is that of x, continuous. A flow is a
    bijection itself. Equation: flows-composition. Papamakarios et al. 2021, eq. 6.
    """

    def __init__(self, bijections: Sequence[Bijection], event_shape: tuple[int, ...], base: nn.Module | None = None):
        super().__init__()
        self.bijections = nn.ModuleList(bijections)
        self.event_shape, self.base = tuple(event_shape), base or Normal()
        self.register_buffer("origin", torch.zeros(self.event_shape), persistent=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """z and log|det ∂z/∂x|, (batch,)."""
        if x.shape[1:] != self.event_shape or not x.is_floating_point():
            raise ValueError(
                f"x: got shape {tuple(x.shape)} and {x.dtype}, expected (batch, *{self.event_shape}), floating point"
            )
        total = x.new_zeros(len(x))
        for bijection in self.bijections:
            x, log_det = bijection(x)
            total = total + log_det
        return x, total

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """x and log|det ∂x/∂z|, (batch,)."""
        total = z.new_zeros(len(z))
        for bijection in reversed(self.bijections):
            z, log_det = bijection.inverse(z)
            total = total + log_det
        return z, total

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) = log p(f(x)) + log|det ∂f/∂x|, (batch,), nats, exact. Equation: flows-change-of-variables."""
        z, log_det = self(x)
        return self.base.log_prob(z) + log_det

    def loss(self, x: Tensor) -> Tensor:
        """−log p(x), mean over the batch, nats."""
        return -self.log_prob(x).mean()

    @torch.no_grad()
    def sample(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """x = f⁻¹(z), z from the base: (n, *event)."""
        if n < 0:
            raise ValueError(f"n: got {n}, expected a number of samples, at least 0")
        with evaluating(self):
            return self.inverse(self.base.draw(self.origin.expand(n, *self.event_shape), rng))[0]
