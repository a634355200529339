"""The law of falling back passes right answers and catches each planted bug."""

import torch

from gmcourse.autoregressive.ngram import witten_bell
from gmcourse.laws.autoregressive import backoff


def by_loops(counts, lower):
    out = lower.clone()
    for row, follows in enumerate(counts.tolist()):
        kinds, visits = len([c for c in follows if c]), sum(follows)
        for v, count in enumerate(follows):
            if visits:
                out[row, v] = (count + kinds * lower[row, v]) / (visits + kinds)
    return out


def by_weights(counts, lower):
    """λ c/N + (1 − λ) lower."""
    visits, kinds = counts.sum(1), counts.clamp(max=1).sum(1)
    share = (visits / (visits + kinds).clamp(min=1))[:, None]
    return share * counts / visits.clamp(min=1)[:, None] + (1 - share) * lower


def mixed(followers, never=True):
    def answer(counts, lower):
        visits, extra = counts.sum(1, keepdim=True), followers(counts)
        found = (counts + extra * lower) / (visits + extra)
        return torch.where(visits > 0, found, lower) if never else found

    return answer


def kinds(counts):
    return (counts > 0).sum(1, keepdim=True)


def changed(change):
    return lambda counts, lower: change(counts, lower, counts.sum(1, keepdim=True).clamp(min=1), kinds(counts))


RIGHT = {backoff.novelty_is_kept: (witten_bell, by_loops, by_weights)}
BUGS = {
    backoff.novelty_is_kept: {
        "visits for followers": (mixed(lambda counts: counts.sum(1, keepdim=True)), "constant"),
        "add one": (
            lambda counts, lower: (counts + 1) / (counts.sum(1, keepdim=True) + counts.shape[1]),
            "spread",
        ),
        "all symbols for followers": (mixed(lambda counts: counts.shape[1]), "spread"),
        "those that did not follow": (mixed(lambda counts: (counts == 0).sum(1, keepdim=True)), "spread"),
        "uniform": (lambda counts, lower: witten_bell(counts, torch.full_like(lower, 1 / lower.shape[1])), "spread"),
        "no shorter context": (changed(lambda n, lower, visits, f: n / (visits + f)), "reduction"),
        "not divided": (changed(lambda n, lower, visits, f: (n + f * lower) / visits), "reduction"),
        "the new ones alone": (
            changed(lambda n, lower, visits, f: (n + f * lower * (n == 0)) / (visits + f)),
            "reduction",
        ),
        "counts alone": (changed(lambda n, lower, visits, f: n / visits), "one-to-one"),
        "or the shorter one": (
            changed(lambda n, lower, visits, f: torch.where(n > 0, n / visits, lower)),
            "one-to-one",
        ),
        "weights exchanged": (
            changed(lambda n, lower, visits, f: (visits * lower + f * n / visits) / (visits + f)),
            "direction",
        ),
        "the shorter one": (lambda counts, lower: lower, "direction"),
        "followers of all contexts": (mixed(lambda counts: kinds(counts).sum()), "dependence"),
        "0 for a new context": (
            changed(lambda n, lower, visits, f: (n + f * lower) / (n.sum(1)[:, None] + f).clamp(min=1)),
            "log-mean",
        ),
        "0/0": (mixed(kinds, never=False), "not-finite"),
        "one context": (lambda counts, lower: witten_bell(counts, lower)[0], "shape"),
        "the first context": (lambda counts, lower: witten_bell(counts, lower)[:1].expand_as(lower), "shape"),
        "squared counts": (lambda counts, lower: witten_bell(counts**2, lower), ""),
    },
}
