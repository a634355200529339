"""The laws of a diffusion chain hold and catch each planted bug."""

import math

import torch

from gmcourse.laws.scores import noising


def wide(level, x):
    return torch.as_tensor(level, dtype=x.dtype).reshape(-1, *[1] * (x.dim() - 1))


def levels(n, first, last):
    left = torch.linspace(first, last, n, dtype=torch.float64).mul(-1).add(1).cumprod(0)
    return ((1 - left) / left).sqrt().flip(0)


def shifted(n, first, last):
    left = torch.cat([torch.ones(1), (1 - torch.linspace(first, last, n)).cumprod(0)[:-1]])
    return ((1 - left) / left).sqrt().flip(0)


def posterior(x, noised, sigma, lower):
    l2, s2 = wide(lower, x) ** 2, wide(sigma, x) ** 2
    return (l2 * noised + (s2 - l2) * x) / s2, (l2 * (s2 - l2) / s2).sqrt()


def deviation(sigma, lower, spread):
    return math.sqrt((sigma**2 - lower**2) * (spread**2 + lower**2) / (spread**2 + sigma**2))


def ddim(noised, clean, sigma, lower, noise, fresh, power=1.0):
    tau = fresh * deviation(sigma, lower, 0.0) ** power
    return clean + math.sqrt(max(lower**2 - tau**2, 0.0)) * (noised - clean) / sigma + tau * noise


def ancestral(noised, clean, sigma, lower, noise, spread):
    mean, _ = posterior(clean, noised, sigma, lower)
    return mean + (deviation(sigma, lower, spread) * noise if lower > 0 else 0)


def cost(error, dims, sigma, lower, spread):
    own, other = deviation(sigma, lower, 0.0) ** 2, deviation(sigma, lower, spread) ** 2
    r = own / other
    return (1 - lower**2 / sigma**2) ** 2 * error / (2 * other) + dims / 2 * (r - 1 - math.log(r))


def swapped(x, noised, sigma, lower):
    return posterior(noised, x, sigma, lower)


