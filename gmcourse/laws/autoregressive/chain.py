"""Laws of the chain rule: each bit scored by those before it, and a mixture of orders."""

import math
from collections.abc import Callable, Mapping
from itertools import product

import torch
from torch import Tensor
from torch.nn.functional import softplus

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, Slips, require_close, require_shape
from gmcourse.laws.rows import draw, pooled, within


def bits_in_turn(candidate: Callable[[Tensor, Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(x, weight, bias) = Σ_d ln Bern(x_d; σ(b_d + Σ_{j<d} W_dj x_j)), (batch,), of all 2^D vectors x.

    The weights on and above the diagonal are not 0, and have no effect. In the last case logits are as large as 200.
    """
    for dims, scale in ((5, 1.0), (3, 0.7), (1, 1.0), (4, 90.0)):
        x = torch.tensor(list(product([0.0, 1.0], repeat=dims)))
        weight, bias = scale * draw(dims, dims, seed=seed + dims), scale * draw(dims, seed=seed + 7)
        law = f"ln p(x) = Σ ln p(x_d | the bits before it), {dims} bits" + ", large logits" * (scale > 10)
        output = ask(candidate, x=x, weight=weight, bias=bias)
        observed = require_shape(law, output, (len(x),)).detach().double()
        w, b = weight.double(), bias.double()
        expected = _scored(x, w.tril(-1), b)
        slips, left = ({}, "overflow") if scale > 10 else (_score_slips(x, w, b, expected), "")
        _require_mass(law, observed, expected, slips, {"x": x}, left, f"all {len(x)} vectors")


def _scored(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return -softplus((1 - 2 * x) * (x.double() @ weight.T + bias)).sum(1)


def _score_slips(x: Tensor, w: Tensor, b: Tensor, right: Tensor) -> dict[str, Slips]:
    """What the usual slips would give in the place of ln p(x)."""
    logits = x.double() @ w.tril(-1).T + b
    ones, zeros = -softplus(-logits), -softplus(logits)
    return {
        "dependence": [_scored(x, part, b) for part in (w, w.tril(0), w.T, w.triu(0), w.tril(0).T, w.triu(0).T)],
        "direction": [_scored(x, part, b) for part in (w.triu(1), w.tril(-1).T, w.triu(1).T, w.tril(-2))]
        + [-softplus((1 - 2 * x) * (x.flip(1).double() @ w.tril(-1).T + b)).sum(1)],
        "constant": [
            *(_scored(x, w.tril(-1), 0 * b), _scored(x, 0 * w, b)),
            -softplus((1 - 2 * x) * (logits - b) - b).sum(1),
            -softplus((1 - 2 * x) * (2 * logits - b - w.tril(-1).sum(1))).sum(1),
        ],
        "one-to-one": [(x * ones).sum(1), ones.sum(1), ((1 - x) * zeros).sum(1), zeros.sum(1)]
        + [(x * logits).sum(1), logits.sum(1), -softplus(-x * logits).sum(1)],
        "reduction": [right / x.shape[1], *((x * ones + (1 - x) * zeros)[:, d] for d in {0, x.shape[1] - 1})],
        "log-mean": [right.exp(), right / math.log(2)],
        "sign": [-right, _scored(1 - x, w.tril(-1), b), _scored(x, -w.tril(-1), -b), _scored(x, -w.tril(-1), b)]
        + [(-softplus((1 - 2 * x) * logits)).prod(1)],
        "shape": pooled(right),
    }


COINS = torch.tensor([[0.9, 0.1], [0.2, 0.8]]).log()


def orders_are_mixed(candidate: Callable[[Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(log_probs) = ln (1/K) Σ_k e^{ln p_k(x)}, (K, batch) → (batch,).

    First of two coins that disagree, on both sides: the mixture has mass 1. The oracle adds one order after another.
    In the last cases ln p is near −1000.
    """
    for name, log_probs in (
        ("two coins that disagree", COINS),
        ("K = 3", -2 + draw(3, 5, seed=seed)),
        ("K = 4", -5 + 2 * draw(4, 2, seed=seed + 1)),
        ("one order", -2 + draw(1, 3, seed=seed + 2)),
        ("large images", -1000 + 20 * draw(5, 4, seed=seed + 3)),
        ("orders that differ", torch.tensor([[-900.0, -10.0, -200.0], [-30.0, -1100.0, -201.0]])),
    ):
        law = f"ln p = ln of the mean of the p_k, {name}"
        observed = require_shape(law, ask(candidate, log_probs=log_probs), (log_probs.shape[1],)).detach().double()
        expected = torch.full_like(observed, -torch.inf)
        for row in log_probs.double():
            expected = torch.logaddexp(expected, row)
        expected = expected - math.log(len(log_probs))
        slips, given = _mixture_slips(log_probs.double(), expected), {"log_probs": log_probs.T}
        left = "overflow" if log_probs.min() < -500 else ""
        if log_probs is COINS:
            _require_mass(law, observed, expected, slips, given, left, "both sides of the coin")
        else:
            require_close(law, observed, expected, within(expected), slips, given=given, deduced=left)


def _mixture_slips(log_probs: Tensor, right: Tensor) -> dict[str, Slips]:
    """What the usual slips would give in the place of ln p(x)."""
    orders, batch = log_probs.shape
    log_k, mean = math.log(orders), log_probs.mean(0)
    across = log_probs.logsumexp(1)
    return {
        "log-mean": [mean, mean - log_k, mean + log_k, (log_probs.softmax(0) * log_probs).sum(0)],
        "reduction": [log_probs.sum(0), log_probs.sum(0) - log_k],
        "constant": [right + log_k, right + 2 * log_k, right - log_k, right + log_k - math.log(batch)]
        + [(right + log_k) / orders, right + log_k - math.log2(orders)],
        "one-to-one": [log_probs.amax(0), log_probs[0], log_probs[-1], log_probs.median(0).values],
        "spread": [right.exp(), right.exp() * orders],
        "sign": [-right],
        "direction": [across - log_k, across - math.log(batch)],
        "shape": pooled(right),
    }


def _require_mass(
    law: str,
    observed: Tensor,
    expected: Tensor,
    slips: Mapping[str, Slips],
    given: Mapping[str, object],
    left: str,
    over: str,
) -> None:
    """As `require_close`, for ln p of all that can come: where it does not add up to 1, that is what is told."""
    try:
        require_close(law, observed, expected, within(expected), slips, given=given, deduced=left)
    except LawBroken as broken:
        total = float(observed.exp().sum())
        if abs(total - 1) < 1e-3:
            raise
        raise LawBroken(f"p(x) adds up to 1 over {over}", f"{total:.4g}", "1", broken.cause) from None
