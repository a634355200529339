"""Fréchet distance, precision and recall, modes: against closed forms and other people's square roots."""

import math
import warnings

import pytest
import torch
from scipy.linalg import sqrtm

from gmcourse.data import load
from gmcourse.metrics import (
    density_coverage,
    features,
    fidelity,
    frechet_bias,
    frechet_distance,
    modes,
    precision_recall,
)


def normal(n, d, seed, scale=1.0, shift=0.0):
    return shift + scale * torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def test_the_frechet_distance_is_scipy_s():
    x, y = normal(200, 5, 0), normal(300, 5, 1) @ normal(5, 5, 2) + 0.5
    a, b = (t.double().T.cov().numpy() for t in (x, y))
    expected = (x.double().mean(0) - y.double().mean(0)).square().sum().item()
    expected += (a + b - 2 * sqrtm(a @ b).real).trace()
    assert frechet_distance(x, y) == pytest.approx(expected, rel=1e-6)


def test_the_frechet_distance_between_gaussians_in_closed_form():
    x = normal(100_000, 2, 0, scale=2.0, shift=3.0)
    y = normal(100_000, 2, 1)
    assert frechet_distance(x, y) == pytest.approx(2 * 9 + 2 * (2 - 1) ** 2, rel=0.02)


def test_the_frechet_distance_is_a_distance():
    x, y = normal(50, 4, 0), normal(60, 4, 1, 1.3)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(x, y) == pytest.approx(frechet_distance(y, x))
    assert frechet_distance(x, y) > 0
    assert frechet_distance(x, x.flip(0)) == pytest.approx(0, abs=1e-9)


def test_constant_features_and_few_rows_are_no_trouble():
    x, y = normal(5, 8, 0), normal(5, 8, 1)  # covariances of rank 4
    x[:, 0] = y[:, 0] = 1.0
    with pytest.warns(UserWarning, match="features: got 5 and 5 rows of 8, too few"):
        distance = frechet_distance(x, y)
    assert math.isfinite(distance)
    assert distance >= 0


@pytest.mark.parametrize("n, m, silent", [(9, 9, True), (8, 9, False), (9, 8, False)])
def test_a_distance_of_as_many_rows_as_features_is_warned_of(n, m, silent):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        frechet_distance(normal(n, 8, 0), normal(m, 8, 1))
    assert [str(warning.message)[:9] for warning in found] == ([] if silent else ["features:"])


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("which", [0, 1])
def test_samples_that_diverged_are_no_collapse(value, which):
    sets = [normal(20, 2, 0), normal(20, 2, 1)]
    sets[which][3, 1] = value
    with pytest.raises(ValueError, match="samples: got 1 rows that are not finite"):
        modes(sets[which], normal(3, 2, 0), 1.0)
    for distance in (frechet_distance, precision_recall):
        with pytest.raises(ValueError, match="features: got 1 of 20 rows that are not finite"):
            distance(*sets)


def test_precision_and_recall_tell_dropped_modes_from_bad_samples():
    left, right = normal(200, 2, 0, 0.1, -3), normal(200, 2, 1, 0.1, 3)
    data = torch.cat([left, right])
    dropped = normal(400, 2, 2, 0.1, 3)
    spread = torch.cat([normal(200, 2, 3, 0.1, -3), normal(200, 2, 4, 0.1, 3), normal(400, 2, 5, 0.1, 9)])
    precision, recall = precision_recall(data, dropped)
    assert precision > 0.9
    assert recall == pytest.approx(0.5, abs=0.05)
    precision, recall = precision_recall(data, spread)
    assert precision == pytest.approx(0.5, abs=0.05)
    assert recall > 0.9


def test_precision_by_hand():
    real = torch.tensor([[0.0], [1.0], [3.0]])
    fake = torch.tensor([[0.5], [2.9], [5.5], [-2.0]])
    # radii of the first neighbour: 1, 1, 2 about the data; 2.4, 2.4, 2.6, 2.5 about the fakes
    assert precision_recall(real, fake, k=1) == (0.5, 1.0)


def test_a_point_at_the_radius_lies_within():
    real = torch.tensor([[0.0], [1.0], [3.0]])
    fake = torch.tensor([[5.0], [-1.0], [9.0], [20.0]])  # at 2 from 3 and at 1 from 0, which are their radii
    assert precision_recall(real, fake, k=1)[0] == 0.5


def test_modes_are_counted_by_their_share():
    centres = torch.tensor([[0.0, 0.0], [5.0, 0.0], [10.0, 0.0]])
    samples = torch.cat([centres[:1].repeat(98, 1), centres[1:2], torch.tensor([[7.5, 0.0]])])
    assert modes(samples, centres, 0.1) == (2, pytest.approx(0.99))
    assert modes(samples, centres, 0.1, share=0.02).found == 1
    edge = torch.tensor([[0.299, 0.0], [0.301, 0.0]])
    assert modes(edge, centres, 0.1).quality == 0.5


