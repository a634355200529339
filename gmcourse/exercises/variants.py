"""The same exercise with other numbers: those of one student, or the points that only an instructor knows."""

import hashlib
import inspect
import json
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from gmcourse.exercises.record import Exercise
from gmcourse.exercises.registry import EXERCISES


class Prompt(str):
    """A prompt in Markdown, which a notebook sets as such."""

    def __repr__(self) -> str:
        return str(self)

    def _repr_markdown_(self) -> str:
        return str(self)


def seed_of(student: str, id: str, key: str = "") -> int:
    """The seed of `student` for exercise `id`: 63 bits of a SHA-256, the same on every machine and for ever.

    Case, outer blanks and the number of blanks in `student` do not count: "Ada  Byron " is "ada byron". Raises
    TypeError for anything but strings, ValueError for a student without a name.
    """
    for name, given in {"student": student, "id": id, "key": key}.items():
        if not isinstance(given, str):
            raise TypeError(f"{name}: got a {type(given).__name__}, expected a string")
    if not (known := spelt(student)):
        raise ValueError(f"student: got {student!r}, expected a name or a number as text")
    digest = hashlib.sha256(json.dumps([known, id, key]).encode("ascii")).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def posed(exercise: Exercise, seed: int) -> Exercise:
    """`exercise` with what `seed` draws: its variant's numbers, or `seed` for every law that takes one.

    The variant's prompt is not in the record: `numbers` tells it. An exercise without either comes back as it is.
    """
    if exercise.variant is not None:
        drawn = exercise.variant(seed)
        return replace(
            exercise,
            laws=drawn.laws,
            reference=drawn.reference,
            wrong=drawn.wrong,
            hints=drawn.hints or exercise.hints,
            causes={**exercise.causes, **drawn.causes},
        )
    if not any(map(takes_seed, exercise.laws)):
        return exercise
    return replace(exercise, laws=tuple(_seeded(law, seed) for law in exercise.laws))


def _seeded(law: Callable[..., Any], seed: int) -> Callable[..., Any]:
    return partial(law, seed=seed) if takes_seed(law) else law


def takes_seed(law: Callable[..., Any]) -> bool:
    """Whether `law` draws its points from a seed."""
    return "seed" in inspect.signature(law).parameters


def numbers(id: str, student: str) -> Prompt:
    """The prompt of exercise `id` with the numbers of `student`; without a name, what to do about it.

    Raises ValueError for an unknown id and for an exercise whose numbers are the same for all.
    """
    exercise = EXERCISES.get(id)
    if exercise is None or exercise.variant is None:
        raise ValueError(f"id: got {id!r}, expected an exercise that has numbers for each student")
    if isinstance(student, str) and not spelt(student):
        return Prompt("Set `student` in the first cell, run it, then run this cell again: your numbers appear here.")
    return Prompt(exercise.variant(seed_of(student, id)).prompt)


def spelt(student: str) -> str:
    """One spelling of a name, however it is typed."""
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", student).casefold()).split())
