"""Exercises of lesson 04.6, video."""

import math

import torch

from gmcourse.data.motion import folded
from gmcourse.exercises.drawing import picker, value_law
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.laws.broken import require_value
from gmcourse.laws.vae import motion, video
from gmcourse.metrics.motion import correlation, places
from gmcourse.vae.bricks import codes_ahead, flatten_codes


def codes_to_come(answer: object) -> None:
    """16 frames of 24 × 32 pixels in bricks of 2 × 4 × 4, six frames given: 5 slots of 6 × 8 codes to draw."""
    slips = {
        "direction": 3 * 6 * 8.0,
        "constant": 8 * 6 * 8.0,
        "spread": [10 * 6 * 8.0, 16 * 6 * 8.0],
        "one-to-one": [7 * 6 * 8.0, 2 * 6 * 8.0, 6 * 6 * 8.0],
        "reduction": [5 * 6.0, 5 * 8.0, 6 * 8.0, 5.0],
        "sign": [32.0, 64.0],
        "dependence": [10.0 * 24 * 32, 5.0 * 24 * 32, 8.0 * 24 * 32],
    }
    require_value("codes that the prior draws", answer, 5 * 6 * 8.0, 0.0, slips)


def codes_of_other_clips(seed: int) -> Variant:
    """Clips and bricks of other sizes: `slots` of time, `known` of them given, of rows × columns codes each."""
    pick = picker(seed)
    slots, known, long = pick((7, 9, 10, 11)), pick((2, 4)), pick((2, 3))
    rows, columns, side = pick((5, 7, 9)), pick((9, 10, 11)), pick((4, 8))
    codes, left, pixels = float(rows * columns), slots - known, rows * columns * side * side
    frames, given = slots * long, known * long
    slips = {
        "direction": known * codes,
        "constant": slots * codes,
        "spread": [(frames - given) * codes, frames * codes],
        "one-to-one": [(slots - known + step) * codes for step in (-1, 1)],
        "reduction": [float(left * rows), float(left * columns), codes, float(left)],
        "sign": [32.0, 64.0],
        "dependence": [float(n * pixels) for n in (frames - given, left, slots)],
    }
    size = f"{rows * side} × {columns * side}"
    return Variant(
        f"Clips of {frames} frames of {size} pixels are cut into bricks of {long} × {side} × {side}. {given} frames "
        "are given. How many codes has the prior to draw?",
        laws=(value_law("codes that the prior draws", left * codes, 0.0, slips),),
        reference=int(left * codes),
        wrong=tuple((slips[cause], cause) for cause in ("direction", "constant"))
        + tuple((slips[cause][0], cause) for cause in ("spread", "dependence")),
        hints=(
            "How many slots of time has the clip, and how many of them are known? How many codes has one slot?",
            f"{frames} frames are {slots} slots, {given} of them {known}: {left} slots are left, of {rows} × {columns} "
            "codes each.",
        ),
        causes={"one-to-one": f"{given} frames are given. How many slots are they, and how many are left?"},
    )