def test_the_mixture_s_own_samples_lie_within_three_spreads():
    centres = 10 * torch.cartesian_prod(torch.arange(2.0), torch.arange(2.0))
    samples = centres.repeat(25_000, 1) + normal(100_000, 2, 0)
    found, quality = modes(samples, centres, 1.0)
    assert found == 4
    assert quality == pytest.approx(1 - math.exp(-4.5), abs=2e-3)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda x: frechet_distance(x, x[:1]), "features: got shapes"),
        (lambda x: frechet_distance(x, x[:, :1]), "features: got shapes"),
        (lambda x: precision_recall(x, x[:3]), "features: got shapes"),
        (lambda x: precision_recall(x, x, k=0), "k: got 0"),
        (lambda x: modes(x, x, 0.0), "std, share: got 0.0"),
        (lambda x: modes(x, x, 1.0, share=2.0), "std, share: got"),
        (lambda x: modes(x, x[:, :1], 1.0), "samples, centres: got shapes"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(normal(10, 2, 0))


def rounding(x):
    """The most that float64 can leave of the distance of features (n, d) from themselves.

    The eigenvalues λ² of Σ^½ Σ Σ^½ are known within δ, the d-fold rounding of the largest for each of four products and
    decompositions, so that a root is off by at most min(√δ, δ/λ). A trace is off by its own d-fold rounding.
    """
    values = torch.linalg.eigvalsh(x.double().T.cov()).clamp(min=0)
    unit = len(values) * torch.finfo(torch.float64).eps
    delta = 4 * unit * values.max() ** 2
    return (2 * torch.minimum(delta.sqrt(), delta / values).sum() + 2 * unit * values.sum()).item()


def test_the_protocol_is_one_count_and_the_mean_over_the_parts():
    digits = load("digits")
    held = torch.cat([digits.valid, digits.test])
    parts = [fidelity(held, part) for part in digits.train[:1080].split(540)]
    both = fidelity(held, digits.train)
    assert both.frechet == pytest.approx(sum(p.frechet for p in parts) / 2)
    assert both.recall == pytest.approx(sum(p.recall for p in parts) / 2)
    far = fidelity(held, 1 - digits.train).frechet
    assert fidelity(held, held).frechet == pytest.approx(0, abs=rounding(features(held)))
    changed = torch.cat([1 - held[:1], held[1:]])
    assert fidelity(held, changed).frechet > 10 * rounding(features(held))
    assert both.frechet < 0.1 * far


def test_too_few_pictures_are_refused():
    digits = load("digits")
    with pytest.raises(ValueError, match="got 540 and 100 pictures, expected at least 540"):
        fidelity(torch.cat([digits.valid, digits.test]), digits.test[:100])


def test_density_and_coverage_by_hand():
    real = torch.tensor([[0.0], [1.0], [10.0]])  # balls for k = 1: radii 1, 1, 9
    density, coverage = density_coverage(real, torch.tensor([[0.5], [0.6], [-5.0]]), k=1)
    assert density == pytest.approx((2 + 2 + 0) / 3)
    assert coverage == pytest.approx(2 / 3)


def test_the_coverage_of_the_truth_is_the_product():
    found = [density_coverage(normal(300, 3, seed), normal(200, 3, seed + 100)) for seed in range(20)]
    density, coverage = (torch.tensor(column).double() for column in zip(*found, strict=True))
    expected = 1 - math.prod((300 - 1 - j) / (300 + 200 - 1 - j) for j in range(5))
    for values, truth in ((coverage, expected), (density, 1.0)):
        assert values.mean().item() == pytest.approx(truth, abs=4 * values.std().item() / 20**0.5)


def test_a_clump_at_the_centre_covers_all_in_many_dimensions():
    real, clump = normal(400, 64, 0), normal(400, 64, 1, 0.5)
    density, coverage = density_coverage(real, clump)
    assert coverage > 0.95
    assert density > 10
    assert precision_recall(real, clump)[1] < 0.1


@pytest.mark.parametrize("d, n, m", [(1, 100, 100), (2, 100, 300), (8, 200, 200)])
def test_the_bias_of_the_frechet_distance_is_the_derived_one(d, n, m):
    values = 0.8 ** torch.arange(d)
    pairs = [(normal(n, d, k) * values.sqrt(), normal(m, d, 10_000 + k) * values.sqrt()) for k in range(300)]
    found = torch.tensor([frechet_distance(*pair) for pair in pairs]).double()
    bias = frechet_bias(values, n, m)
    assert found.mean().item() == pytest.approx(bias, abs=4 * found.std().item() / 300**0.5 + 0.02 * bias)
    assert bias == pytest.approx(frechet_bias(values, m, n))


def test_the_bias_of_unit_covariances():
    assert frechet_bias(torch.ones(64), 1_000, 1_000) == pytest.approx(2.208)
    assert frechet_bias(torch.tensor([1.0, 0.0]), 10, 10) == pytest.approx(frechet_bias(torch.ones(1), 10, 10))
    with pytest.raises(ValueError, match="eigenvalues, n, m: got"):
        frechet_bias(torch.tensor([-1.0]), 10, 10)
