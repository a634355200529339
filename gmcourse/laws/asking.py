"""Ask a candidate for its value, on inputs of its own that it must leave as they were; and autograd for its slope."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gmcourse.laws.broken import LawBroken, show_value


def ask(candidate: Callable[..., Any], **inputs: Any) -> Any:
    """candidate(*inputs), in the order given, on clones of the tensors; LawBroken names an input that was changed.

    Gradients pass through the clones. What is no tensor (a function, a generator, a number) is handed over as it is.
    """
    clones = {name: value.clone() if isinstance(value, Tensor) else value for name, value in inputs.items()}
    output = candidate(*clones.values())
    for name, value in inputs.items():
        if isinstance(value, Tensor) and not _same(value, clones[name]):
            raise LawBroken(
                "what is handed to a function stays as it was",
                f"after the call {name} = {show_value(clones[name].detach())}",
                f"{name} = {show_value(value.detach())}",
                "mutation",
            )
    return output


def slope(value: Tensor, of: Tensor) -> Tensor:
    """∂value/∂of by autograd, zeros where the value does not hang on it."""
    if not value.requires_grad:
        return torch.zeros_like(of)
    return torch.autograd.grad(value, of, retain_graph=True, materialize_grads=True)[0]


def _same(value: Tensor, clone: Tensor) -> bool:
    return value.shape == clone.shape and value.dtype == clone.dtype and torch.equal(value, clone)
