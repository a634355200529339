"""Answers to the exercises of lesson 02.6, right and wrong."""

import math
from collections import Counter
from fractions import Fraction
from itertools import groupby

import numpy as np
import torch
from torch.nn import functional as F


def look_by_loop(q, k, v, mask):
    out = torch.zeros(len(q), q.shape[1], v.shape[2])
    for b in range(len(q)):
        for i in range(q.shape[1]):
            seen = mask[i].nonzero()[:, 0]
            scores = torch.stack([(q[b, i] * k[b, j]).sum() for j in seen]) / q.shape[2] ** 0.5
            out[b, i] = sum(a * v[b, j] for a, j in zip(scores.softmax(0), seen, strict=True))
    return out


def look_by_einsum(q, k, v, mask):
    scores = torch.einsum("bid,bjd->bij", q, k) * q.shape[-1] ** -0.5
    return torch.einsum("bij,bje->bie", F.softmax(scores.masked_fill(mask.logical_not(), -1e9), dim=2), v)


def look_by_addition(q, k, v, mask):
    hidden = torch.zeros(mask.shape).masked_fill(~mask, float("-inf"))
    return torch.softmax(torch.baddbmm(hidden.expand(len(q), -1, -1), q / math.sqrt(q.size(-1)), k.mT), -1).bmm(v)


def look_by_hand(q, k, v, mask):
    scores = (q @ k.transpose(-2, -1) / math.sqrt(k.shape[-1])).where(mask, torch.tensor(-math.inf))
    powers = torch.exp(scores - scores.max(-1, keepdim=True).values)
    return powers @ v / powers.sum(-1, keepdim=True)


def look_in_numpy(q, k, v, mask):
    q, k, v = (x.numpy().astype(np.float64) for x in (q, k, v))
    scores = np.where(mask.numpy(), q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[2]), -np.inf)
    powers = np.exp(scores - scores.max(2, keepdims=True))
    return (powers / powers.sum(2, keepdims=True)) @ v


def mask_in_numpy(n):
    return np.tril(np.ones((n, n), dtype=bool))


def kept_as_one(q, k, v, cache):
    """Keys and values in one tensor."""
    new = torch.cat([k, v], -1)
    kept = new if cache is None else torch.cat([cache, new], 1)
    keys, values = kept.split([k.shape[-1], v.shape[-1]], -1)
    return F.scaled_dot_product_attention(q, keys, values), kept


def kept_as_lists(q, k, v, cache):
    keys, values = cache or ([], [])
    keys, values = [*keys, k[:, 0]], [*values, v[:, 0]]
    scores = torch.stack([(q[:, 0] * key).sum(-1) for key in keys], -1) / math.sqrt(q.shape[-1])
    found = sum(a[:, None] * value for a, value in zip(scores.softmax(-1).unbind(-1), values, strict=True))
    return found[:, None], (keys, values)


def kept_by_name(q, k, v, cache):
    if cache is None:
        cache = {"k": k[:, :0], "v": v[:, :0]}
    cache = {"k": torch.cat((cache["k"], k), dim=1), "v": torch.cat((cache["v"], v), dim=1)}
    return torch.softmax(q @ cache["k"].mT / q.shape[-1] ** 0.5, -1) @ cache["v"], cache


def kept_in_numpy(q, k, v, cache):
    new = k.numpy(), v.numpy()
    keys, values = new if cache is None else (np.concatenate(pair, 1) for pair in zip(cache, new, strict=True))
    scores = q.numpy() @ keys.swapaxes(1, 2) / np.sqrt(q.shape[2])
    powers = np.exp(scores - scores.max(2, keepdims=True))
    return (powers / powers.sum(2, keepdims=True)) @ values, (keys, values)


def kept_as_sums(q, k, v, cache):
    """Nothing but sums, as if every query were the same."""
    weight = (q * k).sum(-1, keepdim=True).div(math.sqrt(q.shape[-1])).exp()
    top, below = (weight * v, weight) if cache is None else (cache[0] + weight * v, cache[1] + weight)
    return top / below, (top, below)


def bags_by_pairs(sentences):
    kept = []
    for words in map(Counter, sentences):
        if words not in kept:
            kept.append(words)
    return len(kept)


def bags_by_groups(sentences):
    return sum(1 for _ in groupby(sorted(map(sorted, sentences))))


def bags_by_vectors(sentences):
    words = sorted({word for sentence in sentences for word in sentence})
    rows = np.array([[sentence.count(word) for word in words] for sentence in sentences])
    return len(np.unique(rows, axis=0))


