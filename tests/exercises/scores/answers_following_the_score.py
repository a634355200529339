"""Answers to the exercises of lesson 07.3, right and wrong."""

import math
from fractions import Fraction

import numpy as np
import torch
from torch.distributions import Independent, Normal


def ratio_by_library(x, moved, log_p, score, step):
    def q(end, start, s):
        return Normal(start + step * s, math.sqrt(2 * step)).log_prob(end).flatten(1).sum(1)

    return log_p[1] + q(x, moved, score[1]) - log_p[0] - q(moved, x, score[0])


def ratio_by_independent(x, moved, log_p, score, step):
    there = Independent(Normal(x + step * score[0], (2 * step) ** 0.5), x.dim() - 1).log_prob(moved)
    back = Independent(Normal(moved + step * score[1], (2 * step) ** 0.5), x.dim() - 1).log_prob(x)
    return (log_p[1] - there) - (log_p[0] - back)


def ratio_expanded(x, moved, log_p, score, step):
    """The squares multiplied out: −½(x' − x)·(s + s') + ¼η(‖s‖² − ‖s'‖²)."""
    (p, p_), (s, s_) = log_p, score
    return p_ - p - ((moved - x) * (s + s_)).sum(-1) / 2 + step / 4 * ((s**2).sum(-1) - (s_**2).sum(-1))


def ratio_by_rows(x, moved, log_p, score, step):
    rows = []
    for i in range(len(x)):
        there, back = moved[i] - x[i] - step * score[0][i], x[i] - moved[i] - step * score[1][i]
        rows.append(log_p[1][i] - log_p[0][i] + (there @ there - back @ back) / (4 * step))
    return torch.stack(rows)


def ratio_of(change):
    """A ratio of rise, ‖there‖² and ‖back‖²."""

    def answer(x, moved, log_p, score, step):
        there, back = moved - x - step * score[0], x - moved - step * score[1]
        return change(log_p[1] - log_p[0], (there**2).sum(1), (back**2).sum(1), step)

    return answer


def walk(score, x, sigmas, steps, relative, rng, size=2.0, eta=lambda s, r: r * s**2, drawn=torch.Tensor.clone, sign=1):
    for sigma in sigmas:
        for _ in range(steps):
            h = eta(sigma, relative)
            noise = drawn(torch.randn(x.shape, generator=rng, dtype=x.dtype))
            x = x + sign * h * score(x, sigma) + (size * h) ** 0.5 * noise
    return x


def walk_of_numbers(score, x, sigmas, steps, relative, rng):
    for sigma in sigmas.tolist():
        for _ in range(steps):
            drift = sigma**2 * relative * score(x, sigma)
            x = x + drift + sigma * math.sqrt(2 * relative) * torch.randn(x.shape, generator=rng, dtype=x.dtype)
    return x


def walk_in_one_loop(score, x, sigmas, steps, relative, rng):
    for sigma in sigmas.repeat_interleave(steps):
        h = relative * sigma.square()
        noise = torch.empty_like(x).normal_(generator=rng)
        x = torch.add(x, score(x, sigma) * h).addcmul(noise, (2 * h).sqrt())
    return x


def walk_by_units(score, x, sigmas, steps, relative, rng):
    """In units of σ."""
    for sigma in sigmas:
        z = x / sigma
        for _ in range(steps):
            noise = torch.randn(x.shape, generator=rng, dtype=x.dtype)
            z = z + relative * sigma * score(z * sigma, sigma) + (2 * relative) ** 0.5 * noise
        x = z * sigma
    return x


def next_level(score, x, sigmas, steps, relative, rng):
    for k, sigma in enumerate(sigmas):
        lower = sigmas[min(k + 1, len(sigmas) - 1)]
        x = walk(lambda at, _, lower=lower: score(at, lower), x, sigma[None], steps, relative, rng)
    return x


def noisy_end(score, x, sigmas, steps, relative, rng):
    x = walk(score, x, sigmas, steps, relative, rng)
    return x + sigmas[-1] * torch.randn(x.shape, generator=rng, dtype=x.dtype)


def denoised_end(score, x, sigmas, *rest):
    x = walk(score, x, sigmas, *rest)
    return x + sigmas[-1] ** 2 * score(x, sigmas[-1])


def levels_inside(score, x, sigmas, steps, *rest):
    return walk(score, x, sigmas.repeat(steps), 1, *rest)


def same_noise(score, x, sigmas, steps, relative, rng):
    noise = torch.randn(x.shape, generator=rng, dtype=x.dtype)
    return walk(score, x, sigmas, steps, relative, rng, drawn=lambda _: noise)


