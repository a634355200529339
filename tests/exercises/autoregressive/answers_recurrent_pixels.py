"""Answers to the exercises of lesson 02.2, right and wrong."""

from fractions import Fraction

import numpy as np
import torch
import torch.nn.functional as F


def skew(x):
    batch, channels, height, width = x.shape
    skewed = torch.zeros(batch, channels, height, height + width - 1)
    for r in range(height):
        skewed[:, :, r, r : r + width] = x[:, :, r]
    return skewed


def skew_by_pixels(x):
    *_, height, width = x.shape
    skewed = x.new_zeros(*x.shape[:3], height + width - 1)
    for r in range(height):
        for c in range(width):
            skewed[:, :, r, r + c] = x[:, :, r, c]
    return skewed


def skew_by_padding(x):
    height = x.shape[2]
    return torch.cat([F.pad(x[:, :, r : r + 1], (r, height - 1 - r)) for r in range(height)], 2)


def skew_by_view(x):
    batch, channels, height, width = x.shape
    wide = torch.cat([x, x.new_zeros(batch, channels, height, height)], 3).reshape(batch, channels, -1)
    return wide[:, :, :-height].reshape(batch, channels, height, width + height - 1)


def skew_by_roll(x):
    wide = F.pad(x, (0, x.shape[2] - 1))
    return torch.stack([torch.roll(wide[:, :, r], r, dims=-1) for r in range(x.shape[2])], 2)


def skew_by_numpy(x):
    x = x.numpy()
    batch, channels, height, width = x.shape
    skewed = np.zeros((batch, channels, height, height + width - 1), dtype=x.dtype)
    for r in range(height):
        skewed[:, :, r, r : r + width] = x[:, :, r]
    return skewed


def skew_by_scatter(x):
    height, width = x.shape[2:]
    columns = (torch.arange(height)[:, None] + torch.arange(width)).expand(x.shape)
    return torch.zeros(*x.shape[:3], height + width - 1).scatter(3, columns, x)


def skew_to_the_left(x):
    *_, height, width = x.shape
    skewed = x.new_zeros(*x.shape[:3], height + width - 1)
    for r in range(height):
        skewed[:, :, r, height - 1 - r : height - 1 - r + width] = x[:, :, r]
    return skewed


def skew_by_slipping_twice(x):
    skewed = x.new_zeros(*x.shape[:3], x.shape[2] + x.shape[3] - 1)
    for r in range(x.shape[2]):
        for c in range(x.shape[3]):
            if 2 * r + c < skewed.shape[3]:
                skewed[:, :, r, 2 * r + c] = x[:, :, r, c]
    return skewed


def skew_of_columns(x):
    return skew(x.mT).mT


def skew_in_place(x):
    for r in range(x.shape[2]):
        x[:, :, r] = x[:, :, r].roll(r, -1)
    return F.pad(x, (0, x.shape[2] - 1))


def unskew(skewed):
    height = skewed.shape[2]
    width = skewed.shape[3] + 1 - height
    return torch.stack([skewed[:, :, r, r : r + width] for r in range(height)], dim=2)


def unskew_by_view(skewed):
    batch, channels, height, wide = skewed.shape
    flat = torch.cat([skewed.reshape(batch, channels, -1), skewed.new_zeros(batch, channels, height)], 2)
    return flat.view(batch, channels, height, wide + 1)[..., : wide + 1 - height]


def unskew_by_roll(skewed):
    rows = [skewed[:, :, r].roll(-r, -1) for r in range(skewed.shape[2])]
    return torch.stack(rows, 2)[..., : skewed.shape[3] - skewed.shape[2] + 1]


def unskew_by_numpy(skewed):
    s = skewed.numpy()
    return np.stack([s[:, :, r, r : r + s.shape[3] - s.shape[2] + 1] for r in range(s.shape[2])], axis=2)


def unskew_of_zeros(skewed):
    """Takes what is not 0: right for a map of pixels, wrong for one of states."""
    mask = skew(torch.ones_like(unskew(skewed))) > 0
    return skewed[mask].view(unskew(skewed).shape)


def join(left, right):
    return left + torch.cat([torch.zeros_like(right[:, :, :1]), right[:, :, :-1]], dim=2)


def join_by_loop(left, right):
    rows = [left[:, :, 0]]
    for r in range(1, left.shape[2]):
        rows.append(left[:, :, r] + right[:, :, r - 1])
    return torch.stack(rows, 2)


def join_by_roll(left, right):
    moved = right.roll(1, 2)
    moved[:, :, 0] = 0
    return left + moved


def join_by_matrix(left, right):
    below = torch.diag(torch.ones(left.shape[2] - 1), -1)
    return left + torch.einsum("rs,bhsc->bhrc", below, right)


def join_in_place(left, right):
    left[:, :, 1:] += right[:, :, :-1]
    return left


def join_by_product(left, right):
    return left * join(torch.zeros_like(left), right)


def triangle():
    missed = 0
    for r in range(8):
        for c in range(8):
            for i in range(r + 1):
                for j in range(8 if i < r else c):
                    low, high = (c - 2, c - 1) if i == r else (c - (r - i) - 2, c + (r - i))
                    missed += not low <= j <= high
    return missed


