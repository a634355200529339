"""Answers to the exercises of lesson 04.7, right and wrong."""

import math

import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from gmcourse.vae.aggregate import log_owner
from gmcourse.vae.recurrent import sentence_log_prob, word_dropout
from gmcourse.vae.sentence import kl_weight


def words_by_loop(x, logits, stop):
    totals = []
    for row, of_row in zip(x, logits):
        total = 0.0
        for t in range(len(row)):
            total = total + Categorical(logits=of_row[:, t]).log_prob(row[t])
            if row[t] == stop:
                break
        totals.append(total)
    return torch.stack(totals)


def words_by_cross_entropy(x, logits, stop):
    nats = torch.nn.functional.cross_entropy(logits, x, reduction="none")
    ended = torch.cat([torch.zeros_like(x[:, :1]), (x == stop).cumsum(1)[:, :-1]], 1) > 0
    return -nats.masked_fill(ended, 0).sum(dim=-1)


def read_by_loop(x, noise, keep, start, unknown):
    rows = []
    for row, e in zip(x.tolist(), noise.tolist()):
        rows.append([start] + [word if u < keep else unknown for word, u in zip(row[:-1], e[1:])])
    return rows


def read_by_roll(x, noise, keep, start, unknown):
    read = x.roll(1, 1)
    read[noise >= keep] = unknown
    read[:, 0] = start
    return read


def weight_by_loop(step, wait, ramp):
    return [0.0 if k < wait else 1.0 if k >= wait + ramp else (k - wait) / ramp for k in step.tolist()]


def weight_by_where(step, wait, ramp):
    line = (step - wait + 1).float() / (ramp + 1)
    return torch.where(step < wait, torch.zeros_like(line), line.clamp(max=1))


def owner_by_independent(z, mean, log_std, log_prob):
    joint = Independent(Normal(mean, log_std.exp()), 1).log_prob(z[:, None]) + log_prob
    return joint - joint.logsumexp(1, keepdim=True)


def owner_by_mixture(z, mean, log_std, log_prob):
    parts = Independent(Normal(mean.double(), log_std.double().exp()), 1)
    whole = MixtureSameFamily(Categorical(logits=log_prob.double()), parts).log_prob(z.double())
    return parts.log_prob(z.double()[:, None]) + log_prob - whole[:, None]


def owner_by_loop(z, mean, log_std, log_prob):
    rows = []
    for point in z:
        each = [p - (s + 0.5 * ((point - m) / s.exp()) ** 2).sum() for m, s, p in zip(mean, log_std, log_prob)]
        rows.append(torch.stack(each) - torch.stack(each).logsumexp(0))
    return torch.stack(rows)


RIGHT = {
    "vae.sentence_log_prob": {
        "loop": words_by_loop,
        "cross-entropy": words_by_cross_entropy,
        "double": lambda x, logits, stop: sentence_log_prob(x, logits.double(), stop),
    },
    "vae.word_dropout": {"loop": read_by_loop, "roll": read_by_roll, "where": word_dropout},
    "vae.kl_weight": {"loop": weight_by_loop, "where": weight_by_where, "clamp": kl_weight},
    "vae.log_owner": {
        "Independent": owner_by_independent,
        "MixtureSameFamily": owner_by_mixture,
        "loop": owner_by_loop,
    },
    "vae.least_bound": {
        "rounded": (7.78, 0),
        "formula": [math.log(1296) - 0.3 * math.log(0.3) - 0.7 * math.log(0.7), 0.0],
        "tensor": torch.tensor([7.7779, 0.0]),
    },
}
WRONG = {
    "vae.sentence_log_prob": {
        "the first word is given": (
            lambda x, logits, stop: sentence_log_prob(x[:, 1:], logits[:, :, 1:], stop),
            "",
        ),
        "the batch's mean": (lambda x, logits, stop: sentence_log_prob(x, logits, stop).mean(), "shape"),
    },
    "vae.word_dropout": {
        "noise of its own": (
            lambda x, noise, keep, start, unknown: word_dropout(x, torch.rand(x.shape), keep, start, unknown),
            "randomness",
        ),
        "not shifted, start put over the first word": (
            lambda x, noise, keep, start, unknown: torch.cat(
                [torch.full_like(x[:, :1], start), torch.where(noise[:, 1:] < keep, x[:, 1:], unknown)], 1
            ),
            "dependence",
        ),
    },
    "vae.kl_weight": {
        "always 1": (lambda step, wait, ramp: torch.ones(len(step)), "dependence"),
        "one number": (lambda step, wait, ramp: 1.0, "shape"),
    },
    "vae.log_owner": {
        "the mean over latents": (
            lambda z, m, s, p: (Normal(m, s.exp()).log_prob(z[:, None]).mean(2) + p).log_softmax(1),
            "dependence",
        ),
        "the other way round": (lambda z, m, s, p: log_owner(z, m, s, p).T, "shape"),
    },
    "vae.least_bound": {
        "the meanings alone": ((7.167, 0.0), "constant"),
        "bits": ((11.22, 0.0), "log-mean"),
        "one number": (7.7779, "shape"),
    },
}
