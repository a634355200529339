"""Laws of flow matching: what a line's velocity is, and what the average of all lines is."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import Slips, require_close, require_parts, require_shape
from gmcourse.laws.rows import draw, pooled, within


def line_and_velocity(candidate: Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]], *, seed: int = 0) -> None:
    """candidate(x₀, x₁, t) → (x_t, its velocity): x₀ at t = 0, x₁ at t = 1, and dx_t/dt in between, row by row.

    x₀ and x₁ are (batch, *event), t is (batch,).
    """
    for event in ((2,), (1, 2, 2), ()):
        x0, x1 = draw(2, 6, *event, seed=seed)
        t = torch.tensor([0.2, 0.5, 0.9, 0.65, 0.0, 1.0])
        inputs = {"x0": x0, "x1": x1, "t": t}
        x_t, velocity = require_parts("x_t and its velocity", ask(candidate, **inputs), 2)
        x_t = require_shape("x_t has the shape of x₁", x_t, tuple(x1.shape))
        velocity = require_shape("the velocity has the shape of x₁", velocity, tuple(x1.shape))
        exact, share = (x0.double(), x1.double()), t.double().view(-1, *[1] * len(event))
        line = torch.lerp(*exact, share)
        law = "x_t is on the line from x₀, noise, to x₁, data"
        require_close(law, x_t, line, within(line), _line_suspects(*exact, share), given=inputs)
        slope = exact[1] - exact[0]
        slips = (exact[1], exact[0], exact[1] - line, share * slope, line, line - exact[0])
        suspects = {"sign": -slope, "gradient": slips, "shape": pooled(slope)}
        require_close("the velocity is dx_t/dt", velocity, slope, within(slope), suspects, given=inputs)


def _line_suspects(x0: Tensor, x1: Tensor, t: Tensor) -> dict[str, Slips]:
    quarter = t * math.pi / 2
    curves = (
        (1 - t).sqrt() * x0 + t.sqrt() * x1,
        torch.lerp(x0, x1, t**2),
        quarter.cos() * x0 + quarter.sin() * x1,
        (1 - t**2).sqrt() * x0 + t * x1,
    )
    return {
        "direction": torch.lerp(x1, x0, t),
        "spread": curves,
        "dependence": (torch.lerp(x0, x1, t[:1]), torch.lerp(x0, x1, t.mean())),
        "constant": (t * x1, x0 + t * x1, (1 - t) * x0 + x1, t * (x1 - x0)),
    }


def field_averages_lines(candidate: Callable[[Tensor, float, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(x, t, points) = E[x₁ − x₀ | x_t = x] for x₁ among `points` and x₀ ~ N(0, I): (batch, D).

    The oracle is the score of the density of x_t by autograd: E[x₁ − x₀ | x_t] = (x + (1 − t)∇ln p_t(x))/t.
    """
    for size in (2, 3):
        x, points = 1.5 * draw(5, size, seed=seed), 0.5 + 1.5 * draw(7, size, seed=seed + 1)
        for t in (0.1, 0.5, 0.8, 0.999):
            expected = _by_score(x.double(), t, points.double())
            observed = require_shape("a velocity for each row of x", ask(candidate, x=x, t=t, points=points), (5, size))
            law = f"E[x₁ − x₀ | x_t = x] at t = {t}"
            suspects = _field_suspects(expected, x.double(), t, points.double())
            tolerance = within(expected, 1e-3 if t > 0.9 else 2e-4)
            require_close(law, observed, expected, tolerance, suspects, given={"x": x, "t": t, "points": points})


def _by_score(x: Tensor, t: float, points: Tensor) -> Tensor:
    z = x.clone().requires_grad_()
    log_density = torch.distributions.Normal(t * points, 1 - t).log_prob(z[:, None]).sum(2).logsumexp(1)
    (score,) = torch.autograd.grad(log_density.sum(), z)
    return (x + (1 - t) * score) / t


def _field_suspects(expected: Tensor, x: Tensor, t: float, points: Tensor) -> dict[str, Slips]:
    def averaged(logits: Tensor, axis: int = 1) -> Tensor:
        return (logits.softmax(axis) @ points - x) / (1 - t)

    squares = (x[:, None] - t * points).square().sum(2)
    spread = 2 * (1 - t) ** 2
    mean = points.mean(0)
    return {
        "sign": -expected,
        "constant": (1 - t) * expected,
        "dependence": ((mean - x) / (1 - t), (mean - x).expand_as(x)),
        "spread": averaged(-squares / (2 * (1 - t))),
        "reduction": (averaged(-2 * squares / spread), averaged(-squares / (2 * spread))),
        "direction": averaged(-(x[:, None] - points).square().sum(2) / spread),
        "shape": (averaged(-squares / spread, axis=0), *pooled(expected)),
    }
