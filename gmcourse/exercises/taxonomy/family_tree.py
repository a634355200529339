"""Exercises of lesson 01.2, the family tree."""

import math
import re
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from gmcourse.exercises.record import Exercise
from gmcourse.laws.broken import LawBroken
from gmcourse.laws.taxonomy import claims, fits


def forward_kl_fit(samples: Tensor) -> tuple[Tensor, Tensor]:
    """The mean, and ½ ln of the variance, of each coordinate."""
    return samples.mean(0), 0.5 * samples.var(0, correction=0).log()


def reverse_kl(log_q: Tensor, log_p: Tensor, dx: float) -> Tensor:
    """Σ q (ln q − ln p) dx."""
    return (log_q.exp() * (log_q - log_p)).sum() * dx


def classify_record(model: Any, x: Tensor) -> str:
    """The word of the first question that the model answers."""
    questions = {"exact": "log_prob", "bound": "elbo", "unnormalised": "energy", "implicit": "sample"}
    for word, name in questions.items():
        try:
            getattr(model, name)(1 if name == "sample" else x)
        except (AttributeError, NotImplementedError):
            continue
        return word
    return "none"


def frechet_1d(mean: Tensor, std: Tensor, mean2: Tensor, std2: Tensor) -> Tensor:
    """(μ − μ′)² + (σ − σ′)²."""
    return (mean - mean2) ** 2 + (std - std2) ** 2


def reverse_and_js_lose_it(answer: object) -> None:
    """The fits that stand on the large hill alone, by name, in any container and order: reverse KL and JS.

    At a = 3 the reverse fit is N(−2.99, 1.02²), 0.354 nats, and covers at no share; JS lets go above a share of 67.0 %:
    at 70 %, N(−2.99, 1.03²) has 0.116 against 0.130 for the best that covers. Forward KL always has the moments.
    """
    law, names = "the fits that leave the small hill", _names(answer)
    if names is None or not names <= {"forward", "reverse", "js"}:
        raise LawBroken(law, f"a {type(answer).__name__}", 'a set of "forward", "reverse", "js"', "container")
    if names == {"reverse", "js"}:
        return
    cause = {frozenset({"reverse"}): "spread", frozenset({"js"}): "dependence", frozenset(): "constant"}
    blame = "direction" if "forward" in names else cause[frozenset(names)]
    raise LawBroken(law, f"your {{{', '.join(sorted(names))}}}", "another set", blame)


def _names(answer: object) -> set[str] | None:
    """The words of a string, or of strings in a container, in small letters; None for anything else."""
    parts = [answer] if isinstance(answer, str) else answer
    if not isinstance(parts, Iterable):
        return None
    parts = list(parts)
    if not all(isinstance(part, str) for part in parts):
        return None
    text = re.sub(r"jensen\W*shannon", "js", " ".join(parts).lower())
    return set(re.findall(r"[a-z]+", text)) - {"kl", "and", "both", "divergence", "none", "set"}


def _has(model, x):
    return next((word for name, word in claims.ANSWERS.items() if hasattr(model, name)), "none")


def _called(*names):
    """The reference, asking in another order."""

    def answer(model, x):
        for name in names:
            try:
                getattr(model, name)(1 if name == "sample" else x)
            except (AttributeError, NotImplementedError):
                continue
            return claims.ANSWERS[name]
        return "none"

    return answer


