"""Answers to the exercises of lesson 07.2, right and wrong."""

import math
from fractions import Fraction

import numpy as np
import torch
from torch.distributions import Normal


def slopes(score, x, graph=True):
    """s and all ∂s_i/∂x_j, (batch, D, D), a backward pass for each i."""
    x = x.detach().requires_grad_()
    s = score(x)
    rows = [torch.autograd.grad(s[:, i].sum(), x, create_graph=graph, retain_graph=True)[0] for i in range(x.shape[1])]
    return s, torch.stack(rows, 1)


def by_backward(score, x):
    s, jacobian = slopes(score, x)
    return (s**2).sum(1) / 2 + torch.einsum("bii->b", jacobian)


def by_loop(score, x):
    x = x.clone().requires_grad_(True)
    s = score(x)
    total = 0.5 * (s * s).sum(dim=-1)
    for i in range(x.shape[-1]):
        (row,) = torch.autograd.grad(s[..., i], x, torch.ones(len(x)).to(s), create_graph=True)
        total = total + row[..., i]
    return total


def by_vmap(score, x):
    def alone(row):
        return score(row[None])[0]

    jacobian = torch.vmap(torch.func.jacrev(alone))(x)
    return score(x).square().sum(1) / 2 + jacobian.diagonal(dim1=1, dim2=2).sum(1)


def by_forward(score, x):
    s = score(x)
    total = s.square().sum(1) / 2
    for i in range(x.shape[1]):
        unit = torch.zeros_like(x)
        unit[:, i] = 1
        total = total + torch.func.jvp(score, (x,), (unit,))[1][:, i]
    return total


def by_functional(score, x):
    """Each row by torch's own Jacobian."""
    jacobians = [torch.autograd.functional.jacobian(score, row[None], create_graph=True)[0, :, 0] for row in x]
    return torch.stack([J.trace() for J in jacobians]) + score(x).pow(2).sum(1).mul(0.5)


def of_the_parts(change):
    def answer(score, x):
        s, jacobian = slopes(score, x)
        return change(s, jacobian)

    return answer


def trace(jacobian):
    return jacobian.diagonal(dim1=1, dim2=2).sum(1)


def sum_of_squares(s):
    return s.square().sum(1)


def not_trained(score, x):
    s, jacobian = slopes(score, x, graph=False)
    return sum_of_squares(s) / 2 + trace(jacobian)


def wide(sigma, x):
    return torch.as_tensor(sigma).reshape(-1, *[1] * (x.dim() - 1))


def target(x, sigma, noise):
    sigma = wide(sigma, x)
    return x + sigma * noise, -noise / sigma


def target_by_gradient(x, sigma, noise):
    sigma = wide(sigma, x)
    noised = (x + sigma * noise).requires_grad_()
    (score,) = torch.autograd.grad(Normal(x, sigma).log_prob(noised).sum(), noised)
    return noised.detach(), score


def target_by_rows(x, sigma, noise):
    sigma = torch.as_tensor(sigma).expand(len(x))
    rows = [(row + s * e, -e / s) for row, s, e in zip(x, sigma, noise, strict=True)]
    return torch.stack([r[0] for r in rows]), torch.stack([r[1] for r in rows])


def target_in_numpy(x, sigma, noise):
    sigma = np.asarray(sigma).reshape(-1, *[1] * (x.dim() - 1))
    noised = x.numpy() + sigma * noise.numpy()
    return [noised, (x.numpy() - noised) / sigma**2]


def change_target(noised=lambda x, s, e: x + s * e, aim=lambda x, s, e: -e / s):
    def answer(x, sigma, noise):
        return noised(x, wide(sigma, x), noise), aim(x, wide(sigma, x), noise)

    return answer


def moments(score, x, sigma):
    s, jacobian = slopes(score, x, graph=False)
    return (x + sigma**2 * s).detach(), sigma**2 * torch.eye(x.shape[1]) + sigma**4 * jacobian


def moments_by_vmap(score, x, sigma):
    """The slope of the mean, times σ²."""

    def mean(row):
        return row + sigma**2 * score(row[None])[0]

    return torch.vmap(mean)(x), sigma**2 * torch.vmap(torch.func.jacrev(mean))(x)


def moments_by_forward(score, x, sigma):
    units = torch.eye(x.shape[1])
    columns = [torch.func.jvp(score, (x,), (unit.expand_as(x),))[1] for unit in units]
    return x + score(x) * sigma**2, sigma**2 * (units + sigma**2 * torch.stack(columns, 2))


def moments_by_differences(score, x, sigma, step=1e-4):
    x = x.double()
    units = step * torch.eye(x.shape[1]).double()
    columns = [(score(x + unit) - score(x - unit)) / (2 * step) for unit in units]
    return (x + sigma**2 * score(x)).numpy(), sigma**2 * (units / step + sigma**2 * torch.stack(columns, 2)).numpy()


