"""Exercises of lesson 02.5, characters."""

from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import Tensor

from gmcourse.autoregressive.choosing import entropy_slope, nucleus, temperature
from gmcourse.autoregressive.ngram import witten_bell
from gmcourse.exercises.drawing import Pick, first_sound
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.laws.autoregressive import backoff, choosing
from gmcourse.laws.broken import LawBroken, require_close, require_numbers


def cooled_text_begins_otherwise(answer: object) -> None:
    """By steps (2/3)²/((2/3)² + (1/3)²) = 4/5; as a text 10 (2/30)²/(10 (2/30)² + (1/3)²) = 2/7."""
    law = "P(a) at T = ½, when each step is cooled and when the text is"
    expected = torch.tensor([4 / 5, 2 / 7]).double()
    observed = require_numbers(law, answer, 2)
    warm = 2**0.5 / (1 + 2**0.5), 20**0.5 / (1 + 20**0.5)
    slips = {
        "direction": [(2 / 7, 4 / 5)],
        "constant": [(4 / 5, 4 / 5), (2 / 3, 2 / 3), (2 / 7, 2 / 7)],
        "sign": [warm, (warm[0], 2 / 7), (4 / 5, warm[1]), (warm[0], warm[0])],
        "reduction": [(4 / 5, 1 / 26), (4 / 5, 1 / 35), (4 / 5, 2 / 45 / 10)],
        "log-mean": [(2 / 3, 2 / 7), (4 / 5, 2 / 3), (4 / 5, 1 / 6), (2 / 3, 4 / 5)],
        "spread": [(4 / 9, 2 / 45), (4 / 5, 2 / 45), (4 / 5, 4 / 9), (4 / 9, 4 / 9)],
        "one-to-one": [(1 / 5, 5 / 7), (4 / 5, 5 / 7), (1 / 5, 2 / 7)],
        "dependence": [(1 / 2, 1 / 5), (4 / 5, 1 / 5)],
    }
    pairs = {cause: [torch.tensor(way).double() for way in ways] for cause, ways in slips.items()}
    try:
        require_close(law, observed, expected, 0.006, pairs, fit=0.005)
    except LawBroken as broken:
        raise LawBroken(law, f"your {broken.observed}", "other numbers", broken.cause or _read(observed)) from None


def _read(numbers: Tensor, steps: float = 4 / 5) -> str:
    """Shares of 100, one number for both readings, or the first one right and the second not."""
    if (numbers > 1).any():
        return "container"
    return "constant" if numbers[0] == numbers[1] else "dependence" if abs(numbers[0] - steps) < 0.006 else ""


def _mixed(followers):
    def answer(counts, lower):
        extra = followers(counts)
        return torch.where(
            counts.sum(1, keepdim=True) > 0,
            (counts + extra * lower) / (counts.sum(1, keepdim=True) + extra).clamp(min=1),
            lower,
        )

    return answer


def _kinds(counts):
    return (counts > 0).sum(1, keepdim=True)


def _kept(logits, kept):
    return logits.masked_fill(~kept, -torch.inf)


def _as_they_stand(logits, mass):
    p = logits.softmax(-1)
    return _kept(logits, p.cumsum(-1) - p < mass)


def _below_the_mass(logits, mass):
    p, order = logits.softmax(-1).sort(-1, descending=True)
    return _kept(logits, torch.zeros_like(p).scatter(-1, order, (p.cumsum(-1) <= mass).to(p)) > 0)


def _slope(weigh, power):
    def answer(logits, t):
        log_p, weight = logits.log_softmax(-1), weigh(logits, t).softmax(-1)
        return ((weight * log_p**2).sum(-1) - (weight * log_p).sum(-1) ** 2) / t**power

    return answer


def other_readings(seed: int) -> Variant:
    """The same for another first symbol and another number of texts after it."""
    return first_sound(seed, _readings, lesson=(4 / 5, 2 / 7))


