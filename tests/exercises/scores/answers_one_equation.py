"""Answers to the exercises of lesson 07.5, right and wrong."""

import math

import numpy as np
import torch
from torch.distributions import Normal


def wide(level, x):
    return torch.as_tensor(level, dtype=x.dtype).reshape(-1, *[1] * (x.dim() - 1))


def flow_by_rows(x, score, sigma):
    return torch.stack([-s * row for s, row in zip(torch.as_tensor(sigma).expand(len(x)), score, strict=True)])


def change_step(drift=lambda s, low: s**2 - low**2, noise=lambda s, low: (s**2 - low**2) ** 0.5):
    def answer(x, score, sigma, lower, epsilon):
        s, low = wide(sigma, x), wide(lower, x)
        return x + drift(s, low) * score + noise(s, low) * epsilon

    return answer


def step_by_rows(x, score, sigma, lower, noise):
    rows = []
    for k in range(len(x)):
        s, low = (float(torch.as_tensor(level).expand(len(x))[k]) for level in (sigma, lower))
        rows.append(x[k] + (s**2 - low**2) * score[k] + math.sqrt(s**2 - low**2) * noise[k])
    return torch.stack(rows)


def step_with_langevin(x, score, sigma, lower, noise):
    """A step of the flow, and one of Langevin dynamics."""
    s, low = wide(sigma, x), wide(lower, x)
    eta = (s**2 - low**2) / 2
    return x + s * (s - low) * score + eta * score + (2 * eta).sqrt() * noise


def divergence(field, z):
    z = z.detach().requires_grad_()
    v = field(z)
    return v.detach(), sum(torch.autograd.grad(v[:, i].sum(), z, retain_graph=True)[0][:, i] for i in range(z.shape[1]))


def by_heun(score, x, n=150, base=50.0, sign=1.0, speed=1.0, at_x=False, end=None, parts=None):
    z, volume, h = x, torch.zeros(len(x), dtype=x.dtype), math.log(5000) / n

    def rate(z, u):
        return divergence(lambda z: -speed * math.exp(2 * u) * score(z, math.exp(u)), z)

    for k in range(n):
        u = math.log(0.01) + k * h
        v, t = rate(z, u)
        w, s = rate(z + h * v, u + h)
        z, volume = z + h / 2 * (v + w), volume + h / 2 * (t + s)
    prior = Normal(0.0, base).log_prob(x if at_x else z)
    return prior.sum(1) + sign * volume if parts is None else parts(prior, volume)


def by_midpoint(score, x):
    """The midpoint rule in ln σ, the divergence by differences."""
    z, volume, n = x.clone(), 0.0, 200
    h, eye = math.log(5000) / n, 1e-4 * torch.eye(x.shape[1], dtype=x.dtype)

    def field(z, u):
        return -math.exp(2 * u) * score(z, math.exp(u))

    for k in range(n):
        u = math.log(0.01) + (k + 0.5) * h
        middle = z + h / 2 * field(z, u - h / 2)
        volume = volume + h * sum((field(middle + e, u) - field(middle - e, u))[:, i] / 2e-4 for i, e in enumerate(eye))
        z = z + h * field(middle, u)
    return torch.distributions.Independent(Normal(torch.zeros_like(z), 50.0), 1).log_prob(z) + volume


def by_power_steps(score, x):
    """Heun's rule in σ itself, with levels that are finer near 0."""
    levels = (torch.linspace(0.01 ** (1 / 7), 50 ** (1 / 7), 200).double() ** 7).tolist()
    z, volume = x, 0.0
    for a, b in zip(levels, levels[1:], strict=False):
        v, t = divergence(lambda z, a=a: -a * score(z, a), z)
        w, s = divergence(lambda z, b=b: -b * score(z, b), z + (b - a) * v)
        z, volume = z + (b - a) / 2 * (v + w), volume + (b - a) / 2 * (t + s)
    return -((z / 50) ** 2).sum(1) / 2 - z.shape[1] * math.log(50 * math.sqrt(2 * math.pi)) + volume


def in_numpy(score, x):
    return by_heun(score, x).numpy()


