"""The laws of attention pass right answers and catch each planted bug."""

import math
from functools import partial

import torch
from torch.nn import functional as F

from gmcourse import nets
from gmcourse.laws.autoregressive import attention as laws
from gmcourse.nets.attention import appended, attention_weights, cached_attention


def scores(q, k):
    return q @ k.transpose(1, 2) / math.sqrt(q.shape[-1])


def by_torch(q, k, v, mask):
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


def cached(look=nets.attention, keep=appended):
    def answer(q, k, v, cache):
        kept = keep(cache, (k, v))
        return look(q, *kept), kept

    return answer


def all_anew(q, k, v, cache):
    """Queries are kept, too, and all places computed again."""
    kept = [torch.cat(pair, 1) for pair in zip(cache, (q, k, v), strict=True)] if cache else [q, k, v]
    return by_torch(*kept, torch.ones(kept[0].shape[1], kept[0].shape[1]).tril().bool())[:, -1:], kept


def in_place(q, k, v, cache):
    kept = cache or ([], [])
    kept[0].append(k)
    kept[1].append(v)
    return nets.attention(q, torch.cat(kept[0], 1), torch.cat(kept[1], 1)), kept


def in_a_buffer(q, k, v, cache):
    """All continuations write into one buffer; each knows how far its own goes."""
    keys, values, n = cache or (k.new_zeros(len(k), 20, k.shape[2]), v.new_zeros(len(v), 20, v.shape[2]), 0)
    keys[:, n], values[:, n] = k[:, 0], v[:, 0]
    return nets.attention(q, keys[:, : n + 1], values[:, : n + 1]), (keys, values, n + 1)


def newest_value_first(cache, new):
    return new if cache is None else (torch.cat([cache[0], new[0]], 1), torch.cat([new[1], cache[1]], 1))


def first_only(q, k, v, cache):
    return F.scaled_dot_product_attention(q, *appended(cache, (k, v)), is_causal=True), appended(cache, (k, v))


RIGHT = {
    laws.looks_up_by_content: (nets.attention, by_torch),
    laws.mask_looks_back: (
        nets.causal_mask,
        lambda n: torch.arange(n)[:, None] >= torch.arange(n),
        lambda n: [[int(j <= i) for j in range(n)] for i in range(n)],
    ),
    laws.cache_is_the_past: tuple(map(partial, (cached_attention, cached(), all_anew))),  # a cache is no tensor
}
BUGS = {
    laws.looks_up_by_content: {
        "not divided": (lambda q, k, v, mask: by_torch(q * math.sqrt(q.shape[-1]), k, v, mask), "spread"),
        "divided by d": (lambda q, k, v, mask: by_torch(q / math.sqrt(q.shape[-1]), k, v, mask), "spread"),
        "√ of the number of keys": (
            lambda q, k, v, mask: by_torch(q * math.sqrt(q.shape[-1] / k.shape[1]), k, v, mask),
            "spread",
        ),
        "over queries": (lambda q, k, v, mask: scores(q, k).masked_fill(~mask, -1e9).softmax(1) @ v, "reduction"),
        "masked late": (lambda q, k, v, mask: attention_weights(q, k) * mask @ v, "constant"),
        "masked by 0": (lambda q, k, v, mask: (scores(q, k) * mask).softmax(-1) @ v, "log-mean"),
        "no mask": (lambda q, k, v, mask: nets.attention(q, k, v), "dependence"),
        "mask inverted": (lambda q, k, v, mask: scores(q, k).masked_fill(mask, -1e9).softmax(-1) @ v, "sign"),
        "mask inverted, to nothing": (lambda q, k, v, mask: nets.attention(q, k, v, ~mask), "not-finite"),
        "keys handed over": (lambda q, k, v, mask: nets.attention(q, v, k, mask), "direction"),
        "the best alone": (
            lambda q, k, v, mask: F.one_hot(attention_weights(q, k, mask).argmax(-1), k.shape[1]).float() @ v,
            "one-to-one",
        ),
        "no softmax": (lambda q, k, v, mask: scores(q, k) * mask @ v, "one-to-one"),
        "a mask that is no infinity": (
            lambda q, k, v, mask: (scores(q, k) - 100 * ~mask).softmax(-1) @ v,
            "overflow",
        ),
        "hidden scores of −299": (
            lambda q, k, v, mask: scores(q, k).masked_fill(~mask, -299).softmax(-1) @ v,
            "overflow",
        ),
        "the first sequence for all": (lambda q, k, v, mask: nets.attention(q[:1], k[:1], v, mask), ""),
        "the mean sequence": (
            lambda q, k, v, mask: nets.attention(q, k, v, mask).mean(0, keepdim=True).expand(len(q), -1, -1),
            "shape",
        ),
        "weights": (lambda q, k, v, mask: attention_weights(q, k, mask), "shape"),
    },
    laws.mask_looks_back: {
        "transposed": (lambda n: nets.causal_mask(n).T, "direction"),
        "strict": (lambda n: nets.causal_mask(n).tril(-1), "constant"),
        "inverted": (lambda n: ~nets.causal_mask(n), "sign"),
        "open": (lambda n: torch.ones(n, n), "dependence"),
        "itself alone": (torch.eye, "reduction"),
        "one too many": (lambda n: torch.ones(n, n).tril(1), "one-to-one"),
        "added to scores": (lambda n: torch.full((n, n), -math.inf).triu(1), "not-finite"),
        "large numbers": (lambda n: torch.full((n, n), -1e9).triu(1), "container"),
        "a batch": (lambda n: nets.causal_mask(n)[None], "shape"),
        "from the third place on": (lambda n: nets.causal_mask(n) & (torch.arange(n) != 2), ""),
    },
    laws.cache_is_the_past: {
        "not itself": (
            lambda q, k, v, cache: (v if cache is None else nets.attention(q, *cache), appended(cache, (k, v))),
            "constant",
        ),
        "one buffer": (in_a_buffer, "mutation"),
        "no past": (cached(keep=lambda _, new: new), "dependence"),
        "one place of the past": (lambda q, k, v, cache: (cached()(q, k, v, cache)[0], (k, v)), "reduction"),
        "the first value": (first_only, "sign"),
        "queries kept": (lambda q, k, v, cache: cached()(q, q, v, cache), "direction"),
        "values against keys": (cached(keep=newest_value_first), "one-to-one"),
        "not divided": (lambda q, k, v, cache: cached()(q * math.sqrt(q.shape[-1]), k, v, cache), "spread"),
        "the plain mean": (lambda q, k, v, cache: cached()(0 * q, k, v, cache), "log-mean"),
        "the first sequence for all": (
            lambda q, k, v, cache: cached()(*(x[:1].expand_as(x) for x in (q, k, v)), cache),
            "shape",
        ),
        "a list that all share": (in_place, "mutation"),
        "no cache": (lambda q, k, v, cache: cached()(q, k, v, cache)[0], "container"),
        "all places": (lambda q, k, v, cache: (cached()(q, k, v, cache)[1][1], cached()(q, k, v, cache)[1]), "shape"),
        "NaN": (lambda q, k, v, cache: cached()(math.nan * q, k, v, cache), "not-finite"),
        "a row more": (lambda q, k, v, cache: (cached()(q, k, v, cache)[0][None], appended(cache, (k, v))), "shape"),
        "the past twice": (
            cached(keep=lambda cache, new: appended(cache and appended(cache, cache), new)),
            "",
        ),
    },
}
