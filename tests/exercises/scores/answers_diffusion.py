"""Answers to the exercises of lesson 07.4, right and wrong."""

from fractions import Fraction

import numpy as np
import torch
from torch.distributions import Normal


def wide(level, x):
    return torch.as_tensor(level, dtype=torch.float32).reshape(-1, *[1] * (x.dim() - 1))


def both(change):
    """A sum of x and noise with the two factors of σ."""

    def answer(x, sigma, noise):
        a, b = change(wide(sigma, x))
        return a * x + b * noise

    return answer


def kept_by_rows(x, sigma, noise):
    sigmas = torch.as_tensor(sigma).expand(len(x))
    return torch.stack([(row + s * e) / (1 + s**2) ** 0.5 for row, s, e in zip(x, sigmas, noise, strict=True)])


def kept_in_numpy(x, sigma, noise):
    angle = np.arctan(np.asarray(sigma, dtype=float)).reshape(-1, *[1] * (x.dim() - 1))
    return np.cos(angle) * x.numpy() + np.sin(angle) * noise.numpy()


def levels_by_steps(n, first, last):
    left, levels = 1.0, []
    for k in range(n):
        left *= 1 - (first + (last - first) * k / (n - 1))
        levels.append(((1 - left) / left) ** 0.5)
    return levels[::-1]


def levels_by_cumprod(n, first, last):
    left = torch.cumprod(1 - torch.linspace(first, last, n), dim=0)
    return (1 / left - 1).sqrt().flip(0)


def levels_in_numpy(n, first, last):
    left = np.cumprod(1 - np.linspace(first, last, n))
    return np.sqrt(1 - left)[::-1] / np.sqrt(left)[::-1]


def levels_by_recursion(n, first, last):
    """1 + σ_k² = (1 + σ_{k−1}²)/(1 − β_k)."""
    square, levels = 0.0, []
    for beta in torch.linspace(first, last, n, dtype=torch.float64):
        square = (square + beta) / (1 - beta)
        levels.insert(0, square**0.5)
    return torch.stack(levels)


def left_over(n, first, last):
    return torch.cumprod(1 - torch.linspace(first, last, n), 0).flip(0)


def conditioned(x, noised, sigma, lower):
    share = wide(lower, x) ** 2 / wide(sigma, x) ** 2
    return (1 - share) * x + share * noised, (wide(lower, x) ** 2 * (1 - share)).sqrt()


def by_betas(x, noised, sigma, lower):
    """The paper's way: in y = a x̃, with its two weights."""
    s, low = wide(sigma, x), wide(lower, x)
    a, a_ = (1 + s**2) ** -0.5, (1 + low**2) ** -0.5
    beta = 1 - (a / a_) ** 2
    mean = (a_ * beta * x + a / a_ * (1 - a_**2) * a * noised) / (1 - a**2)
    return mean / a_, (beta * (1 - a_**2) / (1 - a**2)).sqrt() / a_


def by_gain(x, noised, sigma, lower):
    s, low = wide(sigma, x).double().expand(x.shape), wide(lower, x).double().expand(x.shape)
    gain = low**2 / s**2
    return [torch.lerp(x.double(), noised.double(), gain), (low**2 - gain * low**2).sqrt()]


def by_rows(x, noised, sigma, lower):
    means, stds = [], []
    for k in range(len(x)):
        s, low = (float(torch.as_tensor(level).expand(len(x))[k]) for level in (sigma, lower))
        means.append(x[k] + low**2 / s**2 * (noised[k] - x[k]))
        stds.append(low * (s**2 - low**2) ** 0.5 / s + 0 * x[k])
    return torch.stack(means), torch.stack(stds)


def change_posterior(mean=None, std=None):
    def answer(x, noised, sigma, lower):
        s, low = wide(sigma, x), wide(lower, x)
        first, second = conditioned(x, noised, sigma, lower)
        return (mean(x, noised, s, low) if mean else first), (std(s, low) if std else second)

    return answer


