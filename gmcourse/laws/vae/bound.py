"""Laws of the variational bound: the KL, the reparameterised draw, the average weight and the bounds below it."""

import math
from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import (
    LawBroken,
    Slips,
    as_tensor,
    require_close,
    require_shape,
    show_case,
    show_value,
    standard_error,
)
from gmcourse.laws.rows import within
from gmcourse.protocols import Bounded, ImportanceWeighted


class Variational(Bounded, ImportanceWeighted, Protocol):
    """Knows both bounds."""


def kl_is_expected_log_ratio(candidate: Callable[[Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """KL(N(μ, e^{2s}) ‖ N(0, I)) = E_q[log q − log p] within 4 standard errors, with the gradient of torch's own KL.

    `candidate(mean, log_std)` takes (batch, L) tensors and returns (batch,), nats. The first row is the prior itself.
    """
    rng = torch.Generator().manual_seed(seed)
    for rows, latents in ((5, 3), (4, 2)):
        mean, s = torch.randn(2, rows, latents, generator=rng) * 0.4 + torch.linspace(-0.6, 1.0, latents)
        mean[0] = s[0] = 0.0
        mean, s = mean.requires_grad_(), (0.8 * s - 0.3 * (s != 0)).requires_grad_()
        mu, log_std = mean.detach().double(), s.detach().double()
        q, prior = Normal(mu, log_std.exp()), Normal(0.0, 1.0)
        z = q.mean + q.stddev * torch.randn(20_000, rows, latents, generator=rng, dtype=torch.float64)
        log_ratio = (q.log_prob(z) - prior.log_prob(z)).sum(2)
        exact, given = kl_divergence(q, prior).sum(1), {"mean": mu, "log_std": log_std}
        value = require_shape("one KL for each row", ask(candidate, mean=mean, log_std=s), (rows,))
        observed, near = value.detach().double(), within(exact)
        slips = _kl_slips(observed, mu, log_std, exact)
        drawn = 4 * standard_error(log_ratio) + 1e-5
        require_close("KL = E_q[log q − log p]", observed, log_ratio.mean(0), drawn, slips, given, fit=near)
        require_close("KL = E_q[log q − log p], by torch", observed, exact, near, slips, given)
        if not value.requires_grad:
            raise LawBroken("the KL carries a gradient", "none", "∂KL/∂μ and ∂KL/∂s", "gradient")
        slopes = torch.autograd.grad(value.sum(), (mean, s), materialize_grads=True)
        for name, slope, right in zip(("∂KL/∂μ", "∂KL/∂s"), slopes, (mu, (2 * log_std).exp() - 1), strict=True):
            require_close(name, slope.double(), right, 1e-3, {"gradient": 0 * right}, given=given)


def _kl_slips(observed: Tensor, mean: Tensor, s: Tensor, exact: Tensor) -> dict[str, Slips]:
    """What the usual slips would give: s taken for another, q and p exchanged, latents averaged, rows pooled.

    Whatever else is below 0 has a sign that is wrong.
    """
    var = (2 * s).exp()
    spreads = [0.5 * (mean**2 + (a * s).exp() - 1 - b * s).sum(1) for a, b in ((1, 1), (1, 2), (2, 1), (-2, -2))]
    rows = [0 * exact + part for part in (exact.sum(), exact.mean(), exact[1])]
    below = (observed < -1e-4).any()
    return {
        "reduction": exact / mean.shape[1],
        "direction": 0.5 * ((1 + mean**2) / var - 1 + var.log()).sum(1),
        "spread": spreads,
        "shape": rows,
        "constant": exact + 0.5 * mean.shape[1],
        "sign": observed if below else -exact,
    }


def draws_follow_gaussian(candidate: Callable[[Tensor, Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """z = candidate(μ, s, ε) has mean μ and spread e^s in each row, takes its randomness from ε alone, and has
    ∂z/∂μ = 1 and ∂z/∂s = z − μ.

    Any such draws will do, −ε for ε too. Rows and latents are independent of one another.
    """
    rng = torch.Generator().manual_seed(seed)
    noise, other = torch.randn(2, 4_000, 3, generator=rng)
    shift = torch.rand(2, *noise.shape, generator=rng) - 0.5
    mean = (torch.tensor([1.5, -0.7, 0.2]) + shift[0]).requires_grad_()
    s = (torch.tensor([0.5, 2.0, 0.9]).log() + shift[1]).requires_grad_()
    z = require_shape("one z for each row", ask(candidate, mean=mean, log_std=s, noise=noise), tuple(noise.shape))
    again, moved = (as_tensor(ask(candidate, mean=mean, log_std=s, noise=e)) for e in (noise, other))
    if again is None or moved is None or not torch.equal(z, again) or torch.equal(z, moved):
        raise LawBroken("z is drawn with `noise` alone", "other randomness", "z = a function of noise", "randomness")
    mu, spread = mean.detach().double(), s.detach().double().exp()
    _known_slips(z.detach().double(), mu, spread, noise.double())
    _are_standard(((z.detach().double() - mu) / spread), torch.cat([mu, spread.log()], 1))
    if not z.requires_grad:
        raise LawBroken("z carries a gradient", "none", "∂z/∂μ and ∂z/∂s", "gradient")
    gradients = torch.autograd.grad(z.sum(), (mean, s), materialize_grads=True)
    right = (torch.ones_like(mu), z.detach().double() - mu)
    for name, slope, expected in zip(("∂z/∂μ = 1", "∂z/∂s = z − μ"), gradients, right, strict=True):
        require_close(name, slope.double(), expected, 1e-3, {"gradient": 0 * expected})


def _known_slips(z: Tensor, mean: Tensor, spread: Tensor, noise: Tensor) -> None:
    """Name a slip that gives these very draws."""
    first, row = noise[:, :1].expand_as(noise), noise[:1].expand_as(noise)
    slips = {
        "spread": [mean + spread**power * noise for power in (0.5, 2.0, -1.0)] + [mean + spread.log() * noise],
        "constant": [spread * noise, mean + noise],
        "dependence": [mean + spread * first],
        "shape": [mean + spread * row],
        "reduction": [mean + spread.mean(1, keepdim=True) * noise, mean + spread.mean(0) * noise],
        "direction": [(mean + noise) * spread],
    }
    for cause, values in slips.items():
        if min(float((z - value).abs().max()) for value in values) < 1e-3:
            given = {"mean": mean[0], "log_std": spread[0].log(), "noise": noise[0]}
            right = show_value(mean[0] + spread[0] * noise[0])
            raise LawBroken("z ~ N(μ, e^{2s})", show_value(z[0]), f"{right}, say", cause, show_case(given))


def _are_standard(scaled: Tensor, features: Tensor) -> None:
    """(z − μ)/e^s is standard normal, whatever μ and s, and independent from row to row and latent to latent.

    Tolerances are five standard errors of the *right* draws: wrong ones with heavy tails would excuse themselves.
    """
    features = torch.cat([torch.ones(len(features), 1), features - features.mean(0)], 1)
    squares = features.square().mean(0).repeat(scaled.shape[1])
    for law, draws, variance in (
        ("E z = μ, in every row", (scaled[:, :, None] * features[:, None]).flatten(1), squares),
        (
            "the spread of z is e^s, in every row",
            ((scaled**2 - 1)[:, :, None] * features[:, None]).flatten(1),
            2 * squares,
        ),
        ("z is Gaussian", (scaled**4 - 3).mean(1, keepdim=True), 96 / scaled.shape[1] * squares[:1]),
        ("the latents are independent", scaled * scaled.roll(1, 1), squares[:1]),
        ("the rows are independent", scaled * scaled.roll(1, 0), squares[:1]),
    ):
        require_close(law, draws.mean(0), torch.zeros(draws.shape[1]), 5 * (variance / len(draws)).sqrt())


TOY_X = 1.0
TOY_EVIDENCE = Normal(0.0, math.sqrt(2.0)).log_prob(torch.tensor(TOY_X)).item()
"""log p(x = 1) where z ~ N(0, 1) and x | z ~ N(z, 1), so that x ~ N(0, 2)."""


def toy_log_weights(k: int, batch: int, *, seed: int = 0, centre: float = 0.3, spread: float = 0.9) -> Tensor:
    """(k, batch) log weights of x = 1 in the toy model above, drawn from q = N(centre, spread²)."""
    q = Normal(torch.tensor(centre, dtype=torch.float64), spread)
    noise = torch.randn(k, batch, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    z = centre + spread * noise
    return Normal(0.0, 1.0).log_prob(z) + Normal(z, 1.0).log_prob(torch.tensor(TOY_X)) - q.log_prob(z)


def weights_average_to_evidence(candidate: Callable[[Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(log w) of shape (K, batch) → (batch,) is ln (1/K) Σ w: near log p(x) for many draws, and stable.

    For K = 1 it is log w; for large K it comes to −1.5155 on a Gaussian toy; weights of e^{−1000} do not underflow.
    """
    log_weights = toy_log_weights(2_000, 50, seed=seed)
    observed = require_shape("one value for each column", candidate(log_weights), (50,))
    suspects = {
        "constant": log_weights.logsumexp(0).mean(),
        "log-mean": log_weights.mean(),
    }
    draws = log_weights.exp().mean(0).log()
    require_close(
        "the average weight is the evidence", observed.mean(), TOY_EVIDENCE, 4 * standard_error(draws), suspects
    )
    single = log_weights[:1, :3]
    require_close("one draw: ln w", require_shape("one draw", candidate(single), (3,)), single[0], 1e-6)
    shifted = require_shape("weights of e^{−1000}", candidate(log_weights - 1_000), (50,))
    require_close("weights of e^{−1000}", shifted, observed - 1_000, 1e-6, {"overflow": shifted})  # right near 0


def bounds_are_ordered(
    candidate: Variational, x: Tensor, log_prob: Tensor, *, k: int = 10, draws: int = 400, seed: int = 0
) -> None:
    """E ELBO ≤ E IWAE_k ≤ log p(x), each row of x, within 4 standard errors; `log_prob` (batch,) is exact.

    The average of w itself, not of its logarithm, equals p(x): that is what tells a wrong weight from a loose bound.
    """
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        elbo = torch.stack([candidate.elbo(x, rng=rng) for _ in range(draws)])
        log_weights = candidate.log_weights(x, k * draws, rng=rng)
    elbo = require_shape("one bound for each row", elbo, (draws, len(x)))
    log_weights = require_shape("log weights are (k, batch)", log_weights, (k * draws, len(x)))
    tighter = log_weights.view(draws, k, len(x)).logsumexp(1) - math.log(k)
    for law, lower, upper in (
        ("ELBO ≤ IWAE_k", elbo, tighter),
        ("IWAE_k ≤ log p(x)", tighter, log_prob.expand(draws, -1)),
    ):
        slack = 4 * (standard_error(lower) + standard_error(upper)) + 1e-6
        excess = lower.mean(0) - upper.mean(0) - slack
        if (excess > 0).any():
            row = int(excess.argmax())
            raise LawBroken(law, f"{lower.mean(0)[row]:.4f}", f"at most {upper.mean(0)[row]:.4f}")
    slack = 4 * (standard_error(elbo) + standard_error(log_weights)) + 1e-6
    require_close("ELBO = E log w", elbo.mean(0), log_weights.mean(0), slack)
    ratio = (log_weights - log_prob).exp()
    require_close("E w = p(x)", ratio.mean(0), torch.ones(len(x)), 4 * standard_error(ratio) + 1e-6)
