"""Answers to the exercises of lesson 08.3, right and wrong."""

import numpy as np
import torch


def correct(s, f, t):
    return 1 - (t - s) / (t - f)


def correct_by_a_system(s, f, t):
    """s = π t + (1 − π) f, as two equations for the two shares."""
    return torch.linalg.solve(torch.tensor([[t, f], [1.0, 1.0]]), torch.tensor([s, 1.0]))[0]


def temper_in_logs(w, t):
    log = torch.log(w) / t
    return torch.exp(log - torch.logsumexp(log, 0))


def temper_in_numpy(w, t):
    raised = np.power(w.numpy(), 1 / t)
    return raised / raised.sum()


def temper_by_loop(w, t):
    raised = [share.item() ** (1 / t) for share in w]
    return [value / sum(raised) for value in raised]


def keep(w, v):
    most = max((b / a).item() for a, b in zip(w, v, strict=True))
    return torch.stack([b / a / most for a, b in zip(w, v, strict=True)]), most


def keep_by_rate(w, v):
    a = v / w
    a = a / a.max()
    return a, 1 / (w * a).sum()


def changed(keeps=lambda a, w, v: a, costs=lambda c: c):
    def answer(w, v):
        a, cost = keep(w, v)
        return keeps(a, w, v), costs(cost)

    return answer


def able_by_loops(has, groups):
    return torch.tensor([all(bool((own & group).any()) for group in groups) for own in has])


def able_by_products(has, groups):
    return ((has.float() @ groups.float().T) > 0).all(1)


def able_in_numpy(has, groups):
    return np.array([all((own & g).any() for g in groups.numpy()) for own in has.numpy()])


RIGHT = {
    "comparison.corrected_share": {
        "from the other side": correct,
        "a system": correct_by_a_system,
        "both signs": lambda s, f, t: (f - s) / (f - t),
    },
    "comparison.tempered_shares": {"logs": temper_in_logs, "numpy": temper_in_numpy, "a loop": temper_by_loop},
    "comparison.acceptance": {"a loop": keep, "by the rate": keep_by_rate, "a list": lambda w, v: list(keep(w, v))},
    "comparison.able": {"loops": able_by_loops, "products": able_by_products, "numpy": able_in_numpy},
    "comparison.minority_recall": {"rounded": 0.6205, "two digits": 0.62, "a tensor": torch.tensor(0.6205)},
}
WRONG = {
    "comparison.corrected_share": {
        "over t": (lambda s, f, t: (s - f) / t, "constant"),
        "no denominator": (lambda s, f, t: s - f, "constant"),
        "times the gap": (lambda s, f, t: (s - f) * (t - f), "constant"),
        "as seen": (lambda s, f, t: s, "dependence"),
        "of the others": (lambda s, f, t: (t - s) / (t - f), "direction"),
        "the rates added": (lambda s, f, t: (s - f) / (t + f), "sign"),
        "a pair": (lambda s, f, t: (s, f), "shape"),
    },
    "comparison.tempered_shares": {
        "w^T": (lambda w, t: w**t / (w**t).sum(), "direction"),
        "over the largest": (lambda w, t: w ** (1 / t) / (w ** (1 / t)).max(), "reduction"),
        "a deviation": (lambda w, t: w ** (1 / t**2) / (w ** (1 / t**2)).sum(), "spread"),
        "softmax": (lambda w, t: torch.softmax(w / t, 0), "constant"),
        "as they are": (lambda w, t: w.clone(), "dependence"),
        "uniform": (lambda w, t: torch.ones_like(w) / len(w), ""),
        "in place": (lambda w, t: w.pow_(1 / t).div_(w.sum()), "mutation"),
    },
    "comparison.acceptance": {
        "above 1": (changed(lambda a, w, v: v / w), "constant"),
        "cut at 1": (changed(lambda a, w, v: (v / w).clamp(max=1)), "constant"),
        "one over the share": (changed(lambda a, w, v: 1 / w), "constant"),
        "turned round": (changed(lambda a, w, v: (w / v) / (w / v).max()), "direction"),
        "the wanted shares": (changed(lambda a, w, v: v), "dependence"),
        "a rate": (changed(costs=lambda c: 1 / c), "direction"),
        "lost draws": (changed(costs=lambda c: c - 1), "reduction"),
        "of all groups alike": (lambda w, v: (keep(w, v)[0], 1 / keep(w, v)[0].mean()), "reduction"),
        "squared": (changed(costs=lambda c: c**2), "spread"),
        "no cost": (lambda w, v: keep(w, v)[0], "shape"),
    },
    "comparison.able": {
        "all of a group": (lambda has, groups: (has[:, None] | ~groups).all(2).all(1), "constant"),
        "one group": (lambda has, groups: (has[:, None] & groups).any(2).any(1), "reduction"),
        "the union": (lambda has, groups: (has & groups.any(0)).any(1), "reduction"),
        "not": (lambda has, groups: ~able_by_products(has, groups), "direction"),
        "each group": (lambda has, groups: (has[:, None] & groups).any(2), "shape"),
        "as many as groups": (lambda has, groups: (has[:, None] & groups).sum((1, 2)) >= len(groups), "reduction"),
        "a product": (lambda has, groups: (has.float() @ groups.float().T).prod(1), "container"),
    },
    "comparison.minority_recall": {
        "at 40 %": (0.787, "dependence"),
        "without shares": (0.841, "dependence"),
        "the full log-odds": (0.350, "constant"),
        "from 0": (0.244, "constant"),
        "to the other side": (0.955, "sign"),
        "the share": (0.2, "direction"),
        "a guess": (0.4, ""),
        "words": ("a third", "container"),
    },
}
