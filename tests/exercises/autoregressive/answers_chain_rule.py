"""Answers to the exercises of lesson 02.1, right and wrong."""

import math
from decimal import Decimal

import numpy as np
import torch
from torch.distributions import Bernoulli
from torch.nn import functional as F


def fvsbn_by_loops(x, weight, bias):
    total = torch.zeros(len(x))
    for d in range(x.shape[1]):
        logit = bias[d].repeat(len(x))
        for j in range(d):
            logit = logit + weight[d, j] * x[:, j]
        total += torch.where(x[:, d] == 1, F.logsigmoid(logit), F.logsigmoid(-logit))
    return total


def fvsbn_in_numpy(x, weight, bias):
    x, w, b = (part.numpy().astype(np.float64) for part in (x, weight, bias))
    logits = x @ np.tril(w, -1).T + b
    return (x * logits - np.logaddexp(0, logits)).sum(1)


def fvsbn_by_cross_entropy(x, weight, bias):
    mask = torch.ones_like(weight).tril(diagonal=-1)
    logits = torch.einsum("nj,dj->nd", x, weight * mask) + bias
    return -F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=-1)


def fvsbn_by_distribution(x, weight, bias):
    logits = F.linear(x.double(), weight.double().tril(-1), bias.double())
    return Bernoulli(logits=logits).log_prob(x.double()).sum(-1)


def fvsbn_by_two_logits(x, weight, bias):
    """A softmax over 0 and 1."""
    logits = bias + torch.stack([x[:, :d] @ weight[d, :d] for d in range(len(bias))], dim=1)
    both = torch.stack([torch.zeros_like(logits), logits]).log_softmax(0)
    return both.gather(0, x.long()[None])[0].sum(1)


def ensemble_by_top(log_probs):
    top = log_probs.max(dim=0)[0]
    return top + torch.log(torch.exp(log_probs - top).mean(dim=0))


def ensemble_in_numpy(log_probs):
    return np.logaddexp.reduce(log_probs.numpy(), axis=0) - np.log(len(log_probs))


def ensemble_by_columns(log_probs):
    return [torch.logsumexp(column - math.log(len(column)), 0) for column in log_probs.T]


def masks_by_loops(order, degrees):
    ends = [int(place) + 1 for place in order]
    layers = [ends] + [layer.tolist() for layer in degrees] + [ends]
    masks = []
    for n in range(len(layers) - 1):
        mask = torch.zeros(len(layers[n + 1]), len(layers[n]))
        for k, receiver in enumerate(layers[n + 1]):
            for j, sender in enumerate(layers[n]):
                if receiver > sender or (receiver == sender and n < len(layers) - 2):
                    mask[k, j] = 1
        masks.append(mask)
    return masks


def masks_in_numpy(order, degrees):
    layers = [order.numpy() + 1, *(layer.numpy() for layer in degrees)]
    masks = [np.greater_equal.outer(after, before) for before, after in zip(layers, layers[1:], strict=False)]
    return (*masks, np.greater.outer(layers[0], layers[-1]).astype(float))


def masks_from_zero(order, degrees):
    """Degrees moved down to places."""
    layers = [order] + [layer - 1 for layer in degrees] + [order - 1]
    return [(after.unsqueeze(1) >= before.unsqueeze(0)).float() for before, after in zip(layers, layers[1:])]


def nade_by_autograd(x, weight, output, bias, hidden_bias):
    parameters = [part.detach().clone().requires_grad_() for part in (weight, output, bias, hidden_bias)]
    W, V, b, c = parameters
    a, loss = c.repeat(len(x), 1), 0.0
    for d in range(x.shape[1]):
        logit = a.sigmoid() @ V[d] + b[d]
        loss = loss + F.binary_cross_entropy_with_logits(logit, x[:, d], reduction="sum")
        a = a + x[:, d, None] * W[d]
    loss.backward()
    return [part.grad for part in parameters]


def nade_in_numpy(x, weight, output, bias, hidden_bias):
    x, W, V, b, c = (part.numpy().astype(np.float64) for part in (x, weight, output, bias, hidden_bias))
    sums = [np.zeros_like(part) for part in (W, V, b, c)]
    for row in x:
        a = c + np.vstack([np.zeros_like(c), np.cumsum(row[:, None] * W, 0)[:-1]])
        h = 1 / (1 + np.exp(-a))
        error = 0.5 * (1 + np.tanh(((h * V).sum(1) + b) / 2)) - row
        G = np.zeros_like(c)
        for d in range(len(b) - 1, -1, -1):
            sums[0][d] += row[d] * G
            sums[1][d] += error[d] * h[d]
            sums[2][d] += error[d]
            G = G + error[d] * V[d] * h[d] * (1 - h[d])
        sums[3] += G
    return tuple(sums)


