"""Answers to the exercises of lesson 02.5, right and wrong."""

import math
from collections import Counter
from fractions import Fraction

import numpy as np
import torch
from torch.distributions import Categorical


def tempered_by_probabilities(logits, t):
    log_p = logits - logits.logsumexp(dim=-1, keepdim=True)
    return log_p / t


def tempered_in_numpy(logits, t):
    shifted = logits.numpy().astype(np.float64)
    return (shifted - shifted.max(-1, keepdims=True)) / t


def tempered_and_normalised(logits, t):
    return torch.log_softmax(logits.double() * (1 / t), dim=-1)


def novel_by_counters(counts, lower):
    rows = []
    for follows, shorter in zip(counts.tolist(), lower.tolist(), strict=True):
        kept = Counter({v: n for v, n in enumerate(follows) if n})
        total = kept.total() + len(kept)
        rows.append([(kept[v] + len(kept) * p) / total if total else p for v, p in enumerate(shorter)])
    return rows


def novel_in_numpy(counts, lower):
    n, p = counts.numpy().astype(float), lower.numpy().astype(float)
    visits, kinds = n.sum(1, keepdims=True), np.count_nonzero(n, axis=1)[:, None]
    with np.errstate(invalid="ignore"):
        return np.where(visits > 0, (n + kinds * p) / (visits + kinds), p)


def novel_by_mixing(counts, lower):
    visits, kinds = counts.sum(-1, keepdim=True).double(), counts.bool().sum(-1, keepdim=True).double()
    new = torch.nan_to_num(kinds / (visits + kinds), nan=1.0)
    seen = torch.nan_to_num(counts / visits, nan=0.0)
    return torch.lerp(seen, lower.double(), new)


def novel_where_visited(counts, lower):
    out, visited = lower.clone(), counts.any(dim=1)
    n = counts[visited].float()
    kinds = torch.count_nonzero(n, dim=1)[:, None]
    out[visited] = (n + kinds * lower[visited]) / (n.sum(1, keepdim=True) + kinds)
    return out


def nucleus_by_rows(logits, mass):
    out = []
    for row in logits:
        p, order = torch.sort(torch.softmax(row, 0), descending=True)
        count = int((torch.cumsum(p, 0) < mass).sum()) + 1
        new = torch.full_like(row, float("-inf"))
        new[order[:count]] = row[order[:count]]
        out.append(new)
    return torch.stack(out)


def nucleus_by_shift(logits, mass):
    """As language models' libraries write it: remove what is beyond, moved by one."""
    ordered, places = torch.sort(logits, descending=True)
    remove = ordered.softmax(-1).cumsum(-1) > mass
    remove[..., 1:] = remove[..., :-1].clone()
    remove[..., 0] = False
    return logits.masked_fill(remove.scatter(1, places, remove), -float("inf"))


