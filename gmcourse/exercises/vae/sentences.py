"""Exercises of lesson 04.7, sentences."""

import math
from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor

from gmcourse.exercises.drawing import picker
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.laws.broken import LawBroken, Slips, require_numbers, require_value
from gmcourse.laws.vae import sentence
from gmcourse.vae.aggregate import log_owner
from gmcourse.vae.recurrent import sentence_log_prob, word_dropout
from gmcourse.vae.sentence import kl_weight

ENTROPY = math.log(5 * 36 * 3 * 3) + math.log(2)
"""Of the lesson's grammar with a fifth topic, and with a question in every second sentence: 8.0833 nats."""
TAKEN = ((5, 0.5), (6, 0.2))  # the numbers asked for in the lesson, and others with that entropy
FACTS_NATS = math.log(5) + 2 * math.log(3) + math.log(2)


def least_bound(answer: object) -> None:
    """The least −ELBO on a grammar is its entropy, and a KL of 0 reaches it."""
    law = "the least −ELBO, and the least KL at which it is reached"
    bound, kl = require_numbers(law, answer, 2).tolist()
    slips = {
        "dependence": FACTS_NATS,
        "direction": math.log(36),
        "one-to-one": 0.0,
        "reduction": (7.7779, 7.5956, 8.0011, 7.8602),  # the lesson's; by heart; 3 in 10 are questions; four topics
        "constant": (math.log(1620), math.log(1296)),
        "log-mean": (ENTROPY / math.log(2), ENTROPY / 11, ENTROPY / 10.3, ENTROPY / 12),
        "sign": -ENTROPY,
    }
    require_value("the least −ELBO", bound, ENTROPY, 0.03, slips, fit=0.02)
    if abs(kl) > 1e-3:
        cause = "dependence" if kl > 0 else "sign"
        raise LawBroken("the least KL at which it is reached", f"your {kl:.4g}", "another number", cause)


def bound_of_another_grammar(seed: int) -> Variant:
    """The same with `topics` topics and a share of questions; the lesson's grammar has four, and 3 in 10."""
    pick = picker(seed)
    topics, share = pick([(n, p) for n in range(5, 13) for p in (0.1, 0.15, 0.2, 0.25, 0.5) if (n, p) not in TAKEN])
    told, lessons = math.log(topics * 9) + _coin(share), math.log(1296) + _coin(0.3)
    right = told + math.log(36)
    pairs = (told, 0.0), (right, told), (math.log(36), told), (0.0, 0.0), (right, 1.0), (lessons, 0.0)
    causes = "dependence", "dependence", "direction", "one-to-one", "dependence", "reduction", "log-mean"
    return Variant(
        f"Let the lesson's grammar have {topics} topics instead of four, all made as the four are, and let a share of "
        rf"{share:g} of its sentences be questions. Which is the least mean $-\mathrm{{ELBO}}$ that any sentence VAE "
        "can have over draws of *this* grammar, and which is the least KL at which it is reached? Give the pair, in "
        "nats, as `least_bound = bound, kl`.",
        laws=(partial(_bound_and_kl, right=right, slips=_slips_of_bound(told, topics, share)),),
        reference=(right, 0.0),
        wrong=tuple(zip((*pairs, (right / math.log(2), 0.0)), causes, strict=True)),
        hints=_hints_on_bound(topics, share),
        causes=_causes_of_bound(told, share),
    )


def _bound_and_kl(answer: object, right: float, slips: Mapping[str, Slips]) -> None:
    bound, kl = require_numbers("the least −ELBO, and the least KL at which it is reached", answer, 2).tolist()
    require_value("the least −ELBO", bound, right, 0.015, slips, fit=0.012)
    if abs(kl) > 1e-3:
        cause = "dependence" if kl > 0 else "sign"
        raise LawBroken("the least KL at which it is reached", f"your {kl:.4g}", "another number", cause)


