"""Laws of the game's dynamics: steps of the Dirac game, the best answer of least squares, and R1."""

import cmath
import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from gmcourse.laws.asking import ask, slope
from gmcourse.laws.broken import LawBroken, require_close, require_numbers, require_shape
from gmcourse.laws.rows import within


def _slopes(theta: float, psi: float, weight: float) -> tuple[float, float]:
    """θ̇ and ψ̇ of the Dirac game with 𝒱 = −ln 2 − ln(1 + e^{ψθ}) and R1's ½γψ²."""
    fooled = 1 / (1 + math.exp(-psi * theta))
    return psi * fooled, -theta * fooled - weight * psi


def _eigenvalues(lr: float, weight: float, alternating: bool = False) -> Tensor:
    """Eigenvalues of one step at (0, 0), from its derivatives by central differences: roots of a quadratic."""

    def step(theta: float, psi: float) -> tuple[float, float]:
        pull, push = _slopes(theta, psi, weight)
        if alternating:
            pull = _slopes(theta, psi + lr * push, weight)[0]
        return theta + lr * pull, psi + lr * push

    tiny = 1e-6
    (a, c), (b, d) = (
        ((up[0] - down[0]) / (2 * tiny), (up[1] - down[1]) / (2 * tiny))
        for up, down in ((step(tiny, 0), step(-tiny, 0)), (step(0, tiny), step(0, -tiny)))
    )
    trace, root = a + d, cmath.sqrt((a - d) ** 2 + 4 * b * c)
    return torch.tensor([(trace - root) / 2, (trace + root) / 2])


def eigenvalues_of_simultaneous_step(candidate: Callable[[float, float], Tensor], *, seed: int = 0) -> None:
    """candidate(lr, weight): the two eigenvalues of one simultaneous step of the Dirac game with R1, at (0, 0).

    The oracle differentiates the step itself by finite differences. Any order of the two is right.
    """
    law = "eigenvalues of one simultaneous step at (0, 0)"
    for lr, weight in ((0.4, 0.0), (0.4, 0.3), (0.2, 2.0)):
        observed = _sorted(require_shape(law, candidate(lr, weight), (2,), real=False).to(torch.complex128))
        expected, double, other, still, unscaled = (
            _sorted(v.to(torch.complex128))
            for v in (
                _eigenvalues(lr, weight),
                _eigenvalues(lr, 2 * weight),
                _eigenvalues(lr, weight, alternating=True),
                torch.ones(2),
                _eigenvalues(1.0, weight),
            )
        )
        suspects = {
            "direction": ((expected - still) / lr,),
            "dependence": (other,),
            "constant": (double,),
            "sign": (2 * still - expected,),
            "shape": (expected.abs(), expected.real, expected[:1].expand(2), expected[1:].expand(2)),
            "spread": (unscaled,),
        }
        if (observed - expected).abs().max() > 1e-4:
            fits = (c for c, all_ in suspects.items() for v in all_ if (observed - _sorted(v)).abs().max() < 1e-4)
            raise LawBroken(f"{law}, η = {lr}, γ = {weight}", _said(observed), _said(expected), next(fits, ""))


def _sorted(values: Tensor) -> Tensor:
    values = values.to(torch.complex128)
    return torch.stack(sorted(values, key=lambda v: (round(v.imag.item(), 6), round(v.real.item(), 6))))


def _said(values: Tensor) -> str:
    parts = ((round(v.real.item(), 3) + 0.0, v.imag.item()) for v in values)
    return ", ".join(f"{real:.3f} {'−' if imaginary < 0 else '+'} {abs(imaginary):.3f}i" for real, imaginary in parts)


def generator_meets_moved_critic(candidate: Callable[[float, float, float], object], *, seed: int = 0) -> None:
    """candidate(theta, psi, lr): (θ, ψ) after the critic's step and then the generator's; no penalty."""
    for theta, psi, lr in ((1.0, 0.5, 0.3), (-0.4, 1.2, 0.7), (1.5, -2.0, 0.4)):
        pull, push = _slopes(theta, psi, 0.0)
        moved = psi + lr * push
        met = theta + lr * _slopes(theta, moved, 0.0)[0]
        other = theta + lr * pull
        straight = psi - lr * theta
        climbed = psi - lr * push
        slips = {
            "dependence": [(other, moved)],
            "direction": [(other, psi + lr * _slopes(other, psi, 0.0)[1])],
            "sign": [
                (theta - lr * _slopes(theta, climbed, 0.0)[0], climbed),
                (theta - lr * _slopes(theta, moved, 0.0)[0], moved),
                (theta + lr * _slopes(theta, climbed, 0.0)[0], climbed),
            ],
            "constant": [(theta + lr * straight, straight)],
            "one-to-one": [(moved, met)],
            "spread": [_inverted(theta, psi, lr)],
        }
        observed = require_numbers("a pair: θ and ψ", candidate(theta, psi, lr), 2)
        named = {cause: tuple(torch.tensor(pairs, dtype=torch.float64)) for cause, pairs in slips.items()}
        law = f"the critic steps, then the generator, from θ = {theta}, ψ = {psi} with η = {lr}"
        require_close(law, observed, torch.tensor([met, moved], dtype=torch.float64), 1e-5, named)


