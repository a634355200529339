"""Sparse autoencoders: more units than pixels, and few of them active, by a price, by a target rate, or by a count."""

import math
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gmcourse.autoencoders.autoencoder import Autoencoder, autoencoding, squared_error
from gmcourse.nets import evaluating
from gmcourse.record import IMAGES, VECTORS, Examples, held_then_falling_plan


def soft_threshold(x: Tensor, t: float) -> Tensor:
    """sign(x) max(|x| − t, 0): the z that makes (x − z)² + γ|z| least is `soft_threshold(x, γ/2)`.

    Equation: autoencoders-soft-threshold. Tibshirani 1996.
    """
    return x.sign() * (x.abs() - t).clamp(min=0)


def kl_sparsity(activity: Tensor, rho: float) -> Tensor:
    """Σ_j KL(ρ ‖ ρ̂_j), a scalar, nats: ρ̂_j is the mean of column j of `activity`, (batch, units), within (0, 1).

    ValueError for a rate outside (0, 1). Equation: autoencoders-kl-sparsity. Ng 2011.
    """
    if not 0 < rho < 1:
        raise ValueError(f"rho: got {rho}, expected a rate between 0 and 1")
    rate = activity.mean(0, dtype=torch.promote_types(activity.dtype, torch.float32))
    tiny = torch.finfo(rate.dtype).eps
    rate = rate.clamp(tiny, 1 - tiny)
    return (rho * (rho / rate).log() + (1 - rho) * ((1 - rho) / (1 - rate)).log()).sum()


def k_sparse(h: Tensor, k: int) -> Tensor:
    """The k largest of each row of h, (batch, units), the others 0; of equal ones any. ValueError for another k.

    The gradient passes where a unit was kept. Equation: autoencoders-k-sparse. Makhzani & Frey 2014.
    """
    if not 1 <= k <= h.shape[1]:
        raise ValueError(f"k: got {k}, expected 1 to {h.shape[1]}, the number of units")
    largest, places = h.topk(k, 1)
    return torch.zeros_like(h).scatter(1, places, largest)


def active_share(z: Tensor, least: float = 0.1) -> Tensor:
    """The share of rows in which each unit exceeds `least` of its own maximum, (batch, units) → (units,).

    A unit that is never above 0 has the share 0.
    """
    return ((z > least * z.amax(0)) & (z > 0)).to(z.dtype).mean(0)


class SparseAutoencoder(Autoencoder):
    """One layer to `units` activities, one back: min E‖x − d(z)‖² + γ E Σ_j z_j, or + γ Σ_j KL(ρ ‖ ρ̂_j).

    "l1": z = ReLU(W(x − m) + b), Glorot et al. 2011. With `rho`, γ is the multiplier of E Σ_j z_j = ρ · units: it
    rises while there is more, from `weight` on. "kl": z = sigmoid(W(x − m) + b), Ng 2011; `rho` is the rate ρ. The
    filters have the norm `length`: where it is None they are free, and a penalty on z is evaded by longer filters.
    `mean` (*event) is where m, the bias of the output, starts.
    """

    decoder: nn.Linear

    def __init__(
        self,
        mean: Tensor,
        units: int,
        penalty: Literal["l1", "kl"],
        weight: float,
        rho: float | None = None,
        length: float | None = 1.0,
    ):
        _require_penalty(penalty, rho, {"units": units, "weight": weight, "length": 1.0 if length is None else length})
        super().__init__(nn.Linear(mean.numel(), units), nn.Linear(units, mean.numel(), bias=False))
        self.penalty, self.weight, self.rho, self.length = penalty, weight, rho, length
        self.mean = nn.Parameter(mean.clone())
        steered = penalty == "l1" and rho is not None
        self.log_weight = nn.Parameter(torch.tensor(math.log(weight)), requires_grad=steered)

    def extra_repr(self) -> str:
        """What its layers do not tell."""
        return f"penalty={self.penalty!r}, weight={self.weight}, rho={self.rho}, length={self.length}"

    @property
    def filters(self) -> Tensor:
        """What a unit at 1 adds to the picture, (units, *event)."""
        columns = self.decoder.weight.T
        if self.length is not None:
            columns = self.length * F.normalize(columns, dim=1)
        return columns.unflatten(1, self.mean.shape)

    def encode(self, x: Tensor) -> Tensor:
        """The activities z ≥ 0, (batch, units); below 1 by "kl"."""
        h = self.encoder((x - self.mean).flatten(1))
        return h.relu() if self.penalty == "l1" else h.sigmoid()

    def decode(self, z: Tensor) -> Tensor:
        """m + Σ_j z_j · filter_j, (batch, *event)."""
        return self.mean + (z @ self.filters.flatten(1)).unflatten(1, self.mean.shape)

    def loss(self, x: Tensor) -> Tensor:
        """The mean error and γ times the penalty; the gradient of a steered ln γ points up, −γ (E Σ_j z_j − ρ · units).

        Equation: autoencoders-l1-multiplier.
        """
        z, weight = self.encode(x), self.log_weight.exp()
        error = squared_error(x, self.decode(z)).mean()
        if self.penalty == "kl":
            return error + weight * kl_sparsity(z, self.rho or 0.0)
        total = z.sum(1).mean()
        excess = total.detach() - (self.rho or 0.0) * z.shape[1]
        return error + weight.detach() * total - (weight - weight.detach()) * excess


