"""Ask a candidate for its value, on inputs of its own that it must leave as they were; and autograd for its slope."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gmcourse.laws.broken import LawBroken, show_value


def ask(candidate: Callable[..., Any], **inputs: Any) -> Any:
    """candidate(*inputs), in the order given, on clones of the tensors; LawBroken names an input that was changed.

    Gradients pass through the clones. A list is cloned with the tensors in it. What is neither (a function, a
    generator, a number) is handed over as it is.
    """
    clones = {name: _clone(value) for name, value in inputs.items()}
    output = candidate(*clones.values())
    for name, value in inputs.items():
        if not _same(value, clones[name]):
            after, before = (f"{name}{held}" for held in _apart(clones[name], value))
            law = "what is handed to a function stays as it was"
            raise LawBroken(law, f"after the call {after}", before, "mutation")
    return output


def _clone(value: Any) -> Any:
    if isinstance(value, list):
        return [_clone(part) for part in value]
    return value.clone() if isinstance(value, Tensor) else value


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    return show_value(value.detach()) if isinstance(value, Tensor) else f"{value}"


def _apart(clone: Any, value: Any) -> tuple[str, str]:
    """Both as they are told: of two tensors of one shape the first entry in which they differ, with its place."""
    if not (isinstance(value, Tensor) and isinstance(clone, Tensor) and value.shape == clone.shape):
        return f" = {_shown(clone)}", f" = {_shown(value)}"
    places = (clone.detach() != value.detach()).nonzero().tolist()
    if not places or value.numel() <= 4:  # all of them are told
        return f" = {_shown(clone)}", f" = {_shown(value)}"
    after, before = (f"{places[0]} = {show_value(held.detach()[tuple(places[0])])}" for held in (clone, value))
    return after, before


def slope(value: Tensor, of: Tensor) -> Tensor:
    """∂value/∂of by autograd, zeros where the value does not hang on it."""
    if not value.requires_grad:
        return torch.zeros_like(of)
    return torch.autograd.grad(value, of, retain_graph=True, materialize_grads=True)[0]


def _same(value: Any, clone: Any) -> bool:
    if isinstance(value, list):
        return isinstance(clone, list) and len(value) == len(clone) and all(map(_same, value, clone))
    if isinstance(value, Tensor):
        same_kind = isinstance(clone, Tensor) and value.shape == clone.shape and value.dtype == clone.dtype
        return same_kind and torch.equal(value, clone)
    return value is clone or (type(value) is type(clone) and value == clone)