def _inverted(theta: float, psi: float, lr: float) -> tuple[float, float]:
    """The step with e^{+ψθ} in the factor."""
    psi += lr * _slopes(-theta, psi, 0.0)[1] * -1
    return theta + lr * _slopes(-theta, psi, 0.0)[0], psi


class _Quadratic(nn.Module):
    """h(x) = scale · (½ Σ a_i x_i² + b·x): its slope, scale · (a x + b), is known without autograd."""

    def __init__(self, shape: tuple[int, ...], seed: int):
        super().__init__()
        rng = torch.Generator().manual_seed(seed)
        self.scale = nn.Parameter(torch.tensor(1.3))
        self.a, self.b = torch.randn(2, *shape, generator=rng).unbind()

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * (0.5 * self.a * x**2 + self.b * x).flatten(1).sum(1)


def penalises_slope_at_data(candidate: Callable[[nn.Module, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(critic, real) is ½ E ‖∇h(real)‖², and moves the critic's weights: on critics whose slope is known."""
    for shape in ((3,), (1, 2, 2)):
        critic = _Quadratic(shape, seed)
        real = 0.5 + torch.randn(7, *shape, generator=torch.Generator().manual_seed(seed + 1))
        squares = (1.3 * (critic.a * real + critic.b)).double().flatten(1).square()
        expected, norms = 0.5 * squares.sum(1).mean(), squares.sum(1).sqrt()
        value = require_shape("one number for the batch", ask(candidate, critic=critic, real=real), ())
        observed = value.detach().double()
        suspects = {
            "constant": (2 * expected, expected / 2),
            "spread": (norms.mean(), norms.mean() / 2),
            "reduction": (0.5 * squares.mean(), squares.mean()),
            "shape": (0.5 * squares.sum(), squares.sum()),
            "direction": ((norms - 1).square().mean(), 0.5 * (norms - 1).square().mean()),
            "dependence": (expected / 49, 2 * expected / 49),
            "sign": -expected,
        }
        require_close("½ E ‖∇h‖² at the data", observed, expected, within(expected), suspects)
        moved, law = slope(value, critic.scale).double(), "the penalty moves the critic's weights"  # its value is right
        require_close(law, moved, 2 * expected / 1.3, within(expected), {"gradient": moved})


def least_squares_is_minimised(candidate: Callable[[Tensor, Tensor, float, float], Tensor], *, seed: int = 0) -> None:
    """candidate(log_p, log_q, a, b) is the y at which p (y − b)² + q (y − a)² is least, (batch,), far out too.

    The oracle searches a grid of y. Real examples have the target b, fakes a.
    """
    near = torch.tensor([[-0.5, -1.0, -3.0, -2.0], [-2.5, -1.0, -0.7, -5.0]])
    far = torch.tensor([[-0.5, -2000.0, -1000.0, -800.0], [-1.0, -1000.0, -2000.0, -801.0]])
    for law, (log_p, log_q), a, b in (
        ("D minimises p (D − b)² + q (D − a)²", near, -1.0, 1.0),
        ("D minimises p (D − b)² + q (D − a)²", near, 0.0, 1.0),
        ("D minimises p (D − b)² + q (D − a)²", near, -0.5, 2.0),
        ("densities of e^{−1000}", far, -0.5, 2.0),
    ):
        grid = torch.linspace(-3, 3, 60_001, dtype=torch.float64)[:, None]
        p, q = ((log - torch.maximum(log_p, log_q)).double().exp() for log in (log_p, log_q))
        expected = grid[(p * (grid - b) ** 2 + q * (grid - a) ** 2).argmin(0), 0]
        output = ask(candidate, log_p=log_p, log_q=log_q, a=a, b=b)
        observed = require_shape("one value for each x", output, (4,)).double()
        share, (p, q) = (expected - a) / (b - a), (log_p.double().exp(), log_q.double().exp())
        suspects = {
            "direction": a + b - expected,
            "constant": (share, (a + b) / 2 + 0 * expected, share * b),
            "log-mean": (b * log_p + a * log_q).double() / (log_p + log_q),
            "sign": (-expected, b * p - a * q, (b * p - a * q) / (p + q)),
            "reduction": b * p + a * q,
        }
        suspects, left = ({}, "overflow") if law.startswith("densities") else (suspects, "")  # right elsewhere
        given = {"log_p": log_p, "log_q": log_q}
        require_close(f"{law}, a = {a}, b = {b}", observed, expected, 2e-4, suspects, given=given, deduced=left)
