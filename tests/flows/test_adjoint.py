"""The adjoint method against closed forms, against backpropagation through the steps, and against torchdiffeq."""

from functools import partial

import pytest
import torch
from torch import nn
from torchdiffeq import odeint_adjoint

from gmcourse.flows.adjoint import adjoint
from gmcourse.flows.continuous import Continuous, MLPVelocity
from gmcourse.flows.flow import Flow
from gmcourse.flows.ode import dormand_prince, euler, rk4

Z = torch.randn(7, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
A = torch.tensor([[0.3, -2.0, 0.1], [1.5, -0.4, 0.0], [0.2, 0.7, -1.0]], dtype=torch.float64)
TIGHT = partial(dormand_prince, rtol=1e-10, atol=1e-10)


@pytest.fixture
def field():
    torch.manual_seed(0)
    return MLPVelocity(3, [16]).double()


def gradients(solver, field, start=0.0, end=1.0):
    """Those of a loss whose weights differ by row and column, by z and by the parameters, in one vector."""
    z = Z.clone().requires_grad_()
    loss = (solver(field, z, start, end).sin() * Z.flip(0)).sum()
    return torch.cat([part.flatten() for part in torch.autograd.grad(loss, (z, *field.parameters()))])


@pytest.mark.parametrize("solver", [partial(rk4, steps=60), TIGHT])
def test_gradients_of_a_linear_ode(solver):
    z, scale = Z.clone().requires_grad_(), torch.tensor(1.0, dtype=torch.float64).requires_grad_()
    end = adjoint(solver, [scale])(lambda t, z: scale * z @ A.T, z, 0.0, 1.0)
    torch.testing.assert_close(end, Z @ torch.linalg.matrix_exp(A).T, rtol=1e-6, atol=1e-6)
    end.sum().backward()
    flow = torch.linalg.matrix_exp(A)
    torch.testing.assert_close(z.grad, flow.sum(0).expand_as(Z), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(scale.grad, (Z @ (A @ flow).T).sum(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("start", "end"), [(0.0, 1.0), (1.0, 0.0), (0.3, 2.0)])
def test_equal_to_backpropagation_and_to_torchdiffeq(field, start, end):
    ours = gradients(adjoint(TIGHT, field.parameters()), field, start, end)
    torch.testing.assert_close(ours, gradients(TIGHT, field, start, end), rtol=1e-7, atol=1e-7)

    def theirs(f, z, start, end):
        times = torch.tensor([start, end], dtype=torch.float64)
        return odeint_adjoint(f, z, times, rtol=1e-10, atol=1e-10, adjoint_params=tuple(field.parameters()))[-1]

    torch.testing.assert_close(ours, gradients(theirs, field, start, end), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize(("solver", "order"), [(euler, 1), (rk4, 4)])
def test_what_it_is_off_falls_with_the_order(field, solver, order):
    def off(n):
        steps = partial(solver, steps=n)
        return (gradients(adjoint(steps, field.parameters()), field) - gradients(steps, field)).norm()

    assert torch.log2(off(16) / off(32)).item() == pytest.approx(order, abs=0.2)


def test_a_flow_trains_by_it(field):
    steps = partial(rk4, steps=20)
    grads = []
    for solver in (steps, adjoint(steps, field.parameters())):
        loss = Flow([Continuous(field, solver)], (3,)).loss(Z)
        grads.append(torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(field.parameters()))]))
    torch.testing.assert_close(*grads, rtol=1e-5, atol=1e-6)


def most_kept(run):
    """The most bytes that autograd held at one time."""
    alive = most = 0

    class Kept:
        def __init__(self, tensor):
            nonlocal alive, most
            self.tensor = tensor
            alive += tensor.nbytes
            most = max(most, alive)

        def __del__(self):
            nonlocal alive
            alive -= self.tensor.nbytes

    with torch.autograd.graph.saved_tensors_hooks(Kept, lambda kept: kept.tensor):
        run()
    return most


def test_memory_does_not_grow_with_the_steps(field):
    def kept(n, way):
        return most_kept(lambda: gradients(way(partial(rk4, steps=n)), field))

    back, ours = partial(adjoint, parameters=list(field.parameters())), lambda solver: solver
    assert kept(32, ours) > 7 * kept(4, ours)
    assert kept(32, back) == kept(4, back)


def test_frozen_and_idle_parameters(field):
    field.net[0].weight.requires_grad_(False)
    idle = nn.Parameter(torch.ones(2, dtype=torch.float64))
    solver = adjoint(partial(rk4, steps=2), [*field.parameters(), idle])
    solver(field, Z, 0.0, 1.0).sum().backward()
    assert field.net[0].weight.grad is None
    assert field.net[0].bias.grad.norm() > 0
    assert torch.equal(idle.grad, torch.zeros_like(idle))


def test_a_field_that_hangs_on_nothing():
    z, weight = Z.clone().requires_grad_(), torch.ones(2, requires_grad=True)
    end = adjoint(partial(euler, steps=3), [weight])(lambda t, z: torch.full_like(z, 2.0), z, 0.0, 1.0)
    torch.testing.assert_close(end, Z + 2)
    end.square().sum().backward()
    torch.testing.assert_close(z.grad, 2 * (Z + 2))
    assert torch.equal(weight.grad, torch.zeros(2))


def test_a_second_derivative_is_refused(field):
    z = Z.clone().requires_grad_()
    solver = adjoint(partial(rk4, steps=2), field.parameters())
    (slope,) = torch.autograd.grad(solver(field, z, 0.0, 1.0).square().sum(), z, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        slope.sum().backward()
