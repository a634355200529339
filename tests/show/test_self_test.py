"""The self-test: each number computed anew, how answers are read and marked in Node, and what is handed to the page."""

import json
import math
import re
import shutil
from pathlib import Path

import pytest
import torch
from docutils.nodes import make_id

from gmcourse import show
from gmcourse.show.self_test.figure import questions_figure
from gmcourse.show.self_test.questions import QUESTIONS, Question

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")
CHAPTERS = Path(__file__).parents[2] / "chapters"
INF = math.inf


def f64(*values):
    return torch.tensor(values, dtype=torch.float64)


def means_error():
    spread = 1.4
    draws = next(n for n in range(1, 10_000) if spread / n**0.5 <= 0.07)
    to_n = round(spread / 0.07)
    return draws, [2 * 100, to_n, 100 * 2**0.5, draws - 100]


def log_sum():
    exponents = f64(-1000, -1000)
    naive = exponents.exp().sum().log()
    return exponents.logsumexp(0), [naive, exponents.sum(), exponents[0], math.log(2), -1000 - math.log(2)]


def coins():
    p, q = (torch.distributions.Bernoulli(f64(chance)) for chance in (0.5, 0.1))
    kl, reverse = (torch.distributions.kl_divergence(*pair) for pair in ((p, q), (q, p)))
    return kl, [reverse, kl / math.log(2), kl / math.log(10), -kl, kl + p.entropy()]


def jensen():
    w = f64(1, 3)
    of_mean, of_logs = w.mean().log(), w.log().mean()
    gap, second_order = of_mean - of_logs, w.var(correction=0) / (2 * w.mean() ** 2)
    return gap, [-gap, 0, second_order, of_mean, of_logs, gap / math.log(2)]


def given_x2():
    """A regression: x₁ = mean + rest, and the rest knows nothing of x₂."""
    covariance = torch.stack([f64(4, 1.2), f64(1.2, 1)])
    root = torch.linalg.cholesky(covariance.flip(0, 1))  # x₂ first: x₁ = root[1, 0] e₂ + root[1, 1] e₁
    left, other = root[1, 1] ** 2, torch.linalg.det(covariance) / 4
    mean, removed = root[1, 0] * 2 / root[0, 0], 4 - left
    precision = torch.linalg.inv(covariance)[0, 0]
    return left, [4, left.sqrt(), mean, other, 4 - 1.2**2 / 4, 4 - 1.2, 4 + removed, precision]


def stretched():
    z = torch.distributions.MultivariateNormal(torch.zeros(3).double(), torch.eye(3).double())
    x = torch.distributions.MultivariateNormal(torch.zeros(3).double(), torch.eye(3).double() / 4)
    point = f64(0.3, -1, 2)
    rise = x.log_prob(point) - z.log_prob(2 * point)
    return rise, [rise / 3, -rise, -rise / 3, rise.exp(), rise / math.log(2), 0]


def square_of_uniform():
    x, step = 1 / 16, 1e-6
    u = x**0.5
    density = ((x + step) ** 0.5 - (x - step) ** 0.5) / (2 * step)  # P(u² ≤ x) = √x, differentiated
    return density, [2 * u, 1, u, 1 / u, 1 / (2 * x)]


def backward_pass():
    jacobian = torch.stack([f64(4, 1), f64(5, math.cos(2))])
    point = f64(1, 2).requires_grad_()
    outputs = torch.stack([point[0] ** 2 * point[1], 5 * point[0] + point[1].sin()])
    (product,) = torch.autograd.grad(outputs, point, torch.ones(2).double())
    forward = jacobian.sum(1)
    return product[0], [forward[0], forward[1], jacobian[0, 0], product[1]]


def double_backward():
    x = f64(3).requires_grad_()
    (slope,) = torch.autograd.grad(x**3, x, create_graph=True)
    (answer,) = torch.autograd.grad(slope**2, x)
    slope = slope.detach()
    wrong_square = 6 * 3**5  # of (x³)²
    return answer, [0, slope**2, 2 * slope, slope, answer / 2, wrong_square]


def bits_per_pixel():
    nats, pixels = 88.33, 28**2
    bits = nats * math.log2(math.e)
    return bits / pixels, [nats / pixels, bits, nats * math.log(2) / pixels, bits / 28]


COMPUTED = (
    *(means_error, log_sum, coins, jensen, given_x2, stretched),
    *(square_of_uniform, backward_pass, double_backward, bits_per_pixel),
)


@pytest.mark.parametrize("index", range(10), ids=[computed.__name__ for computed in COMPUTED])
def test_every_number_is_computed_anew(index):
    question, (answer, wrong) = QUESTIONS[index], COMPUTED[index]()
    assert float(answer) == pytest.approx(question.answer, rel=3e-4)
    assert [float(value) for value in wrong] == pytest.approx([value for value, _ in question.wrong], rel=4e-3)


def test_every_tool_is_asked_for_and_every_remark_is_a_question():
    sections = [question.section for question in QUESTIONS]
    assert len(set(sections)) == 7
    assert sections == sorted(sections, key=sections.index)
    assert all(anchor == make_id(title) for title, anchor in sections)
    for question in QUESTIONS:
        assert question.text.endswith("?")
        for _, remark in question.wrong:
            assert remark.endswith("?")
            assert f"{abs(question.answer):g}" not in re.findall(r"[\d.]+", remark)


