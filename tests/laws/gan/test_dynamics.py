"""Every law of the dynamics passes the package's own function and catches each planted bug."""

import cmath
import math

import torch

from gmcourse.gan.losses import r1_penalty
from gmcourse.laws.gan import dynamics


def eigenvalues(lr, weight):
    """1 + η (−γ/2 ± √(γ²/4 − ¼))."""
    root = cmath.sqrt(weight**2 / 4 - 0.25)
    return 1 + lr * torch.tensor([-weight / 2 - root, -weight / 2 + root])


def fooled(theta, psi):
    return 1 / (1 + math.exp(-psi * theta))


def alternating(theta, psi, lr):
    psi = psi - lr * theta * fooled(theta, psi)
    return theta + lr * psi * fooled(theta, psi), psi


def simultaneous(theta, psi, lr):
    return theta + lr * psi * fooled(theta, psi), psi - lr * theta * fooled(theta, psi)


def generator_first(theta, psi, lr):
    theta = theta + lr * psi * fooled(theta, psi)
    return theta, psi - lr * theta * fooled(theta, psi)


def upside_down(theta, psi, lr):
    psi = psi + lr * theta * fooled(theta, psi)
    return theta - lr * psi * fooled(theta, psi), psi


def slope(critic, x, graph=True):
    x = x.detach().requires_grad_()
    return torch.autograd.grad(critic(x).sum(), x, create_graph=graph)[0].flatten(1)


def least_squares(log_p, log_q, a, b):
    return a + (b - a) * torch.sigmoid(log_p - log_q)


def clamped(log_p, log_q, a, b):
    """No NaN, and no answer either, where both densities underflow."""
    p, q = (log.exp().clamp(min=1e-30) for log in (log_p, log_q))
    return (b * p + a * q) / (p + q)


RIGHT = {
    dynamics.eigenvalues_of_simultaneous_step: (eigenvalues, lambda lr, weight: eigenvalues(lr, weight).flip(0)),
    dynamics.generator_meets_moved_critic: (alternating,),
    dynamics.penalises_slope_at_data: (r1_penalty,),
    dynamics.least_squares_is_minimised: (least_squares,),
}
BUGS = {
    dynamics.eigenvalues_of_simultaneous_step: {
        "of the field": (lambda lr, weight: (eigenvalues(lr, weight) - 1) / lr, "direction"),
        "no ½ before R1": (lambda lr, weight: eigenvalues(lr, 2 * weight), "constant"),
        "absolute values": (lambda lr, weight: eigenvalues(lr, weight).abs(), "shape"),
        "uphill": (lambda lr, weight: 2 - eigenvalues(lr, weight), "sign"),
        "twice the step": (lambda lr, weight: 1 + 2 * (eigenvalues(lr, weight) - 1), ""),
        "the step left out": (lambda lr, weight: eigenvalues(1.0, weight), "spread"),
        "one of them twice": (lambda lr, weight: eigenvalues(lr, weight)[:1].expand(2), "shape"),
    },
    dynamics.generator_meets_moved_critic: {
        "both at once": (simultaneous, "dependence"),
        "the generator first": (generator_first, "direction"),
        "both upside down": (upside_down, "sign"),
        "no sigmoid": (lambda t, p, lr: (t + lr * (p - lr * t), p - lr * t), "constant"),
        "exchanged": (lambda t, p, lr: alternating(t, p, lr)[::-1], "one-to-one"),
        "of a θ that is never negative": (lambda t, p, lr: alternating(abs(t), p, lr), ""),
        "θ alone": (lambda t, p, lr: t, "shape"),
        "rows of one": (lambda t, p, lr: tuple(torch.tensor([v, v]) for v in alternating(t, p, lr)), "shape"),
        "NaN": (lambda t, p, lr: (math.nan, math.nan), "not-finite"),
    },
    dynamics.penalises_slope_at_data: {
        "no ½": (lambda critic, real: 2 * r1_penalty(critic, real), "constant"),
        "the norm for its square": (lambda critic, real: slope(critic, real).norm(dim=1).mean(), "spread"),
        "mean over coordinates": (lambda critic, real: slope(critic, real).square().mean() / 2, "reduction"),
        "towards slope 1": (lambda critic, real: (slope(critic, real).norm(dim=1) - 1).square().mean(), "direction"),
        "detached": (lambda critic, real: r1_penalty(critic, real).detach(), "gradient"),
        "no graph": (lambda critic, real: slope(critic, real, False).square().sum(1).mean() / 2, "gradient"),
        "summed over the batch": (lambda critic, real: len(real) * r1_penalty(critic, real), "shape"),
        "sign": (lambda critic, real: -r1_penalty(critic, real), "sign"),
        "at zero": (lambda critic, real: r1_penalty(critic, 0 * real), ""),
        "the first row for all": (lambda critic, real: r1_penalty(critic, real[:1]), ""),
    },
    dynamics.least_squares_is_minimised: {
        "½ where both are 0": (clamped, "overflow"),
        "not in logarithms": (lambda p, q, a, b: (b * p.exp() + a * q.exp()) / (p.exp() + q.exp()), "not-finite"),
        "densities exchanged": (lambda p, q, a, b: least_squares(q, p, a, b), "direction"),
        "a probability": (lambda p, q, a, b: torch.sigmoid(p - q), "constant"),
        "sign": (lambda p, q, a, b: -least_squares(p, q, a, b), "direction"),
        "mean of logarithms": (lambda p, q, a, b: (b * p + a * q) / (p + q), "log-mean"),
        "a left out": (lambda p, q, a, b: b * torch.sigmoid(p - q), "constant"),
        "the first x for all": (lambda p, q, a, b: least_squares(p, q, a, b)[:1].expand_as(p), ""),
    },
}
