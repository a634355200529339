"""Answers to the exercises of lesson 05.8."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from gmcourse.gan.editing import direction


def by_hand(x, scale, shift):
    mean = x.mean(dim=(2, 3), keepdim=True)
    variance = ((x - mean) ** 2).mean(dim=(2, 3), keepdim=True)
    return scale[:, :, None, None] * (x - mean) / torch.sqrt(variance + 1e-8) + shift[:, :, None, None]


def statistics_held_fixed(x, scale, shift):
    mean, variance = x.detach().mean((2, 3), keepdim=True), x.detach().var((2, 3), correction=0, keepdim=True)
    return scale[..., None, None] * (x - mean) / (variance + 1e-8).sqrt() + shift[..., None, None]


def flattened(x, scale, shift):
    flat = x.flatten(2)
    z = (flat - flat.mean(2, keepdim=True)) / (flat.var(2, keepdim=True, unbiased=False) + 1e-8).sqrt()
    return (scale.unsqueeze(2) * z + shift.unsqueeze(2)).view_as(x)


def map_by_map(x, scale, shift):
    rows = []
    for picture, a, b in zip(x, scale, shift, strict=True):
        maps = [a[c] * (m - m.mean()) / (m.var(correction=0) + 1e-8).sqrt() + b[c] for c, m in enumerate(picture)]
        rows.append(torch.stack(maps))
    return torch.stack(rows)


def pixel_by_pixel(x):
    columns = x.flatten(1).unbind(1)
    spread = sum(((c - c.mean()) ** 2).mean().sqrt() for c in columns) / len(columns)
    return torch.cat([x, spread.repeat(len(x), 1, *x.shape[2:])], 1)


def assigned_last(x):
    out = x.new_empty(len(x), x.shape[1] + 1, *x.shape[2:])
    out[:, :-1] = x
    out[:, -1] = torch.sqrt(((x - x.mean(0)) ** 2).mean(0)).mean()
    return out


def by_numpy_spread(x):
    x = x.detach().numpy()
    return np.concatenate([x, np.full((len(x), 1, *x.shape[2:]), x.std(axis=0).mean(), dtype=x.dtype)], axis=1)


def assigned(first, second, crossover):
    out = first.clone()
    out[crossover:] = second[crossover:]
    return out


def masked(first, second, crossover):
    keep = (torch.arange(len(first)) < crossover).float()[:, None, None]
    return keep * first + (1 - keep) * second


def by_median(w, values, classes):
    total = 0
    for c in classes.unique():
        rows, r = w[classes == c], values[classes == c]
        upper = r > r.median()
        total = total + len(rows) * (rows[upper].mean(0) - rows[~upper].mean(0))
    return total / len(w)


def by_numpy(w, values, classes):
    w, values, classes = w.numpy(), values.numpy(), classes.numpy()
    out = np.zeros(w.shape[1])
    for c in set(classes.tolist()):
        part = np.where(classes == c)[0]
        part = part[np.argsort(values[part])]
        half = len(part) // 2
        out += len(part) / len(w) * (w[part[half:]].mean(0) - w[part[:half]].mean(0))
    return out


def global_halves(w, values, classes):
    order = values.argsort()
    return w[order[len(w) // 2 :]].mean(0) - w[order[: len(w) // 2]].mean(0)


def above_the_mean(w, values, classes):
    out = 0
    for c in classes.unique():
        rows, r = w[classes == c], values[classes == c]
        out = out + len(rows) / len(w) * (rows[r > r.mean()].mean(0) - rows[r <= r.mean()].mean(0))
    return out


def all_ten(w, values, classes):
    gaps = []
    for c in range(10):
        rows = w[classes == c][values[classes == c].argsort()]
        gaps.append(len(rows) / len(w) * (rows[len(rows) // 2 :].mean(0) - rows[: len(rows) // 2].mean(0)))
    return torch.stack(gaps).sum(0)


def over(x, a, b, axes, eps=1e-8):
    mean = x.mean(axes, keepdim=True)
    z = (x - mean) / (x.var(axes, correction=0, keepdim=True) + eps).sqrt()
    return a[..., None, None] * z + b[..., None, None]


RIGHT = {
    "gan.adain": {
        "by hand": by_hand,
        "flattened": flattened,
        "map by map": map_by_map,
        "instance_norm": lambda x, a, b: a[..., None, None] * F.instance_norm(x, eps=1e-8) + b[..., None, None],
        "in double": lambda x, a, b: by_hand(x.double(), a.double(), b.double()),
    },
    "gan.fade": {
        "weights": lambda low, high, alpha: (1 - alpha) * low + alpha * high,
        "lerp": lambda low, high, alpha: low.lerp(high, alpha),
        "two cases": lambda low, high, alpha: high if alpha == 1 else low + alpha * (high - low),
    },
    "gan.minibatch_std": {
        "pixel by pixel": pixel_by_pixel,
        "assigned": assigned_last,
        "ε": lambda x: torch.cat([x, torch.ones_like(x[:, :1]) * (x.var(0, correction=0) + 1e-8).sqrt().mean()], 1),
    },
    "gan.mix": {
        "assigned": assigned,
        "masked": masked,
        "stacked": lambda a, b, k: torch.stack([a[i] if i < k else b[i] for i in range(len(a))]),
    },
    "gan.truncate": {
        "lerp": lambda w, center, psi: torch.lerp(center.expand_as(w), w, psi),
        "two terms": lambda w, center, psi: psi * w + (1 - psi) * center,
        "from the deviation": lambda w, center, psi: w - (1 - psi) * (w - center),
    },
    "gan.truncation_kl": {"two digits": 0.81, "a formula": math.log(0.5) + 2 - 0.5, "a tensor": torch.tensor(0.8069)},
    "gan.held_direction": {"median": by_median, "numpy": by_numpy},
}
WRONG = {
    "gan.adain": {
        "the batch's mean": (lambda x, a, b: over(x, a, b, (0, 2, 3)), "dependence"),
        "all maps together": (lambda x, a, b: over(x, a, b, (1, 2, 3)), "direction"),
        "scale and shift exchanged": (lambda x, a, b: by_hand(x, b, a), "direction"),
        "no ε": (lambda x, a, b: over(x, a, b, (2, 3), eps=0.0), "not-finite"),
        "not scaled": (lambda x, a, b: x - x.mean((2, 3), keepdim=True) + b[..., None, None], ""),
        "not centred": (
            lambda x, a, b: a[..., None, None] * x / x.std((2, 3), correction=0, keepdim=True) + b[..., None, None],
            "log-mean",
        ),
        "nothing added": (lambda x, a, b: by_hand(x, a, 0 * b), "constant"),
        "without a gradient": (lambda x, a, b: by_hand(x, a.detach(), b.detach()), "gradient"),
        "statistics held fixed": (statistics_held_fixed, "gradient"),
        "scale without its sign": (lambda x, a, b: by_hand(x, a.abs(), b), "sign"),
    },
    "gan.fade": {
        "the wrong way": (lambda low, high, alpha: alpha * low + (1 - alpha) * high, "direction"),
        "the old kept whole": (lambda low, high, alpha: low + alpha * high, "constant"),
        "not to the last bit": (lambda low, high, alpha: low + alpha * (high - low), "spread"),
    },
    "gan.minibatch_std": {
        "root after the mean": (
            lambda x: torch.cat([x, x.var(0, correction=0).mean().sqrt().expand_as(x[:, :1])], 1),
            "spread",
        ),
        "over all": (lambda x: torch.cat([x, x.std(correction=0).expand_as(x[:, :1])], 1), "direction"),
        "alone": (lambda x: x.std(0, correction=0).mean(), "shape"),
        "filled with a number": (
            lambda x: torch.cat([x, torch.full_like(x[:, :1], x.std(0, correction=0).mean().item())], 1),
            "gradient",
        ),
        "by numpy": (lambda x: by_numpy_spread(x), "gradient"),
    },
    "gan.mix": {
        "exchanged": (lambda a, b, k: assigned(b, a, k), "direction"),
        "one too far": (lambda a, b, k: assigned(a, b, k + 1), "constant"),
        "always in the middle": (lambda a, b, k: assigned(a, b, 2), "constant"),
        "the first layers of both": (lambda a, b, k: torch.cat([a[:k], b[: 4 - k]]), "one-to-one"),
    },
    "gan.truncate": {
        "to zero": (lambda w, center, psi: psi * w, "constant"),
        "no farther than 1": (lambda w, c, psi: c + min(psi, 1.0) * (w - c), "one-to-one"),
        "no mean added": (lambda w, center, psi: psi * (w - center), "constant"),
        "the rows' own mean": (lambda w, center, psi: w.mean(-2) + psi * (w - w.mean(-2)), "dependence"),
    },
    "gan.truncation_kl": {
        "the other way": (0.318, "direction"),
        "the variance for the deviation": (0.153, "spread"),
        "of the quotient alone": (1.5, "constant"),
        "ln ψ² for ln ψ": (0.114, "constant"),
        "a word": ("0.81", "container"),
    },
    "gan.held_direction": {
        "class let go": (global_halves, "dependence"),
        "turned round": (lambda w, v, c: -by_median(w, v, c), "sign"),
        "cut at the mean": (above_the_mean, "constant"),
        "every digit": (all_ten, "not-finite"),
        "classes alike": (
            lambda w, v, c: torch.stack([direction(w[c == k], v[c == k], 0.5) for k in c.unique()]).mean(0),
            "reduction",
        ),
    },
}
