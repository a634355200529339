"""Every exercise: the reference passes, each known wrong answer draws its question, the stub is not attempted."""

import re

import pytest

from gmcourse.exercises import EXERCISES, check, hint, solution
from gmcourse.exercises.hints import QUESTIONS

CASES = [(e.id, i) for e in EXERCISES.values() for i in range(len(e.wrong))]


def untouched(exercise):
    namespace = {}
    exec(exercise.stub, namespace)
    return namespace[re.match(r"(?:def )?(\w+)", exercise.stub)[1]]


@pytest.mark.parametrize("id", EXERCISES)
def test_reference_is_correct(id):
    verdict = check(id, EXERCISES[id].reference)
    assert verdict.status == "correct", str(verdict)
    assert verdict.points == EXERCISES[id].points > 0


@pytest.mark.parametrize("id", EXERCISES)
def test_untouched_stub_is_not_attempted(id):
    assert check(id, untouched(EXERCISES[id])).status == "not attempted"


@pytest.mark.parametrize(("id", "i"), CASES)
def test_wrong_answer_draws_its_question(id, i):
    exercise = EXERCISES[id]
    answer, cause = exercise.wrong[i]
    verdict = check(id, answer)
    assert verdict.status == "wrong", str(verdict)
    assert verdict.hint == exercise.causes.get(cause, QUESTIONS[cause])
    assert verdict.observed != verdict.expected


@pytest.mark.parametrize("id", EXERCISES)
def test_record_is_complete(id):
    exercise = EXERCISES[id]
    assert len(exercise.wrong) >= 3
    assert len(exercise.hints) >= 2
    assert {cause for _, cause in exercise.wrong} | set(exercise.causes) <= set(QUESTIONS)


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


def test_unknown_id_is_named_with_close_matches():
    verdict = check("vae.gausian_kl", ...)
    assert verdict.status == "could not run"
    assert "vae.gaussian_kl" in str(verdict)
    with pytest.raises(ValueError, match=r"did you mean vae\.gaussian_kl"):
        hint("vae.gausian_kl")


def test_right_answers_written_otherwise_are_accepted():
    import torch
    from torch.distributions import Independent, Normal, kl_divergence

    def by_library(mean, log_std):
        return kl_divergence(Independent(Normal(mean, log_std.exp()), 1), Independent(Normal(0.0 * mean, 1.0), 1))

    assert check("vae.gaussian_kl", by_library).status == "correct"
    assert check("vae.gaussian_kl", lambda m, s: by_library(m, s).float()).status == "correct"
    assert check("vae.reparameterize", lambda m, s, e: torch.addcmul(m, s.exp(), e)).status == "correct"
    assert check("vae.best_log_std", lambda x, m: (x - m).pow(2).mean().sqrt().log()).status == "correct"
    assert check("vae.latents_used", torch.tensor(3)).status == "correct"


def test_hints_climb_and_stay():
    ladder = EXERCISES["vae.best_log_std"].hints
    seen = [hint("vae.best_log_std") for _ in range(len(ladder) + 1)]
    assert [text.split(": ", 1)[1] for text in seen] == [*ladder, ladder[-1]]


def test_solution_shows_the_reference(capsys):
    assert "reparameterize" in str(solution("vae.reparameterize"))
    assert solution("vae.latents_used") == 3


def test_verdict_is_plain_and_rich():
    verdict = check("vae.latents_used", 64)
    assert str(verdict).startswith("vae.latents_used: not yet.")
    assert "<b>vae.latents_used: not yet.</b>" in verdict._repr_html_()