def _slips_of_bound(told: float, topics: int, share: float) -> dict[str, Slips]:
    right, lessons = told + math.log(36), math.log(1296) + _coin(0.3)
    return {
        "dependence": told,
        "direction": math.log(36),
        "one-to-one": 0.0,
        "reduction": (lessons, 7.5956, math.log(topics * 324) + _coin(0.3), math.log(1296) + _coin(share)),
        "constant": (math.log(topics * 324), math.log(1296)),
        "log-mean": (right / math.log(2), right / 11, right / 10.3, right / 12),
        "sign": -right,
    }


def _coin(share: float) -> float:
    """The entropy of a yes or no that is yes in this share, nats."""
    return -share * math.log(share) - (1 - share) * math.log(1 - share)


def _hints_on_bound(topics: int, share: float) -> tuple[str, str]:
    return (
        "The mean of −ELBO is at least the entropy of the sentences. Which decoder reaches it, and what of z?",
        f"A language model reaches H = ln {topics * 324} + H({share:g}) with z unused, and then q may be the prior.",
    )


def _causes_of_bound(told: float, share: float) -> dict[str, str]:
    return {
        "dependence": f"Each nat that z tells has its price, {told:.2f} for all facts. Does it save more than that?",
        "reduction": "Two things differ from the lesson's grammar: topics, and the share of questions. Are both in?",
        "constant": f"Beside the meanings: what is the entropy of a question asked with probability {share:g}?",
    }


def _summed(x: Tensor, logits: Tensor, stop: int) -> Tensor:
    return logits.log_softmax(1).gather(1, x[:, None])[:, 0]


def _per_word(x, logits, stop):
    words = ((x == stop).cumsum(1) - (x == stop).long() == 0).sum(1)
    return sentence_log_prob(x, logits, stop) / words


def _in_place(x, noise, keep, start, unknown):
    x[noise >= keep] = unknown
    return torch.cat([torch.full_like(x[:, :1], start), x[:, :-1]], 1)


def _with_start(x, noise, keep, start, unknown):
    read = torch.cat([torch.full_like(x[:, :1], start), x[:, :-1]], 1)
    return torch.where(noise < keep, read, unknown)


def _log_q(z, mean, log_std):
    return torch.distributions.Normal(mean, log_std.exp()).log_prob(z[:, None]).sum(2)


def _by_exp(z, mean, log_std, log_prob):
    joint = _log_q(z, mean, log_std).exp() * log_prob.exp()
    return (joint / joint.sum(1, keepdim=True)).log()


