"""A law of NADE's gradients: four of them, summed over the batch."""

from collections.abc import Callable
from itertools import accumulate

import torch
from torch import Tensor
from torch.nn.functional import softplus

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, require_close, require_parts, require_shape, show_value
from gmcourse.laws.rows import draw, within

Gradients = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], tuple[Tensor, ...]]
NAMES = "W", "V", "b", "c"
ERRORS = (
    lambda p, x: p.logit() - x,
    lambda p, x: (p - x) ** 2,
    lambda p, x: (p - x) * p * (1 - p),
    lambda p, x: 2 * (p - x) * p * (1 - p),
)
"""What is taken for σ(l) − x, p being σ(l): without σ, and of a square."""


def nade_gradients(candidate: Gradients, *, seed: int = 0) -> None:
    """candidate(x, weight, output, bias, hidden_bias): ∂(−Σ_n ln p(x_n)) in W, V, b and c, of the parameters' shapes.

    The oracle is autograd, through all activations at once. In the last case logits are as large as 300.
    """
    for dims, hidden, batch, scale in (
        (7, 4, 5, 1.0),
        (11, 3, 2, 1.0),
        (4, 1, 3, 1.0),
        (3, 2, 1, 1.0),
        (5, 3, 4, 100.0),
    ):
        x = (draw(batch, dims, seed=seed + dims) > 0.2).float()
        weight, output = draw(dims, hidden, seed=seed + 1), scale * draw(dims, hidden, seed=seed + 2)
        bias, hidden_bias = scale * draw(dims, seed=seed + 3), draw(hidden, seed=seed + 4)
        law = f"the gradient of −ln p(x), summed over {batch} rows of {dims} bits" + ", large logits" * (scale > 10)
        inputs = {"x": x, "weight": weight, "output": output, "bias": bias, "hidden_bias": hidden_bias}
        parts = require_parts(f"{law}, in W, V, b and c", ask(candidate, **inputs), 4)
        shapes = [tuple(value.shape) for value in list(inputs.values())[1:]]
        observed = [
            require_shape(f"{law}, in {name}", part, shape).detach().double()
            for name, part, shape in zip(NAMES, parts, shapes, strict=True)
        ]
        numbers = [value.double() for value in inputs.values()]
        expected = _by_autograd(*numbers)
        slips, left = ({}, "overflow") if scale > 10 else (_slips(*numbers, right=expected), "")
        try:
            require_close(law, _flat(observed), _flat(expected), within(_flat(expected)), slips, deduced=left)
        except LawBroken as broken:
            raise _told(law, observed, expected, broken.cause) from None


def _flat(parts: list[Tensor]) -> Tensor:
    return torch.cat([part.flatten() for part in parts])


def _told(law: str, observed: list[Tensor], expected: list[Tensor], cause: str) -> LawBroken:
    """Which of the four gradients are right, and the first that is not."""
    right = [name for name, *pair in zip(NAMES, observed, expected, strict=True) if _near(*pair)]
    k = next(k for k, pair in enumerate(zip(observed, expected, strict=True)) if not _near(*pair))
    case = f"right are those in {' and '.join(right)}" if right else ""
    return LawBroken(f"{law}, in {NAMES[k]}", show_value(observed[k]), show_value(expected[k]), cause, case)


def _near(observed: Tensor, expected: Tensor) -> bool:
    return bool(((observed - expected).abs() <= within(expected)).all())


def _by_autograd(x: Tensor, *parameters: Tensor) -> list[Tensor]:
    """All activations by one triangle of ones, and then autograd."""
    leaves = [parameter.clone().requires_grad_() for parameter in parameters]
    weight, output, bias, hidden_bias = leaves
    before = torch.ones(x.shape[1], x.shape[1], dtype=x.dtype).tril(-1)
    a = hidden_bias + torch.einsum("de,ne,eh->ndh", before, x, weight)
    logits = (a.sigmoid() * output).sum(2) + bias
    return list(torch.autograd.grad(softplus((1 - 2 * x) * logits).sum(), leaves))


def _by_hand(
    x: Tensor,
    weight: Tensor,
    output: Tensor,
    bias: Tensor,
    hidden_bias: Tensor,
    *,
    late: int = 1,
    steep: Callable[[Tensor], Tensor] = lambda h: h * (1 - h),
    miss: Callable[[Tensor, Tensor], Tensor] = lambda p, x: p - x,
    seen: bool = True,
    leak: int = 0,
    back: bool = True,
    ends: int = 0,
) -> list[Tensor]:
    """Forwards and backwards, one slip: `late` 0 takes G_d for G_{d+1}, 2 takes G_{d+2}; `leak` 1: x_d is in h_d."""
    added = list(accumulate(x.T[:, :, None] * weight[:, None], initial=hidden_bias.expand(len(x), -1)))
    h = torch.stack(added[leak : len(weight) + leak]).sigmoid()
    error = miss(((h * output[:, None]).sum(2) + bias[:, None]).sigmoid(), x.T)
    own = error[:, :, None] * output[:, None] * steep(h)
    sums = list(accumulate(own.flip(0) if back else own, initial=torch.zeros_like(own[0])))
    g = torch.stack([*(sums[::-1] if back else sums), torch.zeros_like(own[0])])  # g[d] is G_{d+1}, of places from 1
    inputs = x.T[:, :, None] if seen else torch.ones_like(x.T[:, :, None])
    of_weight = (inputs * g[late : late + len(weight)]).sum(1)
    return [of_weight, (error[:, :, None] * h).sum(1), error.sum(1), g[ends if back else -2].sum(0)]


def _slips(*inputs: Tensor, right: list[Tensor]) -> dict[str, list[Tensor]]:
    """What the usual slips would give in the place of the four gradients."""
    of_weight, of_output, of_bias, of_hidden = right
    rows = len(inputs[0])
    ways = {
        "dependence": [
            _by_hand(*inputs, late=0),
            _by_hand(*inputs, late=2),
            _by_hand(*inputs, leak=1),
            _by_hand(*inputs, leak=1, late=0),
            _by_hand(*inputs, back=False, late=0),
            _by_hand(*inputs, back=False),
            _by_hand(*inputs, ends=1),
        ],
        "constant": [_by_hand(*inputs, steep=steep) for steep in (lambda h: h, torch.ones_like, lambda h: h * h)]
        + [_by_hand(*inputs, steep=lambda h: h.sigmoid() * (1 - h.sigmoid()))]
        + [_by_hand(*inputs, steep=lambda h: h, late=0), _by_hand(*inputs, steep=lambda h: 1 - h)],
        "log-mean": [_by_hand(*inputs, miss=miss) for miss in ERRORS],
        "one-to-one": [_by_hand(*inputs, seen=False), _by_hand(*inputs, seen=False, late=0)],
        "sign": [[-part for part in right], [-of_weight, of_output, of_bias, -of_hidden]],
        "reduction": [[part / rows for part in right], [rows * part for part in right]] * (rows > 1)
        + [[*right[:3], of_hidden / rows]] * (rows > 1),
        "direction": [[of_output, of_weight, of_bias, of_hidden]],
    }
    return {cause: [_flat(way) for way in each] for cause, each in ways.items()}
