"""Networks that several families share: plain stacks of layers."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

import torch
from torch import Tensor, nn


def mlp(sizes: Sequence[int], activation: Callable[[], nn.Module] = nn.ReLU, dropout: float = 0.0) -> nn.Sequential:
    """Linear layers `sizes[0] → … → sizes[-1]` with an activation between each two."""
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError(f"sizes: got {list(sizes)}, expected at least an input and an output size, all positive")
    layers: list[nn.Module] = []
    for i, (inputs, outputs) in enumerate(pairwise(sizes)):
        layers += [nn.Dropout(dropout)] if dropout and i else []
        layers += [nn.Linear(inputs, outputs), activation()]
    return nn.Sequential(*layers[:-1])


class MaskedLinear(nn.Linear):
    """A linear layer whose output of degree a sees the inputs of degree b ≤ a, or b < a where `strict`."""

    def __init__(self, input_degrees: Tensor, output_degrees: Tensor, strict: bool = False):
        super().__init__(len(input_degrees), len(output_degrees))
        later, earlier = output_degrees[:, None], input_degrees[None, :]
        self.register_buffer("mask", (later > earlier if strict else later >= earlier).to(self.weight.dtype))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs) → (batch, outputs)."""
        return nn.functional.linear(x, self.weight * self.mask, self.bias)


class MADE(nn.Module):
    """`outputs` numbers for each of `dims` inputs, each from the inputs before it alone. Germain et al. 2015.

    `order[i]` is the place of input i, 0 first (default: as they come). Hidden units are sorted by degree, so that
    the first of them depend on the first inputs only.
    """

    def __init__(self, dims: int, hidden: Sequence[int], outputs: int, order: Sequence[int] | None = None):
        super().__init__()
        order = list(range(dims)) if order is None else list(order)
        if sorted(order) != list(range(dims)):
            raise ValueError(f"order: got {order}, expected a permutation of 0..{dims - 1}")
        self.dims, self.outputs = dims, outputs
        degrees = [torch.tensor(order) + 1]
        degrees += [(torch.arange(size) % max(dims - 1, 1)).sort().values + 1 for size in hidden]
        layers: list[nn.Module] = []
        for before, after in pairwise(degrees):
            layers += [MaskedLinear(before, after), nn.ReLU()]
        layers.append(MaskedLinear(degrees[-1], degrees[0].repeat(outputs), strict=True))
        self.layers = nn.Sequential(*layers)
        self.register_buffer("order", torch.tensor(order))
        self.places = sorted(range(dims), key=order.__getitem__)
        self.counts = [[int((d <= place).sum()) for place in range(dims + 1)] for d in degrees]

    def forward(self, x: Tensor) -> Tensor:
        """(batch, dims) → (batch, outputs, dims)."""
        return self.layers(x).view(len(x), self.outputs, -1)

    @torch.no_grad()
    def sequentially(self, choose: Callable[[int, Tensor], Tensor], batch: int) -> Tensor:
        """x, (batch, dims), one input after another: x_i = choose(i, its numbers, (batch, outputs)), (batch,).

        Each hidden unit is computed once, when the last input that it may see has been chosen: the multiplications of
        one pass, not of `dims`. Sorted degrees make every block that a mask leaves open a slice of the weights.
        """
        *hidden, last = self.layers[::2]
        weights = [layer.weight for layer in (*hidden, last)]
        weights[0] = weights[0][:, self.places]
        known = [last.weight.new_empty(count[-1], batch) for count in self.counts]
        for place, i in enumerate(self.places):
            seen, rows = self.counts[-1][place], slice(i, None, self.dims)
            h = torch.addmm(last.bias[rows, None], weights[-1][rows, :seen], known[-1][:seen])
            known[0][place] = choose(i, h.T)
            seen = place + 1
            for layer, weight, count, before, units in zip(hidden, weights, self.counts[1:], known, known[1:]):
                new = slice(count[place], count[place + 1])
                torch.addmm(layer.bias[new, None], weight[new, :seen], before[:seen], out=units[new]).relu_()
                seen = new.stop
        return known[0][self.order].T


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Evaluation mode inside the block, so that dropout rests; afterwards the mode it had."""
    was_training = module.training
    module.eval()
    try:
        yield
    finally:
        module.train(was_training)


def conv_encoder(shape: tuple[int, int, int], outputs: int, width: int = 16) -> nn.Sequential:
    """(batch, C, H, W) → (batch, outputs): two strided convolutions, H and W halved by each, then a linear layer."""
    channels, height, wide = _quartered(shape)
    return nn.Sequential(
        nn.Conv2d(channels, width, 4, stride=2, padding=1),
        nn.SiLU(),
        nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
        nn.SiLU(),
        nn.Conv2d(2 * width, 2 * width, 3, padding=1),
        nn.SiLU(),
        nn.Flatten(),
        nn.Linear(2 * width * height * wide, outputs),
    )


def conv_decoder(inputs: int, shape: tuple[int, int, int], width: int = 16) -> nn.Sequential:
    """(batch, inputs) → (batch, C, H, W): `conv_encoder` mirrored, with transposed convolutions."""
    channels, height, wide = _quartered(shape)
    return nn.Sequential(
        nn.Linear(inputs, 2 * width * height * wide),
        nn.SiLU(),
        nn.Unflatten(1, (2 * width, height, wide)),
        nn.Conv2d(2 * width, 2 * width, 3, padding=1),
        nn.SiLU(),
        nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1),
        nn.SiLU(),
        nn.ConvTranspose2d(width, channels, 4, stride=2, padding=1),
    )


def _quartered(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    channels, height, width = shape
    if height % 4 or width % 4:
        raise ValueError(f"shape: got {shape}, expected a height and a width divisible by 4")
    return channels, height // 4, width // 4
