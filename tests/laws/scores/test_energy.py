"""Every law of energies passes right answers and catches each planted bug."""

import math
from itertools import pairwise, product

import torch
import torch.nn.functional as F

from gmcourse.laws.scores import energy
from gmcourse.scores.annealed import annealed_log_weights, log_mean
from gmcourse.scores.enumerated import free_energy, log_partition
from gmcourse.scores.rbm import gibbs_sweep, statistics


def by_products(x, weight, bias, hidden_bias):
    a = (hidden_bias + torch.einsum("nd,dj->nj", x, weight)).double()
    return -(x * bias).sum(1).double() - torch.logaddexp(a, torch.zeros_like(a)).sum(1)


def turned(weight, bias, hidden_bias):
    """The machine with its shorter side as the visible one."""
    return (weight, bias, hidden_bias) if len(bias) < len(hidden_bias) else (weight.T, hidden_bias, bias)


def counted(weight, bias, hidden_bias):
    visible, hidden = (torch.tensor(list(product([0.0, 1.0], repeat=len(b)))) for b in (bias, hidden_bias))
    energies = -(visible @ weight @ hidden.T) - (visible @ bias)[:, None] - hidden @ hidden_bias
    return torch.logsumexp(-energies.flatten(), 0)


def from_visible(weight, bias, hidden_bias, free=free_energy, total=lambda values: values.logsumexp(0)):
    visible = torch.tensor(list(product([0.0, 1.0], repeat=len(bias))))
    return total(-free(visible, weight, bias, hidden_bias))


def hidden_too(weight, bias, hidden_bias):
    return from_visible(weight, bias, hidden_bias) + len(hidden_bias) * math.log(2)


def phases(x, fantasies, weight, bias, hidden_bias):
    ours, theirs = (statistics(rows, weight, hidden_bias) for rows in (x, fantasies))
    return tuple(a - b for a, b in zip(ours, theirs, strict=True))


def phases_by_autograd(x, fantasies, *terms):
    leaves = [term.clone().requires_grad_() for term in terms]
    gap = free_energy(fantasies, *leaves).mean() - free_energy(x, *leaves).mean()
    return torch.autograd.grad(gap, leaves)


def changed(change):
    def answer(x, fantasies, *terms):
        return change(list(phases(x, fantasies, *terms)), x, fantasies, terms)

    return answer


def summed(x, fantasies, weight, bias, hidden_bias):
    p, q = ((hidden_bias + rows @ weight).sigmoid() for rows in (x, fantasies))
    return x.T @ p - fantasies.T @ q, x.sum(0) - fantasies.sum(0), p.sum(0) - q.sum(0)


def sweep(down=torch.sigmoid, up=torch.sigmoid, biased=True, draw=lambda u, p: (u < p).float()):
    def answer(x, u, v, weight, bias, hidden_bias):
        h = draw(u, down(biased * hidden_bias + x @ weight))
        return (v < up(bias + h @ weight.T)).float()

    return answer


def other_side(x, u, v, weight, bias, hidden_bias):
    h = (u >= 1 - (hidden_bias + x @ weight).sigmoid()).float()
    return torch.where(v + (bias + h @ weight.T).sigmoid() >= 1, 1.0, 0.0)


def weights(gain=lambda energy, x, after, low, high: energy(x, low) - energy(x, high), skip=0, moving=True):
    def answer(x, betas, energy, move):
        total = torch.zeros(len(x))
        for k, (low, high) in enumerate(pairwise(betas.tolist())):
            after = move(x, high) if moving else x
            total = total + (gain(energy, x, after, low, high) if k >= skip else 0)
            x = after
        return total

    return answer


def in_place(x, betas, energy, move):
    total = torch.zeros(len(x))
    for low, high in pairwise(betas.tolist()):
        total += energy(x, low) - energy(x, high)
        x.copy_(move(x, high))
    return total


