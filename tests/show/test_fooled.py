"""The fooled metrics: their numbers in Node against the package's, the challenges, and what is refused."""

import json

import pytest
import torch

from gmcourse import show
from gmcourse.data import load
from gmcourse.metrics import density_coverage, frechet_distance, nearest_share, precision_recall
from gmcourse.show.fooled.figure import fooled_figure

MOONS = load("two-moons").density.sample(1500, rng=torch.Generator().manual_seed(0))
SETS = (MOONS[:150], MOONS[150:300], MOONS[300:])
SETUP = """
import { measuresOf } from "./fooled/measures.js";
import { fakesOf, newCrowd, realPoints, update } from "./fooled/crowd.js";
const say = (value) => console.log(JSON.stringify(value));
"""


def state_of(*sets, **changes):
    state = show.FooledMetrics(*sets or SETS, **changes).get_state()
    return {key: value for key, value in state.items() if not key.startswith("_")}


def expected(held, train, fakes):
    held, train, fakes = (torch.tensor(points, dtype=torch.float64) for points in (held, train, fakes))
    precision, recall = precision_recall(held, fakes)
    density, coverage = density_coverage(held, fakes)
    return {
        "frechet": frechet_distance(held, fakes),
        **{"precision": precision, "recall": recall, "density": density, "coverage": coverage},
        "nearer": nearest_share(fakes, train, held),
    }


@pytest.mark.parametrize(
    "fakes",
    [MOONS[300:400], 0.3 * MOONS[300:350] + 1, MOONS[:100], torch.randn(100, 2, generator=torch.Generator())],
    ids=["honest", "narrow", "copies", "Gaussian"],
)
def test_the_measures_are_those_of_the_package(node, fakes):
    given = [points.tolist() for points in (MOONS[150:250], MOONS[:100], fakes)]
    assert node(SETUP + "say(measuresOf(...given));", given) == pytest.approx(expected(*given), abs=1e-6)


CROWD = """
const crowd = newCrowd(given.state);
const opened = { values: crowd.values, met: [...crowd.met] };
update(crowd, given.changes);
const held = realPoints(crowd);
const { fakes, values, floors } = crowd;
say({ opened, fakes, held, values, floors, met: [...crowd.met] });
"""
WAYS = {
    "shape": {"kind": "moments"},
    "outlier": {"outlier": True, "width": 0},
    "strewn": {"width": 2, "strewn": 3},
    "copies": {"kind": "copies"},
}


@pytest.fixture
def crowd(node):
    return lambda **changes: node(SETUP + CROWD, {"state": state_of(), "changes": changes})


@pytest.mark.parametrize("key", WAYS)
def test_each_challenge_can_be_met_and_honest_draws_meet_none(crowd, key):
    state = state_of()
    changes = dict(WAYS[key])
    if key == "outlier":
        middle = MOONS[300:].mean(0)
        changes["at"] = (torch.tensor(state["centre"]) + 0.85 * state["extent"] - middle).tolist()
    told = crowd(**changes)
    assert told["opened"]["met"] == []
    assert key in told["met"], told["values"]
    assert told["values"] == pytest.approx(expected(told["held"], state["train"][:100], told["fakes"]), abs=1e-6)


def test_floors_are_those_of_honest_draws_at_the_count(crowd):
    state, told = state_of(), crowd(count=1)
    held, train = state["held"][:50], state["train"][:50]
    draws = [expected(held, train, state["fresh"][50 * k : 50 * (k + 1)]) for k in range(8)]
    for name, mean in told["floors"]["mean"].items():
        assert mean == pytest.approx(sum(draw[name] for draw in draws) / 8, abs=1e-6)
    assert told["floors"]["worst"]["frechet"] == pytest.approx(max(draw["frechet"] for draw in draws), abs=1e-6)
    assert told["floors"]["worst"]["recall"] == pytest.approx(min(draw["recall"] for draw in draws), abs=1e-6)


def test_the_gaussian_has_the_data_s_moments(node):
    script = SETUP + "const crowd = newCrowd(given); say([crowd.root, crowd.middle]);"
    (a, b, c), middle = node(script, state_of())
    pool = torch.tensor(state_of()["fresh"], dtype=torch.float64)
    root = torch.tensor([[a, 0], [b, c]], dtype=torch.float64)
    assert torch.allclose(root @ root.T, pool.T.cov(), atol=1e-6)
    assert middle == pytest.approx(pool.mean(0).tolist())


def test_what_goes_into_the_page_is_small():
    assert len(json.dumps(show.FooledMetrics(*SETS).get_state(), default=str)) < 75_000


def test_the_still_tells_four_ways():
    figure = fooled_figure(*SETS, extent=2.5)
    words = [ax.get_xlabel() for ax in figure.axes]
    assert len(words) == 4
    assert "precision 1.00" in words[1]
    assert "nearer to train 1.00" in words[3]


@pytest.mark.parametrize(
    ("sets", "error", "message"),
    [
        ((MOONS.tolist(), *SETS[1:]), TypeError, "train: got list, expected a Tensor"),
        ((SETS[0][:, :1], *SETS[1:]), ValueError, "train: got (150, 1), expected (n, 2)"),
        ((SETS[0], SETS[1][:149], SETS[2]), ValueError, "held: got 149 points, expected at least 150"),
        ((SETS[0], SETS[1], SETS[2][:500]), ValueError, "fresh: got 500 points, expected at least 1200"),
    ],
)
def test_what_does_not_fit_is_named(sets, error, message):
    with pytest.raises(error) as raised:
        show.FooledMetrics(*sets)
    assert message in str(raised.value)
