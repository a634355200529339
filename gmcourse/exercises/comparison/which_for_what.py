"""Exercises of lesson 08.3, which one, for what: shares, a temperature, rejection, and who is able."""

import math

import torch

from gmcourse.comparison.jobs import able
from gmcourse.comparison.shares import acceptance, corrected_share, minority_recall, tempered_shares
from gmcourse.exercises.drawing import Pick, first_sound, value_law
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.laws.broken import require_value
from gmcourse.laws.comparison import shares as laws

HALVED = minority_recall(0.2)


def recall_of_half(answer: object) -> None:
    """Shares of 20 % and 80 %: the threshold is ½ ln 4 = 0.693, and Φ(1 − 0.693) = 0.6205."""
    require_value("the minority's recall", answer, HALVED, 0.006, _slips(0.2), fit=0.003)


def _slips(share: float, distance: float = 1.0) -> dict:
    """What usual slips give at this share."""
    log_odds, d = torch.logit(torch.tensor(1 - share)).item(), distance
    half = log_odds / (2 * d)
    recall, alarms = _phi(d - half), (1 - share) * _phi(-d - half)
    precision = share * recall / (share * recall + alarms)
    return {
        "constant": [_phi(d - log_odds), _phi(-half)],
        "sign": [_phi(d + half), _phi(half - d)],
        "dependence": [
            *(_phi(d), _phi(d + math.log(share) / (2 * d)), minority_recall(2 * share, d)),
            minority_recall(2 * share, d) / 2,
        ],
        "direction": [share, 1 - share, precision, share * recall],
    }


def _phi(z: float) -> float:
    return torch.special.ndtr(torch.tensor(z, dtype=torch.float64)).item()


def recall_elsewhere(seed: int) -> Variant:
    """The same for other shares."""
    return first_sound(seed, _recall, lesson=HALVED)


def _recall(pick: Pick) -> Variant:
    share, d = pick((0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.12, 0.15)), pick((0.8, 0.9, 1.1, 1.2, 1.3, 1.4))
    right, slips = minority_recall(share, d), _slips(share, d)
    wrong = [(values[0], cause) for cause, values in slips.items()] + [(slips["dependence"][1], "dependence")]
    return Variant(
        rf"Two classes, $\mathcal{{N}}(-{d:g}, 1)$ and $\mathcal{{N}}({d:g}, 1)$; the second has a share of {share:g}. "
        "Which share of the second class does Bayes' rule with these shares find? Answer to within 0.006.",
        laws=(value_law("the minority's recall", right, 0.006, slips, 0.003),),
        reference=right,
        wrong=tuple(wrong),
        hints=(
            f"Where are the two weighted densities equal? The logarithm of their ratio is {2 * d:g} x − ln((1 − w)/w).",
            f"The threshold is {d - _z(right):.3f}. How much of N({d:g}, 1) lies above it?",
        ),
        causes={
            "constant": f"The log-ratio of the densities is {2 * d:g} x. By what is ln((1 − w)/w) to be divided?",
            "sign": "Where does the threshold go when the minority gets rarer? What is found: above it, or below?",
            "dependence": "Does your threshold know the shares, those that are asked for?",
            "direction": "Of *that class*, which share is found? Not of the data, nor of what is called so.",
            "": f"A number from 0 to 1. Here d = {d:g}. At which x are the two weighted densities equal?",
        },
    )


def _z(p: float) -> float:
    return torch.special.ndtri(torch.tensor(p, dtype=torch.float64)).item()