RIGHT = {
    "autoregressive.skew": {
        "rows": skew,
        "pixels": skew_by_pixels,
        "padding": skew_by_padding,
        "view": skew_by_view,
        "roll of a wide map": skew_by_roll,
        "numpy": skew_by_numpy,
        "scatter": skew_by_scatter,
        "in float64": lambda x: skew(x).double(),
    },
    "autoregressive.unskew": {
        "rows": unskew,
        "view": unskew_by_view,
        "roll": unskew_by_roll,
        "numpy": unskew_by_numpy,
        "by mask": unskew_of_zeros,
        "diagonals": lambda s: torch.cat(
            [s[:, :, [r]][..., r : r + s.shape[3] - s.shape[2] + 1] for r in range(s.shape[2])], 2
        ),
    },
    "autoregressive.join": {
        "cat": join,
        "loop": join_by_loop,
        "roll": join_by_roll,
        "matrix": join_by_matrix,
        "pad": lambda left, right: left + F.pad(right[:, :, :-1], (0, 0, 1, 0)),
        "numpy": lambda left, right: left.numpy() + np.pad(right.numpy(), ((0, 0), (0, 0), (1, 0), (0, 0)))[:, :, :-1],
    },
    "autoregressive.missed_pixels": {
        "a fraction": Fraction(567),
        "number": 567,
        "counted": triangle(),
        "float": 567.0,
        "tensor": torch.tensor(567),
        "array": np.array([567]),
        "2,016 less what is seen": 2016 - 1449,
    },
}
WRONG = {
    "autoregressive.skew": {
        "relu": (lambda x: skew(x).relu(), ""),
        "mirrored": (lambda x: skew(x.flip(3)), "direction"),
        "upside down": (lambda x: skew(x.flip(2)), "direction"),
        "one less": (lambda x: F.pad(skew(x)[..., 1:], (0, 1)), "spread"),
        "zeros on the left": (lambda x: F.pad(x, (x.shape[2] - 1, 0)), "constant"),
        "to the left": (skew_to_the_left, "direction"),
        "as it was": (lambda x: x, "shape"),
        "widened alone": (lambda x: F.pad(x, (0, x.shape[2] - 1)), "constant"),
        "roll": (lambda x: torch.stack([x[:, :, r].roll(r, -1) for r in range(x.shape[2])], 2), "shape"),
        "twice as far": (skew_by_slipping_twice, "spread"),
        "2n columns": (lambda x: F.pad(skew(x), (0, 1)), "shape"),
        "columns for rows": (skew_of_columns, "shape"),
        "in place": (skew_in_place, "mutation"),
        "nothing": (lambda x: None, "container"),
        "negative": (lambda x: -skew(x), ""),
        "channels added": (lambda x: skew(x).sum(1, keepdim=True), "shape"),
    },
    "autoregressive.unskew": {
        "upside down": (lambda s: unskew(s).flip(2), "direction"),
        "the last columns": (lambda s: s[..., s.shape[2] - 1 :], "constant"),
        "skewed again": (skew, "shape"),
        "the first columns": (lambda s: s[..., : s.shape[3] - s.shape[2] + 1], "constant"),
        "from column r + 1": (lambda s: unskew(s.roll(-1, 3)), "spread"),
        "from column r − 1": (lambda s: unskew(s.roll(1, 3)), "spread"),
        "the other way": (lambda s: unskew(s.flip(2)).flip(2), "direction"),
        "mirrored": (lambda s: unskew(s).flip(3), ""),
    },
    "autoregressive.join": {
        "the first row twice": (
            lambda left, right: left + torch.cat([right[:, :, :1], right[:, :, :-1]], 2),
            "dependence",
        ),
        "a maximum": (lambda left, right: torch.maximum(left, F.pad(right, (0, 0, 1, -1))), "reduction"),
        "no shift": (lambda left, right: left + right, "dependence"),
        "rolled": (lambda left, right: left + torch.roll(right, 1, dims=2), "dependence"),
        "up": (lambda left, right: left + torch.roll(right, -1, dims=2), "direction"),
        "to the right": (lambda left, right: left + F.pad(right, (1, -1)), "direction"),
        "the wrong one": (lambda left, right: join(right, left), "direction"),
        "both": (lambda left, right: join(torch.zeros_like(left), left + right), "spread"),
        "by two": (lambda left, right: left + F.pad(right, (0, 0, 2, 0))[:, :, :-2], "spread"),
        "left": (lambda left, right: left, "constant"),
        "right": (lambda left, right: join(torch.zeros_like(left), right), "constant"),
        "minus": (lambda left, right: left - join(torch.zeros_like(left), right), "sign"),
        "mean": (lambda left, right: join(left, right) / 2, "reduction"),
        "mirrored again": (lambda left, right: join(left, right.flip(3)), "one-to-one"),
        "in place": (join_in_place, "mutation"),
        "a product": (join_by_product, ""),
        "a pair": (lambda left, right: (left, right), "shape"),
    },
    "autoregressive.missed_pixels": {
        "seen": (1449, "direction"),
        "all": (2016, "constant"),
        "none": (0, "reduction"),
        "states alone": (812, "dependence"),
        "two of the own row": (764, "dependence"),
        "7 × 7": (200, "one-to-one"),
        "a share": (567 / 2016, "reduction"),
        "a mean": (567 / 64, "reduction"),
        "off": (560, ""),
        "a word": ("some", "container"),
        "a list": ([567, 2016], "container"),
    },
}
