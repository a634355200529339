"""Continuous normalising flows: x is where the ODE dz/dt = f(t, z) carries z from t = 0 (noise) to t = 1 (data)."""

import math
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from gmcourse.flows.flow import Flow, exact_flow
from gmcourse.flows.ode import Solver, rk4
from gmcourse.nets import mlp
from gmcourse.probability import gaussian_log_prob
from gmcourse.record import IMAGES, VECTORS, Examples, Suits, held_then_falling_plan, shape_of

Velocity = Callable[[Tensor, Tensor], Tensor]
Trace = Callable[[Velocity, Tensor, Tensor], tuple[Tensor, Tensor]]


class MLPVelocity(nn.Module):
    """f(t, z): an MLP of z (batch, *event) and of the time, which is one number or one for each row, (batch,)."""

    def __init__(self, dims: int, hidden: Sequence[int], activation: Callable[[], nn.Module] = nn.Tanh):
        super().__init__()
        self.net = mlp([dims + 1, *hidden, dims], activation)

    def forward(self, t: Tensor, z: Tensor) -> Tensor:
        """A velocity for each row, (batch, *event)."""
        return self.net(torch.cat([z.flatten(1), t.expand(len(z)).unsqueeze(1)], 1)).view_as(z)


def exact_trace(f: Velocity, t: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
    """f(t, z), (batch, D), and tr ∂f/∂z of each row, (batch,): D backward passes, batched."""
    velocity, pulled_back = torch.func.vjp(partial(f, t), z)[:2]
    units = torch.eye(z.shape[1], dtype=z.dtype, device=z.device)
    diagonal = torch.vmap(lambda unit: pulled_back(unit.expand_as(z))[0] @ unit)(units)
    return velocity, diagonal.sum(0)


def hutchinson_trace(f: Velocity, t: Tensor, z: Tensor, probe: Tensor) -> tuple[Tensor, Tensor]:
    """f(t, z) and vᵀ(∂f/∂z)v, (batch,), which is tr ∂f/∂z on average where E v vᵀ = I: one backward pass for any D.

    Equation: flows-hutchinson. Hutchinson 1990; Grathwohl et al. 2019, section 3.1.
    """
    velocity, pulled_back = torch.func.vjp(partial(f, t), z)[:2]
    return velocity, (pulled_back(probe.expand_as(z))[0] * probe).sum(1)


def hutchinson_variance(matrix: Tensor, probe: str) -> Tensor:
    """Variance of vᵀAv: 2‖S‖² for Gaussian v, 2(‖S‖² − Σ A_ii²) for Rademacher v, S = (A + Aᵀ)/2.

    Equation: flows-hutchinson-variance.
    """
    symmetric = (matrix + matrix.mT) / 2
    squares = symmetric.square().sum((-2, -1))
    diagonal = symmetric.diagonal(dim1=-2, dim2=-1).square().sum(-1)
    return 2 * (squares - diagonal * (_known(probe) == "rademacher"))


def draw_probe(like: Tensor, probe: str, rng: torch.Generator | None = None) -> Tensor:
    """v with E v vᵀ = I of the shape of `like`: "gaussian", or "rademacher", which is ±1."""
    normal = torch.randn(like.shape, generator=rng, dtype=like.dtype, device=like.device)
    return normal if _known(probe) == "gaussian" else torch.where(normal < 0, -1.0, 1.0).to(like.dtype)


def _known(probe: str) -> str:
    if probe not in ("gaussian", "rademacher"):
        raise ValueError(f"probe: got {probe!r}, expected 'gaussian' or 'rademacher'")
    return probe


class Continuous(nn.Module):
    """The bijection of an ODE: x at t = 1 goes to z at t = 0, and log|∂z/∂x| = −∫₀¹ tr ∂f/∂z dt.

    The trace is exact, and so are log-determinants, up to the solver's error. A `probe`, "gaussian" or "rademacher", is
    for training alone: `estimate` takes Hutchinson's trace with one probe an integration, and its log-determinants are
    unbiased estimates. Equation: flows-continuous-log-prob. Chen et al. 2018, theorem 1; Grathwohl et al. 2019, FFJORD.
    """

    def __init__(self, field: nn.Module, solver: Solver | None = None, probe: str | None = None):
        super().__init__()
        self.field, self.solver = field, solver or partial(rk4, steps=16)
        self.probe = probe if probe is None else _known(probe)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """z and log|det ∂z/∂x|, (batch,)."""
        return self.between(x, 1.0, 0.0)

    def estimate(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """`forward`; with a probe, the log-determinant is an unbiased estimate from one draw of it."""
        if self.probe is None:
            return self(x)
        return self.between(x, 1.0, 0.0, partial(hutchinson_trace, probe=draw_probe(x.flatten(1), self.probe)))

    def inverse(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """x and log|det ∂x/∂z|, (batch,)."""
        return self.between(z, 0.0, 1.0)

    def decode(self, z: Tensor, solver: Solver | None = None) -> Tensor:
        """x alone, for which no trace is taken; by `solver` (default: the model's own)."""
        return (solver or self.solver)(self.field, z, 0.0, 1.0)

    def between(self, x: Tensor, start: float, end: float, trace_of: Trace = exact_trace) -> tuple[Tensor, Tensor]:
        """Where x at time `start` is at `end`, and ∫ tr ∂f/∂z dt on the way, (batch,)."""

        def velocity(t: Tensor, z: Tensor) -> Tensor:
            return self.field(t, z.view_as(x)).flatten(1)

        def with_trace(t: Tensor, state: Tensor) -> Tensor:
            """d/dt of (z, the integral so far), (batch, D + 1)."""
            change, trace = trace_of(velocity, t, state[:, :-1])
            return torch.cat([change, trace.unsqueeze(1)], 1)

        state = torch.cat([x.flatten(1), x.new_zeros(len(x), 1)], 1)
        state = self.solver(with_trace, state, start, end)
        return state[:, :-1].view_as(x), state[:, -1]


def linear_ode_log_prob(x: Tensor, matrix: Tensor) -> Tensor:
    """log p(x) at t = 1 of dz/dt = Az with z ~ N(0, I) at t = 0: log N(e^{−A}x; 0, I) − tr A, (batch,).

    Equation: flows-linear-ode.
    """
    return gaussian_log_prob(x @ torch.linalg.matrix_exp(-matrix).mT, 0.0, 0.0) - matrix.trace()


def make_cnf(data: Examples | None = None) -> Flow:
    """A continuous flow by Runge–Kutta in 8 steps, trained with the exact trace up to 8 dimensions, else Hutchinson's.

    Without data: for points of the plane.
    """
    shape = shape_of(data, (2,))
    dims = math.prod(shape)
    probe = None if dims <= 8 else "rademacher"
    return Flow([Continuous(MLPVelocity(dims, [64, 64]), partial(rk4, steps=8), probe)], shape)


def _few(shape: tuple[int, ...], dtype: torch.dtype) -> bool:
    """An exact trace takes a backward pass for each number."""
    return (VECTORS | IMAGES)(shape, dtype) and math.prod(shape) <= 256


CNF = exact_flow(
    name="Continuous normalising flow",
    key="cnf",
    branch=("explicit density", "tractable", "continuous flow"),
    paper="grathwohl2019",
    year=2019,
    arxiv="1810.01367",
    lesson="06_flows/06_continuous_flows",
    suits=Suits("vectors, images (≤ 256 numbers)", _few),
    make=make_cnf,
    plan=partial(held_then_falling_plan, steps=1_000, batch_size=128, peak=5e-3),
)
