"""What `check` says, and that it never raises; hints climb, solutions are shown."""

import random
import signal

import numpy as np
import pytest
import torch
from IPython.core.formatters import DisplayFormatter

from gmcourse.exercises import EXERCISES, Exercise, Verdict, check, hint, solution
from gmcourse.exercises.hints import QUESTIONS
from gmcourse.laws import LawBroken


@pytest.fixture
def exercise(monkeypatch):
    """A way to set an exercise of one's own, "mine.x", for one test."""

    def set_one(*laws, **options):
        record = Exercise("mine.x", "", 1, laws, None, ("think",), (), **options)
        monkeypatch.setitem(EXERCISES, "mine.x", record)

    return set_one


class Silent(Exception):
    """Says nothing of itself in any way."""

    def __str__(self):
        raise SystemExit

    __repr__ = __format__ = __str__


def test_could_not_run_names_the_students_own_line():
    def gaussian_kl(mean, log_std):
        value = mean**2
        return value + missing  # noqa: F821

    verdict = check("vae.gaussian_kl", gaussian_kl)
    assert verdict.status == "could not run"
    assert "missing" in verdict.observed
    assert "in your line 3: return value + missing" in verdict.observed


@pytest.mark.parametrize(
    "answer", [None, 3, "text", lambda: 0, lambda *_: None, lambda *_: "text", lambda m, s: exit()]
)
def test_check_never_raises(answer):
    assert check("vae.gaussian_kl", answer).status in {"wrong", "could not run"}


@pytest.mark.parametrize(
    "error",
    [Silent(), SystemExit(0), GeneratorExit(), BaseException("base"), RecursionError(), NotImplementedError("log")],
)
def test_whatever_an_answer_raises_is_told(error):
    def answer(*_):
        raise error

    verdict = check("vae.gaussian_kl", answer)
    assert verdict.status == "could not run"
    assert verdict.observed.startswith(type(error).__name__)
    assert "in your line 2: raise error" in verdict.observed
    assert verdict._repr_html_()


def hidden_errors():
    """Errors that hide what they are; made in the test, since the test runner would ask them at once."""

    class Mute(Exception):
        def __getattribute__(self, name):
            raise SystemExit(name)

    class Nameless(type):
        __name__ = property(lambda cls: 1 / 0)

        def __repr__(cls):
            raise SystemExit

    class Foreign(Exception, metaclass=Nameless):
        pass

    class Hollow(LawBroken):
        def __init__(self):
            pass

    class Hidden(LawBroken):
        __dict__ = property(lambda self: 1 / 0)

    return {"mute": Mute(), "foreign": Foreign(), "hollow": Hollow(), "hidden": Hidden("law", 1, 2)}


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("mute", "could not run", "SystemExit: __class__"),
        ("foreign", "could not run", "Foreign: \nin your line 2: raise hidden_errors"),
        ("hollow", "wrong", ""),
        ("hidden", "could not run", "ZeroDivisionError: division by zero"),
    ],
)
def test_errors_that_hide_are_told_as_well_as_they_can_be(name, status, said):
    def answer(*_):
        raise hidden_errors()[name]

    verdict = check("vae.gaussian_kl", answer)
    assert (verdict.status, verdict.observed[: len(said)]) == (status, said)


def test_answers_that_cannot_be_asked_anything_are_refused():
    class Closed:
        def __getattribute__(self, name):
            raise SystemExit(name)

        def __call__(self, *_):
            raise ValueError("closed")

        def __eq__(self, other):
            raise GeneratorExit

    assert "in your line 2: raise ValueError" in check("vae.gaussian_kl", Closed()).observed
    assert check("vae.latents_used", Closed()).status == "could not run"
    assert check(Closed(), Closed()).status == "could not run"


def test_a_module_of_torch_has_no_line_of_the_students():
    verdict = check("vae.gaussian_kl", torch.nn.Linear(2, 2))
    assert verdict.status == "could not run"
    assert "your" not in verdict.observed


def test_endless_recursion_is_told():
    def answer(mean, log_std):
        return answer(mean, log_std)

    verdict = check("vae.gaussian_kl", answer)
    assert verdict.status == "could not run"
    assert "in your line 2: return answer" in verdict.observed


