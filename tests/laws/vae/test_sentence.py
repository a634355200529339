"""Every law of sentences passes the package's own function and catches each planted bug."""

import math
from functools import partial

import torch

from gmcourse.laws.vae import sentence
from gmcourse.vae.aggregate import log_owner
from gmcourse.vae.recurrent import SentenceDecoder, sentence_log_prob, word_dropout
from gmcourse.vae.sentence import kl_weight

Z = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
X = torch.tensor([[3, 1, 0, 0, 0], [2, 2, 4, 1, 3], [1, 0, 0, 0, 0]])


def small():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return SentenceDecoder(5, 5, 4, embedding=8, hidden=12, stop=0).eval()


class Deaf(SentenceDecoder):
    """A decoder with a slip of its own in what it scores, or in its steps."""

    def __init__(self, bug):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            super().__init__(5, 5, 4, embedding=8, hidden=12, stop=0)
        self.bug = bug
        self.eval()

    def log_likelihood(self, x, z, noise=None, keep=1.0):
        if self.bug == "sees what it writes":
            logits, _ = self.read(x, self.begin(z))
            return sentence_log_prob(x, logits.transpose(1, 2), self.stop)
        if self.bug == "another z":
            z = z.flip(0)
        value = super().log_likelihood(x, z)
        if self.bug == "fillings count":
            read = word_dropout(x, torch.zeros(x.shape), 1.0, self.levels, self.levels + 1)
            return sentence_log_prob(x, self.read(read, self.begin(z))[0].transpose(1, 2))
        return {"mean": value / x.shape[1], "sign": -value}.get(self.bug, value)

    def step(self, word, state):
        if self.bug == "forgets" and word is not None:
            state = self.begin(state.z)
        return super().step(word, state)


class Stated:
    """−ELBO of exactly this mean."""

    def __init__(self, nats):
        self.nats = nats

    def elbo(self, x, *, rng=None):
        return 0.3 * torch.randn(len(x), generator=rng) - self.nats


def sloped(step, wait, ramp):
    return ((step - wait) / max(ramp, 1)).clamp(0, 1) if ramp else (step >= wait).float()


def in_place(x, noise, keep, start, unknown):
    x[noise >= keep] = unknown
    return torch.cat([torch.full_like(x[:, :1], start), x[:, :-1]], 1)


def shifted(x, start):
    return torch.cat([torch.full_like(x[:, :1], start), x[:, :-1]], 1)


def summed(x, logits):
    return logits.log_softmax(1).gather(1, x[:, None])[:, 0]


STEPWISE = partial(sentence.steps_add_up, x=X, z=Z, stop=0)
ABOVE = partial(sentence.bound_is_above_entropy, sentences=torch.zeros(400, 5, dtype=torch.int64), entropy=7.78)

