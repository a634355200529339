"""Exercises of lesson 05.7, translation."""

import math

import torch

from gmcourse.exercises.drawing import picker, value_law
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.gan.answers import counted, perfect_maps, share_at
from gmcourse.gan.cycle import cycle_loss
from gmcourse.gan.patch import receptive_field
from gmcourse.laws.broken import require_value
from gmcourse.laws.gan import answers, translation


def price_of_a_draw(answer: object) -> None:
    """10 log10 2: a draw's squared error is twice that of the mean."""
    suspects = {
        "spread": (20 * math.log10(2), 10 * math.log10(math.sqrt(2)), math.log10(2), math.log(2), 10 * math.log(2)),
        "constant": (0.0, 1.0),
        "log-mean": (2.0, 0.5),
        "sign": (-10 * math.log10(2), -20 * math.log10(2), -5 * math.log10(2), -math.log10(2)),
        "reduction": (10 * math.log10(1.5), 10 * math.log10(3)),
    }
    require_value("the loss in PSNR of a perfect draw", answer, 10 * math.log10(2), 0.02, suspects, fit=0.04)


def _kernels_added(layers):
    return sum(kernel for kernel, _ in layers), math.prod(stride for _, stride in layers)


def _wrong_end_first(layers):
    side = step = 1
    for kernel, stride in layers:
        side, step = (side - 1) * stride + kernel, step * stride
    return side, step


def _own_stride_first(layers):
    side = step = 1
    for kernel, stride in layers:
        step *= stride
        side += (kernel - 1) * step
    return side, step


def _never_ends(p, weight, distance):
    c = math.exp(weight * (2 * p - 1) * distance)
    return p * ((2 - p) * c - (1 - p)) / (1 - p + p * c)


def _nearest(k, modes, within):
    return counted(k, modes, within).pure, counted(k, modes, math.inf).shares


def _of_all(k, modes, within):
    pure, shares = counted(k, modes, within)
    return pure, [pure * share for share in shares]


def price_of_another_draw(seed: int) -> Variant:
    """10 log10 (1 + c) for draws whose variance is c times the truth's."""
    share = picker(seed)([k / 20 for k in range(5, 46) if k not in (18, 19, 20, 21, 22)])
    factor = 1 + share
    price = 10 * math.log10(factor)
    suspects = {
        "spread": (2 * price, price / 2, price / 10, math.log(factor), 10 * math.log(factor)),
        "constant": (0.0, 1.0),
        "log-mean": (factor, 1 / factor),
        "sign": tuple(-by * price for by in (1, 2, 0.5, 0.1)),
        "reduction": (10 * math.log10(2), 10 * math.log10(share) or -1.0),
    }
    return Variant(
        "A sampler draws from the right law but for its spread: around the conditional mean its draws have "
        f"{share:g} times the variance of the truth. By how many decibels is its PSNR lower than that of the "
        f"conditional "
        "mean? Give it to within 0.02.",
        laws=(value_law("the loss in PSNR of a draw", price, 0.02, suspects, fit=0.01),),
        reference=price,
        wrong=((2 * price, "spread"), (0.0, "constant"), (-price, "sign"), (torch.tensor(factor), "log-mean")),
        hints=(
            f"The truth and a draw are independent: E (x − x̂)² = Var x + Var x̂, and Var x̂ is {share:g} Var x.",
            f"{factor:g} times the squared error: 10 log10 {factor:g} dB.",
        ),
        causes={
            "constant": "A draw is compared with the truth, which varies. Has the mean the same error as a draw?",
            "reduction": f"E (x − x̂)² is Var x + Var x̂, of which the latter is {share:g} Var x. How much is the sum?",
            "": "Write E (x − x̂)² for the truth and an independent draw, and for the truth and the mean of the law.",
        },
    )


