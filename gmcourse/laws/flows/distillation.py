"""Law of distillation: the loss is the reverse divergence, and its gradient passes through the teacher."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, Slips, require_close, require_shape, show_value
from gmcourse.laws.rows import draw as normal

LogProb = Callable[[Tensor], Tensor]
Draw = Callable[[Tensor], tuple[Tensor, Tensor]]
Loss = Callable[[Draw, LogProb, Tensor], Tensor]


def is_reverse_kl(candidate: Loss, *, seed: int = 0) -> None:
    """candidate(draw, teacher_log_prob, noise) = the mean of ln q − ln p over the noise that is given, gradients too.

    `draw(noise)` gives x and log|∂x/∂z|. Both are Gaussian here, with correlated coordinates, so that torch knows
    their densities and KL(student ‖ teacher). Where the two agree, every single draw gives 0; where ln q is below ln p
    in all draws, the mean is below 0.
    """
    few, many = normal(50, 2, seed=seed), normal(40_000, 2, seed=seed + 1)
    mean = torch.tensor([0.6, -0.4], requires_grad=True)
    scale = torch.tensor([[0.8, 0.0], [-0.3, 1.1]], requires_grad=True)

    def draw(z: Tensor) -> tuple[Tensor, Tensor]:
        return mean + z @ scale.to(z.dtype).T, scale.diagonal().log().sum().expand(len(z))

    student = MultivariateNormal(mean, scale_tril=scale)
    teacher = MultivariateNormal(torch.zeros(2), torch.tensor([[1.3, 0.4], [0.4, 1.0]]))
    for name, target in (("student ≠ teacher", teacher), ("student = teacher", student)):
        losses = [ask(candidate, draw=draw, teacher_log_prob=target.log_prob, noise=few) for _ in range(2)]
        observed, again = (require_shape(f"one number, {name}", loss, ()) for loss in losses)
        if abs(observed - again) > 1e-4:
            raise LawBroken("equal noise, equal loss", show_value(again), show_value(observed), "randomness")
        x, log_det = (value.detach().double() for value in draw(few))
        expected, suspects = _means(x, log_det, few.double(), target, student)
        require_close(f"E_q[ln q − ln p], {name}", observed, expected, 1e-4, suspects)
    low = few[_ratio(few, draw, student, teacher).argsort()[:10]]
    told = "the mean of ln q − ln p, over ten draws with ln q < ln p"
    answer = require_shape(told, ask(candidate, draw=draw, teacher_log_prob=teacher.log_prob, noise=low), ())
    require_close(told, answer.double(), _ratio(low, draw, student, teacher).mean(), 1e-4)
    loss = require_shape("one number", ask(candidate, draw=draw, teacher_log_prob=teacher.log_prob, noise=many), ())
    _carries_gradient(loss, mean, scale, kl_divergence(student, teacher))


def _ratio(z: Tensor, draw: Draw, student: MultivariateNormal, teacher: MultivariateNormal) -> Tensor:
    """ln q − ln p at the draws, by torch's densities."""
    x = draw(z)[0].detach().double()
    return _double(student).log_prob(x) - _double(teacher).log_prob(x)


def _means(
    x: Tensor, log_det: Tensor, z: Tensor, target: MultivariateNormal, student: MultivariateNormal
) -> tuple[Tensor, dict[str, Slips]]:
    """E_q[ln q − ln p] over the draws, by torch's densities, and what slips would give."""
    log_p, log_q = (_double(law).log_prob(x) for law in (target, student))
    base = Normal(0.0, 1.0)
    forward = (log_p - log_q).exp() * (log_p - log_q)
    suspects = {
        "constant": -log_p.mean(),
        "direction": forward.mean(),
        "reduction": ((log_q - log_p).sum(), (log_q - log_p).mean() / x.shape[1]),
        "sign": [(log_q + k * log_det - log_p).mean() for k in (1, 2)],
        "one-to-one": (log_p - log_q).mean(),
        "dependence": (
            (base.log_prob(x).sum(1) - log_det - log_p).mean(),
            (log_q - _double(target).log_prob(z)).mean(),
        ),
    }
    return (log_q - log_p).mean(), suspects


def _double(law: MultivariateNormal) -> MultivariateNormal:
    return MultivariateNormal(law.loc.detach().double(), scale_tril=law.scale_tril.detach().double())


def _carries_gradient(loss: Tensor, mean: Tensor, scale: Tensor, divergence: Tensor) -> None:
    """The gradient of the loss by the student's mean and scale is that of the divergence itself."""
    if not loss.requires_grad:
        raise LawBroken("the loss carries a gradient", "none", "one for the student", "gradient")

    def slopes(value: Tensor) -> Tensor:
        found = torch.autograd.grad(value, (mean, scale), retain_graph=True, materialize_grads=True, allow_unused=True)
        return torch.cat([part.flatten() for part in found])[[0, 1, 2, 4, 5]]  # what is below the diagonal of the scale

    law = "∇ of the student's mean and scale, through its draws into the teacher"
    expected = slopes(divergence)
    volume_alone = slopes(-scale.diagonal().log().sum())
    suspects = {"gradient": (volume_alone, 0 * expected)}
    require_close(law, slopes(loss), expected, 0.05, suspects)
