"""How a network is told something beside its input: a class, or numbers of any shape."""

import torch
from torch import Tensor, nn

from gmcourse.nets.mlp import beside


class OneHot(nn.Module):
    """A class 0..V−1, (batch,) integers, as V numbers, (batch, V), of which one is 1."""

    def __init__(self, classes: int):
        super().__init__()
        self.classes = classes
        self.register_buffer("rows", torch.eye(classes), persistent=False)

    def forward(self, given: Tensor) -> Tensor:
        """Raises ValueError for what is not (batch,) integers from 0 to V − 1."""
        if given.dim() != 1 or given.is_floating_point() or given.dtype == torch.bool:
            raise ValueError(
                f"given: got {given.dtype} of shape {tuple(given.shape)}, expected (batch,) integer classes"
            )
        if not given.is_meta and ((given < 0) | (given >= self.classes)).any():
            least, most = int(given.min()), int(given.max())
            raise ValueError(f"given: got classes from {least} to {most}, expected 0 to {self.classes - 1}")
        return self.get_buffer("rows")[given]

    def extra_repr(self) -> str:
        return f"{self.classes}"


class Told(nn.Module):
    """network(h beside what is told): h (batch, …) flattened, and `read(given)`, (batch, …), flattened behind it.

    `read` is `OneHot(classes)` for a class, `nn.Identity()` for what is given as numbers.
    """

    def __init__(self, network: nn.Module, read: nn.Module):
        super().__init__()
        self.network, self.read = network, read

    def forward(self, h: Tensor, given: Tensor) -> Tensor:
        """(batch, …), as the network gives it."""
        return self.network(beside(h.flatten(1), self.read(given).flatten(1).to(h.dtype)))


def rows_given(given: Tensor, n: int) -> Tensor:
    """`given` with n rows: as it is, (n, …), or its one row, (1, …), for all. Raises ValueError for any other count."""
    if not given.dim() or len(given) not in (n, 1):
        raise ValueError(f"given: got shape {tuple(given.shape)}, expected ({n}, ...), or one row for all, (1, ...)")
    return given.expand(n, *given.shape[1:])
