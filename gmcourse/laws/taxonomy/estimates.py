"""Laws of the first estimates: the error of a mean, a mean of exponentials, a KL that is never negative, bits."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, require_close, require_shape
from gmcourse.laws.rows import draw, pooled, within

FAR = (1_000.0, -1_000.0)


def error_of_mean(candidate: Callable[[Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(values) is the standard error of their mean, values (n,), n ≥ 2, with n − 1 in s².

    The oracle knows no mean: the s.e. squared is Σ_{i<j} (v_i − v_j)² / n²(n − 1).
    """
    for values in (
        torch.tensor([1.0, 2.0, 3.0, 4.0, 7.0, 9.0]),
        5 + 1.4 * draw(100, seed=seed),
        torch.tensor([-0.5, 2.5]),
        0.03 * draw(9, seed=seed) - 2,
    ):
        n, v = len(values), values.double()
        variance = (v[:, None] - v).square().sum() / (2 * n * (n - 1))
        expected, s = (variance / n).sqrt(), variance.sqrt()
        observed = require_shape("one number", ask(candidate, values=values), ()).detach().double()
        slips = {
            "reduction": [s, s * n**0.5],
            "spread": [variance / n, variance, variance / n**0.5, s / n, (s / n).sqrt()],
            "dependence": [s * (n - 1) ** 0.5 / n, s * ((n - 1) / n) ** 0.5],
            "one-to-one": [s / (n - 1) ** 0.5, s / (n - 1)],
            "constant": [2 * expected, 1.96 * expected, 3.92 * expected],
            "direction": [v.square().mean().sqrt() / n**0.5, (v.square().sum() / (n - 1)).sqrt() / n**0.5],
        }
        given = {"values": values, "n": n}
        require_close(f"the s.e. of {n} draws", observed, expected, 1e-3 * expected, slips, given=given)


