"""Every law of a weighed KL passes the right answer and catches each planted bug."""

import math

import torch

from gmcourse.laws.vae import balanced
from gmcourse.vae.balanced import free_bits, linear_code


def by_where(eigenvalues, beta, noise_variance):
    theta = beta * noise_variance
    used = eigenvalues > theta
    zero = torch.zeros_like(eigenvalues)
    return torch.where(used, 0.5 * (eigenvalues / theta).log(), zero), torch.where(used, theta, eigenvalues)


def without_half(eigenvalues, beta, noise_variance):
    rate, lost = linear_code(eigenvalues, beta, noise_variance)
    return 2 * rate, lost


def not_cut(eigenvalues, beta, noise_variance):
    return 0.5 * (eigenvalues / (beta * noise_variance)).log(), eigenvalues.clamp(max=beta * noise_variance)


def theta_for_all(eigenvalues, beta, noise_variance):
    rate, lost = linear_code(eigenvalues, beta, noise_variance)
    return rate, torch.full_like(lost, beta * noise_variance)


def by_example(kl, floor):
    return kl.clamp(min=floor).mean(0).sum()


RIGHT = {
    balanced.linear_code_is_best: (linear_code, by_where),
    balanced.floor_is_each_latents: (
        free_bits,
        lambda kl, floor: torch.maximum(kl.mean(0), torch.tensor(floor)).sum(),
        lambda kl, floor: floor * kl.shape[1] + (kl.mean(0) - floor).relu().sum(),
    ),
}
BUGS = {
    balanced.linear_code_is_best: {
        "no ½": (without_half, "constant"),
        "in bits": (lambda e, b, v: (linear_code(e, b, v)[0] / math.log(2), linear_code(e, b, v)[1]), "constant"),
        "rates below 0": (not_cut, "sign"),
        "σ for σ²": (lambda e, b, v: linear_code(e, b, v**0.5), "spread"),
        "σ²/β": (lambda e, b, v: linear_code(e, 1 / b, v), "direction"),
        "β left out": (lambda e, b, v: linear_code(e, 1.0, v), "dependence"),
        "θ lost everywhere": (theta_for_all, "one-to-one"),
        "added up": (lambda e, b, v: tuple(t.sum() for t in linear_code(e, b, v)), "shape"),
        "the distortion first": (lambda e, b, v: linear_code(e, b, v)[::-1], ""),
        "the rate alone": (lambda e, b, v: linear_code(e, b, v)[0], "container"),
    },
    balanced.floor_is_each_latents: {
        "example by example": (by_example, "log-mean"),
        "a floor for the sum": (lambda kl, floor: kl.mean(0).sum().clamp(min=floor), "reduction"),
        "added": (lambda kl, floor: kl.mean(0).sum() + floor * kl.shape[1], "constant"),
        "the smaller": (lambda kl, floor: kl.mean(0).clamp(max=floor).sum(), "direction"),
        "what is above alone": (lambda kl, floor: (kl.mean(0) - floor).clamp(min=0).sum(), "constant"),
        "mean over latents": (lambda kl, floor: kl.mean(0).clamp(min=floor).mean(), "reduction"),
        "over the latents": (lambda kl, floor: kl.mean(1).clamp(min=floor).sum(), "dependence"),
        "not summed": (lambda kl, floor: kl.mean(0).clamp(min=floor), "shape"),
        "detached": (lambda kl, floor: free_bits(kl.detach(), floor), "gradient"),
        "a push": (
            lambda kl, floor: free_bits(kl.detach(), floor) + kl.mean(0).sum() - kl.mean(0).sum().detach(),
            "gradient",
        ),
    },
}
