"""A task as it stands in an assignment: away from its lesson, with the formulas that it names written out."""

import inspect
import posixpath
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from gmcourse.exercises import EXERCISES
from gmcourse.grading.lessons import Equation, Task, Told
from gmcourse.lab.course import Lesson

LINK = re.compile(r"\[([^\]]+)\]\((?!\w+:)([^)\s#]+)\.ipynb(?:#[^)\s]*)?\)")
NUMBER = re.compile(r"\((\d+\.\d+\.\d+)\)")
SENTENCE = re.compile(r"(?<=[.?!]\s)")
FIGURES = re.compile(r"\bFigures?\s(\d+\.\d+\.\d+(?:(?:, |,? and |–)\d+\.\d+\.\d+)*)")


def told_again(text: str, lesson: Lesson, address: str = "") -> str:
    """Words of a lesson, their links set to the book at `address`, or to no page where there is none."""
    return LINK.sub(partial(_link, lesson=lesson, address=address), text)


def leaned_on(task: Task, course: Mapping[str, Told], address: str = "") -> str:
    """What a task names and does not say, or nothing: its equations with the words around them; where figures stand.

    An equation that those words name stands below them, without its own.
    """
    said = f"{task.text}\n{task.stub}"
    named = [_equation(number, course) for number in dict.fromkeys(NUMBER.findall(said))]
    named = [replace(e, before=unanswered(e.before, task), after=unanswered(e.after, task)) for e in named]
    words = " ".join(f"{equation.before} {equation.after}" for equation in named)
    further = [_equation(number, course) for number in dict.fromkeys(NUMBER.findall(words))]
    further = [replace(e, before="", after="") for e in further if e.number not in {e.number for e in named}]
    lines = [_written_out(equation, address) for equation in (*named, *further)]
    figures = [number for found in FIGURES.findall(said) for number in re.findall(r"[\d.]+\d", found)]
    for number in dict.fromkeys(figures):
        home = _home(number, course)
        where = place(home.lesson, home.figures.get(number, ""), address)
        lines.append(f"Figure {number} stands in {where}.")
    return "\n\n".join(lines)


def _written_out(equation: Equation, address: str) -> str:
    """An equation, under where it is from, between the paragraph that leads to it and the one that goes on."""
    where = f"*Equation ({equation.number})*, from {place(equation.lesson, equation.section, address)}:"
    before, after = (told_again(text, equation.lesson, address) for text in (equation.before, equation.after))
    formula = f"$$\n{equation.formula} \\tag{{{equation.number}}}\n$$"
    return "\n\n".join(filter(None, [where, before, formula, after]))


def place(lesson: Lesson, section: str = "", address: str = "") -> str:
    """Where to read: lesson 5.7, *The weight decides*; a link where the book has an address."""
    named = f"lesson {lesson.number}, *{section or lesson.title}*"
    if not address:
        return named
    anchor = f"#{_anchor(section)}" if section else ""
    return f"[{named}]({_page(lesson.file, address)}{anchor})"


def whereabouts(lesson: Lesson, address: str = "") -> str:
    """What to tell a student who wants to read up: the book's page, and the notebook among their own copies."""
    copy = f"`{lesson.file}.ipynb` among your copies of the course, which `gmcourse lab` opens"
    return f"{place(lesson, address=address)}: {copy}."


def unanswered(text: str, task: Task) -> str:
    """The words without the sentences, and the asides in parentheses, that name the package's function for a task."""
    if task.is_open or "`gmcourse." not in text:
        return text
    names = _answers(EXERCISES[task.id].reference)
    named = rf"`(?:gmcourse\.[\w.]*)?\b(?:{'|'.join(map(re.escape, sorted(names)))})`"
    text = re.sub(rf"\s*\({named}\)", "", text)
    told = [said for said in re.split(SENTENCE, text) if not ("`gmcourse." in said and re.search(named, said))]
    return "".join(told).strip()


def _answers(reference: Any) -> set[str]:
    """The name of a reference, and those that its code takes."""
    code = getattr(inspect.unwrap(reference), "__code__", None) if callable(reference) else None
    return {getattr(reference, "__name__", ""), *(code.co_names if code else ())} - {""}


def _equation(number: str, course: Mapping[str, Told]) -> Equation:
    return _home(number, course).equations[number]


def _home(number: str, course: Mapping[str, Told]) -> Told:
    return course[number.rpartition(".")[0]]


def _link(found: re.Match, lesson: Lesson, address: str) -> str:
    file = posixpath.normpath(posixpath.join(posixpath.dirname(lesson.file), found[2]))
    if address:
        return f"[{found[1]}]({_page(file, address)})"
    return found[1] if NUMBER.fullmatch(found[1]) else f"{found[1]} (`{file}.ipynb`)"


def _page(file: str, address: str) -> str:
    return f"{address.rstrip('/')}/{file}.html"


def _anchor(section: str) -> str:
    """The id that the book gives a section."""
    letters = unicodedata.normalize("NFKD", section.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", letters).strip("-")
