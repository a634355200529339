"""One Gaussian fitted to two hills by three divergences, against adaptive quadrature and a simplex search."""

import math
from functools import cache

import pytest
import torch
from scipy.integrate import quad
from scipy.optimize import minimize

from gmcourse.gan.divergences import jensen_shannon
from gmcourse.taxonomy.divergences import (
    DIVERGENCES,
    descend,
    fit_gaussian,
    forward_kl,
    gaussian_divergence,
    moments,
    reverse_kl,
    two_hills,
)

X = torch.linspace(-50, 50, 10_001, dtype=torch.float64)
DX = 0.01
KINDS = tuple(DIVERGENCES)
FORWARD, REVERSE, JS = KINDS
SEARCH = {"method": "Nelder-Mead", "options": {"xatol": 1e-4, "fatol": 1e-9}}
# (a, w): mean (its sign is free where w = ½), standard deviation and value of each divergence's fit
TABLE = {
    (3, 0.5): ((0, 10**0.5, 0.4620), (2.984, 1.023, 0.6888), (0, 3.120, 0.1284)),
    (2, 0.5): ((0, 5**0.5, 0.1720), (0, 2.047, 0.2265), (0, 2.196, 0.0461)),
    (3, 0.7): ((-1.2, 2.926, 0.4662), (-2.991, 1.015, 0.3540), (-2.985, 1.025, 0.1162)),
    (4.5, 0.5): ((0, 21.25**0.5, 0.8350), (4.500, 1.000, 0.6931), (4.500, 1.000, 0.2158)),
}


def log_normal(x, mean, std):
    return -(((x - mean) / std) ** 2) / 2 - math.log(std) - math.log(2 * math.pi) / 2


def log_sum(one, other):
    top = max(one, other)
    return top + math.log1p(math.exp(min(one, other) - top))


def oracle(kind, a, w, mean, std):
    """The divergence by adaptive quadrature, piece by piece between the places where something changes."""

    def integrand(x):
        log_p = log_sum(math.log(w) + log_normal(x, -a, 1), math.log(1 - w) + log_normal(x, a, 1))
        log_q = log_normal(x, mean, std)
        log_m = log_sum(log_p, log_q) - math.log(2)
        if kind == FORWARD:
            return math.exp(log_p) * (log_p - log_q)
        if kind == REVERSE:
            return math.exp(log_q) * (log_q - log_p)
        return (math.exp(log_p) * (log_p - log_m) + math.exp(log_q) * (log_q - log_m)) / 2

    hills = ((-a, 1), (a, 1), (mean, std))
    places = sorted({0.0, *(centre + k * width for centre, width in hills for k in (-9, -3, 0, 3, 9))})
    return sum(quad(integrand, low, high, epsabs=1e-11)[0] for low, high in zip(places, places[1:], strict=False))


@cache
def oracle_end(kind, a, w, start):
    """(value, mean, standard deviation) where a simplex search from (mean, log_std) ends."""
    found = minimize(lambda place: oracle(kind, a, w, place[0], math.exp(place[1])), start, **SEARCH)
    return found.fun, found.x[0], math.exp(found.x[1])


@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("a", "w"), TABLE)
def test_the_fit_is_the_numerically_integrated_optimum(kind, a, w):
    starts = ((0.1, math.log(a)), (-a, 0.0), (a, 0.0))
    value, mean, std = min(oracle_end(kind, a, w, start) for start in starts)
    fit = fit_gaussian(kind, two_hills(X, a, w), X)
    side = math.copysign(1, fit.mean * mean) if w == 0.5 else 1
    assert fit.mean == pytest.approx(side * mean, abs=1e-3)
    assert math.exp(fit.log_std) == pytest.approx(std, abs=1e-3)
    assert fit.value == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize(("a", "w"), TABLE)
def test_the_table_of_the_lesson(a, w):
    for kind, (mean, std, value) in zip(KINDS, TABLE[a, w], strict=True):
        fit = fit_gaussian(kind, two_hills(X, a, w), X)
        assert (abs(fit.mean) if w == 0.5 else fit.mean) == pytest.approx(mean, abs=6e-4)
        assert math.exp(fit.log_std) == pytest.approx(std, abs=6e-4)
        assert fit.value == pytest.approx(value, abs=6e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("a", "w", "mean", "std"), [(3, 0.5, 0, 2.7), (2.8, 0.7, -2.5, 1.1), (4.245, 0.3, 1, 4.4), (1, 0.9, 6, 0.7)]
)
def test_values_against_adaptive_quadrature(kind, a, w, mean, std):
    seen = gaussian_divergence(kind, two_hills(X, a, w), X, mean, math.log(std)).item()
    assert seen == pytest.approx(oracle(kind, a, w, mean, std), abs=1e-8)


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("kind", "before", "after", "covering"),
    [
        (REVERSE, (2.798, 0.5), (2.802, 0.5), (0.0, 0.956)),
        (JS, (4.243, 0.5), (4.247, 0.5), (0.0, 1.472)),
        (JS, (3.0, 0.669), (3.0, 0.671), (-1.1, 1.06)),
    ],
)
def test_where_one_hill_becomes_the_best(kind, before, after, covering):
    """At a = 2.800 for reverse KL and 4.245 for JS where w = ½; at w = 67.0 % for JS where a = 3."""
    for (a, w), one_hill in ((before, False), (after, True)):
        assert (abs(fit_gaussian(kind, two_hills(X, a, w), X).mean) > 0.9 * a) == one_hill
        on_hill, over_both = (oracle_end(kind, a, w, start) for start in ((-a, 0.0), covering))
        assert abs(over_both[1]) < 0.6 * a
        assert (on_hill < over_both) == one_hill