def nucleus_in_numpy(logits, mass):
    x = logits.numpy().astype(np.float64)
    p = np.exp(x - x.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    above = np.where(p[:, None, :] > p[:, :, None], p[:, None, :], 0).sum(-1)
    return np.where(above < mass, x, -np.inf)


def nucleus_from_below(logits, mass):
    """Cut the least likely as long as enough is left."""
    p, order = logits.double().softmax(-1).sort(-1)
    cut = p.cumsum(-1) <= 1 - mass + 1e-9 if mass < 1 else torch.zeros_like(p).bool()
    return logits.masked_fill(torch.empty_like(cut).scatter(-1, order, cut), -1e30)


def slope_by_autograd(logits, t):
    temperature = torch.full((len(logits),), float(t), requires_grad=True)
    entropies = Categorical(logits=logits / temperature[:, None]).entropy()
    return torch.autograd.grad(entropies.sum(), temperature)[0]


def slope_by_vjp(logits, t):
    def entropy(temperature):
        log_q = torch.log_softmax(logits.double() / temperature, -1)
        return -(log_q.exp() * log_q).sum(-1)

    one = torch.tensor(float(t), dtype=torch.float64)
    return torch.func.jvp(entropy, (one,), (torch.ones_like(one),))[1]


def slope_by_difference(logits, t, h=1e-4):
    def entropy(temperature):
        q = torch.softmax(logits.double() / temperature, -1)
        return -torch.special.xlogy(q, q).sum(-1)

    return (entropy(t + h) - entropy(t - h)) / (2 * h)


def slope_in_numpy(logits, t):
    x = logits.numpy().astype(np.float64)
    x = x - x.max(axis=1, keepdims=True)
    q = np.exp(x / t) / np.exp(x / t).sum(axis=1, keepdims=True)
    return [np.average((row - np.average(row, weights=w)) ** 2, weights=w) / t**3 for row, w in zip(x, q, strict=True)]


def slope_by_ln_q(logits, t, power=1):
    log_q = torch.log_softmax(logits / t, dim=-1)
    q = log_q.exp()
    mean = torch.einsum("nv,nv->n", q, log_q)
    return torch.einsum("nv,nv->n", q, (log_q - mean[:, None]).pow(2)) / t**power


RIGHT = {
    "autoregressive.temperature": {
        "by ln p": tempered_by_probabilities,
        "NumPy": tempered_in_numpy,
        "normalised": tempered_and_normalised,
        "divided": lambda logits, t: torch.div(logits, t),
        "a distribution's": lambda logits, t: Categorical(logits=logits / t).logits,
    },
    "autoregressive.witten_bell": {
        "counters, a list": novel_by_counters,
        "NumPy": novel_in_numpy,
        "mixing": novel_by_mixing,
        "where visited": novel_where_visited,
    },
    "autoregressive.nucleus": {
        "row by row": nucleus_by_rows,
        "moved by one": nucleus_by_shift,
        "NumPy": nucleus_in_numpy,
        "from below": nucleus_from_below,
        "normalised": lambda logits, mass: nucleus_by_rows(logits, mass).log_softmax(-1),
    },
    "autoregressive.entropy_slope": {
        "autograd": slope_by_autograd,
        "forward mode": slope_by_vjp,
        "differences": slope_by_difference,
        "NumPy, a list": slope_in_numpy,
        "by ln q": slope_by_ln_q,
    },
    "autoregressive.two_readings": {
        "fractions": (Fraction(4, 5), Fraction(2, 7)),
        "cut off": (0.8, 0.28),
        "a tuple": (0.8, 0.286),
        "two decimals": [0.8, 0.29],
        "a tensor": torch.tensor([4 / 5, 2 / 7]),
        "NumPy": np.array([0.8, 0.2857]),
        "added up": (4 / 9 / (5 / 9), 10 * (2 / 30) ** 2 / (10 * (2 / 30) ** 2 + 1 / 9)),
    },
}


def _crossing(logits, mass):
    """The probability at which a is reached, for a threshold: not there where rounding keeps the sum below 1."""
    p = logits.softmax(-1)
    falling = p.sort(-1, descending=True)[0]
    last = (falling.cumsum(-1) < mass).sum(-1, keepdim=True)
    return logits.masked_fill(p < falling.gather(-1, last), -math.inf)


WRONG = {
    "autoregressive.temperature": {
        "a logarithm of probabilities": (lambda logits, t: torch.log(torch.softmax(logits / t, -1)), "not-finite"),
        "roots of logits": (lambda logits, t: logits ** (1 / t), "not-finite"),
        "the other axis": (lambda logits, t: torch.softmax(logits / t, 0), "reduction"),
        "times T": (lambda logits, t: tempered_by_probabilities(logits, 1 / t), "sign"),
        "probabilities": (lambda logits, t: torch.softmax(logits / t, dim=-1), "log-mean"),
        "after the softmax": (lambda logits, t: torch.softmax(logits, dim=-1) / t, "log-mean"),
        "by powers of p": (lambda logits, t: torch.log(torch.softmax(logits, -1).pow(1 / t)), "not-finite"),
        "in place": (lambda logits, t: logits.div_(t), "mutation"),
        "less T": (lambda logits, t: logits - t, "constant"),
    },
    "autoregressive.witten_bell": {
        "occurrences": (
            lambda counts, lower: torch.where(
                counts.sum(1, keepdim=True) > 0, (counts / counts.sum(1, keepdim=True) + lower) / 2, lower
            ),
            "constant",
        ),
        "frequencies": (lambda counts, lower: counts / counts.sum(1, keepdim=True), "one-to-one"),
        "never visited": (
            lambda counts, lower: (
                (counts + counts.bool().sum(1, keepdim=True) * lower)
                / (counts.sum(1, keepdim=True) + counts.bool().sum(1, keepdim=True))
            ),
            "not-finite",
        ),
        "add one": (lambda counts, lower: (counts + 1) / (counts + 1).sum(1, keepdim=True), "spread"),
        "the other axis": (lambda counts, lower: novel_by_mixing(counts.T, lower.T).T, ""),
    },
    "autoregressive.nucleus": {
        "not put back": (
            lambda logits, mass: logits.masked_fill(
                logits.softmax(-1).sort(-1, descending=True)[0].cumsum(-1)
                - logits.softmax(-1).sort(-1, descending=True)[0]
                >= mass,
                -math.inf,
            ),
            "dependence",
        ),
        "−10": (lambda logits, mass: nucleus_by_rows(logits, mass).nan_to_num(neginf=-10), "reduction"),
        "truth values": (lambda logits, mass: nucleus_by_rows(logits, mass).isfinite(), "log-mean"),
        "past the last one": (_crossing, None),
        "as they stand": (
            lambda logits, mass: logits.masked_fill(logits.softmax(-1).cumsum(-1) > mass, -math.inf),
            "dependence",
        ),
        "the crossing one is dropped": (
            lambda logits, mass: torch.stack([_short(row, mass) for row in logits]),
            "constant",
        ),
        "probabilities": (lambda logits, mass: nucleus_by_rows(logits, mass).softmax(-1), "log-mean"),
        "sorted": (lambda logits, mass: nucleus_by_rows(logits.sort(-1, descending=True)[0], mass), "dependence"),
        "the first row's order": (lambda logits, mass: _by_first_order(logits, mass), "shape"),
        "a threshold": (lambda logits, mass: logits.masked_fill(logits.softmax(-1) < mass, -math.inf), "direction"),
        "how many": (lambda logits, mass: (nucleus_by_rows(logits, mass) > -math.inf).sum(1), "shape"),
    },
    "autoregressive.entropy_slope": {
        "about the plain mean": (
            lambda logits, t: ((logits / t).softmax(-1) * (logits - logits.mean(-1, keepdim=True)) ** 2).sum(-1) / t**3,
            "reduction",
        ),
        "a standard deviation": (lambda logits, t: slope_by_autograd(logits, t).sqrt(), "spread"),
        "over T squared": (lambda logits, t: slope_by_ln_q(logits, t, power=0), "spread"),
        "ln q over T³": (lambda logits, t: slope_by_ln_q(logits, t, power=3), "spread"),
        "at T = 1": (lambda logits, t: slope_by_ln_q(logits, 1.0) / t**3, "direction"),
        "the entropy": (lambda logits, t: Categorical(logits=logits / t).entropy(), "gradient"),
        "in β": (lambda logits, t: -(t**2) * slope_by_autograd(logits, t), "gradient"),
        "unweighed": (lambda logits, t: logits.log_softmax(-1).var(-1, correction=0) / t**3, "reduction"),
        "a mean for the sum": (lambda logits, t: slope_by_ln_q(logits, t) / logits.shape[-1], "reduction"),
        "one number": (lambda logits, t: slope_by_autograd(logits, t).mean(), "shape"),
    },
    "autoregressive.two_readings": {
        "the text uncooled": ((0.8, 0.5), "dependence"),
        "per cent": ((80, 28.6), "container"),
        "one half twice": ((0.5, 0.5), "constant"),
        "the same": ((0.8, 0.8), "constant"),
        "exchanged": ((0.286, 0.8), "direction"),
        "one of the ten": ((0.8, 0.0385), "reduction"),
        "roots": ((0.586, 0.817), "sign"),
        "not divided": ((0.444, 0.0444), "spread"),
        "the first step is not cooled": ((0.667, 0.286), "log-mean"),
        "the lesson's example": ((0.8, 0.2), "dependence"),
        "neither": ((0.1, 0.9), ""),
        "a text": ("4/5, 2/7", "container"),
    },
}


def _by_first_order(logits, mass):
    p, order = logits.softmax(-1).sort(-1, descending=True)
    out = torch.full_like(logits, -math.inf)
    for row, count in enumerate((p.cumsum(-1) - p < mass).sum(-1)):
        out[row, order[0, :count]] = logits[row, order[0, :count]]
    return out


def _short(row, mass):
    p, order = row.softmax(0).sort(descending=True)
    kept = order[p.cumsum(0) <= mass]
    out = torch.full_like(row, -math.inf)
    out[kept] = row[kept]
    return out