def mean_of_exponentials(candidate: Callable[[Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(log_values) = ln (1/K) Σ_k e^{a_k} of each row, (batch, K) → (batch,), of any size, −∞ too.

    The oracle adds one weight after the other. Then the same rows lie 1,000 higher, 1,000 lower, and some each way.
    """
    for rows, k in ((5, 3), (3, 5), (2, 1), (5, 2)):
        a = 1.5 * draw(rows, k, seed=seed + k)
        a[0] = a[0, 0]
        _compare_rows("ln (1/K) Σ e^a", candidate, a)
    a = 1.5 * draw(4, 3, seed=seed)
    for shift in FAR:
        _compare_rows(f"the same, {shift:+g}", candidate, a + shift, "overflow")
    mixed = a + torch.tensor([FAR[0], FAR[1], 0.0, FAR[1]])[:, None]
    _compare_rows("rows of different size in one batch", candidate, mixed, "reduction")
    wide = torch.tensor([[-1_000.0, -200.0, 500.0], [0.5, -90.0, 0.25], [-700.0, -701.0, 30.0]])
    _compare_rows("entries of different size in one row", candidate, wide)
    a[1, 0] = a[2, 1:] = -math.inf
    _compare_rows("weights of 0, whose logarithm is −∞", candidate, a)


def _compare_rows(law: str, candidate: Callable[[Tensor], Tensor], a: Tensor, otherwise: str = "") -> None:
    """`otherwise`: the cause where rows have moved, and nothing else."""
    exact, k = a.double(), a.shape[1]
    total = exact[:, 0]
    for column in range(1, k):
        total = torch.logaddexp(total, exact[:, column])
    expected, counted = total - math.log(k), exact.isfinite().sum(1)
    try:
        observed = require_shape(law, ask(candidate, log_values=a), (len(a),)).detach().double()
    except LawBroken as broken:
        if broken.cause == "not-finite" and otherwise == "reduction":
            raise LawBroken(law, broken.observed, broken.expected, otherwise) from None
        raise
    slips = {
        "constant": [total, total + math.log(k)],
        "log-mean": [exact.mean(1), exact.mean(1).exp(), exact.sum(1), exact.logsumexp(1) / k],
        "one-to-one": [exact.amax(1), exact.amax(1) - math.log(k)],
        "spread": [expected.exp(), total.exp()],
        "sign": [-expected, (-exact).logsumexp(1) - math.log(k), math.log(k) - (-exact).logsumexp(1)],
        "direction": [expected - exact.amax(1), expected - 2 * exact.amax(1)],
        "dependence": [total - counted.log()],
        "shape": [*pooled(expected), total - math.log(len(a))],
    }
    given = {"log_values": a}
    require_close(law, observed, expected, within(expected, 2e-5), slips, given=given, deduced=otherwise)


def terms_of_kl(candidate: Callable[[Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(log_p, log_q) = (r − 1) − ln r with r = q/p, (n,) → (n,), for logarithms of any size.

    The oracle is t² ∫₀¹ (1 − u) e^{ut} du with t = ln r, by Gauss–Legendre: no term can be negative.
    """
    for n, far in ((6, 0.0), (4, 0.0), (6, -1_000.0), (6, 200.0)):
        log_p, t = 0.5 * draw(n, seed=seed) - 3.5, draw(n, seed=seed + 1)
        t[0], t[1], t[2] = 0.02, 1.3, -1.7
        if far:
            t[3] = -120.0  # r is 0 in float32, and ln r is not
        log_p, log_q = log_p + far, log_p + far + t
        law = "(r − 1) − ln r" + (f", both logarithms {far:+g}" if far else "")
        output = ask(candidate, log_p=log_p, log_q=log_q)
        observed = require_shape(law, output, (n,)).detach().double()
        expected = _remainder(log_q.double() - log_p.double())
        slips = _term_slips(expected, log_p.double(), log_q.double())
        given, near, fit = {"log_p": log_p, "log_q": log_q}, within(expected, 5e-4), within(expected)
        left = "overflow" if far else ""  # only the size has changed
        require_close(law, observed, expected, near, slips, given=given, fit=fit, deduced=left)


def _remainder(t: Tensor) -> Tensor:
    """e^t − 1 − t."""
    at, weights = (torch.from_numpy(part) / 2 for part in np.polynomial.legendre.leggauss(64))
    u = 0.5 + at
    return t.square() * ((1 - u) * (t[:, None] * u).exp() * weights).sum(1)


def _term_slips(expected: Tensor, log_p: Tensor, log_q: Tensor) -> dict[str, list[Tensor]]:
    t = log_q - log_p
    return {
        "sign": [-t, t, -expected, t.exp() - 1, t.exp() - 1 + t, 1 - t.exp() - t],
        "direction": [_remainder(-t), t.exp() * t, t.exp() * _remainder(-t)],
        "constant": [expected + 1, expected + 2, t.exp()],
        "spread": [t.square() / 2, t.square()],
        "one-to-one": [t.abs(), (-t).clamp(min=0)],
        "dependence": [log_p.exp() * way for way in (expected, -t, t)] + [log_q.exp() * t],
        "log-mean": [_remainder((log_q / log_p).log()), _remainder((log_p / log_q).log()), t - 1 - t.abs().log()],
        "shape": pooled(expected),
    }


def bits_of_nats(candidate: Callable[[Tensor, int], Tensor], *, seed: int = 0) -> None:
    """candidate(log_prob, dims) is the code length of a dimension in bits, (batch,) → (batch,): 2^(−dims · bits) = p.

    A density may lie above 1, where the length is negative: in the last row.
    """
    for rows, dims in ((4, 3), (3, 784), (5, 64), (2, 1)):
        log_prob = -0.2 * dims - 0.5 * dims * draw(rows, seed=seed).abs()
        log_prob[-1] = 0.4 * dims
        observed = require_shape("one number for each example", ask(candidate, log_prob=log_prob, dims=dims), (rows,))
        observed, nats = observed.detach().double(), log_prob.double()
        expected = -math.log2(math.e) * nats / dims
        slips = {
            "sign": [-expected],
            "constant": [-nats / dims, -nats * math.log(2) / dims, -nats / (dims * math.log(10))],
            "reduction": [expected * dims, -nats, -nats * math.log(2), expected / dims, expected * dims**2],
            "log-mean": [(-nats).log2() / dims, 2**expected, (-nats / dims).exp()],
            "one-to-one": [expected.abs(), expected.clamp(min=0)],
            "shape": pooled(expected),
        }
        law, given = f"bits of each of {dims} dimensions", {"log_prob": log_prob, "dims": dims}
        require_close(law, observed, expected, within(expected), slips, given=given)
