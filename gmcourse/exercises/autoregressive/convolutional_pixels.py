"""Exercises of lesson 02.3, convolutional pixels."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product

import torch
from torch import Tensor

from gmcourse.autoregressive import masked_convolution
from gmcourse.exercises.drawing import Pick, first_sound
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.laws.autoregressive import completion, masks, reach
from gmcourse.laws.broken import LawBroken, Slips, require_close, require_numbers


def is_blind(up: int, right: int, first: int, half: int) -> bool:
    """One step up goes through the first kernel, the others through kernels that are narrower."""
    return right > first + half * (up - 1)


def seen_count(layers: int, half: int) -> int:
    """Far = hL to the left in the own row and in hL rows above; to the right h for each row, up to far."""
    far = half * layers
    return far + sum(far + 1 + half * min(up, layers) for up in range(1, far + 1))


def pixel_mask(kernel: int, kind: str, colours: int) -> Tensor:
    """Rows above, the own row to the left, and of the own pixel a triangle of colours."""
    mask = torch.zeros(colours, colours, kernel, kernel)
    middle = kernel // 2
    mask[:, :, :middle] = 1
    mask[:, :, middle, :middle] = 1
    mask[:, :, middle, middle] = torch.ones(colours, colours).tril(-1 if kind == "A" else 0)
    return mask


def complete(logits: Callable[[Tensor], Tensor], x: Tensor, known: Tensor, u: Tensor) -> Tensor:
    """A pass for each pixel that is not known: what it draws is seen by the next."""
    x, width = x.clone(), x.shape[3]
    for r, c in product(range(x.shape[2]), range(width)):
        if not known[0, r, c]:
            zero = logits(x)[:, :, 0, r, c].softmax(1)[:, 0]
            x[:, 0, r, c] = (u[:, r * width + c] >= zero).to(x)
    return x


def mirrored_rows_cost(answer: object) -> None:
    """2 ln 2, ln 2, ln 2 and 0: pixel c of the lower row looks for its source 4 − 2c columns to the right, one row up.

    With kernels of 2h + 1 it is blind where 4 − 2c > h, and then the pixel is a coin to the model.
    """
    law = "what the kernels of 3, 5, 7 and 9 pay above the entropy, in nats"
    coins = torch.tensor([2.0, 1.0, 1.0, 0.0]).double()
    observed = require_numbers(law, answer, 4)
    other = {
        "constant": [[0, 0, 0, 0]],
        "one-to-one": [[2, 2, 1, 1], [2, 1, 1, 1], [3, 2, 2, 1], [2, 2, 1, 0], [3, 2, 1, 0]],
        "reduction": [[1, 1, 1, 0], [1, 0, 0, 0], [1, 1, 0, 0]],
        "direction": [[0, 1, 1, 2]],
        "sign": [[4, 2, 2, 0], [4, 4, 2, 2], [3, 2, 2, 0]],
        "dependence": [[1, 0, 0, 0], [1, 1, 1, 1], [2, 1, 0, 0], [2, 2, 2, 2], [5, 5, 5, 5]],
        "spread": [[7, 6, 6, 5], [5, 5, 5, 5]],
    }
    nats = math.log(2)
    slips = {cause: [nats * torch.tensor(way).double() for way in ways] for cause, ways in other.items()}
    try:
        require_close(law, observed, coins * nats, 0.02, slips | {"log-mean": [coins]})
    except LawBroken as broken:
        raise LawBroken(law, f"your {broken.observed}", "other numbers", broken.cause) from None


def _later_colours(kernel, kind, colours):
    """As if the order of colours held at every tap."""
    return masked_convolution.pixel_mask(kernel, "B", 1, 1) * pixel_mask(kernel, kind, colours)[
        :, :, kernel // 2, kernel // 2
    ].view(colours, colours, 1, 1)


def _cut(kernel, kind, colours):
    mask = pixel_mask(kernel, kind, colours)
    mask[:, :, : kernel // 2, kernel // 2 :] = 0
    return mask


def _below(kernel, kind, colours):
    mask = pixel_mask(kernel, kind, colours)
    mask[:, :, kernel // 2 + 1 :] = 1
    return mask


def _all_at_once(logits, x, known, u):
    return torch.where(known, x, (u.view_as(x) >= logits(x).softmax(1)[:, 0]).float())


def another_mirror(seed: int) -> Variant:
    """The same for rows of another width and other kernels."""
    return first_sound(seed, _mirror, lesson=(2 * math.log(2), math.log(2), math.log(2), 0.0))


def _mirror(pick: Pick) -> Variant:
    width, least = pick(range(8, 25)), pick((1, 2, 3, 4))
    reach = (least, least + pick((1, 2, 3)), least + pick((4, 5, 6)), least + pick((7, 8, 9)))
    away = [width - 1 - 2 * c for c in range(width)]  # columns from a pixel of the lower row to its source
    coins = [sum(a > h for a in away) for h in reach]
    other = {
        "constant": [0, 0, 0, 0],
        "one-to-one": [sum(a >= h for a in away) for h in reach],
        "reduction": [min(count, 1) for count in coins],
        "direction": coins[::-1],
        "sign": [sum(abs(a) > h for a in away) for h in reach],
        "spread": [width + count for count in coins],
    }
    slips = {cause: math.log(2) * torch.tensor(way).double() for cause, way in other.items()}
    slips["log-mean"] = torch.tensor(coins).double()
    sizes = [2 * h + 1 for h in reach]
    return Variant(
        f"Images of two rows and {width} columns. The upper row is {width} fair coins; the lower row is the upper one "
        rf"read from right to left. So the entropy is ${width} \ln 2$. Four deep PixelCNNs are trained until nothing "
        f"more is gained: with square kernels of {', '.join(map(str, sizes))} in all layers. By how many nats an "
        "image does each stay above the entropy? Answer with four numbers, in this order.",
        laws=(partial(_mirrored, expected=coins, sizes=sizes, slips=slips),),
        reference=tuple(math.log(2) * count for count in coins),
        wrong=tuple((slip.tolist(), cause) for cause, slip in slips.items()),
        hints=(
            f"The source of pixel c of the lower row is one row up, {width - 1} − 2c columns to the right. Is it "
            "blind?",
            f"It is where {width - 1} − 2c > h, in kernels of 2h + 1. A pixel that cannot see its source costs ln 2.",
        ),
        causes=_causes_of_mirror(width, sizes),
    )


def _causes_of_mirror(width: int, sizes: list[int]) -> dict[str, str]:
    return {
        "one-to-one": f"At b = h·a a pixel is just seen. Which pixels of the lower row have {width - 1} − 2c above h?",
        "reduction": "More than one pixel of the lower row may be blind to its source. Which ones are?",
        "direction": f"The order is {', '.join(map(str, sizes))}. Do wider kernels see less?",
        "dependence": "A kernel of 2h + 1 looks h columns to the right, one row up. Which pixels see their source?",
        "spread": f"What is paid *above* the entropy is asked for. How much of yours is the entropy, {width} ln 2?",
    }


def _mirrored(answer: object, expected: Sequence[int], sizes: Sequence[int], slips: Mapping[str, Slips]) -> None:
    law = f"what the kernels of {', '.join(map(str, sizes))} pay above the entropy, in nats"
    observed = require_numbers(law, answer, 4)
    try:
        require_close(law, observed, math.log(2) * torch.tensor(expected).double(), 0.02, slips)
    except LawBroken as broken:
        raise LawBroken(law, f"your {broken.observed}", "other numbers", broken.cause) from None


EXERCISES = (
    Exercise(
        id="autoregressive.is_blind",
        stub='''def is_blind(up, right, first, half):
    """True where no depth lets a pixel see another one, up rows above (at least 1).

    It lies `right` columns to the right, < 0 to the left. Kernels are 2 first + 1 wide
    in the first layer and 2 half + 1 in all others; first >= half.
    """
    raise NotImplementedError''',
        points=1,
        laws=(reach.blind_at_any_depth,),
        reference=is_blind,
        hints=(
            "A step to the right is paid for with a step up. How many steps up are there, how far does each lead?",
            "The first layer is there once: it buys `first` columns for one row, the other rows `half` each.",
        ),
        wrong=(
            (lambda up, right, first, half: right >= first + half * (up - 1), "one-to-one"),
            (lambda up, right, first, half: abs(right) > first + half * (up - 1), "sign"),
            (lambda up, right, first, half: right > half * up, "dependence"),
            (lambda up, right, first, half: right > first * up, "spread"),
            (lambda up, right, first, half: right > first + half * up, "reduction"),
            (lambda up, right, first, half: right <= first + half * (up - 1), "direction"),
        ),
        causes={
            "one-to-one": "One kernel of 3 × 3, and the pixel one up and one to the right: is it under the kernel?",
            "sign": "Steps to the left are free, they need no step up. Can a pixel to the left be blind?",
            "dependence": "The first kernel is wider. How far to the right does it look, one row up?",
            "spread": "The wide kernel is used once. How wide are those of all other layers?",
            "reduction": "Each row up is one step. Did the step through the first kernel cost you a row?",
            "direction": "True is asked for where the pixel is *not* seen. What is yours for the pixel right above?",
            "constant": "Some pixels of the row above are seen and some are not. Does your answer depend on how far?",
            "container": "True or False is asked for.",
        },
    ),
    Exercise(
        id="autoregressive.seen_count",
        stub='''def seen_count(layers, half):
    """How many pixels an output depends on, after masked kernels 2 half + 1 wide."""
    raise NotImplementedError''',
        points=2,
        laws=(reach.seen_pixels_are_counted,),
        reference=seen_count,
        hints=(
            "In a row a above, how far to the left does it see, and how far to the right? Count row by row.",
            "h·L to the left; to the right h for each layer that goes up: h·min(a, L). Rows go from 1 to h·L.",
        ),
        wrong=(
            (lambda layers, half: seen_count(layers, half) + 1, "constant"),
            (lambda layers, half: 2 * (half * layers) ** 2 + 2 * half * layers, "one-to-one"),
            (lambda layers, half: (3 * (half * layers) ** 2 + 5 * half * layers) // 2, "spread"),
            (lambda layers, half: (3 * layers**2 + 5 * layers) // 2, "dependence"),
            (
                lambda layers, half: half * layers + sum(half * layers + 1 + half * up for up in range(1, layers + 1)),
                "dependence",
            ),
            (
                lambda layers, half: (
                    half * layers + sum(half * layers + 1 + half * up for up in range(1, half * layers + 1))
                ),
                "gradient",
            ),
            (lambda layers, half: (half * layers) ** 2 + 2 * half * layers, "reduction"),
            (lambda layers, half: (2 * half * layers + 1) ** 2, "sign"),
        ),
        causes={
            "constant": "Mask A hides the own pixel. Is it in your count? One 3 × 3 layer sees 4 pixels.",
            "one-to-one": "That is all of the past as far as the layers reach. Can a path step to the right for free?",
            "spread": "Two layers with h = 1 are not one with h = 2, which goes two columns right with one row up.",
            "dependence": "That is right for h = 1. How many rows does a wider kernel see, and how far in each?",
            "gradient": "One layer of 5 × 5 sees its 12 open taps. How many of them do you count in the upper row?",
            "reduction": "Above to the right there are pixels that are seen, too. Did you count the left part alone?",
            "sign": "The rows below, and the own row to the right, are the future.",
            "direction": "Steps to the left are free: h·L pixels in the own row and in each row above. Are they there?",
            "log-mean": "Is each of your layers a mask A? With mask B, a path may rest where it is for a layer.",
            "shape": "The second layer looks from where the first one looked. How far up do two layers reach?",
            "container": "One whole number is asked for.",
        },
    ),
    Exercise(
        id="autoregressive.pixel_mask",
        stub='''def pixel_mask(kernel, kind, colours):
    """1 where the weight may be used, else 0: (colours, colours, kernel, kernel).

    The first axis is the output's colour, the second the input's, in the order in
    which they are drawn. kernel is odd, kind "A" or "B".
    """
    raise NotImplementedError''',
        points=2,
        laws=(masks.mask_follows_the_order,),
        reference=pixel_mask,
        hints=(
            "Three parts: the rows above, the own row to the left, and the middle, where the colours are in turn.",
            'In the middle a triangle: `torch.ones(colours, colours).tril(-1)` for "A", `.tril()` for "B".',
        ),
        wrong=(
            (lambda kernel, kind, colours: pixel_mask(kernel, "AB".replace(kind, ""), colours), "direction"),
            (lambda *inputs: pixel_mask(*inputs).transpose(0, 1), "dependence"),
            (_below, "sign"),
            (_cut, "reduction"),
            (_later_colours, "spread"),
            (
                lambda kernel, kind, colours: masked_convolution.pixel_mask(kernel, kind).expand(
                    colours, colours, -1, -1
                ),
                "constant",
            ),
            (lambda kernel, kind, colours: pixel_mask(kernel, kind, colours)[0, 0], "shape"),
        ),
        causes={
            "direction": "Mask A is the first layer's, where the input is the image: may the output see its own value?",
            "dependence": "The first axis is the output's colour. Does G see R in your mask, or R see G?",
            "sign": "Which rows are drawn before this one, those above or those below?",
            "reduction": "All pixels of the rows above are the past, those to the right, too. Which did you cut?",
            "one-to-one": "In the own row the pixels to the left are drawn, those to the right are not. Are yours?",
            "constant": "At the own pixel the colours come in turn. Which of the pairs of colours may be used there?",
            "spread": "The order of colours matters at the own pixel alone. Which does it see of an earlier one?",
            "shape": "A map for each colour on both sides: (colours, colours, kernel, kernel).",
            "container": "A tensor of 0 and 1 is asked for.",
        },
    ),
    Exercise(
        id="autoregressive.complete",
        stub='''def complete(logits, x, known, u):
    """x, (batch, 1, H, W) of 0. and 1., with the pixels that are not known drawn.

    logits(x) is (batch, 2, 1, H, W): of 0 and of 1, at each pixel from the pixels
    before it. known (1, H, W) bool. u (batch, H*W) has a number for each pixel, in
    raster order.
    """
    raise NotImplementedError''',
        points=3,
        laws=(completion.completes_in_turn,),
        reference=complete,
        hints=(
            "A pixel that has been drawn is part of what the next one is drawn from. How many passes does that take?",
            "Where `known` is False, `u[:, k] >= logits(x)[:, :, 0, r, c].softmax(1)[:, 0]`, with k = r W + c, "
            "goes into a copy of x before the next pass.",
        ),
        wrong=(
            (lambda logits, x, known, u: complete(logits, x, torch.zeros_like(known), u), "constant"),
            (_all_at_once, "dependence"),
            (lambda logits, x, known, u: complete(logits, x, known, 0 * u + 0.5), "one-to-one"),
            (lambda logits, x, known, u: complete(logits, x, known, 1 - u), "sign"),
            (lambda logits, x, known, u: complete(logits, x, known, u.flip(1)), "direction"),
            (lambda logits, x, known, u: complete(logits, x, ~known, u), "spread"),
            (
                lambda logits, x, known, u: torch.where(known, x, complete(logits, x, torch.zeros_like(known), u)),
                "log-mean",
            ),
        ),
        causes={
            "constant": "Known pixels stay as they are. Are they the same after your call?",
            "dependence": "What x holds at unknown pixels is no knowledge. What does the next pixel see there?",
            "one-to-one": "The likeliest pixel, each time: how many lower halves can that give? Where does u enter?",
            "sign": "Ink where u ≥ P(0), of a softmax of two logits. How often is that so, if P(0) is 0.9?",
            "direction": "Row after row, each from left to right: pixel (r, c) has the number u[:, r W + c].",
            "spread": "`known` is True where the pixel is seen. Which pixels did you draw?",
            "reduction": "u has a number for *each* pixel, known or not. Which one belongs to the first unknown pixel?",
            "log-mean": "Which comes first? What is known must be there before the pixels after it are drawn.",
            "shape": "Each image of the batch has its own logits and its own row of u, (batch, 1, H, W) comes back.",
            "container": "0. and 1. are asked for: what has been drawn, no probability.",
            "randomness": "The random numbers are handed to you, as u. Did you draw others?",
        },
    ),
    Exercise(
        id="autoregressive.copy_task",
        stub="copy_task = ...",
        points=2,
        laws=(mirrored_rows_cost,),
        reference=(2 * math.log(2), math.log(2), math.log(2), 0.0),
        hints=(
            "The source of pixel c of the lower row is one row up, 4 − 2c columns to the right. Is it blind?",
            "It is where 4 − 2c > h, in kernels of 2h + 1. A pixel that cannot see its source is a coin: ln 2.",
        ),
        wrong=(
            ((0, 0, 0, 0), "constant"),
            ([math.log(2) * k for k in (2, 2, 1, 1)], "one-to-one"),
            ([math.log(2) * k for k in (1, 1, 1, 0)], "reduction"),
            ([math.log(2) * k for k in (0, 1, 1, 2)], "direction"),
            ([math.log(2) * k for k in (4, 2, 2, 0)], "sign"),
            ((2, 1, 1, 0), "log-mean"),
            ([math.log(2) * k for k in (7, 6, 6, 5)], "spread"),
        ),
        causes={
            "constant": "More layers see further, and never around the corner. Where is the source of the first pixel?",
            "one-to-one": "At b = h·a a pixel is just seen. Which pixels of the lower row have 4 − 2c above h?",
            "reduction": "The second pixel of the lower row has its source one row up, two to the right. Who sees it?",
            "direction": "The order is 3 × 3, 5 × 5, 7 × 7, 9 × 9. Do wider kernels see less?",
            "sign": "The last pixels of the lower row have their sources to the left. Is the left blind?",
            "dependence": "A kernel of 2h + 1 looks h columns to the right, one row up. Which of them reach 4 columns?",
            "log-mean": "Nats are asked for. How many nats is a fair coin?",
            "spread": "What is paid *above* the entropy is asked for. How much of yours is the entropy, 5 ln 2?",
            "container": "Four numbers are asked for, as in (0.1, 0.2, 0.3, 0.4).",
            "shape": "Four numbers are asked for, as in (0.1, 0.2, 0.3, 0.4).",
        },
        variant=another_mirror,
    ),
)
