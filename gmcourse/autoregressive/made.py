"""The masked autoencoder for distribution estimation: an ordinary network, cut to a triangle; in one order, or many."""

import math
from collections.abc import Sequence
from functools import partial
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from gmcourse.autoregressive.bits import bits_of, draw_bit, places_of
from gmcourse.autoregressive.discrete import uniforms
from gmcourse.nets import sampling
from gmcourse.nets.masked import counts_below, one_after_another
from gmcourse.probability import bernoulli_log_prob, require_bits
from gmcourse.protocols import Density, Sampler, Trainable
from gmcourse.record import BINARY_IMAGES, Examples, ModelRecord, binary_images, held_then_falling_plan


def made_masks(order: Tensor, degrees: Sequence[Tensor]) -> list[Tensor]:
    """The mask of each layer of weights, (outputs, inputs), bool, True where a weight is left.

    `order[i]` is the place of input i, 0 first: its degree is one more. `degrees` are those of the hidden layers, 1 to
    D − 1. A unit sees what is of its own degree or a lower one; an output only what is of a lower one, and so no path
    leads from an input to itself or to an earlier place. Germain et al. 2015. Equation: autoregressive-made-masks.
    """
    layers = [order + 1, *degrees]
    masks = [after[:, None] >= before for before, after in pairwise(layers)]
    return [*masks, layers[0][:, None] > layers[-1]]


def draw_degrees(dims: int, hidden: Sequence[int], rng: Generator) -> list[Tensor]:
    """Degrees of hidden layers, each uniform from the least of the layer before it, 1 at first, to D − 1."""
    degrees, least = [], 1
    for size in hidden:
        degrees.append(torch.randint(least, max(dims, least + 1), (size,), generator=rng))
        least = int(degrees[-1].min())
    return degrees


def random_orders(dims: int, count: int, seed: int = 0) -> list[list[int]]:
    """`count` orders of `dims` entries, each the places of the entries, uniform among all."""
    rng = torch.Generator().manual_seed(seed)
    return [torch.randperm(dims, generator=rng).tolist() for _ in range(count)]


def ensemble_log_prob(log_probs: Tensor) -> Tensor:
    """ln (1/K) Σ_k p_k(x), (batch,), from ln p_k(x), (K, batch): of whole images, so that it is a distribution.

    Equation: autoregressive-ensemble.
    """
    return log_probs.logsumexp(0) - math.log(len(log_probs))