def kept_in_a_buffer(q, k, v, cache):
    """One buffer that all continuations write into, and how far it is filled."""
    keys, values, filled = cache or (torch.zeros(len(k), 64, k.shape[2]), torch.zeros(len(v), 64, v.shape[2]), 0)
    keys[:, filled], values[:, filled] = k[:, 0], v[:, 0]
    filled += 1
    scores = q @ keys[:, :filled].mT / math.sqrt(k.shape[2])
    return scores.softmax(-1) @ values[:, :filled], (keys, values, filled)


def kept_for_a_while(q, k, v, cache):
    """A window of four places."""
    keys, values = (part[-4:] for part in zip(*[*(cache or ()), (k, v)], strict=True))
    scores = q @ torch.cat(keys, 1).mT / math.sqrt(k.shape[2])
    return scores.softmax(-1) @ torch.cat(values, 1), tuple(zip(keys, values, strict=True))


def kept_outputs(q, k, v, cache):
    """The output in the place of the value."""
    keys, values = ((), ()) if cache is None else cache
    scores = q @ torch.cat((*keys, k), 1).mT / math.sqrt(k.shape[2])
    found = scores.softmax(-1) @ torch.cat((*values, v), 1)
    return found, ((*keys, k), (*values, found))


RIGHT = {
    "autoregressive.attention": {
        "loop": look_by_loop,
        "einsum": look_by_einsum,
        "a mask that is added": look_by_addition,
        "softmax by hand": look_by_hand,
        "NumPy": look_in_numpy,
        "torch's": lambda q, k, v, mask: F.scaled_dot_product_attention(q, k, v, mask),
    },
    "autoregressive.causal_mask": {
        "NumPy": mask_in_numpy,
        "compared": lambda n: torch.arange(n).unsqueeze(1) >= torch.arange(n),
        "not above": lambda n: ~torch.triu(torch.ones(n, n, dtype=torch.bool), diagonal=1),
        "lists": lambda n: [[j <= i for j in range(n)] for i in range(n)],
        "numbers": lambda n: torch.tril(torch.ones(n, n)),
    },
    "autoregressive.cached_attention": {
        "one tensor": kept_as_one,
        "lists": kept_as_lists,
        "a dict": kept_by_name,
        "NumPy": kept_in_numpy,
    },
    "autoregressive.count_bags": {
        "pairs": bags_by_pairs,
        "groups": bags_by_groups,
        "counts": bags_by_vectors,
        "a tensor": lambda sentences: torch.tensor(len({frozenset(Counter(s).items()) for s in sentences})),
    },
    "autoregressive.free_running": {
        "an exact fraction": Fraction(1, 26),
        "formula": 0.02 / 0.52,
        "three digits": 0.0385,
        "a fraction": 1 / 26,
        "a tensor": torch.tensor([0.03846]),
        "drawn": 0.0382,
        "a million drawn": 0.0376,
    },
}
WRONG = {
    "autoregressive.attention": {
        "−100": (
            lambda q, k, v, mask: (q @ k.mT / math.sqrt(q.shape[-1])).masked_fill(~mask, -100).softmax(-1) @ v,
            "overflow",
        ),
        "−1000": (
            lambda q, k, v, mask: (q @ k.mT / math.sqrt(q.shape[-1])).masked_fill(~mask, -1000).softmax(-1) @ v,
            "overflow",
        ),
        "−∞ times False": (
            lambda q, k, v, mask: (q @ k.mT / math.sqrt(q.shape[-1]) + ~mask * -math.inf).softmax(-1) @ v,
            "not-finite",
        ),
        "σ": (
            lambda q, k, v, mask: (q @ k.mT / math.sqrt(q.shape[-1])).masked_fill(~mask, -1e9).sigmoid() @ v,
            "constant",
        ),
        "a log-softmax": (
            lambda q, k, v, mask: (q @ k.mT / math.sqrt(q.shape[-1])).masked_fill(~mask, -1e9).log_softmax(-1) @ v,
            "constant",
        ),
        "cosines": (
            lambda q, k, v, mask: (
                (F.normalize(q, dim=-1) @ F.normalize(k, dim=-1).mT).masked_fill(~mask, -1e9).softmax(-1) @ v
            ),
            "spread",
        ),
        "√ of the values' width": (
            lambda q, k, v, mask: look_by_hand(q * math.sqrt(q.shape[-1] / v.shape[-1]), k, v, mask),
            "spread",
        ),
        "multiplied by √d": (lambda q, k, v, mask: look_by_hand(q * q.shape[-1], k, v, mask), "spread"),
        "softmax over queries": (
            lambda q, k, v, mask: (q @ k.mT / math.sqrt(q.shape[-1])).masked_fill(~mask, -1e9).softmax(-2) @ v,
            "reduction",
        ),
        "a softmax, then the mask": (
            lambda q, k, v, mask: ((q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1) * mask) @ v,
            "constant",
        ),
        "scores of 0": (
            lambda q, k, v, mask: (q @ k.mT / math.sqrt(q.shape[-1])).masked_fill(~mask, 0).softmax(-1) @ v,
            "log-mean",
        ),
        "True = drop": (
            lambda q, k, v, mask: (q @ k.mT / math.sqrt(q.shape[-1])).masked_fill(mask, -1e9).softmax(-1) @ v,
            "sign",
        ),
        "exp without the largest": (
            lambda q, k, v, mask: F.normalize((q @ k.mT / math.sqrt(q.shape[-1])).exp() * mask, 1, -1) @ v,
            "not-finite",
        ),
        "in place": (lambda q, k, v, mask: look_by_hand(q.div_(math.sqrt(q.shape[-1])), k, v, mask), "mutation"),
        "no transpose": (lambda q, k, v, mask: (q @ k).softmax(-1) @ v, None),
    },
    "autoregressive.causal_mask": {
        "from below": (lambda n: torch.ones(n, n).tril().flip(0), "direction"),
        "triu": (lambda n: np.triu(np.ones((n, n))), "direction"),
        "strict": (lambda n: torch.arange(n)[:, None] > torch.arange(n), "constant"),
        "True = drop": (lambda n: torch.arange(n)[:, None] < torch.arange(n), "sign"),
        "−∞": (lambda n: torch.full((n, n), -math.inf).triu(1), "not-finite"),
        "−10⁹": (lambda n: -1e9 * torch.ones(n, n).triu(1), "container"),
        "one row": (lambda n: torch.ones(n), "shape"),
        "one place alone": (lambda n: torch.ones(n, n).tril() - torch.ones(n, n).tril(-2), "reduction"),
    },
    "autoregressive.cached_attention": {
        "one buffer": (kept_in_a_buffer, "mutation"),
        "a window": (kept_for_a_while, "reduction"),
        "outputs for values": (kept_outputs, "direction"),
        "sums alone": (kept_as_sums, ""),
        "before itself": (
            lambda q, k, v, cache: (
                v if cache is None else kept_by_name(q, *_rest(cache), None)[0],
                _kept(k, v, cache),
            ),
            "constant",
        ),
        "the newest alone": (lambda q, k, v, cache: (v, None), "dependence"),
        "replaced": (lambda q, k, v, cache: (kept_as_one(q, k, v, cache)[0], torch.cat([k, v], -1)), "reduction"),
        "no cache": (lambda q, k, v, cache: kept_as_one(q, k, v, cache)[0], "container"),
        "not divided": (lambda q, k, v, cache: kept_as_one(q * q.shape[-1] ** 0.5, k, v, cache), "spread"),
        "along the batch": (
            lambda q, k, v, cache: (v, None) if cache is None else (torch.cat([v, v]), None),
            "dependence",
        ),
    },
    "autoregressive.count_bags": {
        "sets and lengths": (lambda sentences: len({(len(s), frozenset(s)) for s in sentences}), "spread"),
        "neighbours alone": (lambda sentences: sum(1 for _ in groupby(map(sorted, sentences))), "direction"),
        "sorted by length": (lambda sentences: len({tuple(sorted(s, key=len)) for s in sentences}), "direction"),
        "twins": (
            lambda sentences: sum(n > 1 for n in Counter(tuple(sorted(s)) for s in sentences).values()),
            "sign",
        ),
        "emptied": (lambda sentences: len({tuple(sorted(sentences.pop())) for _ in range(len(sentences))}), "mutation"),
        "sets": (lambda sentences: len({frozenset(s) for s in sentences}), "spread"),
        "order kept": (lambda sentences: len({" ".join(s) for s in sentences}), "direction"),
        "sorted in place": (
            lambda sentences: [s.sort() for s in sentences] and len({*map(tuple, sentences)}),
            "mutation",
        ),
        "the bags": (lambda sentences: {tuple(sorted(s)) for s in sentences}, "container"),
        "letters": (lambda sentences: len({"".join(sorted("".join(s))) for s in sentences}), "one-to-one"),
    },
    "autoregressive.free_running": {
        "drawn 10,000 times": (0.0363, "randomness"),
        "the true past": (0.02, "constant"),
        "never back": (0.5, "direction"),
        "per cent": (3.85, "one-to-one"),
        "the mean": (0.26, "log-mean"),
        "half way": (0.2, ""),
        "a text": ("0.0385", "container"),
    },
}


def _kept(k, v, cache):
    return [*(cache or []), (k, v)]


def _rest(cache):
    return (torch.cat([pair[part] for pair in cache], 1) for part in (0, 1))
