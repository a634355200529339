"""Masked linear layers: each output sees only the inputs before it."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from gmcourse.nets.mlp import beside

Choose = Callable[[int, Tensor], Tensor]


class MaskedLinear(nn.Linear):
    """A linear layer whose output of degree a sees the inputs of degree b ≤ a, or b < a where `strict`."""

    mask: Tensor

    def __init__(self, input_degrees: Tensor, output_degrees: Tensor, strict: bool = False):
        super().__init__(len(input_degrees), len(output_degrees))
        later, earlier = output_degrees[:, None], input_degrees[None, :]
        self.register_buffer("mask", (later > earlier if strict else later >= earlier).to(self.weight.dtype))

    def forward(self, input: Tensor) -> Tensor:
        """(batch, inputs) → (batch, outputs)."""
        return nn.functional.linear(input, self.weight * self.mask, self.bias)


class MADE(nn.Module):
    """`outputs` numbers for each of `dims` inputs, each from the inputs before it alone. Germain et al. 2015.

    `order[i]` is the place of input i, 0 first (default: as they come). Hidden units are sorted by degree, so that
    the first of them depend on the first inputs only. Where it is told `given`, (batch, given_size), those are inputs
    of degree 0, which every unit and every output may see, and the first hidden units see nothing else.
    """

    order: Tensor

    def __init__(
        self, dims: int, hidden: Sequence[int], outputs: int, order: Sequence[int] | None = None, given_size: int = 0
    ):
        super().__init__()
        order = list(range(dims)) if order is None else list(order)
        if sorted(order) != list(range(dims)):
            raise ValueError(f"order: got {order}, expected a permutation of 0..{dims - 1}")
        self.dims, self.outputs, self.given_size = dims, outputs, given_size
        least = 0 if given_size else 1
        degrees = [torch.tensor([*(place + 1 for place in order), *[0] * given_size])]
        degrees += [(torch.arange(size) % max(dims - least, 1)).sort().values + least for size in hidden]
        layers: list[nn.Module] = []
        for before, after in pairwise(degrees):
            layers += [MaskedLinear(before, after), nn.ReLU()]
        layers.append(MaskedLinear(degrees[-1], degrees[0][:dims].repeat(outputs), strict=True))
        self.layers = nn.Sequential(*layers)
        self.register_buffer("order", torch.tensor(order))
        self.places = sorted(range(dims), key=order.__getitem__)
        self.counts = [counts_below(d, dims) for d in degrees]

    def forward(self, x: Tensor, given: Tensor | None = None) -> Tensor:
        """(batch, dims) → (batch, outputs, dims)."""
        return self.layers(beside(x, given)).view(len(x), self.outputs, self.dims)

    def sequentially(self, choose: Choose, batch: int, given: Tensor | None = None) -> Tensor:
        """x, (batch, dims), one input after another: x_i = choose(i, its numbers, (batch, outputs)), (batch,)."""
        layers = [layer for layer in self.layers if isinstance(layer, MaskedLinear)]
        parameters = [(layer.weight, layer.bias) for layer in layers]
        return one_after_another(parameters, self.counts, self.places, choose, batch, given)


@torch.no_grad()
def one_after_another(
    layers: Sequence[tuple[Tensor, Tensor]],
    counts: Sequence[Sequence[int]],
    places: Sequence[int],
    choose: Choose,
    batch: int,
    given: Tensor | None = None,
) -> Tensor:
    """x, (batch, dims), of a masked network, one input after another: x_i = choose(i, its numbers, (batch, outputs)).

    Each hidden unit is computed once, when the last input that it may see has been chosen: the multiplications of
    one pass, not of `dims`. The weights and biases need no mask: hidden units are sorted by degree, `counts[l][m]` of
    layer l have a degree below m, so that every block that a mask leaves open is a slice of the weights. `places` are
    the inputs in their order.
    """
    dims, given_size = len(places), counts[0][1]
    weights, biases = (list(each) for each in zip(*layers))
    weights[0] = weights[0][:, [*range(dims, dims + given_size), *places]]
    known = [weights[0].new_empty(count[-1], batch) for count in counts]
    if given is not None:
        known[0][:given_size] = given.T
    for degree in range(1 if given is None else 0, dims + 1):
        if degree > 0:
            i, seen = places[degree - 1], counts[-1][degree]
            rows = slice(i, None, dims)
            h = torch.addmm(biases[-1][rows, None], weights[-1][rows, :seen], known[-1][:seen])
            known[0][counts[0][degree]] = choose(i, h.T)
        seen = counts[0][degree + 1]
        for weight, bias, count, before, units in zip(weights, biases, counts[1:], known, known[1:]):
            new = slice(count[degree], count[degree + 1])
            torch.addmm(bias[new, None], weight[new, :seen], before[:seen], out=units[new]).relu_()
            seen = new.stop
    x = known[0].new_empty(batch, dims)
    x[:, list(places)] = known[0][given_size:].T
    return x


def counts_below(degrees: Tensor, dims: int) -> list[int]:
    """How many of `degrees` are below 0, 1, …, dims + 1."""
    return torch.searchsorted(degrees.sort().values, torch.arange(dims + 2)).tolist()
