"""Law of the contractive penalty: the squared norm of a sigmoid layer's Jacobian, held against autograd."""

from collections.abc import Callable

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import require_close, require_shape
from gmcourse.laws.rows import draw, pooled

Penalty = Callable[[Tensor, Tensor], Tensor]


def penalty_is_jacobian(candidate: Penalty, *, seed: int = 0) -> None:
    """candidate(W, h) = ‖∂h/∂x‖²_F of h = s(Wx + b), (batch,): W (k, D), h (batch, k), for k < D, k = D and k > D.

    The oracle takes every entry of the Jacobian by autograd.
    """
    for units, dims in ((3, 5), (4, 4), (6, 2)):
        weight, offset = draw(units, dims, seed=seed + units).double(), draw(units, seed=seed + 1).double()
        x = draw(5, dims, seed=seed + 2).double()

        def layer(row: Tensor, weight: Tensor = weight, offset: Tensor = offset) -> Tensor:
            return torch.sigmoid(weight @ row + offset)

        h = torch.stack([layer(row) for row in x])
        slopes = torch.stack([torch.autograd.functional.jacobian(layer, row) for row in x])
        expected = slopes.square().sum((1, 2))
        law = f"‖∂h/∂x‖²_F by autograd, {units} units, {dims} inputs"
        observed = require_shape(law, ask(candidate, weight=weight, h=h), (5,)).double()
        suspects = _penalty_slips(weight, h, expected)
        require_close(law, observed, expected, 1e-9, suspects, given={"h": h}, fit=1e-6)


def _penalty_slips(weight: Tensor, h: Tensor, expected: Tensor) -> dict[str, Tensor | list[Tensor]]:
    steepness, lengths = h * (1 - h), weight.square().sum(1)
    across = [steepness.square() @ weight.square().sum(0)] if len(weight) == weight.shape[1] else []
    return {
        "spread": [steepness @ lengths, steepness.square() @ lengths.sqrt(), expected.sqrt()],
        "direction": across,
        "gradient": lengths.sum().expand_as(expected),
        "log-mean": [h.square() @ lengths, (1 - h.square()).square() @ lengths],
        "reduction": [expected / weight.numel(), expected / len(weight), expected / weight.shape[1]],
        "shape": pooled(expected),
    }
