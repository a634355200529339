"""The process of the answers: it runs them, and gives back plain data. Nothing that it says is believed.

`gmcourse.grading.enter` starts it, with the limits taken and the grader's two pipes.
"""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch._C._functorch import is_functorch_wrapped_tensor
from torch.overrides import TorchFunctionMode

from gmcourse.exercises.blame import kind_of, place, raised_by_student, text
from gmcourse.exercises.guard import SEED
from gmcourse.grading.boundary import Peer
from gmcourse.grading.errors import error_class
from gmcourse.grading.handed import Down
from gmcourse.grading.plain import Packing
from gmcourse.grading.remote import Work, cross
from gmcourse.grading.wire import Gone


class Counting(TorchFunctionMode):
    """Counts the numbers in the tensors that torch gives back, for the laws that ask how many were needed."""

    numbers = 0

    def __torch_function__(self, func: Callable, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        self.numbers += output.numel() if isinstance(output, Tensor) else 0
        return output


class Inside:
    """The child's side: one answer at a time, `load` finds it in what the parent sends."""

    def __init__(self, reads: int, writes: int, load: Callable[[dict[str, Any]], Any]):
        self.peer, self.load = Peer(reads, writes), load
        self.answer: Any = None
        self.given: dict[int, list[Tensor]] = {}
        self.objects: list[Any] = []
        self.count = 0
        self.peer.serve |= {"begin": self._begun, "answer": self._answered}
        self.peer.stops = lambda error: False
        self.peer.told = self._told
        self.peer.error = _raised

    def run(self) -> None:
        """Answer the parent until it closes the pipe."""
        while True:
            try:
                self.peer.step()
            except Gone:
                return

    def _begun(self, header: dict[str, Any], tensors: list[Tensor]) -> tuple[dict[str, Any], list[Tensor]]:
        """A fresh start for one exercise: seeds, dtype, gradients, and the answer looked up."""
        self.peer.forget()
        self.given.clear()
        self.objects.clear()
        self.answer = None
        torch.set_default_dtype(torch.float32)
        torch.set_grad_enabled(True)
        self.answer = self.load(header)
        random.seed(SEED)
        np.random.seed(SEED)  # noqa: NPY002
        torch.default_generator.manual_seed(SEED)
        called = callable(self.answer)
        reply = {"callable": called, "name": text(getattr(self.answer, "__name__", kind_of(self.answer)))}
        home = text(getattr(self.answer, "__module__", "")) if isinstance(self.answer, type(_raised)) else ""
        reply["home"] = home if home.startswith("gmcourse.") else ""
        value, held = self.peer.operations.returned(None if called else self.answer, [])
        return {**reply, **value}, held

    def _answered(self, header: dict[str, Any], raw: list[Tensor]) -> tuple[dict[str, Any], list[Tensor]]:
        """The answer called: what it gives, and what it changed of what it was given."""
        down = Down(header, raw, self._stub, self.given, self.objects)
        args, named = down.value
        with torch.set_grad_enabled(header["slopes"]), Counting() as counting:
            value = self.answer(*args, **named)
        packing = Packing(self._opaque)
        changes = down.changes(packing)
        reply, tensors = self.peer.operations.returned(value, down.leaves, packing)
        self.count += 1
        self.given[self.count] = [*tensors]
        self.given.pop(self.count - 100, None)
        return {**reply, "changes": changes, "numbers": counting.numbers, "number": self.count}, tensors

    def _opaque(self, value: Any, packing: Packing) -> list[Any]:
        """An object that stays here, by its type's name, and by a number that a law may hand back."""
        if not any(value is held for held in self.objects[-100:]):
            self.objects.append(value)
        return ["opaque", kind_of(value), next(k for k, held in reversed([*enumerate(self.objects)]) if held is value)]

    def _stub(self, handle: int, name: str) -> Callable[..., Any]:
        """A function of a law's, as the answer is given it."""

        def function(*args: Any, **named: Any) -> Any:
            packing = Packing()
            given = packing.node((args, named))
            slopes = torch.is_grad_enabled()
            wants = [_wants(t) for t in packing.tensors]
            header = {"do": "call", "function": handle, "given": given, "wants": wants, "slopes": slopes}
            return cross(Work(self.peer, header, wants), packing.tensors)

        function.__name__ = name if name.isidentifier() else "function"
        return function

    def _told(self, error: BaseException) -> dict[str, Any]:
        raised = getattr(error, "_raised_above", None)
        bare = isinstance(error, NotImplementedError) and not error.args and raised_by_student(self.answer, error)
        return {
            "kind": kind_of(error),
            "text": text(error)[:2_000],
            "place": place(self.answer, error),
            "bare": bare,
            "raised": raised,
            "back": raised is not None,
        }


def _wants(tensor: Tensor) -> bool:
    smooth = tensor.is_floating_point() or tensor.is_complex()
    return smooth and (tensor.requires_grad or is_functorch_wrapped_tensor(tensor))


def _raised(told: dict[str, Any]) -> BaseException:
    """A law's error, as the answer sees it."""
    error = error_class(told.get("bases", []))(told.get("text", ""))
    error._raised_above = told.get("raised")  # type: ignore[attr-defined]
    return error