def ddim(noised, clean, sigma, lower, noise, fresh):
    tau = fresh * lower * (1 - lower**2 / sigma**2) ** 0.5
    return clean + (lower**2 - tau**2) ** 0.5 * (noised - clean) / sigma + tau * noise


def ddim_by_loop(noised, clean, sigma, lower, noise, fresh):
    tau = fresh * lower / sigma * (sigma**2 - lower**2) ** 0.5
    rows = []
    for x, c, e in zip(noised, clean, noise, strict=True):
        old = (x - c).div(sigma)
        rows.append(c + max(lower**2 - tau**2, 0) ** 0.5 * old + tau * e)
    return torch.stack(rows)


def ddim_in_numpy(noised, clean, sigma, lower, noise, fresh):
    noised, clean, noise = (part.double().numpy() for part in (noised, clean, noise))
    variance = fresh**2 * lower**2 * (1 - lower**2 / sigma**2)
    return clean + np.sqrt(lower**2 - variance) * (noised - clean) / sigma + np.sqrt(variance) * noise


def ddim_mixed(noised, clean, sigma, lower, noise, fresh):
    tau = torch.tensor(fresh * lower) * torch.tensor(1 - lower**2 / sigma**2).sqrt()
    share = (lower**2 - tau**2).sqrt() / sigma
    return torch.lerp(clean, noised, share) + tau * noise


def change_ddim(tau=lambda s, low: low * (1 - low**2 / s**2) ** 0.5, kept=lambda low, t: (low**2 - t**2) ** 0.5):
    def answer(noised, clean, sigma, lower, noise, fresh):
        size = fresh * tau(sigma, lower)
        return clean + kept(lower, size) * (noised - clean) / sigma + size * noise

    return answer


