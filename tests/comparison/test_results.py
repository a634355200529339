"""The five properties, from rows whose answer is known."""

import json

import pytest

from gmcourse.comparison import results, telling
from gmcourse.record import BRANCHES


def row(model, seed, rate="1", rung="digits", **numbers):
    return {"model": model, "rung": rung, "rate": rate, "seed": seed, "steps": 10, "scored": 0} | numbers


@pytest.fixture
def report():
    rows = []
    for seed in range(5):
        rows += [
            row("gan", seed, "1/3", valid_frechet=90.0, frechet=80.0 + seed),
            row(
                "gan",
                seed,
                "1",
                valid_frechet=50.0 + seed,
                frechet=40.0 + 10 * seed,
                kernel=3.0,
                seconds=5.0,
                sampling=2.0,
                rough=0.2,
            ),
            row("gan", seed, "3", failed="not finite")
            if seed < 2
            else row("gan", seed, "3", valid_frechet=1.0, frechet=1.0),
            row("gan", seed, "1", "two-classes", kernel=1.0),
        ]
        for name, kernel in (("two-classes", 10.0), ("digits", 6.0), ("four-digits", 5.0)):
            rows.append(row("independent pixels", seed, "", name, kernel=kernel, frechet=200.0 + seed))
    told = {"steps": 10, "parameters": 1_234, "calls": 1, "scored": 0}
    return {"seconds": 5.0, "rows": rows, "calibrated": {"digits": {"gan": told}}}


def test_the_rate_is_the_best_on_valid_among_those_that_failed_least(report):
    assert results.chosen_rate(report["rows"], "gan") == "1"
    with pytest.raises(ValueError, match="key: got 'vae'"):
        results.chosen_rate(report["rows"], "vae")


def test_values_are_those_of_the_chosen_rate_by_seed(report):
    assert results.values(report, "gan", "frechet").tolist() == [40, 50, 60, 70, 80]
    assert results.values(report, "gan", "bits").tolist() == []


def test_stability_counts_all_fifteen(report):
    assert results.stability(report, "gan") == 3 / 15  # best is 1, at the rate that failed twice
    for each in report["rows"]:
        if each["rate"] == "3" and "frechet" in each:
            each["frechet"] = 60.0
    assert results.stability(report, "gan") == pytest.approx(6 / 15)  # at most 60: three of rate 1, three of rate 3


def test_capacity_is_in_units_of_independent_pixels(report):
    assert results.capacity(report, "gan") == (0.1, 0.5, None)


def test_the_properties_of_a_model(report):
    found = results.properties(report, "gan")
    assert (found.rate, found.kind, found.bits, found.failures) == ("1", "none", None, 0)
    assert (found.seconds, found.sampling, found.calls, found.parameters) == (5.0, 2.0, 1, 1_234)
    assert found.constraint.startswith("none for the generator")
    _, cells = telling.table(report)
    assert cells == ("GAN", "60 ± 16", "0.20", "0.10 / 0.50 / –", "–", "1", "2", "1,234")


def test_every_branch_that_enters_has_its_constraint():
    leaves = {branch[-1] for branch in BRANCHES} - {"probability table", "autoencoder"}
    assert leaves <= set(results.CONSTRAINTS)


def test_a_file_that_is_none_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="gmcourse compare --out"):
        results.stored(tmp_path / "c.json")
    (tmp_path / "c.json").write_text(json.dumps({"rows": []}), "utf-8")
    with pytest.raises(ValueError, match="is no file of gmcourse compare"):
        results.stored(tmp_path / "c.json")


def test_floors_are_means_over_seeds(report):
    pixels = results.values(report, "independent pixels", "frechet")
    assert (pixels.mean(), len(pixels)) == (202, 5)
