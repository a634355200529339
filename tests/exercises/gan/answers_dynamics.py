"""Answers to the exercises of lesson 05.2, right and wrong."""

import cmath
import math

import numpy as np
import torch

from gmcourse.gan.dirac import dirac_eigenvalues
from gmcourse.gan.losses import r1_penalty


def roots(lr, weight):
    return cmath.sqrt(weight**2 / 4 - 0.25)


def matrix(lr, weight):
    return torch.tensor([[1.0, lr / 2], [-lr / 2, 1 - lr * weight]])


def quadratic(lr, weight):
    trace, det = 2 - lr * weight, 1 - lr * weight + lr**2 / 4
    root = cmath.sqrt(trace**2 - 4 * det)
    return (trace + root) / 2, (trace - root) / 2


def slope(theta, psi):
    return 1 / (1 + math.exp(-psi * theta))


def alternating(theta, psi, lr):
    psi = psi - lr * theta * slope(theta, psi)
    return theta + lr * psi * slope(theta, psi), psi


def by_autograd(theta, psi, lr):
    theta, psi = (torch.tensor(float(v), dtype=torch.float64, requires_grad=True) for v in (theta, psi))

    def value(theta, psi):
        return -math.log(2) - torch.log1p(torch.exp(psi * theta))

    psi = psi + lr * torch.autograd.grad(value(theta, psi), psi)[0]
    theta = theta - lr * torch.autograd.grad(value(theta, psi), theta)[0]
    return theta, psi


def slopes(critic, real, graph=True):
    x = real.clone().requires_grad_()
    return torch.autograd.grad(critic(x).sum(), x, create_graph=graph)[0].flatten(1)


def r1_by_loop(critic, real):
    total = 0
    for row in real:
        x = row[None].clone().requires_grad_()
        (g,) = torch.autograd.grad(critic(x).squeeze(), x, create_graph=True)
        total = total + (g**2).sum()
    return total / (2 * len(real))


def r1_by_vmap(critic, real):
    g = torch.func.vmap(torch.func.grad(lambda x: critic(x[None])[0]))(real)
    return 0.5 * (g**2).flatten(1).sum(1).mean()


def r1_in_place(critic, real):
    real.requires_grad_()
    (g,) = torch.autograd.grad(critic(real).sum(), real, create_graph=True)
    return 0.5 * g.flatten(1).norm(dim=1).square().mean()


def r1_of_the_mean(critic, real):
    x = real.clone().requires_grad_()
    return 0.5 * torch.autograd.grad(critic(x).mean(), x, create_graph=True)[0].flatten(1).square().sum(1).mean()


def best(log_p, log_q, a, b):
    return a + (b - a) * torch.sigmoid(log_p - log_q)


def best_by_loop(log_p, log_q, a, b):
    answers = []
    for p, q in zip(log_p.tolist(), log_q.tolist()):
        top = max(p, q)
        p, q = math.exp(p - top), math.exp(q - top)
        answers.append((b * p + a * q) / (p + q))
    return answers