RIGHT = {
    noising.levels_follow_steps: (levels,),
    noising.posterior_conditions: (posterior,),
    noising.deviation_of_reverse_step: (deviation,),
    noising.ddim_keeps_marginals: (ddim,),
    noising.ancestral_step_reverses: (ancestral,),
    noising.cost_is_divergence: (cost,),
}
BUGS = {
    noising.levels_follow_steps: {
        "the smallest first": (lambda *a: levels(*a).flip(0), "direction"),
        "σ² for σ": (lambda *a: levels(*a) ** 2, "spread"),
        "b for σ": (lambda *a: (levels(*a) ** 2 / (1 + levels(*a) ** 2)).sqrt(), "spread"),
        "one step late": (shifted, "constant"),
        "of one step alone": (
            lambda n, a, b: (1 / (1 - torch.linspace(a, b, n)) - 1).sqrt().flip(0),
            "dependence",
        ),
        "variances added up": (lambda n, a, b: torch.linspace(a, b, n).cumsum(0).sqrt().flip(0), "reduction"),
    },
    noising.posterior_conditions: {
        "x and x_k exchanged": (swapped, "direction"),
        "l/σ for l²/σ²": (
            lambda x, y, s, t: (x + wide(t, x) / wide(s, x) * (y - x), posterior(x, y, s, t)[1]),
            "spread",
        ),
        "variance for deviation": (lambda *a: (posterior(*a)[0], posterior(*a)[1] ** 2), "spread"),
        "the step's own noise": (
            lambda x, y, s, t: (posterior(x, y, s, t)[0], (wide(s, x) ** 2 - wide(t, x) ** 2).sqrt()),
            "constant",
        ),
        "x alone": (lambda x, y, s, t: (x, posterior(x, y, s, t)[1]), "dependence"),
        "x forgotten": (lambda x, y, s, t: (posterior(0 * x, y, s, t)[0], posterior(x, y, s, t)[1]), "constant"),
        "mean over the batch": (lambda *a: (posterior(*a)[0].mean(0), posterior(*a)[1]), "shape"),
    },
    noising.deviation_of_reverse_step: {
        "variance": (lambda *a: deviation(*a) ** 2, "spread"),
        "data forgotten": (lambda s, t, d: deviation(s, t, 0.0), "dependence"),
        "data of deviation 1": (lambda s, t, d: deviation(s, t, 1.0), "dependence"),
        "the data's variance for its deviation": (lambda s, t, d: deviation(s, t, d**2), "dependence"),
        "of the noising step": (lambda s, t, d: math.sqrt(s**2 - t**2), "constant"),
    },
    noising.ddim_keeps_marginals: {
        "always deterministic": (lambda *a: ddim(*a[:5], 0.0), "dependence"),
        "always stochastic": (lambda *a: ddim(*a[:5], 1.0), "dependence"),
        "fresh noise on top": (
            lambda x, c, s, t, n, f: ddim(x, c, s, t, n, 0.0) + f * deviation(s, t, 0) * n,
            "spread",
        ),
        "variance for deviation": (lambda *a: ddim(*a, power=2.0), ""),
        "x* and new noise": (lambda x, c, s, t, n, f: c + t * n, "constant"),
        "no division by σ": (lambda x, c, s, t, n, f: ddim(s * x, s * c, s, t, n, f) + (1 - s) * c, "constant"),
        "no move": (lambda x, c, s, t, n, f: x, "constant"),
        "noise subtracted": (lambda x, c, s, t, n, f: ddim(2 * c - x, c, s, t, n, f), "sign"),
    },
    noising.ancestral_step_reverses: {
        "variance for deviation": (
            lambda x, c, s, t, n, d: posterior(c, x, s, t)[0] + (deviation(s, t, d) ** 2 * n if t > 0 else 0),
            "spread",
        ),
        "no noise": (lambda x, c, s, t, n, d: posterior(c, x, s, t)[0], "randomness"),
        "noise on the last step": (
            lambda x, c, s, t, n, d: posterior(c, x, s, t)[0] + deviation(s, t, d) * n,
            "randomness",
        ),
        "always for known x": (lambda *a: ancestral(*a[:5], 0.0), "dependence"),
        "always for data of deviation 1": (lambda *a: ancestral(*a[:5], 1.0), "dependence"),
        "weights exchanged": (lambda x, c, s, t, n, d: ancestral(c, x, s, t, n, d), "direction"),
        "the straight line's mean": (
            lambda x, c, s, t, n, d: c + t / s * (x - c) + (deviation(s, t, d) * n if t > 0 else 0),
            "spread",
        ),
    },
    noising.cost_is_divergence: {
        "the deviations taken for equal": (
            lambda e, d, s, t, p: (1 - t**2 / s**2) ** 2 * e / (2 * deviation(s, t, p) ** 2),
            "dependence",
        ),
        "the other direction": (
            lambda e, d, s, t, p: (
                (1 - t**2 / s**2) ** 2 * e / (2 * deviation(s, t, 0) ** 2)
                + d / 2 * ((r := (deviation(s, t, p) / deviation(s, t, 0)) ** 2) - 1 - math.log(r))
            ),
            "direction",
        ),
        "a mean over coordinates": (lambda e, d, s, t, p: cost(e, d, s, t, p) / d, "reduction"),
        "one coordinate's constant": (lambda e, d, s, t, p: cost(e, 1, s, t, p), "reduction"),
        "½ forgotten": (lambda e, d, s, t, p: 2 * cost(e, d, s, t, p), "reduction"),
        "error of x for error of the mean": (
            lambda e, d, s, t, p: cost(e / (1 - t**2 / s**2) ** 2, d, s, t, p),
            "spread",
        ),
        "deviation for variance": (
            lambda e, d, s, t, p: cost(e * deviation(s, t, p), d, s, t, p),
            "spread",
        ),
    },
}
