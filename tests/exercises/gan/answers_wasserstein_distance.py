"""Answers to the exercises of lesson 05.4, right and wrong."""

import math

import numpy as np
import torch
from torch.nn.functional import softplus

from gmcourse.gan.losses import gradient_penalty, wgan_critic_loss


def assigned(x, y):
    from scipy.optimize import linear_sum_assignment

    cost = np.abs(x.numpy()[:, None] - y.numpy()[None])
    return cost[linear_sum_assignment(cost)].mean()


def by_cdf(x, y):
    places = torch.cat([x, y]).sort().values
    below = [(sample[:, None] <= places).float().mean(0)[:-1] for sample in (x, y)]
    return ((below[0] - below[1]).abs() * places.diff()).sum()


def sorted_lists(x, y):
    return sum(abs(a - b) for a, b in zip(sorted(x.tolist()), sorted(y.tolist()))) / len(x)


def sorted_in_place(x, y):
    x.copy_(x.sort().values)
    return (x - y.sort().values).abs().mean()


def clipped(bug=""):
    def step(critic, optimizer, real, fake, clip):
        if bug != "kept":
            optimizer.zero_grad()
        loss = critic(fake).mean() - critic(real).mean()
        if bug == "loss":
            loss = loss.clamp(-clip, clip)
        (4 * loss if bug == "sum" else loss).backward()
        if bug == "cleared":
            optimizer.zero_grad()
        optimizer.step()
        with torch.no_grad():
            for p in critic.parameters():
                if bug == "name":
                    p = p.clamp(-clip, clip)
                elif bug == "above":
                    p.clamp_(max=clip)
                elif bug == "positive":
                    p.clamp_(0, clip)
                elif bug == "scaled":
                    p.mul_(clip / p.abs().max())
                elif bug != "loss":
                    p.clamp_(-clip, clip)

    return step


def by_data(critic, optimizer, real, fake, clip):
    optimizer.zero_grad(set_to_none=True)
    (-(critic(real).mean() - critic(fake).mean())).backward()
    optimizer.step()
    for group in optimizer.param_groups:
        for p in group["params"]:
            p.data = p.data.clamp(-clip, clip)


def by_hand(critic, optimizer, real, fake, clip):
    gradients = torch.autograd.grad(wgan_critic_loss(critic, real, fake), list(critic.parameters()))
    for p, g in zip(critic.parameters(), gradients):
        p.grad = g
    optimizer.step()
    for p in critic.parameters():
        p.data.copy_(p.data.minimum(p.new_tensor(clip)).maximum(p.new_tensor(-clip)))


def rows(mix, real):
    return mix.view(-1, *[1] * (real.dim() - 1))


def between(real, fake, mix):
    return rows(mix, real) * real + (1 - rows(mix, real)) * fake


def slopes(critic, x, graph=True):
    x = x.detach().requires_grad_()
    return torch.autograd.grad(critic(x).sum(), x, create_graph=graph)[0].flatten(1)


