"""Exercises of lesson 04.7, sentences."""

import torch
from torch import Tensor

from gmcourse.data.sentences import grammar
from gmcourse.exercises.record import Exercise
from gmcourse.laws.broken import LawBroken, require_numbers, require_value
from gmcourse.laws.vae import sentence
from gmcourse.vae.aggregate import log_owner
from gmcourse.vae.recurrent import sentence_log_prob, word_dropout
from gmcourse.vae.sentence import kl_weight

FACTS_NATS = 4.1944  # ln 4 + 2 ln 3 + H(0.3)


def least_bound(answer: object) -> None:
    """The least −ELBO on the grammar is its entropy, and a KL of 0 reaches it."""
    law = "the least −ELBO, and the least KL at which it is reached"
    bound, kl = require_numbers(law, answer, 2).tolist()
    entropy = grammar().entropy()
    slips = {
        "dependence": FACTS_NATS,
        "direction": entropy - FACTS_NATS,
        "one-to-one": 0.0,
        "reduction": (7.5956, 6.9847),  # by heart; ln 1080
        "constant": (7.1670, 7.8602),  # ln 1296; ln 2592
        "log-mean": (entropy / 0.693147, entropy / 11, entropy / 10.3, entropy / 12),
        "sign": -entropy,
    }
    require_value("the least −ELBO", bound, entropy, 0.03, slips, fit=0.02)
    if abs(kl) > 1e-3:
        cause = "dependence" if kl > 0 else "sign"
        raise LawBroken("the least KL at which it is reached", f"your {kl:.4g}", "another number", cause)


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

    x (batch, T) int64, logits (batch, V, T). A row ends with its first `stop`, and is
    filled up with stops; one without a stop fills all T places.
    """
    raise NotImplementedError''',
        points=2,
        laws=(sentence.words_add_up,),
        reference=sentence_log_prob,
        hints=(
            "The stop is guessed like any other word, once. What comes after is certain. Which places count?",
            "`counts = (x == stop).cumsum(1) - (x == stop).long() == 0`; the log-softmax over axis 1, gathered at x.",
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
            "dependence": "For `wait` steps the encoder learns for nothing. What is your weight at step wait − 1?",
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
        reference=(7.7779, 0.0),
        hints=(
            "The mean of −ELBO is at least the entropy of the sentences. Which decoder reaches it, and what of z?",
            "A language model reaches H = ln 1296 + H(0.3) with z unused, and then q may be the prior.",
        ),
        wrong=(
            ((4.1944, 0.0), "dependence"),
            ((7.7779, 4.1944), "dependence"),
            ((3.5835, 4.1944), "direction"),
            ((0.0, 0.0), "one-to-one"),
            ((7.7779, 1.0), "dependence"),
            ((11.2211, 0.0), "log-mean"),
        ),
        causes={
            "dependence": "Each nat that z tells has its price, 4.19 for all four facts. Does it save more than that?",
            "one-to-one": "Words have to be guessed, so that the bound is above 0. Which of the two can be 0?",
            "reduction": "Fresh sentences are asked for: of all 1,296 meanings. Whose floor is yours?",
            "container": "Two numbers, as `least_bound = 1.0, 2.0`.",
            "": "The floor is the entropy of a sentence. Which choices does the grammar make, at how many nats?",
            "direction": "The words that are left to guess are a part of the bound. What do the facts cost?",
            "constant": "Beside the 1,296 meanings: what is the entropy of a question asked in 3 sentences of 10?",
            "log-mean": "Nats are asked for, of a whole sentence: not bits, and not a mean over its words.",
            "sign": "−ELBO, of words, and a KL: neither is ever below 0.",
            "shape": "Two numbers are asked for, as a pair: the bound, and its KL.",
        },
    ),
)
