"""Laws of the two-player game: the best discriminator, what it can win, and what either player minimises."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.distributions import Bernoulli, Normal

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, Slips, require_close, require_parts, require_shape, standard_error
from gmcourse.laws.gan.exact import best_answer, gaussian_js, to_mixture
from gmcourse.laws.mass import grid

LogProb = Callable[[Tensor], Tensor]
Pair = Callable[[Tensor, Tensor], Tensor]


def discriminator_is_optimal(candidate: Pair, *, seed: int = 0) -> None:
    """candidate(log p, log q), (n,) each, is the answer y that makes p ln y + q ln(1 − y) largest, far out too.

    The oracle is a search. Where both densities are e^{−800}, only their ratio counts, beside other points too.
    """
    x = torch.linspace(-1.2, 3.3, 10)
    near = (Normal(0.0, 1.0).log_prob(x), Normal(1.7, 0.6).log_prob(x))
    far = (
        torch.tensor([-1.0, -800.0, -803.0, -2000.0, -1000.0]),
        torch.tensor([-2.0, -803.0, -800.0, -1000.0, -2000.0]),
    )
    even = torch.tensor([-1.0, -0.3])
    for law, (log_p, log_q) in (
        ("D maximises p ln D + q ln(1 − D)", near),
        ("where p = q, D = ½", (even, even.clone())),
        ("densities of e^{−800}", far),
    ):
        output = ask(candidate, log_p=log_p, log_q=log_q)
        observed = require_shape(law, output, tuple(log_p.shape)).double()
        expected, gap = best_answer(log_p.double(), log_q.double()), (log_p - log_q).double()
        outside = bool((observed < 0).any() or (observed > 1).any())
        suspects = {"sign": 1 - expected, "spread": (torch.sigmoid(gap / 2), torch.sigmoid(2 * gap))}
        left = "overflow" if law.startswith("densities") else ""  # the formula is right elsewhere
        left = "constant" if outside else left
        given = {"log_p": log_p, "log_q": log_q}
        require_close(law, observed, expected, 1e-4, {} if left else suspects, given=given, deduced=left)


def critic_is_best(
    critic: LogProb, log_p: LogProb, log_q: LogProb, *, low: float, high: float, tolerance: float = 1e-3
) -> None:
    """The logits critic(x), x (batch, 1), lose at most `tolerance` nats against the best answer at every point.

    The box [low, high] holds the mass of both densities. The oracle searches the best answer point by point.
    """
    x, dx = grid([low], [high], 4_000)
    with torch.no_grad():
        p_log, q_log = log_p(x[:, 0]).double(), log_q(x[:, 0]).double()
        h = torch.as_tensor(critic(x)).double()
    h = require_shape("one logit for each x", h[:, 0] if h.shape == x.shape else h, (len(x),))
    p, q = p_log.exp() * dx, q_log.exp() * dx

    def value(h: Tensor) -> Tensor:
        return (
            p * Bernoulli(logits=h).log_prob(torch.ones(())) + q * Bernoulli(logits=-h).log_prob(torch.ones(()))
        ).sum()

    y = best_answer(p_log, q_log)
    best = (p * y.log() + q * (1 - y).log()).sum()
    if best - value(h) <= tolerance:
        return
    offsets = torch.linspace(-3, 3, 61, dtype=torch.float64)
    slips = {"sign": [-h], "constant": [h + c for c in offsets], "spread": [s * h for s in (0.25, 0.5, 2.0, 4.0)]}
    cause = next((name for name, ways in slips.items() if best - max(map(value, ways)) <= tolerance), "")
    raise LawBroken("no discriminator wins more", f"{value(h):.4f} nats", f"{best:.4f} at best", cause)


def divergence_is_jensen_shannon(candidate: Callable[[Tensor, Tensor, float], Tensor], *, seed: int = 0) -> None:
    """candidate(p, q, dx) is JS in nats, of densities (cells,) on a grid: 0, ln 2 and what lies between.

    Two Gaussians of unequal width, by a Gauss–Hermite rule; two equal densities; two boxes of unequal width, that
    overlap and that do not touch.
    """
    x, dx = grid([-5.5], [6.5], 4_000)
    theta, std = 1.0, 0.6
    p, q = (Normal(*by).log_prob(x[:, 0]).exp().float() for by in ((0.0, 1.0), (theta, std)))
    js, (first, second) = gaussian_js(theta, std), to_mixture(theta, std)
    observed = require_shape("one number", ask(candidate, p=p, q=q, dx=dx), ()).double()
    there = (1 + theta**2) / (2 * std**2) - 0.5 + math.log(std)  # KL(p ‖ q)
    back = (std**2 + theta**2 - 1) / 2 - math.log(std)
    bits = js / math.log(2)
    suspects = {
        "constant": bits,
        "reduction": (2 * js, js / 2, js / dx, 2 * js / dx, 2 * bits),
        "direction": (there + back, (there + back) / 2, there, back),
        "log-mean": ((there + back) / 4, js - math.log(2)),
        "dependence": (first, second, first / 2, second / 2),
        "sign": -js,
    }
    require_close("JS of N(0, 1) and N(1, 0.36)", observed, js, 1e-4, suspects)
    same = require_shape("JS(p, p)", ask(candidate, p=p, q=p.clone(), dx=dx), ()).double()
    require_close("JS(p, p) = 0", same, 0.0, 1e-6)
    x, dx = grid([-1.0], [5.0], 600)
    log2, both = math.log(2), 0.5 * math.log(4 / 3) + 0.25 * math.log(2 / 3)
    for start, expected in ((0.5, (1.25 * log2 + both) / 2), (2.0, log2)):
        box = ((x[:, 0] > 0) & (x[:, 0] < 1)).float()
        wide = 0.5 * ((x[:, 0] > start) & (x[:, 0] < start + 2)).float()
        law = f"JS of boxes of width 1 and 2, from 0 and from {start:g} on"
        observed = require_shape(law, ask(candidate, p=box, q=wide, dx=dx), ()).double()
        require_close(law, observed, expected, 1e-4)


def bound_is_below_divergence(candidate: Pair, *, seed: int = 0) -> None:
    """candidate(h_real, h_fake) is ln 2 + ½𝒱: 0 for logits of 0, JS for the best critic, less for others, not infinite.

    Data and fakes, few or many, count half each.
    """
    rng = torch.Generator().manual_seed(seed)
    for n, m in ((3, 5), (6, 4)):
        h_real, h_fake = 1.5 * torch.randn(n, generator=rng) + 0.8, 1.5 * torch.randn(m, generator=rng) - 0.2
        observed = require_shape("one number", ask(candidate, h_real=h_real, h_fake=h_fake), ()).double()
        right, suspects = _bounds(h_real.double(), h_fake.double())
        law = f"ln 2 + ½𝒱, {n} real points and {m} fakes"
        require_close(law, observed, right, 1e-4, suspects, given={"h_real": h_real, "h_fake": h_fake})
    theta, js = 2.0, gaussian_js(2.0)
    real, fake = torch.randn(2, 40_000, generator=rng)
    h_real, h_fake = (theta**2 / 2 - theta * points for points in (real, theta + fake))
    draws = [Bernoulli(logits=sign * h).log_prob(torch.ones(())) for sign, h in ((1, h_real), (-1, h_fake))]
    best = require_shape("one number", candidate(h_real, h_fake), ()).double()
    require_close("the best critic shows JS", best, js, 2 * sum(float(standard_error(d)) for d in draws))
    for slip in (0.5, 2.0):
        if candidate(slip * h_real, slip * h_fake) > best:
            raise LawBroken("no critic shows more than JS", f"more with logits × {slip}", f"{js:.4f}")
    sure = torch.full((3,), 200.0)
    for sign, expected in ((1, math.log(2)), (-1, math.log(2) - 200)):
        law = f"logits of {200 * sign:+} for data, {-200 * sign:+} for fakes"
        observed = require_shape(law, ask(candidate, h_real=sign * sure, h_fake=-sign * sure), ()).double()
        suspects = {"direction": 0.0} if sign < 0 else {}
        require_close(law, observed, expected, 1e-3, suspects, deduced="overflow")  # right near 0


def _bounds(h_real: Tensor, h_fake: Tensor) -> tuple[Tensor, dict[str, Slips]]:
    """The bound, and what the usual slips would give in its place."""
    logits, log2 = (h_real, -h_fake, -h_real, h_fake), math.log(2)
    real, fake, not_real, not_fake = (Bernoulli(logits=h).log_prob(torch.ones(())) for h in logits)
    value = real.mean() + fake.mean()
    right = log2 + value / 2
    return right, {
        "reduction": (2 * right, log2 + value),
        "constant": (value, value / 2),
        "sign": (log2 + (not_real.mean() + not_fake.mean()) / 2, log2 - value / 2),
        "log-mean": right / log2,
        "dependence": log2 + torch.cat([real, fake]).mean(),
        "direction": right.clamp(min=0),
        "one-to-one": (log2 + real.mean(), log2 + fake.mean()),
    }


def generator_losses_pull(candidate: Callable[[Tensor], tuple[Tensor, Tensor]], *, seed: int = 0) -> None:
    """candidate(h) is (mean ln(1 − D), −mean ln D) of the logits h (batch,) of fakes, with their gradients.

    D = sigmoid(h); the factors on ∂h are −D/n and −(1 − D)/n; logits of ±200 give neither infinity nor NaN.
    """
    h = torch.tensor([-3.0, -1.0, 0.1, 0.4, 2.5], requires_grad=True)
    d = torch.sigmoid(h.detach().double())
    names, (low, high) = ("saturating", "non-saturating"), ((1 - d).log(), -d.log())
    values = require_parts("two losses", ask(candidate, h=h), 2)
    seen = [require_shape(f"the {name} loss is one number", v, ()) for name, v in zip(names, values, strict=True)]
    cause = _which_slip(torch.stack([v.detach().double() for v in seen]), low, high, d)
    for name, loss, expected, slope in zip(names, seen, (low, high), (-d, d - 1), strict=True):
        suspects = {cause: loss.detach()} if cause else {}
        require_close(f"the {name} loss at h = −3 to 2.5", loss, expected.mean(), 1e-4, suspects)
        if not loss.requires_grad:
            raise LawBroken(f"the {name} loss carries a gradient to h", "none", "one", "gradient")
        gradient = torch.autograd.grad(loss, h, retain_graph=True)[0].double()
        law = f"the {name} gradient, for each fake"
        require_close(law, gradient, slope / len(h), 1e-4, deduced="gradient")  # its value is right
    for sign, expected in ((1.0, (-200.0, 0.0)), (-1.0, (0.0, 200.0))):
        far = ask(candidate, h=torch.full((3,), 200.0 * sign))
        for name, loss, value in zip(names, require_parts("two losses", far, 2), expected, strict=True):
            law = f"the {name} loss at h = {200 * sign:+.0f}"
            observed = require_shape(law, loss, ()).detach().double()
            require_close(law, observed, value, 1e-3, deduced="overflow")  # right near 0


def _which_slip(seen: Tensor, low: Tensor, high: Tensor, d: Tensor) -> str:
    """The cause whose pair of losses is the one seen; "" where none is."""
    n, right = len(d), (low.mean(), high.mean())
    pairs = {
        "direction": [right[::-1]],
        "one-to-one": [(right[0], right[0]), (right[1], right[1])],
        "sign": [(right[0], -right[0]), (-right[1], right[1]), (right[0], -right[1]), (-right[0], right[1])]
        + [(-right[0], -right[1]), (-right[0], -right[0])],
        "reduction": [(n * right[0], n * right[1]), (n * right[0], right[1]), (right[0], n * right[1])],
        "log-mean": [((1 - d).mean().log(), -d.mean().log()), (right[0], -d.mean().log())],
        "spread": [((1 - d).mean(), d.mean()), ((1 - d).mean(), -d.mean()), ((1 - d).mean(), (1 - d).mean())],
    }
    near = (cause for cause, slips in pairs.items() for slip in slips if (seen - torch.stack(slip)).abs().max() < 1e-4)
    return next(near, "")


def critic_loss_is_minus_value(candidate: Callable[..., Tensor], *, seed: int = 0) -> None:
    """candidate(critic, real, fake) is −𝒱: ln 4 for h = 0, ln 4 − 2 JS for the best critic, at equilibrium no less.

    Real points from N(0, 1), fakes from N(θ, 1), both (batch, 1); the best critic is h = θ²/2 − θx.
    """
    rng = torch.Generator().manual_seed(seed)
    real = torch.randn(50_000, 1, generator=rng, dtype=torch.float64)
    noise = torch.randn(50_000, 1, generator=rng, dtype=torch.float64)
    blind = require_shape("a scalar loss", candidate(lambda x: 0 * x[:, 0], real, noise), ()).double()
    log4 = math.log(4)
    slips = {"sign": -log4, "reduction": log4 / 2}
    require_close("h = 0 costs ln 4", blind, log4, 1e-6, slips)
    for theta in (1.0, 2.0):
        fake = theta + noise

        def best(x: Tensor, theta: float = theta) -> Tensor:
            return theta**2 / 2 - theta * x[:, 0]

        draws = [Bernoulli(logits=s * best(x)).log_prob(torch.ones(())) for s, x in ((1, real), (-1, fake))]
        expected = log4 - 2 * gaussian_js(theta)
        tolerance = 4 * sum(float(standard_error(d)) for d in draws)
        swapped = -sum((d + s * best(x)).mean() for d, s, x in zip(draws, (-1, 1), (real, fake), strict=True))
        observed = require_shape("a scalar loss", candidate(best, real, fake), ()).double()
        suspects = {"sign": swapped, "reduction": expected / 2}
        require_close(f"the best critic pays ln 4 − 2 JS, θ = {theta:g}", observed, expected, tolerance, suspects)
        level = candidate(best, real, real).double()
        if level < log4:
            raise LawBroken("at equilibrium no critic pays less than ln 4", f"{level:.4f}", f"{log4:.4f}")
