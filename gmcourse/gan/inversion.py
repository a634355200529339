"""Inverting a generator: the latent whose picture is nearest to a given one, and how far it stays from it."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from gmcourse.nets import evaluating


class Inverted(NamedTuple):
    """z (batch, L), and the residual Σ(x − G(z))², (batch,)."""

    z: Tensor
    residual: Tensor


def invert(
    generator: nn.Module,
    x: Tensor,
    z: Tensor,
    given: Tensor | None = None,
    *,
    steps: int = 150,
    lr: float = 0.1,
    features: nn.Module | None = None,
    weight: float = 0.0,
) -> Inverted:
    """The best of several searches for argmin_z Σ(x − G(z))² + weight · Σ(f(x) − f(G(z)))², by `steps` steps of Adam.

    x is (batch, *event), z, (starts, batch, L), where the searches of each row begin; `given`, (batch, …), is what a
    conditional generator is told of each row, and f the `features`, if any, such as a critic without its last layer.
    The networks stay as they are, in evaluation mode. The residual is that of the pictures alone; the best search is
    the one with the least loss. Equation: gan-inversion. Schlegl et al. 2017, with squares in place of absolute values.
    """
    if z.dim() != 3 or z.shape[1] != len(x) or not len(z):
        raise ValueError(f"z: got shape {tuple(z.shape)}, expected (starts, {len(x)}, latent size), at least one start")
    if weight and features is None:
        raise ValueError(f"features: got None with a weight of {weight}, expected a network")
    told = () if given is None else (given.repeat(len(z), *[1] * (given.dim() - 1)),)
    z = z.detach().clone().requires_grad_()
    optimizer = torch.optim.Adam([z], lr=lr)

    def missed() -> tuple[Tensor, Tensor]:
        """Residual and loss of each search, (starts, batch)."""
        drawn = generator(z.flatten(0, 1), *told)
        residual = _squares(x, drawn.unflatten(0, z.shape[:2]))
        if features is None:
            return residual, residual
        return residual, residual + weight * _squares(features(x), features(drawn).unflatten(0, z.shape[:2]))

    with evaluating(generator), evaluating(features or nn.Identity()):
        for _ in range(steps):
            (z.grad,) = torch.autograd.grad(missed()[1].sum(), z)
            optimizer.step()
        with torch.no_grad():
            residual, loss = missed()
    best, rows = loss.argmin(0), torch.arange(len(x))
    return Inverted(z.detach()[best, rows], residual[best, rows])


def _squares(x: Tensor, drawn: Tensor) -> Tensor:
    """Σ(x − drawn)² over each example, x (batch, …), drawn (starts, batch, …)."""
    return (x - drawn).square().flatten(2).sum(2)
