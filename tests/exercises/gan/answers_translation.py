"""Answers to the exercises of lesson 05.7, right and wrong."""

import itertools
import math
from collections import Counter

import numpy as np
import torch
from torch import nn
from torch.nn.functional import l1_loss, mse_loss


def from_the_end(layers):
    side = 1
    for kernel, stride in reversed(layers):
        side = (side - 1) * stride + kernel
    return side, math.prod(stride for _, stride in layers)


def a_sum(layers):
    strides = [stride for _, stride in layers]
    return 1 + sum((k - 1) * math.prod(strides[:i]) for i, (k, _) in enumerate(layers)), math.prod(strides)


def by_numpy(layers):
    kernels, strides = np.array(layers).T
    before = np.concatenate([[1], np.cumprod(strides)])
    return np.array([1 + ((kernels - 1) * before[:-1]).sum(), before[-1]])


def by_gradients(layers):
    net = nn.Sequential(*(nn.Conv1d(1, 1, k, s, bias=False) for k, s in layers))
    x = torch.zeros(1, 1, 500, requires_grad=True)
    for parameter in net.parameters():
        nn.init.ones_(parameter)
    h = net(x)[0, 0]
    first, second = (torch.autograd.grad(h[i], x, retain_graph=True)[0].flatten().nonzero() for i in (0, 1))
    return len(first), (second[0] - first[0]).item()


def fields(layers, start=1, own=False, grown=0, added=False):
    """The recursion with one thing changed."""
    side, step = start, 1
    for kernel, stride in layers:
        if own:
            step *= stride
        side += (kernel - 1 + grown) * step
        if not own:
            step = step + stride if added else step * stride
    return side, step


def in_closed_form(p, weight, distance):
    r = math.exp(weight * (2 * p - 1) * distance)
    if r > 1 + 1 / p:
        return 1.0
    return p * ((2 - p) * r - (1 - p)) / (1 - p + p * r)


def by_torch(p, weight, distance):
    r = torch.tensor(weight * (2 * p - 1) * distance).exp()
    return (p * ((2 - p) * r - (1 - p)) / (1 - p + p * r)).clamp(max=1)


def by_a_bound(p, weight, distance):
    """The weight beyond which the answer is 1, then the equation divided by r."""
    pull = weight * (2 * p - 1) * distance
    if pull >= math.log(1 + 1 / p):
        return 1
    small = np.exp(-pull)
    return p * ((2 - p) - (1 - p) * small) / ((1 - p) * small + p)


def by_halving(p, weight, distance):
    low, high = 0.0, 1.0
    for _ in range(50):
        q = (low + high) / 2
        rise = math.log((1 - p) / (2 - p - q)) - math.log(p / (p + q)) - weight * (2 * p - 1) * distance
        low, high = (low, q) if rise > 0 else (q, high)
    return low


def rest(p, pull):
    r = math.exp(pull)
    return min(1.0, p * ((2 - p) * r - (1 - p)) / (1 - p + p * r))


def moving(p, weight, distance):
    """Where −q ln D*(q) − (1 − q) ln D*(q) + λ E|x − x̂| is least, D* moving with q."""
    q = np.linspace(1e-6, 1 - 1e-6, 200_001)
    loss = -q * np.log(p / (p + q)) - (1 - q) * np.log((1 - p) / (2 - p - q))
    return q[(loss + weight * distance * (q * (1 - p) + (1 - q) * p)).argmin()]


def one_by_one(k, modes, within):
    held = [0] * len(modes)
    for answer in k.tolist():
        gaps = [abs(answer - mode) for mode in modes]
        if min(gaps) < within:
            held[gaps.index(min(gaps))] += 1
    pure = sum(held)
    return pure / len(k), [count / pure if pure else 0.0 for count in held]


def with_one_hot(k, modes, within):
    near, mode = (k[:, None] - torch.tensor(modes)).abs().min(1)
    held = torch.nn.functional.one_hot(mode[near < within], len(modes)).sum(0)
    return (near < within).float().mean(), held / max(1, int(held.sum()))


