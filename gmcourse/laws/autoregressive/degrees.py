"""A law of degrees: a weight stays where its receiver may know what its sender knows."""

from collections.abc import Callable, Sequence
from operator import ge, gt, le, lt

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, require_close, require_parts, require_shape

Masks = Callable[[Tensor, list[Tensor]], list[Tensor]]

LAYERS = (
    ((0, 1, 2, 3), ((1, 2, 3, 2, 1),)),
    ((2, 0, 3, 1), ((1, 3, 2, 2, 1, 3),)),
    ((3, 4, 0, 1, 2), ((2, 1, 4, 3), (3, 2, 4))),
    ((1, 2, 0), ((1, 2), (1, 2, 1, 2), (2, 1, 1, 1, 2))),
    ((4, 2, 0, 3, 1), ((4, 1, 3, 2, 2),)),
)
"""Places of the inputs, and degrees of the hidden layers: orders that are not their own inverse, one layer or two."""


def degrees_rise(candidate: Masks, *, seed: int = 0) -> None:
    """candidate(order, degrees): a mask for each layer, (outputs, inputs), 1 where the degree does not fall.

    In the last layer where it rises. `order[i]` is the place of input i and of output i, from 0, and its degree is one
    more. Truth values pass for 1. Where a path leads from a place to itself or to an earlier one, that is told.
    """
    for order, degrees in LAYERS:
        hidden = [torch.tensor(layer) for layer in degrees]
        law = f"the masks for the places {order} and hidden degrees {', '.join(map(str, degrees))}"
        output = ask(candidate, order=torch.tensor(order), degrees=hidden)
        expected = _masks([place + 1 for place in order], degrees)
        parts = require_parts("a list with a mask for each layer, the last one too", output, len(expected))
        observed = [
            require_shape(f"{law}: mask {k + 1}", part, tuple(mask.shape)).detach().double()
            for k, (part, mask) in enumerate(zip(parts, expected, strict=True))
        ]
        slips = {cause: [_flat(way) for way in ways] for cause, ways in _slips(order, degrees).items()}
        try:
            require_close(law, _flat(observed), _flat(expected), 1e-6, slips)
        except LawBroken as broken:
            raise _told(law, order, observed, expected, broken.cause) from None


def _masks(
    first: Sequence[int],
    degrees: Sequence[Sequence[int]],
    last: Sequence[int] | None = None,
    hidden: Callable[[int, int], bool] = ge,
    outer: Callable[[int, int], bool] = gt,
) -> list[Tensor]:
    """The masks, pair by pair of degrees: of the inputs `first`, of the outputs `last` or `first` again."""
    layers = [first, *degrees, last or first]
    kept = [hidden] * len(degrees) + [outer]
    return [
        torch.tensor([[float(stays(k, j)) for j in before] for k in after]).double()
        for stays, before, after in zip(kept, layers, layers[1:], strict=False)
    ]


def _flat(masks: Sequence[Tensor]) -> Tensor:
    return torch.cat([mask.flatten() for mask in masks])


def _slips(order: Sequence[int], degrees: Sequence[Sequence[int]]) -> dict[str, list[list[Tensor]]]:
    """What the usual slips would give in the place of the masks."""
    right, zero, natural = [place + 1 for place in order], list(order), list(range(1, len(order) + 1))
    inverse = [order.index(place) + 1 for place in range(len(order))]
    raised = [[k + 1 for k in layer] for layer in degrees]
    backwards = [len(order) + 1 - degree for degree in right]
    return {
        "dependence": [
            _masks(right, degrees, outer=ge),
            _masks(right, degrees, outer=lambda k, j: True),
            _masks(zero, degrees, right),
            *(
                _masks(*ends)
                for other in (inverse, natural)
                for ends in ((other, degrees, right), (right, degrees, other))
            ),
            *(_masks(other, degrees, outer=ge) for other in (inverse, natural)),
        ],
        "direction": [_masks(other, degrees) for other in (inverse, natural, backwards)],
        "constant": [_masks(zero, degrees), _masks(right, degrees, zero), _masks(right, raised)],
        "reduction": [_masks(right, degrees, hidden=gt), _masks(right, degrees, hidden=gt, outer=ge)],
        "sign": [
            _masks(right, degrees, hidden=le, outer=lt),
            _masks(right, degrees, hidden=lt, outer=le),
            _masks(right, degrees, hidden=le),
            _masks(right, degrees, hidden=lt),
            _masks(right, degrees, outer=lt),
            _masks(right, degrees, outer=le),
        ],
    }


def _told(law: str, order: Sequence[int], observed: list[Tensor], expected: list[Tensor], cause: str) -> LawBroken:
    """The first path that leads to a place from itself or from a later one; else the first entry that is wrong."""
    paths = observed[0]
    for mask in observed[1:]:
        paths = mask @ paths
    for d, i in paths.nonzero().tolist():
        if order[i] >= order[d]:
            rule = "no path leads to an output from an input at its own or a later place"
            case = f"places {order}"
            return LawBroken(rule, f"a path from place {order[i]} to place {order[d]}", "none", cause, case)
    k = next(k for k, (seen, right) in enumerate(zip(observed, expected, strict=True)) if not torch.equal(seen, right))
    row, column = (observed[k] != expected[k]).nonzero()[0].tolist()
    seen, right = (f"{float(masks[k][row, column]):g}" for masks in (observed, expected))
    return LawBroken(law, seen, right, cause, f"mask {k + 1}, output {row}, input {column}")