def nade_by_cumsum(x, weight, output, bias, hidden_bias, keep=False, square=False):
    steps = x.unsqueeze(2) * weight
    h = torch.sigmoid(hidden_bias + steps.cumsum(1) - steps)
    error = torch.sigmoid((h * output).sum(2) + bias) - x
    slope = error.unsqueeze(2) * output * (h**2 if square else h - h**2)
    later = slope.flip(1).cumsum(1).flip(1)
    G = later if keep else later - slope
    return (x.unsqueeze(2) * G).sum(0), (error.unsqueeze(2) * h).sum(0), error.sum(0), later[:, 0].sum(0)


def masks_that_take(order, degrees):
    """The hidden degrees are taken off their list."""
    layers = [order + 1]
    while degrees:
        layers.append(degrees.pop(0))
    layers.append(order + 1)
    return [
        after[:, None] >= before if n < len(layers) - 2 else after[:, None] > before
        for n, (before, after) in enumerate(zip(layers, layers[1:]))
    ]


def masks_from_zero_in_place(order, degrees):
    for layer in degrees:
        layer -= 1
    return [mask > 0 for mask in masks_from_zero(order, [layer + 1 for layer in degrees])]


def nade_of_another_error(x, weight, output, bias, hidden_bias, error):
    """Autograd of the loss whose slope in a logit is `error`."""
    parameters = [part.detach().clone().requires_grad_() for part in (weight, output, bias, hidden_bias)]
    W, V, b, c = parameters
    steps = x.unsqueeze(2) * W
    logits = (torch.sigmoid(c + steps.cumsum(1) - steps) * V).sum(2) + b
    return torch.autograd.grad(logits, parameters, error(logits.detach(), x))


