"""The restricted Boltzmann machine: an energy of bits, whose normaliser is a sum of too many terms once it is large."""

import math
from collections.abc import Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

from gmcourse.nets import no_autocast, sampling
from gmcourse.probability import is_binary, mean_logits, require_bits, require_events
from gmcourse.protocols import Sampler, Trainable, Unnormalised
from gmcourse.record import BINARY_IMAGES, Examples, ModelRecord, binary_images, held_then_falling_plan
from gmcourse.scores.enumerated import free_energy


def joint_energy(x: Tensor, h: Tensor, weight: Tensor, bias: Tensor, hidden_bias: Tensor) -> Tensor:
    """E(x, h) = −b·x − c·h − xWh, (batch,), nats, of bits x (batch, D) and h (batch, H). Equation: scores-rbm."""
    return -(x @ bias) - h @ hidden_bias - ((x @ weight) * h).sum(1)


def gibbs_sweep(x: Tensor, u: Tensor, v: Tensor, weight: Tensor, bias: Tensor, hidden_bias: Tensor) -> Tensor:
    """x' ~ p(x'|h) after h ~ p(h|x), (batch, D): all hidden units at once, then all pixels.

    u (batch, H) and v (batch, D) are uniform in [0, 1). Equation: scores-gibbs.
    """
    h = (u < (hidden_bias + x @ weight).sigmoid()).to(x.dtype)
    return (v < (bias + h @ weight.T).sigmoid()).to(x.dtype)


