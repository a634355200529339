"""The races against named libraries: what the file claims follows from its rows, and architectures are equal."""

import json
import math
import statistics

import pytest
import torch

from benchmarks import evidence

REPORT = json.loads((evidence.RESULTS / "comparison/peers.json").read_text("utf-8"))
RACES = [row for row in REPORT["rows"] if "step" in row]
TRAINED = [row for row in REPORT["rows"] if "peer" in row]
TARGETS = {"step": 1.0, "sample": 0.5}


@pytest.fixture(scope="module")
def peers():
    for library in ("nflows", "normflows", "pythae.samplers", "vector_quantize_pytorch", "x_transformers"):
        pytest.importorskip(library)
    from benchmarks.comparison import peers

    return peers


@pytest.mark.parametrize("what, target", TARGETS.items())
def test_the_geometric_mean_meets_its_target(what, target):
    races = [row[what] for row in RACES if what in row]
    assert len(races) >= 9
    assert math.exp(statistics.mean(math.log(race["ratio"]) for race in races)) <= target


def test_each_ratio_is_to_the_fastest_peer():
    about = {"fastest peer", "ratio"}
    for row in RACES:
        for race in (row[what] for what in TARGETS if what in row):
            theirs = {name: value for name, value in race.items() if name not in about | {"gmcourse"}}
            assert race["fastest peer"] == min(theirs, key=theirs.__getitem__)
            assert race["ratio"] == pytest.approx(race["gmcourse"] / min(theirs.values()), rel=0.25)
    assert "--rounds 7" in REPORT["command"]


def test_equal_seconds_have_five_seeds_of_each_flow():
    assert {row["case"].split()[0] for row in TRAINED} == {"RealNVP", "MAF", "spline"}
    for case in {row["case"] for row in TRAINED}:
        assert [row["seed"] for row in TRAINED if row["case"] == case] == [0, 1, 2, 3, 4]
    for row in TRAINED:
        ours, theirs = row["test, nats"]["gmcourse"], row["test, nats"][row["peer"]]
        assert row["ours - peer, nats"] == pytest.approx(ours - theirs, abs=2e-3)
        assert math.isfinite(ours + theirs)


def test_the_summary_says_the_means(peers):
    said = peers.summary(REPORT["rows"])
    assert f"step: geometric mean of {len(RACES)} ratios" in said
    assert all(case in said for case in [*peers.CASES, *peers.FLOWS])
    assert set(peers.CASES) == {row["case"] for row in RACES}


def test_both_sides_have_equal_numbers_of_weights(peers):
    for build in (peers.of_made, peers.of_vae):
        assert len({weights(step) for step in build()["step"].values()}) == 1
    ours, theirs = (weights(step) for step in peers.of_transformer()["step"].values())
    assert ours == pytest.approx(theirs, rel=0.01)  # biases and norms are placed otherwise


def weights(step) -> int:
    """How many numbers the optimiser of a training step moves."""
    (optimizer,) = (cell.cell_contents for cell in step.__closure__ if hasattr(cell.cell_contents, "param_groups"))
    return sum(p.numel() for group in optimizer.param_groups for p in group["params"])


def test_all_who_are_trained_see_the_same_rows_and_noise(peers):
    from benchmarks import equal_seconds

    first, again, other = (equal_seconds.batch(*at) for at in ((1, 5), (1, 5), (1, 6)))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.shape == (256, 64)
    assert torch.equal(equal_seconds.scored("test"), equal_seconds.scored("test"))
