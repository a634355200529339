"""Answers to the exercises of lesson 07.1, right and wrong."""

import math
from fractions import Fraction
from itertools import product

import numpy as np
import torch
from torch.nn import functional as F


def energies_of_all(x, weight, bias, hidden_bias):
    """E(x, h) of every row of x and every h, by a product."""
    h = torch.tensor(list(product([0.0, 1.0], repeat=len(hidden_bias))))
    return -(x @ bias)[:, None] - (h @ hidden_bias) - x @ weight @ h.T


def free_by_strings(x, weight, bias, hidden_bias):
    return -torch.logsumexp(-energies_of_all(x, weight, bias, hidden_bias), dim=1)


def free_by_loop(x, weight, bias, hidden_bias):
    out = []
    for row in x:
        value = -(row * bias).sum()
        for j in range(len(hidden_bias)):
            value = value - torch.logaddexp(torch.zeros(()), hidden_bias[j] + (row * weight[:, j]).sum())
        out.append(value)
    return torch.stack(out)


def free_in_numpy(x, weight, bias, hidden_bias):
    x, weight, bias, hidden_bias = (part.double().numpy() for part in (x, weight, bias, hidden_bias))
    return -x @ bias - np.logaddexp(0, hidden_bias + x @ weight).sum(1)


def free_by_sigmoids(x, weight, bias, hidden_bias):
    return -(x @ bias) + F.logsigmoid(-(hidden_bias + x @ weight)).sum(-1)


def free_by_linear(x, weight, bias, hidden_bias):
    return -F.linear(x, bias[None])[:, 0] - F.softplus(F.linear(x, weight.T, hidden_bias)).sum(dim=1)


def square(weight):
    return weight.shape[0] == weight.shape[1]


def biases_exchanged(x, w, b, c):
    return free_by_strings(x, w, c, b) if square(w) else free_by_strings(x, w, b, c)


def turned(x, w, b, c):
    return free_by_strings(x, w.T if square(w) else w, b, c)


def bits(n):
    return torch.tensor(list(product([0.0, 1.0], repeat=n)))


def partition_by_pixels(weight, bias, hidden_bias):
    return (-free_by_linear(bits(len(bias)), weight, bias, hidden_bias)).logsumexp(0)


def partition_by_units(weight, bias, hidden_bias):
    return partition_by_pixels(weight.T, hidden_bias, bias)


def partition_of_both(weight, bias, hidden_bias):
    return torch.logsumexp(-energies_of_all(bits(len(bias)), weight, bias, hidden_bias).flatten(), 0)


def shorter_first(weight, bias, hidden_bias):
    """The machine, turned where it has more pixels than hidden units."""
    return (weight, bias, hidden_bias) if len(bias) <= len(hidden_bias) else (weight.T, hidden_bias, bias)


def partition_by_recursion(*terms):
    """Each pixel is off, or on."""
    weight, bias, hidden_bias = (part.double() for part in shorter_first(*terms))

    def rest(d, inputs):
        if d == len(bias):
            return F.softplus(inputs).sum()
        return torch.logaddexp(rest(d + 1, inputs), bias[d] + rest(d + 1, inputs + weight[d]))

    return rest(0, hidden_bias)


def partition_in_numpy(*terms):
    weight, bias, hidden_bias = (part.double().numpy() for part in shorter_first(*terms))
    strings = np.array(list(product([0, 1], repeat=len(bias))))
    return np.logaddexp.reduce(strings @ bias + np.logaddexp(0, strings @ weight + hidden_bias).sum(1))


def partition_from_zero(*terms):
    """A sum of logarithms that starts at ln 1, and not at ln 0."""
    weight, bias, hidden_bias = shorter_first(*terms)
    log_z = 0.0
    for x in bits(len(bias)):
        log_z = np.logaddexp(log_z, -float(free_by_linear(x[None], weight, bias, hidden_bias)))
    return log_z


