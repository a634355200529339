"""Annealed importance sampling: the ratio of two normalisers, by a walk through distributions that lie between."""

import math
from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Generator, Tensor

from gmcourse.scores.enumerated import exact_draws, free_energy
from gmcourse.scores.rbm import RBM, gibbs_sweep

Tempered = Callable[[Tensor, float], Tensor]


def annealed_log_weights(x: Tensor, betas: Tensor, energy: Tempered, move: Tempered) -> Tensor:
    """ln w = Σ_i F(x_i, β_i) − F(x_i, β_{i+1}), x_{i+1} = move(x_i, β_{i+1}), (batch,), nats; x_0 = x.

    F(x, β) = `energy` is −ln p_β + ln Z_β, (batch,); `move` keeps p_β; `betas` are (n,), in any direction. Where x is
    drawn from p at the first β, E w is the ratio Z_last/Z_first. Equation: scores-annealed-weight. Neal 2001.
    """
    log_w = x.new_zeros(len(x))
    for here, there in pairwise(betas.tolist()):
        log_w = log_w + energy(x, here) - energy(x, there)
        x = move(x, there)
    return log_w


def tempered(
    beta: float, base: Tensor, weight: Tensor, bias: Tensor, hidden_bias: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """βW, (1 − β) b₀ + βb, βc: the machine on the way from independent pixels of logits b₀ to (W, b, c).

    Equation: scores-tempered. Salakhutdinov & Murray 2008, with one set of hidden units for base and target.
    """
    return beta * weight, (1 - beta) * base + beta * bias, beta * hidden_bias


def base_log_partition(base: Tensor, hidden: int) -> Tensor:
    """ln Z at β = 0: H ln 2 + Σ_d softplus(b₀_d), scalar, nats. Equation: scores-base-partition."""
    return hidden * math.log(2) + torch.nn.functional.softplus(base).sum()


@torch.no_grad()
def log_partition_below(model: RBM, n: int, betas: Tensor, rng: Generator | None = None) -> Tensor:
    """n values of ln Z_A + ln w from walks from β = 0 up to 1, (n,): E exp of one is Z, so their mean is below ln Z.

    Raises ValueError for `betas` with other ends.
    """
    _require_ends(betas)
    start = torch.bernoulli(model.base_logits.sigmoid().expand(n, -1), generator=rng)
    return base_log_partition(model.base_logits, len(model.hidden_bias)) + _walk(model, start, betas, rng)


@torch.no_grad()
def log_partition_above(model: RBM, n: int, betas: Tensor, rng: Generator | None = None) -> Tensor:
    """n values of ln Z_A − ln w from walks back from exact draws, (n,): E exp(−·) is 1/Z, so their mean is above ln Z.

    `betas` rise from 0 to 1 here too. Raises ValueError for other ends, or more than 20 hidden units.
    Grosse et al. 2015.
    """
    _require_ends(betas)
    start = exact_draws(n, *model.terms, rng=rng)
    return base_log_partition(model.base_logits, len(model.hidden_bias)) - _walk(model, start, betas.flip(0), rng)


def _require_ends(betas: Tensor) -> None:
    if betas.dim() != 1 or len(betas) < 2 or betas[0] != 0 or betas[-1] != 1:
        raise ValueError(f"betas: got {betas.tolist()}, expected numbers from 0 to 1, both among them")


def _walk(model: RBM, start: Tensor, betas: Tensor, rng: Generator | None) -> Tensor:
    def move(x: Tensor, beta: float) -> Tensor:
        u = torch.rand(len(x), len(model.hidden_bias), generator=rng, dtype=x.dtype, device=x.device)
        v = torch.rand(x.shape, generator=rng, dtype=x.dtype, device=x.device)
        return gibbs_sweep(x, u, v, *tempered(beta, model.base_logits, *model.terms))

    def energy(x: Tensor, beta: float) -> Tensor:
        return free_energy(x, *tempered(beta, model.base_logits, *model.terms))

    return annealed_log_weights(start, betas, energy, move)


def effective_size(log_w: Tensor) -> float:
    """(Σ w)²/Σ w² of log-weights (n,): how many equal weights tell as much."""
    return (2 * log_w.logsumexp(0) - (2 * log_w).logsumexp(0)).exp().item()


def log_mean(log_w: Tensor) -> tuple[float, float]:
    """ln of the mean weight, and its standard error std(w)/(mean w · √n), of log-weights (n,), nats.

    The error is itself an estimate, and too small where `effective_size` is a few.
    """
    top = log_w.logsumexp(0) - math.log(len(log_w))
    return top.item(), ((log_w - top).exp().std() / math.sqrt(len(log_w))).item()
