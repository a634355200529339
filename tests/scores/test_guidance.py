"""Guidance: its weights, what is dropped, and what an exact walk along it samples from."""

import math

import pytest
import torch

from gmcourse.laws.scores import equation
from gmcourse.scores.guidance import drop_labels, guided, guided_score, guided_variance, tilted_variance
from gmcourse.scores.sde import reverse_sde


def gaussian(variance):
    return lambda x, sigma, given=None: -x / (variance + torch.as_tensor(sigma) ** 2)


def either(x, sigma, given=None):
    return gaussian(2.0 if given is None else 1.0)(x, sigma)


def test_it_obeys_the_law():
    equation.guidance_goes_beyond(guided_score)


def test_strength_0_asks_once_and_nothing_given_is_unconditional():
    calls = []

    def score(x, sigma, given=None):
        calls.append(given)
        return either(x, sigma, given)

    x, told = torch.ones(2, 1), torch.tensor([0, 0])
    torch.testing.assert_close(guided(score, told, 0.0)(x, 0.0), -x)
    torch.testing.assert_close(guided(score, None, 3.0)(x, 0.0), -x / 2)
    assert len(calls) == 2
    torch.testing.assert_close(guided(score, told, 3.0)(x, 0.0), -4 * x + 1.5 * x)
    assert len(calls) == 4


def test_labels_are_dropped_where_u_is_below_the_share():
    kept = drop_labels(torch.tensor([3, 1, 4]), torch.tensor([0.05, 0.5, 0.1]), 0.1, 10)
    assert kept.tolist() == [10, 1, 4]


@pytest.mark.parametrize(
    ("strength", "flow", "noisy", "tilted"), [(1, 0.7071, 0.7638, 0.8165), (3, 0.3536, 0.5324, 0.6325)]
)
def test_no_sampler_gives_the_tilted_law(strength, flow, noisy, tilted):
    """Variance 1 among 2: by the formula, and, on the way, by adding up variances in 20,000 steps."""
    for churn, expected in ((0.0, flow), (1.0, noisy)):
        assert math.sqrt(guided_variance(1.0, 2.0, strength, churn)) == pytest.approx(expected, abs=2e-4)
        levels = torch.logspace(3, -3, 20_001, dtype=torch.float64)
        score = guided(either, torch.tensor([0]), strength)
        falls = levels[:-1].square() - levels[1:].square()
        gains = 1 + (1 + churn) / 2 * falls * score(torch.ones(20_000, 1).double(), levels[:-1, None])[:, 0]
        variance = levels[0].item() ** 2
        for gain, fall in zip(gains.tolist(), falls.tolist()):
            variance = gain**2 * variance + churn * fall
        assert math.sqrt(variance) == pytest.approx(expected, abs=3e-3)
    assert math.sqrt(tilted_variance(1.0, 2.0, strength)) == pytest.approx(tilted, abs=1e-4)
    assert guided_variance(1.0, 2.0, strength, 100.0) == pytest.approx(tilted**2, rel=0.02)


def test_without_guidance_every_sampler_gives_the_class():
    for churn in (0.0, 0.3, 1.0, 4.0):
        assert guided_variance(0.5, 2.0, 0.0, churn) == pytest.approx(0.5, rel=1e-4)


def test_draws_have_the_variance_of_the_formula():
    rng = torch.Generator().manual_seed(0)
    levels = torch.logspace(2, -2, 400, dtype=torch.float64)
    start = levels[0] * torch.randn(20_000, 1, generator=rng, dtype=torch.float64)
    drawn = reverse_sde(guided(either, torch.tensor([0]), 1.0), start, levels, rng=rng)
    assert drawn.std().item() == pytest.approx(0.7638, abs=0.02)


def test_a_tilted_law_without_mass_is_named():
    with pytest.raises(ValueError, match=r"strength: got 3, expected \(1 \+ w\)/v_c"):
        tilted_variance(2.0, 1.0, 3)