RIGHT = {
    "gan.dirac_eigenvalues": {
        "tuple": lambda lr, w: (1 + lr * (-w / 2 + roots(lr, w)), 1 + lr * (-w / 2 - roots(lr, w))),
        "eigvals": lambda lr, w: torch.linalg.eigvals(matrix(lr, w)),
        "numpy": lambda lr, w: np.linalg.eigvals(matrix(lr, w).numpy()),
        "quadratic": quadratic,
        "complex128": lambda lr, w: dirac_eigenvalues(lr, w).to(torch.complex128),
        "list": lambda lr, w: list(quadratic(lr, w)),
    },
    "gan.alternating_step": {
        "plain": alternating,
        "list": lambda *a: list(alternating(*a)),
        "array": lambda *a: np.array(alternating(*a)),
        "tensor": lambda *a: torch.tensor(alternating(*a)),
        "autograd": by_autograd,
        "exponentials above": lambda t, p, lr: (
            t
            + lr
            * (q := p - lr * t * math.exp(p * t) / (1 + math.exp(p * t)))
            * math.exp(q * t)
            / (1 + math.exp(q * t)),
            q,
        ),
    },
    "gan.r1_penalty": {
        "loop": r1_by_loop,
        "vmap": r1_by_vmap,
        "requires_grad_ on what is given": r1_in_place,
        "einsum": lambda c, x: torch.einsum("ni,ni->", slopes(c, x), slopes(c, x)) / (2 * len(x)),
        "another forward": lambda c, x: r1_penalty(c, x) + 0 * c(x).sum(),
        "shape (1,)": lambda c, x: r1_penalty(c, x)[None],
    },
    "gan.least_squares_discriminator": {
        "sigmoid": best,
        "loop and list": best_by_loop,
        "softmax": lambda p, q, a, b: torch.stack([p, q]).softmax(0).T @ torch.tensor([b, a]),
        "float64": lambda p, q, a, b: best(p.double(), q.double(), a, b),
        "logaddexp": lambda p, q, a, b: b * (p - torch.logaddexp(p, q)).exp() + a * (q - torch.logaddexp(p, q)).exp(),
    },
    "gan.largest_stable_step": {"0.4": 0.4, "tensor": torch.tensor([0.4]), "array": np.float32(0.4), "nearly": 0.399},
}
WRONG = {
    "gan.dirac_eigenvalues": {
        "one eigenvalue": (lambda lr, w: torch.tensor([quadratic(lr, w)[0]]), "shape"),
        "real parts": (lambda lr, w: dirac_eigenvalues(lr, w).real, "shape"),
        "+ γ": (lambda lr, w: dirac_eigenvalues(lr, -w), "sign"),
        "of the flow": (lambda lr, w: torch.linalg.eigvals((matrix(lr, w) - torch.eye(2)) / lr), "direction"),
        "η left out": (lambda lr, w: dirac_eigenvalues(1.0, w), "spread"),
        "η squared": (lambda lr, w: dirac_eigenvalues(lr**2, w), ""),
        "no quarter": (lambda lr, w: 1 + lr * torch.tensor([-w / 2 - 0.5j, -w / 2 + 0.5j]), ""),
        "clamped root": (
            lambda lr, w: 1 + lr * (-w / 2 + max(w**2 / 4 - 0.25, 0) ** 0.5 * torch.tensor([-1.0, 1])),
            "shape",
        ),
        "the matrix": (matrix, "shape"),
        "nothing": (lambda lr, w: None, "container"),
    },
    "gan.alternating_step": {
        "the generator climbs": (lambda t, p, lr: (2 * t - alternating(t, p, lr)[0], alternating(t, p, lr)[1]), "sign"),
        "exchanged": (lambda *a: alternating(*a)[::-1], "one-to-one"),
        "both at once": (lambda t, p, lr: (t + lr * p * slope(t, p), p - lr * t * slope(t, p)), "dependence"),
        "without the factor": (lambda t, p, lr: (t + lr * (p - lr * t), p - lr * t), "constant"),
        "no step size": (lambda t, p, lr: alternating(t, p, 1.0), ""),
        "a critic alone": (lambda t, p, lr: (t, alternating(t, p, lr)[1]), ""),
        "e^{+ψθ}": (
            lambda t, p, lr: (
                t + lr * (q := p - lr * t * slope(-t, p)) * slope(-t, q),
                q,
            ),
            "spread",
        ),
        "one number": (lambda *a: alternating(*a)[0], "shape"),
        "NaN": (lambda *a: (math.nan, 0.0), "not-finite"),
    },
    "gan.r1_penalty": {
        "no half, mean over all": (lambda c, x: slopes(c, x).square().mean(), "reduction"),
        "summed over the batch": (lambda c, x: slopes(c, x).square().sum(), "shape"),
        "a row for each": (lambda c, x: 0.5 * slopes(c, x).square().sum(1), "shape"),
        "half of a norm": (lambda c, x: 0.5 * slopes(c, x).norm(dim=1).mean(), "spread"),
        "towards 1": (lambda c, x: 0.5 * (slopes(c, x).norm(dim=1) - 1).square().mean(), "direction"),
        "the gradient of the mean": (r1_of_the_mean, "dependence"),
        "half twice": (lambda c, x: r1_penalty(c, x) / 2, "constant"),
        "minus": (lambda c, x: -r1_penalty(c, x), "sign"),
        "a number": (lambda c, x: r1_penalty(c, x).item(), "gradient"),
        "shuffled in place": (lambda c, x: r1_penalty(c, x.mul_(1.5)), "mutation"),
        "the value squared": (lambda c, x: 0.5 * c(x).square().mean(), ""),
    },
    "gan.least_squares_discriminator": {
        "clamped": (
            lambda p, q, a, b: (
                (b * p.exp().clamp(1e-30) + a * q.exp().clamp(1e-30)) / (p.exp().clamp(1e-30) + q.exp().clamp(1e-30))
            ),
            "overflow",
        ),
        "one shift": (
            lambda p, q, a, b: (
                (b * (p - p.max()).exp() + a * (q - p.max()).exp()) / ((p - p.max()).exp() + (q - p.max()).exp())
            ),
            "not-finite",
        ),
        "not divided": (lambda p, q, a, b: b * p.exp() + a * q.exp(), "reduction"),
        "a and b exchanged": (lambda p, q, a, b: best(p, q, b, a), "direction"),
        "a probability": (lambda p, q, a, b: torch.sigmoid(p - q), "constant"),
        "only b": (lambda p, q, a, b: b * torch.sigmoid(p - q), "constant"),
        "the nearer target": (lambda p, q, a, b: torch.where(p > q, b, a), ""),
        "in place": (lambda p, q, a, b: best(p.sub_(q), 0 * q, a, b), "mutation"),
        "a − b": (lambda p, q, a, b: a - (b - a) * torch.sigmoid(p - q), ""),
    },
    "gan.largest_stable_step": {
        "NaN": (math.nan, "not-finite"),
        "NaN in a tensor": (torch.tensor(math.nan), "not-finite"),
        "infinity": (math.inf, "not-finite"),
        "γ": (0.1, "constant"),
        "alternating": (4, "dependence"),
        "2/γ": (20.0, "direction"),
        "twice": (0.8, "constant"),
        "a guess": (0.5, ""),
        "two numbers": ((0.3, 0.4), "container"),
    },
}
