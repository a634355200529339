"""The laws of choosing a symbol pass right answers and catch each planted bug."""

import math

import torch

from gmcourse.autoregressive.choosing import entropy, entropy_slope, nucleus, temperature, top_k
from gmcourse.laws.autoregressive import choosing


def by_rows(logits, mass):
    """Symbol after symbol, the likeliest first."""
    out = torch.full_like(logits, -1e9)
    for row, p in enumerate(logits.softmax(-1).tolist()):
        total = 0.0
        for v in sorted(range(len(p)), key=lambda v: -p[v]):
            if total >= mass:
                break
            out[row, v], total = logits[row, v], total + p[v]
    return out


def kept(choose):
    return lambda logits, mass: logits.masked_fill(~choose(logits.softmax(-1), mass), -torch.inf)


def sorted_kept(choose):
    def answer(logits, mass):
        p, order = logits.softmax(-1).sort(-1, descending=True)
        return logits.masked_fill(~choose(p, mass).gather(-1, order.argsort(-1)), -torch.inf)

    return answer


def by_difference(logits, t):
    ahead, behind = (entropy(logits.double() / (t + d)) for d in (1e-5, -1e-5))
    return (ahead - behind) / 2e-5


def variance(log_p, weight):
    return (weight * log_p**2).sum(-1) - (weight * log_p).sum(-1) ** 2


def of(change):
    """From the logits, ln p, q and T."""
    return lambda logits, t: change(logits, logits.log_softmax(-1), (logits / t).softmax(-1), t)


RIGHT = {
    choosing.steps_are_tempered: (temperature, lambda logits, t: (logits.log_softmax(-1) / t).log_softmax(-1)),
    choosing.nucleus_is_smallest: (
        nucleus,
        by_rows,
        lambda logits, mass: nucleus(logits, mass).log_softmax(-1),
        sorted_kept(lambda p, mass: p.cumsum(-1) - p < mass),
    ),
    choosing.entropy_rises: (entropy_slope, by_difference),
}
BUGS = {
    choosing.steps_are_tempered: {
        "times T": (lambda logits, t: logits * t, "sign"),
        "as it was": (lambda logits, t: logits, "constant"),
        "p times T": (lambda logits, t: (logits.softmax(-1) * t).log(), "constant"),
        "p over T": (lambda logits, t: logits.softmax(-1) / t, "log-mean"),
        "q": (lambda logits, t: (logits / t).softmax(-1), "log-mean"),
        "p^(1/T)": (lambda logits, t: logits.softmax(-1) ** (1 / t), "log-mean"),
        "T squared": (lambda logits, t: logits / t**2, "spread"),
        "a root of T": (lambda logits, t: logits / t**0.5, "spread"),
        "over the batch": (lambda logits, t: (logits / t).log_softmax(0), "reduction"),
        "the mean row": (lambda logits, t: (logits / t).mean(0, keepdim=True).expand_as(logits), "shape"),
        "by way of p": (lambda logits, t: logits.softmax(-1).log() / t, "not-finite"),
        "by way of p, held off 0": (lambda logits, t: (logits.softmax(-1) + 1e-20).log() / t, "overflow"),
        "one row": (lambda logits, t: logits[0] / t, "shape"),
        "moved": (lambda logits, t: (logits + torch.arange(logits.shape[-1])) / t, ""),
    },
    choosing.nucleus_is_smallest: {
        "short of the mass": (sorted_kept(lambda p, mass: p.cumsum(-1) <= mass), "constant"),
        "as they stand": (kept(lambda p, mass: p.cumsum(-1) - p < mass), "dependence"),
        "sorted, and not put back": (
            lambda logits, mass: nucleus(logits.sort(-1, descending=True).values, mass),
            "dependence",
        ),
        "what should be cut": (
            lambda logits, mass: logits.masked_fill(nucleus(logits, mass).isfinite(), -torch.inf),
            "sign",
        ),
        "a threshold": (kept(lambda p, mass: p > 1 - mass), "direction"),
        "the top 2": (lambda logits, mass: top_k(logits, 2), "one-to-one"),
        "one more": (sorted_kept(lambda p, mass: p.cumsum(-1) - 2 * p < mass), ""),
        "q": (lambda logits, mass: nucleus(logits, mass).softmax(-1), "log-mean"),
        "0 for −∞": (lambda logits, mass: nucleus(logits, mass).nan_to_num(neginf=0.0), "reduction"),
        "the first row's": (
            lambda logits, mass: logits.masked_fill(nucleus(logits, mass)[:1].isneginf(), -torch.inf),
            "shape",
        ),
        "nothing cut": (lambda logits, mass: logits, "log-mean"),
        "nothing kept": (lambda logits, mass: logits - torch.inf, "constant"),
        "which": (lambda logits, mass: "abc", "container"),
        "NaN for −∞": (lambda logits, mass: nucleus(logits, mass).nan_to_num(neginf=math.nan), "not-finite"),
        "in place": (lambda logits, mass: logits.copy_(nucleus(logits, mass)), "mutation"),
    },
    choosing.entropy_rises: {
        "T squared": (of(lambda logits, log_p, q, t: variance(log_p, q) / t**2), "spread"),
        "a standard deviation": (of(lambda logits, log_p, q, t: variance(log_p, q).sqrt() / t**3), "spread"),
        "of ln q": (of(lambda logits, log_p, q, t: variance(q.log(), q) / t**3), "spread"),
        "under p": (of(lambda logits, log_p, q, t: variance(log_p, log_p.exp()) / t**3), "direction"),
        "in β": (of(lambda logits, log_p, q, t: -variance(log_p, q) / t), "gradient"),
        "the entropy": (of(lambda logits, log_p, q, t: -(q * q.log()).sum(-1)), "gradient"),
        "it falls": (of(lambda logits, log_p, q, t: -variance(log_p, q) / t**3), "sign"),
        "no mean taken off": (of(lambda logits, log_p, q, t: (q * log_p**2).sum(-1) / t**3), "constant"),
        "not weighed": (of(lambda logits, log_p, q, t: logits.var(-1) / t**3), "reduction"),
        "of p": (of(lambda logits, log_p, q, t: variance(log_p.exp(), q) / t**3), "log-mean"),
        "bits": (lambda logits, t: entropy_slope(logits, t) / math.log(2), "log-mean"),
        "the mean row": (lambda logits, t: entropy_slope(logits, t).mean().expand(len(logits)), "shape"),
        "all rows": (lambda logits, t: entropy_slope(logits, t).sum(), "shape"),
        "ln of p": (of(lambda logits, log_p, q, t: variance(log_p.exp().log(), q) / t**3), "not-finite"),
        "held off 0": (
            of(lambda logits, log_p, q, t: variance((log_p.exp() + 1e-30).log(), q) / t**3),
            "overflow",
        ),
        "one": (lambda logits, t: torch.ones(len(logits)), ""),
    },
}