def statistics(
    x: Tensor, weight: Tensor, hidden_bias: Tensor, mass: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """E[x hᵀ], E[x], E[h] over the rows of x, (D, H), (D,), (H,), with p(h|x) in the place of h: the mean of −∇F.

    `mass` (batch,) are probabilities of the rows (None: equal ones). The gradient of the mean of ln p is the data's
    less the model's. Equation: scores-phases.
    """
    mass = x.new_full((len(x),), 1 / len(x)) if mass is None else mass
    h = (hidden_bias + x @ weight).sigmoid()
    return x.T @ (mass[:, None] * h), mass @ x, mass @ h


class RBM(nn.Module):
    """p(x) = e^{−F(x)}/Z of bits x (batch, *event), with `hidden` units h: `energy` is F, and Z is not computed.

    Trained by persistent contrastive divergence (Tieleman 2008): `chains` walk on by `sweeps` of Gibbs sampling after
    every step, and their pixels stand for the model's. With `chains` = 0 it is contrastive divergence (Hinton 2002):
    the walk begins at the batch, each time anew. Samples are the ends of walks of `burn_in` sweeps, which begin at
    pixels drawn by themselves, at the rates of `base_logits`. Smolensky 1986. Equation: scores-rbm.
    """

    base_logits: Tensor
    fantasies: Tensor

    def __init__(
        self, event_shape: Sequence[int], hidden: int = 16, chains: int = 100, sweeps: int = 1, burn_in: int = 1_000
    ):
        super().__init__()
        if min(hidden, sweeps, burn_in) < 1 or chains < 0:
            raise ValueError(
                f"hidden, sweeps, burn_in, chains: got {hidden}, {sweeps}, {burn_in}, {chains}, "
                "expected at least 1, 1, 1 and 0"
            )
        self.event_shape, self.sweeps, self.burn_in = tuple(event_shape), sweeps, burn_in
        dims = math.prod(event_shape)
        self.weight = nn.Parameter(0.01 * torch.randn(dims, hidden))
        self.bias = nn.Parameter(torch.zeros(dims))
        self.hidden_bias = nn.Parameter(torch.zeros(hidden))
        self.register_buffer("base_logits", torch.zeros(dims))
        self.register_buffer("fantasies", torch.randint(0, 2, (chains, dims)).to(self.weight.dtype))

    @property
    def terms(self) -> tuple[Tensor, Tensor, Tensor]:
        """W, b and c, as the functions of this module take them."""
        return self.weight, self.bias, self.hidden_bias

    @torch.no_grad()
    def begin_at(self, x: Tensor) -> None:
        """Take the rates of the pixels of x as the biases b, where sampling begins, and where the chains do."""
        self.base_logits.copy_(mean_logits(x))
        self.bias.copy_(self.base_logits)
        self.fantasies.copy_(torch.bernoulli(self.base_logits.sigmoid().expand_as(self.fantasies)))

    def energy(self, x: Tensor) -> Tensor:
        """F(x) = −ln p(x) − ln Z, (batch,), nats. Raises ValueError for x of another shape."""
        require_events(x, self.event_shape)
        with no_autocast(x):
            return free_energy(x.flatten(1), *self.terms)

    def loss(self, x: Tensor) -> Tensor:
        """E_x F − E_fantasy F, nats: its gradient is that of −ln p as far as the fantasies are the model's; its value
        is −ln p less the model's entropy, and tells nothing.

        In evaluation mode it is −Σ_d ln p(x_d | all other pixels), the pseudo-likelihood (Besag 1975), by which `fit`
        can choose weights. Raises ValueError for x that holds anything but zeros and ones.
        Equation: scores-contrastive-loss.
        """
        require_bits(x, self.event_shape)
        if not self.training:
            return self.pseudo_nll(x).mean()
        walked = self.fantasies.view(-1, *self.event_shape) if len(self.fantasies) else self.walk(x, self.sweeps)
        return self.energy(x).mean() - self.energy(walked).mean()

    def after_step(self) -> None:
        """The chains walk on, under the new weights."""
        if len(self.fantasies):
            self.fantasies.copy_(self.walk(self.fantasies, self.sweeps))

    def walk(self, x: Tensor, sweeps: int = 1, *, rng: Generator | None = None) -> Tensor:
        """x after so many sweeps of Gibbs sampling, (batch, *event), without gradients."""
        walker = x.flatten(1)
        with sampling(self, len(x), rng):
            for _ in range(sweeps):
                u = torch.rand(len(x), len(self.hidden_bias), generator=rng, dtype=x.dtype, device=x.device)
                v = torch.rand(walker.shape, generator=rng, dtype=x.dtype, device=x.device)
                walker = gibbs_sweep(walker, u, v, *self.terms)
            return walker.view(x.shape)

    def pseudo_nll(self, x: Tensor) -> Tensor:
        """−Σ_d ln p(x_d | x without d) = Σ_d softplus(F(x) − F(x with bit d turned)), (batch,), nats: no Z.

        Equation: scores-pseudo-likelihood.
        """
        flat, gaps = x.flatten(1), []
        inputs = self.hidden_bias + flat @ self.weight
        now = F.softplus(inputs).sum(1)
        for d, (row, bias) in enumerate(zip(self.weight, self.bias)):
            turn = 1 - 2 * flat[:, d]
            gaps.append(turn * bias + F.softplus(inputs + turn[:, None] * row).sum(1) - now)
        return F.softplus(torch.stack(gaps, 1)).sum(1)

    def sample(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """(n, *event): n walks of `burn_in` sweeps, each from pixels drawn by themselves."""
        with sampling(self, n, rng):
            start = self.base_logits.sigmoid().expand(n, -1)
            return self.walk(torch.bernoulli(start, generator=rng), self.burn_in, rng=rng).view(n, *self.event_shape)

    def extra_repr(self) -> str:
        """The shape of an example, the hidden units, and the chains and sweeps of training."""
        units = f"event_shape={self.event_shape}, hidden={len(self.hidden_bias)}"
        return f"{units}, chains={len(self.fantasies)}, sweeps={self.sweeps}"


def make_rbm(data: Examples | None = None) -> RBM:
    """16 hidden units, 200 for more than 256 pixels; begins at the pixels' rates. Without data: for 8 × 8 images.

    Raises ValueError where the data hold anything but zeros and ones.
    """
    if data is None:
        return RBM((1, 8, 8))
    if not is_binary(data.train):
        raise ValueError(f"data: {data.key} holds other values than 0 and 1")
    model = RBM(data.event_shape, hidden=16 if math.prod(data.event_shape) <= 256 else 200)
    model.begin_at(data.train)
    return model


RESTRICTED_BOLTZMANN_MACHINE = ModelRecord(
    name="Restricted Boltzmann machine",
    key="restricted-boltzmann-machine",
    family="scores",
    branch=("explicit density", "approximate", "Markov chain"),
    density="unnormalised",
    claims=(Trainable, Sampler, Unnormalised),
    paper="hinton2002",
    year=2002,
    arxiv="",
    lesson="07_scores/01_unnormalised",
    suits=BINARY_IMAGES,
    make=make_rbm,
    plan=partial(held_then_falling_plan, steps=3_000, batch_size=64, peak=1e-2),
    example=binary_images,
)
