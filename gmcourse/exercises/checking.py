"""Check an answer, climb the hints, see the solution."""

import difflib
from types import FunctionType
from typing import Any

from gmcourse.exercises.blame import kind_of, own_frame, place, raised_by_student, text
from gmcourse.exercises.guard import hold
from gmcourse.exercises.hints import QUESTIONS
from gmcourse.exercises.record import Exercise, Verdict
from gmcourse.exercises.registry import EXERCISES
from gmcourse.exercises.variants import posed, seed_of
from gmcourse.laws import LawBroken

NAMELESS = "Set `student` in the first cell, run it, then run this cell again."
_rung: dict[str, int] = {}


def check(id: str, answer: Any, *, seconds: float = 30.0, student: str | None = None) -> Verdict:
    """Hold `answer` against the laws of exercise `id`. Never raises but on Ctrl-C: an answer that fails is told why.

    With a `student`, an exercise that has a variant is checked with that student's numbers, those of `numbers`; one
    without a name has not attempted it.

    The answer runs in this process, from the same seeds each time; dtype, device, gradient mode and random state are
    put back. It is stopped after `seconds` of computing, or ten times that of waiting (0: never), but only in the main
    thread, on POSIX, while it runs Python: not inside one long call of a library, nor in a loop that catches every
    exception.
    """
    try:
        exercise = EXERCISES.get(id)
        if exercise is None:
            return Verdict(text(id), "could not run", observed=_unknown(id))
        asked = student if exercise.variant is not None else None
        if isinstance(asked, str) and not asked.strip():
            return Verdict(id, "not attempted", observed=NAMELESS)
        if answer is ...:
            return Verdict(id, "not attempted")
        if (home := _imported_from(answer)) is not None:
            return Verdict(id, "not attempted", observed=f"This is {home}'s own: run the cell with your answer first.")
        if asked is not None:
            exercise = posed(exercise, seed_of(asked, id))
        return judge(exercise, answer, seconds)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a lesson that cannot be imported, an error that cannot be told from another
        return Verdict(text(id), "could not run", observed=_said(error))


class Hint(str):
    """A hint in words, which a notebook shows as they are, without quotes."""

    def __repr__(self) -> str:
        return str(self)


def hint(id: str) -> Hint:
    """The next hint for exercise `id`, or that there is no further one. Raises ValueError for an unknown id."""
    ladder = _find(id).hints
    rung = _rung[id] = _rung.get(id, 0) + 1
    if rung > len(ladder):
        return Hint(f'That was the last hint: {ladder[-1]}\nsolution("{id}") shows a right answer.')
    return Hint(f"Hint {rung} of {len(ladder)}: {ladder[rung - 1]}")


def solution(id: str) -> Any:
    """The source of the reference answer, or its value. Raises ValueError for an unknown id."""
    from gmcourse.show.source import source

    reference = _find(id).reference
    return source(reference) if callable(reference) else reference


def _imported_from(answer: Any) -> str | None:
    """The package's module that the answer stands in: a lesson has imported its name, and its stub was not run."""
    if type(answer) is not FunctionType:
        return None
    home = text(answer.__module__)
    return home if home.startswith("gmcourse.") and not home.startswith("gmcourse.exercises.") else None


def _find(id: str) -> Exercise:
    if id not in EXERCISES:
        raise ValueError(_unknown(id))
    return EXERCISES[id]


def _unknown(id: Any) -> str:
    close = difflib.get_close_matches(text(id), EXERCISES) or sorted(EXERCISES)
    said = repr(id) if isinstance(id, str) else text(id)
    return f"id: got {said}, expected one of the exercises; did you mean {', '.join(close)}?"


def judge(exercise: Exercise, answer: Any, seconds: float = 30.0) -> Verdict:
    """Hold `answer` against the laws of a record, one that `posed` made as well: the rest is `check`'s."""
    try:
        hold(exercise.laws, answer, seconds)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return _verdict(exercise, answer, error)
    return Verdict(exercise.id, "correct", points=exercise.points)


def _verdict(exercise: Exercise, answer: Any, error: BaseException) -> Verdict:
    """What an error says of the answer that it came from."""
    if isinstance(error, LawBroken):
        said = (text(vars(error).get(name, "")) for name in ("law", "observed", "expected", "case", "cause"))
        law, observed, expected, case, cause = said
        question = exercise.causes.get(cause) or QUESTIONS.get(cause, QUESTIONS[""])
        return Verdict(exercise.id, "wrong", law=law, observed=observed, expected=expected, case=case, hint=question)
    if isinstance(error, NotImplementedError) and not error.args and raised_by_student(answer, error):
        return Verdict(exercise.id, "not attempted")
    if isinstance(error, AssertionError) and own_frame(answer, error) is None:  # a law written with `assert`
        law = text(error) or "what the exercise asserts of an answer does not hold"
        return Verdict(exercise.id, "wrong", law=law, hint=QUESTIONS[""])
    said = filter(None, [_said(error), place(answer, error)])
    return Verdict(exercise.id, "could not run", observed="\n".join(said))


def _said(error: BaseException) -> str:
    return f"{kind_of(error)}: {text(error)}"