EXERCISES = (
    Exercise(
        id="taxonomy.forward_kl_fit",
        stub='''def forward_kl_fit(samples):
    """Mean and log_std, (D,) each, of the diagonal Gaussian closest to samples (n, D).

    Closest: least KL(p ‖ q), p known by its samples alone.
    """
    raise NotImplementedError''',
        points=2,
        laws=(fits.fit_maximises_likelihood,),
        reference=forward_kl_fit,
        hints=(
            "KL(p ‖ q) is E_p ln p, in which nothing can be chosen, minus E_p ln q. Make the mean of ln q large.",
            "The derivatives vanish at μ = the mean of x and σ² = the mean of (x − μ)²; log_std is ½ ln σ².",
        ),
        wrong=(
            (lambda x: (x.mean(0), x.var(0).log()), "spread"),
            (lambda x: (x.mean(0), x.std(0)), "constant"),
            (lambda x: (x.mean(0), (x.std(0) / math.sqrt(len(x))).log()), "reduction"),
            (lambda x: (x.mean(0), -0.5 * torch.linalg.inv(x.T.cov()).diagonal().log()), "direction"),
            (lambda x: (x.median(0).values, forward_kl_fit(x)[1]), "one-to-one"),
            (lambda x: forward_kl_fit(x)[::-1], "spread"),
        ),
        causes={
            "spread": "log_std is ln σ, and it comes second. Is yours the logarithm of a variance?",
            "constant": "log_std is the natural logarithm of σ, not σ; and the samples are not centred at 0.",
            "reduction": "More samples make the *mean* more certain. Do they make p narrower?",
            "direction": "Those are the widths that *reverse* KL gives to correlated coordinates. Which mean is taken?",
            "one-to-one": "E_p ln q is quadratic in x. Which number makes the mean of (x − μ)² least?",
            "dependence": "Each coordinate has its own mean and σ, from all samples, the spread taken about the mean.",
            "log-mean": "Which comes first, the mean of the squares or the logarithm? And are they squares?",
            "sign": "Is that −μ, or −ln σ? For wide data, should log_std be large or small?",
            "shape": "One mean and one log_std for each coordinate, (D,). Which axis holds the samples?",
            "container": "Two tensors are asked for, mean and log_std. What does yours give back?",
        },
    ),
    Exercise(
        id="taxonomy.reverse_kl",
        stub='''def reverse_kl(log_q, log_p, dx):
    """KL(q ‖ p), a scalar, nats, from ln q and ln p, (cells,) each, on a grid.

    dx is the width of a cell. All values are finite, some as low as −1000.
    """
    raise NotImplementedError''',
        points=1,
        laws=(fits.reverse_is_mean_under_model,),
        reference=reverse_kl,
        hints=(
            "KL(q ‖ p) is a mean under its first argument: of ln q − ln p, each cell weighed by what q has in it.",
            "A cell holds the probability `log_q.exp() * dx`; the difference of the logarithms needs no exp.",
        ),
        wrong=(
            (lambda log_q, log_p, dx: reverse_kl(log_p, log_q, dx), "direction"),
            (lambda log_q, log_p, dx: (log_p.exp() * (log_q - log_p)).sum() * dx, "direction"),
            (lambda log_q, log_p, dx: -(log_q.exp() * log_p).sum() * dx, "constant"),
            (lambda log_q, log_p, dx: (log_q.exp() * (log_q - log_p)).sum(), "reduction"),
            (lambda q, p, dx: (q.exp() * (q.exp() / p.exp()).log()).sum() * dx, "not-finite"),
            (lambda log_q, log_p, dx: reverse_kl(log_q, log_p, dx) / math.log(2), "log-mean"),
        ),
        causes={
            "direction": "Samples of which of the two are in your mean? KL(q ‖ p) is a mean under q.",
            "constant": "Put in q = p: is your value 0? A KL has both logarithms, ln q and ln p.",
            "reduction": "An integral is a sum times the width of a cell. Where does dx enter yours, and how often?",
            "sign": "Can a KL be negative? Which logarithm stands first?",
            "dependence": "Exchange q and p: a KL changes, yours does not. How many terms are asked for?",
            "one-to-one": "Cells where q has much count more than cells where it has nothing. Where is your weight?",
            "not-finite": "Where p is 0 to a computer, q/p is no number. Must the logarithms be left?",
            "overflow": "Right near the hills, wrong where exp(log_p) is 0. What do you take the log of, or leave out?",
            "log-mean": "Nats are asked for, and a mean of logarithms. Is yours in bits, or the logarithm of a mean?",
        },
    ),
    Exercise(
        id="taxonomy.classify_record",
        stub='''def classify_record(model, x):
    """What the model can tell of x (batch, D), one word, found by calling it.

    "exact", "bound", "unnormalised", "implicit" or "none", the first that holds.
    """
    raise NotImplementedError''',
        points=2,
        laws=(claims.word_is_found_by_calling,),
        reference=classify_record,
        hints=(
            "A method that is there can still raise. Only a call tells: try, and go on where it raises.",
            "`try: model.log_prob(x)`, and `except (AttributeError, NotImplementedError)`; then elbo, energy, sample.",
        ),
        wrong=(
            (_has, "dependence"),
            (_called("sample", "log_prob", "elbo", "energy"), "direction"),
            (_called("elbo", "log_prob", "energy", "sample"), "direction"),
            (_called("log_prob", "elbo", "sample", "energy"), "direction"),
            (_called("log_prob", "elbo", "energy"), "one-to-one"),
            (lambda model, x: "explicit" if hasattr(model, "log_prob") else "implicit", "constant"),
            (lambda model, x: True, "container"),
        ),
        causes={
            "dependence": "The model has a method that raises when it is called. Did you call it?",
            "direction": "The model answers an earlier question, too. In which order do you ask?",
            "one-to-one": "The model answers one of the four. Did you ask for all? `sample` takes a number of samples.",
            "constant": 'The five words are "exact", "bound", "unnormalised", "implicit" and "none". Yours is another.',
            "container": "One word is asked for, a string.",
        },
    ),
    Exercise(
        id="taxonomy.frechet_1d",
        stub='''def frechet_1d(mean, std, mean2, std2):
    """Squared Fréchet distance of N(mean, std²) and N(mean2, std2²), all (batch,)."""
    raise NotImplementedError''',
        points=1,
        laws=(fits.distance_is_cheapest_pairing,),
        reference=frechet_1d,
        hints=(
            "With x = μ + σz and x′ = μ′ + σ′z, what is x − x′? Square it, and take the mean over z.",
            "E z = 0 and E z² = 1 leave (μ − μ′)² + (σ − σ′)².",
        ),
        wrong=(
            (lambda m, s, m2, s2: (m - m2) ** 2 + (s**2 - s2**2) ** 2, "spread"),
            (lambda m, s, m2, s2: frechet_1d(m, s, m2, s2).sqrt(), "log-mean"),
            (lambda m, s, m2, s2: (m - m2) ** 2 + s**2 + s2**2, "dependence"),
            (lambda m, s, m2, s2: (m - m2).abs() + (s - s2).abs(), "one-to-one"),
            (lambda m, s, m2, s2: (s2 / s).log() + (s**2 + (m - m2) ** 2) / (2 * s2**2) - 0.5, "direction"),
            (lambda m, s, m2, s2: frechet_1d(m, s, m2, s2).sum(), "shape"),
        ),
        causes={
            "spread": "`std` is σ. Double every x: the squared distance should grow by 4. Does yours?",
            "log-mean": "The *squared* distance is asked for. Did you take a root, or a logarithm?",
            "dependence": "You paired x and x′ at random. The best pairing uses the same z for both: what cancels?",
            "one-to-one": "Square x − x′ = (μ − μ′) + (σ − σ′)z and take the mean over z: E z is 0, and E z² is 1.",
            "constant": "N(0, 1) and N(0, 9) are not the same, nor are N(0, 1) and N(5, 1). Are your distances 0?",
            "sign": "Two equal Gaussians have distance 0, others more. Which difference did you write as a sum?",
            "reduction": "At μ′ = μ + 1 and equal σ, x − x′ is −1 for every z. What is the mean of its square?",
            "direction": "That is a KL divergence. The distance is in units of x²: no ratio, no logarithm.",
        },
    ),
    Exercise(
        id="taxonomy.lost_hill",
        stub="lost_hill = ...",
        points=1,
        laws=(reverse_and_js_lose_it,),
        reference=frozenset({"reverse", "js"}),
        hints=(
            "Forward KL matches mean and variance. Reverse KL pays −ln 0.7 for the small hill that it leaves.",
            "JS lets the small hill go as soon as the large one holds more than 67.0 % of the data, at a = 3.",
        ),
        wrong=(
            ({"reverse"}, "spread"),
            (["js"], "dependence"),
            (set(), "constant"),
            ("forward", "direction"),
            (2, "container"),
        ),
        causes={
            "spread": "At which share of the large hill does the best JS fit change, at a = 3? Compare it with 0.7.",
            "dependence": "JS lets the small hill go. Reverse KL minds even less what q misses: does it keep the hill?",
            "constant": "Does the best reverse fit put a Gaussian where p has hardly anything, between the hills?",
            "direction": "Forward KL has the mean and the variance of *all* data. Where is its mean, at w = 0.7?",
            "container": 'A set of names is asked for, as {"forward"}: "forward", "reverse", "js", or an empty set.',
        },
    ),
)
