"""Answers to the exercises of lesson 03.1, right and wrong."""

import math
from fractions import Fraction

import numpy as np
import torch
from torch.distributions import Bernoulli, kl_divergence
from torch.nn import functional as F


def tail_by_loop(eigenvalues, k):
    total = 0.0
    for j, value in enumerate(eigenvalues):
        if j >= k:
            total += value
    return total


def angles_by_numpy(a, b):
    """Björck & Golub: sines for the small angles, cosines for the large ones."""
    a, b = (np.linalg.qr(x.numpy())[0] for x in (a, b))
    cosines = np.clip(np.linalg.svd(a.T @ b, compute_uv=False), 0, 1)
    sines = np.clip(np.linalg.svd(b - a @ a.T @ b, compute_uv=False)[::-1], 0, 1)
    return np.where(cosines**2 > 0.5, np.arcsin(sines), np.arccos(cosines))


def angles_by_scipy(a, b):
    from scipy.linalg import subspace_angles

    return subspace_angles(a.numpy(), b.numpy())[::-1].copy()


def angles_by_vectors(a, b):
    """2 arcsin of half the distance of paired principal vectors."""
    a, b = (torch.linalg.svd(x, full_matrices=False).U for x in (a, b))
    left, _, right = torch.linalg.svd(a.T @ b)
    return (2 * ((a @ left - b @ right.T).norm(dim=0) / 2).arcsin()).sort().values


def angles_by_cosines(a, b):
    a, b = torch.linalg.qr(a).Q, torch.linalg.qr(b).Q
    return torch.arccos(torch.linalg.svdvals(a.T @ b).clamp(-1, 1))


def angles_by_sines(a, b):
    a, b = torch.linalg.qr(a).Q, torch.linalg.qr(b).Q
    return torch.arcsin(torch.linalg.svdvals(b - a @ (a.T @ b)).clamp(max=1)).flip(0)


def angles_by_complement(a, b):
    """Sines alone, to a basis of what is orthogonal to a: seven digits at a right angle, all of them at 0."""
    rest = torch.linalg.qr(a, mode="complete").Q[:, a.shape[1] :]
    return torch.linalg.svdvals(rest.T @ torch.linalg.qr(b).Q).clamp(max=1).arcsin().flip(0)


def angles_by_whitening(a, b):
    """Cholesky's factor makes the columns orthonormal."""
    a, b = (x @ torch.linalg.inv(torch.linalg.cholesky(x.T @ x)).T for x in (a, b))
    sines = torch.linalg.svdvals(b - a @ (a.T @ b)).flip(0)
    return torch.atan2(sines, torch.linalg.svdvals(a.T @ b)).tolist()


def sines_as_they_come(a, b):
    a, b = torch.linalg.qr(a).Q, torch.linalg.qr(b).Q
    return torch.atan2(torch.linalg.svdvals(b - a @ (a.T @ b)), torch.linalg.svdvals(a.T @ b))


def squared_sines(a, b):
    a, b = torch.linalg.qr(a).Q, torch.linalg.qr(b).Q
    rest = b - a @ (a.T @ b)
    return torch.linalg.eigvalsh(rest.T @ rest).clamp(0, 1).sqrt().arcsin()


def b_as_given(a, b):
    a = torch.linalg.qr(a).Q
    return torch.atan2(torch.linalg.svdvals(b - a @ (a.T @ b)).flip(0), torch.linalg.svdvals(a.T @ b))


def unit_columns(a, b):
    a, b = F.normalize(a, dim=0), F.normalize(b, dim=0)
    return torch.linalg.svdvals(a.T @ b).clamp(max=1).arccos()


def of_rows(a, b):
    a, b = torch.linalg.qr(a.T).Q, torch.linalg.qr(b.T).Q
    return torch.linalg.svdvals(a.T @ b).clamp(max=1).arccos()


