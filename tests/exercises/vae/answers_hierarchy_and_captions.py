"""Answers to the exercises of lesson 04.5, right and wrong."""

import math

import numpy as np
import torch
from torch.nn import functional as F

from gmcourse.vae.captions import drop_captions, guided_logits
from gmcourse.vae.hierarchy import total_bits
from gmcourse.vae.spectral import spectral_distance


def row_by_loop(caption, codes, words):
    rows = []
    for said, shown in zip(caption.tolist(), codes.tolist()):
        rows.append(said + [words + k for k in shown])
    return torch.tensor(rows)


def dropped_by_loop(caption, u, share, none):
    rows = caption.clone()
    for i in range(len(rows)):
        if u[i] < share:
            rows[i] = none
    return rows


def dropped_in_place(caption, u, share, none):
    caption[u < share] = none
    return caption


def distance_by_loop(ours, theirs):
    total = 0.0
    for x, y in zip(ours, theirs):
        gap = torch.sqrt(x.real**2 + x.imag**2) - torch.sqrt(y.real**2 + y.imag**2)
        total = total + torch.sqrt((gap**2).sum(-1).sum(-1))
    return total / len(ours)


def distance_by_numpy(ours, theirs):
    gaps = [np.abs(x.numpy()) - np.abs(y.numpy()) for x, y in zip(ours, theirs)]
    return np.mean([np.sqrt((gap**2).sum((1, 2))) for gap in gaps], 0)


def bits_by_loop(top, bottom, residual):
    sums = [[part[i].double().sum().item() for part in (top, bottom, residual)] for i in range(len(top))]
    return [-sum(row) / math.log(2) for row in sums]


