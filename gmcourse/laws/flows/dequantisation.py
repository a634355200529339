"""Laws of grey levels under a density: bins hold mass, noise bounds it from below, bits count it."""

import math
from collections.abc import Callable
from itertools import product

import torch
from torch import Tensor
from torch.distributions import Normal

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, Slips, require_close, require_shape, standard_error
from gmcourse.laws.rows import further, pooled, within

LogProb = Callable[[Tensor], Tensor]
TOY = Normal(torch.tensor([0.0, 1.2], dtype=torch.float64), torch.tensor([0.5, 0.8], dtype=torch.float64))


def toy_log_mass(x: Tensor) -> Tensor:
    """ln ∫ p(y) dy over the unit bins at x, (batch, 2) → (batch,), of the two independent normals of `TOY`."""
    return (TOY.cdf(x + 1) - TOY.cdf(x)).log().sum(1)


def is_a_code(log_prob: Callable[[Tensor], Tensor], levels: int, dims: int = 1, *, tolerance: float = 1e-3) -> None:
    """Σ P(x) ≤ 1 over all levels^dims images of `dims` pixels: only then has −log₂ P(x) a code of that length (Kraft).

    `log_prob` takes every image, (levels^dims, dims), int64, and returns nats. Cover & Thomas 2006, theorem 5.2.1.
    """
    if levels**dims > 100_000:
        raise ValueError(f"levels, dims: got {levels} and {dims}, expected at most 100000 images, so that all are seen")
    x = torch.tensor(list(product(range(levels), repeat=dims)))
    total = require_shape("one value for each image", log_prob(x), (len(x),)).double().exp().sum().item()
    if total > 1 + tolerance:
        raise LawBroken("Σ P(x) ≤ 1 over all images", f"{total:.4g}", "at most 1")


def bits_of_a_density(candidate: Callable[[Tensor, int, int], Tensor], *, seed: int = 0) -> None:
    """candidate(log p_v, D, V) is the code length in bits a dimension: log₂ V for the uniform density on [0, 1)^D.

    `log_prob` is (batch,), nats, of v = (x + u)/V. The oracle divides a volume into V^D cells and counts bits.
    """
    fixed = (64, 17, (-100.0, 0.0, 60.0)), (3, 256, (2.5, -7.0)), (1, 2, (0.0, -1.5, 0.4, 1.0))
    more = further(
        seed, lambda rng: (rng.randint(2, 30), rng.randint(3, 200), tuple(rng.uniform(-9, 9) for _ in range(3)))
    )
    for dims, levels, values in (*fixed, *more):
        log_prob = torch.tensor(values)
        cells = levels**dims
        expected = torch.tensor([(math.log2(cells) - p * math.log2(math.e)) / dims for p in values]).double()
        law = f"bits a dimension, D = {dims}, V = {levels}"
        answer = ask(candidate, log_prob=log_prob, dims=dims, levels=levels)
        observed = require_shape("one number for each image", answer, (len(values),))
        nats, whole = -log_prob.double() / dims, math.log2(levels)
        bits = nats / math.log(2)
        suspects = {
            "constant": (bits, bits + math.log2(levels - 1)),
            "reduction": (expected * dims, bits * dims + whole, bits + whole / dims, bits + whole * dims),
            "spread": (nats + whole, nats * math.log(2) + whole, expected * math.log(2), bits + math.log(levels)),
            "sign": (whole - bits, -expected),
            "direction": bits - whole,
            "shape": pooled(expected),
        }
        require_close(law, observed, expected, within(expected), suspects, given={"log p": log_prob})


def logit_counts_volume(candidate: Callable[[Tensor, float], Tensor], *, seed: int = 0) -> None:
    """candidate(x, α) = Σ ln |d logit(α + (1−2α)x)/dx|, (batch,), by autograd; x (batch, D) in [0, 1]."""
    rng = torch.Generator().manual_seed(seed)
    for alpha, dims in ((0.05, 3), (0.2, 2)):
        x = torch.rand(4, dims, generator=rng)
        x[0, :2], x[1, 0] = torch.tensor([0.0, 1.0]), 1.0
        exact = x.double().requires_grad_()
        slopes = torch.autograd.grad(torch.special.logit(alpha + (1 - 2 * alpha) * exact).sum(), exact)[0].log()
        expected, first = slopes.sum(1), math.log(1 - 2 * alpha)
        observed = require_shape("one log-determinant for each row", ask(candidate, x=x, alpha=alpha), (4,))
        y = alpha + (1 - 2 * alpha) * x.double()
        suspects = {
            "constant": expected - dims * first,
            "sign": -expected,
            "reduction": (slopes.mean(1), expected - (dims - 1) * first),
            "direction": [(first - y.log() + k * (1 - y).log()).sum(1) for k in (0, 1)],
            "spread": slopes.exp().sum(1),
            "shape": pooled(expected),
        }
        given = {"x": x, "α": alpha}
        require_close("log_det = Σ ln dz/dx", observed, expected, within(expected), suspects, given=given)


