"""The law of distillation passes the package's loss and catches each planted bug."""

import torch

from gmcourse.flows.distillation import distillation_loss
from gmcourse.laws.flows import distillation
from gmcourse.probability import gaussian_log_prob


def without_gradient(draw, teacher_log_prob, noise):
    x, log_det = draw(noise)
    with torch.no_grad():
        log_p = teacher_log_prob(x)
    return (gaussian_log_prob(noise, 0.0, 0.0) - log_det - log_p).mean()


def half_the_gradient(*arguments):
    loss = distillation_loss(*arguments)
    return (loss + loss.detach()) / 2


def weighed(draw, teacher_log_prob, noise):
    x, log_det = draw(noise)
    log_ratio = teacher_log_prob(x) - gaussian_log_prob(noise, 0.0, 0.0) + log_det
    return (log_ratio.exp() * log_ratio).mean()


RIGHT = {distillation.is_reverse_kl: (distillation_loss,)}
BUGS = {
    distillation.is_reverse_kl: {
        "the right value, half its gradient": (half_the_gradient, ""),
        "no entropy": (lambda draw, p, z: -p(draw(z)[0]).mean(), "constant"),
        "sign": (lambda draw, p, z: -distillation_loss(draw, p, z), "one-to-one"),
        "log-det of the other sign": (lambda draw, p, z: distillation_loss(draw, p, z) + 2 * draw(z)[1].mean(), "sign"),
        "no log-det": (lambda draw, p, z: distillation_loss(draw, p, z) + draw(z)[1].mean(), "sign"),
        "sum for mean": (lambda draw, p, z: distillation_loss(draw, p, z) * len(z), "reduction"),
        "the forward divergence": (weighed, "direction"),
        "the noise scored by the teacher": (
            lambda draw, p, z: distillation_loss(lambda e: (e, draw(e)[1]), p, z),
            "dependence",
        ),
        "the teacher without a gradient": (without_gradient, "gradient"),
        "detached": (lambda draw, p, z: distillation_loss(draw, p, z).detach(), "gradient"),
        "the draws detached": (
            lambda draw, p, z: distillation_loss(lambda e: tuple(v.detach() for v in draw(e)), p, z),
            "gradient",
        ),
        "one noise for both coordinates": (
            lambda draw, p, z: distillation_loss(draw, p, z[:, :1].expand_as(z)),
            "",
        ),
        "a row for each draw": (
            lambda draw, p, z: gaussian_log_prob(z, 0.0, 0.0) - draw(z)[1] - p(draw(z)[0]),
            "shape",
        ),
    }
}
