"""The parent's end: an answer in another process, as a function that a law can call, and a verdict on it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch.overrides import _get_current_function_mode_stack

from gmcourse.exercises.guard import OutOfTime, hold, limited
from gmcourse.exercises.hints import QUESTIONS
from gmcourse.exercises.record import Exercise, Verdict
from gmcourse.grading.boundary import Peer
from gmcourse.grading.errors import Failed
from gmcourse.grading.handing import Handed
from gmcourse.grading.plain import Unpacking
from gmcourse.grading.remote import Work, attach
from gmcourse.grading.wire import Malformed, Stopped
from gmcourse.laws import LawBroken


def answer_of(peer: Peer, begin: dict[str, Any]) -> tuple[Any, str]:
    """The answer that the child found: a value, or a function that calls it there; and the module it came from."""
    peer.forget()
    header, tensors = peer.ask({"do": "begin", **begin})
    name, home = header.get("name"), header.get("home")
    if not isinstance(name, str) or not isinstance(home, str):
        raise Malformed("an answer without a name")
    if header.get("callable") is not True:
        return Unpacking(tensors).value(header.get("value")), home
    return remote_function(peer, name), home


def remote_function(peer: Peer, name: str) -> Callable[..., Any]:
    """The child's answer as a function of this side."""

    def answer(*args: Any, **named: Any) -> Any:
        with torch._C.DisableTorchFunction():  # a law that counts what torch computes counts none of this
            return called(args, named)

    def called(args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        handed = Handed((args, named), peer.operations.handle)
        slopes = torch.is_grad_enabled()
        header = {"do": "answer", "given": handed.node, "wants": handed.kinds, "slopes": slopes}
        inputs = [t for t in handed.tensors if t.requires_grad]
        with peer.operations.gathering() as frame:
            header, tensors = peer.ask(header, [t.detach() for t in handed.tensors])
        handed.change(header.get("changes"), tensors)
        _count(header.get("numbers"))
        work = Work(peer, {}, [True] * len(inputs))
        work.read(header, tensors)
        outs = attach(work, inputs, tensors, list(frame.hidden.values()))
        for k, out in enumerate(outs):
            out.came_from = (header.get("number"), k, out._version)  # type: ignore[attr-defined]
        return Unpacking(list(outs)).value(work.node)

    answer.__name__ = name
    return answer


def verdict(peer: Peer, exercise: Exercise, begin: dict[str, Any], seconds: float) -> tuple[Verdict, str]:
    """What `check` says of the answer that the child finds, and the cause that a law named.

    Raises Stopped where the child must be ended, OutOfTime where the law took too long.
    """
    id, answer = exercise.id, None
    try:
        with limited(seconds):
            answer, home = answer_of(peer, begin)
        if answer is ...:
            return Verdict(id, "not attempted"), ""
        if home and not home.startswith("gmcourse.exercises."):
            said = f"This is {home}'s own: run the cell with your answer first."
            return Verdict(id, "not attempted", observed=said), ""
        hold(exercise.laws, answer, seconds)
    except LawBroken as broken:
        question = exercise.causes.get(broken.cause) or QUESTIONS.get(broken.cause, QUESTIONS[""])
        seen = {name: f"{getattr(broken, name)}" for name in ("law", "observed", "expected", "case")}
        return replace(Verdict(id, "wrong", hint=question), **seen), broken.cause
    except Failed as failed:
        if failed.bare:
            return Verdict(id, "not attempted"), ""
        return Verdict(id, "could not run", observed="\n".join(filter(None, [failed.said, failed.place]))), ""
    except AssertionError as error:  # a law written with `assert`
        law = str(error) or "what the exercise asserts of an answer does not hold"
        return Verdict(id, "wrong", law=law, hint=QUESTIONS[""]), ""
    except (Stopped, OutOfTime):
        raise
    except Exception as error:  # a law that stumbled over what the answer gave
        place = f"when a law called `{answer.__name__}`, or looked at what it gave" if callable(answer) else ""
        said = f"{type(error).__name__}: {error}"
        return Verdict(id, "could not run", observed="\n".join(filter(None, [said, place]))), ""
    return Verdict(id, "correct", points=exercise.points), ""


def _count(numbers: Any) -> None:
    """Tell the laws that count them how many numbers were computed on the other side, as that side says."""
    for mode in _get_current_function_mode_stack():
        if hasattr(mode, "numbers") and type(numbers) is int and numbers > 0:
            mode.numbers += numbers
