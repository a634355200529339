"""The course's file of the comparison: whole, as its rules say, and what README and taxonomy tell of it."""

from pathlib import Path

import pytest

from gmcourse.catalogue import find
from gmcourse.comparison.entrants import RATES, entrants
from gmcourse.comparison.results import LONGER, SEEDS, at_chosen_rate, chosen_rate, models, stored, values
from gmcourse.comparison.rungs import BASELINES, RUNGS
from gmcourse.comparison.running import MORE_SEEDS
from gmcourse.comparison.telling import SHOWN, floors, markdown, table

ROOT = Path(__file__).resolve().parents[2]
SEEN = range(SEEDS + MORE_SEEDS)


@pytest.fixture(scope="module")
def report():
    return stored()


@pytest.mark.parametrize("name", RUNGS)
def test_every_model_that_enters_today_has_all_its_runs(report, name):
    entering, left_out = entrants(name)
    assert report["left_out"][name] == left_out
    seen = {(row["model"], row["rung"], row["rate"], row["seed"]) for row in report["rows"]}
    assert len(seen) == len(report["rows"])
    for record in entering:
        runs = at_chosen_rate(report, record.key, name)
        assert [row["seed"] for row in runs] == list(SEEN if name == "digits" else range(SEEDS))
        steps = report["calibrated"][name][record.key]["steps"]
        assert {row["steps"] for row in runs} == {steps}
        if name == "digits":
            assert {(record.key, name, rate, seed) for rate in RATES for seed in range(SEEDS)} <= seen


def test_the_floors_are_where_they_belong(report):
    found = floors(report)
    assert list(found) == list(BASELINES)
    assert found["rows of train"][0] < 20 < found["one Gaussian"][0] < found["independent pixels"][0]


def test_the_readme_has_its_table_and_its_floor(report):
    text = (ROOT / "README.md").read_text("utf-8")
    assert "\n".join(markdown(table(report, SHOWN))) in text
    mean, spread = floors(report)["rows of train"]
    assert f"training digits themselves have {mean:.0f} ± {spread:.0f}" in text


def test_a_comparison_of_all_fits_into_an_hour_of_two_cores(report):
    spent = sum(row.get("seconds", 0) + row.get("sampling", 0) * 0.36 / 1000 for row in report["rows"])
    assert spent < 0.9 * 2 * 3_600  # the rest is for what is measured of each


def test_the_longer_race_is_whole_and_stands_in_the_readme(report):
    later = stored(LONGER)
    assert set(models(later)) == set(SHOWN)
    assert later["rates"] == {key: chosen_rate(report["rows"], key) for key in later["rates"]}
    for key in SHOWN:
        runs = at_chosen_rate(later, key)
        assert [row["seed"] for row in runs] == list(SEEN)
        assert not any("failed" in row for row in runs)
    text = (ROOT / "README.md").read_text("utf-8")
    for key in ("vq-vae", "wgan-gp", "dcgan", "ddpm", "pixelcnn"):
        assert f"{find(key).name} {values(later, key, 'frechet').mean():.0f}" in text
