"""The neural autoregressive distribution estimator: one hidden vector that grows bit by bit."""

import math
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Generator, Tensor, nn

from gmcourse.autoregressive.bits import bits_of, draw_bit, places_of, require_bits
from gmcourse.autoregressive.discrete import uniforms
from gmcourse.autoregressive.nade_passes import nade_logits, nade_logits_by_state
from gmcourse.nets import no_autocast, sampling
from gmcourse.probability import bernoulli_log_prob
from gmcourse.protocols import Density, Sampler, Trainable
from gmcourse.record import BINARY_IMAGES, Examples, ModelRecord, binary_images, held_then_falling_plan


class NADE(nn.Module):
    """p(x) = Π_d Bern(x_d; σ(b_d + V_d · h_d)), h_d = σ(a_d), a_1 = c, a_{d+1} = a_d + x_d W_d.

    x is (batch, *event), zeros and ones. `order[i]` is the place of entry i of `x.flatten(1)`, 0 first (default: raster
    order); d counts places, and the rows of `weight` W and `output` V, (D, hidden), are places. Larochelle & Murray
    2011; Uria et al. 2016. Equation: autoregressive-nade.
    """

    measures = "probability"
    order: Tensor

    def __init__(self, event_shape: tuple[int, ...], hidden: int = 100, order: Sequence[int] | None = None):
        super().__init__()
        if hidden < 1:
            raise ValueError(f"hidden: got {hidden}, expected at least one unit")
        self.event_shape, dims = tuple(event_shape), math.prod(event_shape)
        self.register_buffer("order", places_of(order, dims))
        self.weight = nn.Parameter(0.05 * torch.randn(dims, hidden))
        self.output = nn.Parameter(0.05 * torch.randn(dims, hidden))
        self.bias = nn.Parameter(torch.zeros(dims))
        self.hidden_bias = nn.Parameter(torch.zeros(hidden))

    def logits(self, x: Tensor) -> Tensor:
        """The logit of each bit, from those before it: (batch, *event) → (batch, *event)."""
        return self._logits(x, nade_logits)

    def log_prob(self, x: Tensor) -> Tensor:
        """ln p(x), (batch,), nats."""
        return bernoulli_log_prob(x, self.logits(x))

    def loss(self, x: Tensor) -> Tensor:
        """−ln p(x), mean over the batch, nats. Raises ValueError for x that holds anything but zeros and ones."""
        require_bits(x, self.event_shape)
        passes = nade_logits if x.is_meta or x.requires_grad else nade_logits_by_state
        return -bernoulli_log_prob(x, self._logits(x, passes)).mean()

    def sample(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """(n, *event), one bit after another: a is kept, so that a sample costs O(D · hidden)."""
        with sampling(self, n, rng):
            u = uniforms(n, len(self.order), self.weight, rng)[:, self.order.argsort()]
            x, a = torch.empty_like(u), self.hidden_bias.repeat(n, 1)
            for d, (row, out, bias) in enumerate(zip(self.weight, self.output, self.bias)):
                x[:, d] = draw_bit(torch.mv(a.sigmoid(), out) + bias, u[:, d])
                a.addr_(x[:, d], row)
            return x[:, self.order].view(n, *self.event_shape)

    def _logits(self, x: Tensor, passes: Callable[..., Tensor]) -> Tensor:
        with no_autocast(x):
            by_place = passes(
                x.flatten(1)[:, self.order.argsort()], self.weight, self.output, self.bias, self.hidden_bias
            )
        return by_place[:, self.order].view(x.shape)

    def extra_repr(self) -> str:
        """The shape of an example, and the hidden units."""
        return f"event_shape={self.event_shape}, hidden={len(self.hidden_bias)}"


def make_nade(data: Examples | None = None) -> NADE:
    """100 hidden units, raster order; b begins as the logits of the pixels' means. Without data: for 8 × 8 images."""
    shape, means = bits_of(data)
    model = NADE(shape)
    model.bias.data.copy_(means)
    return model


NADE_RECORD = ModelRecord(
    name="NADE",
    key="nade",
    family="autoregressive",
    branch=("explicit density", "tractable", "fully visible belief net"),
    density="exact",
    claims=(Trainable, Sampler, Density),
    paper="larochelle2011",
    year=2011,
    arxiv="",
    lesson="02_autoregressive/01_chain_rule",
    suits=BINARY_IMAGES,
    make=make_nade,
    plan=partial(held_then_falling_plan, steps=1_500, batch_size=64, peak=1e-2),
    example=binary_images,
)
