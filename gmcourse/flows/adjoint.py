"""The adjoint method: gradients through an ODE that keep its end and nothing of the way there."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from gmcourse.flows.ode import Field, Solver


def adjoint(solver: Solver, parameters: Iterable[Tensor]) -> Solver:
    """`solver` with another way back: z, a = ∂L/∂z and ∂L/∂θ are followed together from the end to the start.

    da/dt = −(∂f/∂z)ᵀa and dL/dθ = ∫ (∂f/∂θ)ᵀa dt. Memory does not grow with the steps; gradients are off by the
    solver's error, since the way back is a solution of its own and not the reverse of the steps that were taken.
    `parameters` are those of f that are trained; times get no gradient. An adaptive solver holds the mean error over
    all that it follows. First derivatives only. Equations: flows-adjoint, flows-adjoint-parameters. Chen et al. 2018.
    """
    weights = tuple(weight for weight in parameters if weight.requires_grad)

    def solve(f: Field, z: Tensor, start: float, end: float) -> Tensor:
        return _Adjoint.apply((solver, f, start, end), z, *weights)

    return solve


class _Adjoint(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, problem: tuple[Solver, Field, float, float], z: Tensor, *weights: Tensor) -> Tensor:
        solver, f, start, end = problem
        ctx.problem, z = problem, solver(f, z.detach(), start, end)
        ctx.save_for_backward(z, *weights)
        return z

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Tensor | None, ...]:  # pyright: ignore[reportIncompatibleMethodOverride]
        solver, f, start, end = ctx.problem
        z, *weights = ctx.saved_tensors

        def backwards(t: Tensor, state: Tensor) -> Tensor:
            at, a = (part.view_as(z) for part in state[0, : 2 * z.numel()].chunk(2))
            with torch.enable_grad():
                at = at.detach().requires_grad_()
                velocity = f(t, at)
            of = (at, *weights)
            slopes: Iterable[Tensor] = map(torch.zeros_like, of)  # of a field that hangs on neither
            if velocity.requires_grad:
                slopes = torch.autograd.grad(velocity, of, a, materialize_grads=True)
            return torch.cat([velocity.detach().flatten(), *(-slope.flatten() for slope in slopes)])[None]

        nothing = [torch.zeros_like(weight).flatten() for weight in weights]
        state = solver(backwards, torch.cat([z.flatten(), cotangent.flatten(), *nothing])[None], end, start)
        _, *found = state[0].split([part.numel() for part in (z, z, *weights)])
        return None, *(part.view_as(like) for part, like in zip(found, (z, *weights), strict=True))
