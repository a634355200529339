"""Exercises of lesson 08.1, how to measure."""

import math

import torch

from gmcourse.exercises.drawing import Pick, first_sound, value_law
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.laws.broken import require_value
from gmcourse.laws.comparison import measures as laws
from gmcourse.metrics import density_coverage, frechet_bias, mixture_cost, nearest_share


def rows_for_a_floor_of_one(answer: object) -> None:
    """2/n · (48 + 48·49/4) = 1: n = 1,272."""
    slips = {
        "one-to-one": (636.0, 318.0),
        "dependence": (96.0, 1176.0, 48.0),
        "constant": (1248.0,),
        "reduction": (2448.0, 684.0),
        "spread": (math.sqrt(1272), 1272.0**2),
    }
    require_value("the rows of each sample", answer, 1272.0, 4.0, slips, fit=2.0)


def rows_elsewhere(seed: int) -> Variant:
    """The same for another number of features and another floor."""
    return first_sound(seed, _rows, lesson=1272)


def _rows(pick: Pick) -> Variant:
    d, floor = pick((16, 20, 24, 32, 40, 56)), pick((0.25, 0.5, 2.0))
    half = d + d * (d + 1) / 4
    right = 2 * half / floor
    slips = {
        "one-to-one": (right / 2, right / 4),
        "dependence": (2 * d / floor, 2 * (half - d) / floor, d / floor),
        "constant": (2 * (d + d * d / 4) / floor,),
        "reduction": (2 * (d + d * (d + 1) / 2) / floor, 2 * (d + d * (d + 1) / 8) / floor),
        "direction": (right * floor, right * floor**2),
        "spread": (math.sqrt(right), right**2),
    }
    wrong = (right / 2, "one-to-one"), (2 * d / floor, "dependence"), (2 * (d + d * d / 4) / floor, "constant")
    wrong = *wrong, (2 * (d + d * (d + 1) / 2) / floor, "reduction"), (math.sqrt(right), "spread")
    return Variant(
        f"Features are {d} independent numbers of variance 1, and two honest samples have $n$ rows each. At which "
        f"$n$ is their Fréchet distance {floor:g} in the mean? Predict it, to within 0.3 %.",
        laws=(value_law("the rows of each sample", right, 0.003 * right, slips, 0.001 * right),),
        reference=right,
        wrong=wrong,
        hints=(
            f"With n = m the bias is 2/n times a number that hangs on d = {d} alone. Which number?",
            f"d + d(d + 1)/4 = {half:g}. Then 2/n times that is {floor:g}.",
        ),
    )


def _bias(values, n, m, same=1.0):
    pairs = torch.outer(values, values) / (values[:, None] + values)
    return (1 / n + 1 / m) * (values.sum() + (pairs.sum() + same * pairs.trace()) / 2)


def _bias_by_values(v, n, m):
    pairs = v[:, None] * v / (v[:, None] + v) * (1 + (v[:, None] == v).double())
    return (1 / n + 1 / m) * (v.sum() + pairs.sum() / 2)


def _balls(real, fake, k, itself=1, rim=torch.le):
    reach = torch.cdist(real, real).sort(1).values[:, k - 1 + itself]
    inside = rim(torch.cdist(real, fake), reach[:, None])
    return inside.double().sum(0).mean() / k, inside.any(1).double().mean()


def _precision(real, fake, k):
    reach = torch.cdist(real, real).sort(1).values[:, k]
    return _balls(real, fake, k)[0], (torch.cdist(real, fake) <= reach[:, None]).any(0).double().mean()


def _nearer(fake, train, held_out, ties=0.5):
    near, far = (torch.cdist(fake, rows).min(1).values for rows in (train, held_out))
    return ((near < far).double() + ties * (near == far).double()).mean()


