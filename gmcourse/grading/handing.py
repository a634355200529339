"""What a law hands to an answer: tensors, modules, optimisers, functions, generators; and what the answer did to them.

The parent's side: what is handed goes out as plain data, pickled modules of torch's own, and handles of functions; what
the answer did to it comes back as plain data alone.
"""

import inspect
import io
import pickle
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from gmcourse.grading.plain import Packing, Unpacking
from gmcourse.grading.wire import Malformed


class Handed:
    """What one call hands down: its node, and by number the tensors, lists, generators and modules in it."""

    def __init__(self, value: Any, handle: Callable[[Callable[..., Any]], int]):
        self.generators: list[torch.Generator] = []
        self.modules: list[nn.Module] = []
        self.handle = handle
        self.packing = Packing(self._other)
        self.node = self.packing.node(value)
        self.tensors, self.lists = self.packing.tensors, self.packing.lists
        self.kinds = [self._kind(tensor) for tensor in self.tensors]

    def _kind(self, tensor: Tensor) -> list[Any]:
        """What the child needs to know of it.

        Whether it carries a gradient, is a leaf, is a parameter; the place of its `.grad`; and, where the child gave
        it and it is as it was, which of the child's own it is.
        """
        grad = tensor.grad if tensor.is_leaf else None
        place = None if grad is None else self.packing.tensor(grad)  # the table grows while it is walked
        return [tensor.requires_grad, tensor.is_leaf, isinstance(tensor, nn.Parameter), place, _origin(tensor)]

    def _other(self, value: Any, packing: Packing) -> list[Any]:
        if isinstance(value, torch.Generator):
            self.generators.append(value)
            return ["generator", packing.tensor(value.get_state())]
        if isinstance(value, nn.Module) and all(type(m).__module__.startswith("torch.") for m in value.modules()):
            self.modules.append(value)
            return ["module", _pickled(value, packing)]
        if isinstance(value, torch.optim.Optimizer):
            return ["optimizer", _pickled(value, packing)]
        if (reference := getattr(value, "_of_the_answer", None)) is not None:
            return ["own", reference]
        if isinstance(value, torch.dtype):
            return ["dtype", str(value).removeprefix("torch.")]
        if inspect.isroutine(value) or type(value).__module__ == "functools":
            return ["function", self.handle(value), getattr(value, "__name__", "function")]
        return self._object(value, packing)

    def _object(self, value: Any, packing: Packing) -> list[Any]:
        """An object of a law's own class: its methods, by handle, and a module's parameters."""
        base = nn.Module if isinstance(value, nn.Module) else object
        names = [name for name in dir(type(value)) if not hasattr(base, name) or name in ("forward", "__call__")]
        if base is nn.Module:
            names = [name for name in names if name != "__call__"]
        methods = {name: getattr(value, name) for name in names if callable(getattr(value, name, None))}
        parameters = dict(value.named_parameters()) if isinstance(value, nn.Module) else {}
        return [
            "object",
            type(value).__name__,
            base is nn.Module,
            {name: [self.handle(method), name in vars(type(value))] for name, method in methods.items()},
            {name.replace(".", "_"): packing.tensor(tensor) for name, tensor in parameters.items()},
        ]

    def change(self, changes: Any, tensors: list[Tensor]) -> None:
        """Make so what the child says it changed. Raises Malformed."""
        if not isinstance(changes, list):
            raise Malformed("changes that are none")
        for entry in changes:
            match entry:
                case ["tensor", int(k), node] if 0 <= k < len(self.tensors):
                    came = _origin(self.tensors[k])
                    _write(self.tensors[k], Unpacking(tensors).value(node))
                    if came is not None:
                        self.tensors[k].came_from = (*came, self.tensors[k]._version)  # type: ignore[attr-defined]
                case ["grad", int(k), node] if 0 <= k < len(self.tensors) and self.tensors[k].is_leaf:
                    self.tensors[k].grad = _fitting(self.tensors[k], Unpacking(tensors).value(node))
                case ["requires_grad", int(k), bool(flag)] if 0 <= k < len(self.tensors):
                    self.tensors[k].requires_grad_(flag)
                case ["list", int(k), node] if 0 <= k < len(self.lists):
                    _refill(self.lists[k], Unpacking(tensors).value(node))
                case ["generator", int(k), node] if 0 <= k < len(self.generators):
                    _set_state(self.generators[k], Unpacking(tensors).value(node))
                case ["modes", int(k), list(flags)] if 0 <= k < len(self.modules):
                    for module, flag in zip(self.modules[k].modules(), flags, strict=False):
                        module.training = flag is True
                case _:
                    raise Malformed("a change that is none")


def _set_state(generator: torch.Generator, state: Any) -> None:
    try:
        generator.set_state(state)
    except (RuntimeError, TypeError) as error:
        raise Malformed("a state of no generator") from error


def _origin(tensor: Tensor) -> list[int] | None:
    """Which of the child's own tensors this is, where nothing has changed it here."""
    number, place, version = getattr(tensor, "came_from", (0, 0, None))
    return [number, place] if version == tensor._version and not tensor.requires_grad else None


def _write(tensor: Tensor, new: Any) -> None:
    if not isinstance(new, Tensor):
        raise Malformed("a tensor that is none")
    with torch.no_grad():
        if new.shape == tensor.shape and new.dtype == tensor.dtype:
            tensor.copy_(new)
        elif new.dtype == tensor.dtype:
            tensor.data = new


def _refill(held: list[Any] | dict[Any, Any], new: Any) -> None:
    if isinstance(held, list) and isinstance(new, list):
        held[:] = new
    elif isinstance(held, dict) and isinstance(new, dict):
        held.clear()
        held.update(new)
    else:
        raise Malformed("a list that is none")


def _fitting(tensor: Tensor, grad: Any) -> Tensor | None:
    if grad is None or (isinstance(grad, Tensor) and grad.shape == tensor.shape and grad.dtype == tensor.dtype):
        return grad
    raise Malformed("a gradient of another shape")


def _pickled(value: Any, packing: Packing) -> str:
    """A module or an optimiser of torch's own, its tensors left in the table."""
    buffer = io.BytesIO()
    pickler = _Pickler(buffer)
    pickler.packing = packing
    pickler.dump(value)
    return buffer.getvalue().hex()


class _Pickler(pickle.Pickler):
    packing: Packing

    def persistent_id(self, obj: Any) -> int | None:
        return self.packing.tensor(obj) if isinstance(obj, Tensor) else None
