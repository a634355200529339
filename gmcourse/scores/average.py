"""The moving average of a network's weights, which samples better than the weights of any one step."""

import copy
from typing import Any

import torch
from torch import Tensor, nn


class WeightAverage(nn.Module):
    """A copy of a module whose weights follow: w̄ ← d w̄ + (1 − d) w at each `update`, d = min(decay, (1 + n)/(10 + n)).

    n is the number of updates before, so that the first weights are soon forgotten. What is averaged is held as
    buffers: it is saved and moved with the model, and is no parameter of it.
    """

    updates: Tensor

    def __init__(self, module: nn.Module, decay: float = 0.999):
        super().__init__()
        if not 0 <= decay < 1:
            raise ValueError(f"decay: got {decay}, expected 0 <= decay < 1")
        self.decay, self.module = decay, copy.deepcopy(module)
        for part in self.module.modules():
            for name, weight in list(part.named_parameters(recurse=False, remove_duplicate=False)):
                delattr(part, name)
                part.register_buffer(name, weight.detach().clone())
        self.register_buffer("updates", torch.tensor(0))

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Bring the average nearer to the weights of `module`; its buffers are taken over as they are."""
        n = self.updates.item()
        keep = min(self.decay, (1 + n) / (10 + n))
        for held, part in zip(self.module.modules(), module.modules(), strict=True):
            for name, weight in part.named_parameters(recurse=False, remove_duplicate=False):
                held.get_buffer(name).lerp_(weight, 1 - keep)
            for name, buffer in part.named_buffers(recurse=False):
                held.get_buffer(name).copy_(buffer)
        self.updates += 1

    def extra_repr(self) -> str:
        """How slowly it follows."""
        return f"decay={self.decay:g}"

    def forward(self, *inputs: Any) -> Any:
        """What the module with the averaged weights says."""
        return self.module(*inputs)
