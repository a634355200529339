"""The law of the contractive penalty passes the closed form and catches each planted bug."""

import torch

from gmcourse.autoencoders.contractive import contractive_penalty
from gmcourse.laws.autoencoders.contraction import penalty_is_jacobian


def whole_jacobian(weight, h):
    return ((h * (1 - h))[:, :, None] * weight).square().sum((1, 2))


def across(weight, h):
    lengths = weight.square().sum(0 if len(weight) == weight.shape[1] else 1)
    return (h * (1 - h)).square() @ lengths


RIGHT = {penalty_is_jacobian: (contractive_penalty, whole_jacobian)}
BUGS = {
    penalty_is_jacobian: {
        "h(1 − h) not squared": (lambda w, h: (h * (1 - h)) @ w.square().sum(1), "spread"),
        "‖w‖ for ‖w‖²": (lambda w, h: (h * (1 - h)).square() @ w.norm(dim=1), "spread"),
        "the norm, not its square": (lambda w, h: contractive_penalty(w, h).sqrt(), "spread"),
        "columns for rows where both fit": (across, "direction"),
        "the slope of h never used": (lambda w, h: w.square().sum().expand(len(h)), "dependence"),
        "the slope of tanh": (lambda w, h: (1 - h**2).square() @ w.square().sum(1), "log-mean"),
        "a reward": (lambda w, h: -contractive_penalty(w, h), "sign"),
        "a mean over units": (lambda w, h: contractive_penalty(w, h) / len(w), "reduction"),
        "one for the batch": (lambda w, h: contractive_penalty(w, h).mean().expand(len(h)), "shape"),
        "cut from the graph": (lambda w, h: contractive_penalty(w, h).detach(), "gradient"),
        "h cut from the graph": (lambda w, h: contractive_penalty(w, h.detach()), "gradient"),
        "a scalar": (lambda w, h: torch.linalg.vector_norm(w) ** 2, "shape"),
    }
}
