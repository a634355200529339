"""Laws of the one equation: what noising, its reverse and its flow do to a density, and what guidance adds."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.distributions import Categorical, MixtureSameFamily, Normal

from gmcourse.laws.asking import ask, slope
from gmcourse.laws.broken import Slips, require_close, require_numbers, require_parts, require_shape
from gmcourse.laws.rows import Level, draw, pooled, within

Rates = Callable[[Tensor], tuple[Tensor, Tensor, Tensor]]
Velocity = Callable[[Tensor, Tensor, Level], Tensor]
Step = Callable[[Tensor, Tensor, Level, Level, Tensor], Tensor]
LogProb = Callable[[Callable[[Tensor, Level], Tensor], Tensor], Tensor]
Guided = Callable[[Tensor, Tensor, float], Tensor]


def rates_carry_gaussians(candidate: Rates) -> None:
    """candidate(σ) = (a, f, g²), (n,) each, at levels σ (n,), of the noising dx̃ = f x̃ dσ + g dW with x̃ = a(x + σε).

    For x ~ N(m, v) the mean of x̃ is a m and its variance a²(v + σ²): their slopes by σ must be f·mean, and
    2f·variance + g². The oracle differentiates the candidate's own a.
    """
    levels = torch.tensor([0.05, 0.3, 0.7, 2.0, 9.0], dtype=torch.float64)
    sigma = levels.clone().requires_grad_()
    signal, drift, variance = (
        require_shape(f"a value of {name} for each level", part, (5,)).double()
        for name, part in zip(("a", "f", "g²"), require_parts("a, f and g²", candidate(sigma), 3), strict=True)
    )
    start = require_numbers("a at σ = 0", [candidate(torch.zeros(1, dtype=torch.float64))[0].reshape(())], 1)
    require_close("a = 1 where there is no noise", start, torch.ones_like(start), 1e-6)
    by_level = slope(signal.sum(), sigma)
    f = by_level / signal
    suspects: dict[str, Slips] = {"sign": -f, "constant": [by_level, 2 * f, f / 2]}
    require_close("the mean a m moves by f a m", drift, f, 1e-6, suspects, given={"σ": levels})
    spread = 2 * levels * signal.square()
    suspects = {
        "spread": [spread.sqrt(), 2 * levels * signal],
        "constant": [spread / 2, 2 * levels, signal.square(), spread * levels],
        "sign": -spread,
    }
    require_close("the variance a²(v + σ²) moves by 2f·variance + g²", variance, spread, 1e-6, suspects)


def flow_carries_density(candidate: Velocity, *, seed: int = 0) -> None:
    """candidate(x, s, σ) = dx/dσ, (batch, *event), of the flow whose points have the density of x + σε at every σ.

    s is the score at x, σ a number or (batch,). The oracle: of Gaussian data the flow keeps each point at the same
    number of standard deviations √(v + σ²).
    """
    for name, sigma in (("σ = 0.6", 0.6), ("a σ for each row", torch.tensor([0.2, 0.7, 1.6, 3.0]))):
        x, variance, mean = 2 * draw(4, 2, 3, seed=seed), 0.7, 0.4
        wide = torch.as_tensor(sigma).reshape(-1, 1, 1).expand(4, 1, 1)
        score = (mean - x) / (variance + wide**2)
        expected = (x - mean) * wide / (variance + wide**2)
        inputs = {"x": x, "score": score, "sigma": sigma}
        observed = require_shape("a velocity for each point", ask(candidate, **inputs), (4, 2, 3))
        suspects: dict[str, Slips] = {
            "sign": [-expected, -2 * expected],
            "constant": [2 * expected, expected / 2, -score, score],
            "spread": [way * expected * wide**power for power in (-2, -0.5, 1, 2) for way in (1, -1, 0.5, -2)],
            "shape": [*pooled(expected), -wide[0] * score, -wide.mean() * score],
        }
        require_close(f"dx/dσ of the probability flow, {name}", observed, expected, within(expected), suspects, inputs)


def step_keeps_densities(candidate: Step) -> None:
    """candidate(x, s, σ, l, ε): from points of variance v + σ² to points of v + l², for any small step down to l.

    Every member of the family passes: Anderson's reverse, the flow, and what lies between or beyond. The oracle
    reads two numbers off the candidate, what it makes of x and of ε, and adds up variances.
    """
    for variance, sigma, part in ((1.0, 0.8, 1e-3), (0.25, 3.0, 1e-3), (4.0, 0.3, 2e-3)):
        lower = sigma * (1 - part)
        unit, none = torch.ones(1, 1, dtype=torch.float64), torch.zeros(1, 1, dtype=torch.float64)
        score = -unit / (variance + sigma**2)
        kept = _stepped(candidate, unit, score, sigma, lower, none).sum()
        noise = _stepped(candidate, none, none, sigma, lower, unit).sum()
        fall = sigma**2 - lower**2
        observed = kept**2 * (variance + sigma**2) + noise**2 - (variance + sigma**2)
        suspects: dict[str, Slips] = {
            "sign": [torch.tensor(fall), torch.tensor(3.0 * fall)],
            "constant": [torch.tensor(n * fall) for n in (-2.0, 0.0, -3.0, -0.5)],
        }
        law = f"the variance {variance} + σ² falls by σ² − l², from {sigma} to {lower:.4g}"
        require_close(law, observed, torch.tensor(-fall).double(), 0.02 * fall, suspects, fit=0.02 * fall)


def reverses_noising(candidate: Step, *, seed: int = 0) -> None:
    """candidate(x, s, σ, l, ε) is a small step of Anderson's reverse: drift g²s, noise of variance g², ∫g² = σ² − l².

    x (batch, *event), σ and l numbers or (batch,). To first order in the step; how it is cut up is free.
    """
    part = 1e-3
    for name, sigma in (("numbers", 0.7), ("levels of each row", torch.tensor([0.3, 0.8, 2.0]))):
        x, score, noise = (2 * draw(3, 2, 2, seed=seed + k) for k in range(3))
        lower = sigma * (1 - part)
        wide = torch.as_tensor(sigma).reshape(-1, 1, 1)
        fall = (wide**2 * (1 - (1 - part) ** 2)).expand(3, 2, 2)
        drift = _stepped(candidate, x, score, sigma, lower, 0 * noise) - x
        suspects: dict[str, Slips] = {
            "sign": -fall * score,
            "constant": [fall * score / 2, 2 * fall * score, fall / wide * score],
            "spread": fall.sqrt() * score,
            "shape": pooled(fall * score),
        }
        fit = 0.05 * fall * score.abs()
        require_close(
            f"the drift g²s, {name}", drift, fall * score, 0.01 * fall * (0.1 + score.abs()), suspects, fit=fit
        )
        spread = _stepped(candidate, x, 0 * score, sigma, lower, noise) - x
        suspects = {
            "spread": [fall * noise, part * wide * noise],
            "constant": [(2 * fall).sqrt() * noise, (fall / 2).sqrt() * noise, (fall / wide).sqrt() * noise],
            "randomness": torch.zeros_like(noise),
        }
        right = fall.sqrt() * noise
        fit = 0.002 * right.abs() + 1e-6
        require_close(f"noise of variance g², {name}", spread, right, 0.01 * right.abs() + 1e-5, suspects, fit=fit)


def _stepped(candidate: Step, x: Tensor, score: Tensor, sigma: Level, lower: Level, noise: Tensor) -> Tensor:
    output = ask(candidate, x=x, score=score, sigma=sigma, lower=lower, noise=noise)
    return require_shape("points of the shape of x", output, tuple(x.shape)).to(x.dtype)


def log_prob_is_exact(candidate: LogProb, *, tolerance: float = 0.03) -> None:
    """candidate(score, x), (batch,), is ln p(x) of the data whose scores at all levels it is handed: score(x, σ).

    The data are mixtures on lines at right angles, with spreads of 0.4 to 1; x is (batch, D).
    """
    for dims in (1, 2):
        means, stds, shares = (
            torch.tensor(part, dtype=torch.float64) for part in ((-1.5, 1.0, 0.0), (0.5, 0.4, 1.0), (0.3, 0.5, 0.2))
        )

        def score(
            x: Tensor, sigma: Level, means: Tensor = means, stds: Tensor = stds, shares: Tensor = shares
        ) -> Tensor:
            variance = stds.square() + torch.as_tensor(sigma, dtype=torch.float64).reshape(-1, 1, 1).square()
            off = means - x.double()[..., None]
            shared = (shares.log() - off.square() / (2 * variance) - variance.log() / 2).softmax(-1)
            return (shared * off / variance).sum(-1)

        x = torch.cat([draw(5, dims, seed=dims).double(), torch.full((1, dims), -1.5).double()])
        expected = MixtureSameFamily(Categorical(shares), Normal(means, stds)).log_prob(x).sum(1)
        observed = require_shape("one log-density a row", ask(candidate, score=score, x=x), (len(x),)).double()
        suspects: dict[str, Slips] = {"sign": -expected, "reduction": expected / dims, "shape": pooled(expected)}
        require_close(f"ln p(x), D = {dims}", observed, expected, tolerance, suspects, given={"x": x})


def guidance_goes_beyond(candidate: Guided, *, seed: int = 0) -> None:
    """candidate(s(x|c), s(x), w) = s(x|c) + w (s(x|c) − s(x)), of their shape: weights 1 + w and −w, whose sum is 1."""
    told, untold = (draw(4, 2, 3, seed=seed + k) for k in range(2))
    for strength in (3.0, 0.5, 0.0, -1.0):
        expected = told + strength * (told - untold)
        inputs = {"conditional": told, "unconditional": untold, "strength": strength}
        observed = require_shape("a score for each point", ask(candidate, **inputs), (4, 2, 3))
        suspects: dict[str, Slips] = {
            "sign": [told - strength * (told - untold), (1 + strength) * told + strength * untold],
            "direction": untold + strength * (untold - told),
            "constant": [untold + strength * (told - untold), told + strength * told - untold, told + strength * told]
            + [told - strength * untold, untold + strength * told],
            "shape": pooled(expected),
        }
        suspects = suspects if strength >= 0 else {}  # what is right above 0 has none of these slips
        require_close(f"the guided score, w = {strength}", observed, expected, within(expected), suspects, inputs)