def _readings(pick: Pick) -> Variant:
    p, n = pick((0.55, 0.6, 0.7, 0.75, 0.8)), pick((3, 5, 6, 8, 12, 15))
    steps, text = (p**2 / (p**2 + by * (1 - p) ** 2) for by in (1, n))
    root = p**0.5 / (p**0.5 + (1 - p) ** 0.5), (p * n) ** 0.5 / ((p * n) ** 0.5 + (1 - p) ** 0.5)
    one = p**2 / n**2 / (p**2 / n**2 + (1 - p) ** 2)
    slips = {
        "direction": [(text, steps)],
        "constant": [(steps, steps), (p, p), (text, text)],
        "sign": [root, (root[0], text), (steps, root[1]), (root[0], root[0])],
        "reduction": [(steps, one)],
        "log-mean": [(p, text), (steps, p), (p, steps)],
        "spread": [(steps, p**2 / n), (p**2, p**2 / n), (steps, p**2), (p**2, p**2)],
        "one-to-one": [(1 - steps, 1 - text), (steps, 1 - text), (1 - steps, text)],
        "dependence": [(1 / 2, 1 / 5), (steps, 1 / 5)],
    }
    return Variant(
        f"Texts of two symbols. The first one is `a` with probability {p:g}, else `b`. After `a` come {n} symbols, "
        r"equally likely; after `b` comes always the same one. At $T = \frac12$, what is the probability that a text "
        r"begins with `a`: when each *step* is cooled, and when the *text* is, $\tilde q(x) \propto p(x)^{1/T}$? "
        "Answer with two numbers, in this order, to three decimals.",
        laws=(partial(_cooled, expected=(steps, text), slips=slips),),
        reference=(steps, text),
        wrong=(*((ways[0], cause) for cause, ways in slips.items()), (steps, "shape")),
        hints=_hints_on_readings(p, n),
        causes={
            "constant": f"Are the two readings the same? Write down the {n + 1} texts, each with its p².",
            "reduction": f"{n} texts begin with a. Are they all in your sum?",
        },
    )


def _hints_on_readings(p: float, n: int) -> tuple[str, str]:
    return (
        f"By steps only {p:g} and {1 - p:g} count. As a text there are {n} that begin with a, of {p:g}/{n} each.",
        f"{p:g}² against {1 - p:g}², and {n} times ({p:g}/{n})² against {1 - p:g}²: divide by the sum of the two.",
    )


def _cooled(answer: object, expected: tuple[float, float], slips: Mapping[str, Sequence[tuple[float, ...]]]) -> None:
    law = "P(a) at T = ½, when each step is cooled and when the text is"
    right = torch.tensor(expected).double()
    observed = require_numbers(law, answer, 2)
    pairs = {cause: [torch.tensor(way).double() for way in ways] for cause, ways in slips.items()}
    try:
        require_close(law, observed, right, 0.003, pairs, fit=0.0025)
    except LawBroken as broken:
        cause = broken.cause or _read(observed, expected[0])
        raise LawBroken(law, f"your {broken.observed}", "other numbers", cause) from None


