"""The laws of the one equation hold and catch each planted bug."""

import math

import torch

from gmcourse.laws.scores import equation


def wide(level, x):
    return torch.as_tensor(level, dtype=x.dtype).reshape(-1, *[1] * (x.dim() - 1))


def preserving(sigma):
    return (1 + sigma**2) ** -0.5, -sigma / (1 + sigma**2), 2 * sigma / (1 + sigma**2)


def straight(sigma):
    return 1 / (1 + sigma), -1 / (1 + sigma), 2 * sigma / (1 + sigma) ** 2


def bare(sigma):
    return torch.ones_like(sigma), torch.zeros_like(sigma), 2 * sigma


def flow(x, score, sigma):
    return -wide(sigma, x) * score


def step(x, score, sigma, lower, noise, churn=1.0, power=0.5, more=1.0):
    fall = wide(sigma, x) ** 2 - wide(lower, x) ** 2
    return x + (1 + churn) / 2 * fall * more * score + (churn * fall) ** power * noise


def by_level(x, score, sigma, lower, noise):
    """The same step, by the difference of the levels and not of their squares."""
    sigma, lower = wide(sigma, x), wide(lower, x)
    return x + 2 * sigma * (sigma - lower) * score + (2 * sigma * (sigma - lower)).sqrt() * noise


def log_prob(score, x, sign=1.0, scale=1.0, here=False, half=1.0, steps=100, top=60.0):
    """Heun's rule in ln σ, the divergence by differences."""
    levels = torch.linspace(math.log(1e-2), math.log(top), steps + 1, dtype=torch.float64).exp()
    z, volume, dims = x.double(), torch.zeros(len(x), dtype=torch.float64), x.shape[1]

    def rate(z, sigma):
        def field(z):
            return -half * sigma**2 * score(z, sigma)

        shifts = 1e-4 * torch.eye(dims, dtype=torch.float64)
        trace = sum((field(z + e) - field(z - e))[:, i] / 2e-4 for i, e in enumerate(shifts))
        return field(z), trace

    for a, b in zip(levels, levels[1:]):
        h = (b / a).log()
        v, t = rate(z, a)
        w, u = rate(z + h * v, b)
        z, volume = z + h / 2 * (v + w), volume + h / 2 * (t + u)
    end = x.double() if here else z
    return torch.distributions.Normal(0.0, scale * top).log_prob(end).sum(1) + sign * volume


def guide(told, untold, w):
    return (1 + w) * told - w * untold


RIGHT = {
    equation.rates_carry_gaussians: (preserving, straight, bare),
    equation.flow_carries_density: (flow,),
    equation.step_keeps_densities: (
        step,
        by_level,
        lambda *a: step(*a, churn=0.0),
        lambda *a: step(*a, churn=0.5),
        lambda *a: step(*a, churn=3.0),
    ),
    equation.reverses_noising: (step, by_level),
    equation.log_prob_is_exact: (log_prob,),
    equation.guidance_goes_beyond: (guide, lambda a, b, w: a + w * (a - b)),
}
BUGS = {
    equation.rates_carry_gaussians: {
        "the drift of the other sign": (lambda s: (preserving(s)[0], -preserving(s)[1], preserving(s)[2]), "sign"),
        "the slope of a for that of ln a": (
            lambda s: (preserving(s)[0], preserving(s)[0] * preserving(s)[1], preserving(s)[2]),
            "constant",
        ),
        "g for g²": (lambda s: (*preserving(s)[:2], preserving(s)[2].sqrt()), "spread"),
        "a not squared": (lambda s: (*preserving(s)[:2], 2 * s * preserving(s)[0]), "spread"),
        "the noise of a = 1": (lambda s: (*preserving(s)[:2], 2 * s), "constant"),
        "σ for 2σ": (lambda s: (*preserving(s)[:2], preserving(s)[2] / 2), "constant"),
        "a is 2 without noise": (lambda s: (2 * preserving(s)[0], *preserving(s)[1:]), ""),
    },
    equation.flow_carries_density: {
        "sign": (lambda x, s, sigma: wide(sigma, x) * s, "sign"),
        "g² for ½g²": (lambda x, s, sigma: -2 * wide(sigma, x) * s, "constant"),
        "dσ² for dσ": (lambda x, s, sigma: -s / 2, ""),
        "the score": (lambda x, s, sigma: s, "constant"),
        "per ln σ": (lambda x, s, sigma: -(wide(sigma, x) ** 2) * s, "spread"),
        "the first row for all": (lambda x, s, sigma: flow(x, s, sigma)[:1].expand_as(x), "shape"),
    },
    equation.step_keeps_densities: {
        "½g²s and all the noise": (lambda *a: step(*a, more=0.5), "constant"),
        "g²s without noise": (lambda x, s, sigma, low, e: step(x, s, sigma, low, 0 * e), "constant"),
        "no root": (lambda *a: step(*a, power=1.0), "constant"),
        "the score of the other sign": (lambda x, s, sigma, low, e: step(x, -s, sigma, low, e), "sign"),
        "the noise alone": (lambda x, s, sigma, low, e: step(x, 0 * s, sigma, low, e), "sign"),
        "stays where it is": (lambda x, s, sigma, low, e: x + 0 * e, "constant"),
    },
    equation.reverses_noising: {
        "½g²s": (lambda *a: step(*a, more=0.5), "constant"),
        "the flow": (lambda *a: step(*a, churn=0.0), "constant"),
        "no noise": (lambda x, s, sigma, low, e: step(x, s, sigma, low, 0 * e), "randomness"),
        "no root": (lambda *a: step(*a, power=1.0), "spread"),
        "the noise alone": (lambda x, s, sigma, low, e: step(x, 0 * s, sigma, low, e), ""),
        "a tenth of the drift": (lambda x, s, sigma, low, e: step(x, 0.1 * s, sigma, low, e), ""),
        "a tenth of the noise": (lambda x, s, sigma, low, e: step(x, s, sigma, low, 0.1 * e), ""),
        "√2 too much noise": (lambda x, s, sigma, low, e: step(x, s, sigma, low, math.sqrt(2) * e), "constant"),
        "sign": (lambda x, s, sigma, low, e: step(x, -s, sigma, low, e), "sign"),
        "down from l": (lambda x, s, sigma, low, e: step(x, s, low, sigma, e), "not-finite"),
    },
    equation.log_prob_is_exact: {
        "the divergence of the other sign": (lambda s, x: log_prob(s, x, sign=-1.0), ""),
        "no divergence": (lambda s, x: log_prob(s, x, sign=0.0), ""),
        "ln p_T at x": (lambda s, x: log_prob(s, x, here=True), ""),
        "N(0, 1) at the end": (lambda s, x: log_prob(s, x, scale=1 / 60), ""),
        "g² for ½g²": (lambda s, x: log_prob(s, x, half=2.0), ""),
        "mean over dimensions": (lambda s, x: log_prob(s, x) / x.shape[1], "reduction"),
        "a cost": (lambda s, x: -log_prob(s, x), "sign"),
    },
    equation.guidance_goes_beyond: {
        "w for 1 + w": (lambda a, b, w: w * a + (1 - w) * b, "constant"),
        "the two exchanged": (lambda a, b, w: guide(b, a, w), "direction"),
        "weights that add up to 1 + 2w": (lambda a, b, w: (1 + w) * a + w * b, "sign"),
        "away from the class": (lambda a, b, w: a - w * (a - b), "sign"),
        "all of the unconditional taken off": (lambda a, b, w: (1 + w) * a - b, "constant"),
        "unconditional forgotten": (lambda a, b, w: (1 + w) * a, "constant"),
    },
}
