"""Change of variables, and bijections one after another."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol, cast

import torch
from torch import Generator, Tensor, nn

from gmcourse.nets import sampling
from gmcourse.probability import require_events, sum_event
from gmcourse.protocols import Bijection, Density, Sampler, Trainable
from gmcourse.record import Examples, ModelRecord, plane_points, shape_of


class Base(Protocol):
    """A base distribution of latents (batch, *event)."""

    def log_prob(self, z: Tensor) -> Tensor: ...
    def draw(self, like: Tensor, rng: Generator | None = None) -> Tensor: ...


class _Dear(Bijection, Protocol):
    """A bijection with the two methods that one whose log-determinant is dear may have."""

    def estimate(self, x: Tensor) -> tuple[Tensor, Tensor]: ...
    def decode(self, z: Tensor) -> Tensor: ...


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

    Where a log-determinant is dear, a bijection may have two more methods: `estimate(x)`, its forward with an unbiased
    estimate of log|det ∂z/∂x|, which `loss` then takes; and `decode(z)`, its inverse without, which `sample` takes.
    """

    bijections: Sequence[Bijection]
    origin: Tensor

    def __init__(self, bijections: Sequence[Bijection], event_shape: tuple[int, ...], base: Base | None = None):
        super().__init__()
        layers = nn.ModuleList(cast(Sequence[nn.Module], bijections))  # a TypeError of torch's where one is no module
        self.bijections = cast(Sequence[Bijection], layers)
        self.event_shape, self.base = tuple(event_shape), base or Normal()
        self.register_buffer("origin", torch.zeros(self.event_shape), persistent=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """z and log|det ∂z/∂x|, (batch,)."""
        x = self.events(x, "x")
        total = x.new_zeros(len(x))
        for bijection in self.bijections:
            x, log_det = bijection(x)
            total = total + log_det
        return x, total

    def estimate(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """`forward`, with estimates of the log-determinants that are dear: unbiased, and another at each call."""
        x = self.events(x, "x")
        total = x.new_zeros(len(x))
        for bijection in self.bijections:
            dear = hasattr(type(bijection), "estimate")
            x, log_det = cast(_Dear, bijection).estimate(x) if dear else bijection(x)
            total = total + log_det
        return x, total

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """x and log|det ∂x/∂z|, (batch,)."""
        z = self.events(z, "z")
        total = z.new_zeros(len(z))
        for bijection in reversed(self.bijections):
            z, log_det = bijection.inverse(z)
            total = total + log_det
        return z, total

    def decode(self, z: Tensor) -> Tensor:
        """x = f⁻¹(z) alone."""
        z = self.events(z, "z")
        for bijection in reversed(self.bijections):
            dear = hasattr(type(bijection), "decode")
            z = cast(_Dear, bijection).decode(z) if dear else bijection.inverse(z)[0]
        return z

    def log_prob(self, x: Tensor) -> Tensor:
        """log p(x) = log p(f(x)) + log|det ∂f/∂x|, (batch,), nats, exact; −∞ at infinity.

        Equation: flows-change-of-variables.
        """
        z, log_det = self(x)
        return torch.where(sum_event(x.isinf()) > 0, -torch.inf, self.base.log_prob(z) + log_det)

    def loss(self, x: Tensor) -> Tensor:
        """−log p(x), mean over the batch, nats; unbiased where a log-determinant is estimated."""
        z, log_det = self.estimate(x)
        return -(self.base.log_prob(z) + log_det).mean()

    def sample(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """x = f⁻¹(z), z from the base: (n, *event)."""
        with sampling(self, n, rng):
            return self.decode(self.base.draw(self.origin.expand(n, *self.event_shape), rng))

    def events(self, x: Tensor, name: str) -> Tensor:
        """x, if it is a batch of events."""
        return require_events(x, self.event_shape, name)


def stacked(data: Examples | None = None, *, kind: Callable[[int], Bijection], layers: int) -> Flow:
    """Layers of one kind, one after another. Without data: for points of the plane."""
    shape = shape_of(data, (2,))
    return Flow([kind(math.prod(shape)) for _ in range(layers)], shape)


exact_flow = partial(
    ModelRecord,
    family="flows",
    branch=("explicit density", "tractable", "normalising flow"),
    density="exact",
    claims=(Trainable, Sampler, Density, Bijection),
    example=plane_points,
)
"""The record of a flow whose density is exact."""