EXERCISES = (
    Exercise(
        id="comparison.mixture_cost",
        stub='''def mixture_cost(share, dims):
    """The most bits/dim lost when only a share of the samples is the model's own.

    0 < share <= 1 is a number, dims the number of dimensions.
    """
    raise NotImplementedError''',
        points=1,
        laws=(laws.cost_of_a_mixture,),
        reference=mixture_cost,
        hints=(
            "The mixture's density is at least `share` times the model's. What is the logarithm of that, in bits?",
            "`-math.log2(share) / dims`.",
        ),
        wrong=(
            (lambda share, dims: -math.log(share) / dims, "constant"),
            (lambda share, dims: -math.log2(max(1 - share, 1e-9)) / dims, "direction"),
            (lambda share, dims: -math.log2(share), "reduction"),
            (lambda share, dims: math.log2(share) / dims, "sign"),
        ),
        causes={
            "constant": "A bit is a logarithm to base 2. Of which base is yours?",
            "direction": "Which of the two parts explains the data: the share that was kept, or the rest?",
            "reduction": "Bits *per dimension*. By what do you divide?",
            "sign": "A loss is asked for. Can it be below 0?",
            "": "Take share = 1/4 in 2 dimensions: 2 bits are lost, so 1 a dimension. What does yours give?",
            "container": "One number is asked for.",
        },
    ),
    Exercise(
        id="comparison.frechet_bias",
        stub='''def frechet_bias(eigenvalues, n, m):
    """What the Fréchet distance of two samples of one Gaussian is in the mean.

    eigenvalues (d,) are those of its covariance; n and m are the counts.
    """
    raise NotImplementedError''',
        points=2,
        laws=(laws.bias_is_that_of_two_samples,),
        reference=frechet_bias,
        hints=(
            "Two sums: one over eigenvalues, of the means, and one over all pairs, in which i = j counts twice.",
            "A table of all pairs, `v[:, None] * v / (v[:, None] + v)`: which of its entries count once more?",
            "`pairs = torch.outer(v, v) / (v[:, None] + v)`; the second sum is "
            "`0.5 * (pairs.sum() + pairs.trace())`. Both are multiplied by 1/n + 1/m.",
        ),
        wrong=(
            (lambda v, n, m: (1 / n + 1 / m) * v.sum(), "dependence"),
            (lambda v, n, m: _bias(v, n, m, same=0.0), "constant"),
            (_bias_by_values, "spread"),
            (lambda v, n, m: _bias(v, n, m) / (1 + n / m), "one-to-one"),
            (lambda v, n, m: _bias(v, n, m) * 2 / (n + m) / (1 / n + 1 / m), "reduction"),
        ),
        causes={
            "dependence": "Both the means and the covariances of two samples differ. Which of the two is in yours?",
            "constant": "Try one feature of variance 1 and n = m = 100: 2/100 · (1 + ½). Then two: 2/100 · (2 + 3/2).",
            "direction": "Eigenvalues are variances, not all 1. Try one of 4, n = m = 100: 2/100 · (4 + 2). And yours?",
            "": "Take eigenvalues 1 and 1, n = m = 100: 2/100 · (2 + 3/2) = 0.07. What does yours give?",
            "spread": "Is δ about indices or about values? Two eigenvalues may be equal.",
            "one-to-one": "*Two* samples are noisy. How many counts are in your formula?",
            "reduction": "Each sample has a noise of its own, 1/n and 1/m, and they add. What have you done with them?",
            "sign": "A distance of two samples: can it be below 0 in the mean?",
            "container": "One number is asked for.",
        },
    ),
    Exercise(
        id="comparison.density_coverage",
        stub='''def density_coverage(real, fake, k):
    """Density and coverage of fake (m, d) against real (n, d), two numbers.

    A ball reaches from a real point to its k-th nearest other real point.
    """
    raise NotImplementedError''',
        points=2,
        laws=(laws.neighbours_are_counted_in_balls_of_data,),
        reference=density_coverage,
        hints=(
            "One table, real × fake: is this fake in this ball? Density counts its entries, coverage its rows.",
            "The radii first: sort the rows of the distances real to real. What stands in the first column?",
            "`reach = torch.cdist(real, real).sort(1).values[:, k]`, "
            "`inside = torch.cdist(real, fake) <= reach[:, None]`, then `inside.sum() / (k * m)` and `inside.any(1)`.",
        ),
        wrong=(
            (lambda r, f, k: _balls(r, f, k, itself=0), "one-to-one"),
            (_precision, "reduction"),
            (lambda r, f, k: _balls(f, r, k), "direction"),
            (lambda r, f, k: _balls(r, f, k, rim=torch.lt), "spread"),
            (lambda r, f, k: (k * _balls(r, f, k)[0], _balls(r, f, k)[1]), "reduction"),
            (lambda r, f, k: _balls(r, f, k)[::-1], "dependence"),
        ),
        causes={
            "one-to-one": "Sort the distances from a real point to all real points. Who is nearest to it?",
            "reduction": "Density is over k and the number of fakes; coverage is a share of *balls*. Which axis stays?",
            "direction": "Whose balls? About which points are they, and to whose neighbours do they reach?",
            "spread": "A fake may lie exactly on the rim. Does the rim belong to the ball?",
            "dependence": "Density first, then coverage.",
            "": "On a line: real 0, 1, 3, fakes 0.5 and 9, k = 1: density 1, coverage 2/3. What does yours give?",
            "container": "Two numbers are asked for: density, coverage.",
            "shape": "Two numbers are asked for: density, coverage.",
        },
    ),
    Exercise(
        id="comparison.nearest_share",
        stub='''def nearest_share(fake, train, held_out):
    """The share of fakes nearer to a training row than to any held-out row.

    (m, d), (n, d) and (n, d); a tie counts one half.
    """
    raise NotImplementedError''',
        points=1,
        laws=(laws.nearer_rows_are_counted,),
        reference=nearest_share,
        hints=(
            "For each fake two numbers: its distance to the nearest training row, and to the nearest held-out row.",
            "`near = torch.cdist(fake, train).min(1).values`, the same for `far`; then the mean of "
            "`(near < far) + 0.5 * (near == far)`.",
        ),
        wrong=(
            (lambda *a: _nearer(*a, ties=1.0), "one-to-one"),
            (lambda *a: _nearer(*a, ties=0.0), "one-to-one"),
            (lambda f, t, h: _nearer(f, h, t), "direction"),
            (lambda f, t, h: _nearer(f, t, h) * len(f), "reduction"),
        ),
        causes={
            "one-to-one": "On binary rows many distances are equal. To which side do you count those?",
            "direction": "Copies of training rows must give 1. What do they give?",
            "": "On a line: training rows 0, 4, held-out 1, 9, fakes 0, 2, 5: near, far, near, so ⅔. And yours?",
            "reduction": "A share of the fakes, by the *nearest* row of each set. What did you count?",
            "container": "One number is asked for.",
        },
    ),
    Exercise(
        id="comparison.rows_needed",
        stub="rows_needed = ...",
        points=1,
        laws=(rows_for_a_floor_of_one,),
        reference=1272,
        hints=(
            "With n = m the bias is 2/n times a number that hangs on d = 48 alone. Which number?",
            "48 + 48 · 49/4 = 636. Then 2/n times that is 1.",
        ),
        wrong=((636, "one-to-one"), (96, "dependence"), (1248, "constant"), (2448, "reduction"), (36, "spread")),
        causes={
            "one-to-one": "*Two* samples have n rows each. How many of them are noisy?",
            "dependence": "The means and the covariances both differ between samples. Which of the two did you count?",
            "constant": "Is an entry on the diagonal of a sample's covariance as noisy as one beside it?",
            "reduction": "What stands before the double sum?",
            "direction": "Which floor is asked for? Solve for n once more: is n larger or smaller for a lower floor?",
            "": "Work one case by hand: one feature, n = m. What stands in the bracket then?",
            "spread": "The bias falls as 1/n, not as its root. Which power of n did you solve for?",
            "container": "One number is asked for, as `rows_needed = 1000`.",
        },
        variant=rows_elsewhere,
    ),
)