def kl_by_loop(activity, rho):
    total = 0
    for unit in activity.T:
        rate = unit.mean()
        total = total + rho * torch.log(rho / rate) + (1 - rho) * torch.log((1 - rho) / (1 - rate))
    return total


def kl_by_library(activity, rho):
    rate = activity.mean(dim=0)
    return kl_divergence(Bernoulli(probs=torch.full_like(rate, rho)), Bernoulli(probs=rate)).sum()


def kl_by_entropy(activity, rho):
    """Cross-entropy less entropy."""
    rate = activity.mean(0)
    cross = F.binary_cross_entropy(rate, torch.full_like(rate, rho), reduction="sum")
    return cross + len(rate) * (rho * math.log(rho) + (1 - rho) * math.log(1 - rho))


def kl_by_categories(activity, rho):
    rate = activity.mean(0)
    coins = torch.tensor([rho, 1 - rho]).expand(len(rate), 2), torch.stack([rate, 1 - rate], 1)
    return F.kl_div(coins[1].log(), coins[0], reduction="sum")


def in_bits(activity, rho):
    return kl_by_loop(activity, rho) / math.log(2)


def kept_by_ranks(h, k):
    return h * (h.argsort(1, descending=True).argsort(1) < k)


def kept_by_loop(h, k):
    rows = []
    for row in h:
        mask = torch.zeros_like(row)
        mask[row.topk(k).indices] = 1
        rows.append(row * mask)
    return torch.stack(rows)


def kept_by_where(h, k):
    mask = torch.zeros_like(h, dtype=torch.bool).scatter_(1, h.topk(k, dim=1).indices, True)
    return torch.where(mask, h, torch.zeros(()))


def kept_in_place(h, k):
    dropped = h.topk(h.shape[1] - k, 1, largest=False).indices
    return h.clone().scatter_(1, dropped, 0.0)


class Kept(torch.autograd.Function):
    @staticmethod
    def forward(ctx, h, k):
        mask = torch.zeros_like(h, dtype=torch.bool).scatter_(1, h.topk(k, 1).indices, True)
        ctx.save_for_backward(mask)
        return h * mask

    @staticmethod
    def backward(ctx, *slopes):
        return slopes[0] * ctx.saved_tensors[0], None


def kept_in_order(h, k):
    """The values in the order of their size, not in their places."""
    values = h.sort(1, descending=True).values
    return values * (torch.arange(h.shape[1]) < k)


def kept_by_data(h, k):
    """The values without their history."""
    values, places = h.topk(k, 1)
    return torch.zeros_like(h).scatter(1, places, values.data)