RIGHT = {
    "vae.caption_row": {
        "loop": row_by_loop,
        "hstack": lambda c, k, w: torch.hstack((c, k + w)),
        "numpy": lambda c, k, w: np.concatenate([c.numpy(), w + k.numpy()], axis=1),
        "padded": lambda c, k, w: F.pad(c, (0, k.shape[1])) + F.pad(k + w, (c.shape[1], 0)),
        "floats": lambda c, k, w: torch.cat([c, k + w], 1).float(),
    },
    "vae.drop_captions": {
        "loop": dropped_by_loop,
        "masked_fill": lambda c, u, s, none: c.masked_fill((u < s).unsqueeze(1), none),
        "arithmetic": lambda c, u, s, none: (u < s).long()[:, None] * (none - c) + c,
        "numpy": lambda c, u, s, none: np.where(u.numpy()[:, None] < s, none, c.numpy()),
        "transposed": lambda c, u, s, none: torch.where(u < s, none, c.T).T,
    },
    "vae.guided_logits": {
        "difference": lambda p, q, w: p + w * (p - q),
        "log-probabilities": lambda p, q, w: (1 + w) * F.log_softmax(p, 1) - w * F.log_softmax(q, 1),
        "probabilities and their powers": lambda p, q, w: (p.softmax(1) ** (1 + w) / q.softmax(1) ** w).log(),
        "lerp": lambda p, q, w: torch.lerp(q, p, 1 + w),
        "float64": lambda p, q, w: (1 + w) * p.double() - w * q.double(),
        "einsum": lambda p, q, w: torch.einsum("s,sbv->bv", torch.tensor([1 + w, -w]), torch.stack([p, q])),
    },
    "vae.spectral_distance": {
        "loop": distance_by_loop,
        "numpy": distance_by_numpy,
        "norm": lambda x, y: sum((a.abs() - b.abs()).norm(dim=(1, 2)) for a, b in zip(x, y)) / len(x),
        "matrix norm": lambda ours, theirs: torch.stack(
            [torch.linalg.matrix_norm(x.abs() - y.abs()) for x, y in zip(ours, theirs)]
        ).mean(0),
        "polar": lambda ours, theirs: (
            torch.stack([torch.dist(x[i].abs(), y[i].abs()) for x, y in zip(ours, theirs) for i in range(len(x))])
            .view(len(ours), -1)
            .mean(0)
        ),
    },
    "vae.total_bits": {
        "loop": bits_by_loop,
        "one line": lambda t, b, r: -(t.sum(1) + b.sum(1) + r.flatten(1).sum(1)) / math.log(2),
        "log2": lambda t, b, r: -torch.cat([t, b, r.flatten(1)], 1).sum(1) * math.log2(math.e),
        "probabilities": lambda t, b, r: -torch.log2(torch.cat([t, b, r.flatten(1)], 1).double().exp()).sum(1),
        "numpy": lambda t, b, r: -sum(p.numpy().reshape(len(p), -1).sum(1) for p in (t, b, r)) / np.log(2),
    },
    "vae.caption_worth": {
        "float": 3.912,
        "math": math.log(50),
        "tensor": torch.tensor(50.0).log(),
        "entropy": -sum(math.log(1 / 50) / 50 for _ in range(50)),
        "numpy": np.log(50),
    },
}
WRONG = {
    "vae.caption_row": {
        "by the largest word": (lambda c, k, w: torch.cat([c, k + int(c.max()) + 1], 1), "one-to-one"),
        "one short": (lambda c, k, w: torch.cat([c, k + w - 1], 1), "one-to-one"),
        "one id left out": (lambda c, k, w: torch.cat([c, k + w + 1], 1), "spread"),
        "codes first": (lambda c, k, w: torch.cat([k + w, c], 1), "direction"),
        "both moved": (lambda c, k, w: torch.cat([c, k], 1) + w, "constant"),
        "one above the other": (lambda c, k, w: torch.cat([c[:, :2], k[:, :2] + w], 0), "shape"),
        "codes alone": (lambda c, k, w: k + w, "shape"),
        "the codes are changed": (lambda c, k, w: torch.cat([c, k.add_(w)], 1), "mutation"),
        "embedded": (lambda c, k, w: F.one_hot(torch.cat([c, k + w], 1)), "shape"),
    },
    "vae.drop_captions": {
        "in place": (dropped_in_place, "mutation"),
        "the other share": (lambda c, u, s, none: drop_captions(c, u, 1 - s, none), "sign"),
        "zeros": (lambda c, u, s, none: c * (u >= s)[:, None], "constant"),
        "all or none": (lambda c, u, s, none: torch.full_like(c, none) if (u < s).any() else c, "dependence"),
        "word by word": (lambda c, u, s, none: torch.where(torch.rand(c.shape) < s, none, c), "reduction"),
        "its own noise": (lambda c, u, s, none: drop_captions(c, torch.rand(len(c)), s, none), "dependence"),
        "never": (lambda c, u, s, none: c, "dependence"),
        "one for each row": (lambda c, u, s, none: torch.where(u < s, none, c[:, 0]), "shape"),
    },
    "vae.guided_logits": {
        "the other count": (lambda p, q, w: (1 - w) * q + w * p, "constant"),
        "guided twice": (lambda p, q, w: p + (1 + w) * (p - q), "constant"),
        "exchanged": (lambda p, q, w: guided_logits(q, p, w), "direction"),
        "the other way": (lambda p, q, w: p + w * (q - p), "direction"),
        "softmax too soon": (lambda p, q, w: guided_logits(p, q, w).softmax(1), "overflow"),
        "logarithm of mixed ones": (
            lambda p, q, w: ((1 + w) * p.softmax(1) - w * q.softmax(1)).log(),
            "not-finite",
        ),
        "not guided": (lambda p, q, w: p, "spread"),
        "sharpened": (lambda p, q, w: p * (1 + w), "spread"),
        "probabilities": (lambda p, q, w: (1 + w) * p.softmax(1) - w * q.softmax(1), "log-mean"),
        "the mean row": (lambda p, q, w: guided_logits(p, q, w)[:1].expand_as(p), "shape"),
        "one code": (lambda p, q, w: guided_logits(p, q, w).argmax(1), "shape"),
    },
    "vae.spectral_distance": {
        "real parts": (
            lambda ours, theirs: sum((x.real - y.real).norm(dim=(1, 2)) for x, y in zip(ours, theirs)) / len(ours),
            "direction",
        ),
        "powers": (
            lambda ours, theirs: (
                sum((x.abs() ** 2 - y.abs() ** 2).norm(dim=(1, 2)) for x, y in zip(ours, theirs)) / len(ours)
            ),
            "spread",
        ),
        "sum over scales": (lambda ours, theirs: spectral_distance(ours, theirs) * len(ours), "reduction"),
        "singular value": (
            lambda ours, theirs: (
                sum(torch.linalg.matrix_norm(x.abs() - y.abs(), ord=2) for x, y in zip(ours, theirs)) / len(ours)
            ),
            "one-to-one",
        ),
        "the longest window": (lambda ours, theirs: spectral_distance(ours[-1:], theirs[-1:]), "dependence"),
        "norms apart": (
            lambda ours, theirs: (
                sum((x.norm(dim=(1, 2)) - y.norm(dim=(1, 2))).abs() for x, y in zip(ours, theirs)) / len(ours)
            ),
            "log-mean",
        ),
        "the batch as one": (lambda ours, theirs: spectral_distance(ours, theirs).mean(), "shape"),
    },
    "vae.total_bits": {
        "nats": (lambda t, b, r: total_bits(t, b, r) * math.log(2), "spread"),
        "top for each bottom code": (lambda t, b, r: total_bits(4 * t, b, r), "constant"),
        "sign": (lambda t, b, r: -total_bits(t, b, r), "sign"),
        "bits for a pixel": (lambda t, b, r: total_bits(t, b, r) / r[0].numel(), "reduction"),
        "the codes": (lambda t, b, r: total_bits(t, b, torch.zeros_like(r)), "dependence"),
        "the residual": (lambda t, b, r: total_bits(0 * t, 0 * b, r), "dependence"),
        "one number": (lambda t, b, r: total_bits(t, b, r).sum(), "shape"),
    },
    "vae.caption_worth": {
        "bits": (5.644, "spread"),
        "how many": (50, "constant"),
        "all pairs": (4.094, "reduction"),
        "sign": (-3.912, "sign"),
        "the lesson's captions": (5.298, "direction"),
        "another": (2.3, ""),
    },
}
