"""Exercises of lesson 08.2, one data set, every family."""

import math

import torch

from gmcourse.comparison.differences import holm, known_order, permutation_p, share_near_best, smallest_p
from gmcourse.exercises.drawing import Pick, first_sound, value_law
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.laws.broken import require_value
from gmcourse.laws.comparison import differences as laws

LEAST = 1 / 792


def least_p_of_five_and_seven(answer: object) -> None:
    """Of C(12, 5) = 792 partings the one that was seen counts; its mirror image has five on the other side."""
    slips = {
        "direction": (2 / 792, 4 / 792),
        "spread": (2 / 252, 1 / 252, 2 / 924, 1 / 924, 2 / 3432, 1 / 3432),
        "one-to-one": (0.0, 1 / 2**5, 2 / 2**5, 1 / 2**7, 2 / 2**7, 1 / 2**12, 2 / 2**12),
        "reduction": (1 / 95040, 2 / 95040, 1 / 120, 1 / 5040, 792.0, 2.0, 1.0),
        "constant": (0.05, 1 / 12, 2 / 12, 1 / 35),
    }
    require_value("the least p of five seeds and seven", answer, LEAST, 0.01 * LEAST, slips, fit=1e-6)


def _one_sided(a, b):
    p = permutation_p(a, b)
    return p / 2


def _pairs(a, b):
    """Signs of the differences turned, seed by seed, as far as both go."""
    n = min(len(a), len(b))
    gaps = a[:n] - b[:n]
    signs = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0], dtype=gaps.dtype)] * n)
    return ((signs @ gaps).abs() >= gaps.sum().abs() - 1e-9).double().mean().item()


def _without_the_seen(a, b):
    ways = math.comb(len(a) + len(b), len(a))
    return permutation_p(a, b) - 1 / ways


def _each_at(share):
    return lambda p, level: p <= share(level, len(p))


def _to_the_end(p, level):
    bars = level / (len(p) - p.argsort().argsort())
    return p <= bars


def _values_alone(a, b):
    return (a[0] > b[0]) - (a[0] < b[0])


def _both_exact(a, b):
    return _values_alone(a, b) if a[1] == b[1] == "exact" else 0


def p_elsewhere(seed: int) -> Variant:
    """The same for other numbers of seeds."""
    return first_sound(seed, _least, lesson=LEAST)


def _least(pick: Pick) -> Variant:
    n, m = pick((3, 4, 5, 6, 7, 8)), pick((4, 5, 6, 7, 8, 9))
    ways, right = math.comb(n + m, n), smallest_p(n, m)
    slips = {
        "direction": (2 if n != m else 1) / ways,
        "one-to-one": (0.0, 1 / 2 ** min(n, m), 2 / 2 ** min(n, m), 1 / 2 ** (n + m)),
        "reduction": (1 / math.factorial(n + m), 2.0, 1.0, 1 / math.factorial(n), 2 / math.factorial(n)),
        "constant": (0.05, 1 / (n + m)),
    }
    sides = "two, one to either side" if n == m else "one: its mirror image has other counts"
    mirror = "Turn the seen parting round: a's values for b's. Are there as many on each side as before?"
    return Variant(
        f"One model has {n} seeds, another {m}, and no two results are equal. What is the least $p$ that the two-sided "
        "permutation test can give, whatever the results? To within 1 %.",
        laws=(value_law(f"p of {n} seeds, all better than {m} others", right, 0.01 * right, slips),),
        reference=right,
        wrong=(((2 if n != m else 1) / ways, "direction"), (0.0, "one-to-one"), (0.05, "constant")),
        hints=(
            f"In how many ways are {n + m} values parted into {n} and {m}?",
            f"C({n + m}, {n}) = {ways}. How many of them must have a gap as large as the one seen? At least {sides}.",
        ),
        causes={"direction": mirror},
    )