RIGHT = {
    "autoencoders.pca_error": {
        "a loop": tail_by_loop,
        "what is left of all": lambda eigenvalues, k: eigenvalues.double().sum() - eigenvalues[:k].double().sum(),
        "NumPy": lambda eigenvalues, k: np.sum(eigenvalues.numpy()[k:]),
        "a plain number": lambda eigenvalues, k: float(eigenvalues[k:].sum()),
        "topk": lambda eigenvalues, k: eigenvalues.topk(len(eigenvalues) - k, largest=False).values.sum(
            0, keepdim=True
        ),
        "any order": lambda eigenvalues, k: eigenvalues.sort(descending=True).values[k:].sum(),
    },
    "autoencoders.principal_angles": {
        "NumPy": angles_by_numpy,
        "SciPy": angles_by_scipy,
        "sines": angles_by_sines,
        "sines to the complement": angles_by_complement,
        "whitened, as a list": angles_by_whitening,
    },
    "autoencoders.kl_sparsity": {
        "a loop": kl_by_loop,
        "torch's own": kl_by_library,
        "cross-entropy": kl_by_entropy,
        "categories": kl_by_categories,
        "shape (1,)": lambda activity, rho: kl_by_loop(activity, rho)[None],
    },
    "autoencoders.k_sparse": {
        "ranks": kept_by_ranks,
        "a loop": kept_by_loop,
        "where": kept_by_where,
        "a gradient by hand": Kept.apply,
        "the others blanked": kept_in_place,
    },
    "autoencoders.als_rounds": {
        "counted": 26,
        "rounded down": 25,
        "formula": math.log(1000) / math.log(0.1422 / 0.1084),
        "a tensor": torch.tensor([26]),
        "a fraction": Fraction(51, 2),
        "NumPy": np.float32(25.5),
    },
}
WRONG = {
    "autoencoders.pca_error": {
        "kept": (lambda eigenvalues, k: eigenvalues[:k].sum(), "direction"),
        "singular values": (lambda eigenvalues, k: eigenvalues.sqrt()[k:].sum(), "spread"),
        "a mean": (lambda eigenvalues, k: eigenvalues[k:].sum() / len(eigenvalues), "reduction"),
        "from the kth": (lambda eigenvalues, k: eigenvalues[k - 1 :].sum(), "one-to-one"),
        "all of them": (lambda eigenvalues, k: eigenvalues[k:], "shape"),
        "a share": (lambda eigenvalues, k: eigenvalues[k:].sum() / eigenvalues.sum(), "reduction"),
        "the share kept": (lambda eigenvalues, k: eigenvalues[:k].sum() / eigenvalues.sum(), "reduction"),
        "half": (lambda eigenvalues, k: eigenvalues[k:].sum() / 2, "reduction"),
        "a root": (lambda eigenvalues, k: eigenvalues[k:].sum().sqrt(), "spread"),
        "the next alone": (lambda eigenvalues, k: eigenvalues[k], "one-to-one"),
        "the last k": (lambda eigenvalues, k: eigenvalues[-k:].sum(), "one-to-one"),
        "a text": (lambda eigenvalues, k: "little", "container"),
    },
    "autoencoders.principal_angles": {
        "cosines alone": (angles_by_cosines, "overflow"),
        "distances of principal vectors": (angles_by_vectors, "overflow"),
        "unit columns": (unit_columns, "spread"),
        "no QR": (lambda a, b: torch.linalg.svdvals(a.T @ b).clamp(max=1).arccos(), "spread"),
        "by rows": (of_rows, ""),
        "sorted downwards": (lambda a, b: torch.as_tensor(angles_by_numpy(a, b)).flip(0), "direction"),
        "cosines": (lambda a, b: np.cos(angles_by_numpy(a, b)), "constant"),
        "degrees": (lambda a, b: np.degrees(angles_by_numpy(a, b)), "constant"),
        "columns": (lambda a, b: F.cosine_similarity(a, b, dim=0).clamp(-1, 1).arccos(), "one-to-one"),
        "sines as they come": (sines_as_they_come, "direction"),
        "squared sines": (squared_sines, "overflow"),
        "float32": (lambda a, b: angles_by_sines(a.float(), b.float()), "overflow"),
        "one QR": (b_as_given, "spread"),
        "columns of Q": (lambda a, b: (torch.linalg.qr(a).Q * torch.linalg.qr(b).Q).sum(0).arccos(), "one-to-one"),
        "the largest": (lambda a, b: angles_by_numpy(a, b)[-1], "shape"),
    },
    "autoencoders.kl_sparsity": {
        "reversed": (
            lambda activity, rho: kl_divergence(Bernoulli(activity.mean(0)), Bernoulli(torch.tensor(rho))).sum(),
            "direction",
        ),
        "per example": (
            lambda activity, rho: kl_divergence(Bernoulli(torch.tensor(rho)), Bernoulli(activity)).mean(0).sum(),
            "log-mean",
        ),
        "mean over units": (lambda activity, rho: kl_by_library(activity, rho) / activity.shape[1], "reduction"),
        "rates of rows": (lambda activity, rho: kl_by_loop(activity.T, rho), "reduction"),
        "one rate": (lambda activity, rho: kl_by_loop(activity.reshape(-1, 1), rho), "reduction"),
        "half": (lambda activity, rho: (rho * (rho / activity.mean(0)).log()).sum(), "dependence"),
        "minus": (lambda activity, rho: -kl_by_loop(activity, rho), "sign"),
        "in bits": (in_bits, "constant"),
        "a number": (lambda activity, rho: kl_by_loop(activity, rho).item(), "gradient"),
        "a vector": (lambda activity, rho: rho * (rho / activity.mean(0)).log(), "shape"),
        "a sum for the rate": (lambda activity, rho: kl_by_loop(activity * len(activity), rho), "reduction"),
        "largest unit": (lambda activity, rho: max(kl_by_loop(unit[:, None], rho) for unit in activity.T), "reduction"),
        "cross-entropy": (
            lambda activity, rho: F.binary_cross_entropy(activity.mean(0), 0 * activity[0] + rho),
            "constant",
        ),
        "of pictures": (lambda activity, rho: F.binary_cross_entropy(activity, 0 * activity + rho), "log-mean"),
        "rest is free": (lambda activity, rho: kl_by_loop(activity.mean(0)[None].clamp(min=rho), rho), "one-to-one"),
        "both ways": (
            lambda activity, rho: (
                kl_by_loop(activity, rho)
                + kl_divergence(Bernoulli(activity.mean(0)), Bernoulli(torch.tensor(rho))).sum()
            ),
            "direction",
        ),
        "half, a mean": (lambda activity, rho: (rho * (rho / activity.mean(0)).log()).mean(), "dependence"),
        "a distance": (lambda activity, rho: (activity.mean(0) - rho).abs().sum(), ""),
    },
    "autoencoders.k_sparse": {
        "a threshold": (lambda h, k: h * (h >= h.topk(k, 1).values[:, -1:]), "one-to-one"),
        "of the batch": (lambda h, k: h * (h >= h.flatten().topk(k * len(h)).values[-1]), "dependence"),
        "in size": (lambda h, k: h * (h.abs().argsort(1, descending=True).argsort(1) < k), "sign"),
        "rectified": (lambda h, k: kept_by_ranks(h.relu(), k), "sign"),
        "no history": (kept_by_data, "gradient"),
        "straight through": (lambda h, k: h + (kept_by_ranks(h, k) - h).detach(), "gradient"),
        "a mask": (lambda h, k: (h.argsort(1, descending=True).argsort(1) < k).float(), "spread"),
        "one more": (lambda h, k: kept_by_ranks(h, k + 1), "constant"),
        "the values alone": (lambda h, k: h.topk(k, 1).values, "shape"),
        "the smallest": (lambda h, k: -kept_by_ranks(-h, k), "direction"),
        "kthvalue": (lambda h, k: h * (h >= h.kthvalue(k, 1, keepdim=True).values), "direction"),
        "k dropped": (lambda h, k: kept_in_place(h, h.shape[1] - k), "constant"),
        "in order": (kept_in_order, "spread"),
        "rescaled": (lambda h, k: kept_by_ranks(h, k) * h.shape[1] / k, "spread"),
        "less the least": (lambda h, k: (h - h.topk(k, 1).values[:, -1:]).relu(), "spread"),
        "−∞ elsewhere": (lambda h, k: torch.where(kept_by_ranks(h, k) != 0, h, -torch.inf), "not-finite"),
        "one threshold": (lambda h, k: h * (h >= h.topk(k, 1).values.min()), "dependence"),
    },
    "autoencoders.als_rounds": {
        "least squares": (1, "constant"),
        "the gap above": (68.6, "direction"),
        "the gap below": (163, "direction"),
        "of the loss": (12.75, "spread"),
        "to the first": (3.7, "dependence"),
        "to 1/e": (4, "dependence"),
        "next but one": (22, "direction"),
        "a straight line": (29, "log-mean"),
        "counted too early": (24, "one-to-one"),
        "a guess": (40, ""),
        "nothing": (None, "container"),
    },
}
