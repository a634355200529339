"""Answers to the exercises of lesson 05.3, right and wrong."""

import math

import numpy as np
import torch
from torch import nn

from gmcourse.gan.losses import feature_matching_loss
from gmcourse.gan.minibatch import nearness
from gmcourse.metrics.coverage import modes


def by_layers(critic, real, fake):
    for layer in list(critic)[:-1]:
        real, fake = layer(real), layer(fake)
    return ((real.mean(0) - fake.mean(0)) ** 2).sum()


def hooked(critic, real, fake):
    seen = []
    handle = critic[-1].register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    critic(real), critic(fake)
    handle.remove()
    gap = seen[0].mean(0) - seen[1].mean(0)
    return gap @ gap


def nearness_by_loop(places):
    out = torch.zeros(places.shape[:2])
    for i in range(len(places)):
        for j in range(len(places)):
            out[i] += torch.exp(-(places[i] - places[j]).abs().sum(-1))
    return out


def nearness_by_numpy(places):
    m = places.numpy().astype(float)
    return np.exp(-np.abs(m[:, None] - m[None]).sum(-1)).sum(1)


def distances(places, p=1.0):
    return torch.stack([torch.cdist(m, m, p=p) for m in places.unbind(1)], 1)


def counted(x, centres, std, norm=2.0, share=0.01, strict=False):
    near = torch.cdist(x, centres, p=norm) <= 3 * std
    counts = near.sum(0)
    found = counts > share * len(x) + 1e-6 if strict else counts >= share * len(x) - 1e-6
    return int(found.sum()), near.any(1).float().mean().item()


def modes_by_loop(samples, centres, std):
    found, near = 0, set()
    for c in centres:
        close = [i for i, x in enumerate(samples) if math.dist(x.tolist(), c.tolist()) <= 3 * std]
        found += 100 * len(close) >= len(samples)
        near |= set(close)
    return found, len(near) / len(samples)


def modes_by_numpy(samples, centres, std):
    x, c = samples.numpy(), centres.numpy()
    near = np.linalg.norm(x[:, None] - c[None], axis=-1) <= 3 * std
    return [(near.mean(0) >= 0.01).sum(), near.any(1).mean()]


def of_the_nearest(samples, centres, std):
    distance, owner = torch.cdist(samples, centres).min(1)
    near = distance <= 3 * std
    share = torch.bincount(owner[near], minlength=len(centres)) / len(samples)
    return (share >= 0.01).sum(), near.double().mean()


