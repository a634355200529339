"""Exercises of lesson 03.4, what autoencoders are for."""

import torch

from gmcourse.autoencoders.codes import fill_block, fit_codes_and_sample
from gmcourse.exercises.record import Exercise
from gmcourse.laws.autoencoders import ranking
from gmcourse.laws.broken import LawBroken, require_numbers
from gmcourse.metrics.ranking import auroc

RECALL, PRECISION = -1, 1  # of a fitted Gaussian, from eight numbers to two


def fewer_numbers(answer: object) -> None:
    """With two numbers recall falls, since few pictures can be drawn, and precision rises: their plane has few gaps."""
    law = "whether recall and precision rise (1) or fall (−1), from eight numbers to two"
    recall, precision = require_numbers(law, answer, 2).tolist()
    causes = {(1, 1): "spread", (-1, -1): "sign", (1, -1): "direction"}
    if (recall, precision) != (RECALL, PRECISION):
        cause = causes.get((round(recall), round(precision)), "container")
        raise LawBroken(law, f"{recall:g} and {precision:g}", "otherwise", cause)


def _accuracy(normal, anomalous):
    middle = torch.cat([normal, anomalous]).median()
    return ((anomalous > middle).sum() + (normal <= middle).sum()) / (len(normal) + len(anomalous))


def _axes_alone(codes, n, rng):
    return codes.mean(0) + codes.std(0) * torch.randn(n, codes.shape[1], generator=rng)


def _by_root(codes, n, rng, root):
    return codes.mean(0) + torch.randn(n, codes.shape[1], generator=rng) @ root


def _codes_again(codes, n, rng):
    return codes[torch.randint(len(codes), (n,), generator=rng)]


def _put_in_at_the_end(reconstruct, x, known, passes):
    y = x
    for _ in range(passes):
        y = reconstruct(y)
    return torch.where(known, x, y)


