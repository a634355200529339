"""What an exercise is, and what a check says of an answer."""

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Variant:
    """A value exercise with numbers drawn from a seed.

    `prompt` is Markdown with the numbers in it. `laws`, `reference` and `wrong` take the place of the record's; so do
    `hints`, where there are any, and each cause in `causes`: for those that speak of the numbers.
    """

    prompt: str
    laws: tuple[Callable[[Any], None], ...]
    reference: Any
    wrong: tuple[tuple[Any, str], ...]
    hints: tuple[str, ...] = ()
    causes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Exercise:
    """One exercise of a lesson.

    `stub` is the source that the lesson shows; `laws` are callables of the answer that raise `LawBroken`; `hints` is
    the ladder behind the first question: the concept, then a line of the solution. `causes` replaces the general
    question for a cause by one of this exercise; `wrong` pairs a known wrong answer with the cause it must draw.
    `variant` gives the exercise other numbers, from a seed, and its known wrong answers the same causes.
    """

    id: str
    stub: str
    points: int
    laws: tuple[Callable[[Any], None], ...]
    reference: Any
    hints: tuple[str, ...]
    wrong: tuple[tuple[Any, str], ...]
    causes: Mapping[str, str] = field(default_factory=dict)
    variant: Callable[[int], Variant] | None = None

    @property
    def name(self) -> str:
        """The name that the stub defines."""
        found = re.search(r"^(?:def |class )?(\w+)", self.stub, re.M)
        return found[1] if found else self.id.rpartition(".")[2]


Status = Literal["not attempted", "correct", "wrong", "could not run"]
COLOURS = {"not attempted": "#718096", "correct": "#2f855a", "wrong": "#c53030", "could not run": "#b7791f"}


@dataclass(frozen=True)
class Verdict:
    """The outcome of a check: its status and, for a wrong answer, law, case, the two values and one question."""

    id: str
    status: Status
    points: int = 0
    law: str = ""
    observed: str = ""
    expected: str = ""
    case: str = ""
    hint: str = ""

    def lines(self) -> list[str]:
        """The verdict in words, one fact a line."""
        match self.status:
            case "not attempted":
                return [f"{self.id}: not attempted yet.", *([self.observed] if self.observed else [])]
            case "correct":
                return [f"{self.id}: correct ({counted(self.points, 'point')})."]
            case "could not run":
                return [f"{self.id}: could not run.", self.observed, *([self.hint] if self.hint else [])]
        seen = [f"Seen: {self.observed}. Expected: {self.expected}."] if self.observed or self.expected else []
        case = [f"The case: {self.case}."] if self.case else []
        return [f"{self.id}: not yet.", f"The law: {self.law}", *case, *seen, self.hint]

    def __str__(self) -> str:
        return "\n".join(self.lines())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        first, *rest = (with_code(line) for line in self.lines())
        body = "".join(f"<div style='white-space:pre-wrap'>{line}</div>" for line in rest)
        style = f"border-left:4px solid {COLOURS[self.status]};padding:.2em .8em;background:transparent;color:inherit"
        return f"<div style='{style}'><b>{first}</b>{body}</div>"


def with_code(text: str) -> str:
    """The text as HTML, with what stands between backticks in a line as code."""
    return re.sub(r"`([^`\n]+)`", r"<code>\1</code>", html.escape(text))


def counted(many: float, noun: str) -> str:
    """1 point, 2 points."""
    return f"{many} {noun}{'' if many == 1 else 's'}"
