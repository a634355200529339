"""Answers to the exercises on autoregressive flows."""

import math

import numpy as np
import torch
from torch.distributions import Independent, Normal

from gmcourse.exercises.flows.autoregressive_flows import maf_forward, maf_inverse, passes
from gmcourse.flows.distillation import distillation_loss


def forward_by_loop(x, net):
    z, log_det = torch.zeros(x.shape), torch.zeros(len(x))
    mean, s = net(x)
    for i in range(x.shape[1]):
        z[:, i] = (x[:, i] - mean[:, i]) / torch.exp(s[:, i])
        log_det = log_det - s[:, i]
    return z, log_det


def forward_by_density(x, net):
    mean, s = net(x)
    z = (x - mean) / s.exp()
    return z, (Normal(mean, s.exp()).log_prob(x) - Normal(0.0, 1.0).log_prob(z)).sum(-1)


def forward_in_numpy(x, net):
    mean, s = (value.numpy() for value in net(x))
    return (x.numpy() - mean) * np.exp(-s), -s.sum(1)


def forward(z=lambda x, mean, s: (x - mean) * (-s).exp(), log_det=lambda s: -s.sum(1)):
    return lambda x, net: (z(x, *net(x)), log_det(net(x)[1]))


def inverse_by_passes(z, net, order):
    x = 0 * z
    for _ in order:
        mean, s = net(x)
        x = mean + s.exp() * z
    return x


def inverse_by_rows(z, net, order):
    rows = []
    for row in z:
        x = torch.zeros(1, len(row))
        for i in order:
            mean, s = net(x)
            x[0, i] = mean[0, i] + math.exp(s[0, i]) * row[i]
        rows.append(x[0])
    return rows


def inverse_from_nan(z, net, order):
    """What is not known yet is not a number, and the net must not need it."""
    x = torch.zeros_like(z)
    for i in order:
        mean, s = net(x)
        x = torch.where(torch.arange(z.shape[1]) == i, mean + s.exp() * z, x)
    return x


def stepwise(step, pick=lambda z, order: z, put=lambda x, order: x):
    def candidate(z, net, order):
        z, x = pick(z, order), torch.zeros_like(z)
        for i in order:
            mean, s = net(x)
            x[:, i] = step(z[:, i], mean[:, i], s[:, i])
        return put(x, order)

    return candidate


def right_step(z, mean, s):
    return mean + s.exp() * z


def into_z(z, net, order):
    for i in order:
        mean, s = net(z)
        z[:, i] = mean[:, i] + s[:, i].exp() * z[:, i]
    return z


def kl_by_hand(draw, teacher, noise):
    x, log_det = draw(noise)
    log_q = -0.5 * (noise**2).sum(1) - 0.5 * noise.shape[1] * math.log(2 * math.pi) - log_det
    return torch.mean(log_q - teacher(x))


def kl_by_distribution(draw, teacher, noise):
    x, log_det = draw(noise)
    base = Independent(Normal(torch.zeros_like(noise), 1.0), 1)
    return (base.log_prob(noise) - log_det - teacher(x)).sum() / len(noise)


def kl_by_parts(draw, teacher, noise):
    parts = [distillation_loss(draw, teacher, rows) for rows in noise.chunk(10)]
    return sum(parts) / len(parts)


def fresh(draw, teacher, noise):
    return distillation_loss(draw, teacher, torch.randn_like(noise))


def seeded(draw, teacher, noise):
    rng = torch.Generator().manual_seed(5)
    return distillation_loss(draw, teacher, torch.randn(noise.shape, generator=rng))


def entropy_known(draw, teacher, noise):
    x, log_det = draw(noise)
    return -0.5 * noise.shape[1] * math.log(2 * math.pi * math.e) - (log_det + teacher(x)).mean()


def frozen(draw, teacher, noise):
    with torch.no_grad():
        log_p = teacher(draw(noise)[0])
    return distillation_loss(draw, lambda x: log_p, noise)


def terms(way):
    def candidate(draw, teacher, noise):
        x, log_det = draw(noise)
        return way(x, log_det, teacher, noise, Normal(0.0, 1.0).log_prob(noise).sum(1))

    return candidate