RIGHT = {
    sentence.words_add_up: (sentence_log_prob,),
    sentence.weight_rises_to_one: (kl_weight, sloped),
    sentence.words_are_dropped_where_they_are_read: (word_dropout,),
    sentence.owners_follow_bayes: (log_owner,),
    ABOVE: (Stated(7.78), Stated(9.0)),
    STEPWISE: (small(),),
}
BUGS = {
    sentence.words_add_up: {
        "what fills up counts": (lambda x, logits, stop: summed(x, logits).sum(1), "dependence"),
        "mean over the words": (
            lambda x, logits, stop: (
                sentence_log_prob(x, logits, stop) / (((x == stop).cumsum(1) < 1).sum(1) + 1).clamp(max=x.shape[1])
            ),
            "reduction",
        ),
        "mean over the places": (lambda x, logits, stop: summed(x, logits).mean(1), "reduction"),
        "the stop is not guessed": (lambda x, logits, stop: (summed(x, logits) * (x != stop)).sum(1), "one-to-one"),
        "the sign": (lambda x, logits, stop: -sentence_log_prob(x, logits, stop), "sign"),
        "softmax over places": (
            lambda x, logits, stop: (
                summed(x, logits - logits.logsumexp(2, keepdim=True) + logits.logsumexp(1, keepdim=True))
                * (x == stop).cumsum(1).cumsum(1).le(1)
            ).sum(1),
            "",
        ),
        "summed over the batch": (lambda x, logits, stop: sentence_log_prob(x, logits, stop).sum(), "shape"),
        "the stop is always 0": (lambda x, logits, stop: sentence_log_prob(x, logits, 0), "not-finite"),
    },
    sentence.weight_rises_to_one: {
        "does not wait": (lambda step, wait, ramp: kl_weight(step, 0, wait + ramp), "dependence"),
        "never reaches 1": (lambda step, wait, ramp: 0.9 * kl_weight(step, wait, ramp), "constant"),
        "falls": (lambda step, wait, ramp: 1 - kl_weight(step, wait, ramp), "direction"),
        "rises for ever": (lambda step, wait, ramp: (step - wait).clamp(min=0) / max(ramp, 1), "constant"),
        "a sigmoid": (
            lambda step, wait, ramp: torch.where(
                step < wait,
                0.0,
                torch.where(step >= wait + ramp, 1.0, (12 * ((step - wait) / max(ramp, 1) - 0.5)).sigmoid()),
            ),
            "log-mean",
        ),
        "divides by 0": (lambda step, wait, ramp: ((step - wait) / ramp).clamp(0, 1), "not-finite"),
    },
    sentence.words_are_dropped_where_they_are_read: {
        "the target, too": (in_place, "mutation"),
        "sees what it writes": (lambda x, e, keep, start, unknown: torch.where(e < keep, x, unknown), "dependence"),
        "keep for drop": (
            lambda x, e, keep, start, unknown: word_dropout(x, 1 - e.clamp(min=1e-6), 1 - keep, start, unknown),
            "direction",
        ),
        "the start, too": (
            lambda x, e, keep, start, unknown: torch.where(e < keep, shifted(x, start), unknown),
            "constant",
        ),
        "the noise of the word to come": (
            lambda x, e, keep, start, unknown: word_dropout(x, e.roll(1, 1), keep, start, unknown),
            "one-to-one",
        ),
        "whole sentences": (
            lambda x, e, keep, start, unknown: word_dropout(x, e[:, :1].expand_as(e), keep, start, unknown),
            "shape",
        ),
        "no word is dropped": (lambda x, e, keep, start, unknown: shifted(x, start), "spread"),
    },
    sentence.owners_follow_bayes: {
        "no shares": (lambda z, m, s, p: log_owner(z, m, s, 0 * p), "dependence"),
        "not normalised": (
            lambda z, m, s, p: torch.distributions.Normal(m, s.exp()).log_prob(z[:, None]).sum(2) + p,
            "constant",
        ),
        "normalised over z": (
            lambda z, m, s, p: (torch.distributions.Normal(m, s.exp()).log_prob(z[:, None]).sum(2) + p).log_softmax(0),
            "shape",
        ),
        "s for a log-variance": (lambda z, m, s, p: log_owner(z, m, s / 2, p), "spread"),
        "no logarithm": (lambda z, m, s, p: log_owner(z, m, s, p).exp(), "log-mean"),
        "shares divided by": (lambda z, m, s, p: log_owner(z, m, s, -p), "sign"),
        "not in logarithms": (
            lambda z, m, s, p: (
                (torch.distributions.Normal(m, s.exp()).log_prob(z[:, None]).sum(2).exp() * p.exp() + 1e-30)
                .log()
                .log_softmax(1)
            ),
            "overflow",
        ),
    },
    ABOVE: {
        "two nats too few": (Stated(5.8), "dependence"),
        "the mean over the words": (Stated(7.78 / 11), "dependence"),
        "the sign": (Stated(-7.78), "sign"),
        "a tenth too few": (Stated(7.6), "dependence"),
        "NaN": (Stated(math.nan), "not-finite"),
    },
    STEPWISE: {
        "sees what it writes": (Deaf("sees what it writes"), ""),
        "what fills up counts": (Deaf("fillings count"), ""),
        "another sentence's z": (Deaf("another z"), ""),
        "the mean over the words": (Deaf("mean"), "reduction"),
        "the sign": (Deaf("sign"), "sign"),
        "forgets at every step": (Deaf("forgets"), ""),
    },
}
