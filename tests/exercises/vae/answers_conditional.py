"""Answers to the exercises of lesson 04.3, right and wrong."""

import math
from fractions import Fraction

import numpy as np
import torch
from torch.distributions import Independent, Normal, kl_divergence


def kl_by_loop(mean, log_std, prior_mean, prior_log_std):
    total = 0
    for j in range(mean.shape[1]):
        s, t = log_std[:, j], prior_log_std[:, j]
        squares = (mean[:, j] - prior_mean[:, j]) ** 2 + torch.exp(2 * s)
        total = total + squares / (2 * torch.exp(2 * t)) - 0.5 + t - s
    return total


def kl_by_torch(mean, log_std, prior_mean, prior_log_std):
    q, p = (Independent(Normal(m, s.exp()), 1) for m, s in ((mean, log_std), (prior_mean, prior_log_std)))
    return kl_divergence(q, p)


def kl_forgot_half(mean, log_std, prior_mean, prior_log_std):
    ratio = 2 * (log_std - prior_log_std)
    return 0.5 * (((mean - prior_mean) / prior_log_std.exp()) ** 2 + ratio.exp() - ratio).sum(1)


def kl_standard_mean(mean, log_std, prior_mean, prior_log_std):
    return kl_by_torch(mean, log_std, 0 * prior_mean, prior_log_std)


def by_masks(x, known, prior, decode, noise):
    k = known.to(x.dtype)
    c = torch.cat((k * x, k), dim=1)
    m, log_std = prior(c)
    return k * x + (1 - k) * decode(m + torch.exp(log_std) * noise, c)


def in_place_on_a_copy(x, known, prior, decode, noise):
    seen = torch.zeros_like(x)
    seen[known] = x[known]
    c = torch.cat((seen, known.float()), 1)
    m, log_std = prior(c)
    filled = decode(m + log_std.exp() * noise, c).clone()
    filled[known] = x[known]
    return filled


def changes_x(x, known, prior, decode, noise):
    x[~known] = 0
    return by_masks(x, known, prior, decode, noise)


def own_noise(x, known, prior, decode, noise):
    return by_masks(x, known, prior, decode, torch.randn_like(noise))


def no_mask_told(x, known, prior, decode, noise):
    return by_masks(x, known, prior, lambda z, c: decode(z, torch.cat((c[:, : x.shape[1]],) * 2, 1)), noise)


def best_by_loop(answers, truth):
    return torch.stack([min(((a - t) ** 2).sum() for a in answers[:, i]) for i, t in enumerate(truth)])


def best_by_numpy(answers, truth):
    a, t = answers.numpy(), truth.numpy()
    return ((a - t) ** 2).reshape(len(a), len(t), -1).sum(-1).min(0)


def best_by_cdist(answers, truth):
    rows = [torch.cdist(t.flatten()[None], answers[:, i].flatten(1)).min() ** 2 for i, t in enumerate(truth)]
    return torch.stack(rows)


def spread_by_loop(answers):
    out = []
    for i in range(answers.shape[1]):
        own = answers[:, i].flatten(1)
        out.append(((own - own.mean(0)) ** 2).sum() / len(own))
    return torch.stack(out)


RIGHT = {
    "vae.conditional_kl": {"a loop": kl_by_loop, "torch's own": kl_by_torch},
    "vae.complete": {"masks": by_masks, "on a copy": in_place_on_a_copy},
    "vae.best_of": {"a loop": best_by_loop, "NumPy": best_by_numpy, "distances": best_by_cdist},
    "vae.diversity": {
        "a loop": spread_by_loop,
        "squares": lambda a: ((a**2).mean(0) - a.mean(0) ** 2).flatten(1).sum(1),
        "NumPy": lambda a: np.var(a.numpy().reshape(len(a), a.shape[1], -1), axis=0).sum(1),
        "flattened": lambda a: a.flatten(2).var(0, unbiased=False).sum(-1),
    },
    "vae.best_of_ten": {
        "rounded": 0.0039,
        "a power": 2.0**-8,
        "a fraction": Fraction(1, 256),
        "a tensor": torch.tensor(4 / 1024),
        "by exp": 4 * math.exp(-10 * math.log(2)),
    },
}
WRONG = {
    "vae.conditional_kl": {
        "without the −1": (kl_forgot_half, "constant"),
        "the prior's mean left out": (kl_standard_mean, "dependence"),
        "a mean over rows": (lambda *parts: kl_by_torch(*parts).mean(), "shape"),
        "detached": (lambda *parts: kl_by_torch(*parts).detach(), "gradient"),
    },
    "vae.complete": {
        "x changed": (changes_x, "mutation"),
        "the mask not told": (no_mask_told, ""),
        "half a batch": (lambda *parts: by_masks(*parts)[:1], "shape"),
        "noise of its own": (own_noise, ""),
    },
    "vae.best_of": {
        "absolute": (lambda a, t: (a - t).abs().flatten(2).sum(2).amin(0), "constant"),
        "one for all": (lambda a, t: best_by_loop(a, t).min(), "shape"),
        "the place of the best": (lambda a, t: (a - t).square().flatten(2).sum(2).argmin(0), ""),
        "a root": (lambda a, t: best_by_loop(a, t).sqrt(), "spread"),
    },
    "vae.diversity": {
        "a deviation": (lambda a: a.std(0).flatten(1).sum(1), "spread"),
        "one for all": (lambda a: spread_by_loop(a).mean(), "shape"),
        "of the ink's noise": (lambda a: (a * (1 - a)).mean(0).flatten(1).sum(1), "randomness"),
        "a picture": (lambda a: a.var(0, correction=0), "shape"),
    },
    "vae.best_of_ten": {
        "one over ten": (4 / 10, "log-mean"),
        "the probability": (2**-10, "spread"),
        "eleven": (4 * 2**-11, "one-to-one"),
        "a word": ("small", "container"),
        "zero": (0, ""),
    },
}
