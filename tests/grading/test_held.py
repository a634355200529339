"""The tests in nbgrader's notebooks: whose numbers, which points, and what is said of an answer."""

import sys
import warnings

import pytest
import torch

from gmcourse.exercises import EXERCISES, Exercise, Variant, check
from gmcourse.grading.held import find_key, graded_student, passes, passes_hidden, read_key
from gmcourse.laws.broken import require_value


@pytest.fixture
def graded(tmp_path, monkeypatch):
    """The folder where nbgrader runs ada's notebook, in a course that has a key."""
    folder = tmp_path / "autograded" / "ada" / "week"
    folder.mkdir(parents=True)
    (tmp_path / "key.txt").write_text("secret\n", "utf-8")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    return folder


@pytest.fixture
def drawn(monkeypatch):
    """The id of an exercise whose number is the seed's last three digits, and 1,000 in the lesson."""

    def laws(right):
        return (lambda answer: require_value("the number", answer, float(right), 0.1, {}),)

    def variant(seed):
        return Variant(prompt="", laws=laws(seed % 1000), reference=seed % 1000, wrong=())

    record = Exercise("mine.number", "n = ...", 1, laws(1000), 1000, ("h",), (), variant=variant)
    monkeypatch.setitem(EXERCISES, "mine.number", record)
    return "mine.number"


def number_of(student):
    from gmcourse.exercises.variants import seed_of

    return seed_of(student, "mine.number") % 1000


def test_a_right_answer_passes_and_any_other_is_told_why(graded):
    passes("taxonomy.overtaking", 160)
    passes_hidden("taxonomy.overtaking", 160, student="ada")
    for test in (passes, passes_hidden):
        with pytest.raises(AssertionError, match=r"not yet\.\nThe law: "):
            test("taxonomy.overtaking", 20)
        with pytest.raises(AssertionError, match="not attempted yet"):
            test("taxonomy.overtaking", ...)
        with pytest.raises(AssertionError, match="could not run"):
            test("gan.share_at", lambda p: p)


def test_hidden_points_are_others_than_the_visible_ones(graded):
    reference, seen = EXERCISES["taxonomy.log_mean_exp"].reference, {}

    def kept(a):
        seen[a.numpy().tobytes()] = reference(a)
        return reference(a)

    assert check("taxonomy.log_mean_exp", kept).status == "correct"

    def learned_by_heart(a):
        return seen.get(a.numpy().tobytes(), torch.zeros(a.shape[:-1]))

    passes("taxonomy.log_mean_exp", learned_by_heart)
    with pytest.raises(AssertionError, match="not yet"):
        passes_hidden("taxonomy.log_mean_exp", learned_by_heart)


def test_points_that_the_reference_fails_at_count_for_nobody(graded, monkeypatch):
    def unfair(answer, *, seed=0):
        assert seed == 0 or answer(seed) < 0, "no answer is below 0"

    record = Exercise("mine.unfair", "", 1, (unfair,), abs, ("h",), ())
    monkeypatch.setitem(EXERCISES, "mine.unfair", record)
    passes_hidden("mine.unfair", lambda n: n)
    monkeypatch.setitem(EXERCISES, "mine.unfair", Exercise("mine.unfair", "", 1, (unfair,), lambda n: -n, ("h",), ()))
    with pytest.raises(AssertionError, match="no answer is below 0"):
        passes_hidden("mine.unfair", lambda n: n)


def test_the_numbers_are_those_of_the_folder_whatever_the_notebook_says(graded, drawn):
    passes_hidden(drawn, number_of("ada"), student="ben")
    passes(drawn, number_of("ben"), student="ben")
    with pytest.raises(AssertionError):
        passes_hidden(drawn, number_of("ben"), student="ben")


def test_outside_of_nbgrader_the_notebook_says_who_it_is(graded, drawn, monkeypatch):
    monkeypatch.delenv("NBGRADER_EXECUTION")
    assert graded_student() == ""
    passes_hidden(drawn, number_of("ben"), student="ben")
    passes_hidden(drawn, 1000)
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    assert graded_student() == ""


@pytest.mark.parametrize("student", ["", "  \n"])
def test_a_student_without_a_name_has_not_attempted_it(graded, drawn, monkeypatch, student):
    with pytest.raises(AssertionError, match=r"not attempted yet\.\nSet `student` in the first cell"):
        passes(drawn, 1000, student=student)
    passes_hidden(drawn, number_of("ada"), student=student)  # whose folder it is
    monkeypatch.delenv("NBGRADER_EXECUTION")
    with pytest.raises(AssertionError, match="Set `student` in the first cell"):
        passes_hidden(drawn, 1000, student=student)
    passes(drawn, 1000)


def test_a_warning_costs_nothing(graded, capsys):
    def warned(p, weight, distance):
        warnings.warn("old", stacklevel=1)
        return EXERCISES["gan.share_at"].reference(p, weight, distance)

    passes("gan.share_at", warned)
    passes_hidden("gan.share_at", warned)
    assert capsys.readouterr().err == ""


def test_without_a_key_the_hidden_test_says_so(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="`gmcourse assignment` wrote"):
        passes_hidden("gan.share_at", lambda *given: EXERCISES["gan.share_at"].reference(*given))
    (tmp_path / "key.txt").write_text("\n", "utf-8")
    with pytest.raises(ValueError, match="not there or empty"):
        read_key(find_key())


def test_a_key_is_found_from_any_folder_of_the_course(graded):
    assert read_key(find_key(graded)) == "secret"
    assert sys.modules["gmcourse.grading.held"].KEY == "key.txt"
