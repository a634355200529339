"""Law of the contractive penalty: the squared norm of a sigmoid layer's Jacobian, held against autograd."""

from collections.abc import Callable

import torch
from torch import Tensor

from gmcourse.laws.asking import ask, slope
from gmcourse.laws.broken import LawBroken, require_close, require_shape
from gmcourse.laws.rows import draw, pooled, within

Penalty = Callable[[Tensor, Tensor], Tensor]


def penalty_is_jacobian(candidate: Penalty, *, seed: int = 0) -> None:
    """candidate(weight, h) = ‖∂h/∂x‖²_F of h = sigmoid(Wx + b), (batch,); weight (k, d), h (batch, k).

    The oracle differentiates the layer, entry by entry. As many units as inputs in one case. The penalty is itself
    differentiated in training: its slopes by weight and by h are asked for, too.
    """
    for batch, k, d in ((5, 3, 5), (3, 4, 4), (4, 6, 2)):
        weight, b, x = draw(k, d, seed=seed + k), draw(k, seed=seed + 1), draw(batch, d, seed=seed + 2)
        law = f"‖∂h/∂x‖² of each row, {k} units on {d} inputs"
        inputs = {"weight": weight, "h": (x @ weight.T + b).sigmoid()}
        inputs = {name: value.requires_grad_() for name, value in inputs.items()}
        output = ask(candidate, **inputs)
        observed = require_shape(law, output, (batch,))
        exact = x.double(), weight.detach().double(), b.double()
        expected, slips = _by_autograd(*exact), _penalty_slips(*exact)
        given = {"h": inputs["h"].detach()}
        require_close(law, observed.double(), expected, within(expected), slips, given=given)
        if not observed.requires_grad:
            raise LawBroken("the penalty carries a gradient", "none", "by weight and by h", "gradient")
        for name, right in zip(inputs, _slopes(exact[1], inputs["h"].detach().double()), strict=True):
            found = slope(observed.sum(), inputs[name]).double()
            require_close(f"its slope by {name}", found, right, within(right, 1e-3), {"gradient": 0 * right})


def _by_autograd(x: Tensor, weight: Tensor, b: Tensor) -> Tensor:
    rows = [torch.autograd.functional.jacobian(lambda one: (weight @ one + b).sigmoid(), row) for row in x]
    return torch.stack([torch.as_tensor(jacobian).square().sum() for jacobian in rows])


def _slopes(weight: Tensor, h: Tensor) -> tuple[Tensor, Tensor]:
    """Of the summed penalty, by weight (k, d) and by h (batch, k), by hand."""
    gate, norms = h * (1 - h), weight.square().sum(1)
    return 2 * gate.square().sum(0)[:, None] * weight, 2 * gate * (1 - 2 * h) * norms


def _penalty_slips(x: Tensor, weight: Tensor, b: Tensor) -> dict[str, list[Tensor]]:
    h, (k, d) = (x @ weight.T + b).sigmoid(), weight.shape
    gate, squares = h * (1 - h), weight.square()
    norms, right = squares.sum(1), gate.square() @ squares.sum(1)
    again = h.sigmoid() * (1 - h.sigmoid())
    slips = {
        "spread": [gate @ norms, right.sqrt(), gate.square() @ norms.sqrt(), gate.abs() @ norms.sqrt(), gate**4 @ norms]
        + [(gate @ weight).square().sum(1), (gate.square() @ weight.abs()).sum(1), (gate @ weight.abs()).sum(1)]
        + [(gate * h) @ norms, (gate * (1 - h)) @ norms, gate.square() @ weight.sum(1).square(), right / 2]
        + [(gate @ weight).sum(1).square()],
        "dependence": [norms.sum().expand(len(x)), gate.square().sum(1), (gate**2).sum(1) * norms.sum()]
        + [gate.sum(1).square() * norms.sum(), h.square().sum(1)],
        "log-mean": [h.square() @ norms, (1 - h).square() @ norms, h @ norms, (1 - h.square()).square() @ norms]
        + [again.square() @ norms, 0 * right],
        "reduction": [right / n for n in (k, d, k * d)],
        "sign": [-right],
        "shape": [*pooled(right), right / len(x)],
    }
    if k == d:
        slips["direction"] = [gate.square() @ squares.sum(0), gate @ squares.sum(0)]
    return slips
