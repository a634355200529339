"""Mutants of an exercise's reference: what is made of it, what a law of the exercise says, what is the same."""

import functools
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from answer_mutants import called_by, mutants, reached, rebuilt
from calls import Calls
from exercise_mutants import report, verdict

from gmcourse.exercises import EXERCISES, Exercise
from gmcourse.laws.broken import require_close
from gmcourse.probability import gaussian_kl, sum_event

ROOT = Path(__file__).resolve().parents[1]
STUB = "def kl(mean, log_std):\n    raise NotImplementedError"
MEAN, LOG_STD = torch.tensor([[0.5, -1.0], [2.0, 0.3]]), torch.tensor([[0.2, -0.3], [0.1, 0.4]])


def weak(answer):
    """Sees the first row alone."""
    value = answer(MEAN, LOG_STD)
    require_close("KL", value[0], gaussian_kl(MEAN, LOG_STD)[0], 1e-5, {"sign": -gaussian_kl(MEAN, LOG_STD)[0]})


def strong(answer):
    require_close("KL", answer(MEAN, LOG_STD), gaussian_kl(MEAN, LOG_STD), 1e-5)


def exercise(*laws):
    return Exercise(id="x.kl", stub=STUB, points=1, laws=laws, reference=gaussian_kl, hints=("",), wrong=())


def test_lines_are_changed_and_parameters_that_the_stub_does_not_have_are_left():
    made = {mutant.what for mutant in mutants(exercise(strong))}
    assert any("→" in what and what.startswith("gaussian_kl: ") for what in made)
    assert any(what.startswith("sum_event: ") for what in made)
    assert {"first row of mean for all", "mean and log_std swapped", "the value negated"} <= made
    assert not any("prior" in what and "→" not in what for what in made)


def test_a_set_of_names_is_held_against_smaller_and_larger_ones():
    names = Exercise(id="x.set", stub="", points=1, laws=(), reference=frozenset("ab"), hints=("",), wrong=())
    made = {mutant.what: mutant.answer for mutant in mutants(names)}
    assert made["without a"] == {"b"}
    assert made["no name"] == set()
    assert len(made["another name more"]) == 3


def test_a_weak_law_is_found_out_and_a_strong_one_refuses():
    def passed(law):
        calls, x = Calls(gaussian_kl), exercise(law)
        assert verdict(x, calls) == ("passed", "")
        return {m.what for m in mutants(x) if verdict(x, m.answer)[0] == "passed" and calls.tell_apart(m.answer)}

    assert passed(strong) == set()
    assert {"first row of mean for all", "first row of log_std for all"} <= passed(weak)


def test_a_cause_is_told_and_an_error_by_its_name():
    assert verdict(exercise(weak), lambda m, s: -gaussian_kl(m, s)) == ("refused", "sign")
    assert verdict(exercise(weak), lambda m, s: 1 / 0) == ("refused", "ZeroDivisionError")


def test_a_function_deep_down_is_put_in_the_place_of_the_old_one():
    assert sum_event in reached(gaussian_kl)
    assert "sum_event" in called_by(gaussian_kl)
    doubled = rebuilt(functools.partial(gaussian_kl, MEAN), sum_event, lambda values: 2 * sum_event(values))
    assert torch.allclose(doubled(LOG_STD), 2 * gaussian_kl(MEAN, LOG_STD))
    assert sum_event(torch.ones(2, 3)).tolist() == [3.0, 3.0]


@pytest.mark.parametrize(
    ("change", "apart"),
    [
        (lambda m, s: gaussian_kl(m, s) + 0, False),
        (lambda m, s: gaussian_kl(m, s) + (m[0, 0] != 0.5), True),  # right where the law looks alone
        (lambda m, s: m[99], True),
        (lambda m, s: (m.mul_(2), gaussian_kl(m / 2, s))[1], True),  # another input afterwards
    ],
)
def test_what_is_the_same_is_told_from_inputs_near_by(change, apart):
    calls = Calls(gaussian_kl)
    calls(MEAN, LOG_STD)
    assert calls.tell_apart(change) == apart


def test_the_report_counts_and_asks_for_98_in_100(capsys):
    def row(mutant, status, cause=""):
        return {"mutant": f"x.kl: {mutant}", "exercise": "x.kl", "rule": "sign", "status": status, "cause": cause}

    rows = [row(k, "refused", "sign" if k % 2 else "") for k in range(98)] + [row("same", "the same")]
    assert report([*rows, row("a", "passed"), row("b", "passed")], {"x.kl: a": "so"}) == 0
    shown = capsys.readouterr().out
    assert "x.kl                                   101     1      1       98     49          1" in shown
    assert "survivor (sign): x.kl: b" in shown
    assert shown.splitlines()[-1] == "99.0 % of those that differ are refused; neutral 49, sign 49"
    assert report([*rows, *(row(k, "passed") for k in "abc")], {}) == 1


def test_a_number_is_held_against_its_slips(tmp_path):
    command = [sys.executable, ROOT / "tools" / "exercise_mutants.py", "--only", "vae.latents_used", "--processes", "1"]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=120)
    assert ran.returncode == 0, ran.stderr
    rows = json.loads((ROOT / "_build" / "exercise_mutants.json").read_text("utf-8"))
    assert {row["exercise"] for row in rows} == {"vae.latents_used"}
    assert {row["status"] for row in rows} == {"refused"}
    assert len(rows) >= 8


def test_every_exercise_has_a_reference_that_can_be_changed():
    without = [id for id, x in EXERCISES.items() if callable(x.reference) and not any(mutants(x))]
    assert without == []
