"""A test that marks itself in the page: questions with a number each, and what to read for those that went wrong."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import traitlets
from matplotlib.figure import Figure

from gmcourse.show.explorer import joined
from gmcourse.show.self_test.figure import questions_png
from gmcourse.show.self_test.questions import QUESTIONS, Question
from gmcourse.show.widget import Explorer, styled

_HERE = Path(__file__).parent


class SelfTest(Explorer):
    """A field for a number under each question; it is marked in the page, and a verdict says which sections to read.

    No kernel is needed, nothing is stored and nothing is sent. For print and for GitHub there is `still`, or else the
    questions without their answers; `alt` says what is seen, or else it is the questions. Raises ValueError for no
    questions.
    """

    _esm = joined(_HERE / "self_test.js")
    _css = styled(_HERE / "self_test.css")

    questions = traitlets.List(traitlets.Dict()).tag(sync=True)

    def __init__(
        self, questions: Sequence[Question] = QUESTIONS, *, still: Figure | None = None, alt: str | None = None
    ):
        if not questions:
            raise ValueError("questions: got none, expected at least one Question")
        drawn = {"still": still, "opening": lambda: questions_png(questions)}
        words = _words(questions) if alt is None else alt
        super().__init__(questions=[_given(question) for question in questions], alt=words, **drawn)


def _given(question: Question) -> dict:
    """A question as JSON, which has no infinity: wrong numbers go as text, which the page reads like an answer."""
    return asdict(question) | {"wrong": [[str(value), remark] for value, remark in question.wrong]}


def _words(questions: Sequence[Question]) -> str:
    asked = (f"{number}. {question.text} ({question.wanted})" for number, question in enumerate(questions, 1))
    return f"A self-test: {len(questions)} questions, with a number to each. {' '.join(asked)}"