RIGHT = {
    "scores.langevin_step": {
        "addcmul": lambda x, s, h, e: (x + h * s).addcmul(e, torch.tensor((2 * h) ** 0.5)),
        "one factor": lambda x, s, h, e: x + h * (s + math.sqrt(2 / h) * e),
        "NumPy": lambda x, s, h, e: x.numpy() + h * s.numpy() + np.sqrt(2 * h) * e.numpy(),
        "a draw around a mean": lambda x, s, h, e: torch.add(x, s, alpha=h) + e * h**0.5 * 2**0.5,
        "row by row": lambda x, s, h, e: torch.stack(
            [a + h * b + (2 * h) ** 0.5 * c for a, b, c in zip(x, s, e, strict=True)]
        ),
        "float64": lambda x, s, h, e: x.double() + h * s.double() + (2 * h) ** 0.5 * e.double(),
    },
    "scores.mala_log_ratio": {
        "torch's own": ratio_by_library,
        "independent": ratio_by_independent,
        "multiplied out": ratio_expanded,
        "row by row": ratio_by_rows,
        "squares": ratio_of(lambda rise, there, back, step: rise + (there - back) / (4 * step)),
    },
    "scores.noise_levels": {
        "powers": lambda a, b, n: a * (b / a) ** (torch.arange(n) / (n - 1)),
        "logspace": lambda a, b, n: torch.logspace(math.log10(a), math.log10(b), n),
        "exponentials": lambda a, b, n: torch.linspace(math.log(a), math.log(b), n).exp(),
        "NumPy": np.geomspace,
        "NumPy, turned round": lambda a, b, n: np.geomspace(b, a, n)[::-1],
        "a list": lambda a, b, n: [a ** (1 - k / (n - 1)) * b ** (k / (n - 1)) for k in range(n)],
        "a loop": lambda a, b, n: [a] + [a * math.pow(b / a, k / (n - 1)) for k in range(1, n)],
    },
    "scores.annealed_langevin": {
        "two loops": walk,
        "numbers": walk_of_numbers,
        "one loop": walk_in_one_loop,
        "units of σ": walk_by_units,
    },
    "scores.share_of_walkers": {
        "a third": Fraction(1, 3),
        "measured": 0.34,
        "a tensor": torch.tensor([0.3384]),
        "NumPy": np.float32(0.334),
        "formula": (8 + math.log(4) / 14) / 24,
    },
}
WRONG = {
    "scores.langevin_step": {
        "√η": (lambda x, s, h, e: x + h * s + h**0.5 * e, "spread"),
        "2η": (lambda x, s, h, e: x + h * s + 2 * h * e, "spread"),
        "η": (lambda x, s, h, e: x + h * s + h * e, "spread"),
        "unit noise": (lambda x, s, h, e: x + h * s + e, "spread"),
        "√2 η": (lambda x, s, h, e: x + h * s + 2**0.5 * h * e, "spread"),
        "half of both": (lambda x, s, h, e: x + h / 2 * s + h**0.5 * e, "constant"),
        "half the drift": (lambda x, s, h, e: x + h / 2 * s + (2 * h) ** 0.5 * e, "constant"),
        "2η drift": (lambda x, s, h, e: x + 2 * h * s + (2 * h) ** 0.5 * e, "constant"),
        "downhill": (lambda x, s, h, e: x - h * s + (2 * h) ** 0.5 * e, "sign"),
        "no noise": (lambda x, s, h, e: x + h * s, "constant"),
        "no score": (lambda x, s, h, e: x + (2 * h) ** 0.5 * e, "constant"),
        "the move": (lambda x, s, h, e: h * s + (2 * h) ** 0.5 * e, "constant"),
        "own noise": (lambda x, s, h, e: x + h * s + (2 * h) ** 0.5 * torch.randn(x.shape), "randomness"),
        "one noise": (lambda x, s, h, e: x + h * s + (2 * h) ** 0.5 * e[0], "randomness"),
        "η of the sum": (lambda x, s, h, e: x + h * (s + (2 * h) ** 0.5 * e), "spread"),
        "the mean noise": (lambda x, s, h, e: x + h * s + (2 * h) ** 0.5 * e.mean(0), "randomness"),
        "in place": (lambda x, s, h, e: x.add_(h * s).add_((2 * h) ** 0.5 * e), "mutation"),
    },
    "scores.mala_log_ratio": {
        "forward alone": (ratio_of(lambda rise, there, back, step: rise + there / (4 * step)), "constant"),
        "Metropolis": (ratio_of(lambda rise, there, back, step: rise), "constant"),
        "no p": (ratio_of(lambda rise, there, back, step: (there - back) / (4 * step)), "constant"),
        "2η": (ratio_of(lambda rise, there, back, step: rise + (there - back) / (2 * step)), "spread"),
        "8η": (ratio_of(lambda rise, there, back, step: rise + (there - back) / (8 * step)), "spread"),
        "η²": (ratio_of(lambda rise, there, back, step: rise + (there - back) / (2 * step**2)), "spread"),
        "scores exchanged": (lambda x, m, p, s, h: ratio_by_library(x, m, p, s[::-1], h), "direction"),
        "one score": (lambda x, m, p, s, h: ratio_by_library(x, m, p, (s[0], s[0]), h), "direction"),
        "4η²": (ratio_of(lambda rise, there, back, step: rise + (there - back) / (4 * step**2)), "spread"),
        "η alone": (ratio_of(lambda rise, there, back, step: rise + (there - back) / step), "spread"),
        "no axis": (ratio_of(lambda rise, there, back, step: rise + (there - back).sum() / (4 * step)), "shape"),
        "exchanged": (ratio_of(lambda rise, there, back, step: rise - (there - back) / (4 * step)), "direction"),
        "negated": (ratio_of(lambda rise, there, back, step: -rise - (there - back) / (4 * step)), "sign"),
        "p the other way": (ratio_of(lambda rise, there, back, step: -rise + (there - back) / (4 * step)), "sign"),
        "the ratio": (lambda *a: ratio_by_library(*a).exp(), "constant"),
        "at most 1": (lambda *a: ratio_by_library(*a).clamp(max=0), "constant"),
        "all walkers": (lambda *a: ratio_by_library(*a).sum(), "shape"),
        "a mean for all": (lambda *a: ratio_by_library(*a).mean().expand(len(a[0])), "shape"),
        "a column": (lambda *a: ratio_by_library(*a)[:, None], "shape"),
    },
    "scores.noise_levels": {
        "equal steps": (torch.linspace, "log-mean"),
        "equal variances": (lambda a, b, n: torch.linspace(a**2, b**2, n).sqrt(), "log-mean"),
        "equal precisions": (lambda a, b, n: 1 / torch.linspace(1 / a, 1 / b, n), "log-mean"),
        "ρ = 7": (lambda a, b, n: torch.linspace(a ** (1 / 7), b ** (1 / 7), n) ** 7, "log-mean"),
        "upwards": (lambda a, b, n: np.geomspace(b, a, n), "direction"),
        "equal, upwards": (lambda a, b, n: torch.linspace(b, a, n), "direction"),
        "n ratios": (lambda a, b, n: a * (b / a) ** (torch.arange(n) / n), "one-to-one"),
        "n ratios, from the second": (lambda a, b, n: a * (b / a) ** (torch.arange(1, n + 1) / n), "one-to-one"),
        "bases mixed": (lambda a, b, n: torch.logspace(math.log(a), math.log(b), n), "spread"),
        "logarithms": (lambda a, b, n: torch.linspace(math.log(a), math.log(b), n), "constant"),
        "n + 1 ratios": (lambda a, b, n: a * (b / a) ** (torch.arange(n) / (n + 1)), "one-to-one"),
        "the ratio each time": (lambda a, b, n: a * (b / a) ** torch.arange(n), "one-to-one"),
        "one too many": (lambda a, b, n: np.geomspace(a, b, n + 1), "shape"),
        "a text": (lambda a, b, n: "levels", "container"),
    },
    "scores.annealed_langevin": {
        "√η": (lambda *a: walk(*a, size=1.0), "spread"),
        "2√η": (lambda *a: walk(*a, size=4.0), "spread"),
        "one step for all": (lambda *a: walk(*a, eta=lambda s, r: r), "dependence"),
        "σ for σ²": (lambda *a: walk(*a, eta=lambda s, r: r * s), ""),
        "a drift of r": (lambda s, *a: walk(lambda at, o: s(at, o) / o**2, *a), "dependence"),
        "noise of σ": (lambda *a: walk(*a, drawn=lambda noise: noise / 0.3**0.5), "spread"),
        "levels inside": (levels_inside, "direction"),
        "the same noise": (same_noise, "randomness"),
        "one noise": (lambda *a: walk(*a, drawn=lambda noise: noise[:1]), "randomness"),
        "no noise": (lambda *a: walk(*a, drawn=torch.zeros_like), "constant"),
        "no generator": (lambda *a: walk(*a, drawn=torch.randn_like), "randomness"),
        "upwards": (lambda s, x, sigmas, *a: walk(s, x, sigmas.flip(0), *a), "direction"),
        "the next level": (next_level, ""),
        "one step a level": (lambda s, x, sigmas, steps, *a: walk(s, x, sigmas, 1, *a), "constant"),
        "downhill": (lambda *a: walk(*a, sign=-1), "sign"),
        "from noise": (lambda s, x, *a: walk(s, 0.3 + 0 * x, *a), "constant"),
        "noise at the end": (noisy_end, ""),
        "denoised": (denoised_end, "constant"),
        "one walker": (lambda *a: walk(*a)[:1], "shape"),
    },
    "scores.share_of_walkers": {
        "the truth": (0.8, "dependence"),
        "a half": (0.5, "constant"),
        "all": (1, "constant"),
        "none": (0, "constant"),
        "left": (0.667, "direction"),
        "the other weight": (0.2, "direction"),
        "a guess": (0.45, ""),
        "a text": ("few", "container"),
    },
}
