"""Exercises of lesson 07.1, when the density cannot be normalised."""

import math
from itertools import pairwise

import torch.nn.functional as F

from gmcourse.exercises.record import Exercise
from gmcourse.laws.broken import require_value
from gmcourse.laws.scores import energy as laws
from gmcourse.scores.annealed import annealed_log_weights, log_mean
from gmcourse.scores.enumerated import all_bits, free_energy, log_partition
from gmcourse.scores.rbm import statistics


def contrastive_update(x, fantasies, weight, bias, hidden_bias):
    """The data's statistics less those of the fantasies, for W, b and c."""
    data, model = statistics(x, weight, hidden_bias), statistics(fantasies, weight, hidden_bias)
    return tuple(mine - theirs for mine, theirs in zip(data, model, strict=True))


def log_mean_weight(log_w):
    """ln of the mean of e^{ln w}."""
    return log_mean(log_w)[0]


def contrast_is_exact(answer: object) -> None:
    """Data and machine are symmetric: h = 0 and h = 1 are equally likely after the first half of a sweep.

    That is the machine's own law of h, so that what the second half draws is a sample of the machine.
    """
    slips = {
        "dependence": (0.08, 0.09, 0.083),  # that of the lesson's data at w = 6
        "sign": (0.0, -1.0),
        "spread": (0.1, 0.9, 0.19, 0.81, 0.27, 0.3519, 0.648, 0.734, 0.266),
        "constant": (0.5, 2.0, 0.25, 0.4, 0.6),
    }
    require_value(
        "the length of CD-1's update over the true one, data .4, .1, .1, .4", answer, 1.0, 0.01, slips, fit=0.004
    )


def _by_strings(weight, bias, hidden_bias):
    """F of all strings of pixels and hidden units: −ln of the terms of Z, and H too many of each."""
    x = all_bits(len(bias), weight)
    return free_energy(x, weight, bias, hidden_bias)


def _plain(x, weight, bias, hidden_bias):
    return -(x @ bias) - (hidden_bias + x @ weight).exp().log1p().sum(1)


def _after_the_move(x, betas, energy, move):
    log_w = 0.0
    for here, there in pairwise(betas.tolist()):
        x = move(x, there)
        log_w = log_w + energy(x, here) - energy(x, there)
    return log_w


def _old_temperature(x, betas, energy, move):
    log_w = 0.0
    for here, there in pairwise(betas.tolist()):
        x = move(x, here)
        log_w = log_w + energy(x, here) - energy(x, there)
    return log_w


def _without_moves(x, betas, energy, move):
    return annealed_log_weights(x, betas, energy, lambda at, beta: at)