def in_numpy(k, modes, within):
    gaps = np.abs(k.numpy()[:, None] - np.array(modes))
    pure = gaps.min(1) < within
    counts = np.bincount(gaps.argmin(1)[pure], minlength=len(modes))
    return pure.mean(), counts / max(counts.sum(), 1)


def undivided(k, modes, within):
    pure, shares = one_by_one(k, modes, within)
    return pure * len(k), shares


def no_guard(k, modes, within):
    near, mode = (k[:, None] - torch.tensor(modes)).abs().min(1)
    held = mode[near < within].bincount(minlength=len(modes))
    return (near < within).float().mean(), held / held.sum()


def sorted_first(k, modes, within):
    return one_by_one(k, sorted(modes), within)


def without_empty(k, modes, within):
    pure, shares = one_by_one(k, modes, within)
    return pure, [share for share in shares if share] or [0.0] * len(modes)


def at_each_near(k, modes, within):
    near = torch.stack([(k - mode).abs() < within for mode in modes])
    return near.any(0).float().mean(), near.sum(1) / max(1, int(near.any(0).sum()))


def at_the_first(k, modes, within):
    held = [0] * len(modes)
    for answer in k.tolist():
        for place, mode in enumerate(modes):
            if abs(answer - mode) < within:
                held[place] += 1
                break
    return sum(held) / len(k), [count / max(sum(held), 1) for count in held]


def up_to(k, modes, within):
    return one_by_one(k, modes, within + 1e-9)


def both_ways(to_b, to_a, a, b):
    return l1_loss(to_a(to_b(a)), a) + l1_loss(to_b(to_a(b)), b)


def picture_by_picture(to_b, to_a, a, b):
    there = torch.stack([(to_a(to_b(x[None])) - x).abs().mean() for x in a])
    back = torch.stack([(to_b(to_a(x[None])) - x).abs().mean() for x in b])
    return there.mean() + back.mean()


def by_norms(to_b, to_a, a, b):
    gaps = to_a(to_b(a)) - a, to_b(to_a(b)) - b
    return sum(torch.linalg.vector_norm(gap, 1) / gap.numel() for gap in gaps)


def all_tables(p, q):
    """As the losses say it: every G and every F."""

    def carries(g, source, target):
        got = [sum(m for m, to in zip(source, g) if to == j) for j in range(len(target))]
        return all(math.isclose(x, y, abs_tol=1e-9) for x, y in zip(got, target))

    forth = [g for g in itertools.product(range(len(q)), repeat=len(p)) if carries(g, p, q)]
    back = [f for f in itertools.product(range(len(p)), repeat=len(q)) if carries(f, q, p)]
    return sum(
        all(f[g[i]] == i for i in range(len(p))) and all(g[f[j]] == j for j in range(len(q)))
        for g in forth
        for f in back
    )


def all_orders(p, q):
    if len(p) != len(q):
        return 0
    return sum(list(order) == list(p) for order in itertools.permutations(q))


def by_sorting(p, q):
    if sorted(p) != sorted(q):
        return 0
    return math.prod(math.factorial(p.count(mass)) for mass in set(p))


def by_torch_counts(p, q):
    if len(p) != len(q) or not torch.allclose(torch.tensor(p).sort().values, torch.tensor(q).sort().values):
        return 0
    counts = torch.tensor(p).unique(return_counts=True)[1]
    return (counts + 1.0).lgamma().sum().exp().round().long()


def carrying(p, q):
    """The maps that carry p to q, with no word on the way back."""
    tables = itertools.product(range(len(q)), repeat=len(p))
    return sum(
        all(math.isclose(sum(m for m, to in zip(p, g) if to == j), mass) for j, mass in enumerate(q)) for g in tables
    )