def _require_penalty(penalty: str, rho: float | None, positive: dict[str, float]) -> None:
    """Raise ValueError for a penalty that is none, for a rate outside its range, for what is not positive."""
    if penalty not in ("l1", "kl") or (penalty == "kl" and rho is None):
        raise ValueError(f"penalty, rho: got {penalty!r} and {rho}, expected 'l1', or 'kl' with a rate")
    if rho is not None and not 0 < rho < (1 if penalty == "kl" else math.inf):
        wanted = "a rate between 0 and 1" if penalty == "kl" else "a mean activity above 0"
        raise ValueError(f"rho: got {rho}, expected {wanted}")
    for name, value in positive.items():
        if not 0 < value < math.inf:
            raise ValueError(f"{name}: got {value}, expected a positive number")


class KSparseAutoencoder(nn.Module):
    """z = k_sparse(W(x − m) + b, k), d(z) = m + Wᵀz: a linear code of which k units are kept. Makhzani & Frey 2014.

    In training k falls from `units` in a straight line over `falling` steps, so that every unit learns before few are
    kept; `after_step` counts them. The weights are tied, as in the paper; there W reads x, here x − m.
    """

    step: Tensor

    def __init__(self, mean: Tensor, units: int, k: int, falling: int = 0):
        super().__init__()
        if not 1 <= k <= units:
            raise ValueError(f"k: got {k}, expected 1 to {units}, the number of units")
        if falling < 0:
            raise ValueError(f"falling: got {falling}, expected a number of steps, at least 0")
        self.k, self.falling = k, falling
        self.mean = nn.Parameter(mean.clone())
        self.encoder = nn.Linear(mean.numel(), units)
        self.register_buffer("step", torch.zeros((), dtype=torch.long))

    def extra_repr(self) -> str:
        """What its layer does not tell."""
        return f"k={self.k}, falling={self.falling}"

    @property
    def filters(self) -> Tensor:
        """What a unit at 1 adds to the picture, (units, *event)."""
        return self.encoder.weight.unflatten(1, self.mean.shape)

    @property
    def kept(self) -> int:
        """How many units are kept: k, and more in training while k falls."""
        if not self.training or self.step.is_meta or self.step >= self.falling:
            return self.k
        units = self.encoder.out_features
        return units - round((units - self.k) * self.step.item() / self.falling)

    def encode(self, x: Tensor) -> Tensor:
        """The code z, (batch, units), with `kept` entries that are not 0."""
        return k_sparse(self.encoder((x - self.mean).flatten(1)), self.kept)

    def decode(self, z: Tensor) -> Tensor:
        """m + Σ_j z_j · filter_j, (batch, *event)."""
        return self.mean + (z @ self.filters.flatten(1)).unflatten(1, self.mean.shape)

    def errors(self, x: Tensor) -> Tensor:
        """‖x − d(z)‖² of each example, (batch,)."""
        return squared_error(x, self.decode(self.encode(x)))

    def loss(self, x: Tensor) -> Tensor:
        """The mean of `errors` over the batch: there is no penalty."""
        return self.errors(x).mean()

    def after_step(self) -> None:
        """One step less until k is reached."""
        self.step += 1

    @torch.no_grad()
    def reconstruct(self, x: Tensor) -> Tensor:
        """d(e(x)), without gradients."""
        with evaluating(self):
            return self.decode(self.encode(x))


def mean_of(data: Examples | None) -> Tensor:
    """The mean example, (*event); without data, a blank picture of 8 × 8 pixels."""
    return torch.zeros(1, 8, 8) if data is None else data.train.mean(0)


def make_l1(data: Examples | None = None) -> SparseAutoencoder:
    """Two units a pixel, at the price γ = 0.4."""
    mean = mean_of(data)
    return SparseAutoencoder(mean, 2 * mean.numel(), "l1", weight=0.4)


def make_kl(data: Examples | None = None) -> SparseAutoencoder:
    """Two units a pixel, at a rate of one sixteenth each, with filters of norm ½."""
    mean = mean_of(data)
    return SparseAutoencoder(mean, 2 * mean.numel(), "kl", weight=2.0, rho=1 / 16, length=0.5)


def make_k_sparse(data: Examples | None = None) -> KSparseAutoencoder:
    """Two units a pixel, of which one in sixteen is kept, after 500 steps in which more are."""
    mean = mean_of(data)
    return KSparseAutoencoder(mean, 2 * mean.numel(), max(1, mean.numel() // 8), falling=500)


sparse = partial(autoencoding, lesson="03_autoencoders/01_bottleneck", suits=VECTORS | IMAGES)
L1_SPARSE_AUTOENCODER = sparse(
    name="L1-sparse autoencoder",
    key="l1-sparse-autoencoder",
    paper="glorot2011",
    year=2011,
    arxiv="",
    make=make_l1,
    plan=partial(held_then_falling_plan, steps=1_000, batch_size=128, peak=5e-3),
)
KL_SPARSE_AUTOENCODER = sparse(
    name="KL-sparse autoencoder",
    key="kl-sparse-autoencoder",
    paper="ng2011",
    year=2011,
    arxiv="",
    make=make_kl,
    plan=partial(held_then_falling_plan, steps=1_000, batch_size=128, peak=3e-2),
)
K_SPARSE_AUTOENCODER = sparse(
    name="k-sparse autoencoder",
    key="k-sparse-autoencoder",
    paper="makhzani2014",
    year=2014,
    arxiv="1312.5663",
    make=make_k_sparse,
    plan=partial(held_then_falling_plan, steps=1_000, batch_size=128, peak=1e-2),
)
