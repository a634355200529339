"""Answers in many styles: the right ones pass, the wrong ones are refused and draw the question that fits.

Modules answers_<lesson>.py in the families' folders here keep them as data: `RIGHT = {id: {style: answer}}` and
`WRONG = {id: {slip: (answer, cause)}}`. A cause of "" is the neutral question; None, that the answer could not run.
"""

import importlib.util
from functools import partial
from pathlib import Path

import pytest

from gmcourse.exercises import EXERCISES, check
from gmcourse.exercises.hints import QUESTIONS

HERE = Path(__file__).resolve().parent


def written(answer):
    """As if the student had written it: a name of the package's own is no answer."""
    return partial(answer) if callable(answer) else answer


def kept():
    for path in sorted(HERE.glob("*/answers_*.py")):
        spec = importlib.util.spec_from_file_location(f"{path.parent.name}_{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module


MODULES = list(kept())
RIGHT = [(id, style, answer) for m in MODULES for id, all_ in m.RIGHT.items() for style, answer in all_.items()]
WRONG = [(id, slip, *case) for m in MODULES for id, all_ in m.WRONG.items() for slip, case in all_.items()]


@pytest.mark.parametrize(("id", "answer"), [(r[0], r[2]) for r in RIGHT], ids=[f"{r[0]}: {r[1]}" for r in RIGHT])
def test_a_right_answer_passes_however_it_is_written(id, answer):
    verdict = check(id, written(answer))
    assert verdict.status == "correct", verdict


@pytest.mark.parametrize(
    ("id", "answer", "cause"), [(w[0], *w[2:]) for w in WRONG], ids=[f"{w[0]}: {w[1]}" for w in WRONG]
)
def test_a_wrong_answer_draws_its_question(id, answer, cause):
    verdict = check(id, written(answer))
    if cause is None:
        assert verdict.status == "could not run", verdict
        return
    assert verdict.status == "wrong", verdict
    assert verdict.hint == EXERCISES[id].causes.get(cause, QUESTIONS.get(cause)), verdict