EXERCISES = (
    Exercise(
        id="vae.flatten_codes",
        stub='''def flatten_codes(codes):
    """Codes (batch, T, R, C) as rows (batch, T·R·C): slot by slot of time, each
    slot row by row, each row from left to right."""
    raise NotImplementedError''',
        points=1,
        laws=(video.raster_order,),
        reference=flatten_codes,
        hints=(
            "Write down the places of a brick of 2 × 1 × 2 codes in the order in which they are read.",
            "The last axis runs fastest in memory already: `codes.flatten(1)`.",
        ),
        wrong=(
            (lambda codes: codes.permute(0, 2, 3, 1).flatten(1), "direction"),
            (lambda codes: codes.transpose(2, 3).flatten(1), "direction"),
            (lambda codes: codes.flatten(1).flip(1), "direction"),
            (lambda codes: codes.flatten(), "shape"),
        ),
        causes={
            "direction": "Name the first and the second place (slot, row, column) that yours reads. Is the second "
            "(0, 0, 1)?",
            "shape": "A row for each clip: (batch, T·R·C). Which axis has been taken along, or is left over?",
            "container": "A tensor of codes is asked for.",
            "constant": "The codes are put in a row, and none of them changes.",
            "mutation": "The brick that was given is to stay as it was.",
        },
    ),
    Exercise(
        id="vae.folded",
        stub='''def folded(position, room):
    """A straight flight brought back into [0, room] by mirrors at 0 and at room.

    position is a tensor of any shape, and may be many rooms away.
    """
    raise NotImplementedError''',
        points=2,
        laws=(motion.walls_are_mirrors,),
        reference=folded,
        hints=(
            "After a distance of 2 · room the flight repeats itself. What does it do in the second half of it?",
            "A triangle wave: `phase = position % (2 * room)`, then room less the distance of phase from room.",
        ),
        wrong=(
            (lambda position, room: position % room, "constant"),
            (lambda position, room: position.clamp(0, room), "overflow"),
            (lambda position, room: room - (position.abs() - room).abs(), "one-to-one"),
            (lambda position, room: (position % (2 * room) - room).abs(), "direction"),
            (lambda position, room: room - (torch.fmod(position, 2 * room) - room).abs(), "sign"),
        ),
        causes={
            "constant": "One step past the wall at `room`: is the flight at that wall, or at the other one?",
            "overflow": "A ball that meets a wall turns round. Does yours stay there?",
            "one-to-one": "It may meet a wall more than once, and walls on both sides. What does yours do three rooms "
            "away?",
            "direction": "A flight that has met no wall yet is where it is. Where is yours?",
            "sign": "A place lies in [0, room]. Is yours? (`torch.fmod` keeps the sign of a position, `%` does not.)",
            "mutation": "The positions that were given are to stay as they were.",
            "shape": "A place for each position.",
        },
    ),
    Exercise(
        id="vae.places",
        stub='''def places(clips, images):
    """Row and column of the corner where each image fits best, (n, T, 2) int64.

    clips (n, 1, T, H, W), images (n, h, w): one for each clip. `correlation(clips,
    images)` is (n, T, H − h + 1, W − w + 1).
    """
    raise NotImplementedError''',
        points=2,
        laws=(motion.places_are_matched,),
        reference=places,
        hints=(
            "`argmax` over both axes of places at once gives one number. How many places has one row of them?",
            "`best = scores.flatten(2).argmax(2)`; row `best // scores.shape[3]`, column `best % scores.shape[3]`.",
        ),
        wrong=(
            (lambda clips, images: places(clips, images).flip(-1), "direction"),
            (lambda clips, images: places(-clips, images), "sign"),
            (lambda clips, images: places(clips, torch.ones_like(images)), "dependence"),
            (lambda clips, images: places(clips, images)[:, :1].expand(-1, clips.shape[2], -1), "shape"),
            (lambda clips, images: correlation(clips, images).flatten(2).argmax(2), "shape"),
        ),
        causes={
            "direction": "Row first, then column. And by which side is the flat number divided: H, W, or the number of "
            "places in a row?",
            "sign": "Where the image fits, the correlation is large. Do you look for the largest?",
            "dependence": "What is held against the frame: the image of that clip, or something that looks like none?",
            "constant": "The *upper left* corner, counted from 0. Where does yours count from?",
            "shape": "Two numbers for each frame of each clip: (n, T, 2).",
            "reduction": "The best place is one place, no mean of all, nor the best of sums over rows and columns.",
            "one-to-one": "Two whole numbers a frame are asked for.",
            "spread": "The correlation alone is asked for. By what did yours divide?",
        },
    ),
    Exercise(
        id="vae.codes_ahead",
        stub='''def codes_ahead(log_probs, given):
    """Nats of the codes after the first `given`, (batch,), those being told.

    log_probs (batch, n) holds ln p(k_i | k_<i) of every code.
    """
    raise NotImplementedError''',
        points=1,
        laws=(video.ahead_is_scored,),
        reference=codes_ahead,
        hints=(
            "By the chain rule −ln p(k_≥g | k_<g) is a sum over some of the codes. Over which?",
            "`-log_probs[:, given:].sum(1)`.",
        ),
        wrong=(
            (lambda log_probs, given: -log_probs.sum(1), "constant"),
            (lambda log_probs, given: -log_probs[:, :given].sum(1), "direction"),
            (lambda log_probs, given: log_probs[:, given:].sum(1), "sign"),
            (lambda log_probs, given: codes_ahead(log_probs, given) / math.log(2), "log-mean"),
            (lambda log_probs, given: codes_ahead(log_probs, given).mean(), "shape"),
        ),
        causes={
            "constant": "What was told costs nothing, all else does. Is a code too many in your sum, or missing?",
            "direction": "Who is asked: the codes that were given, or those that follow?",
            "sign": "A probability is at most 1. Which sign has −ln p?",
            "reduction": "Log-probabilities of a row are added. Did you divide?",
            "log-mean": "Nats, not bits; and a product of probabilities is a sum of logarithms.",
            "shape": "One number for each clip.",
        },
    ),
    Exercise(
        id="vae.codes_to_come",
        stub="codes_to_come = ...",
        points=1,
        laws=(codes_to_come,),
        reference=5 * 6 * 8,
        hints=(
            "How many slots of time has the clip, and how many of them are known? How many codes has one slot?",
            "16 frames are 8 slots, 6 of them 3: five slots are left, of 24/4 × 32/4 codes each.",
        ),
        wrong=(
            (3 * 6 * 8, "direction"),
            (8 * 6 * 8, "constant"),
            (10 * 6 * 8, "spread"),
            (10 * 24 * 32, "dependence"),
        ),
        causes={
            "direction": "That many are known. How many are not?",
            "constant": "That is the whole clip. Which codes are told?",
            "reduction": "The codes to come have slots, rows and columns. Which of the three is missing?",
            "spread": "Those are frames. How many slots are they?",
            "one-to-one": "Six frames are given. How many slots are they, and how many are left?",
            "sign": "That number is of the lesson's clips. Here frames and sides are others",
            "dependence": "The prior draws codes, not pixels. How many pixels has a brick?",
            "container": "One number, as `codes_to_come = 64`.",
        },
        variant=codes_of_other_clips,
    ),
)