RIGHT = {
    "gan.receptive_field": {
        "from the end": from_the_end,
        "a sum": a_sum,
        "numpy": by_numpy,
        "gradients": by_gradients,
        "a list": lambda layers: list(a_sum(layers)),
    },
    "gan.price_of_a_draw": {
        "two digits": 3.01,
        "one digit": 3.0,
        "a formula": 10 * math.log10(2),
        "a tensor": 10 * torch.log10(torch.tensor(2.0)),
    },
    "gan.share_at": {
        "closed form": in_closed_form,
        "torch": by_torch,
        "a bound on λ": by_a_bound,
        "halving": by_halving,
    },
    "gan.count_answers": {"one by one": one_by_one, "one-hot": with_one_hot, "numpy": in_numpy},
    "gan.cycle_loss": {"l1_loss": both_ways, "picture by picture": picture_by_picture, "norms": by_norms},
    "gan.perfect_maps": {
        "all tables": all_tables,
        "all orders": all_orders,
        "sorted": by_sorting,
        "torch": by_torch_counts,
    },
}
WRONG = {
    "gan.receptive_field": {
        "kernels added": (lambda layers: (sum(k for k, _ in layers), from_the_end(layers)[1]), "reduction"),
        "strides left out": (lambda layers: (1 + sum(k - 1 for k, _ in layers), a_sum(layers)[1]), "reduction"),
        "from the wrong end": (lambda layers: (from_the_end(layers[::-1])[0], a_sum(layers)[1]), "direction"),
        "its own stride first": (lambda layers: fields(layers, own=True), "direction"),
        "from nothing": (lambda layers: fields(layers, start=0), "constant"),
        "whole kernels": (lambda layers: fields(layers, grown=1), "constant"),
        "strides added": (lambda layers: (a_sum(layers)[0], sum(s for _, s in layers)), "one-to-one"),
        "the step added up": (lambda layers: fields(layers, added=True), ""),
        "the last stride": (lambda layers: (a_sum(layers)[0], layers[-1][1]), "one-to-one"),
        "the side alone": (lambda layers: a_sum(layers)[0], "shape"),
        "exchanged": (lambda layers: a_sum(layers)[::-1], "shape"),
        "its own stride alone": (
            lambda layers: (1 + sum((k - 1) * s for k, s in layers), a_sum(layers)[1]),
            "direction",
        ),
    },
    "gan.price_of_a_draw": {
        "of an amplitude": (6.02, "spread"),
        "of a root": (1.505, "spread"),
        "a factor": (2.0, "log-mean"),
        "no price": (0, "constant"),
        "negative": (-3.0103, "sign"),
        "natural": (0.693, "spread"),
        "far off": (42.0, ""),
        "a word": ("3 dB", "container"),
    },
    "gan.share_at": {
        "the data's share": (lambda p, weight, distance: p, "dependence"),
        "all or nothing": (lambda p, weight, distance: 1.0 if p > 0.5 else 0.5, "reduction"),
        "without an end": (
            lambda p, weight, distance: (
                p
                * (2 - p - (1 - p) * math.exp(-weight * (2 * p - 1) * distance))
                / (p + (1 - p) * math.exp(-weight * (2 * p - 1) * distance))
            ),
            "one-to-one",
        ),
        "of the rarer": (lambda p, weight, distance: 1 - in_closed_form(p, weight, distance), "sign"),
        "pulled away": (lambda p, weight, distance: max(0.0, rest(p, -weight * (2 * p - 1) * distance)), "sign"),
        "p for 2p − 1": (lambda p, weight, distance: rest(p, weight * p * distance), "constant"),
        "the weight alone": (lambda p, weight, distance: rest(p, weight * (2 * p - 1)), "spread"),
        "no weight": (lambda p, weight, distance: rest(p, (2 * p - 1) * distance), "dependence"),
        "not p": (lambda p, weight, distance: rest(p, weight * distance), "constant"),
        "the critic moves, too": (moving, "gradient"),
        "nothing": (lambda p, weight, distance: None, "container"),
    },
    "gan.count_answers": {
        "nearest of all": (
            lambda k, modes, within: (one_by_one(k, modes, within)[0], one_by_one(k, modes, 9)[1]),
            "dependence",
        ),
        "of all": (
            lambda k, modes, within: (
                one_by_one(k, modes, within)[0],
                [one_by_one(k, modes, within)[0] * s for s in one_by_one(k, modes, within)[1]],
            ),
            "reduction",
        ),
        "counts": (undivided, "reduction"),
        "the others": (
            lambda k, modes, within: (1 - one_by_one(k, modes, within)[0], one_by_one(k, modes, within)[1]),
            "sign",
        ),
        "turned round": (
            lambda k, modes, within: (one_by_one(k, modes, within)[0], one_by_one(k, modes, within)[1][::-1]),
            "direction",
        ),
        "0 / 0": (no_guard, "not-finite"),
        "the pure share alone": (lambda k, modes, within: one_by_one(k, modes, within)[0], "container"),
        "modes sorted": (sorted_first, "direction"),
        "empty modes left out": (without_empty, "shape"),
        "at each mode that is near": (at_each_near, "one-to-one"),
        "at the first mode that is near": (at_the_first, "one-to-one"),
        "up to the edge": (up_to, "spread"),
        "half as far": (lambda k, modes, within: one_by_one(k, modes, within / 2), ""),
    },
    "gan.cycle_loss": {
        "one way": (lambda g, f, a, b: l1_loss(f(g(a)), a), "dependence"),
        "the other way": (lambda g, f, a, b: l1_loss(g(f(b)), b), "dependence"),
        "squares": (lambda g, f, a, b: mse_loss(f(g(a)), a) + mse_loss(g(f(b)), b), "spread"),
        "halved": (lambda g, f, a, b: both_ways(g, f, a, b) / 2, "reduction"),
        "sums": (lambda g, f, a, b: (f(g(a)) - a).abs().sum() + (g(f(b)) - b).abs().sum(), "reduction"),
        "sums for each picture": (
            lambda g, f, a, b: (f(g(a)) - a).abs().sum((1, 2, 3)).mean() + (g(f(b)) - b).abs().sum((1, 2, 3)).mean(),
            "reduction",
        ),
        "no absolute value": (lambda g, f, a, b: (f(g(a)) - a).mean() + (g(f(b)) - b).mean(), "sign"),
        "cut in the middle": (
            lambda g, f, a, b: l1_loss(f(g(a).detach()), a) + l1_loss(g(f(b).detach()), b),
            "gradient",
        ),
        "the wrong order": (lambda g, f, a, b: l1_loss(g(f(a)), a) + l1_loss(f(g(b)), b), "direction"),
        "identity": (lambda g, f, a, b: l1_loss(g(b), b) + l1_loss(f(a), a), "direction"),
        "all numbers in one mean": (
            lambda g, f, a, b: torch.cat([(f(g(a)) - a).flatten(), (g(f(b)) - b).flatten()]).abs().mean(),
            "reduction",
        ),
        "weighted": (lambda g, f, a, b: 10 * both_ways(g, f, a, b), "reduction"),
        "for each picture": (lambda g, f, a, b: (f(g(a)) - a).abs().mean((1, 2, 3)), "shape"),
    },
    "gan.perfect_maps": {
        "n!": (lambda p, q: math.factorial(len(p)), "constant"),
        "one": (lambda p, q: 1, "one-to-one"),
        "maps that carry": (carrying, "spread"),
        "both chosen freely": (lambda p, q: carrying(p, q) * carrying(q, p), "dependence"),
        "p alone": (lambda p, q: math.prod(math.factorial(n) for n in Counter(p).values()), "dependence"),
        "added": (
            lambda p, q: sum(math.factorial(n) for n in Counter(p).values()) if sorted(p) == sorted(q) else 0,
            "reduction",
        ),
        "one set": (
            lambda p, q: math.prod(math.factorial(p.count(m)) for m in set(p)) if set(p) == set(q) else 0,
            "dependence",
        ),
        "place by place": (lambda p, q: by_sorting(p, q) if p == q else 0, "direction"),
        "sorted in place": (lambda p, q: p.sort() or by_sorting(p, q), "mutation"),
        "none": (lambda p, q: 0, ""),
    },
}