RIGHT = {
    "scores.preserving_noise": {
        "roots": both(lambda s: ((1 + s**2) ** -0.5, s * (1 + s**2) ** -0.5)),
        "an angle": both(lambda s: (s.atan().cos(), s.atan().sin())),
        "hypot": both(lambda s: (1 / torch.hypot(s, torch.ones_like(s)), s / torch.hypot(s, torch.ones_like(s)))),
        "row by row": kept_by_rows,
        "NumPy": kept_in_numpy,
        "a distribution's spread": lambda x, s, e: (
            Normal(x / (1 + wide(s, x) ** 2).sqrt(), 1.0).mean + e * (1 - 1 / (1 + wide(s, x) ** 2)).sqrt()
        ),
    },
    "scores.linear_levels": {
        "steps": levels_by_steps,
        "cumprod": levels_by_cumprod,
        "NumPy": levels_in_numpy,
        "NumPy, turned round": lambda n, a, b: (1 / np.cumprod(1 - np.linspace(a, b, n)) - 1)[::-1] ** 0.5,
        "an array turned round": lambda n, a, b: np.sqrt(1 / np.cumprod(1 - np.linspace(a, b, n)) - 1)[::-1],
        "recursion": levels_by_recursion,
        "logarithms": lambda n, a, b: torch.expm1(-torch.log1p(-torch.linspace(a, b, n)).cumsum(0)).sqrt().flip(0),
    },
    "scores.posterior": {
        "two weights": conditioned,
        "the paper's": by_betas,
        "lerp": by_gain,
        "row by row": by_rows,
    },
    "scores.ddim_step": {
        "a formula": ddim,
        "a loop": ddim_by_loop,
        "NumPy": ddim_in_numpy,
        "lerp": ddim_mixed,
    },
    "scores.variance_below": {
        "a number": 1.55,
        "a fraction": Fraction(31, 20),
        "formula": (1 / 5 + 1 / 4 * 4 / 5) ** 2 * 5 + 3 / 4,
        "a tensor": torch.tensor([1.55]),
        "measured": 1.56,
    },
}
WRONG = {
    "scores.preserving_noise": {
        "no a": (both(lambda s: (1, s)), "constant"),
        "a + b = 1": (both(lambda s: (1 / (1 + s), s / (1 + s))), "constant"),
        "a²": (both(lambda s: (1 / (1 + s**2), s * (1 + s**2) ** -0.5)), "spread"),
        "both squared": (both(lambda s: (1 / (1 + s**2), s**2 / (1 + s**2))), "spread"),
        "a x + σ ε": (both(lambda s: ((1 + s**2) ** -0.5, s)), "constant"),
        "x + b ε": (both(lambda s: (1, s * (1 + s**2) ** -0.5)), "constant"),
        "exchanged": (both(lambda s: (s * (1 + s**2) ** -0.5, (1 + s**2) ** -0.5)), "direction"),
        "minus": (both(lambda s: ((1 + s**2) ** -0.5, -s * (1 + s**2) ** -0.5)), "sign"),
        "no noise": (both(lambda s: ((1 + s**2) ** -0.5, 0)), "dependence"),
        "noise alone": (both(lambda s: (0, s * (1 + s**2) ** -0.5)), "dependence"),
        "one noise": (lambda x, s, e: kept_by_rows(x, s, e[:1].expand_as(x)), "randomness"),
        "1 − σ²": (both(lambda s: ((1 - s**2).clamp(min=0).sqrt(), s)), ""),
        "one level": (lambda x, s, e: kept_by_rows(x, torch.as_tensor(s).mean(), e), "shape"),
        "the first level": (lambda x, s, e: kept_by_rows(x, torch.as_tensor(s).flatten()[0], e), "shape"),
        "σ² ε": (both(lambda s: ((1 + s**2) ** -0.5, s**2 * (1 + s**2) ** -0.5)), "spread"),
        "1 − σ and σ": (both(lambda s: (1 - s, s)), "constant"),
        "one row": (lambda *a: kept_by_rows(*a)[:1].expand_as(a[0]), "shape"),
    },
    "scores.linear_levels": {
        "upwards": (lambda *a: levels_by_cumprod(*a).flip(0), "direction"),
        "variances": (lambda *a: levels_by_cumprod(*a) ** 2, "spread"),
        "b": (lambda *a: (1 - left_over(*a)).sqrt(), "spread"),
        "b²": (lambda *a: 1 - left_over(*a), "spread"),
        "a": (lambda *a: left_over(*a).sqrt(), "constant"),
        "a²": (lambda *a: left_over(*a), "constant"),
        "one step late": (lambda *a: torch.cat([levels_by_cumprod(*a)[1:], torch.zeros(1)]), "constant"),
        "the last step": (lambda n, a, b: torch.linspace(b, a, n).sqrt(), "dependence"),
        "sums": (lambda n, a, b: torch.linspace(a, b, n).cumsum(0).sqrt().flip(0), "reduction"),
        "a for the signal": (lambda *a: (1 / left_over(*a).sqrt() - 1).sqrt(), "spread"),
        "a over b": (lambda *a: 1 / levels_by_cumprod(*a), "spread"),
        "b² over a": (lambda *a: (1 - left_over(*a)) / left_over(*a).sqrt(), "spread"),
        "steps added": (lambda n, a, b: (1 / (1 - torch.linspace(a, b, n)) - 1).cumsum(0).sqrt().flip(0), "reduction"),
        "one more": (lambda n, a, b: levels_by_cumprod(n + 1, a, b), "shape"),
        "nothing": (lambda *a: None, "container"),
    },
    "scores.posterior": {
        "weights exchanged": (change_posterior(lambda x, y, s, low: y + low**2 / s**2 * (x - y)), "direction"),
        "deviations": (change_posterior(lambda x, y, s, low: x + low / s * (y - x)), "spread"),
        "x": (change_posterior(lambda x, y, s, low: x + 0 * y), "dependence"),
        "the noised": (change_posterior(lambda x, y, s, low: y + 0 * x), "dependence"),
        "x left out": (change_posterior(lambda x, y, s, low: low**2 / s**2 * y), "constant"),
        "as if independent": (
            change_posterior(lambda x, y, s, low: (x * s**2 + y * low**2) / (s**2 + low**2)),
            "reduction",
        ),
        "as if independent, the deviation": (
            change_posterior(std=lambda s, low: s * low / (s**2 + low**2) ** 0.5),
            "reduction",
        ),
        "a share": (change_posterior(std=lambda s, low: (1 - low**2 / s**2) ** 0.5), "constant"),
        "half way": (change_posterior(lambda x, y, s, low: (x + y) / 2), ""),
        "variance": (change_posterior(std=lambda s, low: low**2 * (1 - low**2 / s**2)), "spread"),
        "β": (change_posterior(std=lambda s, low: (s**2 - low**2) ** 0.5), "constant"),
        "lower": (change_posterior(std=lambda s, low: low + 0 * s), "constant"),
        "sigma": (change_posterior(std=lambda s, low: s + 0 * low), "constant"),
        "one root": (change_posterior(std=lambda s, low: low * (1 - low / s) ** 0.5), ""),
        "mean alone": (lambda *a: (conditioned(*a)[0],), "container"),
        "a row": (lambda *a: (conditioned(*a)[0][0], conditioned(*a)[1]), "shape"),
        "a mean of means": (lambda *a: (conditioned(*a)[0].mean(0).expand_as(a[0]), conditioned(*a)[1]), "shape"),
    },
    "scores.ddim_step": {
        "all old noise": (change_ddim(kept=lambda low, t: low), "spread"),
        "no root": (change_ddim(kept=lambda low, t: low**2 - t**2), "spread"),
        "differences": (change_ddim(kept=lambda low, t: low - t), "spread"),
        "β": (
            change_ddim(lambda s, low: (s**2 - low**2) ** 0.5, kept=lambda low, t: max(low**2 - t**2, 0) ** 0.5),
            "dependence",
        ),
        "τ = l": (change_ddim(lambda s, low: low), "dependence"),
        "fresh²": (lambda *a: ddim(*a[:5], a[5] ** 2), "dependence"),
        "a mixture of noises": (
            lambda x, c, s, low, e, fresh: c + low * ((1 - fresh) * (x - c) / s + fresh * e),
            "dependence",
        ),
        "the posterior's mean": (
            lambda x, c, s, low, e, fresh: (
                ddim(x, c, s, low, e, 1.0) - (1 - fresh) * (ddim(x, c, s, low, e, 1.0) - c - low**2 / s**2 * (x - c))
            ),
            "constant",
        ),
        "never fresh": (lambda *a: ddim(*a[:5], 0.0), "dependence"),
        "always fresh": (lambda *a: ddim(*a[:5], 1.0), "dependence"),
        "new noise alone": (lambda x, c, s, low, e, fresh: c + low * e, "constant"),
        "no step": (lambda x, c, s, low, e, fresh: x, "constant"),
        "the residual": (
            lambda x, c, s, low, e, fresh: (
                c + (ddim(x, c, s, low, 0 * e, fresh) - c) * s + ddim(0 * c, 0 * c, s, low, e, fresh)
            ),
            "constant",
        ),
        "minus old": (change_ddim(kept=lambda low, t: -((low**2 - t**2) ** 0.5)), "sign"),
        "minus new": (lambda x, c, s, low, e, fresh: ddim(x, c, s, low, -e, fresh), "sign"),
        "one row": (lambda *a: ddim(*a)[:1].expand_as(a[0]), "shape"),
        "written into": (lambda x, c, *a: x.copy_(ddim(x, c, *a)), "mutation"),
    },
    "scores.variance_below": {
        "right": (2, "dependence"),
        "the mean's": (0.8, "randomness"),
        "DDIM": (1.8, "randomness"),
        "β": (3.8, "constant"),
        "noise alone at the start": (1.39, "constant"),
        "the new noise": (0.75, "constant"),
        "τ for τ²": (1.666, "spread"),
        "a deviation": (1.245, "spread"),
        "at the end": (0.3875, "one-to-one"),
        "a guess": (3, ""),
        "a text": ("small", "container"),
    },
}
