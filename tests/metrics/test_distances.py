"""Distances between samples against double loops and scipy."""

import math

import pytest
import torch
from sklearn.metrics.pairwise import polynomial_kernel

from gmcourse.metrics import kernel_distance, mmd, sliced_wasserstein


def draws(n, *event, seed=0, shift=0.0, dtype=torch.float32):
    return torch.randn(n, *event, generator=torch.Generator().manual_seed(seed), dtype=dtype) + shift


def mmd_by_loops(x, y, h):
    def kernel(a, b):
        return math.exp(-sum((p - q) ** 2 for p, q in zip(a, b)) / (2 * h**2))

    def within(rows):
        n = len(rows)
        return sum(kernel(rows[i], rows[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))

    x, y = x.tolist(), y.tolist()
    return within(x) + within(y) - 2 * sum(kernel(a, b) for a in x for b in y) / (len(x) * len(y))


@pytest.mark.parametrize("n, m", [(2, 2), (7, 7), (9, 5), (30, 26)])
@pytest.mark.parametrize("bandwidth", [0.3, 2.0])
def test_mmd_equals_the_double_loop(n, m, bandwidth):
    x, y = draws(n, 3), draws(m, 3, seed=1, shift=0.5)
    assert mmd(x, y, bandwidth) == pytest.approx(mmd_by_loops(x, y, bandwidth), abs=1e-6)


def test_the_default_bandwidth_is_the_median_distance():
    x, y = draws(8, 2), draws(6, 2, seed=1)
    rows = torch.cat([x, y]).tolist()
    distances = sorted(math.dist(a, b) for i, a in enumerate(rows) for b in rows[:i])
    median = distances[(len(distances) - 1) // 2]
    assert mmd(x, y) == pytest.approx(mmd_by_loops(x, y, median), abs=1e-6)


@pytest.mark.parametrize("n", [1500, 2400])
def test_the_default_bandwidth_of_many_rows_is_that_of_evenly_spaced_ones(n):
    """Sorted data: their first thousand rows lie close together."""
    x, y = draws(n, 1).sort(0).values, draws(n, 1, seed=1, shift=0.5).sort(0).values
    median = torch.pdist(torch.cat([x, y])).median().item()
    assert mmd(x, y) == pytest.approx(mmd(x, y, median), rel=2e-3)
    crowded = torch.pdist(torch.cat([x[:1000], y[:1000]])).median().item()
    assert mmd(x, y, crowded) != pytest.approx(mmd(x, y, median), rel=0.05)


def test_mmd_of_gaussians_in_closed_form():
    """For N(0, 1) and N(m, 1) in 1-D: 2 h/√(h²+2) (1 − exp(−m²/(2(h²+2))))."""
    h, m = 1.0, 1.5
    exact = 2 * h / math.sqrt(h**2 + 2) * (1 - math.exp(-(m**2) / (2 * (h**2 + 2))))
    assert mmd(draws(2000, 1), draws(2000, 1, seed=1, shift=m), h) == pytest.approx(exact, abs=0.03)


def test_mmd_is_unbiased_around_zero_for_equal_distributions():
    values = torch.tensor([mmd(draws(30, 2, seed=2 * s), draws(30, 2, seed=2 * s + 1), 1.0) for s in range(200)])
    assert values.min() < 0 < values.max()
    assert abs(values.mean()) < 4 * values.std() / math.sqrt(len(values))


def test_distances_grow_with_the_shift_and_are_symmetric():
    x = draws(200, 1, 2, 2)
    for distance in (mmd, lambda a, b: sliced_wasserstein(a, b, rng=torch.Generator().manual_seed(0))):
        values = [distance(x, draws(150, 1, 2, 2, seed=1, shift=shift)) for shift in (0.0, 0.5, 1.0)]
        assert values == sorted(values)
        y = draws(150, 1, 2, 2, seed=1, shift=0.5)
        assert distance(x, y) == pytest.approx(distance(y, x), rel=1e-6)


@pytest.mark.parametrize("n, m", [(1, 1), (20, 20), (20, 7), (12, 18), (1, 9)])
def test_sliced_wasserstein_on_the_line_is_scipys(n, m):
    from scipy.stats import wasserstein_distance

    x, y = draws(n, 1), draws(m, 1, seed=1, shift=0.7)
    expected = wasserstein_distance(x[:, 0].numpy(), y[:, 0].numpy())
    assert sliced_wasserstein(x, y, projections=3) == pytest.approx(expected, abs=1e-6)


def test_sliced_wasserstein_with_ties():
    from scipy.stats import wasserstein_distance

    x, y = torch.tensor([[0.0], [0.0], [1.0]]), torch.tensor([[1.0], [1.0], [1.0], [0.0]])
    assert sliced_wasserstein(x, y) == pytest.approx(wasserstein_distance([0, 0, 1], [1, 1, 1, 0]), abs=1e-9)


def test_sliced_wasserstein_of_a_shift_in_the_plane():
    """A shift by v costs |v·θ| along θ, 2|v|/π in the mean over directions."""
    x = draws(50, 2)
    y = x + torch.tensor([3.0, 4.0])
    value = sliced_wasserstein(x, y, projections=20_000, rng=torch.Generator().manual_seed(0))
    assert value == pytest.approx(10 / math.pi, rel=0.02)


def test_zero_for_the_same_rows_in_another_order():
    x = draws(40, 3)
    assert sliced_wasserstein(x, x.flip(0)) == pytest.approx(0.0, abs=1e-12)


def test_the_directions_come_from_the_generator():
    x, y = draws(20, 3), draws(20, 3, seed=1)
    before = torch.get_rng_state()
    values = [sliced_wasserstein(x, y, 10, torch.Generator().manual_seed(s)) for s in (1, 1, 2)]
    assert values[0] == values[1] != values[2]
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("distance", [mmd, sliced_wasserstein])
@pytest.mark.parametrize(
    "x, y", [(draws(5, 2), draws(5, 3)), (draws(0, 2), draws(5, 2)), (draws(4), torch.tensor(1.0))]
)
def test_shapes_that_do_not_go_together(distance, x, y):
    with pytest.raises(ValueError, match="x, y: got shapes"):
        distance(x, y)


def test_mmd_needs_two_rows_and_a_bandwidth():
    with pytest.raises(ValueError, match="at least 2 rows each"):
        mmd(draws(1, 2), draws(5, 2))
    with pytest.raises(ValueError, match="bandwidth: got 0.0"):
        mmd(torch.zeros(5, 2), torch.zeros(5, 2))
    with pytest.raises(ValueError, match="projections: got 0"):
        sliced_wasserstein(draws(3, 2), draws(3, 2), projections=0)


def test_the_kernel_distance_is_scikit_learn_s():
    x, y = (torch.randn(n, 5, generator=torch.Generator().manual_seed(n)).double() for n in (40, 30))
    a, b, c = (polynomial_kernel(*pair, degree=3) for pair in ((x, x), (y, y), (x, y)))
    expected = sum((k.sum() - k.trace()) / (len(k) * (len(k) - 1)) for k in (a, b)) - 2 * c.mean()
    assert kernel_distance(x, y) == pytest.approx(expected)


def test_the_kernel_distance_sees_three_moments_and_no_more():
    """Against N(0, 1), (ab + 1)³ gives Σ_j C(3, j)(m_j − m′_j)²: 0 for a coin, 2.25 for a skewed one."""
    normal = torch.randn(4_000, 1, generator=torch.Generator().manual_seed(0))
    normal = torch.cat([normal, -normal])
    normal = normal / normal.std()
    coin = torch.tensor([[-1.0], [1.0]]).repeat(4_000, 1)
    skew = torch.tensor([[2.0], [-0.5], [-0.5], [-0.5], [-0.5]]).repeat(1_600, 1)
    assert kernel_distance(normal, coin) == pytest.approx(0, abs=0.01)
    assert kernel_distance(normal, skew) == pytest.approx(2.25, abs=0.02)


def test_the_kernel_distance_is_unbiased():
    pairs = [torch.randn(2, 50, 4, generator=torch.Generator().manual_seed(k)) for k in range(200)]
    found = torch.tensor([kernel_distance(*pair) for pair in pairs])
    assert found.mean().abs() < 4 * found.std() / 200**0.5
    assert (found < 0).any()