EXERCISES = (
    Exercise(
        id="comparison.corrected_share",
        stub='''def corrected_share(seen, false_positives, true_positives):
    """The share, one number, behind what a classifier with these rates has seen."""
    raise NotImplementedError''',
        points=1,
        laws=(laws.correction_undoes_the_classifier,),
        reference=corrected_share,
        hints=(
            "Let π be the share. Which share does the classifier see: of the minority, and of the majority?",
            "s = π t + (1 − π) f. Solve for π: at s = f it must be 0, at s = t it must be 1.",
        ),
        wrong=(
            (lambda s, f, t: s / t, "constant"),
            (lambda s, f, t: (s - f) / t, "constant"),
            (lambda s, f, t: (s - f) / (1 - f), "constant"),
            (lambda s, f, t: s, "dependence"),
            (lambda s, f, t: (t - s) / (t - f), "direction"),
            (lambda s, f, t: (s + f) / (t - f), "sign"),
        ),
        causes={
            "constant": "Put in s = f: 0. Put in s = t: 1. Which of the two does yours miss?",
            "dependence": "That is what the classifier saw. What are its two kinds of errors?",
            "direction": "Of which of the two groups is this the share?",
            "sign": "False alarms are seen on top. Are they taken away, or added?",
            "container": "One number is asked for.",
            "shape": "One number is asked for.",
            "": "Put in s = f: 0. Put in s = t: 1. What does yours give there?",
        },
    ),
    Exercise(
        id="comparison.tempered_shares",
        stub='''def tempered_shares(shares, temperature):
    """The shares, (K,), of samples at a temperature, from groups of these shares."""
    raise NotImplementedError''',
        points=1,
        laws=(laws.temperature_bends_the_odds,),
        reference=tempered_shares,
        hints=(
            "A temperature T divides log-probabilities by T. What does that do to w?",
            "`raised = shares ** (1 / temperature)`. Do they sum to 1?",
        ),
        wrong=(
            (lambda w, t: w**t / (w**t).sum(), "direction"),
            (lambda w, t: w ** (1 / t), "reduction"),
            (lambda w, t: w ** (1 / t**2) / (w ** (1 / t**2)).sum(), "spread"),
            (lambda w, t: torch.softmax(w / t, 0), "constant"),
            (lambda w, t: w, "dependence"),
        ),
        causes={
            "direction": "A low temperature: does the largest share grow, or shrink? And in yours?",
            "reduction": "Are your shares a distribution? Add them up.",
            "spread": "T² is right for the deviation of a Gaussian. Here T divides log-probabilities.",
            "constant": "It is ln w that is divided by T. What did you divide?",
            "dependence": "Does your answer change with the temperature?",
            "not-finite": "One of the shares is 0. What should it be afterwards?",
            "shape": "One share for each group.",
            "": "Odds of 9 : 1 at T = 1/2: what becomes of them? And of a share of 0?",
        },
    ),
    Exercise(
        id="comparison.acceptance",
        stub='''def acceptance(shares, wanted):
    """The probabilities (K,) to keep a sample of each group, and the draws it costs.

    shares and wanted are (K,) and sum to 1; every group is drawn at times.
    """
    raise NotImplementedError''',
        points=2,
        laws=(laws.rejection_gives_what_is_wanted,),
        reference=acceptance,
        hints=(
            "Kept samples have shares in proportion to w_k a_k. Which a_k make them v_k? They are probabilities.",
            "a = (v/w) / max(v/w). The share of draws that is kept is Σ w a; the cost is one over it.",
        ),
        wrong=(
            (lambda w, v: (v / w, acceptance(w, v)[1]), "constant"),
            (lambda w, v: (1 / w, acceptance(w, v)[1]), "constant"),
            (lambda w, v: ((w / v) / (w / v).max(), acceptance(w, v)[1]), "direction"),
            (lambda w, v: (v, acceptance(w, v)[1]), "dependence"),
            (lambda w, v: (acceptance(w, v)[0], 1 / acceptance(w, v)[1]), "direction"),
            (lambda w, v: (acceptance(w, v)[0], acceptance(w, v)[1] - 1), "reduction"),
        ),
        causes={
            "constant": "What is the largest value that a probability can have? Is it used, and not passed?",
            "direction": "The rare group is kept always, the common one at times. The cost is above 1. And yours?",
            "dependence": "Does your probability know how often a group is *drawn*, and how often it is wanted?",
            "reduction": "Of 100 draws 100 w_k are of group k. How many of all 100 are kept? What does one cost?",
            "": "w = (0.9, 0.1), v = (1/2, 1/2): of 90 and 10 that are drawn, how many of each do you keep?",
            "spread": "The cost is the number of draws for one sample that is kept. What did you square?",
            "container": "Two results: the probabilities, and one number.",
            "shape": "Two results: a probability for each group, and one number.",
        },
    ),
    Exercise(
        id="comparison.able",
        stub='''def able(has, groups):
    """Which models can do a job, (M,) bool.

    has (M, K) says which of K methods each of M models has; groups (G, K) which methods
    the job needs: one of each group is enough. Both are bool.
    """
    raise NotImplementedError''',
        points=1,
        laws=(laws.able_has_one_of_every_group,),
        reference=able,
        hints=(
            "For one model and one group: is there a method that both have? Then for every group.",
            "`(has[:, None] & groups)` is (M, G, K). Which axis takes `any`, and which `all`? (A product needs "
            "`.float()`.)",
        ),
        wrong=(
            (lambda has, groups: (has[:, None] | ~groups).all(2).all(1), "constant"),
            (lambda has, groups: (has[:, None] & groups).any(2).any(1), "reduction"),
            (lambda has, groups: (has[:, None] & groups).sum((1, 2)), "reduction"),
            (lambda has, groups: ~able(has, groups), "direction"),
            (lambda has, groups: (has[:, None] & groups).any(2), "shape"),
        ),
        causes={
            "constant": "One method of a group is enough. Does yours ask for all of them?",
            "reduction": "One of *every* group. A model that has a method of one group alone: what do you say of it?",
            "direction": "True is for those that can. For whom is yours?",
            "shape": "One answer for each model.",
            "container": "A tensor of truth values: is there at least one, yes or no?",
            "": "For one model: `any` over the methods of a group, then `all` over the groups. Which axis is which?",
        },
    ),
    Exercise(
        id="comparison.minority_recall",
        stub="minority_recall_at_20_percent = ...",
        points=1,
        laws=(recall_of_half,),
        reference=HALVED,
        hints=(
            "Where are the two weighted densities equal? The logarithm of their ratio is 2x − ln 4.",
            "The threshold is ½ ln 4 = 0.693. How much of N(1, 1) lies above it?",
        ),
        wrong=(
            (0.787, "dependence"),
            (0.394, "dependence"),
            (0.350, "constant"),
            (0.955, "sign"),
            (0.2, "direction"),
        ),
        causes={
            "constant": "The log-ratio of the two densities is 2x. By what is ln 4 to be divided?",
            "sign": "Where does the threshold go when the minority gets rarer? What is found: above it, or below?",
            "dependence": "That is a recall at another share, or half of it. Where is the threshold now?",
            "direction": "Of *that class*, which share is found? Not of the data, nor of what is called so.",
            "container": "One number is asked for, as `minority_recall_at_20_percent = 0.5`.",
            "": "A number from 0 to 1. Here d = 1. Where does 2x = ln 4 put the threshold?",
        },
        variant=recall_elsewhere,
    ),
)
