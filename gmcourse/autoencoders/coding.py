"""Codes as bits: the cosine transform, the water line of a Gaussian, and rounded codes with tables that price them."""

import math
from collections.abc import Callable
from typing import NamedTuple, Self

import torch
from torch import Tensor

from gmcourse.autoencoders.autoencoder import squared_error


def dct_matrix(n: int) -> Tensor:
    """The discrete cosine transform of n samples, rows orthonormal, (n, n), float64: row u has u half waves.

    T[u, i] = √(2/n) cos(π u (i + ½)/n), and the first row is √(1/n). Ahmed, Natarajan & Rao 1974.
    Equation: autoencoders-dct.
    """
    if n < 1:
        raise ValueError(f"n: got {n}, expected at least one sample")
    index = torch.arange(n, dtype=torch.float64)
    rows = math.sqrt(2 / n) * torch.cos(math.pi / n * index[:, None] * (index + 0.5))
    rows[0] = math.sqrt(1 / n)
    return rows


def water_line(eigenvalues: Tensor, level: float) -> tuple[Tensor, Tensor]:
    """Rate ½ Σ_{λ>θ} ln(λ/θ) in nats and distortion Σ min(λ, θ) of a Gaussian, at the water level θ.

    Equation: autoencoders-water-line. Cover & Thomas 2006, theorem 10.3.3.
    """
    if not level > 0:
        raise ValueError(f"level: got {level}, expected a positive variance")
    return 0.5 * (eigenvalues / level).clamp(min=1).log().sum(), eigenvalues.clamp(max=level).sum()


class Tables(NamedTuple):
    """A table for each number of a code: `low` (k,), the least integer of each, `log2_prob` (k, V), V integers each."""

    low: Tensor
    log2_prob: Tensor

    @classmethod
    def fit(cls, q: Tensor) -> Self:
        """Tables of integers q (n, k), as often as they were seen and half a time more: none has probability 0.

        The integers of a table are those from the least to the largest seen. ValueError for what are no integers.
        """
        if q.dim() != 2 or not len(q) or q.is_floating_point():
            raise ValueError(f"q: got {q.dtype} of shape {tuple(q.shape)}, expected integers (n, k), n ≥ 1")
        low, high = q.amin(0), q.amax(0)
        width = int((high - low).max()) + 1
        counts = torch.stack([torch.bincount(column, minlength=width) for column in (q - low).T]).double() + 0.5
        counts[torch.arange(width) > (high - low)[:, None]] = 0
        return cls(low, (counts / counts.sum(1, keepdim=True)).log2())

    def clamp(self, q: Tensor) -> Tensor:
        """The nearest integers that the tables hold, (n, k)."""
        return torch.minimum(torch.maximum(q, self.low), self.low + self.log2_prob.isfinite().sum(1) - 1)

    def bits(self, q: Tensor) -> Tensor:
        """−Σ_j log₂ P_j(q_j) of each row of q, (n,): the length of a code of these tables, to within 2 bits.

        ValueError for integers that a table does not hold: `clamp` them. Equation: autoencoders-bits.
        """
        if q.shape[1:] != self.low.shape or not torch.equal(self.clamp(q), q):
            raise ValueError(f"q: got {tuple(q.shape)}, expected integers (n, {len(self.low)}) that the tables hold")
        return -self.log2_prob.gather(1, (q - self.low).T).sum(0)


class Coded(NamedTuple):
    """Means over the examples: `bits` of the rounded codes and the squared `error` of what is decoded from them."""

    bits: float
    error: float


def rounded_codes(z_train: Tensor, z: Tensor, decode: Callable[[Tensor], Tensor], x: Tensor, step: float) -> Coded:
    """Codes z (n, k) of x (n, *event) as multiples of `step`, priced by tables of the training codes z_train (m, k).

    Codes beyond those of training are brought to the nearest that a table holds.
    """
    if z.shape[1:] != z_train.shape[1:]:
        raise ValueError(f"z: got shape {tuple(z.shape)}, expected (n, {z_train.shape[1]}) as in z_train")
    if not step > 0:
        raise ValueError(f"step: got {step}, expected a positive width")
    tables = Tables.fit((z_train / step).round().long())
    q = tables.clamp((z / step).round().long())
    error = squared_error(decode(q.to(z) * step), x)
    return Coded(tables.bits(q).mean().item(), error.mean().item())
