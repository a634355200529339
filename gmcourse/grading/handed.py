"""What a law handed to an answer, in the process of the answer: built again, and watched for what the answer did."""

import io
import pickle
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from gmcourse.grading.plain import Packing, Unpacking, bytes_of
from gmcourse.grading.wire import Malformed


class _Unpickler(pickle.Unpickler):
    tensors: list[Tensor]

    def persistent_load(self, pid: Any) -> Tensor:
        return self.tensors[pid]


class Down:
    """What a call handed down: `value` its arguments, `leaves` what gradients are asked for."""

    def __init__(
        self,
        header: dict[str, Any],
        raw: list[Tensor],
        stub: Callable[[int, str], Callable[..., Any]],
        given: dict[int, list[Tensor]],
        objects: list[Any],
    ):
        self.stub, self.wants, self.objects = stub, header["wants"], objects
        self.generators: list[torch.Generator] = []
        self.modules: list[nn.Module] = []
        self.leaves: list[Tensor] = []
        self.tensors: list[Tensor] = []
        for tensor, (carries, leaf, parameter, _, origin) in zip(raw, self.wants, strict=True):
            if origin is not None and origin[0] in given:  # one that this side gave, with the memory it shares
                self.tensors.append(given[origin[0]][origin[1]])
                continue
            source = nn.Parameter(tensor, requires_grad=carries) if parameter else tensor.requires_grad_(carries)
            self.leaves += [source] if carries else []
            self.tensors.append(source if leaf or not carries else source.clone())
        for tensor, (*_, place, _) in zip(self.tensors, self.wants, strict=True):
            if place is not None:
                tensor.grad = self.tensors[place]
        unpacking = Unpacking(self.tensors, self._other)
        self.value = unpacking.value(header["given"])
        self.lists = unpacking.lists
        self.before = self._state()

    def _other(self, node: list[Any], unpacking: Unpacking) -> Any:
        match node:
            case ["generator", int(place)]:
                self.generators.append(rng := torch.Generator())
                rng.set_state(self.tensors[place])
                return rng
            case ["module" | "optimizer" as kind, str(text)]:
                unpickler = _Unpickler(io.BytesIO(bytes.fromhex(text)))
                unpickler.tensors = self.tensors
                value = unpickler.load()
                self.modules += [value] if kind == "module" else []
                return value
            case ["own", int(place)]:
                return self.objects[place]
            case ["dtype", str(name)]:
                return getattr(torch, name)
            case ["function", int(handle), str(name)]:
                return self.stub(handle, name)
            case ["object", str(name), bool(module), dict(methods), dict(parameters)]:
                called = {name: (self.stub(handle, name), own) for name, (handle, own) in methods.items()}
                return _built(name, module, called, {k: self.tensors[n] for k, n in parameters.items()})
        raise Malformed("a value of no known kind")

    def _state(self) -> list[list[Any]]:
        return [
            [_held(tensor) for tensor in self.tensors],
            [_items(held) for held in self.lists],
            [bytes_of(rng.get_state()) for rng in self.generators],
            [[part.training for part in module.modules()] for module in self.modules],
        ]

    def changes(self, packing: Packing) -> list[list[Any]]:
        """What the answer changed, as `Handed.change` takes it; its tensors go into `packing`."""
        found: list[list[Any]] = []
        tensors, lists, generators, modes = self.before
        for k, (tensor, (data, flag, grad)) in enumerate(zip(self.tensors, tensors, strict=True)):
            now = _held(tensor)
            found += [["tensor", k, packing.node(tensor.detach())]] if now[0] != data else []
            found += [["requires_grad", k, now[1]]] if now[1] != flag and tensor.is_leaf else []
            slope = None if tensor.grad_fn is not None or tensor.grad is None else tensor.grad.detach()
            found += [["grad", k, packing.node(slope)]] if now[2] != grad else []
        for k, (held, items) in enumerate(zip(self.lists, lists, strict=True)):
            now = _items(held)
            if len(now) != len(items) or any(a is not b for a, b in zip(now, items, strict=True)):
                found.append(["list", k, packing.node(held.copy())])
        for k, (rng, state) in enumerate(zip(self.generators, generators, strict=True)):
            if bytes_of(rng.get_state()) != state:
                found.append(["generator", k, packing.node(rng.get_state())])
        for k, (module, flags) in enumerate(zip(self.modules, modes, strict=True)):
            now = [part.training for part in module.modules()]
            found += [["modes", k, now]] if now != flags else []
        return found


def _built(
    name: str, module: bool, methods: dict[str, tuple[Callable[..., Any], bool]], parameters: dict[str, Tensor]
) -> Any:
    """An object of a class `name` whose methods call the law's; those not its class's own stand in a parent."""

    def method(called: Callable[..., Any]) -> Callable[..., Any]:
        return lambda self, *given, **named: called(*given, **named)

    bodies = [{n: method(called) for n, (called, is_own) in methods.items() if is_own is own} for own in (False, True)]
    parent = type("Parent", (nn.Module if module else object,), bodies[0])
    made = type(name, (parent,), bodies[1])()
    for label, tensor in parameters.items():
        made.register_parameter(label, tensor)
    return made


def _items(held: list[Any] | dict[Any, Any]) -> list[Any]:
    return [*held, *held.values()] if isinstance(held, dict) else [*held]


def _held(tensor: Tensor) -> tuple[Any, bool, bytes | None]:
    """Shape and numbers, the flag, and the numbers of `.grad`."""
    grad = tensor.grad if tensor.is_leaf else None
    return (tuple(tensor.shape), bytes_of(tensor)), tensor.requires_grad, None if grad is None else bytes_of(grad)
