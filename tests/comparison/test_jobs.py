"""Jobs: who is able, values by seed, a verdict with its tie, and what the guide says."""

import math

import pytest
import torch

from gmcourse.catalogue import CATALOGUE
from gmcourse.comparison.jobs import JOBS, METHODS, Job, able, held, needed, values, verdict
from gmcourse.comparison.results import models, stored
from gmcourse.comparison.results import values as values_at
from gmcourse.comparison.standings import (
    at_chosen_rates,
    fewest_bits,
    fewest_nats,
    in_words,
    leaves,
    sampling_values,
    standings,
    verdicts,
    with_enough_seeds,
)

JOB = Job("files", "Is it a file?", "bits", "counted", "8.3")
ROWS = [
    *({"job": "files", "model": "good", "seed": seed, "bits": 1 + 0.01 * seed} for seed in (4, 0, 1, 2, 3, 5, 6)),
    *({"job": "files", "model": "alike", "seed": seed, "bits": 1.001 + 0.01 * seed} for seed in range(7)),
    *({"job": "files", "model": "poor", "seed": seed, "bits": 2 + 0.01 * seed} for seed in range(7)),
    {"job": "files", "model": "counted", "seed": 0, "bits": 3.0},
    {"job": "files", "model": "broken", "seed": 0},
    {"job": "others", "model": "good", "seed": 9, "bits": 100.0},
]


def test_able_is_one_method_of_every_group():
    has = torch.tensor([[True, False, False], [True, True, False], [False, False, True]])
    groups = torch.tensor([[True, False, False], [False, True, True]])
    assert able(has, groups).tolist() == [False, True, False]
    assert able(has, torch.zeros(0, 3, dtype=torch.bool)).all()
    for bad in (has.float(), has[:, :2]):
        with pytest.raises(ValueError, match="has, groups: got"):
            able(bad, groups)


def test_a_game_has_no_length_of_a_file():
    has, job = held(CATALOGUE), next(job for job in JOBS if job.name == "compression")
    assert has.shape == (len(CATALOGUE), len(METHODS))
    found = {r.key: bool(yes) for r, yes in zip(CATALOGUE, able(has, needed(job)), strict=True)}
    assert [found[key] for key in ("pixelcnn", "gaussian-vae", "dcgan", "deep-autoencoder")] == [1, 1, 0, 0]


def test_values_are_in_the_order_of_seeds_and_a_way_without_chance_is_repeated():
    found = values(ROWS, "bits", job="files")
    assert found["good"].tolist() == pytest.approx([1 + 0.01 * seed for seed in range(7)])
    assert found["counted"].tolist() == [3.0] * 7
    assert "broken" not in found
    assert values([], "bits") == {}


def test_a_verdict_names_the_tie_and_tests_against_the_baseline():
    told = verdict(JOB, values(ROWS, "bits", job="files"))
    assert told.winners == ["good", "alike"]
    assert told.mean == pytest.approx(1.03)
    assert told.baseline == 3.0
    assert told.p_baseline == 2 / 2**7
    assert (told.next, told.p_next) == ("poor", pytest.approx(2 / math.comb(14, 7)))
    assert in_words(JOB, told) == "good (tie): 1.03; counted: 3"
    with pytest.raises(ValueError, match="found: got .* expected 'counted', the baseline"):
        verdict(JOB, {"good": torch.ones(5)})


def test_a_baseline_that_is_not_beaten_is_said_to_be():
    found = {"counted": torch.tensor([1.0, 1.1, 0.9]), "net": torch.tensor([1.05, 1.15, 0.95])}
    assert in_words(JOB, verdict(JOB, found)) == "counted is not beaten"


def test_the_best_known_number_is_read():
    assert fewest_bits({"coded": 1.0, "bits": 0.9}) == 1.0
    assert fewest_bits({"at most": 2.0, "tighter": 1.9}) == 1.9
    assert fewest_bits({"psnr": 3}) is None
    assert fewest_nats({"at most": 9.0}) == 9.0


def test_samples_are_read_at_the_chosen_rate_and_the_slow_are_left_out():
    report = stored()
    found = sampling_values(report)
    assert len(found) == len(models(report)) + 2
    assert "rows of train" not in found
    assert found["PixelCNN"].tolist() == values_at(report, "pixelcnn", "frechet").tolist()
    fast = sampling_values(report, 10.0)
    assert {"GAN", "Gaussian VAE", "one Gaussian", "independent pixels"} <= set(fast) < set(found)
    assert "PixelCNN" not in fast
    told = verdicts(standings({"comparison/digits": report}.get))
    assert told["synthesis"].winners[0] == "PixelCNN"
    assert told["synthesis"].mean < told["fast sampling"].mean < told["synthesis"].baseline


def test_a_training_of_few_seeds_does_not_count_yet():
    rows = [{"job": "a", "model": "net", "seed": seed, "steps": 9} for seed in range(4)]
    rows += [{"job": "a", "model": "counted", "seed": 0}, {"job": "b", "model": "net", "seed": 0}]
    assert [(row["job"], row["model"]) for row in with_enough_seeds(rows)] == [("a", "counted"), ("b", "net")]
    assert len(with_enough_seeds(rows, 4)) == 6


def test_only_jobs_with_a_file_are_told():
    table = {"rows": [{"table": "Letter", "method": m, "width": 0, "seed": s, "rmse": r + 0.001 * s}
                      for m, r in (("mean", 0.15), ("GAIN", 0.13)) for s in range(5)]}  # fmt: skip
    found = standings(lambda claim: table if claim == "gan/blanks" else None)
    assert list(found) == ["blanks"]
    assert leaves(verdicts(found)) == [
        ("Are entries of a table missing?", "blanks", "GAIN: 0.132; column's mean: 0.152")
    ]


def test_the_rate_is_the_one_with_the_least_loss_on_valid():
    def row(rate, seed, valid, model="net"):
        return {"job": "a", "model": model, "rate": rate, "seed": seed, "valid": valid}

    rows = [row("1", s, 3.0) for s in range(5)] + [row("3", s, 2.0 + s / 4) for s in range(5)]
    rows += [row("1", 5, 0.0), row("1", 0, 1.0, "other"), {"job": "a", "model": "counted", "seed": 0}]
    kept = at_chosen_rates(rows)
    assert {(r["model"], r.get("rate")) for r in kept} == {("net", "3"), ("other", "1"), ("counted", None)}
    assert len(kept) == 7
