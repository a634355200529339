"""What one side of the boundary computed for the other, kept so that gradients can be asked for later."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from torch import Tensor

from gmcourse.grading.plain import Packing, Unpacking, listed
from gmcourse.grading.wire import Malformed

T = TypeVar("T")
MOST = 200_000
Reply = tuple[dict[str, Any], list[Tensor]]
"""A header and the tensors that it speaks of."""


@dataclass
class Operation:
    """Tensors that were computed, the leaves that stand for what was handed in, and the other leaves they hang on."""

    leaves: list[Tensor]
    outs: list[Tensor]
    hidden: list[Tensor]


@dataclass
class Frame:
    """What a question in flight gathers here: leaves that answers on this side reached, and their gradients."""

    hidden: dict[int, Tensor] = field(default_factory=dict)
    slopes: dict[int, Tensor] = field(default_factory=dict)

    def add(self, leaves: Sequence[Tensor], slopes: Sequence[Tensor | None]) -> None:
        """Add gradients of leaves to those that came before."""
        for leaf, slope in zip(leaves, slopes, strict=True):
            if slope is not None:
                known = self.slopes.get(id(leaf))
                self.slopes[id(leaf)] = slope if known is None else known + slope


class Operations:
    """The functions that the other side may call, and the operations that its calls were, by number."""

    def __init__(self) -> None:
        self.functions: list[Callable[..., Any]] = []
        self.operations: list[Operation] = []
        self.frames: list[Frame] = []

    def forget(self) -> None:
        """Let go of all functions and operations."""
        self.functions.clear()
        self.operations.clear()

    def keep(self, leaves: Sequence[Tensor], outs: Sequence[Tensor]) -> int:
        """An operation kept, by its number: `outs` as functions of `leaves` and of what else they hang on."""
        hidden = {id(leaf): leaf for leaf in leaves_of(outs) if not any(leaf is own for own in leaves)}
        if len(self.operations) >= MOST:
            raise Malformed("more operations than an answer may take")
        self.operations.append(Operation(list(leaves), list(outs), list(hidden.values())))
        if self.frames:
            self.frames[-1].hidden.update(hidden)
        return len(self.operations) - 1

    @contextmanager
    def gathering(self) -> Iterator[Frame]:
        """A frame for the time of one question."""
        self.frames.append(frame := Frame())
        try:
            yield frame
        finally:
            self.frames.pop()

    def handle(self, function: Callable[..., Any]) -> int:
        """The number by which the other side can call `function`."""
        self.functions.append(function)
        return len(self.functions) - 1

    def called(self, header: dict[str, Any], raw: list[Tensor]) -> Reply:
        """A function of this side called by the other: its value, and the operation that it was."""
        function = _numbered(self.functions, header.get("function"))
        wants = listed(header, "wants")
        if len(wants) != len(raw):
            raise Malformed("a call of no function")
        leaves = [t.requires_grad_() for t, want in zip(raw, wants, strict=True) if want is True and _smooth(t)]
        if type(levels := header.get("rows", 0)) is not int or not 0 <= levels < 10:
            raise Malformed("a call over no rows")
        with torch.set_grad_enabled(header.get("slopes") is True):
            if not levels:
                args, named = _arguments(raw, header)
                return self.returned(function(*args, **named), leaves)
            outs, value = _over_rows(function, header, raw, levels)
            reply, tensors = self.returned(outs, leaves)
            return {**reply, "value": value}, tensors

    def returned(self, value: Any, leaves: Sequence[Tensor], packing: Packing | None = None) -> Reply:
        """A reply that gives `value`; what of it carries a gradient is kept as an operation on `leaves`."""
        packing = packing or Packing()
        node = packing.node(value)
        carries = [tensor.requires_grad for tensor in packing.tensors]
        outs = [tensor for tensor in packing.tensors if tensor.requires_grad]
        number = self.keep(leaves, outs) if outs else None
        return {"value": node, "operation": number, "carries": carries}, packing.tensors

    def pulled(self, header: dict[str, Any], slopes: list[Tensor]) -> Reply:
        """The product of `slopes` with the Jacobian of an operation of this side, for each of its leaves."""
        kept, create = self._operation(header, slopes), header.get("slopes") is True
        if create:
            slopes = [slope.requires_grad_() for slope in slopes]
        targets = [*kept.leaves, *kept.hidden]
        with torch.enable_grad():
            found = torch.autograd.grad(
                kept.outs, targets, slopes, retain_graph=True, create_graph=create, allow_unused=True
            )
        if self.frames:
            self.frames[-1].add(kept.hidden, found[len(kept.leaves) :])
        return self.returned(list(found[: len(kept.leaves)]), [*kept.leaves, *slopes] if create else [])

    def pushed(self, header: dict[str, Any], tangents: list[Tensor]) -> Reply:
        """The product of the Jacobian of an operation of this side with `tangents`, one for each of its leaves."""
        kept = self._operation(header, None)
        if [t.shape for t in tangents] != [t.shape for t in kept.leaves]:
            raise Malformed("tangents of another shape")
        tangents = [tangent.requires_grad_() for tangent in tangents]
        return self.returned(_pushed(kept, tangents), [*kept.leaves, *tangents])

    def _operation(self, header: dict[str, Any], slopes: list[Tensor] | None) -> Operation:
        kept = _numbered(self.operations, header.get("operation"))
        if slopes is not None and [t.shape for t in slopes] != [t.shape for t in kept.outs]:
            raise Malformed("a gradient of no operation")
        return kept


def _numbered(held: Sequence[T], number: Any) -> T:
    if type(number) is not int or not 0 <= number < len(held):
        raise Malformed("a number of nothing that is kept")
    return held[number]


def _over_rows(
    function: Callable[..., Any], header: dict[str, Any], raw: list[Tensor], levels: int
) -> tuple[list[Tensor], Any]:
    """A function called under `torch.vmap`, on all rows at once: the tensors of its value, and its node."""
    told: list[Any] = []

    def on_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
        args, named = _arguments(list(tensors), header)
        packing = Packing()
        told[:] = [packing.node(function(*args, **named))]
        return tuple(packing.tensors)

    for _ in range(levels):
        on_tensors = torch.vmap(on_tensors)
    return list(on_tensors(*raw)), told[0]


def _pushed(kept: Operation, tangents: list[Tensor]) -> list[Tensor]:
    """The Jacobian times `tangents`, as the slope of (weights × Jacobian × tangents) in the weights."""
    with torch.enable_grad():
        weights = [torch.zeros_like(out, requires_grad=True) for out in kept.outs]
        found = torch.autograd.grad(
            kept.outs, kept.leaves, weights, retain_graph=True, create_graph=True, materialize_grads=True
        )
        total = sum((a * b).sum() for a, b in zip(found, tangents, strict=True))
        pushed = torch.autograd.grad(total, weights, create_graph=True, materialize_grads=True)  # type: ignore[arg-type]
    return list(pushed)


def leaves_of(outs: Iterable[Tensor]) -> list[Tensor]:
    """The leaves that tensors hang on, by autograd."""
    leaves = {id(out): out for out in outs if out.requires_grad and out.grad_fn is None}
    waiting = [out.grad_fn for out in outs if out.grad_fn is not None]
    seen = set(waiting)
    while waiting:
        node = waiting.pop()
        if (leaf := getattr(node, "variable", None)) is not None:
            leaves[id(leaf)] = leaf
        for step, _ in node.next_functions:
            if step is not None and step not in seen:
                seen.add(step)
                waiting.append(step)
    return list(leaves.values())


def _arguments(tensors: list[Tensor], header: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    given = Unpacking(tensors).value(header.get("given"))
    if not (isinstance(given, tuple) and len(given) == 2 and isinstance(given[0], tuple)):
        raise Malformed("a call without arguments")
    if not (isinstance(given[1], dict) and all(isinstance(name, str) for name in given[1])):
        raise Malformed("a call without arguments")
    return given


def _smooth(tensor: Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()