def test_interrupt_of_the_student_passes():
    def answer(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check("vae.gaussian_kl", answer)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the time limit is kept on POSIX")
def test_endless_loop_is_stopped():
    def answer(*_):
        while True:
            pass

    verdict = check("vae.gaussian_kl", answer, seconds=0.1)
    assert verdict.status == "could not run"
    assert verdict.observed.startswith("OutOfTime: not done after 0.1 seconds\nin your line ")


def test_seconds_that_are_none_are_told():
    verdict = check("vae.gaussian_kl", lambda *_: 0, seconds="soon")
    assert verdict.status == "could not run"
    assert "TypeError" in verdict.observed


def test_not_attempted_is_what_the_stub_raises_and_no_other():
    def stub(*_):
        raise NotImplementedError

    def by_torch(mean, log_std):
        return torch.distributions.Distribution(validate_args=False).entropy()

    def with_words(*_):
        raise NotImplementedError("no kernel for Long")

    assert check("vae.gaussian_kl", stub).status == "not attempted"
    assert check("vae.gaussian_kl", ...).status == "not attempted"
    assert check("vae.gaussian_kl", by_torch).status == "could not run"
    assert check("vae.gaussian_kl", with_words).status == "could not run"


@pytest.mark.parametrize(
    ("causes", "cause", "question"),
    [
        ({}, "sign", QUESTIONS["sign"]),
        ({"sign": "Up or down?"}, "sign", "Up or down?"),
        ({"not-squared": "Squared?"}, "not-squared", "Squared?"),
        ({}, "not-squared", QUESTIONS[""]),
        ({"sign": "Up or down?"}, "", QUESTIONS[""]),
        ({}, ["unhashable"], QUESTIONS[""]),
    ],
)
def test_question_of_the_record_then_of_the_course_then_neutral(exercise, causes, cause, question):
    def law(answer):
        raise LawBroken("x is squared", answer, 4, cause)

    exercise(law, causes=causes)
    verdict = check("mine.x", 2)
    assert (verdict.status, verdict.law, verdict.observed, verdict.expected) == ("wrong", "x is squared", "2", "4")
    assert verdict.hint == question


def test_law_that_says_what_cannot_be_shown(exercise):
    def law(answer):
        raise LawBroken("x", answer, "y")

    exercise(law)
    assert "Silent" in str(check("mine.x", Silent()))


def test_a_broken_law_that_says_nothing_of_itself(exercise):
    class Bare(LawBroken):
        def __init__(self):
            pass

    def law(answer):
        raise Bare

    exercise(law)
    verdict = check("mine.x", 3)
    assert (verdict.status, verdict.law, verdict.observed, verdict.expected) == ("wrong", "", "", "")
    assert verdict.hint == QUESTIONS[""]


def test_law_written_with_assert(exercise):
    def law(answer):
        assert answer(3) == 6, "answer(3) is 6"

    def silent(answer):
        if answer(2) != 4:
            raise AssertionError

    exercise(law, silent)
    verdict = check("mine.x", lambda x: x)
    assert (verdict.status, verdict.hint) == ("wrong", QUESTIONS[""])
    assert verdict.law.startswith("answer(3) is 6")
    assert "Seen" not in str(verdict)
    assert "your line" not in str(verdict)
    assert check("mine.x", lambda x: 2 * x).status == "correct"
    verdict = check("mine.x", lambda x: 6)
    assert (verdict.status, verdict.law) == ("wrong", "what the exercise asserts of an answer does not hold")


def test_assert_of_the_students_own_could_not_run(exercise):
    def answer(x):
        assert x > 5, "too small"

    exercise(lambda candidate: candidate(3))
    verdict = check("mine.x", answer)
    assert verdict.status == "could not run"
    assert "too small" in verdict.observed
    assert "in your line 2: assert x > 5" in verdict.observed


def test_verdict_does_not_depend_on_what_was_drawn_before(exercise):
    def law(answer):
        seen.append((random.random(), np.random.rand(), torch.rand(()).item()))  # noqa: NPY002
        assert seen[-1] == seen[0]

    seen = []
    exercise(law)
    for seed in (1, 2):
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        torch.manual_seed(seed)
        assert check("mine.x", 0).status == "correct"
    assert len(seen) == 2


def test_state_is_put_back_after_an_answer(exercise):
    def answer():
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        torch.manual_seed(9)
        raise ValueError

    before = torch.get_rng_state()
    exercise(lambda candidate: candidate())
    assert check("mine.x", answer).status == "could not run"
    assert torch.get_default_dtype() == torch.float32
    assert torch.is_grad_enabled()
    assert torch.equal(torch.get_rng_state(), before)


def test_unknown_id_is_named_with_close_matches():
    verdict = check("vae.gausian_kl", ...)
    assert verdict.status == "could not run"
    assert "vae.gaussian_kl" in str(verdict)
    with pytest.raises(ValueError, match=r"did you mean vae\.gaussian_kl"):
        hint("vae.gausian_kl")
    with pytest.raises(ValueError, match=r"did you mean vae\.gaussian_kl"):
        solution("vae.gausian_kl")


@pytest.mark.parametrize("id", [None, 3, ["vae.gaussian_kl"], Silent()])
def test_id_that_is_no_string_is_told(id):
    verdict = check(id, 0)
    assert verdict.status == "could not run"
    assert str(verdict)


def test_lesson_that_cannot_be_imported_is_told(monkeypatch):
    def broken(self, id):
        raise ImportError("no module named missing")

    monkeypatch.setattr(type(EXERCISES), "__getitem__", broken)
    verdict = check("vae.gaussian_kl", 0)
    assert (verdict.status, verdict.observed) == ("could not run", "ImportError: no module named missing")


def test_hints_climb_and_end_with_the_solution():
    ladder = EXERCISES["vae.best_log_std"].hints
    seen = [hint("vae.best_log_std") for _ in range(len(ladder) + 2)]
    said = [f"Hint {rung} of {len(ladder)}: {words}" for rung, words in enumerate(ladder, start=1)]
    assert seen[: len(ladder)] == said
    assert (
        seen[-1]
        == seen[-2]
        == f'That was the last hint: {ladder[-1]}\nsolution("vae.best_log_std") shows a right answer.'
    )


def test_a_notebook_shows_a_hint_without_quotes():
    shown = hint("vae.gaussian_kl")
    assert DisplayFormatter().format(shown)[0] == {"text/plain": str(shown)}


def test_solution_shows_the_reference(capsys):
    assert "reparameterize" in str(solution("vae.reparameterize"))
    assert solution("vae.latents_used") == 3


def test_verdict_is_plain_and_rich():
    verdict = check("vae.latents_used", 64)
    assert str(verdict).startswith("vae.latents_used: not yet.")
    assert "<b>vae.latents_used: not yet.</b>" in verdict._repr_html_()


def test_a_verdict_takes_the_colours_of_the_page_and_shows_code_as_code():
    shown = Verdict("x", "could not run", observed="in line 3 of your `f<2>`: a < b")._repr_html_()
    assert "<div style='white-space:pre-wrap'>in line 3 of your <code>f&lt;2&gt;</code>: a &lt; b</div>" in shown
    assert "background:transparent;color:inherit" in shown
    assert "`" not in shown
