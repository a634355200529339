"""Laws of a density that a differential equation carries, and of the steps that solve the equation."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from gmcourse.laws.asking import ask, slope
from gmcourse.laws.broken import LawBroken, Slips, require_close, require_shape
from gmcourse.laws.rows import draw, further, pooled, within

Field = Callable[[Tensor, Tensor], Tensor]
Step = Callable[[Field, Tensor, Tensor, float], Tensor]


def step_is_of_order_four(candidate: Step) -> None:
    """candidate(f, t, z, h) → z at t + h, with an error of h⁵ or a higher power; f(t, z) is (batch, D) as z is.

    Exact where f is a constant, t or t² (Simpson's rule); then half the step has 1/32 of the error, or less, on a
    field that hangs on t and z, couples the coordinates and is not linear.
    """
    start, h = torch.tensor(-0.7, dtype=torch.float64), 0.4
    z = torch.tensor([[1.0, -0.5], [0.3, 2.0], [-1.2, 0.4]], dtype=torch.float64)
    end, middle = start + h, start + h / 2
    at = {"dependence": (start**2, middle**2, end**2), "reduction": ((start**2 + 2 * middle**2 + end**2) / 4,)}
    at["reduction"] += ((start**2 + end**2) / 2,)
    for name, f, change in (
        ("f = 1", lambda t, z: torch.ones_like(z), torch.tensor(h)),
        ("f = t", lambda t, z: t * torch.ones_like(z), (end**2 - start**2) / 2),
        ("f = t²", lambda t, z: t**2 * torch.ones_like(z), (end**3 - start**3) / 3),
    ):
        observed = _stepped(candidate, f, start, z, h)
        suspects = {
            "f = 1": {"constant": observed},
            "f = t": {"dependence": [z + h * t for t in (start, end)]},
            "f = t²": {cause: [z + h * t for t in times] for cause, times in at.items()},
        }[name]
        require_close(f"exact on {name}", observed, z + change, 1e-6, suspects)
    observed = _stepped(candidate, lambda t, z: z, start, z, h)
    whole = 1 + h / 6 * (1 + 2 * (1 + h) + 2 * (1 + h + h**2) + (1 + h + h**2 + h**3))
    error = 4 * h**5 / math.factorial(5)
    require_close("e^h to h⁵/30 on f = z", observed, z * math.exp(h), error * (1 + z.abs()), {"spread": z * whole})
    _halves_thirtysecond(candidate, 0.4 * z)


def _stepped(candidate: Step, f: Field, t: Tensor, z: Tensor, h: float) -> Tensor:
    output = ask(candidate, f=f, t=t, z=z, h=h)
    return require_shape("z keeps its shape", output, tuple(z.shape)).double()


def _halves_thirtysecond(candidate: Step, z: Tensor) -> None:
    mix = torch.tensor([[1.0, 0.6], [-0.4, 0.8]], dtype=z.dtype)
    back = torch.linalg.inv(mix)
    start = torch.tensor(0.3, dtype=z.dtype)

    def field(t: Tensor, z: Tensor) -> Tensor:
        t, (a, b) = torch.as_tensor(t, dtype=z.dtype), (z @ back.T).unbind(1)
        return torch.stack([(1 + a**2) * t.cos(), -(b**3) * (1 + t)], 1) @ mix.T

    def exact(h: float) -> Tensor:
        a, b = (z @ back.T).unbind(1)
        t = start + h
        c = (a.atan() + t.sin() - start.sin()).tan()
        return torch.stack([c, b / (1 + b**2 * ((1 + t) ** 2 - (1 + start) ** 2)).sqrt()], 1) @ mix.T

    errors = [float((_stepped(candidate, field, start, z, h) - exact(h)).abs().mean()) for h in (0.05, 0.025)]
    if errors[1] > 1e-12 and errors[0] < 24 * errors[1]:
        law = "half the step, 1/32 of its error (order 4) or less"
        raise LawBroken(law, f"1/{errors[0] / errors[1]:.1f}", "about 1/32, or less")


def linear_ode_density(candidate: Callable[[Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(x, A), (batch,), is the log-density at t = 1 of dz/dt = Az from N(0, I): that of N(0, e^A e^Aᵀ)."""
    for entries in (
        [[0.0, 0.0], [0.0, 0.0]],
        [[0.0, -1.5], [1.5, 0.0]],
        [[0.5, 1.0], [-0.3, 0.4]],
        [[-0.4, 0.8, 0.1], [0.2, 0.3, -0.7], [0.5, 0.0, -0.6]],
        *further(seed, lambda rng: [[rng.uniform(-0.8, 0.8) for _ in range(2)] for _ in range(2)]),
    ):
        matrix = torch.tensor(entries)
        size = len(matrix)
        x = draw(4 + size, size, seed=size)
        flow = torch.linalg.matrix_exp(matrix.double())
        expected = torch.distributions.MultivariateNormal(x.new_zeros(size).double(), flow @ flow.T).log_prob(x)
        law = f"ln p(x) of dz/dt = Az, tr A = {matrix.trace():.1f}"
        observed = require_shape("one log-density for each row", ask(candidate, x=x, matrix=matrix), (len(x),))
        suspects = _linear_suspects(expected, x.double(), matrix.double())
        require_close(law, observed, expected, within(expected), suspects, given={"x": x, "A": matrix})


def _linear_suspects(expected: Tensor, x: Tensor, a: Tensor) -> dict[str, Slips]:
    def base(z: Tensor) -> Tensor:
        return torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(1) - a.trace()

    one, exp = torch.eye(len(a), dtype=a.dtype), torch.linalg.matrix_exp
    return {
        "sign": expected + 2 * a.trace(),
        "constant": expected + a.trace(),
        "overflow": expected + a.trace() - torch.linalg.slogdet(a).logabsdet,
        "direction": (base(x @ exp(a).T), base(x @ exp(a).T) + 2 * a.trace(), base(x)),
        "dependence": base(x @ exp(-a)),
        "spread": (base(x @ (one - a).T), base(torch.linalg.solve(one + a, x.T).T)),
        "reduction": base(x @ (-a).exp().T),
        "shape": pooled(expected),
    }


def density_follows_field(field: Field, log_density: Field, points: Tensor, *, tolerance: float = 1e-6) -> None:
    """d/dt ln p(t, z) along the field = −tr ∂f/∂z, at each row of `points` (batch, D), float64, for t = 0.1, 0.5, 0.9.

    `log_density(t, z)` is (batch,). That is the continuity equation: mass is carried, none is made.
    """
    for moment in (0.1, 0.5, 0.9):
        t = torch.tensor(moment, dtype=points.dtype).requires_grad_()
        z = points.clone().requires_grad_()
        velocity = require_shape("a velocity for each row", field(t, z), tuple(points.shape))
        log_p = require_shape("one log-density for each row", log_density(t, z), (len(points),))
        rate = torch.stack([slope(row, t) for row in log_p])
        score = slope(log_p.sum(), z)
        trace = sum((slope(velocity[:, i].sum(), z)[:, i] for i in range(points.shape[1])), torch.zeros_like(rate))
        observed = rate + (score * velocity).sum(1)
        suspects = {"sign": trace, "constant": torch.zeros_like(trace)}
        require_close(f"d ln p/dt = −tr ∂f/∂z at t = {moment}", observed, -trace, tolerance, suspects)
