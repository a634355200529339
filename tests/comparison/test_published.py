"""The table beside the papers: a row or a reason for every likelihood model, each row what the evidence holds."""

import json
from dataclasses import replace

import pytest

from benchmarks import evidence
from benchmarks.comparison import published
from gmcourse.catalogue import CATALOGUE
from gmcourse.data import load

PATH = evidence.RESULTS / "comparison/published.json"
ROWS = json.loads(PATH.read_text("utf-8"))["rows"]
MEASURED = [row for row in ROWS if "test" in row]


def test_every_likelihood_model_has_a_row_or_a_reason():
    likelihoods = {record.key for record in CATALOGUE if record.density in ("exact", "bound", "unnormalised")}
    measured, reasoned = ({row["model"] for row in ROWS if name in row} for name in ("test", "not compared"))
    assert measured | reasoned == likelihoods
    assert not measured & reasoned
    assert all(row["not compared"] for row in ROWS if "test" not in row)


def test_the_file_is_complete_and_says_what_the_script_says():
    for asked in published.plan():
        (row,) = [row for row in ROWS if asked.items() <= row.items()]
        if "not compared" in row:
            assert row["not compared"] == published.REASONS[row["model"]]
        elif row["published"]:
            assert (*row["published"].values(),) == published.PUBLISHED[row["model"]]
            assert row["behind"] == pytest.approx(row["test"]["mean"] - row["published"]["nats"], abs=0.01)
            assert row.get("why") == (published.WHY[row["model"]] if row["behind"] > 0 else None)
        else:
            assert row["why"] == published.ALONE[row["model"]]
    assert len(ROWS) == len([*published.plan()])


def test_every_number_is_of_the_whole_test_set_with_its_error():
    for row in MEASURED:
        assert row["test"]["images"] == 10_000
        assert 0.15 < row["test"]["error"] < 0.6
        assert row["seconds"] < 360 or "from" in row
    independent = next(row for row in MEASURED if row["variant"].startswith("independent"))
    assert independent["test"]["mean"] == pytest.approx(205.79, abs=0.01)


def test_a_row_of_earlier_evidence_is_what_that_file_holds():
    rows = {(row["model"], row["variant"]): row for row in MEASURED if "from" in row}
    assert rows.keys() == published.READ.keys()
    for (model, variant), row in rows.items():
        again = published.read(model, variant)
        assert again.items() <= row.items()


def test_what_is_not_the_whole_test_set_is_refused():
    assert published.test_of({"test": 90.0, "test_error": 0.2, "images": 10_000}) == (90.0, 0.2)
    assert published.test_of({"test, nats": {"mean": 84.9, "error": 0.2}}) == (84.9, 0.2)
    assert published.test_of({"test": 88.6, "error, test": 0.25}) == (88.6, 0.25)
    with pytest.raises(ValueError, match="images: got 2000"):
        published.test_of({"test": 95.0, "test_error": 0.5, "images": 2_000})


def test_a_complete_file_is_printed_and_nothing_is_trained(tmp_path, monkeypatch, capsys):
    def refuse(*args, **given):
        raise AssertionError("measured again")

    path = tmp_path / "published.json"
    path.write_bytes(PATH.read_bytes())
    monkeypatch.setattr(published, "run", refuse)
    monkeypatch.setattr("sys.argv", ["published", "--out", str(path)])
    published.main()
    said = capsys.readouterr().out
    assert path.read_bytes() == PATH.read_bytes()
    assert all(record.key in said for record in published.RECORDS.values())
    nade = next(line for line in said.splitlines() if line.startswith("nade "))
    assert nade.split()[3:6] == ["88.33", "88.89", "0.24"]


def test_a_model_is_trained_and_scored_exactly_or_by_its_tightest_bound(monkeypatch):
    digits = load("binarized-digits")
    small = replace(digits, labels=None, train=digits.train[:200], valid=digits.valid[:50], test=digits.test[:40])
    monkeypatch.setattr(published, "load", lambda key: small)
    monkeypatch.setattr(published, "DRAWS", 5)
    kinds = {
        "naive-bayes": "exact",
        "fvsbn": "exact",
        "beta-vae": "upper bound",
        "vq-vae": "upper bound: minus the ELBO",
    }
    for model, kind in kinds.items():
        variant = next(v for m, v in published.TRAINED if m == model)
        steps = 0 if model == "naive-bayes" else 3
        row = published.trained("cpu", model, variant, steps, seed=0)
        assert row["kind"].startswith(kind)
        assert row["test"]["images"] == 40
        assert 10 < row["test"]["mean"] < 200
