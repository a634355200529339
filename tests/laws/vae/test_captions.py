"""The laws of captions pass right answers and catch each planted bug."""

import math

import torch

from gmcourse.laws.vae import captions as laws
from gmcourse.vae.captions import caption_row, drop_captions, guided_logits, mixture_log_prob


def with_numpy(caption, codes, words):
    import numpy as np

    return np.concatenate([caption.numpy(), codes.numpy() + words], 1)


def by_place(caption, u, share, none):
    if len(u) == caption.shape[1]:
        return torch.where(u < share, none, caption)
    return drop_captions(caption, u, share, none)


def first_word(caption, u, share, none):
    dropped = caption.clone()
    dropped[u < share, 0] = none
    return dropped


def mixed(p, q, w):
    return (1 + w) * p.softmax(1) - w * q.softmax(1)


RIGHT = {
    laws.ids_have_one_meaning: (caption_row, with_numpy),
    laws.captions_drop_whole: (
        drop_captions,
        lambda c, u, share, none: [[none] * len(r) if v < share else r.tolist() for r, v in zip(c, u, strict=True)],
    ),
    laws.guidance_sharpens: (
        guided_logits,
        lambda p, q, w: (p.log_softmax(1) + w * (p.log_softmax(1) - q.log_softmax(1))).log_softmax(1),
    ),
    laws.captions_mix: (
        mixture_log_prob,
        lambda given, prior: (given.T + prior).logsumexp(1),
        lambda given, prior: given.amax(0) + ((given - given.amax(0)).exp() * prior.exp()[:, None]).sum(0).log(),
    ),
}
BUGS = {
    laws.ids_have_one_meaning: {
        "no offset": (lambda c, k, w: torch.cat([c, k], 1), "one-to-one"),
        "one short": (lambda c, k, w: torch.cat([c, k + w - 1], 1), "one-to-one"),
        "by the length": (lambda c, k, w: torch.cat([c, k + c.shape[1]], 1), "one-to-one"),
        "by the largest word seen": (lambda c, k, w: torch.cat([c, k + c.max() + 1], 1), "one-to-one"),
        "one id left out": (lambda c, k, w: torch.cat([c, k + w + 1], 1), "spread"),
        "codes first": (lambda c, k, w: torch.cat([k + w, c], 1), "direction"),
        "words moved": (lambda c, k, w: torch.cat([c + w, k], 1), "constant"),
        "both moved": (lambda c, k, w: torch.cat([c, k], 1) + w, "constant"),
        "codes alone": (lambda c, k, w: k + w, "shape"),
    },
    laws.captions_drop_whole: {
        "by place": (by_place, "shape"),
        "kept for dropped": (lambda c, u, s, none: drop_captions(c, 1 - u, 1 - s, none), "sign"),
        "the other share": (lambda c, u, s, none: drop_captions(c, u, 1 - s, none), "sign"),
        "zeros": (lambda c, u, s, none: drop_captions(c, u, s, 0), "constant"),
        "the first word alone": (first_word, "reduction"),
        "word by word": (lambda c, u, s, none: torch.where(torch.rand(c.shape) < s, none, c), "reduction"),
        "others than u says": (lambda c, u, s, none: drop_captions(c, u.flip(0), s, none), "dependence"),
        "never": (lambda c, u, s, none: c, "dependence"),
        "all or none": (lambda c, u, s, none: torch.full_like(c, none) if (u < s).any() else c, "dependence"),
    },
    laws.guidance_sharpens: {
        "w for 1 + w": (lambda p, q, w: q + w * (p - q), "constant"),
        "1 + w twice": (lambda p, q, w: p + (1 + w) * (p - q), "constant"),
        "probabilities mixed": (mixed, "log-mean"),
        "logarithm of mixed probabilities": (lambda p, q, w: mixed(p, q, w).clamp(min=1e-9).log(), "log-mean"),
        "sign": (lambda p, q, w: (1 + w) * p + w * q, "sign"),
        "exchanged": (lambda p, q, w: (1 + w) * q - w * p, "direction"),
        "the other way": (lambda p, q, w: p + w * (q - p), "direction"),
        "probabilities": (lambda p, q, w: guided_logits(p, q, w).softmax(1), "overflow"),
        "sharpened alone": (lambda p, q, w: (1 + w) * p, "spread"),
        "not guided": (lambda p, q, w: p, "spread"),
        "the first row for all": (lambda p, q, w: guided_logits(p, q, w)[:1].expand_as(p), "shape"),
    },
    laws.captions_mix: {
        "mean of logarithms": (lambda given, prior: (prior.exp()[:, None] * given).sum(0), "log-mean"),
        "not weighted": (lambda given, prior: given.logsumexp(0), "constant"),
        "captions equally likely": (lambda given, prior: given.logsumexp(0) - math.log(len(given)), "constant"),
        "the largest term": (lambda given, prior: (given + prior[:, None]).amax(0), "reduction"),
        "not in logarithms": (lambda given, prior: (given.exp() * prior.exp()[:, None]).sum(0).log(), "not-finite"),
        "sign": (lambda given, prior: -mixture_log_prob(given, prior), "sign"),
        "over the batch": (lambda given, prior: mixture_log_prob(given, prior).mean(), "shape"),
    },
}