def _bin_suspects(log_p: LogProb, x: Tensor, u: Tensor, log_q: Tensor) -> dict[str, Slips]:
    """What the usual slips would give; where q is uniform or K = 1 some of them are right, and are left out."""
    k = len(u)

    def averaged(y: Tensor, log_q: Tensor) -> Tensor:
        return (log_p(y) - log_q).logsumexp(0) - math.log(k)

    suspects: dict[str, Slips] = {"direction": [averaged(y, log_q) for y in (x + u - 0.5, x - u, u, 0 * u + x)]}
    if log_q.any():
        suspects["sign"] = averaged(x + u, -log_q)
        suspects["dependence"] = averaged(x + u, 0 * log_q)
    if k > 1:
        log_w = log_p(x + u) - log_q
        total = log_w.logsumexp(0)
        uneven = (total, total + math.log(k), total / k, log_w.sum(0))
        suspects |= {"log-mean": log_w.mean(0), "constant": uneven}
    return suspects


Bound = Callable[[LogProb, Tensor, Tensor, Tensor], Tensor]


def bin_is_bounded(candidate: Bound, *, seed: int = 0) -> None:
    """candidate(log p, x, u, log q) is ln (1/K) Σ_k p(x + u_k)/q(u_k|x), (batch,): below the log-mass of the bin.

    `x` is (batch, D), `u` (K, batch, D) in [0, 1), `log_q` (K, batch); log p maps (…, D) to (…). Held against
    the two unequal normals of `TOY`, whose bins have known mass, over several bins, with q uniform and 4(1−u₁)(1−u₂).
    """
    batch = 18_000
    rng = torch.Generator().manual_seed(seed)
    x = torch.tensor(list(product((-1.0, 0.0, 1.0), (0.0, 2.0)))).repeat(batch // 6, 1)
    exact = toy_log_mass(x).mean()

    def log_p(y: Tensor) -> Tensor:
        return TOY.log_prob(y).sum(-1)

    for k in (1, 5):
        u = torch.rand(k, batch, 2, generator=rng).clamp(1e-6, 1 - 1e-6)
        bent = (1 - u.sqrt()).clamp(max=1 - 1e-6)
        for name, noise, log_q in (
            ("u uniform", u, torch.zeros(k, batch)),
            ("q(u) = 4(1−u₁)(1−u₂)", bent, (2 - 2 * bent).log().sum(-1)),
        ):
            law = f"ln (1/K) Σ p(x+u)/q(u|x), {name}, K = {k}"
            expected = (log_p(x + noise) - log_q).logsumexp(0) - math.log(k)
            observed = require_shape(law, ask(candidate, log_p=log_p, x=x, u=noise, log_q=log_q), (batch,)).double()
            suspects = _bin_suspects(log_p, x, noise, log_q)
            given = {"x": x, "u": noise[:, 0], "log q": log_q[:, 0]} if k == 1 else {"x": x}
            require_close(law, observed, expected, within(expected), suspects, given=given)
            if observed.mean() > exact + 4 * standard_error(observed):
                raise LawBroken(f"{law} ≤ ln P(x)", f"{observed.mean():.4f}", f"at most {exact:.4f}")
            _bears_tiny_densities(candidate, x[:6], noise[:, :6], log_q[:, :6])


def _bears_tiny_densities(candidate: Bound, x: Tensor, u: Tensor, log_q: Tensor) -> None:
    """p of images of many pixels is e^{−2000} or e^{2000}: the mean has to be taken in logarithms."""
    for shift in (-2000.0, 2000.0):

        def log_p(y: Tensor, shift: float = shift) -> Tensor:
            return TOY.log_prob(y).sum(-1) + shift

        law = f"ln (1/K) Σ p(x+u)/q(u|x) where ln p is near {shift:g}"
        observed = require_shape(law, ask(candidate, log_p=log_p, x=x, u=u, log_q=log_q), (len(x),))
        expected = (log_p(x + u) - log_q).logsumexp(0) - math.log(len(u))
        require_close(law, observed, expected, 0.01)
