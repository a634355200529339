"""The fully visible sigmoid belief network: one logistic regression a bit, on the bits before it."""

import math
from collections.abc import Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from gmcourse.autoregressive.bits import bits_of, draw_bit, places_of, require_bits
from gmcourse.autoregressive.discrete import uniforms
from gmcourse.nets import sampling
from gmcourse.probability import bernoulli_log_prob
from gmcourse.protocols import Density, Sampler, Trainable
from gmcourse.record import BINARY_IMAGES, Examples, ModelRecord, binary_images, held_then_falling_plan


def fvsbn_logits(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """l_d = b_d + Σ_{j<d} W_dj x_j, (batch, D); W is (D, D), and what stands on or above its diagonal has no effect."""
    return F.linear(x, weight.tril(-1), bias)


def fvsbn_log_prob(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """ln p(x) = Σ_d ln Bern(x_d; σ(l_d)), (batch,), nats, of bits x (batch, D)."""
    return bernoulli_log_prob(x, fvsbn_logits(x, weight, bias))


class FVSBN(nn.Module):
    """p(x) = Π_d Bern(x_d; σ(b_d + Σ_{j<d} W_dj x_j)): each bit a logistic regression on those before it.

    x is (batch, *event), zeros and ones. `order[i]` is the place of entry i of `x.flatten(1)`, 0 first (default: raster
    order); rows and columns of `weight`, (D, D), are places, and what stands on or above its diagonal has no effect.
    Frey et al. 1996. Equation: autoregressive-fvsbn.
    """

    measures = "probability"
    order: Tensor

    def __init__(self, event_shape: tuple[int, ...], order: Sequence[int] | None = None):
        super().__init__()
        self.event_shape, dims = tuple(event_shape), math.prod(event_shape)
        self.register_buffer("order", places_of(order, dims))
        self.weight = nn.Parameter(0.01 * torch.randn(dims, dims))
        self.bias = nn.Parameter(torch.zeros(dims))

    def logits(self, x: Tensor) -> Tensor:
        """The logit of each bit, from those before it: (batch, *event) → (batch, *event)."""
        by_place = fvsbn_logits(x.flatten(1)[:, self.order.argsort()], self.weight, self.bias)
        return by_place[:, self.order].view(x.shape)

    def log_prob(self, x: Tensor) -> Tensor:
        """ln p(x), (batch,), nats."""
        return bernoulli_log_prob(x, self.logits(x))

    def loss(self, x: Tensor) -> Tensor:
        """−ln p(x), mean over the batch, nats. Raises ValueError for x that holds anything but zeros and ones."""
        require_bits(x, self.event_shape)
        return -self.log_prob(x).mean()

    def sample(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """(n, *event), one bit after another; each multiplies one row of the weights."""
        with sampling(self, n, rng):
            u = uniforms(n, len(self.order), self.weight, rng)[:, self.order.argsort()]
            x = torch.empty_like(u)
            for d, (row, bias) in enumerate(zip(self.weight, self.bias)):
                x[:, d] = draw_bit(torch.mv(x[:, :d], row[:d]) + bias, u[:, d])
            return x[:, self.order].view(n, *self.event_shape)

    def extra_repr(self) -> str:
        """The shape of an example."""
        return f"event_shape={self.event_shape}"


def make_fvsbn(data: Examples | None = None) -> FVSBN:
    """In raster order; the biases begin as the logits of the pixels' means. Without data: for binary 8 × 8 images."""
    shape, means = bits_of(data)
    model = FVSBN(shape)
    model.bias.data.copy_(means)
    return model


FVSBN_RECORD = ModelRecord(
    name="FVSBN",
    key="fvsbn",
    family="autoregressive",
    branch=("explicit density", "tractable", "fully visible belief net"),
    density="exact",
    claims=(Trainable, Sampler, Density),
    paper="frey1996",
    year=1996,
    arxiv="",
    lesson="02_autoregressive/01_chain_rule",
    suits=BINARY_IMAGES,
    make=make_fvsbn,
    plan=partial(held_then_falling_plan, steps=1_500, batch_size=64, peak=1e-2),
    example=binary_images,
)
