"""The laws of maps of pixels hold on right answers, written in more than one way, and catch each planted bug."""

from functools import partial

import torch
import torch.nn.functional as F

from gmcourse.laws.autoregressive import grids as laws


def skew(x):
    height, width = x.shape[2:]
    rows = [F.pad(row, (r, height - 1 - r)) for r, row in enumerate(x.unbind(2))]
    return torch.stack(rows, 2)


def skew_at_once(x):
    height, width = x.shape[2:]
    flat = F.pad(x, (0, height)).flatten(2)[..., : height * (height + width - 1)]
    return flat.view(*x.shape[:3], height + width - 1)


def unskew(s):
    height = s.shape[2]
    width = s.shape[3] - height + 1
    return torch.stack([row[..., r : r + width] for r, row in enumerate(s.unbind(2))], 2)


def unskew_by_gather(s):
    height, wide = s.shape[2:]
    columns = torch.arange(height)[:, None] + torch.arange(wide - height + 1)
    return s.gather(3, columns.expand(*s.shape[:2], *columns.shape))


def down(x):
    return torch.cat([torch.zeros_like(x[:, :, :1]), x[:, :, :-1]], 2)


def join_by_loop(left, right):
    out = left.clone()
    for r in range(1, left.shape[2]):
        out[:, :, r] += right[:, :, r - 1]
    return out


MISSED = partial(laws.counts_what_row_lstm_misses, size=8, kernel=3)
RIGHT = {
    laws.diagonals_become_columns: (skew, skew_at_once),
    laws.rows_come_back: (unskew, unskew_by_gather),
    laws.own_row_is_seen_from_the_left: (lambda left, right: left + down(right), join_by_loop),
    MISSED: (567, 567.0, torch.tensor(567)),
    partial(laws.counts_what_row_lstm_misses, size=8, kernel=7): (200,),
}
BUGS = {
    laws.diagonals_become_columns: {
        "to the left": (lambda x: skew(x.flip(2)).flip(2), "direction"),
        "not moved": (lambda x: F.pad(x, (0, x.shape[2] - 1)), "constant"),
        "rolled round": (lambda x: torch.stack([r.roll(i, -1) for i, r in enumerate(x.unbind(2))], 2), "shape"),
        "rolled round, then widened": (
            lambda x: F.pad(torch.stack([r.roll(i, -1) for i, r in enumerate(x.unbind(2))], 2), (0, x.shape[2] - 1)),
            "dependence",
        ),
        "one column further": (lambda x: F.pad(skew(x), (1, -1)), "spread"),
        "one column further, rolled": (lambda x: skew(x).roll(1, 3), "spread"),
        "an idle column": (lambda x: F.pad(skew(x), (0, 1)), "shape"),
        "ones around": (lambda x: torch.where(skew(torch.ones_like(x)) == 0, 1.0, skew(x)), ""),
    },
    laws.rows_come_back: {
        "off by one": (lambda s: unskew(s.roll(-1, 3)), "spread"),
        "moved on, not back": (
            lambda s: torch.stack([r.roll(i + 1, -1) for i, r in enumerate(s.unbind(2))], 2)[..., : unskew(s).shape[3]],
            "direction",
        ),
        "the first columns": (lambda s: s[..., : s.shape[3] - s.shape[2] + 1], "constant"),
        "the last columns": (lambda s: s[..., s.shape[2] - 1 :], "constant"),
        "the other way": (lambda s: unskew(s.flip(2)).flip(2), "direction"),
        "still wide": (lambda s: s, "shape"),
    },
    laws.own_row_is_seen_from_the_left: {
        "not shifted": (lambda left, right: left + right, "dependence"),
        "rolled": (lambda left, right: left + right.roll(1, 2), "dependence"),
        "shifted up": (lambda left, right: left + down(right.flip(2)).flip(2), "direction"),
        "by a column": (lambda left, right: left + down(right.mT).mT, "direction"),
        "by a column to the left": (lambda left, right: left + F.pad(right, (0, 1))[..., 1:], "direction"),
        "rolled by a column": (lambda left, right: left + right.roll(1, 3), "direction"),
        "down and by a column": (lambda left, right: left + down(down(right).mT).mT, "direction"),
        "the left one by a column": (lambda left, right: down(left.mT).mT + right, "direction"),
        "the left one shifted": (lambda left, right: down(left) + right, "direction"),
        "both shifted": (lambda left, right: down(left + right), "spread"),
        "shifted twice": (lambda left, right: left + down(down(right)), "spread"),
        "subtracted": (lambda left, right: left - down(right), "sign"),
        "left alone": (lambda left, right: left, "constant"),
        "mean": (lambda left, right: (left + down(right)) / 2, "reduction"),
        "mirrored": (lambda left, right: left + down(right).flip(3), "one-to-one"),
        "side by side": (lambda left, right: torch.cat([left, down(right)], 1), "shape"),
    },
    MISSED: {
        "seen": (1449, "direction"),
        "all": (2016, "constant"),
        "none": (0, "reduction"),
        "the triangle of states": (812, "dependence"),
        "the other kernel": (200, "one-to-one"),
        "of 9 × 9": (980, "shape"),
        "the share of 9 × 9": (610, "shape"),
        "the own row forgotten": (447, "spread"),
        "a share": (0.28, "reduction"),
        "forgotten features": (700, "dependence"),
        "another": (580, ""),
        "a word": ("567", "container"),
    },
}
