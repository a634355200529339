"""Exercises of lesson 03.1, the bottleneck."""

import math
from functools import partial

import torch

from gmcourse.autoencoders.linear import pca_error, principal_angles
from gmcourse.autoencoders.sparse import k_sparse, kl_sparsity
from gmcourse.exercises.drawing import Pick, first_sound
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.laws.autoencoders import sparsity, spectrum
from gmcourse.laws.broken import require_value

NINTH = (0.1572, 0.1422, 0.1084, 0.1039)  # the 9th to the 12th eigenvalue of the digits
LARGEST = 0.6975


def rounds_at_ten(
    answer: object, *, around: tuple[float, ...] = NINTH, largest: float = LARGEST, k: int = 10, factor: int = 1000
) -> None:
    """ln 1000 / ln(λ₁₀/λ₁₁) = 25.5 rounds: 25 and 26 pass. So too at another k and for another factor."""
    (before, last, left, after), digits = around, math.log10(factor)

    def rounds(small: float, large: float) -> float:
        return math.log(factor) / math.log(large / small)

    right = rounds(left, last)
    slips = {
        "constant": (1.0, 2.0, 3.0),
        "direction": tuple(
            k for pair in ((last, before), (after, left), (left, before), (after, last)) for k in _near(rounds(*pair))
        ),
        "spread": (*_near(right / 2), *_near(2 * right)),
        "dependence": (*_near(rounds(left, largest)), *_near(rounds(last, largest)), float(k), 64.0),
        "log-mean": tuple(
            k
            for slip in (
                right / math.log(10),
                right / digits,
                digits / math.log(last / left),
                1 / (1 - left / last),
            )
            for k in (*_near(slip), *_near(math.log(factor) * slip))
        ),
        "one-to-one": tuple(
            right + off for off in (-2.5, -1.5, -1.0, 1.5, 2.5)
        ),  # counted from a round where other angles were still in it
        "sign": -right,
    }
    require_value(f"rounds that make the angle {factor:,} times smaller at k = {k}", answer, right, 0.65, slips)


def _near(value: float) -> tuple[float, ...]:
    return value, float(math.floor(value)), float(math.ceil(value))


def _cosines(a, b):
    return torch.linalg.svdvals(torch.linalg.qr(a)[0].T @ torch.linalg.qr(b)[0]).clamp(max=1).acos()


def _not_orthonormal(a, b):
    return torch.linalg.svdvals(a.T @ b).clamp(max=1).acos()


def _column_by_column(a, b):
    return torch.nn.functional.cosine_similarity(a, b, dim=0).clamp(-1, 1).acos()


def _kl(rho, rate):
    return rho * (rho / rate).log() + (1 - rho) * ((1 - rho) / (1 - rate)).log()


def _reversed(activity, rho):
    rate = activity.mean(0)
    return (rate * (rate / rho).log() + (1 - rate) * ((1 - rate) / (1 - rho)).log()).sum()


def _with_ties(h, k):
    return h * (h >= h.sort(1, descending=True).values[:, k - 1 : k])


def _by_size(h, k):
    return h * torch.zeros_like(h).scatter(1, h.abs().topk(k, 1).indices, 1.0)


def _over_rows(h, k):
    k = min(k, len(h))
    return h * torch.zeros_like(h).scatter(0, h.topk(k, 0).indices, 1.0)


def rounds_elsewhere(seed: int) -> Variant:
    """The same with a spectrum of its own, at another k and for another factor."""
    return first_sound(seed, _rounds, lesson=26)


def _rounds(pick: Pick) -> Variant:
    k, factor = pick(range(5, 20)), pick((100, 10_000, 100_000))
    last = pick([n / 1000 for n in range(110, 190)])
    ratio = pick([n / 100 for n in range(58, 86)])
    around = tuple(round(last * by, 4) for by in (1.13, 1.0, ratio, ratio * 0.93))
    before, last, left, after = around
    law = partial(rounds_at_ten, around=around, largest=0.71, k=k, factor=factor)
    right, below = (math.log(factor) / math.log(pair) for pair in (last / left, before / last))
    wrong = (
        (1, "constant"),
        (round(below), "direction"),
        (round(math.log(factor) / math.log(left / after)), "direction"),
    )
    wrong += (round(right / 2), "spread"), (k, "dependence"), (round(right / math.log(10)), "log-mean")
    return Variant(
        f"Alternating least squares with $k = {k}$ on data whose covariance has the eigenvalues {before:g}, {last:g}, "
        f"{left:g} and {after:g} in the places {k - 1} to {k + 2}; the largest is 0.71. Once the largest angle shrinks "
        f"steadily, how many rounds make it {factor:,} times smaller?",
        laws=(law,),
        reference=round(right),
        wrong=wrong,
        hints=(
            f"A round multiplies the angle by λ_{{k+1}}/λ_k. Which two eigenvalues are these for k = {k}?",
            f"{left:g}/{last:g} = {left / last:.3f}. How often must it be multiplied by itself to be below "
            f"1/{factor:,}?",
        ),
        causes={
            "direction": f"The gap *below* the last eigenvalue kept counts. Which two does k = {k} lie between?",
            "log-mean": f"{factor:,} times smaller. Which logarithm did you take of it, and which of the ratio?",
        },
    )


