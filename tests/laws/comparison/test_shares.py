"""The laws of shares and of choosing hold and catch each planted bug."""

import torch

from gmcourse.laws.comparison import shares


def correct(s, f, t):
    return (s - f) / (t - f)


def temper(w, temperature):
    return torch.softmax(w.log() / temperature, 0)


def accept(w, v):
    ratio = v / w
    return ratio / ratio.max(), float(ratio.max())


def able(has, groups):
    return (has[:, None] & groups).any(2).all(1)


def accepted(change):
    return lambda w, v: change(w, v, *accept(w, v))


RIGHT = {
    shares.correction_undoes_the_classifier: (correct,),
    shares.temperature_bends_the_odds: (temper,),
    shares.rejection_gives_what_is_wanted: (accept,),
    shares.able_has_one_of_every_group: (able,),
}
BUGS = {
    shares.correction_undoes_the_classifier: {
        "divided by t alone": (lambda s, f, t: s / t, "constant"),
        "the denominator is t": (lambda s, f, t: (s - f) / t, "constant"),
        "no denominator": (lambda s, f, t: s - f, "constant"),
        "what was seen": (lambda s, f, t: s, "dependence"),
        "the majority": (lambda s, f, t: (t - s) / (t - f), "direction"),
        "f added": (lambda s, f, t: (s + f) / (t - f), "sign"),
        "cut at one half": (lambda s, f, t: min(correct(s, f, t), 0.5), ""),
        "none": (lambda s, f, t: None, "container"),
    },
    shares.temperature_bends_the_odds: {
        "w^T": (lambda w, t: w**t / (w**t).sum(), "direction"),
        "not normalised": (lambda w, t: w ** (1 / t), "reduction"),
        "a standard deviation": (lambda w, t: w ** (1 / t**2) / (w ** (1 / t**2)).sum(), "spread"),
        "softmax of the shares": (lambda w, t: torch.softmax(w / t, 0), "constant"),
        "left alone": (lambda w, t: w, "dependence"),
        "one share": (lambda w, t: temper(w, t)[0], "shape"),
        "in place": (lambda w, t: w.pow_(1 / t).div_(w.sum()), "mutation"),
    },
    shares.rejection_gives_what_is_wanted: {
        "above 1": (lambda w, v: (v / w, accept(w, v)[1]), "constant"),
        "normalised": (lambda w, v: ((v / w) / (v / w).sum(), accept(w, v)[1]), "constant"),
        "1/share": (lambda w, v: (1 / w, accept(w, v)[1]), "constant"),
        "turned round": (lambda w, v: ((w / v) / (w / v).max(), accept(w, v)[1]), "direction"),
        "the wanted shares": (lambda w, v: (v, accept(w, v)[1]), "dependence"),
        "the rate for the cost": (accepted(lambda w, v, keep, cost: (keep, 1 / cost)), "direction"),
        "the draws that are lost": (accepted(lambda w, v, keep, cost: (keep, cost - 1)), "reduction"),
        "groups alike in the cost": (accepted(lambda w, v, keep, cost: (keep, 1 / keep.mean())), "reduction"),
        "no cost": (lambda w, v: accept(w, v)[0], "shape"),
    },
    shares.able_has_one_of_every_group: {
        "all of a group": (lambda has, groups: (has[:, None] | ~groups).all(2).all(1), "constant"),
        "some group": (lambda has, groups: (has[:, None] & groups).any(2).any(1), "reduction"),
        "a count": (lambda has, groups: (has[:, None] & groups).sum((1, 2)), "reduction"),
        "those that are not": (lambda *a: ~able(*a), "direction"),
        "a method for each group": (lambda has, groups: (has[:, None] & groups).any(2), "shape"),
        "the first group": (lambda has, groups: (has & groups[:1].any(0)).any(1), "reduction"),
    },
}