RIGHT = {
    energy.free_energy_sums_hidden: (free_energy, by_products),
    energy.partition_counts_all: (log_partition, lambda *terms: from_visible(*turned(*terms))),
    energy.phases_point_uphill: (phases, phases_by_autograd),
    energy.sweep_draws_its_conditionals: (gibbs_sweep, sweep(), other_side),
    energy.weights_follow_the_path: (annealed_log_weights, weights()),
    energy.mean_weight_in_logs: (
        lambda log_w: log_w.logsumexp(0) - math.log(len(log_w)),
        lambda log_w: log_mean(log_w)[0],
        lambda log_w: (log_w - log_w.max()).exp().mean().log() + log_w.max(),
    ),
}
BUGS = {
    energy.free_energy_sums_hidden: {
        "plus the softplus": (lambda x, w, b, c: -(x @ b) + F.softplus(c + x @ w).sum(1), "sign"),
        "ln p": (lambda *a: -free_energy(*a), "sign"),
        "over the batch": (lambda *a: free_energy(*a).sum()[None].expand(len(a[0])), "shape"),
        "mean over hidden units": (lambda x, w, b, c: -(x @ b) - F.softplus(c + x @ w).mean(1), "reduction"),
        "log(1 + exp)": (lambda x, w, b, c: -(x @ b) - (c + x @ w).exp().log1p().sum(1), "not-finite"),
        "no hidden bias": (lambda x, w, b, c: free_energy(x, w, b, 0 * c), "constant"),
        "the best hidden string": (lambda x, w, b, c: -(x @ b) - (c + x @ w).relu().sum(1), "one-to-one"),
        "W turned where it can be": (
            lambda x, w, b, c: free_energy(x, w.T if len(b) == len(c) else w, b, c),
            "direction",
        ),
        "clipped": (lambda x, w, b, c: -(x @ b) - F.softplus((c + x @ w).clamp(-50, 50)).sum(1), "overflow"),
        "into x": (lambda x, w, b, c: free_energy(x.mul_(1.0).sub_(0.5), w, b, c), "mutation"),
    },
    energy.partition_counts_all: {
        "hidden strings, too": (hidden_too, "constant"),
        "the longer side": (lambda *terms: from_visible(*terms), "reduction"),
        "both sides": (counted, "reduction"),
        "the mean": (lambda w, b, c: from_visible(w, b, c) - len(b) * math.log(2), "log-mean"),
        "exp first": (lambda w, b, c: from_visible(w, b, c, total=lambda f: f.exp().sum().log()), "not-finite"),
        "Z": (lambda w, b, c: from_visible(w, b, c).exp(), "not-finite"),
        "minus": (lambda w, b, c: -log_partition(w, b, c), "sign"),
        "the likeliest": (lambda w, b, c: from_visible(w, b, c, total=lambda f: f.max()), "one-to-one"),
        "the biases swapped": (
            lambda w, b, c: log_partition(w, c, b) if len(b) == len(c) else log_partition(w, b, c),
            "direction",
        ),
        "clipped": (lambda w, b, c: from_visible(w, b, c, total=lambda f: f.clamp(max=80).logsumexp(0)), "overflow"),
    },
    energy.phases_point_uphill: {
        "downhill": (changed(lambda parts, *_: [-part for part in parts]), "sign"),
        "sums": (summed, "reduction"),
        "one count for both": (
            lambda x, y, w, b, c: [part / len(x) for part in summed(x, y, w, b, c)],
            "reduction",
        ),
        "the negative phase at the data": (lambda x, y, *terms: phases(x, x, *terms), "dependence"),
        "no negative phase": (lambda x, y, w, b, c: statistics(x, w, c), "dependence"),
        "W turned where it can be": (
            changed(lambda parts, *_: [parts[0].T if parts[0].shape[0] == parts[0].shape[1] else parts[0], *parts[1:]]),
            "direction",
        ),
        "two of them": (changed(lambda parts, *_: parts[:2]), "container"),
        "c before b": (changed(lambda parts, *_: [parts[0], parts[2], parts[1]]), "shape"),
    },
    energy.sweep_draws_its_conditionals: {
        "probabilities for pixels": (
            lambda x, u, v, w, b, c: (b + (u < (c + x @ w).sigmoid()).float() @ w.T).sigmoid(),
            "randomness",
        ),
        "probabilities for hidden units": (sweep(draw=lambda u, p: p), "randomness"),
        "the likelier hidden unit": (sweep(draw=lambda u, p: (p > 0.5).float()), "randomness"),
        "no hidden bias": (sweep(biased=False), "constant"),
        "pixels turned round": (sweep(up=lambda a: (-a).sigmoid()), "sign"),
        "hidden units turned round": (sweep(down=lambda a: (-a).sigmoid()), "sign"),
        "stays": (lambda x, *_: x, "dependence"),
        "two sweeps": (
            lambda x, u, v, *t: gibbs_sweep(
                gibbs_sweep(x, u, v, *t), u.roll(7, 0).roll(1, 1), v.roll(11, 0).roll(1, 1), *t
            ),
            "one-to-one",
        ),
    },
    energy.weights_follow_the_path: {
        "after the move": (
            weights(lambda energy, x, after, low, high: energy(after, low) - energy(after, high)),
            "dependence",
        ),
        "upside down": (weights(lambda energy, x, after, low, high: energy(x, high) - energy(x, low)), "sign"),
        "the first left out": (weights(skip=1), "constant"),
        "without moves": (weights(moving=False), "dependence"),
        "the weight itself": (lambda *a: annealed_log_weights(*a).exp(), "log-mean"),
        "one for all": (lambda *a: annealed_log_weights(*a).mean()[None].expand(len(a[0])), "shape"),
        "the mean over steps": (lambda x, betas, *f: annealed_log_weights(x, betas, *f) / (len(betas) - 1), "constant"),
        "into x": (in_place, "mutation"),
    },
    energy.mean_weight_in_logs: {
        "mean of logs": (lambda log_w: log_w.mean(), "log-mean"),
        "the sum": (lambda log_w: log_w.logsumexp(0), "constant"),
        "exp first": (lambda log_w: log_w.exp().mean().log(), "not-finite"),
        "minus": (lambda log_w: math.log(len(log_w)) - log_w.logsumexp(0), "sign"),
    },
}
