"""The laws of the best linear code pass right answers and catch each planted bug."""

import math

import torch

from gmcourse.autoencoders.coding import water_line
from gmcourse.autoencoders.linear import alternate, covariance, pca_error, principal_angles, principal_subspace
from gmcourse.laws.autoencoders import spectrum


def projected(x, k):
    basis, _ = principal_subspace(covariance(x), k)
    mean = x.mean(0)
    return mean + (x - mean) @ basis @ basis.T


def by_rounds(x, k, rounds=2_000):
    x, mean = x.double(), x.double().mean(0)
    decoder = torch.eye(x.shape[1], k, dtype=torch.float64) + 0.1
    for _ in range(rounds):
        decoder = alternate(covariance(x), decoder)
    return mean + (x - mean) @ torch.linalg.pinv(decoder).T @ decoder.T


def through_zero(x, k):
    basis = torch.linalg.svd(x, full_matrices=False)[2][:k]
    return x @ basis.T @ basis


def without_the_mean(x, k):
    return projected(x, k) - x.mean(0)


def smallest(x, k):
    vectors = torch.linalg.eigh(covariance(x))[1][:, :k]
    return x.mean(0) + (x - x.mean(0)) @ vectors @ vectors.T


def by_scipy(a, b):
    from scipy.linalg import subspace_angles

    return subspace_angles(a.numpy(), b.numpy())[::-1].copy()


def by_cosines(a, b):
    return torch.linalg.svdvals(torch.linalg.qr(a)[0].T @ torch.linalg.qr(b)[0]).clamp(max=1).acos()


def by_squares(a, b):
    a, b = (torch.linalg.qr(basis)[0] for basis in (a, b))
    rest = b - a @ (a.T @ b)
    return torch.linalg.eigvalsh(rest.T @ rest).clamp(0, 1).sqrt().asin()


def by_sines(a, b):
    rest = torch.linalg.qr(a, mode="complete")[0][:, a.shape[1] :]
    return torch.linalg.svdvals(rest.T @ torch.linalg.qr(b)[0]).clamp(max=1).asin().flip(0).tolist()


def columns(a, b):
    return torch.nn.functional.cosine_similarity(a, b, dim=0).clamp(-1, 1).acos()


RIGHT = {
    spectrum.error_is_the_tail: (pca_error, lambda eigenvalues, k: sum(eigenvalues.tolist()[k:])),
    spectrum.reconstructs_best: (projected, by_rounds),
    spectrum.angles_are_principal: (principal_angles, by_scipy, by_sines),
    spectrum.rate_is_least: (
        water_line,
        lambda e, level: (
            sum(max(0.0, math.log(v / level)) / 2 for v in e.tolist() if v),
            e.minimum(e * 0 + level).sum(),
        ),
    ),
}
BUGS = {
    spectrum.error_is_the_tail: {
        "what is kept": (lambda eigenvalues, k: eigenvalues[:k].sum(), "direction"),
        "the smallest first": (lambda eigenvalues, k: eigenvalues.flip(0)[k:].sum(), "direction"),
        "singular values": (lambda eigenvalues, k: eigenvalues.sqrt()[k:].sum(), "spread"),
        "a mean over entries": (lambda eigenvalues, k: eigenvalues[k:].sum() / len(eigenvalues), "reduction"),
        "one too many": (lambda eigenvalues, k: eigenvalues[k - 1 :].sum(), "one-to-one"),
        "divided by n - 1": (lambda eigenvalues, k: eigenvalues[k:].sum() * 1.02, ""),
    },
    spectrum.reconstructs_best: {
        "not centred": (through_zero, "constant"),
        "the mean is not put back": (without_the_mean, "constant"),
        "the smallest components": (smallest, "direction"),
        "one more": (lambda x, k: projected(x, k + 1), "one-to-one"),
        "the mean alone": (lambda x, k: x.mean(0).expand_as(x), "reduction"),
        "not yet there": (lambda x, k: by_rounds(x, k, rounds=2), ""),
    },
    spectrum.angles_are_principal: {
        "no orthonormal bases": (lambda a, b: torch.linalg.svdvals(a.T @ b).clamp(max=1).acos(), "spread"),
        "column by column": (columns, "one-to-one"),
        "in degrees": (lambda a, b: principal_angles(a, b).rad2deg(), "constant"),
        "the largest first": (lambda a, b: principal_angles(a, b).flip(0), "direction"),
        "by cosines alone": (by_cosines, "overflow"),
        "by squared sines": (by_squares, "overflow"),
        "in float32": (lambda a, b: principal_angles(a.float(), b.float()), "overflow"),
    },
    spectrum.rate_is_least: {
        "in bits": (lambda e, level: (water_line(e, level)[0] / math.log(2), water_line(e, level)[1]), "constant"),
        "no half": (lambda e, level: (2 * water_line(e, level)[0], water_line(e, level)[1]), "constant"),
        "level over variance": (lambda e, level: (-water_line(e, level)[0], water_line(e, level)[1]), "sign"),
        "drowned ones, too": (
            lambda e, level: (0.5 * (e.clamp(min=1e-12) / level).log().sum(), e.clamp(max=level).sum()),
            "reduction",
        ),
        "max for min": (lambda e, level: (water_line(e, level)[0], e.clamp(min=level).sum()), "direction"),
        "the drowned alone": (lambda e, level: (water_line(e, level)[0], e[e <= level].sum()), "dependence"),
    },
}