EXERCISES = (
    Exercise(
        id="comparison.permutation_p",
        stub='''def permutation_p(a, b):
    """The share of partings whose gap of means is that of a (n,) and b (m,), or larger.

    All values are parted into n and m in every possible way; two-sided.
    """
    raise NotImplementedError''',
        points=2,
        laws=(laws.partings_are_counted,),
        reference=permutation_p,
        hints=(
            "Put all values together. Which n of them came from a? Try every choice, that which was seen too.",
            "`for chosen in itertools.combinations(range(n + m), n)`: the mean of the chosen less that of the others; "
            "count where its size is at least the one seen, and divide by the number of choices.",
        ),
        wrong=(
            (_one_sided, "direction"),
            (_pairs, ""),
            (_without_the_seen, "constant"),
            (lambda a, b: 1 - permutation_p(a, b), "direction"),
            (lambda a, b: permutation_p(a, b) * math.comb(len(a) + len(b), len(a)), "reduction"),
        ),
        causes={
            "direction": "Which gaps count: those to one side, or the large ones to either side?",
            "sign": "One side, doubled: with n ≠ m there are not as many large gaps to either side. Count |gap|.",
            "dependence": "How many values are on each side of your partings? n and m may differ by two or more.",
            "constant": "Is the order that was seen among the partings that you count, and once?",
            "one-to-one": "Two partings may have one gap, but for rounding. Does a gap that equals the one seen count?",
            "reduction": "A share of all partings is asked for. Are seeds of two models paired?",
            "not-finite": "A mean over no value? Every parting has n on one side and m on the other.",
            "": "Take a = [0, 1], b = [1, 2, 6]: ten partings, five of them with a gap of 2.5 or more. And in yours?",
        },
    ),
    Exercise(
        id="comparison.holm",
        stub='''def holm(p, level):
    """Which claims hold together, (n,) booleans; p (n,) is in no order.

    The k-th smallest p (k from 0) needs p <= level/(n - k), if all smaller ones did.
    """
    raise NotImplementedError''',
        points=2,
        laws=(laws.claims_hold_in_turn,),
        reference=holm,
        hints=(
            "Sort, walk up from the smallest, stop at the first that fails; then bring the verdicts back to the order "
            "of p.",
            "`ranked = p.argsort()`, `met = p[ranked] <= level / torch.arange(n, 0, -1)`, a cumulative product of "
            "`met`, `holds[ranked] = ...`.",
        ),
        wrong=(
            (_each_at(lambda level, n: level), "constant"),
            (_each_at(lambda level, n: level / n), "reduction"),
            (_to_the_end, "dependence"),
            (lambda p, level: holm(p, level)[p.argsort()], "shape"),
            (lambda p, level: holm(p, level).sum(), "shape"),
        ),
        causes={
            "constant": "With twenty claims, how many of them would be true by chance alone at this bar?",
            "reduction": "That is Bonferroni's bar for all. Once the smallest has held, how many claims are left?",
            "dependence": "One failed below it, and a larger p held. What happens behind the first that fails?",
            "direction": "The smallest p has the hardest bar. Which has it in yours?",
            "one-to-one": "Is k the place of a claim in the list, or its rank? One `argsort` gives places, not ranks.",
            "shape": "A verdict for each claim, in the order in which the p came. Are yours sorted?",
            "": "Write beside each p its rank k from 0 and its bar, level/(n - k). Which verdict of yours differs?",
            "container": "A verdict for each claim: a row of booleans, or of 0 and 1.",
            "not-finite": "A verdict for each claim: a row of booleans, or of 0 and 1.",
        },
    ),
    Exercise(
        id="comparison.known_order",
        stub='''def known_order(a, b):
    """-1: the first has the less cost for certain; 1: the second; 0: not known.

    a and b are (value, kind). kind "exact": the cost is the value. kind "bound": it is
    at most the value.
    """
    raise NotImplementedError''',
        points=1,
        laws=(laws.bounds_are_known_below_alone,),
        reference=known_order,
        hints=(
            "Draw the costs that are possible as two lines: a point, or all that lies below the value.",
            'The first is less if `b[1] == "exact" and a[0] < b[0]`: its cost is at most a[0]. The second likewise.',
        ),
        wrong=(
            (_values_alone, "direction"),
            (_both_exact, "spread"),
            (lambda a, b: -known_order(a, b), "sign"),
            (lambda a, b: known_order(a, b) if a[0] != b[0] else -1, "constant"),
            (lambda a, b: a if known_order(a, b) < 0 else b, "container"),
        ),
        causes={
            "sign": "The *less* cost is asked for, -1 if it is the first. Which of the two is smaller?",
            "direction": "A bound may be loose. What is the least that the true cost behind it could be?",
            "spread": "One of the two is known to lie below the other. Can a true cost lie above its bound?",
            "constant": "Both have the same value. Is either known to be less?",
            "one-to-one": "Both costs are known exactly here. What more do you need to order them?",
            "not-finite": "One number: -1, 1 or 0.",
            "container": "One number: -1, 1 or 0.",
            "shape": "One number: -1, 1 or 0.",
        },
    ),
    Exercise(
        id="comparison.share_near_best",
        stub='''def share_near_best(results, times):
    """The share of all runs with at most `times` the least result; one number.

    results, of shape (rates, seeds), has torch.inf for a failed run; if all failed, 0.
    """
    raise NotImplementedError''',
        points=1,
        laws=(laws.near_is_near_the_own_best,),
        reference=share_near_best,
        hints=(
            "One best, that of all runs. A failed run counts among the runs, never among those that are near.",
            "`(results <= times * results.min()) & results.isfinite()`, and the mean.",
        ),
        wrong=(
            (lambda r, times: (r <= times * r.min()).double().mean().item(), "not-finite"),
            (lambda r, times: (r <= times * r.min(1, keepdim=True).values).double().mean().item(), "reduction"),
            (lambda r, times: share_near_best(r, times) * r.numel(), "reduction"),
            (lambda r, times: 1 - share_near_best(r, times), "direction"),
            (lambda r, times: ((r < times * r.min()) & r.isfinite()).double().mean().item(), "constant"),
        ),
        causes={
            "reduction": "The model's one best of all runs, and a share of all runs, the failed ones too. Which is "
            "another in yours?",
            "direction": "Runs *near* the best are stable. Which do you count?",
            "dependence": "Does your answer change with `times`?",
            "constant": "Nearness is to the best run. To which number do you compare, and does the bar itself count?",
            "spread": "`times` multiplies the best, and that is the bar for the result itself. Did you add it?",
            "shape": "One number for all rates and all seeds.",
            "container": "One number is asked for.",
            "not-finite": "∞ ≤ 1.5 · ∞ is true to a computer. What comes of three runs that failed?",
            "": "Take [[10, 14, ∞], [40, 12, 22]] at 1.5: the bar is 15, and three of six meet it. And yours?",
        },
    ),
    Exercise(
        id="comparison.least_p",
        stub="least_p = ...",
        points=1,
        laws=(least_p_of_five_and_seven,),
        reference=LEAST,
        hints=(
            "In how many ways are twelve values parted into five and seven?",
            "C(12, 5) = 792. The one that was seen counts. Must another have a gap as large?",
        ),
        wrong=(
            *((2 / 792, "direction"), (0.0, "one-to-one"), (2 / 2**5, "one-to-one")),
            (0.05, "constant"),
        ),
        causes={
            "direction": "Turn the parting round, five of one for five of the other. Is it a parting into 5 and 7?",
            "spread": "That is for as many seeds of both. How many are there of each here?",
            "one-to-one": "What was seen is one of the partings, and any five of twelve make one. How many are there?",
            "reduction": "The order within five does not change their mean. How many different fives are there?",
            "constant": "That is a level, or a share of seeds. Count partings.",
            "container": "One number, as `least_p = 0.05`.",
            "": "How many partings are there, and how many of them have a gap as large? p is the one over the other.",
        },
        variant=p_elsewhere,
    ),
)
