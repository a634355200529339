"""Numbers and points from a seed: stable, a student's own, and no way round a law."""

import math
import re
from dataclasses import replace
from itertools import combinations

import pytest
import torch

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


@pytest.mark.parametrize("student", ["", " \n"])
def test_without_a_name_the_lessons_answer_is_not_correct(doubled, student):
    for answer in (6, 7, ...):
        verdict = check(ID, answer, student=student)
        assert verdict.status == "not attempted"
        assert verdict.observed == "Set `student` in the first cell, run it, then run this cell again."
    assert check(ID, 6, student=None).status == "correct"
    reference = EXERCISES["gan.share_at"].reference
    assert check("gan.share_at", lambda *given: reference(*given), student=student).status == "correct"


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


SAME_FOR_ALL = {  # value exercises without a variant, and why
    "autoencoders.recall_then_precision": "two signs: four answers in all",
    "autoregressive.parity": "multiples of ln 2, one for each order: a handful of answers",
    "flows.bins_for_fifty": "measured on fixed points: one of four numbers",
    "gan.one_batch_or_two": "each student's own measurements are the answer",
    "scores.contrast_length": "1 for all symmetric data, which is what it teaches",
    "taxonomy.lost_hill": "a set of three names: eight answers in all",
    "taxonomy.overtaking": "measured on the digits: one of five sizes",
}


def test_every_other_value_exercise_varies():
    values = {id for id, exercise in EXERCISES.items() if not callable(exercise.reference)}
    assert len(values) == 47
    assert values - set(VARIED) == set(SAME_FOR_ALL)


@pytest.mark.parametrize("id", VARIED)
def test_the_lessons_own_answer_is_no_students(id):
    lesson = EXERCISES[id].reference
    assert not [n for n in range(30) if passes(posed(EXERCISES[id], seed_of(f"student {n}", id)), lesson)]


@pytest.mark.parametrize("id", VARIED)
def test_a_prompt_is_whole_and_stays(id):
    drawn = EXERCISES[id].variant(seed_of("ada", id))
    assert drawn.prompt.count("$") % 2 == 0
    assert "{eq}" not in drawn.prompt
    assert drawn.prompt.strip() == drawn.prompt
    assert drawn.prompt == EXERCISES[id].variant(seed_of("ADA", id)).prompt


SEEDED = [id for id, e in EXERCISES.items() if callable(e.reference) and any(map(takes_seed, e.laws))]


@pytest.mark.parametrize("id", SEEDED)
def test_the_reference_holds_at_points_that_nobody_knows(id):
    for n in range(3):
        exercise = posed(EXERCISES[id], seed_of(f"student {n}", id, "a key"))
        for law in exercise.laws:
            law(exercise.reference)


def test_a_copied_answer_would_be_seen():
    """Were the numbers the same for all, the share of refused pairs would be 0."""
    same = [double(3) for _ in SEEDS]
    assert all(passes(a, b.reference) for a, b in combinations(same, 2))


def floor_of_matching(mean, spread):
    """The least loss by a million lines and the best linear field at each of 100 times."""
    rng = torch.Generator().manual_seed(0)
    x0, x1 = (torch.randn(100, 20_000, generator=rng, dtype=torch.float64) for _ in range(2))
    t = (torch.arange(100) + 0.5)[:, None] / 100
    x1 = mean + spread * x1
    at, velocity = (1 - t) * x0 + t * x1, x1 - x0
    at, velocity = at - at.mean(1, keepdim=True), velocity - velocity.mean(1, keepdim=True)
    slope = (at * velocity).mean(1, keepdim=True) / (at * at).mean(1, keepdim=True)
    return (velocity - slope * at).square().mean()


def variance_of_step(high, low):
    """DDPM's step with the posterior's deviation, on draws."""
    rng = torch.Generator().manual_seed(0)
    x, first, second = torch.randn(3, 2_000_000, generator=rng, dtype=torch.float64)
    noisy = x + high * first
    kept = low**2 / high**2
    clean = noisy / (1 + high**2)
    return ((1 - kept) * clean + kept * noisy + low * math.sqrt(1 - kept) * second).var()


def chain_of_means(data, noise):
    v = data
    for _ in range(500):
        v = (data / (data + noise)) ** 2 * (v + noise)
    return v


def share_of_errors(first, again):
    p = first
    for _ in range(500):
        p = (1 - p) * first + p * again
    return p


def price_of_choice(std):
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(4_000_000, generator=rng, dtype=torch.float64) * std + 1  # the other bell is its mirror image
    return torch.nn.functional.softplus(-2 * x.abs() / std**2).mean()


MEASURED = {  # how the numbers are read from the prompt, what they lead to, to within which share
    "flows.matching_floor": (r"mathcal{N}\((\d+), ([\d.]+)\^2\)", floor_of_matching, 0.01),
    "scores.variance_below": (r"level ([\d.]+) have .* level ([\d.]+) should", variance_of_step, 0.005),
    "autoencoders.mean_chain_variance": (r"N}\(0, (\d+)\).*sigma\^2 = (\d+)", chain_of_means, 1e-6),
    "autoregressive.free_running": (r"probability ([\d.]+), .* probability ([\d.]+),", share_of_errors, 1e-6),
    "vae.hard_choice": (r"cost at \$\\sigma = ([\d.]+)\$", price_of_choice, 0.005),
}


@pytest.mark.parametrize("id", MEASURED)
def test_the_answer_follows_from_the_numbers_in_the_prompt(id):
    pattern, measured, within = MEASURED[id]
    for seed in (3, 4):
        drawn = EXERCISES[id].variant(seed)
        given = [float(number) for number in re.search(pattern, drawn.prompt).groups()]
        assert float(measured(*given)) == pytest.approx(drawn.reference, rel=within)


def test_laws_of_fixed_cases_add_none_at_seed_0():
    from gmcourse.laws.rows import further

    assert further(0, lambda rng: rng.random()) == []
    assert len(set(further(1, lambda rng: rng.random()) + further(2, lambda rng: rng.random()))) == 4
    fixed = {id for id, e in EXERCISES.items() if callable(e.reference)} - set(SEEDED)
    assert fixed == {
        *["flows.runge_kutta_step", "gan.receptive_field", "gan.share_at", "gan.count_answers", "gan.perfect_maps"],
        *["gan.clipped_step", "scores.consistency_scales", "vae.kl_weight"],
    }
