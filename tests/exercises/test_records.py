"""Every exercise: the reference passes, each known wrong answer draws its question, the stub is not attempted."""

import re
from collections import Counter
from functools import partial
from importlib import import_module
from pathlib import Path

import pytest

from gmcourse.exercises import EXERCISES, check
from gmcourse.exercises.hints import QUESTIONS
from gmcourse.probability import gaussian_kl

ROOT = Path(__file__).resolve().parents[2]
CASES = [(e.id, i) for e in EXERCISES.values() for i in range(len(e.wrong))]
MODULES = sorted(path.relative_to(ROOT) for path in (ROOT / "gmcourse" / "exercises").glob("*/[!_]*.py"))
LESSONS = sorted(path.relative_to(ROOT) for path in (ROOT / "chapters").glob("[0-9]*/[0-9]*.md"))


def untouched(exercise):
    namespace = {}
    exec(exercise.stub, namespace)
    return namespace[exercise.name]


def slug(lesson):
    """chapters/04_vae/01_evidence_lower_bound.md → vae/evidence_lower_bound."""
    return "/".join(re.sub(r"^\d+_", "", part) for part in (lesson.parent.name, lesson.stem))


def labels(text):
    """The ids of the prompts of a lesson, as they stand."""
    return re.findall(r"^:::\{exercise\}.*\n:label: (\S+)$", text, re.M)


def misplaced(lessons, records):
    """What is amiss between {slug: labels} of the lessons and {slug: ids} of the modules, in words."""
    wrong = [f"{place}: exercises of no lesson" for place in records.keys() - lessons.keys()]
    for place in lessons:
        family = place.split("/")[0]
        ids = records.get(place, [])
        wrong += [f"{place}: {id} has no record in its module" for id in lessons[place] if id not in ids]
        wrong += [f"{place}: {id} is asked nowhere in it" for id in ids if id not in lessons[place]]
        wrong += [f"{place}: {id} is of another family" for id in ids if not id.startswith(family + ".")]
    return sorted(wrong)


@pytest.mark.parametrize("id", EXERCISES)
def test_reference_is_correct(id):
    reference = EXERCISES[id].reference
    verdict = check(id, partial(reference) if callable(reference) else reference)
    assert verdict.status == "correct", str(verdict)
    assert verdict.points == EXERCISES[id].points > 0


@pytest.mark.parametrize("id", EXERCISES)
def test_untouched_stub_is_not_attempted(id):
    assert check(id, untouched(EXERCISES[id])).status == "not attempted"


def test_a_name_that_the_lesson_imported_is_no_answer():
    verdict = check("vae.gaussian_kl", gaussian_kl)
    assert verdict.lines()[1] == "This is gmcourse.probability's own: run the cell with your answer first."
    assert verdict.status == "not attempted"


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


def test_records_stand_where_their_lessons_do():
    records = {
        f"{path.parent.name}/{path.stem}": [e.id for e in import_module(".".join(path.with_suffix("").parts)).EXERCISES]
        for path in MODULES
    }
    lessons = {slug(path): labels((ROOT / path).read_text("utf-8")) for path in LESSONS}
    assert misplaced(lessons, records) == []
    counts = Counter(id for ids in records.values() for id in ids)
    assert max(counts.values()) == 1
    assert sorted(counts) == sorted(EXERCISES)
    assert len(LESSONS) == len(MODULES) >= 12


@pytest.mark.parametrize(
    ("lessons", "records", "amiss"),
    [
        ({"vae/bound": ["vae.kl"]}, {"vae/bound": ["vae.kl"]}, []),
        ({"vae/bound": []}, {}, []),
        ({"vae/bound": ["vae.kl"]}, {}, ["vae/bound: vae.kl has no record in its module"]),
        ({"vae/bound": []}, {"vae/bound": ["vae.kl"]}, ["vae/bound: vae.kl is asked nowhere in it"]),
        ({"vae/bound": ["gan.kl"]}, {"vae/bound": ["gan.kl"]}, ["vae/bound: gan.kl is of another family"]),
        ({}, {"gan/game": ["gan.js"]}, ["gan/game: exercises of no lesson"]),
    ],
)
def test_misplaced_records_are_named(lessons, records, amiss):
    assert misplaced(lessons, records) == amiss


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
