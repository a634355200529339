"""Exercises of lesson 02.2, recurrent pixels."""

from functools import partial

import torch
import torch.nn.functional as F

from gmcourse.autoregressive import diagonal_lstm
from gmcourse.exercises.drawing import Pick, first_sound
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.laws.autoregressive import grids


def _rolled(x):
    """The map widened, each row rolled round by its number."""
    wide = F.pad(x, (0, x.shape[2] - 1))
    return torch.stack([row.roll(r, -1) for r, row in enumerate(wide.unbind(2))], 2)


def missed_elsewhere(seed: int) -> Variant:
    """The same for images of another size and a first layer of 3 × 3 or 5 × 5."""
    return first_sound(seed, _missed, lesson=567)


def _missed(pick: Pick) -> Variant:
    size, kernel = pick((5, 6, 7, 10, 11, 12, 13, 14, 15)), pick((3, 5))
    pairs, right, slips = grids.missed_by_row_lstm(size, kernel)
    wrong = [(slips[cause], cause) for cause in ("direction", "constant", "one-to-one", "spread")]
    wrong += [(value, cause) for cause in ("dependence", "shape", "reduction") for value in slips[cause][:2]]
    return Variant(
        f"How many of the {pairs:,} pairs (a pixel, one before it) does a Row LSTM of one layer with a first layer of "
        f"{kernel} × {kernel} miss on {size} × {size} pixels? Guess the share first; then count without a network, "
        "from what a logit at $(r, c)$ reads: the features at its place and on its left, and three states in the row "
        "above, which read on in the same way. Mind the edges. On 9 × 9 pixels, with 3 × 3, your count must give 980.",
        laws=(partial(grids.counts_what_row_lstm_misses, size=size, kernel=kernel),),
        reference=right,
        wrong=(*wrong, ("many", "container")),
        causes={
            "constant": f"All pairs are {pairs:,}, and a Row LSTM sees some of them and not all.",
            "dependence": f"A state reads features of two places, and each reads {kernel} × {kernel} pixels.",
            "one-to-one": f"That is the count behind a first layer of 7 × 7. Here it is {kernel} × {kernel}.",
            "shape": f"That is of another size. Count on {size} × {size}; the share is not the same.",
            "spread": "Of its own row a pixel sees a few pixels. Which are missed there? Do you count them?",
            "reduction": f"The number of pairs is asked for, of all {size**2} pixels together; no share and no mean.",
        },
    )


