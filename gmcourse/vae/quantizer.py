"""A vector quantiser: a book of codes, the nearest one in place of each vector, and a gradient carried past it."""

from contextlib import nullcontext
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def nearest(z: Tensor, book: Tensor) -> Tensor:
    """k = argmin_k ‖z‖² − 2 z·e_k + ‖e_k‖², z (..., d) and book (V, d) → int64 codes (...); the first of equals.

    ‖z‖² is the same for each code, and left out. Both are moved by the mean of the book first: far from the origin the
    squares would swallow the differences. In the book's precision, under autocast too. Equation: vae-nearest.
    Van den Oord et al. 2017, eq. 1.
    """
    _require_book(z, book)
    device = z.device.type
    with torch.autocast(device, enabled=False) if torch.amp.is_autocast_available(device) else nullcontext():
        centre = book.mean(0)
        flat, codes = z.reshape(-1, z.shape[-1]).to(book.dtype) - centre, book - centre
        scores = torch.addmm(codes.square().sum(1), flat, codes.T, alpha=-2)
    return scores.argmin(1).view(z.shape[:-1])


def straight_through(z: Tensor, e: Tensor) -> Tensor:
    """z + sg(e − z), of one shape: e forward; backward the gradient at e is handed to z unchanged.

    It is the exact gradient of another function, f(z + c) with c = e − z held still. Van den Oord et al. 2017, §3.2.
    Equation: vae-straight-through.
    """
    return z + (e - z).detach()