def penalty_by_loop(critic, real, fake, mix):
    total = 0
    for r, f, m in zip(real, fake, mix):
        x = (m * r + (1 - m) * f)[None].requires_grad_()
        (g,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
        total = total + (g.norm() - 1) ** 2
    return total / len(real)


def penalty_by_vmap(critic, real, fake, mix):
    g = torch.func.vmap(torch.func.grad(lambda x: critic(x[None])[0]))(between(real, fake, mix))
    return ((g.flatten(1).norm(dim=1) - 1) ** 2).mean()


def with_a_gap(critic, real, fake, mix):
    penalty = gradient_penalty(critic, real, fake, mix)
    gap = critic(real).mean() - critic(fake).mean()
    assert gap.isfinite()
    return penalty


def lerped(critic, real, fake, mix):
    x = torch.lerp(fake, real, rows(mix, real)).requires_grad_()
    h = critic(x)
    (g,) = torch.autograd.grad(h, x, torch.ones_like(h), create_graph=True)
    return (g.square().sum(tuple(range(1, g.dim()))).sqrt() - 1).square().mean()


def penalty_where(place):
    return lambda c, real, fake, mix: (slopes(c, place(real, fake, mix)).norm(dim=1) - 1).square().mean()


def penalty_of(rule):
    return lambda c, real, fake, mix: rule(slopes(c, between(real, fake, mix)))


def of_the_mean(critic, real, fake, mix):
    x = between(real, fake, mix).requires_grad_()
    g = torch.autograd.grad(critic(x).mean(), x, create_graph=True)[0].flatten(1)
    return (g.norm(dim=1) - 1).square().mean()


def steepness(h_x, h_y, x, y, norm=2.0):
    h, points = torch.cat([h_x, h_y]), torch.cat([x, y])
    apart = torch.cdist(points, points, p=norm)
    return ((h[:, None] - h).abs() / apart)[apart > 0]


def certified(h_x, h_y, x, y, slope=torch.max, norm=2.0):
    return (h_x.mean() - h_y.mean()) / slope(steepness(h_x, h_y, x, y, norm))


def certified_by_loop(h_x, h_y, x, y):
    h, points = h_x.tolist() + h_y.tolist(), x.tolist() + y.tolist()
    pairs = [(i, j) for i in range(len(h)) for j in range(i) if points[i] != points[j]]
    steepest = max(abs(h[i] - h[j]) / math.dist(points[i], points[j]) for i, j in pairs)
    return (sum(h_x.tolist()) / len(h_x) - sum(h_y.tolist()) / len(h_y)) / steepest


def certified_by_numpy(h_x, h_y, x, y):
    h, points = np.r_[h_x.numpy(), h_y.numpy()], np.r_[x.numpy(), y.numpy()]
    i, j = np.triu_indices(len(h), 1)
    return (h_x.mean().item() - h_y.mean().item()) / (
        np.abs(h[i] - h[j]) / np.linalg.norm(points[i] - points[j], axis=1)
    ).max()


def from_the_diagonal(h_x, h_y, x, y):
    h, points = torch.cat([h_x, h_y]), torch.cat([x, y])
    return (h_x.mean() - h_y.mean()) / ((h[:, None] - h).abs() / (points[:, None] - points).norm(dim=2)).max()


def distance_of_first(h_x, h_y, x, y):
    n = min(len(x), len(y))
    return (x[:n, 0].sort().values - y[:n, 0].sort().values).abs().mean()


def gap(distance, weight):
    return distance + distance**2 / (2 * weight)


RIGHT = {
    "gan.wasserstein_1d": {
        "assignment": assigned,
        "distribution functions": by_cdf,
        "lists": sorted_lists,
        "float64": lambda x, y: (x.double().sort().values - y.double().sort().values).abs().mean(),
        "descending": lambda x, y: (x.sort(descending=True)[0] - y.sort(descending=True)[0]).norm(1) / len(x),
        "shape (1,)": lambda x, y: (x.sort().values - y.sort().values).abs().mean()[None],
    },
    "gan.wgan_critic_loss": {
        "one mean": lambda c, r, f: (c(f) - c(r)).mean(),
        "sums": lambda c, r, f: c(f).sum() / len(f) - c(r).sum() / len(r),
        "in one batch": lambda c, r, f: (lambda h: h[len(r) :].mean() - h[: len(r)].mean())(c(torch.cat([r, f]))),
        "loop": lambda c, r, f: sum(c(x[None])[0] for x in f) / len(f) - sum(c(x[None])[0] for x in r) / len(r),
        "float64": lambda c, r, f: c(f).double().mean() - c(r).double().mean(),
    },
    "gan.clipped_step": {"in place": clipped(), "data": by_data, "gradients by hand": by_hand},
    "gan.gradient_penalty": {
        "loop": penalty_by_loop,
        "vmap": penalty_by_vmap,
        "with the gap, too": with_a_gap,
        "lerp": lerped,
        "einsum": lambda c, r, f, m: (
            (torch.einsum("ni,ni->n", *[slopes(c, between(r, f, m))] * 2).sqrt() - 1).square().mean()
        ),
        "float64": lambda c, r, f, m: gradient_penalty(c, r, f, m).double(),
        "a trifle in the root": penalty_of(lambda g: ((g.square().sum(1) + 1e-12).sqrt() - 1).square().mean()),
    },
    "gan.penalised_gap": {
        "formula": gap,
        "slope": lambda d, w: d * (1 + d / (2 * w)),
        "search": lambda d, w: (
            d * float((s := torch.linspace(0, 60, 600_001, dtype=torch.float64))[(-s * d + w * (s - 1) ** 2).argmin()])
        ),
        "tensor": lambda d, w: torch.tensor(gap(d, w)),
        "array": lambda d, w: np.array([gap(d, w)]),
    },
    "gan.certified_bound": {
        "loop": certified_by_loop,
        "numpy": certified_by_numpy,
        "cdist": certified,
        "across alone": lambda h_x, h_y, x, y: (
            (h_x.mean() - h_y.mean()) / ((h_x[:, None] - h_y).abs() / torch.cdist(x, y)).max()
        ),
        "nan_to_num": lambda h_x, h_y, x, y: (
            (h_x.mean() - h_y.mean())
            / (
                (torch.cat([h_x, h_y])[:, None] - torch.cat([h_x, h_y])).abs()
                / (torch.cat([x, y])[:, None] - torch.cat([x, y])).norm(dim=-1)
            )
            .nan_to_num(0)
            .max()
        ),
        "float64": lambda *a: certified(*(v.double() for v in a)),
    },
}
WRONG = {
    "gan.wasserstein_1d": {
        "W₂": (lambda x, y: (x.sort().values - y.sort().values).square().mean().sqrt(), "log-mean"),
        "the distance of the means": (lambda x, y: (x.mean() - y.mean()).abs(), "dependence"),
        "no absolute value": (lambda x, y: (x.sort().values - y.sort().values).mean(), "dependence"),
        "one sorted": (lambda x, y: (x.sort().values - y).abs().mean(), ""),
        "opposite orders": (lambda x, y: (x.sort().values - y.sort(descending=True).values).abs().mean(), "constant"),
        "median": (lambda x, y: (x.sort().values - y.sort().values).abs().median(), ""),
        "all pairs": (lambda x, y: (x[:, None] - y).abs().mean(), ""),
        "each to its nearest": (lambda x, y: (x[:, None] - y).abs().amin(1).mean(), "one-to-one"),
        "the largest": (lambda x, y: (x.sort().values - y.sort().values).abs().max(), ""),
        "in place": (sorted_in_place, "mutation"),
    },
    "gan.wgan_critic_loss": {
        "absolute gap": (lambda c, r, f: (c(f).mean() - c(r).mean()).abs(), "sign"),
        "fakes alone": (lambda c, r, f: c(f).mean(), "dependence"),
        "half": (lambda c, r, f: wgan_critic_loss(c, r, f) / 2, "reduction"),
        "squared": (lambda c, r, f: wgan_critic_loss(c, r, f) ** 2, ""),
        "real without a gradient": (lambda c, r, f: c(f).mean() - c(r).mean().detach(), "gradient"),
        "a classifier's": (lambda c, r, f: softplus(-c(r)).mean() + softplus(c(f)).mean(), "log-mean"),
        "sigmoids": (lambda c, r, f: c(f).sigmoid().mean() - c(r).sigmoid().mean(), "overflow"),
        "a row for each": (lambda c, r, f: c(f) - c(r), "shape"),
        "with a penalty": (lambda c, r, f: c(f).mean() - c(r).mean() + 10 * gradient_penalty(c, r, f, r[:, 0]), ""),
    },
    "gan.clipped_step": {
        "only above": (clipped("above"), "reduction"),
        "from 0 to clip": (clipped("positive"), "one-to-one"),
        "a name, not the parameter": (clipped("name"), "spread"),
        "zero_grad after backward": (clipped("cleared"), "constant"),
        "the loss clamped": (clipped("loss"), ""),
        "gradients kept": (clipped("kept"), "dependence"),
        "four times the loss": (clipped("sum"), ""),
        "scaled into the box": (clipped("scaled"), ""),
        "nothing": (lambda *a: None, ""),
    },
    "gan.gradient_penalty": {
        "one-sided": (penalty_of(lambda g: (g.norm(dim=1) - 1).clamp(min=0).square().mean()), "sign"),
        "times 10": (lambda *a: 10 * gradient_penalty(*a), ""),
        "the gradient of the mean": (of_the_mean, "dependence"),
        "not squared": (penalty_of(lambda g: (g.norm(dim=1) - 1).abs().mean()), ""),
        "L1 norm": (penalty_of(lambda g: (g.abs().sum(1) - 1).square().mean()), ""),
        "summed": (penalty_of(lambda g: (g.norm(dim=1) - 1).square().sum()), ""),
        "a row for each": (penalty_of(lambda g: (g.norm(dim=1) - 1).square()), "shape"),
        "at the data": (penalty_where(lambda r, f, m: r), "direction"),
        "at the fakes": (penalty_where(lambda r, f, m: f), "direction"),
        "half way": (penalty_where(lambda r, f, m: (r + f) / 2), ""),
        "the first α": (penalty_where(lambda r, f, m: m[0] * r + (1 - m[0]) * f), "one-to-one"),
        "R1": (penalty_of(lambda g: 0.5 * g.square().sum(1).mean()), "constant"),
        "the mean norm": (penalty_of(lambda g: (g.norm(dim=1).mean() - 1).square()), "log-mean"),
        "an α of its own": (lambda c, r, f, m: gradient_penalty(c, r, f, torch.rand_like(m)), "randomness"),
        "no graph": (
            lambda c, r, f, m: (slopes(c, between(r, f, m), False).norm(dim=1) - 1).square().mean(),
            "gradient",
        ),
        "real changed": (lambda c, r, f, m: gradient_penalty(c, r.sub_(f), 0 * f, m), "mutation"),
    },
    "gan.penalised_gap": {
        "the slope": (lambda d, w: 1 + d / (2 * w), "direction"),
        "W²/γ": (lambda d, w: d + d**2 / w, "spread"),
        "the penalty alone": (lambda d, w: d**2 / (2 * w), ""),
        "γ above": (lambda d, w: d + d**2 * w / 2, ""),
        "slope 1": (lambda d, w: d, "constant"),
        "W/2γ": (lambda d, w: d + d / (2 * w), ""),
        "NaN": (lambda d, w: math.nan, "not-finite"),
        "both": (lambda d, w: (gap(d, w), d), "shape"),
    },
    "gan.certified_bound": {
        "median slope": (lambda *a: certified(*a, slope=torch.median), "spread"),
        "95 % quantile": (lambda *a: certified(*a, slope=lambda s: s.quantile(0.95)), "spread"),
        "paired rows": (
            lambda h_x, h_y, x, y: (
                (h_x.mean() - h_y.mean()) / ((h_x[: len(h_y)] - h_y).abs() / (x[: len(y)] - y).norm(dim=1)).max()
            ),
            "reduction",
        ),
        "NaN from the diagonal": (from_the_diagonal, "not-finite"),
        "W₁ of the first coordinate": (distance_of_first, "dependence"),
        "L1 distances": (lambda *a: certified(*a, norm=1.0), "one-to-one"),
        "the largest coordinate": (lambda *a: certified(*a, norm=math.inf), "one-to-one"),
        "first coordinate": (lambda h_x, h_y, x, y: certified(h_x, h_y, x[:, :1], y[:, :1]), "one-to-one"),
        "only if steeper than 1": (
            lambda h_x, h_y, x, y: (h_x.mean() - h_y.mean()) / steepness(h_x, h_y, x, y).max().clamp(min=1),
            "constant",
        ),
        "within x": (lambda a, b, x, y: (a.mean() - b.mean()) / steepness(a, a[:0], x, x[:0]).max(), "reduction"),
        "half": (lambda *a: certified(*a) / 2, "direction"),
        "the gap": (lambda h_x, h_y, x, y: h_x.mean() - h_y.mean(), "constant"),
        "squared slopes": (lambda *a: certified(*a, slope=lambda s: s.max() ** 2), "direction"),
    },
}