def partition_by_loop(weight, bias, hidden_bias):
    log_z = -math.inf
    for x in bits(len(bias)):
        log_z = np.logaddexp(log_z, -float(free_by_linear(x[None], weight, bias, hidden_bias)))
    return log_z


def partition_shifted(weight, bias, hidden_bias):
    minus = -free_by_sigmoids(bits(len(bias)), weight, bias, hidden_bias)
    return minus.max() + (minus - minus.max()).exp().sum().log()


def phase(x, weight, hidden_bias):
    h = torch.sigmoid(hidden_bias + x @ weight)
    return torch.einsum("nd,nh->dh", x, h) / len(x), x.mean(0), h.mean(0)


def update(x, fantasies, weight, bias, hidden_bias, keep=1.0, rate=1.0):
    pairs = zip(phase(x, weight, hidden_bias), phase(fantasies, weight, hidden_bias), strict=True)
    return [rate * (a - keep * b) for a, b in pairs]


def update_by_autograd(x, fantasies, weight, bias, hidden_bias):
    terms = [part.clone().requires_grad_() for part in (weight, bias, hidden_bias)]
    gap = free_by_linear(fantasies, *terms).mean() - free_by_linear(x, *terms).mean()
    return torch.autograd.grad(gap, terms)


def update_in_numpy(x, fantasies, weight, bias, hidden_bias):
    return tuple(part.numpy() for part in update(x, fantasies, weight, bias, hidden_bias))


def update_by_rows(x, fantasies, weight, bias, hidden_bias):
    def mean(rows):
        parts = [phase(row[None], weight, hidden_bias) for row in rows]
        return [sum(part[k] for part in parts) / len(rows) for k in range(3)]

    return tuple(torch.sub(a, b) for a, b in zip(mean(x), mean(fantasies), strict=True))


def sampled_update(x, fantasies, weight, bias, hidden_bias):
    h, g = (torch.bernoulli((hidden_bias + rows @ weight).sigmoid()) for rows in (x, fantasies))
    parts = (x.T @ h / len(x), x.mean(0), h.mean(0)), (fantasies.T @ g / len(g), fantasies.mean(0), g.mean(0))
    return [a - b for a, b in zip(*parts, strict=True)]


def product_of_means(x, fantasies, weight, bias, hidden_bias):
    h, g = ((hidden_bias + rows @ weight).sigmoid().mean(0) for rows in (x, fantasies))
    x, fantasies = x.mean(0), fantasies.mean(0)
    return torch.outer(x, h) - torch.outer(fantasies, g), x - fantasies, h - g


def sums_of_both(x, f, w, b, c):
    return [len(x) * a - len(f) * e for a, e in zip(phase(x, w, c), phase(f, w, c), strict=True)]


def walk(x, betas, energy, move):
    log_w = torch.zeros(len(x))
    for i in range(1, len(betas)):
        log_w = log_w - energy(x, betas[i].item()) + energy(x, betas[i - 1].item())
        x = move(x, betas[i].item())
    return log_w


def walk_by_list(x, betas, energy, move):
    states, betas = [x], betas.tolist()
    for beta in betas[1:]:
        states.append(move(states[-1], beta))
    gains = [energy(at, a) - energy(at, b) for at, a, b in zip(states, betas, betas[1:], strict=False)]
    return torch.stack(gains).sum(0)


def walk_recursive(x, betas, energy, move):
    if len(betas) < 2:
        return torch.zeros(len(x))
    first = energy(x, float(betas[0])) - energy(x, float(betas[1]))
    return first + walk_recursive(move(x, float(betas[1])), betas[1:], energy, move)


def moved_first(x, betas, energy, move):
    log_w = 0
    for i in range(1, len(betas)):
        x = move(x, betas[i].item())
        log_w = log_w + energy(x, betas[i - 1].item()) - energy(x, betas[i].item())
    return log_w


