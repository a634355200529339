"""Numbers and points from a seed: stable, a student's own, and no way round a law."""

from dataclasses import replace
from itertools import combinations

import pytest

from gmcourse.exercises import EXERCISES, Exercise, Variant, check, numbers
from gmcourse.exercises.hints import QUESTIONS
from gmcourse.exercises.variants import posed, seed_of, takes_seed
from gmcourse.laws.broken import LawBroken, require_value

ID = "sums.double"


def double(seed):
    number = 3 + seed % 1_000

    def law(answer):
        require_value("twice a number", answer, 2.0 * number, 1e-6, {"constant": float(number)})

    return Variant(f"Twice {number}?", (law,), 2 * number, ((number, "constant"), (-1, "")))


@pytest.fixture
def doubled():
    def law(answer):
        require_value("twice a number", answer, 6.0, 1e-6)

    EXERCISES[ID] = Exercise(
        ID, "double = ...", 1, (law,), 6, ("a", "b"), ((3, ""),), {"constant": "Once?"}, variant=double
    )
    yield EXERCISES[ID]
    del EXERCISES[ID]


def test_a_seed_stays_what_it_is():
    assert seed_of("ada", "vae.best_of_ten") == 932386482792557110
    assert seed_of("ada", "vae.best_of_ten", "k") == 8390032883488327636
    assert seed_of("Ada  Byron ", "vae.best_of_ten") == seed_of("ada byron", "vae.best_of_ten") == 5132491395091857262
    assert seed_of("0042", "vae.best_of_ten") == 171658651221857475
    seeds = {seed_of(*case) for case in (("ab", "c"), ("a", "bc"), ("a", "b", "c"), ("ab", "", "c"), ("a", "", "bc"))}
    assert len(seeds) == 5
    assert all(0 <= seed < 2**63 for seed in seeds)


@pytest.mark.parametrize(
    ("case", "error", "match"),
    [
        ((42, "a.b"), TypeError, "student: got a int, expected a string"),
        (("ada", "a.b", None), TypeError, "key: got a NoneType"),
        ((" \n", "a.b"), ValueError, "student: got ' \\\\n', expected a name or a number as text"),
    ],
)
def test_a_bad_student_is_refused(case, error, match):
    with pytest.raises(error, match=match):
        seed_of(*case)


def test_a_student_is_checked_with_their_own_numbers(doubled):
    own = posed(doubled, seed_of("ada", ID))
    other = posed(doubled, seed_of("ben", ID))
    assert own.reference != other.reference
    assert own.stub == doubled.stub
    assert own.points == doubled.points
    assert own.hints == doubled.hints
    assert check(ID, own.reference, student="ada").status == "correct"
    assert check(ID, own.reference, student="ben").status == "wrong"
    assert check(ID, own.reference).status == "wrong"
    assert check(ID, 6).status == "correct"
    assert check(ID, own.wrong[0][0], student="ada").hint == "Once?"
    assert check(ID, ..., student="ada").status == "not attempted"
    assert check(ID, 6, student=7).status == "could not run"


def test_a_variant_may_have_hints_and_questions_of_its_own(doubled):
    own = replace(double(1), hints=("4 + 4",), causes={"constant": "4?"})
    exercise = posed(replace(doubled, variant=lambda seed: own, causes={"constant": "3?", "sign": "−?"}), 1)
    assert exercise.hints == ("4 + 4",)
    assert exercise.causes == {"constant": "4?", "sign": "−?"}


def test_a_notebook_sets_the_prompt_as_markdown(doubled):
    said = numbers(ID, "ada")
    assert said == double(seed_of("ada", ID)).prompt == said._repr_markdown_() == repr(said)
    assert numbers(ID, "  ").startswith("Set `student` in the first cell")
    for id in ("vae.gaussian_kl", "sums.half", None):
        with pytest.raises(ValueError, match="expected an exercise that has numbers for each student"):
            numbers(id, "ada")


def test_laws_that_take_a_seed_get_it():
    seen = []

    def law(answer, *, seed=0):
        seen.append(seed)

    def plain(answer):
        seen.append("plain")

    exercise = Exercise("sums.any", "", 1, (law, plain), None, (), ())
    for drawn in posed(exercise, 12).laws:
        drawn(None)
    assert seen == [12, "plain"]
    assert takes_seed(law)
    assert not takes_seed(plain)
    alone = replace(exercise, laws=(plain,))
    assert posed(alone, 12) is alone


VARIED = [id for id, exercise in EXERCISES.items() if exercise.variant is not None]
SEEDS = range(10)


@pytest.mark.parametrize("id", VARIED)
def test_a_variant_is_as_sound_as_its_exercise(id):
    for seed in SEEDS:
        exercise = posed(EXERCISES[id], seed)
        EXERCISES[id], kept = exercise, EXERCISES[id]
        try:
            assert check(id, exercise.reference).status == "correct", seed
            assert {cause for _, cause in exercise.wrong} == {cause for _, cause in kept.wrong}
            for answer, cause in exercise.wrong:
                verdict = check(id, answer)
                assert verdict.status == "wrong", (seed, answer)
                assert verdict.hint == (exercise.causes.get(cause) or QUESTIONS[cause]), (seed, answer)
        finally:
            EXERCISES[id] = kept


@pytest.mark.parametrize("id", VARIED)
def test_the_answer_of_one_student_is_none_for_another(id):
    exercises = [posed(EXERCISES[id], seed_of(f"student {n}", id)) for n in SEEDS]
    pairs = list(combinations(exercises, 2))
    refused = sum(not passes(b, a.reference) and not passes(a, b.reference) for a, b in pairs)
    assert refused >= 0.9 * len(pairs), f"{refused} of {len(pairs)}"


def passes(exercise, answer):
    try:
        for law in exercise.laws:
            law(answer)
    except LawBroken:
        return False
    return True
