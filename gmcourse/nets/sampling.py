"""How a model draws: in evaluation mode, without gradients, from the generator that it is given."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Generator, nn

AT_ONCE = 1_000, 64_000
"""Examples that are drawn together, and numbers in them, whichever is more: a network's layers must fit in memory."""


def parts(n: int, event_shape: Sequence[int]) -> list[int]:
    """n samples in parts that are drawn one after the other, at least one part."""
    most = max(AT_ONCE[0], AT_ONCE[1] // max(math.prod(event_shape), 1))
    return [min(most, n - begun) for begun in range(0, n, most)] or [0]


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Evaluation mode inside the block, so that dropout rests; afterwards each part has the mode it had."""
    training = [part for part in module.modules() if part.training]
    for part in training:
        vars(part)["training"] = False  # past the search for parameters in nn.Module.__setattr__
    try:
        yield
    finally:
        for part in training:
            vars(part)["training"] = True


@contextmanager
def sampling(model: nn.Module, n: int, rng: Generator | None = None) -> Iterator[None]:
    """Inside the block `model` draws n samples: evaluation mode, no gradients.

    Raises TypeError or ValueError where n is no number of samples, or rng no generator.
    """
    if isinstance(n, bool) or not isinstance(n, int):
        raise TypeError(f"n: got {n!r}, expected a number of samples, an int")
    if n < 0:
        raise ValueError(f"n: got {n}, expected a number of samples, at least 0")
    if rng is not None and not isinstance(rng, Generator):
        raise TypeError(f"rng: got {rng!r}, expected a torch.Generator, as torch.Generator().manual_seed(0), or None")
    with torch.no_grad(), evaluating(model):
        yield