EXERCISES = (
    Exercise(
        id="vae.sentence_log_prob",
        stub='''def sentence_log_prob(x, logits, stop):
    """ln p of each sentence, (batch,), nats.

    x (batch, T) int64; logits (batch, V, T), the symbols on axis 1 as `cross_entropy`
    has them: logits[:, :, t] is for x[:, t]. A row ends with its first `stop`, and is
    filled up with stops; one without a stop fills all T places.
    """
    raise NotImplementedError''',
        points=2,
        laws=(sentence.words_add_up,),
        reference=sentence_log_prob,
        hints=(
            "The stop is guessed like any other word, once. What comes after is certain. Which places count?",
            "`ends = x == stop; counts = (ends.cumsum(1) - ends.long()) == 0`; log-softmax over axis 1, gathered at x.",
        ),
        wrong=(
            (lambda x, logits, stop: _summed(x, logits, stop).sum(1), "dependence"),
            (_per_word, "reduction"),
            (lambda x, logits, stop: _summed(x, logits, stop).mean(1), "reduction"),
            (lambda x, logits, stop: (_summed(x, logits, stop) * (x != stop)).sum(1), "one-to-one"),
            (lambda x, logits, stop: -sentence_log_prob(x, logits, stop), "sign"),
            (lambda x, logits, stop: sentence_log_prob(x, logits, stop).sum(), "shape"),
        ),
        causes={
            "dependence": "Fill the rows up with ten more stops: your numbers fall. Has the sentence changed?",
            "reduction": "The logarithms of the words add. A mean would weigh the KL by the length: a hidden β.",
            "one-to-one": "That the sentence ends here has to be guessed, too. How often does its stop count in yours?",
            "constant": "The words that can stand at one place sum to 1. Along which axis do yours?",
            "sign": "A log-probability of words is never above 0.",
            "spread": "logits[:, :, t] are for word t itself, x[:, t]. Which pairs do you compare?",
            "log-mean": "Probabilities multiply, so that their logarithms add. Which did you add?",
            "direction": "Which code is the stop in this case? Read it from the argument.",
            "overflow": "One of the rows has no stop, and all its places count. How many count in yours?",
            "shape": "Each sentence has an end of its own, and a number. Over which axes do you sum?",
            "not-finite": "A logarithm of 0: do you mask before you take it? And is the stop read from the argument?",
        },
    ),
    Exercise(
        id="vae.word_dropout",
        stub='''def word_dropout(x, noise, keep, start, unknown):
    """What the decoder reads as it writes x, (batch, T): the start, then x's words.

    noise (batch, T) in [0, 1): what is read in column t is kept where
    noise[:, t] < keep, else it is `unknown`; the start is always kept.
    """
    raise NotImplementedError''',
        points=2,
        laws=(sentence.words_are_dropped_where_they_are_read,),
        reference=word_dropout,
        hints=(
            "To write word t, the decoder reads word t − 1: shift first. Then drop, in a new tensor.",
            "`torch.where(noise[:, 1:] < keep, x[:, :-1], unknown)`, and a column of `start` before it.",
        ),
        wrong=(
            (_in_place, "mutation"),
            (lambda x, noise, keep, start, unknown: torch.where(noise < keep, x, unknown), "dependence"),
            (lambda x, noise, keep, start, unknown: word_dropout(x, 1 - noise, 1 - keep, start, unknown), "direction"),
            (_with_start, "constant"),
            (
                lambda x, noise, keep, start, unknown: word_dropout(x, noise.roll(1, 1), keep, start, unknown),
                "one-to-one",
            ),
            (lambda x, noise, keep, start, unknown: word_dropout(x, noise, 1.0, start, unknown), "spread"),
        ),
        causes={
            "mutation": "Inputs stay whole: x is the target, too. Who learns to write `unknown` if you drop its words?",
            "dependence": "In column t the decoder is about to write word t. Which word may it have read by then?",
            "direction": "With keep = 1 every word is read. What does yours read then?",
            "constant": "The start says that a sentence begins. Does it stand first in each row of yours, always?",
            "one-to-one": "Column t of the noise is for what is *read* in column t. Which column do you compare?",
            "shape": "As many words are read as are written, T, and each is kept or dropped by a number of its own.",
            "spread": "With keep = 0 nothing but the start is read. What does yours read then?",
        },
    ),
    Exercise(
        id="vae.kl_weight",
        stub='''def kl_weight(step, wait, ramp):
    """The weight of the KL at each step, (n,) int64 from 0 on.

    0 for the first `wait` steps, then a straight line, 1 from step wait + ramp on;
    ramp may be 0.
    """
    raise NotImplementedError''',
        points=1,
        laws=(sentence.weight_rises_to_one,),
        reference=kl_weight,
        hints=(
            "A line through 0 near step `wait` and 1 near wait + ramp, kept within 0 and 1. What if ramp is 0?",
            "`((step - wait + 1) / (ramp + 1)).clamp(0, 1)`.",
        ),
        wrong=(
            (lambda step, wait, ramp: 0.99 * kl_weight(step, wait, ramp), "constant"),
            (lambda step, wait, ramp: kl_weight(step, 0, wait + ramp), "dependence"),
            (lambda step, wait, ramp: 1 - kl_weight(step, wait, ramp), "direction"),
            (lambda step, wait, ramp: ((step - wait) / ramp).clamp(0, 1), "not-finite"),
            (lambda step, wait, ramp: (step - wait) / max(ramp, 1), "overflow"),
        ),
        causes={
            "constant": "While the weight is not 1, the loss is no −ELBO. What is yours after the rise?",
            "dependence": "For `wait` steps the encoder learns free of charge. What is your weight at step wait − 1?",
            "direction": "The price is to be raised, from 0 to 1. What is yours at step 0?",
            "overflow": "A weight below 0 would pay for a large KL. Is yours kept within 0 and 1?",
            "log-mean": "Halfway between wait and wait + ramp the weight is about one half. And a quarter of the way?",
            "not-finite": "With ramp = 0 the weight jumps from 0 to 1. By what do you divide?",
            "sign": "Is your weight within 0 and 1 at every step, the first ones too?",
        },
    ),
    Exercise(
        id="vae.log_owner",
        stub='''def log_owner(z, mean, log_std, log_prob):
    """ln p(i|z), (n, N): for which of N sentences was each z drawn?

    z (n, L); sentence i is drawn with probability exp(log_prob[i]), and then z from
    N(mean[i], exp(log_std[i])²); mean and log_std (N, L).
    """
    raise NotImplementedError''',
        points=3,
        laws=(sentence.owners_follow_bayes,),
        reference=log_owner,
        hints=(
            "Bayes' rule: p(i|z) ∝ p_i q(z|x_i). Over which axis does it sum to 1, and how in logarithms?",
            "ln q(z|x_i), summed over L, as (n, N) from `z[:, None]`; add log_prob; then `log_softmax(1)`.",
        ),
        wrong=(
            (lambda z, m, s, p: _log_q(z, m, s).log_softmax(1), "dependence"),
            (lambda z, m, s, p: _log_q(z, m, s) + p, "constant"),
            (lambda z, m, s, p: (_log_q(z, m, s) + p).log_softmax(0), "shape"),
            (lambda z, m, s, p: log_owner(z, m, s / 2, p), "spread"),
            (lambda z, m, s, p: log_owner(z, m, s, p).exp(), "log-mean"),
            (_by_exp, "overflow"),
        ),
        causes={
            "dependence": "Some sentences are more frequent, and all L latents count. Is either left out in yours?",
            "constant": "For each z, the probabilities of all sentences sum to 1. Do the exponentials of yours?",
            "shape": "One z, N sentences that it may belong to: over which axis do you normalise?",
            "spread": "`log_std` is ln σ. Which σ divides, and is the density's −ln σ there? It differs by sentence.",
            "log-mean": "Logarithms are asked for, and `log_prob` is one: logarithms of factors add. What did you add?",
            "sign": "A more frequent sentence is a more likely owner, and no ln p is above 0.",
            "not-finite": "No z is far away here. `log_std` and `log_prob` are logarithms: did you take one more?",
            "overflow": "A z far from every mean: each density is 0 to a computer, and their ratio has a value.",
        },
    ),
    Exercise(
        id="vae.least_bound",
        stub="least_bound = ...",
        points=1,
        laws=(least_bound,),
        reference=(8.0833, 0.0),
        hints=(
            "The mean of −ELBO is at least the entropy of the sentences. Which decoder reaches it, and what of z?",
            "A language model reaches H = ln 1620 + H(0.5) with z unused, and then q may be the prior.",
        ),
        wrong=(
            ((4.4998, 0.0), "dependence"),
            ((8.0833, 4.4998), "dependence"),
            ((3.5835, 4.4998), "direction"),
            ((0.0, 0.0), "one-to-one"),
            ((8.0833, 1.0), "dependence"),
            ((7.7779, 0.0), "reduction"),
            ((11.6617, 0.0), "log-mean"),
        ),
        causes={
            "dependence": "Each nat that z tells has its price, 4.50 for all four facts. Does it save more than that?",
            "one-to-one": "Words have to be guessed, so that the bound is above 0. Which of the two can be 0?",
            "reduction": "Two things differ from the lesson's grammar: a topic more, and more questions. Are both in?",
            "container": "Two numbers, as `least_bound = 1.0, 2.0`.",
            "": "The floor is the entropy of a sentence. Which choices does the grammar make, at how many nats?",
            "direction": "The words that are left to guess are a part of the bound. What do the facts cost?",
            "constant": "Beside the meanings: what is the entropy of a question asked in every second sentence?",
            "log-mean": "Nats are asked for, of a whole sentence: not bits, and not a mean over its words.",
            "sign": "−ELBO, of words, and a KL: neither is ever below 0.",
            "shape": "Two numbers are asked for, as a pair: the bound, and its KL.",
        },
        variant=bound_of_another_grammar,
    ),
)