def never_moved(x, betas, energy, move):
    return walk(x, betas, energy, lambda at, beta: at)


def moved_at_the_old(x, betas, energy, move):
    log_w = 0
    for a, b in zip(betas[:-1].tolist(), betas[1:].tolist(), strict=True):
        x = move(x, a)
        log_w = log_w + energy(x, a) - energy(x, b)
    return log_w


def moved_between(x, betas, energy, move):
    log_w = 0
    for a, b in zip(betas[:-1].tolist(), betas[1:].tolist(), strict=True):
        after = move(x, b)
        log_w, x = log_w + energy(x, a) - energy(after, b), after
    return log_w


def moved_late(x, betas, energy, move):
    """The weight before the move, which keeps the law before."""
    log_w = 0
    for a, b in zip(betas[:-1].tolist(), betas[1:].tolist(), strict=True):
        log_w = log_w + energy(x, a) - energy(x, b)
        x = move(x, a)
    return log_w


RIGHT = {
    "scores.free_energy": {
        "all strings": free_by_strings,
        "a loop": free_by_loop,
        "NumPy": free_in_numpy,
        "logsigmoid": free_by_sigmoids,
        "linear layers": free_by_linear,
        "float64": lambda x, *terms: free_by_sigmoids(x.double(), *(part.double() for part in terms)),
    },
    "scores.log_partition": {
        "the shorter side": lambda *terms: partition_by_pixels(*shorter_first(*terms)),
        "by hand": lambda w, b, c: partition_by_units(w, b, c) if len(c) < len(b) else partition_by_pixels(w, b, c),
        "recursion": partition_by_recursion,
        "NumPy": partition_in_numpy,
        "a loop": lambda *terms: partition_by_loop(*shorter_first(*terms)),
        "shifted": lambda *terms: partition_shifted(*shorter_first(*terms)),
        "shape (1,)": lambda *terms: partition_by_pixels(*shorter_first(*terms))[None],
        "a number": lambda *terms: partition_by_pixels(*shorter_first(*terms)).item(),
    },
    "scores.contrastive_update": {
        "einsum": update,
        "autograd": update_by_autograd,
        "NumPy": update_in_numpy,
        "row by row": update_by_rows,
        "float64": lambda *inputs: update(*(part.double() for part in inputs)),
    },
    "scores.annealed_log_weights": {
        "a loop": walk,
        "all states first": walk_by_list,
        "recursion": walk_recursive,
        "NumPy": lambda *inputs: walk(*inputs).numpy(),
    },
    "scores.log_mean_weight": {
        "shifted": lambda log_w: log_w.max() + (log_w - log_w.max()).exp().mean().log(),
        "a mean of n": lambda log_w: torch.logsumexp(log_w - math.log(len(log_w)), dim=0),
        "NumPy": lambda log_w: np.logaddexp.reduce(log_w.numpy()) - np.log(len(log_w)),
        "a loop": lambda log_w: torch.stack([*log_w]).logcumsumexp(0)[-1:] - math.log(len(log_w)),
        "a plain number": lambda log_w: float(log_w.logsumexp(0)) - math.log(log_w.numel()),
    },
    "scores.contrast_length": {
        "a number": 1,
        "measured": 0.9999,
        "a fraction": Fraction(1),
        "a tensor": torch.tensor([1.0]),
        "NumPy": np.float32(1.0),
    },
}
WRONG = {
    "scores.free_energy": {
        "plus": (lambda x, w, b, c: -(x @ b) + F.softplus(c + x @ w).sum(1), "sign"),
        "negated": (lambda *a: -free_by_loop(*a), "sign"),
        "a mean over units": (lambda x, w, b, c: -(x @ b) - F.softplus(c + x @ w).mean(1), "reduction"),
        "b forgotten": (lambda x, w, b, c: -F.softplus(c + x @ w).sum(1), "constant"),
        "c forgotten": (lambda x, w, b, c: -(x @ b) - F.softplus(x @ w).sum(1), "constant"),
        "h at its likeliest": (lambda x, w, b, c: -(x @ b) - (c + x @ w).relu().sum(1), "one-to-one"),
        "all units on": (lambda x, w, b, c: -(x @ b) - (c + x @ w).sum(1), "one-to-one"),
        "h at its mean": (lambda x, w, b, c: -(x @ b) - ((c + x @ w).sigmoid() * (c + x @ w)).sum(1), "one-to-one"),
        "no logarithm": (lambda x, w, b, c: -(x @ b) - (c + x @ w).exp().sum(1), "constant"),
        "softplus of the sum": (lambda x, w, b, c: -(x @ b) - F.softplus((c + x @ w).sum(1)), "log-mean"),
        "ln(1 + exp)": (lambda x, w, b, c: -(x @ b) - torch.log(1 + torch.exp(c + x @ w)).sum(1), "not-finite"),
        "clamped": (lambda x, w, b, c: -(x @ b) - (c + x @ w).clamp(max=80).exp().log1p().sum(1), "overflow"),
        "biases exchanged": (biases_exchanged, "direction"),
        "W turned": (turned, "direction"),
        "no axis": (lambda x, w, b, c: -(x @ b) - F.softplus(c + x @ w).sum(), "shape"),
        "b·x of all rows": (lambda x, w, b, c: -(x * b).sum() - F.softplus(c + x @ w).sum(1), "shape"),
        "c twice": (lambda x, w, b, c: -(x @ b) - c.sum() - F.softplus(c + x @ w).sum(1), "constant"),
        "c outside": (lambda x, w, b, c: -(x @ b) - c.sum() - F.softplus(x @ w).sum(1), "constant"),
        "logsigmoid": (lambda x, w, b, c: -(x @ b) - F.logsigmoid(c + x @ w).sum(1), "sign"),
        "logsumexp over units": (lambda x, w, b, c: -(x @ b) - (c + x @ w).logsumexp(1), "log-mean"),
        "over the batch": (lambda *a: free_by_strings(*a).sum(), "shape"),
        "the batch's mean": (lambda *a: free_by_strings(*a).mean().expand(len(a[0])), "shape"),
        "a column": (lambda *a: free_by_strings(*a)[:, None], "shape"),
    },
    "scores.log_partition": {
        "always over pixels": (partition_by_pixels, "reduction"),
        "always over units": (partition_by_units, "reduction"),
        "over both": (partition_of_both, "reduction"),
        "no empty string": (lambda *a: (-free_by_linear(bits(len(a[1]))[1:], *a)).logsumexp(0), "one-to-one"),
        "from ln 1": (partition_from_zero, ""),
        "h twice": (lambda w, b, c: partition_by_pixels(w, b, c) + len(c) * math.log(2), "constant"),
        "a mean": (lambda w, b, c: partition_by_pixels(w, b, c) - len(b) * math.log(2), "log-mean"),
        "negated": (lambda *terms: -partition_by_units(*terms), "sign"),
        "of plus F": (lambda w, b, c: free_by_linear(bits(len(b)), w, b, c).logsumexp(0), "sign"),
        "Z itself": (lambda *terms: partition_of_both(*terms).exp(), "not-finite"),
        "logarithm last": (
            lambda w, b, c: (-energies_of_all(bits(len(b)), w, b, c)).exp().sum().log(),
            "not-finite",
        ),
        "the largest term": (lambda w, b, c: (-energies_of_all(bits(len(b)), w, b, c)).max(), "one-to-one"),
        "the sum of logarithms": (lambda w, b, c: -free_by_linear(bits(len(b)), w, b, c).sum(), "one-to-one"),
        "mean of logarithms": (lambda w, b, c: -free_by_linear(bits(len(b)), w, b, c).mean(), "log-mean"),
        "a vector": (lambda w, b, c: -free_by_linear(bits(len(b)), w, b, c), "shape"),
        "a text": (lambda w, b, c: "much", "container"),
    },
    "scores.contrastive_update": {
        "downhill": (lambda *a: update(*a, rate=-1), "sign"),
        "added": (lambda *a: update(*a, keep=-1), "sign"),
        "the data alone": (lambda *a: update(*a, keep=0), "dependence"),
        "at the data twice": (lambda x, f, *a: update(x, x, *a), "dependence"),
        "fantasies alone": (lambda x, f, w, b, c: phase(f, w, c), "dependence"),
        "sums": (sums_of_both, "reduction"),
        "over n twice": (lambda *a: update(*a, rate=1 / len(a[0])), "reduction"),
        "drawn": (sampled_update, "randomness"),
        "means multiplied": (product_of_means, "log-mean"),
        "over both counts": (lambda x, f, *a: [p / (len(x) + len(f)) for p in sums_of_both(x, f, *a)], "reduction"),
        "W alone": (lambda *a: update(*a)[:1], "container"),
        "W turned": (lambda *a: [part.T if part.dim() > 1 else part for part in update(*a)], "shape"),
        "another order": (lambda *a: [update(*a)[k] for k in (0, 2, 1)], "shape"),
    },
    "scores.annealed_log_weights": {
        "moved first": (moved_first, "dependence"),
        "never moved": (never_moved, "dependence"),
        "moved at the old": (moved_at_the_old, "dependence"),
        "moved late": (moved_late, "dependence"),
        "the other way": (lambda *a: -walk(*a), "sign"),
        "w": (lambda *a: walk(*a).exp(), "log-mean"),
        "across the move": (moved_between, "dependence"),
        "moved first, the other way": (lambda *a: -moved_first(*a), "sign"),
        "a mean over steps": (lambda *a: walk(*a) / (len(a[1]) - 1), "constant"),
        "the last step left out": (lambda x, betas, *a: walk(x, betas[:-1], *a), "constant"),
        "the first left out": (lambda x, betas, e, m: walk(m(x, betas[1].item()), betas[1:], e, m), "constant"),
        "the batch's": (lambda *a: walk(*a).mean(), "shape"),
        "first row": (lambda *a: walk(*a)[:1].expand(len(a[0])), "shape"),
    },
    "scores.log_mean_weight": {
        "mean of logarithms": (lambda log_w: log_w.mean(), "log-mean"),
        "median": (lambda log_w: log_w.median(), "log-mean"),
        "n forgotten": (lambda log_w: log_w.logsumexp(0), "constant"),
        "over n": (lambda log_w: log_w.logsumexp(0) / len(log_w), "constant"),
        "the largest not put back": (lambda log_w: (log_w - log_w.max()).exp().mean().log(), "constant"),
        "clamped": (lambda log_w: log_w.clamp(-80, 80).exp().mean().log(), "not-finite"),
        "n added": (lambda log_w: log_w.logsumexp(0) + math.log(len(log_w)), "constant"),
        "the largest": (lambda log_w: log_w.max(), "one-to-one"),
        "as it stands": (lambda log_w: log_w.exp().mean().log(), "not-finite"),
        "the mean weight": (lambda log_w: log_w.exp().mean(), "not-finite"),
        "negated": (lambda log_w: math.log(len(log_w)) - log_w.logsumexp(0), "sign"),
        "each over n": (lambda log_w: log_w - math.log(len(log_w)), "shape"),
    },
    "scores.contrast_length": {
        "as in the lesson": (0.08, "dependence"),
        "at w = 6": (0.083, "dependence"),
        "1 − λ": (0.1, "spread"),
        "λ": (0.9, "spread"),
        "nothing": (0, "sign"),
        "the other way": (-1, "sign"),
        "twice": (2, "constant"),
        "half": (0.5, "constant"),
        "a guess": (0.7, ""),
        "a text": ("short", "container"),
    },
}
