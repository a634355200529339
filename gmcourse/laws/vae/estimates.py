"""Laws of three estimates: the evidence of each x, the gradient of a mean, and the noise that fits."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.distributions import Normal

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, Slips, require_close, require_shape, standard_error
from gmcourse.laws.rows import within

Function = Callable[[Tensor], Tensor]


def evidence_estimate(candidate: Callable[..., Tensor], *, seed: int = 0) -> None:
    """candidate(log_likelihood, z, mean, log_std) estimates log p(x), (batch,), from K draws z of q.

    `log_likelihood` is log p(x|z), (K, batch); `z` is (K, batch, L), drawn from q = N(mean, e^{2 log_std}), both
    (batch, L); the prior is N(0, I). Each latent has an x ~ N(z, 1) of its own, so that x ~ N(0, 2I). Few draws and
    many: with few the estimate is compared with the average weight of these draws.
    """
    rng = torch.Generator().manual_seed(seed)
    for k, batch, latents in ((3, 4, 3), (400, 6, 2)):
        x, off = torch.randn(2, batch, latents, generator=rng)
        mean, log_std = 0.5 * x + 0.2 * off, 0.1 * x + math.log(0.9)
        z = mean + log_std.exp() * torch.randn(k, batch, latents, generator=rng)
        log_likelihood = Normal(z, 1.0).log_prob(x).sum(-1)
        inputs = {"log_likelihood": log_likelihood, "z": z, "mean": mean, "log_std": log_std}
        observed = require_shape("one value for each x", ask(candidate, **inputs), (batch,)).double()
        ll, *parts = (value.double() for value in inputs.values())
        expected, slips = _evidences(ll, *parts)
        given, near = {"mean": mean, "log_std": log_std}, within(observed)
        if k > 100:
            exact = Normal(0.0, math.sqrt(2.0)).log_prob(x.double()).sum(-1)
            error = standard_error((_log_weights(ll, *parts) - exact).exp())
            require_close("the estimate comes to log p(x)", observed, exact, 4 * error, slips, given, fit=near)
        law = "ln (1/K) Σ_k p(x|z_k) p(z_k)/q(z_k|x)"
        require_close(f"{law}, K = {k}", observed, expected, within(expected), slips, given, fit=near)
        law = "log p(x|z) near −1000, as for an image"
        far = ask(candidate, **{**inputs, "log_likelihood": log_likelihood - 1_000})
        far = require_shape(law, far, (batch,)).double()
        require_close(law, far, observed - 1_000, 5e-3, {"overflow": far})  # only the size has changed


def _log_weights(ll: Tensor, z: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    return ll + (Normal(0.0, 1.0).log_prob(z) - Normal(mean, log_std.exp()).log_prob(z)).sum(-1)


def _evidences(ll: Tensor, z: Tensor, mean: Tensor, log_std: Tensor) -> tuple[Tensor, dict[str, Slips]]:
    """The estimate, and what the usual slips would give in its place."""

    def average(log_w: Tensor) -> Tensor:
        return log_w.logsumexp(0) - math.log(len(log_w))

    prior, q = (part.log_prob(z).sum(-1) for part in (Normal(0.0, 1.0), Normal(mean, log_std.exp())))
    log_w = _log_weights(ll, z, mean, log_std)
    pooled = log_w.flatten().logsumexp(0) - math.log(log_w.numel())
    first = Normal(mean[0], log_std[0].exp()).log_prob(z).sum(-1)
    means = (average(ll + (prior - q) / z.shape[-1]), average(ll / z.shape[-1] + (prior - q) / z.shape[-1]))
    slips = {
        "constant": log_w.logsumexp(0),
        "log-mean": log_w.mean(0),
        "direction": (average(ll), average(ll - q), average(ll + prior)),
        "sign": (average(ll + prior + q), average(ll - prior + q)),
        "shape": (0 * ll[0] + pooled, average(log_w)[:1].expand_as(ll[0]), 0 * ll[0] + pooled.exp()),
        "dependence": average(ll + prior - first),
        "spread": average(_log_weights(ll, z, mean, log_std / 2)),
        "reduction": means,
        "one-to-one": log_w.amax(0),
    }
    return average(log_w), slips


def _close(observed: Tensor, slip: Tensor) -> bool:
    return bool(((observed - slip).abs() <= within(slip)).all())


def values_are_weighed(candidate: Callable[[Function, Tensor, Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """The mean of candidate(f, μ, s, ε), (n, d), is ∇_μ E f(μ + e^s ε) within 4 standard errors, a black box f too.

    One f is a polynomial; the other is a step, whose own derivative is 0: only its values can tell.
    """
    rng = torch.Generator().manual_seed(seed)
    mean, log_std = torch.tensor([0.8, -0.5]), torch.tensor([0.6, 1.3]).log()
    noise = torch.randn(1_500, 2, generator=rng)
    side = torch.tensor([1.0, 0.5])
    across = (side * log_std.exp()).norm()
    height = Normal(0.0, 1.0).log_prob((0.3 - side @ mean) / across).exp() / across
    cases = {
        "f = z₁² + 3z₂ + z₁z₂": (_polynomial, torch.stack([2 * mean[0] + mean[1], 3 + mean[0]])),
        "f = 1 where z₁ + ½z₂ > 0.3, else 0": (_step, height * side),
    }
    for name, (f, gradient) in cases.items():
        output = ask(candidate, f=f, mean=mean, log_std=log_std, noise=noise)
        observed = require_shape("one estimate for each row", output, tuple(noise.shape)).detach().double()
        slips = _gradient_slips(f, mean, log_std, noise)
        fitting = {c: observed.mean(0) for c, values in slips.items() if any(_close(observed, v) for v in values)}
        law = f"the mean estimate is ∇ E f, {name}"
        slack = 4 * standard_error(observed) + 1e-4
        require_close(law, observed.mean(0), gradient, slack, fitting)
        if "shape" in fitting:
            raise LawBroken("one estimate for each row", "the same in every row", "each from its own draw", "shape")


def _gradient_slips(f: Function, mean: Tensor, log_std: Tensor, noise: Tensor) -> dict[str, list[Tensor]]:
    """What each usual slip would give, draw by draw."""
    z, var = mean + log_std.exp() * noise, (2 * log_std).exp()
    weight, at_noise = f(z)[:, None], f(noise)[:, None]
    own = torch.func.vmap(torch.func.grad(lambda row: f(row[None])[0]))(z)
    log_q = Normal(mean, log_std.exp()).log_prob(z).sum(1, keepdim=True)
    return {
        "direction": [own],
        "gradient": [own * log_q],
        "spread": [weight * noise, weight * (z - mean), weight * (z - mean) / log_std, weight * noise / var],
        "sign": [-weight * (z - mean) / var],
        "randomness": [at_noise * power for power in (noise, noise / var.sqrt(), (noise - mean) / var)],
        "constant": [weight * z / var, weight * z],
        "shape": [(weight * (z - mean) / var).mean(0).expand_as(noise)],
    }


def _polynomial(z: Tensor) -> Tensor:
    return z[:, 0] ** 2 + 3 * z[:, 1] + z[:, 0] * z[:, 1]


def _step(z: Tensor) -> Tensor:
    """It may be differentiated, in vain."""
    return (z[:, 0] + 0.5 * z[:, 1] > 0.3).to(z) + 0 * z.sum(1)


def noise_maximises_likelihood(candidate: Callable[[Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(x, m) is the one s at which Σ log N(x; m, e^{2s}) is largest; x and m are (batch, *event).

    The oracle is a search over s, so that no formula for the maximum is assumed. The errors have a mean other than 0,
    and not the same size in each row and column.
    """
    rng = torch.Generator().manual_seed(seed)
    for std, shape in ((0.1, (50, 1, 4, 4)), (2.0, (30, 12))):
        mean, error = torch.randn(2, *shape, generator=rng)
        x = mean + std * (0.4 + error * torch.linspace(0.5, 1.5, shape[-1]))
        x[0] += 2 * std
        observed = require_shape("one s for all pixels", ask(candidate, x=x, mean=mean), ()).double()
        grid = torch.linspace(-6, 6, 12_001, dtype=torch.float64)
        squares = (x.double() - mean.double()) ** 2
        log_likelihood = -squares.sum() / (2 * (2 * grid).exp()) - x.numel() * grid
        best = grid[log_likelihood.argmax()]
        rows, half = squares.flatten(1), math.log(x[0].numel()) / 2
        suspects = {
            "spread": 2 * best,
            "reduction": (best + half, best + math.log(x.numel()) / 2, best + math.log(len(x)) / 2),
            "constant": best.exp(),
            "log-mean": best.exp() ** 2,
            "sign": -best,
            "direction": (rows.mean(1).log().mean() / 2, rows.mean(0).log().mean() / 2),
            "dependence": ((x - mean).std().log(), x.std().log(), rows[0].mean().log() / 2),
        }
        require_close("s = ln σ at the largest likelihood", observed, best, 2e-3, suspects)