EXERCISES = (
    Exercise(
        id="autoregressive.temperature",
        stub='''def temperature(logits, t):
    """The logits of q ∝ p^(1/t), of the shape of logits: p = softmax of the last axis.

    t > 0 is a number.
    """
    raise NotImplementedError''',
        points=1,
        laws=(choosing.steps_are_tempered,),
        reference=temperature,
        hints=(
            "ln q = (ln p)/t, up to a constant. And ln p is the logits, up to a constant.",
            "`logits / t`: no softmax is needed.",
        ),
        wrong=(
            (lambda logits, t: logits * t, "sign"),
            (lambda logits, t: (logits.softmax(-1) * t).log(), "constant"),
            (lambda logits, t: logits.softmax(-1) / t, "log-mean"),
            (lambda logits, t: (logits / t).softmax(-1), "log-mean"),
            (lambda logits, t: logits / t**2, "spread"),
            (lambda logits, t: (logits.softmax(-1) ** (1 / t)).log(), "not-finite"),
            (lambda logits, t: (logits.softmax(-1) + 1e-20).log() / t, "overflow"),
        ),
        causes={
            "sign": "At T = 4 the entropy should be larger than at T = 1. Is it in your answer?",
            "constant": "A factor before the softmax's sum falls out of p. Where does T make a difference?",
            "log-mean": "Logits are asked for. Which comes first, the division by T or the softmax, and is there one?",
            "spread": "q ∝ p^(1/T). What is ln q then, up to a constant?",
            "reduction": "The last axis holds the symbols. Over which one did you normalise?",
            "shape": "Each row is a distribution of its own.",
            "not-finite": "p may be 0 to a computer, and a logit below 0. Which log, or which root, is not needed?",
            "overflow": "Right for small logits. What did you add to p, or cut off, where p is 0 to a computer?",
        },
    ),
    Exercise(
        id="autoregressive.witten_bell",
        stub='''def witten_bell(counts, lower):
    """p(v | context), (contexts, V), from counts and the next shorter context.

    counts (contexts, V) int64: how often each symbol followed, maybe never.
    lower (contexts, V): p(v | shorter context); each row sums to 1.
    """
    raise NotImplementedError''',
        points=2,
        laws=(backoff.novelty_is_kept,),
        reference=witten_bell,
        hints=(
            "For each row two numbers: the visits N, a sum of counts, and F, how many counts are not 0.",
            "`n, f = counts.sum(1, keepdim=True), (counts > 0).sum(1, keepdim=True)`, then "
            "`(counts + f * lower) / (n + f)`, and `lower` where n is 0.",
        ),
        wrong=(
            (_mixed(lambda counts: counts.sum(1, keepdim=True)), "constant"),
            (_mixed(lambda counts: counts.shape[1]), "spread"),
            (lambda counts, lower: counts / (counts.sum(1, keepdim=True) + _kinds(counts)).clamp(min=1), "reduction"),
            (lambda counts, lower: counts / counts.sum(1, keepdim=True).clamp(min=1), "one-to-one"),
            (
                lambda counts, lower: (
                    (counts + _kinds(counts) * lower) / (counts.sum(1, keepdim=True) + _kinds(counts))
                ),
                "not-finite",
            ),
            (
                lambda counts, lower: (
                    (counts + _kinds(counts) * lower) / (counts.sum(1, keepdim=True) + _kinds(counts)).clamp(min=1)
                ),
                "log-mean",
            ),
            (_mixed(lambda counts: (counts > 0).sum()), "dependence"),
        ),
        causes={
            "constant": "100 visits, always the same symbol: how often was something new seen? F is 1 there, not 100.",
            "spread": "F is the number of different symbols that followed *this* context, and `lower` shares them out.",
            "reduction": "Add up your row: is it 1? F is added to N, and shared out among *all* symbols by `lower`.",
            "one-to-one": "What never followed has the probability 0 in your answer, or is added on top. What is left?",
            "direction": "The counts have N of N + F shares, the shorter context F. Which one did you weigh by F?",
            "dependence": "Each context has its own N and its own F: over which axis did you add?",
            "log-mean": "A context without a visit: N = F = 0. What is known of it is `lower`. What does yours give?",
            "not-finite": "A context without a visit: N = F = 0, and 0/0 is no number. What is known of it?",
            "shape": "A row for each context, (contexts, V).",
            "sign": "A symbol that followed more often is more probable. Is it in your answer?",
        },
    ),
    Exercise(
        id="autoregressive.nucleus",
        stub='''def nucleus(logits, mass):
    """logits (batch, V), with -inf for symbols that are not in their row's nucleus.

    mass: 0 < mass <= 1, what the kept reach together. p is the softmax of a row.
    """
    raise NotImplementedError''',
        points=2,
        laws=(choosing.nucleus_is_smallest,),
        reference=nucleus,
        hints=(
            "Sort each row, the likeliest first, and add up. A symbol is kept if those *before* it fall short of a.",
            "`p, order = logits.softmax(-1).sort(-1, descending=True)`, `kept = p.cumsum(-1) - p < mass`, and "
            "`scatter` brings `kept` back to its places.",
        ),
        wrong=(
            (_below_the_mass, "constant"),
            (_as_they_stand, "dependence"),
            (lambda logits, mass: _kept(logits, nucleus(logits, mass).isneginf()), "sign"),
            (lambda logits, mass: _kept(logits, logits.softmax(-1) > 1 - mass), "direction"),
            (lambda logits, mass: nucleus(logits, mass).softmax(-1), "log-mean"),
            (lambda logits, mass: nucleus(logits, mass).masked_fill(nucleus(logits, mass).isneginf(), 0), "reduction"),
            (lambda logits, mass: nucleus(logits, mass)[:1], "shape"),
        ),
        causes={
            "constant": "a = 0.1, and the likeliest symbol has 0.5: how many are kept? The one that crosses a is.",
            "dependence": "The likeliest come first, wherever they stand in the alphabet. Did you sort, and put back?",
            "sign": "Are those kept that should be cut, or the least likely ones?",
            "direction": "a is no threshold for one symbol: it is what the kept ones reach together.",
            "log-mean": "Logits are asked for, −∞ where p is cut. A softmax of a probability of 0 is not 0.",
            "one-to-one": "As few are kept as reach a, in each row. Is yours one more, or always as many?",
            "reduction": "A logit of 0 is no probability of 0. Which logit is?",
            "shape": "(batch, V), with a nucleus for each row: its own order, and its own number of symbols.",
            "not-finite": "−∞ is right for what is cut, and NaN or +∞ for nothing. Where does yours come from?",
        },
    ),
    Exercise(
        id="autoregressive.entropy_slope",
        stub='''def entropy_slope(logits, t):
    """dH/dt, (batch,), nats, of the entropy of q ∝ p^(1/t), p the softmax of a row.

    logits (batch, V) are finite; t > 0 is a number.
    """
    raise NotImplementedError''',
        points=3,
        laws=(choosing.entropy_rises,),
        reference=entropy_slope,
        hints=(
            "A variance of ln p under q, over T³. A variance does not see a constant: the logits can stand for ln p.",
            "`q = (logits / t).softmax(-1)`, `mean = (q * logits).sum(-1, keepdim=True)`, then "
            "`(q * (logits - mean) ** 2).sum(-1) / t**3`.",
        ),
        wrong=(
            (_slope(lambda logits, t: logits / t, 2), "spread"),
            (_slope(lambda logits, t: logits, 3), "direction"),
            (lambda logits, t: -t * t * entropy_slope(logits, t), "gradient"),
            (lambda logits, t: -entropy_slope(logits, t), "sign"),
            (lambda logits, t: ((logits / t).softmax(-1) * logits**2).sum(-1) / t**3, "constant"),
            (lambda logits, t: logits.var(-1) / t**3, "reduction"),
            (
                lambda logits, t: _slope(lambda x, t: x / t, 3)((logits.softmax(-1) + 1e-30).log(), t),
                "overflow",
            ),
        ),
        causes={
            "direction": "Two distributions take part. The variance is of ln p; is it under p or under q?",
            "spread": "At T = 1 all powers of T are alike. Try T = 2 against a difference of two entropies.",
            "gradient": "The slope in T is asked for, not in β = 1/T: what is dβ/dT?",
            "sign": "A higher temperature, a flatter q: does the entropy rise or fall?",
            "constant": "The logits plus 7 are the same p. Is your answer the same? What does a variance take off?",
            "reduction": "The mean of a variance weighs each symbol by q. Does yours?",
            "log-mean": "The variance is of ln p, in nats. Is yours of p, or in bits?",
            "shape": "One number for each row.",
            "not-finite": "p is 0 to a computer where a logit is far below the others, and ln 0 is −∞. Do you need p?",
            "overflow": "Right for logits close together. What happens where p is 0 to a computer, and q is not?",
        },
    ),
    Exercise(
        id="autoregressive.two_readings",
        stub="two_readings = ...",
        points=2,
        laws=(cooled_text_begins_otherwise,),
        reference=(4 / 5, 2 / 7),
        hints=(
            "By steps only the first symbol's ⅔ and ⅓ count. As a text there are ten that begin with a, of 1/15 each.",
            "(⅔)² against (⅓)², and ten times (1/15)² against (⅓)²: divide each by the sum of the two.",
        ),
        wrong=(
            ((2 / 7, 0.8), "direction"),
            ((0.8, 0.8), "constant"),
            ((0.586, 0.817), "sign"),
            ((0.8, 1 / 26), "reduction"),
            ((2 / 3, 2 / 7), "log-mean"),
            ((0.8, 2 / 45), "spread"),
            ((0.2, 5 / 7), "one-to-one"),
            ((0.5, 0.2), "dependence"),
            (0.8, "shape"),
        ),
        causes={
            "direction": "First the steps, then the text. Which of the two sees what comes after a?",
            "constant": "Are the two readings the same? Write down the eleven texts, each with its p².",
            "sign": "1/T = 2 at T = ½: is p squared, or its root taken?",
            "reduction": "Ten texts begin with a. Are they all in your sum?",
            "log-mean": "Which comes first, the power or the sum over texts? Is the first step cooled, too?",
            "spread": "Two weights are no probabilities: divide by their sum.",
            "one-to-one": "Is that the probability of a, or of b?",
            "dependence": "Which texts are there, and what is p² of each? 1/5 is the lesson's example, not this.",
            "container": "Two numbers between 0 and 1 are asked for, as in (0.1, 0.2).",
            "shape": "Two numbers are asked for, as in (0.1, 0.2).",
        },
        variant=other_readings,
    ),
)