EXERCISES = (
    Exercise(
        id="gan.receptive_field",
        stub='''def receptive_field(layers):
    """(side, step): how many pixels in a row one output sees, and how many pixels
    neighbouring outputs are apart; layers: a list of (kernel, stride), input first."""
    raise NotImplementedError''',
        points=2,
        laws=(translation.field_is_what_gradients_reach,),
        reference=receptive_field,
        hints=(
            "Keep two numbers, side and step. What does a layer add to the side, if its inputs are `step` apart?",
            "side += (kernel - 1) * step, and after that step *= stride; both begin at 1.",
        ),
        wrong=(
            (_kernels_added, "reduction"),
            (_wrong_end_first, "direction"),
            (_own_stride_first, "direction"),
            (lambda layers: (receptive_field(layers)[0], sum(s for _, s in layers)), "one-to-one"),
        ),
        causes={
            "": "By hand, for (4, 2), (4, 2): 4 and step 2, then 4 + 3 · 2 = 10 and step 4. What does yours say?",
            "reduction": "Two inputs of a late layer are more than a pixel apart. How far, after all strides before?",
            "direction": "Do all strides up to a layer count for it, and only those? Its own comes after it.",
            "one-to-one": "Two layers of stride 2: how many pixels is one step of the output?",
            "constant": "Before any layer both are 1, and a layer of kernel 1 adds nothing to the side. And in yours?",
            "shape": "Two numbers are asked for: the side, then the step.",
            "container": "Two numbers are asked for, (side, step). Does your function return them?",
            "mutation": "`layers` is the caller's list: walk over it, `for kernel, stride in layers`.",
        },
    ),
    Exercise(
        id="gan.share_at",
        stub='''def share_at(p, weight, distance):
    """The share q of the commoner answer at which the generator rests, at most 1.

    p is that answer's share in the data, from 0.5; weight the λ of the distance;
    distance the mean |x - y| between the two answers. All are numbers."""
    raise NotImplementedError''',
        points=2,
        laws=(answers.share_is_where_the_slope_is_zero,),
        reference=share_at,
        hints=(
            "Set the slope to 0 and take exp of both sides: the equation is linear in q.",
            "ρ = exp(λ(2p − 1)Δ), q = p((2 − p)ρ − (1 − p)) / (1 − p + pρ), and no more than 1.",
        ),
        wrong=(
            (lambda p, weight, distance: p, "dependence"),
            (_never_ends, "one-to-one"),
            (lambda p, weight, distance: 1 - share_at(p, weight, distance), "sign"),
            (lambda p, weight, distance: 1.0 if p > 0.5 else p, "reduction"),
        ),
        causes={
            "dependence": "Make λ a little larger. Does your share move?",
            "one-to-one": "A share cannot exceed 1. What does the generator do where the equation says more?",
            "sign": "The distance favours the commoner answer. Whose share is yours, and which way does λ pull?",
            "spread": "Put the two answers twice as far apart. Does your share move?",
            "constant": "Leaving the median costs 2p − 1 of the distance: p of the pictures lose, 1 − p gain.",
            "direction": "That is the rest of ln(1 − D). pix2pix's generator minimises −ln D.",
            "reduction": "Yours is 1 at a small λ already. What is it at λ = 0, where the critic is alone?",
            "gradient": "The critic is held while the generator moves: in the slope, D is a number. Is it in yours?",
            "shape": "One number is asked for: q.",
            "container": "One number is asked for: q. Does your function return it?",
            "": "Two values to try: λ = 0 gives q = p, and λ(2p − 1)Δ = ln(1 + 1/p) gives q = 1. And yours?",
        },
    ),
    Exercise(
        id="gan.count_answers",
        stub='''def count_answers(k, modes, within):
    """(pure, shares): the share of answers k, (n,), less than `within` from their nearest
    mode, and a list: of those pure ones, the share at each mode (0 where none is pure)."""
    raise NotImplementedError''',
        points=1,
        laws=(answers.answers_are_counted,),
        reference=counted,
        hints=(
            "(k[:, None] - torch.tensor(modes)).abs() has a row for each answer and a column for each mode.",
            "pure = gaps.amin(1) < within; then gaps.argmin(1)[pure] names the mode of each pure answer.",
        ),
        wrong=(
            (_nearest, "dependence"),
            (_of_all, "reduction"),
            (lambda k, modes, within: (1 - counted(k, modes, within).pure, counted(k, modes, within).shares), "sign"),
            (lambda k, modes, within: counted(k, modes, within).pure, "container"),
        ),
        causes={
            "dependence": "A purple answer is counted at a mode in yours. How far is it from the nearest?",
            "one-to-one": "0.55 is within 0.5 of 0.1 and of 0.8. At which of the two is it counted, and how often?",
            "spread": "An answer that is exactly `within` from a mode is not pure: less than.",
            "shape": "One number, and as many shares as there are modes, 0 for a mode where no answer is.",
            "reduction": "The shares are among the pure answers, and the pure ones among all. Of what are yours?",
            "sign": "Did you count the pure ones, or the others?",
            "direction": "The shares stand in the order of `modes`. Do yours?",
            "container": "Two things are asked for: one number, and a share for each mode.",
            "not-finite": "Where no answer is pure, 0/0 is in the way: the shares are 0 there.",
        },
    ),
    Exercise(
        id="gan.cycle_loss",
        stub='''def cycle_loss(to_b, to_a, a, b):
    """E |F(G(a)) - a| + E |G(F(b)) - b|, with G = to_b and F = to_a; each mean is over
    pictures, channels and pixels. a and b may differ in number and in channels."""
    raise NotImplementedError''',
        points=1,
        laws=(translation.cycle_goes_both_ways,),
        reference=cycle_loss,
        hints=(
            "There are two ways round: from A to B and back, and from B to A and back.",
            "(to_a(to_b(a)) - a).abs().mean() is the first of them.",
        ),
        wrong=(
            (lambda to_b, to_a, a, b: (to_a(to_b(a)) - a).abs().mean(), "dependence"),
            (
                lambda to_b, to_a, a, b: (to_a(to_b(a)) - a).square().mean() + (to_b(to_a(b)) - b).square().mean(),
                "spread",
            ),
            (
                lambda to_b, to_a, a, b: (
                    (to_a(to_b(a).detach()) - a).abs().mean() + (to_b(to_a(b).detach()) - b).abs().mean()
                ),
                "gradient",
            ),
            (lambda to_b, to_a, a, b: cycle_loss(to_b, to_a, a, b) / 2, "reduction"),
        ),
        causes={
            "dependence": "One way round is missing. Which map may then give the same picture always, at no cost?",
            "spread": "Squares ask for means, and means blur. Which distance is asked for?",
            "gradient": "The value is right, but a map cannot learn from it. What cuts its gradient off?",
            "reduction": "Each way round has a mean of its own, over all its numbers; the two are added. And in yours?",
            "direction": "G takes a picture of A, and F one of B. Which of the two comes first from a, which from b?",
            "shape": "One number: the two ways round, added.",
            "container": "One number, a tensor. Does your function return it?",
            "sign": "Differences of both signs cancel in a mean. Is that what you want?",
        },
    ),
    Exercise(
        id="gan.perfect_maps",
        stub='''def perfect_maps(p, q):
    """How many pairs of maps (G, F) have no loss, between points of masses p and points
    of masses q (lists of positive numbers): G carries p to q, F carries q to p, and
    F(G(i)) = i, G(F(j)) = j."""
    raise NotImplementedError''',
        points=2,
        laws=(answers.maps_are_enumerated,),
        reference=perfect_maps,
        hints=(
            "A closed cycle makes G a bijection and F its inverse, so a point must go to a point of the same mass.",
            "Points of one mass may be ordered in m! ways; multiply over the masses. If the masses differ, 0.",
        ),
        wrong=(
            (lambda p, q: math.factorial(len(p)), "constant"),
            (lambda p, q: 1, "one-to-one"),
            (lambda p, q: perfect_maps(p, p), "dependence"),
            (lambda p, q: 0, ""),
        ),
        causes={
            "constant": "Every order of the points has a closed cycle. Does every order carry the masses?",
            "one-to-one": "Two points of one mass may be exchanged. Is there still but one map?",
            "spread": "Those are the maps that carry p to q. Can each of them be undone?",
            "dependence": "What if no map carries p to q and back? And F is fixed, once G is.",
            "reduction": "In how many orders may three points of one mass go? Over the masses: a sum, or a product?",
            "direction": "A point may go to any point of its mass, wherever in q that stands. Do you compare by place?",
            "shape": "One number: how many pairs there are.",
            "container": "One number is asked for, 0 where there is none.",
            "mutation": "`p.sort()` changes the caller's list; `sorted(p)` makes a new one.",
        },
    ),
    Exercise(
        id="gan.price_of_a_draw",
        stub="price_of_a_draw = ...",
        points=1,
        laws=(price_of_a_draw,),
        reference=10 * math.log10(2),
        hints=(
            "The truth and a perfect draw are two independent draws of one law: E (x − x̂)² = Var + Var.",
            "Twice the squared error: 10 log10 2 = 3.01 dB.",
        ),
        wrong=((6.02, "spread"), (0.0, "constant"), (-3.01, "sign"), (torch.tensor(2.0), "log-mean")),
        causes={
            "spread": "The PSNR is 10 log10 of one over the *squared* error. By what factor does that grow?",
            "constant": "A perfect draw is no better and no worse than the truth; but what is it compared with?",
            "sign": "It was asked by how much it is lower: a positive number.",
            "container": "One number is asked for, as `price_of_a_draw = 1.23`.",
            "log-mean": "That is the factor of the squared error. How many decibels is it?",
            "reduction": "E (x − x̂)² of two independent draws is Var x + Var x̂. How much is that beside Var x?",
            "": "Write E (x − x̂)² for two independent draws of one law, and for the mean of the law.",
        },
        variant=price_of_another_draw,
    ),
)
