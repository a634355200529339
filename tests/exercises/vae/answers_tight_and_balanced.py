"""Answers to the exercises of lesson 04.2, right and wrong."""

import math

import numpy as np
import torch

from gmcourse.vae.balanced import free_bits, linear_code
from gmcourse.vae.importance import iwae_loss
from gmcourse.vae.rebalanced import bin_shares, rare_row_weights


def loss_by_loop(log_weights):
    total = 0.0
    for j in range(log_weights.shape[1]):
        column = log_weights[:, j]
        top = column.max().detach()
        total = total + top + torch.log(torch.exp(column - top).mean())
    return -total / log_weights.shape[1]


def loss_with_the_gradient_of_shares(log_weights):
    value = -(torch.logsumexp(log_weights, 0) - math.log(len(log_weights))).mean().detach()
    surrogate = -(log_weights.softmax(0).detach() * log_weights).sum(0).mean()
    return value + surrogate - surrogate.detach()


def factors_by_loop(log_weights):
    columns = []
    for column in log_weights.detach().T:
        weights = torch.exp(column - column.max())
        columns.append((weights / weights.sum()) ** 2)
    return torch.stack(columns, 1)


def factors_by_numpy(log_weights):
    w = log_weights.detach().numpy().astype("float64")
    w = np.exp(w - w.max(0))
    return (w / w.sum(0)) ** 2


def code_by_loop(eigenvalues, beta, noise_variance):
    theta, rates, lost = beta * noise_variance, [], []
    for value in eigenvalues.tolist():
        rates.append(0.5 * math.log(value / theta) if value > theta else 0.0)
        lost.append(min(value, theta))
    return rates, lost


def code_by_where(eigenvalues, beta, noise_variance):
    theta = beta * noise_variance
    on = eigenvalues > theta
    rate = torch.where(on, torch.log(torch.sqrt(eigenvalues / theta)), torch.zeros_like(eigenvalues))
    return [rate, torch.where(on, torch.full_like(eigenvalues, theta), eigenvalues)]


def bits_by_loop(kl, floor):
    total = torch.zeros(())
    for j in range(kl.shape[1]):
        mean = kl[:, j].mean()
        total = total + (mean if mean > floor else floor)
    return total


def rows_by_numpy(codes, bins, smoothing):
    z = codes.numpy().astype("float64")
    weights = np.ones(len(z))
    for column in z.T:
        counts, edges = np.histogram(column, bins)
        place = np.clip(np.digitize(column, edges[1:-1]), 0, bins - 1)
        weights /= counts[place] / len(z) + smoothing
    return weights / weights.sum()


def rows_in_logarithms(codes, bins, smoothing):
    return (-(bin_shares(codes, bins) + smoothing).log().sum(1)).softmax(0)


def rows_by_density(codes, bins, smoothing):
    width = (codes.amax(0) - codes.amin(0)) / bins
    weights = (1 / (bin_shares(codes, bins) / width + smoothing)).prod(1)
    return weights / weights.sum()


def rows_by_counts(codes, bins, smoothing):
    weights = (1 / (len(codes) * bin_shares(codes, bins) + smoothing)).prod(1)
    return weights / weights.sum()


RIGHT = {
    "vae.iwae_loss": {
        "by a loop": loss_by_loop,
        "value and gradient apart": loss_with_the_gradient_of_shares,
        "log of a softmax's sum": lambda w: -(w.logsumexp(dim=0) - math.log(w.shape[0])).sum() / w.shape[1],
    },
    "vae.encoder_factors": {
        "by a loop": factors_by_loop,
        "in NumPy": factors_by_numpy,
        "in logarithms": lambda w: (2 * w.detach().log_softmax(0)).exp(),
    },
    "vae.draws_enough": {"rounded up": 183, "rounded down": 182, "as it comes": 0.3641 / 0.002},
    "vae.linear_code": {"by a loop": code_by_loop, "with where": code_by_where},
    "vae.free_bits": {
        "by a loop": bits_by_loop,
        "maximum": lambda kl, floor: torch.maximum(kl.mean(0), torch.full_like(kl.mean(0), floor)).sum(),
        "relu": lambda kl, floor: (torch.relu(kl.mean(dim=0) - floor) + floor).sum(),
    },
    "vae.rare_row_weights": {"in logarithms": rows_in_logarithms, "NumPy's histogram": rows_by_numpy},
    "vae.latents_kept": {"3": 3, "3.0": 3.0, "a tensor": torch.tensor(3)},
}
WRONG = {
    "vae.iwae_loss": {
        "the ELBO": (lambda w: -w.mean(0).mean(), "log-mean"),
        "a sum of K": (lambda w: -w.logsumexp(0).mean(), "constant"),
        "K draws over the batch": (lambda w: -w.logsumexp(1).mean(), "direction"),
        "softmax attached": (lambda w: -(w.softmax(0) * w).sum(0).mean(), "gradient"),
        "the bound": (lambda w: -iwae_loss(w), "sign"),
        "for each x": (lambda w: -(w.logsumexp(0) - math.log(len(w))), "shape"),
        "sum over the batch": (lambda w: iwae_loss(w) * w.shape[1], "reduction"),
    },
    "vae.encoder_factors": {
        "shares": (lambda w: w.detach().softmax(0), "one-to-one"),
        "over the batch": (lambda w: w.detach().softmax(1) ** 2, "direction"),
        "attached": (lambda w: torch.softmax(w, 0) ** 2, "gradient"),
        "summed": (lambda w: (w.detach().softmax(0) ** 2).sum(0), "shape"),
    },
    "vae.draws_enough": {"no half": (364.1, "constant"), "a root": (13.5, "spread"), "another": (50, "")},
    "vae.linear_code": {
        "bits": (
            lambda e, b, v: (linear_code(e, b, v)[0] / math.log(2), linear_code(e, b, v)[1]),
            "constant",
        ),
        "σ²/β": (lambda e, b, v: linear_code(e, 1.0, v / b), "direction"),
        "totals": (lambda e, b, v: tuple(part.sum() for part in linear_code(e, b, v)), "shape"),
        "the rate alone": (lambda e, b, v: linear_code(e, b, v)[0], "container"),
    },
    "vae.free_bits": {
        "row by row": (lambda kl, floor: kl.clamp(min=floor).sum(1).mean(), "log-mean"),
        "one floor": (lambda kl, floor: torch.clamp(kl.mean(0).sum(), min=floor), "reduction"),
        "no sum": (lambda kl, floor: kl.mean(0).clamp(min=floor), "shape"),
        "from a number": (lambda kl, floor: torch.tensor(free_bits(kl, floor).item()), "gradient"),
    },
    "vae.rare_row_weights": {
        "densities": (rows_by_density, "spread"),
        "counts": (rows_by_counts, "dependence"),
        "frequent rows": (lambda z, b, a: 2 / len(z) - rare_row_weights(z, b, a), ""),
        "a column": (lambda z, b, a: rare_row_weights(z, b, a)[:, None], "shape"),
    },
    "vae.latents_kept": {"at σ² = 0.1": (12, "dependence"), "all": (64, "constant"), "another": (5, "")},
}
