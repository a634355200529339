"""Answers to the exercises of lesson 08.1, right and wrong."""

import math

import numpy as np
import torch
from sklearn.neighbors import NearestNeighbors


def bias_by_loops(eigenvalues, n, m):
    v = eigenvalues.tolist()
    total = sum(v)
    for i, a in enumerate(v):
        for j, b in enumerate(v):
            total += 0.5 * a * b * (2 if i == j else 1) / (a + b)
    return total / n + total / m


def bias_in_numpy(eigenvalues, n, m):
    v = eigenvalues.numpy()
    pairs = np.outer(v, v) / np.add.outer(v, v) * (1 + np.eye(len(v)))
    return (1 / n + 1 / m) * (v.sum() + pairs.sum() / 2)


def change_bias(means=1.0, pairs=0.5, same=1.0, rate=lambda n, m: 1 / n + 1 / m):
    def answer(v, n, m):
        table = v[:, None] * v / (v[:, None] + v)
        return rate(n, m) * (means * v.sum() + pairs * (table.sum() + same * table.diagonal().sum()))

    return answer


def bias_of_equal_values(eigenvalues, n, m):
    v = eigenvalues.tolist()
    pairs = sum(a * b * (1 + (a == b)) / (a + b) for a in v for b in v)
    return (1 / n + 1 / m) * (sum(v) + pairs / 2)


def balls(real, fake, k, skipped=1, turned=False, rim=True):
    centres, points = (fake, real) if turned else (real, fake)
    reach = torch.cdist(centres, centres).kthvalue(k + skipped).values
    apart = torch.cdist(points, centres)
    return apart <= reach if rim else apart < reach


def neighbours(real, fake, k, **change):
    inside = balls(real, fake, k, **change)
    return inside.sum().item() / (k * len(inside)), inside.any(0).float().mean().item()


def neighbours_by_scikit_learn(real, fake, k):
    reach = NearestNeighbors(n_neighbors=k + 1).fit(real.numpy()).kneighbors(real.numpy())[0][:, -1]
    inside = [np.linalg.norm(fake.numpy() - c, axis=1) <= r for c, r in zip(real.numpy(), reach)]
    return torch.tensor([np.sum(inside) / k / len(fake), np.mean(np.any(inside, axis=1))])


def neighbours_by_loops(real, fake, k):
    hits, covered = 0, 0
    for i in range(len(real)):
        others = sorted((real[i] - real[j]).norm().item() for j in range(len(real)) if j != i)
        inside = sum((real[i] - point).norm().item() <= others[k - 1] for point in fake)
        hits, covered = hits + inside, covered + (inside > 0)
    return [hits / (k * len(fake)), covered / len(real)]


def share(fake, train, held_out, ties=0.5, reduce="amin"):
    near, far = (getattr((fake[:, None] - rows[None]).square().sum(-1), reduce)(dim=1) for rows in (train, held_out))
    return ((near < far) + ties * (near == far)).double().mean().item()


def share_by_signs(fake, train, held_out):
    near, far = (torch.cdist(fake, rows).amin(1) for rows in (train, held_out))
    return 0.5 + 0.5 * torch.sign(far - near).mean()


RIGHT = {
    "comparison.mixture_cost": {
        "base 2": lambda share, dims: -math.log2(share) / dims,
        "nats by hand": lambda share, dims: math.log(1 / share) / (dims * math.log(2)),
        "numpy": lambda share, dims: np.log2(1 / share) / dims,
        "a tensor": lambda share, dims: -torch.tensor(share).log2() / dims,
    },
    "comparison.frechet_bias": {
        "loops": bias_by_loops,
        "numpy": bias_in_numpy,
        "a table": change_bias(),
        "a tensor of one": lambda *a: change_bias()(*a)[None],
    },
    "comparison.density_coverage": {
        "kthvalue": neighbours,
        "scikit-learn": neighbours_by_scikit_learn,
        "loops": neighbours_by_loops,
    },
    "comparison.nearest_share": {"differences": share, "signs": share_by_signs},
    "comparison.rows_needed": {"a number": 1272, "a tensor": torch.tensor(1272.0), "by a formula": 2 * (48 + 12 * 49)},
}
WRONG = {
    "comparison.mixture_cost": {
        "nats": (lambda share, dims: -math.log(share) / dims, "constant"),
        "decimal": (lambda share, dims: -math.log10(share) / dims, "constant"),
        "the rest": (lambda share, dims: -math.log2(max(1e-9, 1 - share)) / dims, "direction"),
        "of all dimensions": (lambda share, dims: -math.log2(share), "reduction"),
        "negative": (lambda share, dims: math.log2(share) / dims, "sign"),
        "the share": (lambda share, dims: share / dims, ""),
        "a text": (lambda share, dims: "0.1", "container"),
    },
    "comparison.frechet_bias": {
        "means": (change_bias(pairs=0.0), "dependence"),
        "covariances": (change_bias(means=0.0), "dependence"),
        "no δ": (change_bias(same=0.0), "constant"),
        "no half": (change_bias(pairs=1.0), "constant"),
        "δ of values": (bias_of_equal_values, "spread"),
        "a quarter": (change_bias(pairs=0.25), "constant"),
        "n alone": (change_bias(rate=lambda n, m: 1 / n), "one-to-one"),
        "2/n": (change_bias(rate=lambda n, m: 2 / n), "one-to-one"),
        "both together": (change_bias(rate=lambda n, m: 1 / (n + m)), "reduction"),
        "negative": (lambda *a: -change_bias()(*a), "sign"),
        "a text": (lambda v, n, m: "small", "container"),
    },
    "comparison.density_coverage": {
        "itself": (lambda *a: neighbours(*a, skipped=0), "one-to-one"),
        "one more": (lambda *a: neighbours(*a, skipped=2), "one-to-one"),
        "turned": (lambda *a: neighbours(*a, turned=True), "direction"),
        "no rim": (lambda *a: neighbours(*a, rim=False), "spread"),
        "precision": (
            lambda r, f, k: (neighbours(r, f, k)[0], balls(r, f, k).any(1).float().mean().item()),
            "reduction",
        ),
        "not over k": (lambda r, f, k: (k * neighbours(r, f, k)[0], neighbours(r, f, k)[1]), "reduction"),
        "a count": (lambda r, f, k: (neighbours(r, f, k)[0], len(r) * neighbours(r, f, k)[1]), "reduction"),
        "exchanged": (lambda *a: neighbours(*a)[::-1], "dependence"),
        "one number": (lambda *a: neighbours(*a)[0], "shape"),
    },
    "comparison.nearest_share": {
        "ties to train": (lambda *a: share(*a, ties=1.0), "one-to-one"),
        "ties to none": (lambda *a: share(*a, ties=0.0), "one-to-one"),
        "held out": (lambda f, t, h: share(f, h, t), "direction"),
        "a count": (lambda f, t, h: len(f) * share(f, t, h), "reduction"),
        "each": (lambda f, t, h: torch.cdist(f, t).amin(1) < torch.cdist(f, h).amin(1), "container"),
    },
    "comparison.rows_needed": {
        "one sample": (636, "one-to-one"),
        "means": (96, "dependence"),
        "covariances": (1176, "dependence"),
        "no δ": (1248, "constant"),
        "no half": (2448, "reduction"),
        "a half too many": (684, "reduction"),
        "a root": (35.7, "spread"),
        "a guess": (1500, ""),
        "a text": ("many", "container"),
    },
}