EXERCISES = (
    Exercise(
        id="autoencoders.pca_error",
        stub='''def pca_error(eigenvalues, k):
    """The least mean of ‖x − x̂‖² if x̂ comes from k numbers by linear maps.

    eigenvalues (d,) of the data's covariance, the largest first.
    """
    raise NotImplementedError''',
        points=1,
        laws=(spectrum.error_is_the_tail,),
        reference=pca_error,
        hints=(
            "The projector keeps the k directions of the largest variance. What is lost along each of the others?",
            "The sum of the eigenvalues from the (k + 1)-th on: `eigenvalues[k:].sum()`.",
        ),
        wrong=(
            (lambda eigenvalues, k: eigenvalues[:k].sum(), "direction"),
            (lambda eigenvalues, k: eigenvalues.flip(0)[k:].sum(), "direction"),
            (lambda eigenvalues, k: eigenvalues[k:].sqrt().sum(), "spread"),
            (lambda eigenvalues, k: eigenvalues[k:].sum() / len(eigenvalues), "reduction"),
            (lambda eigenvalues, k: eigenvalues[k - 1 :].sum(), "one-to-one"),
        ),
        causes={
            "direction": "Take a longer code: should the error rise or fall? Which directions are thrown away?",
            "spread": "An eigenvalue of a covariance: is it a variance or a standard deviation? And the error?",
            "reduction": "The error is a *sum* of squares over an example's entries, no share. Did you divide?",
            "one-to-one": "Let k = 1. How many of the eigenvalues are lost then, and which is the first?",
            "shape": "One number: the error of all the rest together.",
        },
    ),
    Exercise(
        id="autoencoders.principal_angles",
        stub='''def principal_angles(a, b):
    """The angles between the column spaces of a and of b, (d, k) each: (k,) radians.

    The smallest first. Columns are independent, and not orthonormal. In float64, an
    angle of 1e-8 is to come out as 1e-8.
    """
    raise NotImplementedError''',
        points=3,
        laws=(spectrum.angles_are_principal,),
        reference=principal_angles,
        hints=(
            "Orthonormal bases first (QR). Cosines are singular values of Q_aᵀQ_b; which matrix has the sines?",
            "Sines: singular values of `q_b - q_a @ (q_a.T @ q_b)`, flipped. Then `torch.atan2(sines, cosines)`.",
        ),
        wrong=(
            (_not_orthonormal, "spread"),
            (_column_by_column, "one-to-one"),
            (_cosines, "overflow"),
            (lambda a, b: principal_angles(a, b).cos(), "constant"),
            (lambda a, b: principal_angles(a, b).rad2deg(), "constant"),
            (lambda a, b: principal_angles(a, b).flip(0), "direction"),
        ),
        causes={
            "spread": "Multiply a column by 2: its span is the same. Are your angles? What must columns be first?",
            "one-to-one": "Two bases of one span can have no column in common. Do you compare spans, or columns?",
            "overflow": "Digits are lost: cos 1e-8 is 1 to a computer; float32 has 7. What keeps a small angle?",
            "constant": "Angles are asked for, in radians. What do you give for two spans at a right angle?",
            "direction": "The smallest angle first. Singular values fall: whose cosine comes first, and whose sine?",
            "not-finite": "A cosine or a sine a hair above 1 has no angle. Which one of yours is it?",
            "shape": "k angles for k columns. Which axis of a holds the columns?",
        },
    ),
    Exercise(
        id="autoencoders.kl_sparsity",
        stub='''def kl_sparsity(activity, rho):
    """Σ_j KL(rho ‖ rate of unit j), one number with a gradient.

    activity (batch, units), in (0, 1); a unit's rate is its mean over the batch.
    """
    raise NotImplementedError''',
        points=2,
        laws=(sparsity.rates_are_held,),
        reference=kl_sparsity,
        hints=(
            "KL of two coins, ρ and ρ̂: ρ ln(ρ/ρ̂) + (1 − ρ) ln((1 − ρ)/(1 − ρ̂)). Of what is ρ̂ the mean?",
            "`rate = activity.mean(0)`, one for each unit; then the KL of each, and their sum.",
        ),
        wrong=(
            (_reversed, "direction"),
            (lambda activity, rho: _kl(rho, activity).sum(1).mean(), "log-mean"),
            (lambda activity, rho: _kl(rho, activity.mean()), "reduction"),
            (lambda activity, rho: _kl(rho, activity.mean(1)).sum(), "reduction"),
            (lambda activity, rho: kl_sparsity(activity, rho) / activity.shape[1], "reduction"),
            (lambda activity, rho: (rho * (rho / activity.mean(0)).log()).sum(), "dependence"),
            (lambda activity, rho: kl_sparsity(activity.detach(), rho), "gradient"),
        ),
        causes={
            "direction": "KL(ρ‖ρ̂) and KL(ρ̂‖ρ) differ. Which of the two stands before the logarithm?",
            "log-mean": "A unit at 0 for one picture and 2ρ for another is on target. Which comes first: mean or KL?",
            "reduction": "A rate of its own for each unit, over the batch; a sum over units. What is your mean over?",
            "constant": "On target it is 0, and it is in nats. What is left over in yours?",
            "dependence": "A coin has two sides. What do the pictures add in which the unit is silent?",
            "one-to-one": "A unit that rests costs, too. What does yours give for a rate of 0.01, if ρ is 0.05?",
            "sign": "A KL is never below 0. Is yours, and do both of its parts have a plus before them?",
            "not-finite": "A unit may be at 0 for one picture. Which comes first: the mean over the batch, or the KL?",
            "gradient": "The penalty is to move the activities. Was it cut from them, or scaled on the way?",
            "shape": "One number. Which axis is left over?",
        },
    ),
    Exercise(
        id="autoencoders.k_sparse",
        stub='''def k_sparse(h, k):
    """h where it is among the k largest of its row, 0 elsewhere, (batch, units).

    Exactly k of a row are kept, of equal ones any. Numbers may be negative. Gradients
    flow through what is kept, and through nothing else.
    """
    raise NotImplementedError''',
        points=2,
        laws=(sparsity.largest_are_kept,),
        reference=k_sparse,
        hints=(
            "Where are the k largest of a row? `topk` gives values *and* places.",
            "`values, places = h.topk(k, 1)`; `torch.zeros_like(h).scatter(1, places, values)`.",
        ),
        wrong=(
            (_with_ties, "one-to-one"),
            (_over_rows, "dependence"),
            (_by_size, "sign"),
            (lambda h, k: k_sparse(h.detach(), k), "gradient"),
            (lambda h, k: h + (k_sparse(h, k) - h).detach(), "gradient"),
            (lambda h, k: k_sparse(h, k).relu(), "sign"),
            (lambda h, k: (k_sparse(h, k) != 0).to(h), "spread"),
            (lambda h, k: -k_sparse(-h, k), "direction"),
        ),
        causes={
            "one-to-one": "Exactly k of a row. How many do you keep where two equal numbers are the k-th?",
            "dependence": "Each example keeps k of its own units. Along which axis do you look for the largest?",
            "sign": "The largest, not the largest in size: is −5 among the 2 largest of −5, 1, 2? Do negatives stay?",
            "gradient": "Pass a gradient back: it should arrive at k numbers of each row. At how many does it?",
            "spread": "What is kept keeps its value and its place. What do you put there, and what elsewhere?",
            "direction": "The largest are kept, not the smallest. From which end does your function count?",
            "not-finite": "A unit that is not kept is 0. What do you put there?",
            "constant": "k of each row stay, no more and no less. What does k = 1 leave?",
            "shape": "Each row by itself, and of the shape of h.",
        },
    ),
    Exercise(
        id="autoencoders.als_rounds",
        stub="als_rounds = ...",
        points=1,
        laws=(rounds_at_ten,),
        reference=26,
        hints=(
            "A round multiplies the angle by λ_{k+1}/λ_k. Which two eigenvalues are these for k = 10?",
            "0.1084/0.1422 = 0.762. How often must it be multiplied by itself to be below 1/1000?",
        ),
        wrong=(
            (1, "constant"),
            (69, "direction"),
            (163, "direction"),
            (13, "spread"),
            (4, "dependence"),
            (11, "log-mean"),
        ),
        causes={
            "constant": "Each half of a round is a least-squares fit. Which of the two maps is held fixed meanwhile?",
            "direction": "The gap *below* the last eigenvalue that is kept counts. Which two does k = 10 lie between?",
            "spread": "The angle itself shrinks by the ratio, not its square. Did you take a square or a root?",
            "dependence": "The slowest direction decides: which kept eigenvalue is nearest to one that is lost?",
            "log-mean": "A thousand times smaller. Which logarithm of 1000 did you take, and of the ratio?",
            "sign": "A number of rounds is above 0.",
            "one-to-one": "Near. At first, faster angles take part. From which round on is the shrinking steady?",
            "container": "One whole number is asked for, as `als_rounds = 5`.",
        },
        variant=rounds_elsewhere,
    ),
)
