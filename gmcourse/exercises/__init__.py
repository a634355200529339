"""Exercises that check themselves: `check(id, answer)`, `hint(id)`, `solution(id)`; and how to add your own.

An exercise is a record, `Exercise`. Those of the course stand in the folder of their family, one module a lesson, and
are imported when they are asked for: `check("vae.gaussian_kl", answer)` loads the exercises of `vae` and no others.
`EXERCISES` is a mapping from ids to records. Set one, and it can be checked like the others, in a notebook too:

    from gmcourse.exercises import EXERCISES, Exercise, check
    from gmcourse.laws.broken import require_close
    law = lambda answer: require_close("2x at x = 3", answer(3.0), 6.0, 1e-9, {"direction": 1.5, "spread": 9.0})
    EXERCISES["mine.double"] = Exercise(
        id="mine.double", stub="", points=1, laws=(law,), reference=lambda x: 2 * x, hints=("x + x",), wrong=())
    check("mine.double", lambda x: x * x)

A law is any function of the answer that raises where the answer is wrong: `LawBroken(law, observed, expected, cause)`,
which `require_close` does for you, or a plain `assert`. A `cause` draws its question: that of the record, in
`causes={"spread": "…"}`, else the course's own, `gmcourse.exercises.hints.QUESTIONS`, else a neutral one. `wrong`
holds known wrong answers, each with the cause it must draw: test your law on them, and on `reference`.

`variant` makes the numbers of a value exercise, one `Variant` for each seed, so that an answer cannot be passed on:
`numbers(id, student)` shows a student's own, and `check(id, answer, student=student)` asks for them.

A checked answer runs in this process, with all that the process may do: it can read the reference, or replace the
law. That is as it should be for one's own study, and no ground for a mark. To grade what others send you, run each
answer in a process of its own (a container, better), with limits on time and memory that the system enforces.
"""

from gmcourse.exercises.checking import check, hint, solution
from gmcourse.exercises.record import Exercise, Variant, Verdict
from gmcourse.exercises.registry import EXERCISES
from gmcourse.exercises.variants import numbers

__all__ = ["EXERCISES", "Exercise", "Variant", "Verdict", "check", "hint", "numbers", "solution"]
