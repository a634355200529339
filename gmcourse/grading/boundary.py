"""Calls across two pipes, and gradients through them: two peers, each of which can ask the other, one thing at a time.

A call whose inputs or outputs carry gradients is kept as an operation on the side that computed it. On the side that
asked, its outputs hang on its inputs by one autograd function, whose backward pass asks the other side for the
product of a vector with the Jacobian; that is an operation itself, so that second derivatives pass, too. Parameters
that the asking side hides in its own functions, which the call used, count as further inputs of it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from gmcourse.grading import wire
from gmcourse.grading.errors import Failed, bases_of
from gmcourse.grading.plain import Packing, Unpacking, bytes_of, kind_of, tensor_of
from gmcourse.grading.remote import Operation, leaves_of
from gmcourse.grading.wire import Malformed

MOST_OPERATIONS = 200_000
MOST_NESTED = 40


@dataclass
class Frame:
    """What a question in flight gathers here: leaves that answers on this side reached, and their gradients."""

    hidden: dict[int, Tensor] = field(default_factory=dict)
    slopes: dict[int, Tensor] = field(default_factory=dict)


class Peer:
    """One side of the boundary. `serve` answers a request of the other side by its name; `wait` bounds the time."""

    def __init__(self, reads: int, writes: int):
        self.reads, self.writes = reads, writes
        self.wait: wire.Wait | None = None
        self.look: Callable[[], None] = lambda: None
        self.functions: dict[int, Callable[..., Any]] = {}
        self.operations: dict[int, Operation] = {}
        self.raised: dict[int, BaseException] = {}
        self.frames: list[Frame] = []
        self.depth, self.count, self.asked = 0, 0, 0
        self.serve: dict[str, Callable[[dict[str, Any], list[Tensor]], tuple[dict[str, Any], list[Tensor]]]] = {
            "call": self._called,
            "pull": self._pulled,
            "push": self._pushed,
        }

    def forget(self) -> None:
        """Let go of all functions, operations and errors."""
        for held in (self.functions, self.operations, self.raised):
            held.clear()
        self.count = 0

    def ask(self, header: dict[str, Any], tensors: Sequence[Tensor] = ()) -> tuple[dict[str, Any], list[Tensor]]:
        """The other side's reply, after whatever it asks of this one meanwhile. Raises Failed where it raised."""
        self.asked += 1
        own = self.asked
        self._send({**header, "number": own}, tensors)
        while (came := self.step()) is None:
            continue
        header, tensors = came
        if header.get("answers") != own:
            raise Malformed("a reply to another question")
        if "error" in header:
            raise self.error(header["error"])
        return header, tensors

    def step(self) -> tuple[dict[str, Any], list[Tensor]] | None:
        """Read a frame: a request is answered, a reply is given back."""
        header, blobs = wire.receive(self.reads, self.wait)
        kinds = _list(header, "tensors")
        if len(kinds) != len(blobs):
            raise Malformed("a frame without its tensors")
        tensors = [tensor_of(kind, blob) for kind, blob in zip(kinds, blobs, strict=True)]
        if "do" not in header:
            return header, tensors
        self.answer(header, tensors)
        return None

    def answer(self, header: dict[str, Any], tensors: list[Tensor]) -> None:
        """Do what the other side asks and send what came of it, an error too."""
        self.depth += 1
        try:
            work = self.serve.get(header["do"]) if isinstance(header["do"], str) else None
            if work is None or self.depth > MOST_NESTED or len(self.operations) > MOST_OPERATIONS:
                raise Malformed("a request that is none")
            reply, outs = work(header, tensors)
            self._send({**reply, "answers": header.get("number")}, outs)
        except wire.Stopped:
            raise
        except BaseException as error:
            if self.stops(error):
                raise
            self._send({"error": self.told(error), "answers": header.get("number")})
        finally:
            self.depth -= 1

    def stops(self, error: BaseException) -> bool:
        """Whether an error ends this side, and is not the other's to know."""
        return not isinstance(error, Exception)

    def told(self, error: BaseException) -> dict[str, Any]:
        """An error as plain data."""
        self.count += 1
        self.raised[self.count] = error
        return {"bases": bases_of(error), "text": str(error)[:2_000], "raised": self.count}

    def _send(self, header: dict[str, Any], tensors: Sequence[Tensor] = ()) -> None:
        blobs = [bytes_of(tensor) for tensor in tensors]
        kinds = [kind_of(tensor) for tensor in tensors]
        wire.send(self.writes, {**header, "tensors": kinds}, blobs, self.wait)

    def error(self, told: Any) -> BaseException:
        """The error that the other side tells of: one of this side's own that has come back, or a Failed."""
        told = told if isinstance(told, dict) else {}
        own = told.get("raised")
        if told.get("back") is True and isinstance(own, int) and own in self.raised:
            return self.raised[own]
        kind, text, place = (str(told.get(name, ""))[:2_000] for name in ("kind", "text", "place"))
        return Failed(kind, text, place, told.get("bare") is True)

    # Calls

    def keep(self, leaves: Sequence[Tensor], outs: Sequence[Tensor]) -> int:
        """An operation kept, by its number: `outs` as functions of `leaves` and of what else they hang on."""
        hidden = {id(leaf): leaf for leaf in leaves_of(outs) if not any(leaf is own for own in leaves)}
        self.count += 1
        self.operations[self.count] = Operation(list(leaves), list(outs), list(hidden.values()))
        if self.frames:
            self.frames[-1].hidden.update(hidden)
        return self.count

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
        self.count += 1
        self.functions[self.count] = function
        return self.count

    def _called(self, header: dict[str, Any], raw: list[Tensor]) -> tuple[dict[str, Any], list[Tensor]]:
        """A function of this side called by the other: its value, and the operation that it was."""
        function = self.functions.get(header.get("function", 0))
        wants = _list(header, "wants")
        if function is None or len(wants) != len(raw):
            raise Malformed("a call of no function")
        leaves = [t.requires_grad_() for t, want in zip(raw, wants, strict=True) if want is True and _smooth(t)]
        levels = header.get("rows", 0)
        if type(levels) is not int or not 0 <= levels < 10:
            raise Malformed("a call over no rows")
        with torch.set_grad_enabled(header.get("slopes") is True):
            if not levels:
                args, named = _arguments(raw, header)
                return self.returned(function(*args, **named), leaves)
            return self._over_rows(function, header, raw, leaves, levels)

    def _over_rows(
        self, function: Callable[..., Any], header: dict[str, Any], raw: list[Tensor], leaves: list[Tensor], levels: int
    ) -> tuple[dict[str, Any], list[Tensor]]:
        """A function called under `torch.vmap`, on all rows at once."""
        told: list[Any] = []

        def on_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
            args, named = _arguments(list(tensors), header)
            packing = Packing()
            told[:] = [packing.node(function(*args, **named))]
            return tuple(packing.tensors)

        for _ in range(levels):
            on_tensors = torch.vmap(on_tensors)
        outs = on_tensors(*raw)
        reply, tensors = self.returned(list(outs), leaves)
        return {**reply, "value": told[0]}, tensors

    def returned(
        self, value: Any, leaves: Sequence[Tensor], packing: Packing | None = None
    ) -> tuple[dict[str, Any], list[Tensor]]:
        """A reply that gives `value`; what of it carries a gradient is kept as an operation on `leaves`."""
        packing = packing or Packing()
        node = packing.node(value)
        carries = [tensor.requires_grad for tensor in packing.tensors]
        outs = [tensor for tensor in packing.tensors if tensor.requires_grad]
        number = self.keep(leaves, outs) if outs else None
        return {"value": node, "operation": number, "carries": carries}, packing.tensors

    # Gradients

    def _pulled(self, header: dict[str, Any], slopes: list[Tensor]) -> tuple[dict[str, Any], list[Tensor]]:
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
            for leaf, slope in zip(kept.hidden, found[len(kept.leaves) :], strict=True):
                if slope is not None:
                    held = self.frames[-1].slopes
                    held[id(leaf)] = held[id(leaf)] + slope if id(leaf) in held else slope
        return self.returned(list(found[: len(kept.leaves)]), [*kept.leaves, *slopes] if create else [])

    def _pushed(self, header: dict[str, Any], tangents: list[Tensor]) -> tuple[dict[str, Any], list[Tensor]]:
        """The product of the Jacobian of an operation of this side with `tangents`, one for each of its leaves."""
        kept = self._operation(header, None)
        if [t.shape for t in tangents] != [t.shape for t in kept.leaves]:
            raise Malformed("tangents of another shape")
        tangents = [tangent.requires_grad_() for tangent in tangents]
        with torch.enable_grad():
            weights = [torch.zeros_like(out, requires_grad=True) for out in kept.outs]
            found = torch.autograd.grad(
                kept.outs, kept.leaves, weights, retain_graph=True, create_graph=True, materialize_grads=True
            )
            total = sum((a * b).sum() for a, b in zip(found, tangents, strict=True))
            pushed = torch.autograd.grad(total, weights, create_graph=True, materialize_grads=True)  # type: ignore[arg-type]
        return self.returned(list(pushed), [*kept.leaves, *tangents])

    def _operation(self, header: dict[str, Any], slopes: list[Tensor] | None) -> Operation:
        kept = self.operations.get(header.get("operation", 0))
        if kept is None or (slopes is not None and [t.shape for t in slopes] != [t.shape for t in kept.outs]):
            raise Malformed("a gradient of no operation")
        return kept


def _list(header: dict[str, Any], name: str) -> list[Any]:
    found = header.get(name)
    if not isinstance(found, list):
        raise Malformed(f"a frame without {name}")
    return found


def _arguments(tensors: list[Tensor], header: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    given = Unpacking(tensors).value(header.get("given"))
    if not (isinstance(given, tuple) and len(given) == 2 and isinstance(given[0], tuple)):
        raise Malformed("a call without arguments")
    if not (isinstance(given[1], dict) and all(isinstance(name, str) for name in given[1])):
        raise Malformed("a call without arguments")
    return given


def _smooth(tensor: Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()