def test_limits():
    far = two_hills(X, 12.0)
    assert fit_gaussian(REVERSE, far, X).value == pytest.approx(math.log(2))
    assert fit_gaussian(JS, far, X).value == pytest.approx(0.75 * math.log(4 / 3))
    assert fit_gaussian(REVERSE, two_hills(X, 12.0, 0.7), X).value == pytest.approx(-math.log(0.7))


def test_forward_kl_is_fitted_by_the_moments():
    log_p = two_hills(X, 3.0, 0.7)
    mean, log_std = moments(log_p, X)
    assert (mean, math.exp(2 * log_std)) == pytest.approx((-1.2, 1 + 9 * 4 * 0.21))
    place = torch.tensor([mean, log_std], requires_grad=True, dtype=torch.float64)
    (slope,) = torch.autograd.grad(gaussian_divergence(FORWARD, log_p, X, *place), place)
    assert slope.abs().max() < 1e-9


def test_only_the_distance_in_widths_matters():
    """Hills twice as wide and as far apart: the same values, and fits twice as large."""
    log_p, wide = two_hills(X, 3.0, 0.7), two_hills(X / 2, 3.0, 0.7) - math.log(2)
    for kind in KINDS:
        one, two = fit_gaussian(kind, log_p, X), fit_gaussian(kind, wide, X)
        assert two == pytest.approx((2 * one.mean, one.log_std + math.log(2), one.value), abs=1e-6)


def test_the_start_decides_where_a_search_ends():
    log_p = two_hills(X, 3.0)
    covering = fit_gaussian(REVERSE, log_p, X, [moments(log_p, X)])
    assert (math.exp(covering.log_std), covering.value) == pytest.approx((2.744, 0.8406), abs=6e-4)
    small = fit_gaussian(REVERSE, two_hills(X, 3.0, 0.7), X, [(2.0, 0.0)])
    assert (small.mean, math.exp(small.log_std), small.value) == pytest.approx((2.973, 1.038, 1.1967), abs=6e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_descent_ends_in_the_minimum_next_to_its_start(kind):
    path = descend(kind, two_hills(X, 3.0, 0.7), X, (2.5, 0.0))
    assert path.shape == (601, 2)
    assert path[0].tolist() == [2.5, 0.0]
    assert path.diff(dim=0).norm(dim=1).max() <= 0.1 + 1e-12
    end = {FORWARD: (-1.2, 2.926), REVERSE: (2.973, 1.038), JS: (-1.237, 2.863)}[kind]
    assert (path[-1, 0].item(), path[-1, 1].exp().item()) == pytest.approx(end, abs=2e-3)


@pytest.mark.parametrize(("kind", "rate"), [*zip(KINDS, (0.5, 0.5, 2.0), strict=True)])
def test_a_step_goes_down_the_slope(kind, rate):
    for mean, log_std in ((-2.9, 0.05), (1.0, 0.0)):
        h = 1e-4
        along = [oracle(kind, 3, 0.6, mean + d, math.exp(log_std)) for d in (-h, h)]
        across = [oracle(kind, 3, 0.6, mean, math.exp(log_std + d)) for d in (-h, h)]
        slope = torch.tensor([(after - before) / (2 * h) for before, after in (along, across)], dtype=torch.float64)
        expected = -slope * min(rate, 0.1 / slope.norm().item())
        places = descend(kind, two_hills(X, 3.0, 0.6), X, (mean, log_std), steps=1)
        torch.testing.assert_close(places[1] - places[0], expected, atol=1e-5, rtol=0)


def test_a_constant_in_the_target_moves_the_value_of_reverse_kl_alone():
    log_p, log_q = two_hills(X, 3.0), two_hills(X, 1.0)
    assert (reverse_kl(log_q, log_p + 5, DX) - reverse_kl(log_q, log_p, DX)).item() == pytest.approx(-5)
    assert forward_kl(log_p, log_q, DX).item() == pytest.approx(reverse_kl(log_p, log_q, DX).item())
    assert forward_kl(log_p, log_p, DX).item() == 0


def test_js_of_logs_is_js_of_densities():
    log_p, log_q = two_hills(X, 3.0), two_hills(X, 1.0, 0.2)
    of_densities = jensen_shannon(log_p.exp(), log_q.exp(), DX)
    assert DIVERGENCES[JS](log_p, log_q, DX).item() == pytest.approx(of_densities.item())


def test_a_density_that_is_nothing_adds_nothing():
    """p uniform on (0, 1): KL(p ‖ N(0, 1)) = ½ ln 2π + 1/6; the other way it is infinite, and JS is not."""
    box = torch.where((X > DX / 2) & (X < 1 + DX / 2), 0.0, -math.inf)
    log_q = two_hills(X, 0.0)
    assert forward_kl(box, log_q, DX).item() == pytest.approx(0.5 * math.log(2 * math.pi) + 1 / 6, abs=0.01)
    assert forward_kl(log_q, box, DX).item() == math.inf
    assert 0 < DIVERGENCES[JS](box, log_q, DX).item() < math.log(2)


def test_refuses():
    with pytest.raises(ValueError, match="share: got 1"):
        two_hills(X, 3.0, 1.0)
    with pytest.raises(ValueError, match="kind: got 'JS'"):
        gaussian_divergence("JS", two_hills(X, 3.0), X, 0.0, 0.0)