RIGHT = {
    "autoregressive.fvsbn_log_prob": {
        "loops": fvsbn_by_loops,
        "NumPy": fvsbn_in_numpy,
        "einsum and cross-entropy": fvsbn_by_cross_entropy,
        "a distribution, float64": fvsbn_by_distribution,
        "two logits": fvsbn_by_two_logits,
    },
    "autoregressive.ensemble_log_prob": {
        "the largest out": ensemble_by_top,
        "NumPy": ensemble_in_numpy,
        "a list of columns": ensemble_by_columns,
        "logsumexp": lambda log_probs: torch.logsumexp(log_probs, dim=0) - np.log(log_probs.shape[0]),
        "float64": lambda log_probs: log_probs.double().logsumexp(0) - math.log(log_probs.size(0)),
    },
    "autoregressive.made_masks": {
        "loops": masks_by_loops,
        "NumPy": masks_in_numpy,
        "from zero": masks_from_zero,
        "lists": lambda order, degrees: [mask.tolist() for mask in masks_by_loops(order, degrees)],
    },
    "autoregressive.nade_backward": {
        "autograd": nade_by_autograd,
        "NumPy": nade_in_numpy,
        "cumulative sums": nade_by_cumsum,
        "float64": lambda *inputs: nade_by_cumsum(*(part.double() for part in inputs)),
    },
    "autoregressive.parity": {
        "one decimal": (2.1, 1.4, 1.4),
        "decimals": tuple(k * Decimal(2).ln() for k in (3, 2, 2)),
        "a tuple": (2.0794, 1.3863, 1.3863),
        "a list": [3 * math.log(2), 2 * math.log(2), 2 * math.log(2)],
        "a tensor": torch.tensor([2.08, 1.386, 1.39]),
        "NumPy": np.log([8, 4, 4]),
        "measured": (2.0801, 1.3912, 1.3899),
    },
}
WRONG = {
    "autoregressive.fvsbn_log_prob": {
        "the bias outside": (lambda x, w, b: F.logsigmoid((2 * x - 1) * (x @ w.tril(-1).T) + b).sum(1), "constant"),
        "bits of ±1": (
            lambda x, w, b: F.logsigmoid((2 * x - 1) * ((2 * x - 1) @ w.tril(-1).T + b)).sum(1),
            "constant",
        ),
        "a product": (lambda x, w, b: F.logsigmoid((2 * x - 1) * (x @ w.tril(-1).T + b)).prod(1), "sign"),
        "a 0 counts ln 2": (lambda x, w, b: F.logsigmoid(x * (x @ w.tril(-1).T + b)).sum(1), "one-to-one"),
        "no triangle": (lambda x, w, b: fvsbn_by_cross_entropy(x, w, b) * 0 + _full(x, w, b), "dependence"),
        "a triangle with its diagonal": (lambda x, w, b: _full(x, w.tril(), b), "dependence"),
        "the upper triangle": (lambda x, w, b: _full(x, w.triu(1), b), "direction"),
        "cross-entropy of probabilities": (
            lambda x, w, b: -F.binary_cross_entropy((x @ w.tril(-1).T + b).sigmoid(), x, reduction="none").sum(1),
            "overflow",
        ),
        "the loss": (lambda x, w, b: -fvsbn_by_cross_entropy(x, w, b), "sign"),
        "a mean over all": (
            lambda x, w, b: -F.binary_cross_entropy_with_logits(x @ w.tril(-1).T + b, x),
            "shape",
        ),
        "a mean over bits": (lambda x, w, b: fvsbn_in_numpy(x, w, b) / x.shape[1], "reduction"),
    },
    "autoregressive.ensemble_log_prob": {
        "the largest of all": (
            lambda log_probs: (log_probs - log_probs.max()).exp().mean(0).log() + log_probs.max(),
            "not-finite",
        ),
        "weighed by itself": (lambda log_probs: (log_probs.softmax(0) * log_probs).sum(0), "log-mean"),
        "log₂ K": (lambda log_probs: log_probs.logsumexp(0) - math.log2(len(log_probs)), "constant"),
        "a mean": (lambda log_probs: torch.mean(log_probs, dim=0), "log-mean"),
        "no ln K": (lambda log_probs: torch.logsumexp(log_probs, dim=0), "constant"),
        "straight": (lambda log_probs: torch.log(torch.exp(log_probs).mean(0)), "not-finite"),
        "a best one": (lambda log_probs: log_probs.max(dim=0).values, "one-to-one"),
        "max with its places": (lambda log_probs: log_probs.max(dim=0), "shape"),
    },
    "autoregressive.made_masks": {
        "degrees taken": (masks_that_take, "mutation"),
        "degrees from 0, in place": (masks_from_zero_in_place, "mutation"),
        "> and ≥ exchanged": (
            lambda order, degrees: [
                after[:, None] > before if n < len(degrees) else after[:, None] >= before
                for n, (before, after) in enumerate(zip([order + 1, *degrees], [*degrees, order + 1], strict=True))
            ],
            "reduction",
        ),
        "≥ everywhere": (
            lambda order, degrees: [
                after[:, None] >= before
                for before, after in zip([order + 1, *degrees], [*degrees, order + 1], strict=True)
            ],
            "dependence",
        ),
        "argsort": (lambda order, degrees: masks_by_loops(order.argsort(), degrees), "direction"),
        "from 0": (lambda order, degrees: masks_by_loops(order - 1, degrees), "constant"),
        "inputs first": (lambda order, degrees: [mask.T for mask in masks_by_loops(order, degrees)], "shape"),
        "one mask": (lambda order, degrees: masks_by_loops(order, degrees)[0], "container"),
    },
    "autoregressive.nade_backward": {
        "squares": (lambda *inputs: nade_of_another_error(*inputs, lambda a, x: (a.sigmoid() - x) ** 2), "log-mean"),
        "the slope of a square": (
            lambda *inputs: nade_of_another_error(
                *inputs, lambda a, x: (a.sigmoid() - x) * a.sigmoid() * (1 - a.sigmoid())
            ),
            "log-mean",
        ),
        "no σ": (lambda *inputs: nade_of_another_error(*inputs, lambda a, x: a - x), "log-mean"),
        "the pixel's own logit": (lambda *inputs: nade_by_cumsum(*inputs, keep=True), "dependence"),
        "h squared": (lambda *inputs: nade_by_cumsum(*inputs, square=True), "constant"),
        "of ln p": (lambda *inputs: [-part for part in nade_by_autograd(*inputs)], "sign"),
        "a mean": (lambda x, *inputs: [part / len(x) for part in nade_by_cumsum(x, *inputs)], "reduction"),
        "W alone": (lambda *inputs: nade_by_cumsum(*inputs)[0], "container"),
        "in place": (lambda x, w, v, b, c: nade_by_cumsum(x, w, v, b, c.add_(1)), "mutation"),
    },
    "autoregressive.parity": {
        "below the entropy": ([3 * math.log(2), 2 * math.log(2), math.log(2)], "reduction"),
        "as without x4": ([3 * math.log(2)] * 3, "dependence"),
        "the entropy": ([2 * math.log(2)] * 3, "constant"),
        "bits": ((3, 2, 2), "log-mean"),
        "one number": (2.0794, "shape"),
        "above the entropy": ((math.log(2), 0, 0), "reduction"),
        "neither": ((0.1, 0.2, 0.3), "reduction"),
        "a text": ("3 ln 2", "container"),
    },
}


def _full(x, weight, bias):
    return -F.binary_cross_entropy_with_logits(x @ weight.T + bias, x, reduction="none").sum(1)
