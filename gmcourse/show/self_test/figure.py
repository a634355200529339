"""The questions on paper: each with a line for its answer, which is not printed."""

from collections.abc import Sequence
from textwrap import wrap

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gmcourse.show.self_test.questions import Question
from gmcourse.show.style import COLOURS, png

_LINE, _WIDE, _LETTERS = 0.19, 5.6, 80  # height of a line and width of the page in inches; letters in a line


def questions_png(questions: Sequence[Question]) -> bytes:
    """The questions as PNG; letters need few colours."""
    return png(questions_figure(questions), colours=16)


def questions_figure(questions: Sequence[Question]) -> Figure:
    """The questions, numbered, each with a rule to write on and how the number is wanted."""
    texts = [wrap(question.text, _LETTERS) for question in questions]
    tall = _LINE * sum(len(lines) + 2.4 for lines in texts)
    figure = Figure(figsize=(_WIDE, tall))
    figure.set_layout_engine("none")  # there are no axes to lay out
    ink, muted = ({"fontsize": 8.5, "va": "baseline", "color": COLOURS[name]} for name in ("ink", "muted"))
    y = tall
    for number, (question, lines) in enumerate(zip(questions, texts, strict=True), 1):
        figure.text(0.04, (y - _LINE) / tall, f"{number}.", ha="right", **ink)
        for line in lines:
            y -= _LINE
            figure.text(0.055, y / tall, line, **ink)
        y -= 1.5 * _LINE
        figure.add_artist(Line2D([0.055, 0.3], [y / tall] * 2, color=COLOURS["muted"], linewidth=0.8))
        figure.text(0.315, y / tall, question.wanted, **muted)
        y -= 0.9 * _LINE
    return figure