def test_every_section_to_read_is_a_heading_of_the_lesson():
    lesson = (CHAPTERS / "01_taxonomy" / "00_toolbox.md").read_text("utf-8")
    headings = [(title, make_id(title)) for title in re.findall(r"^## (.+)$", lesson, re.M)]
    assert {question.section for question in QUESTIONS} <= set(headings)
    assert len(headings) == len({anchor for _, anchor in headings})  # or the page numbers the second of two


@pytest.fixture
def page(node):
    """The value of an expression in the functions of `marking.js`."""

    def value(expression: str, given: object):
        names = "marked, numberIn, scoreOf, toRead"
        return node(
            f'import {{ {names} }} from "./self_test/marking.js";\nconsole.log(JSON.stringify({expression}));', given
        )

    return value


def questions():
    return json.loads(json.dumps(show.SelfTest().get_state()["questions"], allow_nan=False))


@needs_node
def test_right_answers_and_known_wrong_ones_are_told_apart(page):
    given = questions()
    right = page("given.map((one) => marked(one, String(one.answer)).state)", given)
    assert right == ["right"] * 10
    seen = page("given.map((one) => one.wrong.map(([text]) => marked(one, text)))", given)
    expected = [[{"state": "wrong", "remark": remark} for _, remark in question.wrong] for question in QUESTIONS]
    assert seen == expected


@needs_node
@pytest.mark.parametrize(
    ("number", "text", "state", "remark"),
    [
        (1, " 400 ", "right", ""),
        (1, "4e2", "right", ""),
        (1, "201", "wrong", "doubles"),
        (1, "7", "wrong", None),
        (2, "\u2212999,307", "right", ""),
        (2, "-999.3", "right", ""),
        (2, "–999.31", "right", ""),
        (2, "999.307", "wrong", None),
        (2, "-inf", "wrong", "too small"),
        (2, "−∞", "wrong", "too small"),
        (2, "∞", "wrong", None),
        (3, "0,5108", "right", ""),
        (3, ".51", "right", ""),
        (3, "0.368", "wrong", "Under which"),
        (4, "0.144", "right", ""),
        (4, "0", "wrong", "the same"),
        (6, "2.08", "right", ""),
        (6, "3", "wrong", "logarithm"),
        (7, "2/1", "right", ""),
        (7, "1 / 2", "wrong", "slope"),
        (7, "2.", "right", ""),
        (10, "0,1625", "right", ""),
        (10, "127", "wrong", "for the picture"),
        *((number, "1e5", "wrong", None) for number in (1, 10)),
        *(
            (5, text, "unread", None)
            for text in ("abc", "2.5.6", "1/2/3", "1,000.5", "2.56?", "-", "1/", "0x10", "NaN")
        ),
        *((5, text, "empty", None) for text in ("", "  ", "\u00a0")),
    ],
)
def test_answers_are_read_as_they_are_written(page, number, text, state, remark):
    seen = page("marked(given[0], given[1])", [questions()[number - 1], text])
    assert seen["state"] == state
    assert remark in seen["remark"] if remark else seen["remark"] == ""


@needs_node
@pytest.mark.parametrize("text", ["1/0", "0/0"])
def test_a_division_by_zero_is_never_right(page, text):
    states = page("given[0].map((one) => marked(one, given[1]).state)", [questions(), text])
    assert set(states) <= {"wrong", "unread"}


@needs_node
def test_the_verdict_names_what_to_read(page):
    states = ["right", "empty", "right", "wrong", "right", "unread", "wrong", "right", "right", "right"]
    assert page("toRead(...given)", [questions(), states]) == [
        {"title": "Log-sum-exp", "anchor": "log-sum-exp", "which": "question 2"},
        {"title": "KL and Jensen", "anchor": "kl-and-jensen", "which": "question 4"},
        {"title": "Jacobian and determinant", "anchor": "jacobian-and-determinant", "which": "questions 6 and 7"},
    ]
    assert page("scoreOf(given, true)", states) == "6 of 10. Read: "
    assert page("scoreOf(given, false)", states) == "6 of 10 so far."
    assert page("scoreOf(given, false)", ["right"] * 10) == "10 of 10: you can skip this lesson."
    same = [{"section": ["A", "a"]}] * 3
    assert page("toRead(given, [])", same) == [{"title": "A", "anchor": "a", "which": "questions 1, 2 and 3"}]


def test_on_paper_there_are_the_questions_and_no_answers():
    written = " ".join(text.get_text() for text in questions_figure(QUESTIONS).texts)
    for question in QUESTIONS:
        assert all(word in written for word in question.text.split())
    words = show.SelfTest().alt
    assert all(question.text in words for question in QUESTIONS)
    for answer in ("999.307", "400", "0.5108", "0.1438", "2.56", "2.079", "972", "0.1625"):
        assert answer not in written + words


def test_the_figure_keeps_its_lines_within_the_page():
    figure = questions_figure(QUESTIONS)
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in figure.texts]
    assert min(box.x0 for box in boxes) >= 0
    assert max(box.x1 for box in boxes) <= figure.bbox.width
    assert min(box.y0 for box in boxes) >= 0


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"tolerance": 0.0}, "tolerance: got 0.0"),
        ({"tolerance": math.nan}, "tolerance: got nan"),
        ({"wrong": ((1.05, "?"),)}, "wrong: got 1.05, expected no number within 0.1 of 1"),
    ],
)
def test_a_question_that_cannot_be_marked_is_named(changed, message):
    given = {"text": "Is it 1?", "answer": 1, "tolerance": 0.1, "wanted": "", "wrong": (), "section": ("A", "a")}
    with pytest.raises(ValueError, match=message):
        Question(**given | changed)


def test_no_questions_are_named():
    with pytest.raises(ValueError, match="questions: got none"):
        show.SelfTest([])