def by_runge_kutta(score, x):
    z, volume, n = x, 0.0, 60
    h = math.log(5000) / n

    def rate(z, u):
        return divergence(lambda z: -math.exp(2 * u) * score(z, math.exp(u)), z)

    for k in range(n):
        u = math.log(0.01) + k * h
        a, ta = rate(z, u)
        b, tb = rate(z + h / 2 * a, u + h / 2)
        c, tc = rate(z + h / 2 * b, u + h / 2)
        d, td = rate(z + h * c, u + h)
        z, volume = z + h / 6 * (a + 2 * b + 2 * c + d), volume + h / 6 * (ta + 2 * tb + 2 * tc + td)
    return Normal(0.0, 50.0).log_prob(z).sum(1) + volume


def equal_steps(score, x, n=300):
    """Euler's rule in equal steps of σ."""
    z, volume, h = x, 0.0, (50 - 0.01) / n
    for k in range(n):
        sigma = 0.01 + k * h
        v, t = divergence(lambda z, sigma=sigma: -sigma * score(z, sigma), z)
        z, volume = z + h * v, volume + h * t
    return Normal(0.0, 50.0).log_prob(z).sum(1) + volume


RIGHT = {
    "scores.probability_flow": {
        "a product": lambda x, s, sigma: -wide(sigma, x) * s,
        "row by row": flow_by_rows,
        "by the denoiser": lambda x, s, sigma: (x - (x + wide(sigma, x) ** 2 * s)) / wide(sigma, x),
        "einsum": lambda x, s, sigma: torch.einsum("b,b...->b...", -torch.as_tensor(sigma).expand(len(x)), s),
        "NumPy": lambda x, s, sigma: -wide(sigma, x).numpy() * s.numpy(),
    },
    "scores.reverse_sde_step": {
        "σ² − l²": change_step(),
        "row by row": step_by_rows,
        "flow and Langevin": step_with_langevin,
        "g² at σ": change_step(lambda s, low: 2 * s * (s - low), lambda s, low: (2 * s * (s - low)) ** 0.5),
        "mixed": change_step(lambda s, low: 2 * s * (s - low)),
        "the posterior's noise": change_step(noise=lambda s, low: low / s * (s**2 - low**2) ** 0.5),
    },
    "scores.flow_log_prob": {
        "Heun": by_heun,
        "midpoint": by_midpoint,
        "finer near 0": by_power_steps,
        "Runge–Kutta": by_runge_kutta,
        "NumPy": in_numpy,
    },
    "scores.guided_score": {
        "beyond": lambda c, u, w: c + w * (c - u),
        "lerp": lambda c, u, w: torch.lerp(u, c, 1 + w),
        "the scale": lambda c, u, w: u + (1 + w) * (c - u),
        "weights": lambda c, u, w: (1 + w) * c + (-w) * u,
        "NumPy": lambda c, u, w: (1 + w) * c.numpy() - w * u.numpy(),
    },
    "scores.strength_of_the_flow": {
        "logarithms": math.log(7 / 4) / math.log(4),
        "base 2": math.log2(7 / 4) / 2,
        "by trial": 0.4,
        "a tensor": torch.tensor([0.4037]),
        "NumPy": np.float32(0.404),
    },
}
WRONG = {
    "scores.probability_flow": {
        "uphill": (lambda x, s, sigma: wide(sigma, x) * s, "sign"),
        "g²": (lambda x, s, sigma: -2 * wide(sigma, x) * s, "constant"),
        "half": (lambda x, s, sigma: -wide(sigma, x) / 2 * s, "constant"),
        "no σ": (lambda x, s, sigma: -s, "constant"),
        "the score": (lambda x, s, sigma: s, "constant"),
        "by ln σ": (lambda x, s, sigma: -(wide(sigma, x) ** 2) * s, "spread"),
        "g² by ln σ": (lambda x, s, sigma: 2 * wide(sigma, x) ** 2 * s, "spread"),
        "with x": (lambda x, s, sigma: x - wide(sigma, x) * s, ""),
        "one row": (lambda x, s, sigma: flow_by_rows(x, s, sigma)[:1].expand_as(x), "shape"),
        "a number": (lambda x, s, sigma: flow_by_rows(x, s, sigma).mean(), "shape"),
        "written into": (lambda x, s, sigma: s.mul_(-wide(sigma, x)), "mutation"),
    },
    "scores.reverse_sde_step": {
        "half the drift": (change_step(lambda s, low: (s**2 - low**2) / 2), "constant"),
        "twice": (change_step(lambda s, low: 2 * (s**2 - low**2)), "constant"),
        "downhill": (change_step(lambda s, low: low**2 - s**2), "sign"),
        "σ − l": (change_step(lambda s, low: 2 * (s - low)), "constant"),
        "no noise": (change_step(noise=lambda s, low: 0 * s), "randomness"),
        "a variance": (change_step(noise=lambda s, low: s**2 - low**2), "spread"),
        "√2 more": (change_step(noise=lambda s, low: (2 * (s**2 - low**2)) ** 0.5), "constant"),
        "√2 less": (change_step(noise=lambda s, low: ((s**2 - low**2) / 2) ** 0.5), "constant"),
        "a root in the drift": (change_step(lambda s, low: (s**2 - low**2) ** 0.5), "spread"),
        "upwards": (change_step(noise=lambda s, low: (low**2 - s**2) ** 0.5), "not-finite"),
        "differences of levels": (change_step(noise=lambda s, low: s - low), "spread"),
        "no drift": (change_step(lambda s, low: 0 * s), ""),
        "one row": (lambda *a: step_by_rows(*a)[:1], "shape"),
    },
    "scores.flow_log_prob": {
        "minus": (lambda *a: by_heun(*a, sign=-1.0), "sign"),
        "no integral": (lambda *a: by_heun(*a, sign=0.0), "constant"),
        "N(0, 1)": (lambda *a: by_heun(*a, base=1.0), "constant"),
        "√50": (lambda *a: by_heun(*a, base=50**0.5), "constant"),
        "at x": (lambda *a: by_heun(*a, at_x=True), "direction"),
        "g²": (lambda *a: by_heun(*a, speed=2.0), "spread"),
        "twice the integral": (lambda *a: by_heun(*a, sign=2.0), "spread"),
        "a mean": (lambda *a: by_heun(*a, parts=lambda prior, volume: (prior.sum(1) + volume).mean()), "shape"),
        "coordinates": (lambda *a: by_heun(*a, parts=lambda prior, volume: prior + volume[:, None]), "shape"),
        "per coordinate": (
            lambda *a: by_heun(*a, parts=lambda prior, volume: (prior.sum(1) + volume) / prior.shape[1]),
            "reduction",
        ),
        "ten steps": (lambda *a: by_heun(*a, n=10), ""),
        "equal steps of σ": (equal_steps, ""),
    },
    "scores.guided_score": {
        "a mean": (lambda c, u, w: u + w * (c - u), "constant"),
        "back": (lambda c, u, w: c - w * (c - u), "sign"),
        "plus": (lambda c, u, w: (1 + w) * c + w * u, "sign"),
        "exchanged": (lambda c, u, w: u + w * (u - c), "direction"),
        "one taken off": (lambda c, u, w: (1 + w) * c - u, "constant"),
        "no unconditional": (lambda c, u, w: (1 + w) * c, "constant"),
        "the push": (lambda c, u, w: w * (c - u), ""),
        "one row": (lambda c, u, w: (c + w * (c - u))[:1].expand_as(c), "shape"),
        "a mean over points": (lambda c, u, w: (c + w * (c - u)).mean(0), "shape"),
    },
    "scores.strength_of_the_flow": {
        "the same": (1, "dependence"),
        "none": (0, "dependence"),
        "4^−w = √(4/7)": (0.2018, "spread"),
        "2^−w = 4/7": (0.807, "spread"),
        "the variance": (0.571, "spread"),
        "below 0": (-0.404, "sign"),
        "precisions added": (0.585, "sign"),
        "no second logarithm": (0.5596, "log-mean"),
        "a guess": (0.7, ""),
        "a text": ("strong", "container"),
    },
}