class BinaryMADE(nn.Module):
    """p(x) = (1/K) Σ_k Π_d Bern(x_d; σ(l_kd)): one network of ReLUs under K sets of masks, one a member of `orders`.

    x is (batch, *event), zeros and ones. A member of `orders` says the place of each entry of `x.flatten(1)`, 0 first;
    None is raster order. Each has hidden degrees of its own, drawn from `seed` and its number, so that one order can
    stand more than once. Training goes round them, one a step; in evaluation mode the loss is that of all K together.
    With `direct`, a masked matrix leads from x straight to the logits. Germain et al. 2015.
    """

    measures = "probability"
    orders: Tensor
    turn: Tensor

    def __init__(
        self,
        event_shape: tuple[int, ...],
        hidden: Sequence[int] = (500,),
        orders: Sequence[Sequence[int] | None] = (None,),
        direct: bool = True,
        seed: int = 0,
    ):
        super().__init__()
        if not hidden or not orders:
            raise ValueError(f"hidden, orders: got {hidden} and {orders}, expected at least one of each")
        self.event_shape, dims = tuple(event_shape), math.prod(event_shape)
        self.layers = nn.ModuleList(nn.Linear(*sizes) for sizes in pairwise((dims, *hidden, dims)))
        self.direct = nn.Parameter(torch.zeros(dims, dims)) if direct else None
        rngs = [torch.Generator().manual_seed(seed * 1_000_003 + k) for k in range(len(orders))]
        self.register_buffer("orders", torch.stack([places_of(order, dims) for order in orders]))
        for i, drawn in enumerate(zip(*(draw_degrees(dims, hidden, rng) for rng in rngs))):
            self.register_buffer(f"degrees{i}", torch.stack(drawn))
        self.register_buffer("turn", torch.zeros(1, dtype=torch.long))

    def logits(self, x: Tensor, k: int | Tensor = 0) -> Tensor:
        """The logit of each bit from those before it in order k: (batch, *event) → (batch, *event)."""
        order, degrees = self.numbered(k)
        flat = h = x.flatten(1)
        *hidden, last = made_masks(order, degrees)
        *before, final = self.linears()
        for layer, mask in zip(before, hidden):
            h = F.linear(h, layer.weight.where(mask, 0.0), layer.bias).relu()
        logits = F.linear(h, final.weight.where(last, 0.0), final.bias)
        if self.direct is not None:
            logits = logits + F.linear(flat, self.direct.where(order[:, None] > order, 0.0))
        return logits.view(x.shape)

    def log_probs(self, x: Tensor) -> Tensor:
        """ln p_k(x) in each order, (K, batch), nats."""
        return torch.stack([bernoulli_log_prob(x, self.logits(x, k)) for k in range(len(self.orders))])

    def log_prob(self, x: Tensor) -> Tensor:
        """ln p(x), of the mixture of all orders, (batch,), nats."""
        return ensemble_log_prob(self.log_probs(x))

    def loss(self, x: Tensor) -> Tensor:
        """−ln p(x), mean over the batch, nats: in training in the order whose turn it is. ValueError for other x."""
        require_bits(x, self.event_shape)
        log_prob = bernoulli_log_prob(x, self.logits(x, self.turn)) if self.training else self.log_prob(x)
        return -log_prob.mean()

    def after_step(self) -> None:
        """The next order has its turn."""
        self.turn.add_(1).remainder_(len(self.orders))

    def sample(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """(n, *event): an order each, uniform, then bit after bit; each hidden unit is computed once a sample."""
        with sampling(self, n, rng):
            u = uniforms(n, self.orders.shape[1], self.linears()[0].weight, rng)
            which = torch.zeros(n, dtype=torch.long, device=u.device)
            if len(self.orders) > 1:
                which = torch.randint(len(self.orders), (n,), generator=rng, device=u.device)
            for k in () if u.is_meta else which.unique().tolist():
                u[which == k] = in_order(self, k, u[which == k])
            return u.view(n, *self.event_shape)

    def linears(self) -> list[nn.Linear]:
        """The layers; their weights are not masked."""
        return [layer for layer in self.layers if isinstance(layer, nn.Linear)]

    def numbered(self, k: int | Tensor) -> tuple[Tensor, list[Tensor]]:
        """The places of order k and its hidden degrees."""
        sets = (self.orders, *(getattr(self, f"degrees{i}") for i in range(len(self.layers) - 1)))
        order, *degrees = (each[k].view(-1) for each in sets)
        return order, degrees

    def extra_repr(self) -> str:
        """The shape of an example, and the orders."""
        return f"event_shape={self.event_shape}, orders={len(self.orders)}"


def in_order(model: BinaryMADE, k: int, u: Tensor) -> Tensor:
    """Bits drawn by the uniform numbers u, (batch, D), in order k: the hidden units are sorted by degree for it."""
    order, degrees = model.numbered(k)
    ranks = [torch.arange(len(order), device=u.device), *(d.argsort(stable=True) for d in degrees)]
    ranks.append(ranks[0])  # outputs as they come
    linears = zip(model.linears(), pairwise(ranks))
    layers = [(layer.weight[after][:, before], layer.bias[after]) for layer, (before, after) in linears]
    direct = None if model.direct is None else model.direct * (order[:, None] > order)
    x = torch.zeros_like(u)

    def choose(i: int, logit: Tensor) -> Tensor:
        x[:, i] = draw_bit(logit[:, 0] + (0.0 if direct is None else torch.mv(x, direct[i])), u[:, i])
        return x[:, i]

    counts = [counts_below(d.cpu(), len(order)) for d in (order + 1, *degrees)]
    return one_after_another(layers, counts, order.argsort().tolist(), choose, len(u))


def make_made(data: Examples | None = None) -> BinaryMADE:
    """500 hidden units, raster order; the last biases begin as the logits of the pixels' means. Without data: 8 × 8."""
    shape, means = bits_of(data)
    model = BinaryMADE(shape)
    model.linears()[-1].bias.data.copy_(means)
    return model


MADE_RECORD = ModelRecord(
    name="MADE",
    key="made",
    family="autoregressive",
    branch=("explicit density", "tractable", "fully visible belief net"),
    density="exact",
    claims=(Trainable, Sampler, Density),
    paper="germain2015",
    year=2015,
    arxiv="1502.03509",
    lesson="02_autoregressive/01_chain_rule",
    suits=BINARY_IMAGES,
    make=make_made,
    plan=partial(held_then_falling_plan, steps=1_500, batch_size=64, peak=2e-3),
    example=binary_images,
)