EXERCISES = (
    Exercise(
        id="scores.free_energy",
        stub='''def free_energy(x, weight, bias, hidden_bias):
    """F(x) = -ln Σ_h e^{-E(x, h)}, (batch,), E = -b·x - c·h - xWh.

    x (batch, D) are bits; weight W is (D, H), bias b (D,), hidden_bias c (H,). The sum
    runs over all 2^H strings h. Weights may be large.
    """
    raise NotImplementedError''',
        points=2,
        laws=(laws.free_energy_sums_hidden,),
        reference=free_energy,
        hints=(
            "Given x, each h_j stands in one factor alone: 1 + e^{c_j + (xW)_j}. Which logarithm is that?",
            "`-(x @ bias) - torch.nn.functional.softplus(hidden_bias + x @ weight).sum(1)`.",
        ),
        wrong=(
            (lambda x, w, b, c: -(x @ b) + F.softplus(c + x @ w).sum(1), "sign"),
            (lambda x, w, b, c: -(x @ b) - F.softplus(c + x @ w).mean(1), "reduction"),
            (lambda x, w, b, c: -F.softplus(c + x @ w).sum(1), "constant"),
            (lambda x, w, b, c: -(x @ b) - F.softplus(x @ w).sum(1), "constant"),
            (lambda x, w, b, c: -(x @ b) - F.relu(c + x @ w).sum(1), "one-to-one"),
            (lambda x, w, b, c: -(x @ b) - F.softplus((c + x @ w).sum(1)), "log-mean"),
            (lambda x, w, b, c: -(x @ b) - F.softplus(c + x @ w).sum(), "shape"),
            (_plain, "not-finite"),
        ),
        causes={
            "sign": "A pixel with a large b is likely when it is on: is F low there? And with a large input to h?",
            "constant": "Take W = 0: F = −b·x − Σ ln(1 + e^{c_j}). Where do the two biases stand in yours?",
            "reduction": "Independent factors: their logarithms add up. Over which axis is your mean?",
            "one-to-one": "Both values of each h_j are in the sum. Which of the two does yours take?",
            "log-mean": "First the logarithm of one unit's factor, then the sum over units. Which did you take first?",
            "direction": "b stands at the pixels, c at the hidden units. Which axis of W belongs to which?",
            "overflow": "ln(1 + e^{200}) is 200, but e^{200} is no float32. Which function knows that?",
            "not-finite": "ln(1 + e^{200}) is 200, but e^{200} is no float32. Which function knows that?",
            "shape": "One number for each row of x, made of that row alone. Over which axis does your sum run?",
        },
    ),
    Exercise(
        id="scores.log_partition",
        stub='''def log_partition(weight, bias, hidden_bias):
    """ln Z = ln Σ_x Σ_h e^{-E(x, h)}, one number.

    weight (D, H), bias (D,), hidden_bias (H,). One of the two sides has few units, and
    either may. Energies may be in the hundreds.
    """
    raise NotImplementedError''',
        points=2,
        laws=(laws.partition_counts_all,),
        reference=log_partition,
        hints=(
            "Z = Σ_x e^{−F(x)}, and by symmetry Σ_h of the same with the sides exchanged. Which sum is shorter?",
            "Put the shorter side first (`weight.T`, biases exchanged), list its 2^n strings, `(-F).logsumexp(0)`.",
        ),
        wrong=(
            (lambda w, b, c: (-_by_strings(w, b, c)).logsumexp(0) + len(c) * math.log(2), "constant"),
            (lambda w, b, c: -(-_by_strings(w, b, c)).logsumexp(0), "sign"),
            (lambda w, b, c: _by_strings(w, b, c).logsumexp(0), "sign"),
            (lambda w, b, c: (-_by_strings(w, b, c)).logsumexp(0) - len(b) * math.log(2), "log-mean"),
            (lambda w, b, c: (-_by_strings(w, b, c)).max(), "one-to-one"),
            (lambda w, b, c: (-_by_strings(w, b, c)).exp().sum(), "not-finite"),
            (lambda w, b, c: (-_by_strings(w, b, c)).exp().sum().log(), "not-finite"),
            (lambda w, b, c: (-_by_strings(w, b, c)).logsumexp(0), "reduction"),
        ),
        causes={
            "constant": "With all of W, b, c at 0, Z = 2^(D + H). F has summed over h: do you sum over h again?",
            "sign": "e^{−E} is added up, and F is −ln of it. How many minus signs are in yours?",
            "log-mean": "A sum over all strings, and no mean. Which comes first in yours, the sum or the logarithm?",
            "one-to-one": "*All* strings are in the sum. How many of them does yours keep?",
            "reduction": "Of 17 units and 2, which side did you list? The other is summed in closed form.",
            "direction": "W is (D, H). Where the sides are exchanged, what becomes of W, and of b and c?",
            "overflow": "Some of the e^{−F} are beyond float32. Which function adds up numbers by their logarithms?",
            "not-finite": "ln Z is asked for. Energies of hundreds: which step leaves the logarithms?",
            "shape": "One number for the machine.",
        },
    ),
    Exercise(
        id="scores.contrastive_update",
        stub='''def contrastive_update(x, fantasies, weight, bias, hidden_bias):
    """The step uphill for W, b and c: (D, H), (D,), (H,), not times any rate.

    x (n, D) are data, fantasies (m, D) stand for the model: bits, and n is not m. The
    mean of -∇F over the one, less that over the other.
    """
    raise NotImplementedError''',
        points=2,
        laws=(laws.phases_point_uphill,),
        reference=contrastive_update,
        hints=(
            "−∂F/∂W_dj = x_d p(h_j = 1 | x): the probability itself, no draw. What are −∂F/∂b and −∂F/∂c?",
            "`h = (hidden_bias + x @ weight).sigmoid()`; `x.T @ h / len(x)`, `x.mean(0)`, `h.mean(0)`, twice.",
        ),
        wrong=(
            (lambda *a: tuple(-part for part in contrastive_update(*a)), "sign"),
            (lambda x, f, w, b, c: contrastive_update(x, x, w, b, c), "dependence"),
            (lambda x, f, w, b, c: statistics(x, w, c), "dependence"),
            (lambda x, f, w, b, c: tuple(len(x) * part for part in contrastive_update(x, f, w, b, c)), "reduction"),
            (
                lambda x, f, w, b, c: tuple(
                    len(x) * mine - len(f) * theirs
                    for mine, theirs in zip(statistics(x, w, c), statistics(f, w, c), strict=True)
                ),
                "reduction",
            ),
            (lambda *a: contrastive_update(*a)[:2], "container"),
        ),
        causes={
            "sign": "Which of the two is to become likelier, and which less likely?",
            "reduction": "n is not m: each phase is a mean over its own rows. By what did you divide each of them?",
            "dependence": "One phase looks at the data, the other at the fantasies. At what does each of yours look?",
            "direction": "W is (D, H): a row for each pixel. Which factor of xᵀh comes first?",
            "randomness": "p(h|x) is known. A draw in its place has the same mean, and more noise: why draw?",
            "log-mean": "x and h of one row belong together: is yours the mean of a product, or a product of means?",
            "container": "Three results: for W, for b and for c, in this order.",
            "shape": "(D, H), (D,) and (H,): over the rows of each batch you take a mean.",
        },
    ),
    Exercise(
        id="scores.annealed_log_weights",
        stub='''def annealed_log_weights(x, betas, energy, move):
    """ln w of a walk along betas, (batch,), that starts at x, drawn at betas[0].

    energy(x, beta) is F_β(x), (batch,). move(x, beta) keeps the distribution
    e^{-F_β} / Z_β. betas (n,) are any values, up or down.
    """
    raise NotImplementedError''',
        points=3,
        laws=(laws.weights_follow_the_path,),
        reference=annealed_log_weights,
        hints=(
            "For two values of β: w = e^{−F(x, β₁)}/e^{−F(x, β₀)}, x drawn at β₀. Which is first, weight or move?",
            "For each pair: first `log_w += energy(x, here) - energy(x, there)`, then `x = move(x, there)`.",
        ),
        wrong=(
            (_after_the_move, "dependence"),
            (_old_temperature, "dependence"),
            (_without_moves, "dependence"),
            (lambda *a: -annealed_log_weights(*a), "sign"),
            (lambda x, betas, e, m: annealed_log_weights(x, betas, e, m) / (len(betas) - 1), "constant"),
            (lambda x, betas, e, m: annealed_log_weights(x, betas[:-1], e, m), "constant"),
            (lambda *a: annealed_log_weights(*a).exp(), "log-mean"),
        ),
        causes={
            "sign": "w is new over old: e^{−F} at the next β over e^{−F} at this one. And ln w?",
            "dependence": "x_i was moved last at β_i, and both energies of its term are taken there. Where are yours?",
            "constant": "n values of β have n − 1 gaps, and their logarithms add up. Which gap is missing in yours?",
            "log-mean": "The logarithm is asked for: a sum, and nothing is exponentiated.",
            "shape": "Each row walks by itself and has a weight of its own.",
        },
    ),
    Exercise(
        id="scores.log_mean_weight",
        stub='''def log_mean_weight(log_w):
    """ln of the mean of the weights w, one number, from their logarithms (n,).

    They may be in the hundreds, of either sign.
    """
    raise NotImplementedError''',
        points=1,
        laws=(laws.mean_weight_in_logs,),
        reference=log_mean_weight,
        hints=(
            "It is w that is unbiased for a ratio of normalisers, not ln w. Which of the two is averaged?",
            "`log_w.logsumexp(0) - math.log(len(log_w))`.",
        ),
        wrong=(
            (lambda log_w: log_w.mean(), "log-mean"),
            (lambda log_w: log_w.logsumexp(0), "constant"),
            (lambda log_w: log_w.max(), "one-to-one"),
            (lambda log_w: log_w.exp().mean(), "not-finite"),
            (lambda log_w: log_w.exp().mean().log(), "not-finite"),
            (lambda log_w: math.log(len(log_w)) - log_w.logsumexp(0), "sign"),
        ),
        causes={
            "log-mean": "The mean of ln w lies below ln of the mean of w. Which of them is it that you return?",
            "constant": "Let all weights be equal: the mean is one of them. What is left over in yours?",
            "one-to-one": "The largest weight counts for most, and it is not the mean. Where is n?",
            "sign": "Twice the weights, ln 2 more. What does yours do?",
            "not-finite": "e^{812} is no float, and e^{−900} is 0. Which function keeps to logarithms?",
            "shape": "One number for all weights together.",
        },
    ),
    Exercise(
        id="scores.contrast_length",
        stub="contrast_length = ...",
        points=1,
        laws=(contrast_is_exact,),
        reference=1.0,
        hints=(
            "A sweep from the data draws h first. How likely is h = 1 after this half, and how likely in the machine?",
            "Both are ½, by symmetry. So h is already a draw of the machine; and what is x', drawn from p(x'|h)?",
        ),
        wrong=(
            (0.083, "dependence"),
            (0.08, "dependence"),
            (0.0, "sign"),
            (0.1, "spread"),
            (0.9, "spread"),
            (0.5, "constant"),
        ),
        causes={
            "dependence": "That is the share for the lesson's data. How often do *these* switch the hidden unit on?",
            "sign": "Is the update 0? The data have 0.2 on 01 and 10 together; how much has the machine there?",
            "spread": "λ is the *slowest* memory. Which difference forgets so slowly, and have these data any of it?",
            "constant": "How likely is h = 1 after the first half of a sweep from these data? And in the machine?",
            "container": "One number is asked for, as `contrast_length = 0.5`.",
        },
    ),
)