RIGHT = {
    "gan.feature_matching_loss": {
        "layer by layer": by_layers,
        "hook": hooked,
        "new Sequential": lambda c, r, f: (
            (nn.Sequential(*list(c.children())[:-1])(r).mean(0) - c[:-1](f).mean(0)).square().sum()
        ),
        "norm squared": lambda c, r, f: (c[:-1](r).mean(0) - c[:-1](f).mean(0)).norm() ** 2,
        "features without a gradient for real": lambda c, r, f: (
            (c[:-1](r).mean(0).detach() - c[:-1](f).mean(0)).square().sum()
        ),
        "einsum": lambda c, r, f: torch.einsum(
            "k,k->", c[:-1](r).mean(0) - c[:-1](f).mean(0), c[:-1](r).mean(0) - c[:-1](f).mean(0)
        ),
        "shape (1,)": lambda *a: feature_matching_loss(*a)[None],
    },
    "gan.nearness": {
        "loop": nearness_by_loop,
        "numpy": nearness_by_numpy,
        "cdist": lambda m: torch.exp(-distances(m)).sum(-1),
        "vmap": torch.func.vmap(lambda m: torch.exp(-(m[:, None] - m).abs().sum(-1)).sum(1), in_dims=1, out_dims=1),
        "float64": lambda m: nearness(m.double()),
        "list": lambda m: nearness(m).tolist(),
    },
    "gan.modes": {
        "loop": modes_by_loop,
        "list of numpy numbers": modes_by_numpy,
        "cdist": counted,
        "tensors": of_the_nearest,
        "squares": lambda x, c, s: (
            int((((x[:, None] - c) ** 2).sum(-1) <= 9 * s * s).double().mean(0).ge(0.01).sum()),
            (((x[:, None] - c) ** 2).sum(-1) <= 9 * s * s).any(1).double().mean().item(),
        ),
        "one array": lambda *a: np.array(counted(*a)),
        "in percent of the count": lambda x, c, s: (
            ((torch.cdist(x, c) <= 3 * s).sum(0) * 100 >= len(x)).sum(),
            modes(x, c, s).quality,
        ),
    },
}
WRONG = {
    "gan.feature_matching_loss": {
        "the first layer alone": (lambda c, r, f: (c[:2](r).mean(0) - c[:2](f).mean(0)).square().sum(), "dependence"),
        "before the last ReLU": (lambda c, r, f: (c[:-2](r).mean(0) - c[:-2](f).mean(0)).square().sum(), "dependence"),
        "the critic's output": (lambda c, r, f: (c(r).mean() - c(f).mean()) ** 2, "dependence"),
        "absolute values": (lambda c, r, f: (c[:-1](r).mean(0) - c[:-1](f).mean(0)).abs().sum(), "spread"),
        "sums": (lambda c, r, f: (c[:-1](r).sum(0) - c[:-1](f).sum(0)).square().sum(), "shape"),
        "detached": (lambda *a: feature_matching_loss(*a).detach(), "gradient"),
        "fakes without a gradient": (lambda c, r, f: feature_matching_loss(c, r, f.detach()), "gradient"),
        "a row for each": (lambda c, r, f: (c[:-1](r) - c[:-1](f)).square().sum(1), "shape"),
        "scores subtracted": (lambda c, r, f: c(r).mean() - c(f).mean(), ""),
    },
    "gan.nearness": {
        "the largest difference": (lambda m: torch.exp(-distances(m, math.inf)).sum(-1), "spread"),
        "mean over the size": (lambda m: torch.exp(-(m[:, None] - m).abs().mean(-1)).sum(1), "spread"),
        "no absolute value": (lambda m: torch.exp(-(m[:, None] - m).sum(-1)).sum(1), "dependence"),
        "kernels added": (lambda m: nearness(m).sum(1), "shape"),
        "mean of the others": (lambda m: (nearness(m) - 1) / (len(m) - 1), "reduction"),
        "distances, not nearness": (lambda m: distances(m).sum(-1), ""),
        "one exponential for all": (lambda m: torch.exp(-distances(m).sum(-1)), ""),
        "transposed": (lambda m: nearness(m).T, "shape"),
        "in place": (lambda m: nearness(m.mul_(1.0001)), "mutation"),
    },
    "gan.modes": {
        "city blocks": (lambda *a: counted(*a, norm=1.0), "one-to-one"),
        "squares": (lambda *a: counted(*a, norm=math.inf), "one-to-one"),
        "the first coordinate": (lambda x, c, s: counted(x[:, :1], c[:, :1], s), "one-to-one"),
        "> for ≥": (lambda *a: counted(*a, strict=True), "direction"),
        "one std": (lambda x, c, s: counted(x, c, s / 3), "spread"),
        "two std": (lambda x, c, s: counted(x, c, 2 * s / 3), "spread"),
        "quality in samples": (lambda x, c, s: (counted(x, c, s)[0], counted(x, c, s)[1] * len(x)), "reduction"),
        "quality in percent": (lambda *a: (counted(*a)[0], 100 * counted(*a)[1]), "reduction"),
        "a sample near two modes counted twice": (
            lambda x, c, s: (counted(x, c, s)[0], (torch.cdist(x, c) <= 3 * s).double().mean(0).sum().item()),
            "reduction",
        ),
        "any sample": (lambda *a: counted(*a, share=1e-9), "constant"),
        "found alone": (lambda *a: counted(*a)[0], "shape"),
        "exchanged": (lambda *a: counted(*a)[::-1], ""),
        "1 % of the good ones": (
            lambda x, c, s: counted(x, c, s, share=0.01 * counted(x, c, s)[1]),
            "constant",
        ),
    },
}