def assigned(z: Tensor, codes: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """n_k = how many of the vectors have code k, (V,), and the sum of those vectors, (V, d); z (n, d), codes (n,)."""
    counts = z.new_zeros(size).index_add_(0, codes, torch.ones_like(z[:, 0]))
    return counts, z.new_zeros(size, z.shape[1]).index_add_(0, codes, z)


def ema_step(
    count: Tensor, total: Tensor, n: Tensor, sums: Tensor, decay: float | Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """N ← γN + (1 − γ)n, m ← γm + (1 − γ)Σz, e = m/N: the new N (V,), m (V, d) and codes (V, d).

    A code with N = 0 is 0/0, NaN: the caller keeps the old one. Van den Oord et al. 2017, appendix A.1.
    Equation: vae-ema.
    """
    count = decay * count + (1 - decay) * n
    total = decay * total + (1 - decay) * sums
    return count, total, total / count[:, None]


def usage(codes: Tensor, size: int) -> Tensor:
    """The share of each of the V codes among `codes`, of any shape, (V,): it sums to 1."""
    if not codes.numel():
        raise ValueError(f"codes: got shape {tuple(codes.shape)}, expected at least one code")
    if codes.min() < 0 or codes.max() >= size:
        raise ValueError(f"codes: got {int(codes.min())} to {int(codes.max())}, expected 0 to {size - 1}")
    return torch.bincount(codes.flatten(), minlength=size) / codes.numel()


def perplexity(codes: Tensor, size: int) -> float:
    """e^H of the shares of the codes, from 1 (one code does all) to V (each as often): of these codes alone."""
    return torch.special.entr(usage(codes, size).double()).sum().exp().item()


class Codebook(nn.Module):
    """V codes of d numbers, `book` (V, d), and the running means that move it: N `count` (V,), m `total` (V, d).

    With `decay` γ the book follows them; with None it is a parameter, moved by its gradient, and only counted. A code
    whose running count is below `restart` of a fair share of the vectors is put beside one of them; 0: never. It is
    then given a fair count, and so −ln(restart)/(1 − γ) steps, 300 as set here, until it can be found dead again. With
    `decay=None` a new code keeps what the optimiser remembers of the old one.
    """

    count: Tensor
    total: Tensor
    weight: Tensor

    def __init__(self, size: int, dims: int, decay: float | None = 0.99, restart: float = 0.05):
        super().__init__()
        if size < 1 or dims < 1:
            raise ValueError(f"size, dims: got {size} and {dims}, expected at least one code of at least one number")
        if decay is not None and not 0 <= decay < 1:
            raise ValueError(f"decay: got {decay}, expected 0 to below 1, or None for a book trained by its gradient")
        if not 0 <= restart < 1:
            raise ValueError(f"restart: got {restart}, expected a part of a fair share, 0 to below 1")
        self.size, self.dims, self.decay, self.restart = size, dims, decay, restart
        self.book = nn.Parameter(torch.randn(size, dims), requires_grad=decay is None)
        for name, shape in {"count": (size,), "total": (size, dims), "weight": ()}.items():
            self.register_buffer(name, torch.zeros(shape))

    def extra_repr(self) -> str:
        return f"{self.size}, {self.dims}, decay={self.decay}, restart={self.restart}"

    @torch.no_grad()
    def begin(self, z: Tensor) -> None:
        """Put every code beside one of the vectors z (n, d), without counting them."""
        self._place(torch.ones_like(self.count, dtype=torch.bool), z)

    @torch.no_grad()
    def follow(self, n: Tensor, sums: Tensor, z: Tensor) -> None:
        """One step of the running means by n (V,) and Σz (V, d), then restarts on some of the vectors z (rows, d).

        N and m start at 0, so that m/N is the mean of what was seen from the first step on; a code that nothing has
        chosen stays where it is. 1 − γ^t, the `weight`, turns N into a count in one step.
        """
        decay = 0.99 if self.decay is None else self.decay
        count, total, means = ema_step(self.count, self.total, n, sums, decay)
        self.count.copy_(count)
        self.total.copy_(total)
        self.weight.copy_(decay * self.weight + 1 - decay)
        if self.decay is not None:
            self.book.copy_(torch.where(n[:, None] > 0, means, self.book))
        fair = self.weight * n.sum() / self.size
        dead = self.count < self.restart * fair
        if self.restart and dead.any():
            self._place(dead, z)
            self.count[dead] = fair
            self.total[dead] = fair * self.book[dead]

    def _place(self, chosen: Tensor, z: Tensor) -> None:
        """Put the chosen codes, a mask (V,), on vectors of z drawn at random; a little noise parts twins."""
        many = int(chosen.sum())
        drawn = torch.cat([torch.randperm(len(z)) for _ in range(-(-many // len(z)))])[:many].to(z.device)
        noise = torch.randn(many, self.dims, dtype=z.dtype).to(z.device)
        self.book[chosen] = z[drawn] + 0.01 * z.std(0, correction=0).clamp(min=1e-3) * noise


class Quantized(NamedTuple):
    """What `VectorQuantizer` gives: values (batch, d, *places), codes (batch, *places), and named terms of a loss."""

    values: Tensor
    codes: Tensor
    terms: dict[str, Tensor]


class VectorQuantizer(nn.Module):
    """z (batch, d, *places) → the nearest of V codes at each place; any number of places, none for flat vectors.

    `commitment` is β of β‖z − sg e‖², summed over d, averaged over batch and places. The `Codebook` follows the encoder
    in `after_step`, as running means with decay γ, or, with `decay=None`, by the gradient of the codebook term
    ‖sg z − e‖². It starts at vectors of the first step (`start="outputs"`; else "noise", N(0, 1), or "small",
    U(±1/V)), and `restart` is its own. What all training passes since the last `after_step` have seen counts in the
    next, so that gradients may be accumulated; evaluation changes nothing. Equation: vae-vq-loss. Van den Oord et al.
    2017, eq. 3.
    """

    steps: Tensor

    def __init__(
        self,
        size: int,
        dims: int,
        *,
        decay: float | None = 0.99,
        commitment: float = 0.25,
        restart: float = 0.05,
        start: str = "outputs",
    ):
        super().__init__()
        if not commitment >= 0:
            raise ValueError(f"commitment: got {commitment}, expected at least 0")
        if start not in ("outputs", "noise", "small"):
            raise ValueError(f"start: got {start!r}, expected 'outputs', 'noise' or 'small'")
        self.codebook = Codebook(size, dims, decay, restart)
        self.commitment, self.start = commitment, start
        if start == "small":
            nn.init.uniform_(self.codebook.book, -1 / size, 1 / size)
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))
        self._seen: tuple[Tensor, Tensor, Tensor] | None = None

    @property
    def book(self) -> Tensor:
        """The codes' vectors, (V, d)."""
        return self.codebook.book

    @property
    def size(self) -> int:
        """V, the number of codes."""
        return self.codebook.size

    def extra_repr(self) -> str:
        return f"commitment={self.commitment}, start={self.start!r}"

    def encode(self, z: Tensor) -> Tensor:
        """The code of the nearest vector of the book, (batch, *places), int64."""
        return nearest(self._last(z), self.book)

    def decode(self, codes: Tensor) -> Tensor:
        """The vectors of codes (batch, *places), (batch, d, *places)."""
        if codes.dtype != torch.int64:
            raise TypeError(f"codes: got {codes.dtype}, expected int64 codes 0 to {self.size - 1}")
        return F.embedding(codes, self.book).movedim(-1, 1)

    def forward(self, z: Tensor) -> Quantized:
        """The straight-through vectors, their codes, and the terms: commitment, and codebook without a decay."""
        flat = self._last(z)
        codes = nearest(flat, self.book)
        e = F.embedding(codes, self.book)
        terms = {"commitment": self.commitment * _distance(flat, e.detach())}
        if self.codebook.decay is None:
            terms["codebook"] = _distance(flat.detach(), e)
        if self.training and torch.is_grad_enabled():
            self._seen = _added(self._seen, flat.detach().to(self.book.dtype), codes, self.size)
        return Quantized(straight_through(flat, e).movedim(-1, 1), codes, terms)

    @torch.no_grad()
    def after_step(self) -> None:
        """Move the book by what the loss of this step has seen: begin, follow, restart. Nothing seen: nothing."""
        seen, self._seen = self._seen, None
        if seen is None:
            return
        if self.start == "outputs" and not self.steps:
            self.codebook.begin(seen[2])
        else:
            self.codebook.follow(*seen)
        self.steps += 1

    def _last(self, z: Tensor) -> Tensor:
        if z.dim() < 2 or z.shape[1] != self.codebook.dims:
            raise ValueError(f"z: got shape {tuple(z.shape)}, expected (batch, {self.codebook.dims}, *places)")
        return z.movedim(1, -1)


def _distance(z: Tensor, e: Tensor) -> Tensor:
    """‖z − e‖², summed over the last axis, averaged over the others."""
    return (z - e).square().sum(-1).mean()


def _added(seen: tuple[Tensor, Tensor, Tensor] | None, z: Tensor, codes: Tensor, size: int):
    """What was seen and a pass more: n (V,), Σz (V, d) and its z (rows, d), all in z's dtype. No rows add nothing."""
    if not codes.numel():
        return seen
    z = z.reshape(-1, z.shape[-1])
    n, sums = assigned(z, codes.flatten(), size)
    return (n, sums, z) if seen is None else (n + seen[0], sums + seen[1], z)


def _require_book(z: Tensor, book: Tensor) -> None:
    if book.dim() != 2 or not len(book) or z.shape[-1:] != book.shape[1:]:
        raise ValueError(f"z, book: got shapes {tuple(z.shape)} and {tuple(book.shape)}, expected (..., d) and (V, d)")