EXERCISES: tuple[Exercise, ...] = (
    Exercise(
        id="autoregressive.skew",
        stub='''def skew(x):
    """Row r moved right by r, zeros elsewhere.

    x is (batch, C, H, W), the result (batch, C, H, H + W − 1).
    """
    raise NotImplementedError''',
        points=2,
        laws=(grids.diagonals_become_columns,),
        reference=diagonal_lstm.skew,
        hints=(
            "The pixel (r, c) goes to column r + c. A loop over the rows is fine; then look for a way without one.",
            "Without a loop: pad every row with H zeros to W + H, join all rows, and cut them again one shorter.",
        ),
        wrong=(
            (lambda x: diagonal_lstm.skew(x.flip(2)).flip(2), "direction"),
            (lambda x: F.pad(x, (0, x.shape[2] - 1)), "constant"),
            (lambda x: torch.stack([row.roll(r, -1) for r, row in enumerate(x.unbind(2))], 2), "shape"),
            (lambda x: F.pad(diagonal_lstm.skew(x), (0, 1)), "shape"),
            (lambda x: F.pad(diagonal_lstm.skew(x), (1, -1)), "spread"),
            (lambda x: diagonal_lstm.skew(x).roll(1, 3), "spread"),
        ),
        causes={
            "direction": "Its left neighbour and the pixel above must both stand one column *before* a pixel. Do they?",
            "dependence": "The end of a row stands at its beginning: is a pixel of the future seen as one of the past?",
            "constant": "By how many columns did you move row 0, row 1 and row 2?",
            "spread": "Row 0 stays, and each row moves by one column more than the row above. What does yours do?",
            "shape": "Row 0 ends at column W − 1, and the last row H − 1 columns later. How wide is the map?",
        },
    ),
    Exercise(
        id="autoregressive.unskew",
        stub='''def unskew(skewed):
    """Row r moved back by r: (batch, C, H, H + W − 1) → (batch, C, H, W)."""
    raise NotImplementedError''',
        points=1,
        laws=(grids.rows_come_back,),
        reference=diagonal_lstm.unskew,
        hints=(
            "W is the width of the map less H − 1. Row r of the result is row r of the map, from column r on.",
            "A row: `skewed[:, :, r, r : r + W]`; `torch.stack` of all rows along axis 2 makes the map of them.",
        ),
        wrong=(
            (lambda s: diagonal_lstm.unskew(s.roll(-1, 3)), "spread"),
            (lambda s: s[..., : s.shape[3] - s.shape[2] + 1], "constant"),
            (lambda s: diagonal_lstm.unskew(s.flip(2)).flip(2), "direction"),
            (_rolled, "shape"),
        ),
        causes={
            "direction": "Row 0 was not moved, and the last one most. Which of your rows begins at column 0?",
            "spread": "The pixel (r, c) stands at column r + c: (0, 0) at column 0, and (1, 0) at column 1. Yours?",
            "constant": "Do your rows all begin at column 0 of the map, or all at one other? Where does row r begin?",
            "shape": "H rows of W pixels come back: H − 1 columns fewer. Do you cut by place, or by what is 0?",
        },
    ),
    Exercise(
        id="autoregressive.join",
        stub='''def join(left, right):
    """One map of the two directions, all (batch, h, H, W); right is mirrored back.

    A state of `left` has seen its own row up to itself, one of `right` from itself on.
    """
    raise NotImplementedError''',
        points=2,
        laws=(grids.own_row_is_seen_from_the_left,),
        reference=diagonal_lstm.join,
        hints=(
            "Row r may use what `right` knew one row higher. What may row 0 use of it?",
            "A row of zeros on top of `right`, its last row cut off: `F.pad(right, (0, 0, 1, 0))[:, :, :-1]`.",
        ),
        wrong=(
            (lambda left, right: left + right, "dependence"),
            (lambda left, right: left + right.roll(1, 2), "dependence"),
            (lambda left, right: left + F.pad(right, (0, 0, 0, 1))[:, :, 1:], "direction"),
            (lambda left, right: left + F.pad(right, (0, 1))[..., 1:], "direction"),
            (lambda left, right: F.pad(left + right, (0, 0, 1, 0))[:, :, :-1], "spread"),
            (lambda left, right: left, "constant"),
            (lambda left, right: torch.cat([left, F.pad(right, (0, 0, 1, 0))[:, :, :-1]], 1), "shape"),
        ),
        causes={
            "dependence": "Which pixels has the right map seen in row r, and in the last row? Which does row r get?",
            "direction": "The *right* map goes *down*, by a row and no column. Does row r get what it knew one higher?",
            "spread": "How many rows is each map moved? In its own row, a pixel may use all that lies to its left.",
            "constant": "Does your map know what lies above a pixel and to the right, and what lies to its left?",
            "sign": "The two maps are added.",
            "reduction": "The two maps are added: no mean is taken, and no maximum.",
            "one-to-one": "The right map comes mirrored back. Did you mirror it again?",
            "shape": "One map of the same size is asked for: h features, H rows, W columns.",
        },
    ),
    Exercise(
        id="autoregressive.missed_pixels",
        stub="missed_pixels = ...",
        points=2,
        laws=(partial(grids.counts_what_row_lstm_misses, size=8, kernel=3),),
        reference=567,
        hints=(
            "Count what is seen, pixel by pixel: two of the own row, and `a` rows up the columns c − a − 2 to c + a.",
            "Four loops and a counter: for r, c in the image, for i, j before (r, c), is j outside of those columns?",
        ),
        wrong=(
            (1449, "direction"),
            (2016, "constant"),
            (812, "dependence"),
            (764, "dependence"),
            (200, "one-to-one"),
            (980, "shape"),
            (610, "shape"),
            (605, "shape"),
            (447, "spread"),
            (0.28125, "reduction"),
            ("many", "container"),
        ),
        causes={
            "direction": "That many are seen. How many are missed?",
            "constant": "All pairs are 64 · 63/2 = 2,016, and a Row LSTM sees some of them and not all.",
            "dependence": "A state reads features of two places, and each reads 3 × 3 pixels: the triangle is wider.",
            "one-to-one": "That is the count behind a first layer of 7 × 7. Here it is 3 × 3.",
            "shape": "On 9 × 9 it is 980: does your count give that? Now count on 8 × 8; the share is not the same.",
            "spread": "Of its own row a pixel sees two pixels. Which are missed there? Do you count them?",
            "reduction": "The number of pairs is asked for, of all 64 pixels together; no share and no mean.",
            "container": "One number is asked for, as `missed_pixels = 500`.",
        },
        variant=missed_elsewhere,
    ),
)