def change_moments(mean=lambda x, s, o: x + o**2 * s, covariance=lambda eye, J, o: o**2 * (eye + o**2 * J)):
    def answer(score, x, sigma):
        s, jacobian = slopes(score, x)
        return mean(x, s, sigma), covariance(torch.eye(x.shape[1]).expand(len(x), -1, -1), jacobian, sigma)

    return answer


def of_the_mean(score, x, sigma):
    clean = x + sigma**2 * score(x)
    return clean + sigma**2 * score(clean), moments(score, x, sigma)[1]


RIGHT = {
    "scores.implicit_loss": {
        "backward": by_backward,
        "a loop": by_loop,
        "vmap": by_vmap,
        "forward": by_forward,
        "torch's own": by_functional,
    },
    "scores.dsm_target": {
        "a formula": target,
        "autograd": target_by_gradient,
        "row by row": target_by_rows,
        "NumPy": target_in_numpy,
        "float64": lambda x, sigma, noise: target(x.double(), sigma, noise.double()),
    },
    "scores.tweedie": {
        "backward": moments,
        "vmap": moments_by_vmap,
        "forward": moments_by_forward,
        "differences": moments_by_differences,
    },
    "scores.gaussian_constant": {
        "one fraction": lambda v, sigma, dims: dims * v / (2 * sigma**2 * (v + sigma**2)),
        "what is left": lambda v, sigma, dims: 0.5 * dims * (v * sigma**2 / (v + sigma**2)) / sigma**4,
        "information": lambda v, sigma, dims: (dims / sigma**2 - dims / (v + sigma**2)) / 2,
        "a tensor": lambda v, sigma, dims: torch.tensor([dims * v / (2 * sigma**2 * (v + sigma**2))]),
        "NumPy": lambda v, sigma, dims: np.float64(dims / 2) * (sigma**-2 - 1 / (v + sigma**2)),
    },
    "scores.slope_on_a_box": {
        "a number": -3,
        "a fraction": Fraction(-3),
        "measured": -2.99,
        "a tensor": torch.tensor([-3.0]),
        "NumPy": np.float32(-3.01),
    },
}
WRONG = {
    "scores.implicit_loss": {
        "column sums": (of_the_parts(lambda s, J: sum_of_squares(s) / 2 + J.sum((1, 2))), "one-to-one"),
        "½ forgotten": (of_the_parts(lambda s, J: sum_of_squares(s) + trace(J)), "constant"),
        "½ of all": (of_the_parts(lambda s, J: (sum_of_squares(s) + trace(J)) / 2), "constant"),
        "minus": (of_the_parts(lambda s, J: sum_of_squares(s) / 2 - trace(J)), "sign"),
        "negated": (of_the_parts(lambda s, J: -sum_of_squares(s) / 2 - trace(J)), "sign"),
        "a mean of squares": (of_the_parts(lambda s, J: s.square().mean(1) / 2 + trace(J)), "reduction"),
        "the square alone": (of_the_parts(lambda s, J: sum_of_squares(s) / 2), "dependence"),
        "the trace alone": (of_the_parts(lambda s, J: trace(J)), "dependence"),
        "a norm": (of_the_parts(lambda s, J: s.norm(dim=1) / 2 + trace(J)), "spread"),
        "a number": (of_the_parts(lambda s, J: (sum_of_squares(s) / 2 + trace(J)).mean()), "shape"),
        "mean for all": (
            of_the_parts(lambda s, J: (sum_of_squares(s) / 2 + trace(J)).mean().repeat(len(s))),
            "shape",
        ),
        "no graph": (not_trained, "gradient"),
        "cut": (lambda score, x: by_backward(score, x).detach(), "gradient"),
        "determinant": (of_the_parts(lambda s, J: sum_of_squares(s) / 2 + torch.linalg.det(J)), ""),
        "Frobenius": (of_the_parts(lambda s, J: sum_of_squares(s) / 2 + J.square().sum((1, 2))), ""),
        "along s": (of_the_parts(lambda s, J: sum_of_squares(s) / 2 + torch.einsum("bi,bij,bj->b", s, J, s)), ""),
    },
    "scores.dsm_target": {
        "away": (change_target(aim=lambda x, s, e: e / s), "sign"),
        "over σ²": (change_target(aim=lambda x, s, e: -e / s**2), "spread"),
        "the noise": (change_target(aim=lambda x, s, e: -e), "spread"),
        "σ times": (change_target(aim=lambda x, s, e: -s * e), "spread"),
        "the noise itself": (change_target(aim=lambda x, s, e: e), "sign"),
        "the prior's": (change_target(aim=lambda x, s, e: -x / s**2), "direction"),
        "the noised point": (change_target(aim=lambda x, s, e: x + s * e), "direction"),
        "σ squared in the noise": (change_target(noised=lambda x, s, e: x + s**2 * e), "spread"),
        "a root in the noise": (change_target(noised=lambda x, s, e: x + s**0.5 * e), "spread"),
        "minus": (change_target(noised=lambda x, s, e: x - s * e), "sign"),
        "σ forgotten": (change_target(noised=lambda x, s, e: x + e), "dependence"),
        "x forgotten": (change_target(noised=lambda x, s, e: s * e), "dependence"),
        "the clean x": (change_target(noised=lambda x, s, e: x), "dependence"),
        "the other order": (lambda *a: target(*a)[::-1], "container"),
        "the target alone": (lambda *a: target(*a)[1:], "container"),
        "one noise": (lambda x, sigma, noise: target(x, sigma, noise[:1].expand_as(x)), ""),
    },
    "scores.tweedie": {
        "σ": (change_moments(lambda x, s, o: x + o * s), "spread"),
        "no σ": (change_moments(lambda x, s, o: x + s), "spread"),
        "minus": (change_moments(lambda x, s, o: x - o**2 * s), "sign"),
        "the way": (change_moments(lambda x, s, o: o**2 * s), "constant"),
        "the score": (change_moments(lambda x, s, o: s), "constant"),
        "x": (change_moments(lambda x, s, o: x), "constant"),
        "twice": (of_the_mean, "direction"),
        "slope of the mean": (change_moments(covariance=lambda eye, J, o: eye + o**2 * J), "spread"),
        "σ⁴ left out": (change_moments(covariance=lambda eye, J, o: o**2 * eye + J), "spread"),
        "σ² once": (change_moments(covariance=lambda eye, J, o: o**2 * (eye + J)), "spread"),
        "minus ∇s": (change_moments(covariance=lambda eye, J, o: o**2 * (eye - o**2 * J)), "sign"),
        "the noise's": (change_moments(covariance=lambda eye, J, o: o**2 * eye), "constant"),
        "∇s": (change_moments(covariance=lambda eye, J, o: J), "constant"),
        "σ⁴∇s": (change_moments(covariance=lambda eye, J, o: o**4 * J), "constant"),
        "a diagonal": (change_moments(covariance=lambda eye, J, o: o**2 * (eye + o**2 * J) * eye), "one-to-one"),
        "column sums": (
            change_moments(covariance=lambda eye, J, o: o**2 * (eye + o**2 * J.sum((1, 2))[:, None, None] * eye)),
            "one-to-one",
        ),
        "gradient of the sum": (
            change_moments(covariance=lambda eye, J, o: o**2 * (eye + o**2 * torch.diag_embed(J.sum(1)))),
            "one-to-one",
        ),
        "variances": (lambda *a: (moments(*a)[0], moments(*a)[1].diagonal(dim1=1, dim2=2)), "shape"),
        "mean alone": (lambda *a: (moments(*a)[0],), "container"),
    },
    "scores.gaussian_constant": {
        "one entry": (lambda v, sigma, dims: v / (2 * sigma**2 * (v + sigma**2)), "reduction"),
        "½ forgotten": (lambda v, sigma, dims: dims * v / (sigma**2 * (v + sigma**2)), "constant"),
        "the share": (lambda v, sigma, dims: v / (v + sigma**2), "constant"),
        "weighted": (lambda v, sigma, dims: dims / 2 * v / (v + sigma**2), "constant"),
        "the target": (lambda v, sigma, dims: dims / (2 * sigma**2), "constant"),
        "the information": (lambda v, sigma, dims: dims / (2 * (v + sigma**2)), "constant"),
        "of the clean": (lambda v, sigma, dims: dims / 2 * (1 / sigma**2 - 1 / v), "dependence"),
        "plus": (lambda v, sigma, dims: dims / 2 * (1 / sigma**2 + 1 / (v + sigma**2)), "sign"),
        "the other way": (lambda v, sigma, dims: dims / 2 * (1 / (v + sigma**2) - 1 / sigma**2), "sign"),
        "σ for σ²": (lambda v, sigma, dims: dims * v / (2 * sigma * (v + sigma)), "spread"),
        "v squared": (lambda v, sigma, dims: dims / 2 * (1 / sigma**2 - 1 / (v**2 + sigma**2)), ""),
        "a vector": (lambda v, sigma, dims: [v / (2 * sigma**2 * (v + sigma**2))] * dims, "shape"),
        "nothing": (lambda v, sigma, dims: None, "container"),
    },
    "scores.slope_on_a_box": {
        "the truth": (0, "dependence"),
        "½ forgotten": (-1.5, "constant"),
        "½ of both": (-6, "constant"),
        "minus": (3, "sign"),
        "E x": (-2, "one-to-one"),
        "Var x": (-12, "one-to-one"),
        "the loss's own": (-1, "one-to-one"),
        "without end": (-math.inf, "not-finite"),
        "a guess": (-5, ""),
        "a text": ("steep", "container"),
    },
}
