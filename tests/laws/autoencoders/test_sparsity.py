"""Every law of sparse codes passes right answers and catches each planted bug."""

import torch

from gmcourse.autoencoders.sparse import k_sparse, kl_sparsity, soft_threshold
from gmcourse.laws.autoencoders import sparsity


def by_parts(x, t):
    """Three cases, written out."""
    return torch.where(x > t, x - t, torch.where(x < -t, x + t, torch.zeros_like(x)))


def kl(rho, rate):
    return rho * (rho / rate).log() + (1 - rho) * ((1 - rho) / (1 - rate)).log()


def safe(activity):
    return activity.clamp(1e-12, 1 - 1e-6)


def by_ranks(h, k):
    """Ranks from 0 for the largest, the first of equal ones before the others."""
    ranks = h.argsort(dim=1, descending=True, stable=True).argsort(dim=1)
    return h * (ranks < k)


def least_kept(h, k):
    return h.sort(1, descending=True).values[:, k - 1, None]


def over_the_batch(h, k):
    return h * torch.zeros_like(h).scatter(0, h.topk(min(k, len(h)), 0).indices, 1.0)


RIGHT = {
    sparsity.shrinks_to_the_least: (soft_threshold, by_parts),
    sparsity.rates_are_held: (kl_sparsity, lambda activity, rho: kl(rho, activity.mean(0)).sum()),
    sparsity.largest_are_kept: (k_sparse, by_ranks),
}
BUGS = {
    sparsity.shrinks_to_the_least: {
        "half the threshold": (lambda x, t: soft_threshold(x, t / 2), "constant"),
        "twice the threshold": (lambda x, t: soft_threshold(x, 2 * t), "constant"),
        "cut, not shrunk": (lambda x, t: x * (x.abs() > t), "spread"),
        "a square for the absolute value": (lambda x, t: x / (1 + t), "spread"),
        "positive ones alone": (lambda x, t: (x - t).relu(), "sign"),
        "the sign is lost": (lambda x, t: (x.abs() - t).relu(), "sign"),
        "past zero": (lambda x, t: x - t * x.sign(), "direction"),
        "what was taken away": (lambda x, t: x.clamp(-t, t), "direction"),
        "nothing": (lambda x, t: x, ""),
    },
    sparsity.rates_are_held: {
        "reversed": (lambda a, rho: kl(a.mean(0), torch.tensor(rho)).sum(), "direction"),
        "per example": (lambda a, rho: kl(rho, safe(a)).mean(0).sum(), "log-mean"),
        "per example, summed": (lambda a, rho: kl(rho, safe(a)).sum(), "log-mean"),
        "mean over units": (lambda a, rho: kl(rho, a.mean(0)).mean(), "reduction"),
        "one rate for all units": (lambda a, rho: kl(rho, a.mean()), "reduction"),
        "rates of the rows": (lambda a, rho: kl(rho, a.mean(1)).sum(), "reduction"),
        "half of it": (lambda a, rho: (rho * (rho / a.mean(0)).log()).sum(), "dependence"),
        "detached": (lambda a, rho: kl(rho, a.mean(0).detach()).sum(), "gradient"),
        "cross-entropy": (
            lambda a, rho: -(rho * a.mean(0).log() + (1 - rho) * (1 - a.mean(0)).log()).sum(),
            "constant",
        ),
        "rest is free": (lambda a, rho: kl(rho, a.mean(0).clamp(min=rho)).sum(), "one-to-one"),
        "a vector": (lambda a, rho: kl(rho, a.mean(0)), "shape"),
        "the distance of the rates": (lambda a, rho: (a.mean(0) - rho).square().sum(), ""),
    },
    sparsity.largest_are_kept: {
        "over the batch": (over_the_batch, "dependence"),
        "the largest in size": (lambda h, k: h * (h.abs() >= least_kept(h.abs(), k)), "sign"),
        "rectified": (lambda h, k: k_sparse(h, k).relu(), "sign"),
        "the smallest": (lambda h, k: -k_sparse(-h, k), "direction"),
        "the first row's places": (lambda h, k: h * (k_sparse(h, k)[:1] != 0), "dependence"),
        "one more": (lambda h, k: k_sparse(h, min(k + 1, h.shape[1])), "constant"),
        "at least the kth": (lambda h, k: h * (h >= least_kept(h, k)), "one-to-one"),
        "above the next": (lambda h, k: h * (h > h.sort(1).values[:, -k - 1, None]), "one-to-one"),
        "in order": (lambda h, k: h.sort(1, descending=True).values * (torch.arange(h.shape[1]) < k), "spread"),
        "a mask": (lambda h, k: (k_sparse(h, k) != 0).double(), "spread"),
        "detached": (lambda h, k: k_sparse(h.detach(), k), "gradient"),
        "the gradient let through": (lambda h, k: h + (k_sparse(h, k) - h).detach(), "gradient"),
    },
}