RIGHT = {
    "flows.maf_forward": {
        "a loop into zeros": forward_by_loop,
        "by densities": forward_by_density,
        "numpy": forward_in_numpy,
        "a list": lambda x, net: list(maf_forward(x, net)),
        "in float64": lambda x, net: maf_forward(x.double(), net),
    },
    "flows.maf_inverse": {
        "whole passes": inverse_by_passes,
        "row by row into zeros": inverse_by_rows,
        "torch.where": inverse_from_nan,
        "in float64": lambda z, net, order: maf_inverse(z.double(), net, order),
        "an array": lambda z, net, order: maf_inverse(z, net, order).numpy(),
    },
    "flows.passes": {
        "a list": lambda d, k: [k, d * k, d * k, k],
        "a tensor": lambda d, k: torch.tensor(passes(d, k)),
        "numpy": lambda d, k: k * np.array([1, d, d, 1]),
        "floats": lambda d, k: tuple(map(float, passes(d, k))),
    },
    "flows.distillation_loss": {
        "by hand": kl_by_hand,
        "a distribution": kl_by_distribution,
        "in ten parts": kl_by_parts,
        "in float64": terms(lambda x, log_det, p, z, base: (base.double() - log_det.double() - p(x).double()).mean()),
        "of shape (1,)": lambda draw, p, z: kl_by_hand(draw, p, z)[None],
    },
    "flows.wrong_order_gap": {"rounded": 0.33, "a tensor": torch.tensor(0.3355), "numpy": np.float32(0.34)},
}
WRONG = {
    "flows.maf_forward": {
        "e^s z": (forward(lambda x, mean, s: (x - mean) * s.exp()), "sign"),
        "+ μ": (forward(lambda x, mean, s: (x + mean) * (-s).exp()), "sign"),
        "scaled first": (forward(lambda x, mean, s: x * (-s).exp() - mean), "one-to-one"),
        "not scaled": (forward(lambda x, mean, s: x - mean), ""),
        "divided by s": (forward(lambda x, mean, s: (x - mean) / s), ""),
        "a variance": (forward(lambda x, mean, s: (x - mean) * (-s / 2).exp()), ""),
        "no log-det": (forward(log_det=lambda s: 0 * s.sum(1)), "constant"),
        "a mean": (forward(log_det=lambda s: -s.mean(1)), "reduction"),
        "twice": (forward(log_det=lambda s: -2 * s.sum(1)), "spread"),
        "of the batch": (forward(log_det=lambda s: -s.sum().expand(len(s))), "shape"),
        "one number": (forward(log_det=lambda s: -s.sum()), "shape"),
        "the slope": (forward(log_det=lambda s: (-s).exp().sum(1)), ""),
        "z alone": (lambda x, net: maf_forward(x, net)[0], "container"),
        "x moved": (lambda x, net: (x.sub_(net(x)[0]), -net(x)[1].sum(1)), "mutation"),
    },
    "flows.maf_inverse": {
        "forwards in the loop": (stepwise(lambda z, mean, s: (z - mean) * (-s).exp()), "sign"),
        "exp forgotten": (stepwise(lambda z, mean, s: mean + s * z), "sign"),
        "(z + μ) e^s": (stepwise(lambda z, mean, s: (z + mean) * s.exp()), "sign"),
        "e^{−s}": (stepwise(lambda z, mean, s: mean + (-s).exp() * z), "sign"),
        "z permuted": (stepwise(right_step, pick=lambda z, order: z[:, order]), "one-to-one"),
        "the output permuted": (stepwise(right_step, put=lambda x, order: x[:, order]), "one-to-one"),
        "columns stacked in the order": (
            stepwise(right_step, put=lambda x, order: torch.stack([x[:, i] for i in order], 1)),
            "one-to-one",
        ),
        "two passes": (lambda z, net, order: inverse_by_passes(z, net, order[:2]), ""),
        "the last one left out": (lambda z, net, order: maf_inverse(z, net, order[:-1]), "dependence"),
        "backwards": (lambda z, net, order: maf_inverse(z, net, order[::-1]), "dependence"),
        "the net asked once": (lambda z, net, order: (m := net(0 * z))[0] + m[1].exp() * z, "dependence"),
        "one column": (lambda z, net, order: maf_inverse(z, net, order)[:, 0], "shape"),
        "into z": (into_z, "mutation"),
    },
    "flows.passes": {
        "both like MAF": (lambda d, k: (k, d * k, k, d * k), "sign"),
        "exchanged": (lambda d, k: (d * k, k, k, d * k), "direction"),
        "costs added": (lambda d, k: (k, d + k, d + k, k), ""),
        "the first for nothing": (lambda d, k: (k, (d - 1) * k, (d - 1) * k, k), ""),
        "layers forgotten": (lambda d, k: (1, d, d, 1), "reduction"),
        "all slow": (lambda d, k: (d * k,) * 4, ""),
        "two numbers": (lambda d, k: (k, d * k), "shape"),
        "a string": (lambda d, k: "k, dk, dk, k", "container"),
    },
    "flows.distillation_loss": {
        "fresh noise": (fresh, "randomness"),
        "noise of its own seed": (seeded, ""),
        "minus": (lambda draw, p, z: -distillation_loss(draw, p, z), "one-to-one"),
        "the base at x": (
            terms(lambda x, log_det, p, z, _: (Normal(0.0, 1.0).log_prob(x).sum(1) - log_det - p(x)).mean()),
            "dependence",
        ),
        "the teacher at z": (terms(lambda x, log_det, p, z, base: (base - log_det - p(z)).mean()), "dependence"),
        "|·| of the mean": (lambda draw, p, z: distillation_loss(draw, p, z).abs(), ""),
        "the log-det detached": (
            terms(lambda x, log_det, p, z, base: (base - log_det.detach() - p(x)).mean()),
            "",
        ),
        "|·|": (terms(lambda x, log_det, p, z, base: (base - log_det - p(x)).abs().mean()), ""),
        "no log-det": (terms(lambda x, log_det, p, z, base: (base - p(x)).mean()), "sign"),
        "a sum": (terms(lambda x, log_det, p, z, base: (base - log_det - p(x)).sum()), "reduction"),
        "the entropy in closed form": (entropy_known, ""),
        "a frozen teacher": (frozen, "gradient"),
        "the draws detached": (
            lambda draw, p, z: distillation_loss(lambda e: tuple(part.detach() for part in draw(e)), p, z),
            "gradient",
        ),
        "x detached": (
            lambda draw, p, z: distillation_loss(lambda e: (draw(e)[0].detach(), draw(e)[1]), p, z),
            "gradient",
        ),
        "no mean": (terms(lambda x, log_det, p, z, base: base - log_det - p(x)), "shape"),
        "a float": (lambda draw, p, z: distillation_loss(draw, p, z).item(), "gradient"),
    },
    "flows.wrong_order_gap": {
        "the loss": (3.8665, "reduction"),
        "the entropy": (3.531, "reduction"),
        "bits": (0.484, "log-mean"),
        "minus": (-0.335, "direction"),
        "half of ln 2": (math.log(2) / 2, ""),
        "one": (1.0, ""),
        "NaN": (math.nan, "not-finite"),
        "three": ([0.3, 0.33, 0.34], "container"),
    },
}
