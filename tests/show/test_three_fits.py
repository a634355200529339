"""Three fits: the page's divergences, steps and minima in Node against torch's, and what the explorer refuses."""

import math
import shutil

import numpy as np
import pytest
import torch

from gmcourse import show
from gmcourse.show.three_fits.figure import fits_figure
from gmcourse.taxonomy.divergences import DIVERGENCES, descend, fit_gaussian, gaussian_divergence, two_hills

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")

X = torch.linspace(-60, 60, 12_001, dtype=torch.float64)
KINDS = tuple(DIVERGENCES)
SETTINGS = ((3, 0.5), (2.8, 0.7), (4.5, 0.3), (1, 0.9), (6, 0.5), (0, 0.5))
PLACES = ((0.0, 1.0), (2.5, 0.5), (-2.9, 1.1), (6.0, 5.0), (-1.2, 2.9))


@pytest.fixture
def fits(node):
    """The value of an expression in the functions of `fits.js` and `descent.js`."""
    names = {
        "fits": "bestFit, divergence, hillLeft, lettingGo, shareRight, stepFrom, targetOf",
        "descent": "atStart, newState, rowsOf, statusOf, stepped, stepsAFrame",
    }
    lines = [f'import {{ {given} }} from "./three_fits/{file}.js";' for file, given in names.items()]

    def value(expression: str, given: object = None):
        return node("\n".join([*lines, f"console.log(JSON.stringify({expression}));"]), given)

    return value


@pytest.mark.parametrize(("a", "share"), SETTINGS)
def test_values_and_one_step_are_torchs(fits, a, share):
    places = [[mean, math.log(std)] for mean, std in PLACES]
    given = {"a": a, "w": share, "places": places}
    every = "[0, 1, 2].map((kind) => given.places.map((place) => "
    values = np.array(fits(f"{every} divergence(kind, targetOf(given.a, given.w), place)[0]))", given))
    steps = np.array(fits(f"{every} stepFrom(kind, targetOf(given.a, given.w), place)[0]))", given))
    log_p = two_hills(X, a, share)
    for kind, name in enumerate(KINDS):
        expected = [gaussian_divergence(name, log_p, X, *place).item() for place in places]
        assert np.abs(values[kind] - expected).max() < 1e-6
        after = [descend(name, log_p, X, tuple(place), steps=1)[1].tolist() for place in places]
        assert np.abs(steps[kind] - after).max() < 1e-6


@pytest.mark.parametrize(("a", "share"), SETTINGS[:4])
def test_the_best_fits_are_torchs(fits, a, share):
    seen = fits("[0, 1, 2].map((kind) => bestFit(kind, targetOf(...given)))", [a, share])
    for kind, name in enumerate(KINDS):
        expected = fit_gaussian(name, two_hills(X, a, share), X)
        assert seen[kind]["value"] == pytest.approx(expected.value, abs=1e-6)
        mean, log_std = seen[kind]["place"]
        assert abs(mean) == pytest.approx(abs(expected.mean), abs=1e-3)
        assert log_std == pytest.approx(expected.log_std, abs=1e-3)
        assert share == 0.5 or mean * expected.mean > 0


@pytest.mark.parametrize(("start", "share"), [((2.5, 1.0), 0.7), ((0.0, 1.0), 0.5), ((-6.0, 3.0), 0.5)])
def test_descents_end_where_torchs_end(fits, start, share):
    run = "(() => { let s = newState(...given); do s = stepped(s.mode === 'best' ? atStart(s) : s); "
    run += "while (s.mode !== 'ended'); return [s.places, s.steps, statusOf(s)]; })()"
    places, steps, words = fits(run, [3, share, start])
    assert 10 < steps < 1000
    assert words.startswith(f"After {steps} steps. Forward KL ends at m = ")
    for kind, name in enumerate(KINDS):
        path = descend(name, two_hills(X, 3, share), X, (start[0], math.log(start[1])), steps=steps)
        assert places[kind] == pytest.approx(path[-1].tolist(), abs=1e-3)


def test_a_search_that_got_stuck_is_said_in_words(fits):
    run = "(() => { let s = atStart(newState(3, 0.7, [2.5, 1])); while (s.mode !== 'ended') s = stepped(s); "
    words = fits(run + "return statusOf(s); })()")
    assert "Forward KL ends at m = −1.20, σ = 2.93, its best." in words
    assert "Reverse KL ends at m = 2.97, σ = 1.04, at 1.197 where 0.354 is possible." in words
    assert fits("statusOf(atStart(newState(3, 0.7, [2.5, 1])))").startswith("All three start at m = 2.50, σ = 1.00.")
    best = "The best of each: forward KL on both hills, reverse KL on the left hill alone, Jensen–Shannon on both"
    assert fits("statusOf(newState(2.6, 0.7, [0, 1]))") == f"{best} hills."


@pytest.mark.parametrize(("share", "reverse", "js"), [(0.5, 2.800, 4.245), (0.67, 2.283, 3.002), (0.7, 2.175, 2.826)])
def test_where_the_best_fit_leaves_a_hill(fits, share, reverse, js):
    seen = fits("[0, 1, 2].map((kind) => lettingGo(kind, given, 6))", share)
    assert seen[0] is None
    assert seen[1:] == pytest.approx([reverse, js], abs=2e-3)


def test_a_hill_is_left_below_half_of_its_share(fits):
    places = [[-3, 0.0], [3, 0.0], [0, 1.0]]
    assert fits("given.map((place) => hillLeft({ a: 3, w: 0.5 }, place))", places) == ["right", "left", ""]
    normal = torch.distributions.Normal(torch.tensor([-3.0, 3.0, 0.0, 1.0]), torch.tensor([1.0, 1.0, math.e, 2.0]))
    shares = fits("given.map(shareRight)", [[-3, 0], [3, 0], [0, 1], [1, math.log(2)]])
    assert shares == pytest.approx((1 - normal.cdf(torch.tensor(0.0))).tolist(), abs=1e-6)


def test_the_state_is_small_and_the_still_picture_says_the_numbers():
    explorer = show.ThreeFits(3, 0.7, start=(2.5, 1))
    assert (explorer.hills, explorer.start) == ([3.0, 0.7], [2.5, 1.0])
    assert len(explorer._esm + explorer._css) < 40_000
    (axes,) = fits_figure(3, 0.7).axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "forward KL 0.466: m = −1.20, σ = 2.93",
        "reverse KL 0.354: m = −2.99, σ = 1.01",
        "Jensen–Shannon 0.116: m = −2.98, σ = 1.02",
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"a": 6.5}, "a: got 6.5"),
        ({"share": 0.99}, "share: got 0.99"),
        ({"start": (7, 1)}, "mean: got 7"),
        ({"start": (0, 0.1)}, "std: got 0.1"),
        ({"a": math.nan}, "a: got nan"),
    ],
)
def test_refuses(given, message):
    with pytest.raises(ValueError, match=message):
        show.ThreeFits(**given)