EXERCISES = (
    Exercise(
        id="autoencoders.auroc",
        stub='''def auroc(normal, anomalous):
    """The share of pairs in which the anomaly scores higher; an equal pair counts ½.

    normal (n,) and anomalous (m,) are scores, larger for what is stranger.
    """
    raise NotImplementedError''',
        points=2,
        laws=(ranking.counts_pairs,),
        reference=auroc,
        hints=(
            "Each of the m anomalies meets each of the n normal examples: nm pairs. No threshold occurs.",
            "`anomalous[:, None] > normal` holds all pairs, (m, n). Add half of those that are equal; take the mean.",
        ),
        wrong=(
            (_accuracy, "reduction"),
            (lambda normal, anomalous: (anomalous > normal.max()).double().mean(), "reduction"),
            (lambda normal, anomalous: (anomalous[:, None] >= normal).double().mean(), "constant"),
            (lambda normal, anomalous: (anomalous[:, None] > normal).double().mean(), "constant"),
            (lambda normal, anomalous: auroc(anomalous, normal), "sign"),
            (lambda normal, anomalous: auroc(normal, anomalous) * len(normal) * len(anomalous), "spread"),
            (lambda normal, anomalous: 2 * auroc(normal, anomalous) - 1, "direction"),
        ),
        causes={
            "reduction": "Where is a threshold in your answer? Pairs are compared, and none is needed.",
            "constant": "Let all scores be equal. Which value says that the score knows nothing, and what do you give?",
            "sign": "Anomalies that score above all normal examples: is it 1 or 0 in your answer?",
            "spread": "A share is asked for, from 0 to 1. How many pairs are there?",
            "direction": "A score that knows nothing has ½ here. Which number has it in your answer?",
            "shape": "One number for all pairs. Which axes are left over?",
            "not-finite": "No number of pairs is 0: by what did you divide?",
        },
    ),
    Exercise(
        id="autoencoders.fit_codes_and_sample",
        stub='''def fit_codes_and_sample(codes, n, rng):
    """n draws, (n, k), of the Gaussian with mean and covariance of codes (m, k).

    All randomness comes from rng, a torch.Generator.
    """
    raise NotImplementedError''',
        points=2,
        laws=(ranking.keeps_moments,),
        reference=fit_codes_and_sample,
        hints=(
            "If ε is standard normal, Aε has the covariance A Aᵀ. Which A gives the covariance of the codes?",
            "`A = torch.linalg.cholesky(codes.T.cov())`; rows are drawn, so the noise (n, k) is multiplied by `A.T`.",
        ),
        wrong=(
            (_axes_alone, "dependence"),
            (lambda codes, n, rng: _by_root(codes, n, rng, codes.T.cov()), "spread"),
            (lambda codes, n, rng: _by_root(codes, n, rng, torch.linalg.cholesky(codes.T.cov())), "direction"),
            (lambda codes, n, rng: torch.randn(n, codes.shape[1], generator=rng), "constant"),
            (lambda codes, n, rng: fit_codes_and_sample(codes, n, rng) - codes.mean(0), "constant"),
            (lambda codes, n, rng: fit_codes_and_sample(codes, n), "randomness"),
            (_codes_again, "one-to-one"),
        ),
        causes={
            "dependence": "Numbers of one code depend on each other. Is the covariance of two of them 0 in your draws?",
            "spread": "The noise is multiplied by a *root* of the covariance. What is the variance of your draws?",
            "direction": "Codes are rows. Is the covariance of ε A equal to A Aᵀ or to Aᵀ A?",
            "constant": "Where is the middle of the codes, and where the middle of your draws?",
            "sign": "Where is the middle of the codes, and where the middle of your draws?",
            "reduction": "Each number of a code has a mean and a spread of its own. What did you average?",
            "randomness": "Equal seeds, equal draws; another seed, or a second call, other draws. Who draws in yours?",
            "log-mean": "Mean and covariance are right, and a Gaussian has more: which noise did you multiply?",
            "one-to-one": "Those are the codes themselves, drawn again. A Gaussian has draws that nobody has seen.",
            "shape": "n rows of k numbers. What does n = 2 give?",
        },
    ),
    Exercise(
        id="autoencoders.fill_block",
        stub='''def fill_block(reconstruct, x, known, passes):
    """x, filled where it is not known: `passes` times, reconstruct(x) is put there.

    reconstruct maps (batch, *event) to the same shape, d(e(x)). x (batch, *event) has
    a first guess where known (*event), bool, is False.
    """
    raise NotImplementedError''',
        points=2,
        laws=(ranking.fills_by_passes,),
        reference=fill_block,
        hints=(
            "What goes into the second pass: known entries as they are, and which others?",
            "`x = torch.where(known, x, reconstruct(x))`, in a loop.",
        ),
        wrong=(
            (lambda r, x, known, passes: fill_block(r, x, torch.zeros_like(known), passes), "constant"),
            (lambda r, x, known, passes: fill_block(r, x, ~known, passes), "sign"),
            (lambda r, x, known, passes: fill_block(r, x, known, min(passes, 1)), "reduction"),
            (_put_in_at_the_end, "dependence"),
            (lambda r, x, known, passes: fill_block(r, x * known, known, passes), "dependence"),
        ),
        causes={
            "constant": "Compare the known entries before and after. Which ones may change?",
            "sign": "`known` is True where the picture is to stay. Which entries have you replaced?",
            "reduction": "How many passes were asked for, and does each begin with the last one's result?",
            "dependence": "What does each pass begin with: the known entries of x, and the *last* guess elsewhere?",
            "shape": "Each example of the batch is filled by itself, and keeps its shape.",
            "not-finite": "x has a first guess where it is not known. Why not begin with it?",
            "mutation": "x is the caller's. `x[:, ~known] = …` writes into it; make a new tensor.",
        },
    ),
    Exercise(
        id="autoencoders.recall_then_precision",
        stub="recall_then_precision = ...",
        points=1,
        laws=(fewer_numbers,),
        reference=(RECALL, PRECISION),
        hints=(
            "Recall: how much of the data has a sample near by. Precision: how many samples are near the data.",
            "How different can pictures be that follow from two numbers? How large are the gaps between their codes?",
        ),
        wrong=(
            ((1, 1), "spread"),
            ((-1, -1), "sign"),
            ((1, -1), "direction"),
            ((0.2, 0.9), "container"),
        ),
        causes={
            "spread": "How different can pictures be that follow from two numbers? Which digits have none near by?",
            "sign": "1,257 codes in a plane, or in eight dimensions: where does a draw fall into a gap more easily?",
            "direction": "Recall is of the data: how many have a sample near by? Which of the two did you put first?",
            "container": "Two numbers, each 1 or −1, recall first, as `recall_then_precision = (1, 1)`.",
            "shape": "Two numbers, each 1 or −1, recall first, as `recall_then_precision = (1, 1)`.",
            "not-finite": "Two numbers, each 1 or −1, recall first, as `recall_then_precision = (1, 1)`.",
        },
    ),
)
