"""Calls across two pipes, and gradients through them: two peers, each of which can ask the other, one thing at a time.

A call whose inputs or outputs carry gradients is kept as an operation on the side that computed it. On the side that
asked, its outputs hang on its inputs by one autograd function, whose backward pass asks the other side for the
product of a vector with the Jacobian; that is an operation itself, so that second derivatives pass, too. Parameters
that the asking side hides in its own functions, which the call used, count as further inputs of it.
"""

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from gmcourse.grading import wire
from gmcourse.grading.errors import Failed, bases_of
from gmcourse.grading.operations import Operations
from gmcourse.grading.plain import bytes_of, kind_of, listed, tensor_of
from gmcourse.grading.wire import Malformed

MOST_NESTED = 40


class Peer:
    """One side of the boundary. `serve` answers a request of the other side by its name; `wait` bounds the time."""

    def __init__(self, reads: int, writes: int):
        self.reads, self.writes = reads, writes
        self.wait: wire.Wait | None = None
        self.look: Callable[[], None] = lambda: None
        self.operations = Operations()
        self.raised: dict[int, BaseException] = {}
        self.depth, self.count = 0, 0
        self.serve: dict[str, Callable[[dict[str, Any], list[Tensor]], tuple[dict[str, Any], list[Tensor]]]] = {
            "call": self.operations.called,
            "pull": self.operations.pulled,
            "push": self.operations.pushed,
        }

    def forget(self) -> None:
        """Let go of all functions, operations and errors."""
        self.operations.forget()
        self.raised.clear()

    def ask(self, header: dict[str, Any], tensors: Sequence[Tensor] = ()) -> tuple[dict[str, Any], list[Tensor]]:
        """The other side's reply, after whatever it asks of this one meanwhile. Raises Failed where it raised."""
        self.count = own = self.count + 1
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
        kinds = listed(header, "tensors")
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
            if work is None or self.depth > MOST_NESTED:
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
        self.raised[self.count] = error.with_traceback(None)  # or it would hold what it was handed
        if len(self.raised) > 100:
            del self.raised[next(iter(self.raised))]
        return {"bases": bases_of(error), "text": str(error)[:2_000], "raised": self.count}

    def _send(self, header: dict[str, Any], tensors: Sequence[Tensor] = ()) -> None:
        blobs = [bytes_of(tensor) for tensor in tensors]
        kinds = [kind_of(tensor) for tensor in tensors]
        wire.send(self.writes, {**header, "tensors": kinds}, blobs, self.wait)

    def error(self, told: Any) -> BaseException:
        """The error that the other side tells of: one of this side's own that has come back, or a Failed."""
        told = told if isinstance(told, dict) else {}
        own = told.get("raised")
        if told.get("back") is True and type(own) is int and own in self.raised:
            return self.raised[own]
        kind, text, place = (str(told.get(name, ""))[:2_000] for name in ("kind", "text", "place"))
        return Failed(kind, text, place, told.get("bare") is True)
