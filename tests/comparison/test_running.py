"""The comparison is one command: it goes on where it was, chooses on valid, and keeps failures."""

import json

import pytest
import torch

from gmcourse.catalogue import CATALOGUE, find
from gmcourse.cli import main
from gmcourse.comparison import results, running, telling
from gmcourse.comparison.discrete import Leveled
from gmcourse.comparison.entrants import RATES, enter, entrants
from gmcourse.comparison.results import chosen_rate
from gmcourse.comparison.running import Task, compare, run


@pytest.fixture
def few(monkeypatch):
    """One seed, and none more."""
    for module in (running, results):
        monkeypatch.setattr(module, "SEEDS", 1)
    monkeypatch.setattr(running, "MORE_SEEDS", 0)


def test_every_model_enters_or_is_told_why_not():
    entering, left_out = entrants()
    assert {record.key for record in entering} | set(left_out) == {record.key for record in CATALOGUE}
    assert not {record.key for record in entering} & set(left_out)
    assert left_out["cgan"] == "conditional: it has to be told what to draw"
    assert left_out["deep-autoencoder"] == "draws no samples"
    assert "two, 0 and 1" in left_out["made"]
    assert {"row-lstm", "gaussian-vae", "dcgan", "realnvp", "ddpm", "score-sde"} <= {r.key for r in entering}


def test_rates_are_multiplied_and_growth_is_stretched():
    own, third = (enter(find("realnvp"), "digits", steps=50, rate=rate).recipe["lr"] for rate in ("1", "1/3"))
    assert third(10) == pytest.approx(own(10) / 3)
    assert enter(find("stylegan"), "digits", steps=195).model.held == round(
        enter(find("stylegan"), "digits").model.held / 10
    )


def test_weights_are_a_function_of_the_seed():
    a, b, c = (enter(find("gan"), "digits", seed=seed).model.state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert any(not torch.equal(a[name], c[name]) for name in a)


def test_a_run_is_a_function_of_its_task():
    task = Task("realnvp", "digits", "1", 2, 10, 20)
    first, again = run(task), run(task)
    timed = {"seconds", "sampling"}
    assert {k: v for k, v in first.items() if k not in timed} == {k: v for k, v in again.items() if k not in timed}
    assert first["frechet"] > 0
    assert first["bits"] > 0


def test_a_run_that_fails_has_a_reason_and_no_numbers(monkeypatch):
    def explode(*_):
        raise FloatingPointError("loss: got nan at step 3; try a lower rate")

    monkeypatch.setattr(running, "train", explode)
    task = Task("gan", "digits", "3", 0, 10, 0)
    assert run(task) == task._asdict() | {"failed": "loss: got nan at step 3"}


def test_it_goes_on_where_it_was_and_tells_what_it_found(few, tmp_path, capsys):
    out, said = tmp_path / "c.json", []
    report = compare(out, seconds=0.02, only=["gan"], jobs=1, told=said.append)
    assert json.loads(out.read_text("utf-8")) == report
    own = [row for row in report["rows"] if row["model"] == "gan"]
    assert {row["rate"] for row in own if row["rung"] == "digits"} == set(RATES)
    assert [row["rate"] for row in own if row["rung"] != "digits"] == [chosen_rate(report["rows"], "gan")] * 2
    lost = report["rows"].pop(0)
    running._keep(out, report)
    again = compare(out, seconds=0.02, only=["gan"], jobs=1, told=said.append)
    assert len(again["rows"]) == len(report["rows"]) + 1
    kept = again["rows"][-1]
    assert {**lost, "seconds": 0, "sampling": 0} == {**kept, "seconds": 0, "sampling": 0}
    with pytest.raises(ValueError, match="was made with 0.02 seconds a training, not 3"):
        compare(out, seconds=3, only=["gan"])
    assert main(["compare", "--show", "--out", str(out), "--csv", str(tmp_path / "c.csv")]) == 0
    assert "GAN" in capsys.readouterr().out
    assert len((tmp_path / "c.csv").read_text("utf-8").splitlines()) == len(again["rows"]) + 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"only": ["cgan"]}, "only: cgan does not enter: conditional"),
        ({"only": ["gann"]}, "key: got 'gann'"),
        ({"seconds": 0}, "seconds: got 0, expected a positive number"),
    ],
)
def test_what_cannot_be_compared_is_refused(tmp_path, arguments, said):
    with pytest.raises(ValueError, match=said):
        compare(tmp_path / "c.json", **{"seconds": 1.0, **arguments})
    assert not (tmp_path / "c.json").exists()


def test_models_of_densities_learn_levels_and_others_are_left():
    assert isinstance(enter(find("gaussian-vae"), "digits").model, Leveled)
    assert not isinstance(enter(find("pixelcnn"), "digits").model, Leveled)
    assert not isinstance(enter(find("gan"), "digits").model, Leveled)


def test_a_table_for_pages_has_a_head_and_a_rule():
    lines = list(telling.markdown([("model", "x"), ("GAN", "1")]))
    assert lines == ["| model | x |", "| --- | ---: |", "| GAN | 1 |"]
    assert list(telling.aligned([("model", "x"), ("GAN", "12")])) == ["model   x", "GAN    12"]
