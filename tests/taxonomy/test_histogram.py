"""The histogram against numpy's counts, its own quadrature, and the mistakes that histograms invite."""

import math

import numpy as np
import pytest
import torch

from gmcourse.data import load
from gmcourse.laws.mass import grid, integrates_to_one
from gmcourse.taxonomy import Histogram
from gmcourse.taxonomy.histogram import HISTOGRAM, histogram_log_prob


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def points(n=500, dims=2):
    return torch.rand(n, dims, generator=seeded()) ** 2 * torch.tensor([3.0, 0.5, 1.0][:dims])


def counted(bins=4, smoothing=0.5, dims=2):
    return Histogram([0.0] * dims, [3.0, 0.5, 1.0][:dims], bins).count(points(dims=dims), smoothing)


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_it_is_numpy_s_histogram(dims):
    x = points(dims=dims)
    expected, edges = np.histogramdd(x.numpy(), bins=4, range=[(0, side) for side in (3.0, 0.5, 1.0)[:dims]])
    volume = math.prod((3.0, 0.5, 1.0)[:dims]) / 4**dims
    density = torch.from_numpy((expected + 0.5) / (expected + 0.5).sum() / volume)
    cell = tuple(np.clip(np.searchsorted(e, x[:, i].numpy(), side="right") - 1, 0, 3) for i, e in enumerate(edges))
    torch.testing.assert_close(counted(dims=dims).log_prob(x).exp(), density[cell].float())


def test_its_mass_is_one():
    model = counted(bins=5)
    integrates_to_one(lambda x: model.log_prob(x.float()), low=[0, 0], high=[3, 0.5], points=330)
    x, volume = grid([-1, -0.5], [4, 1], 1_500)
    assert model.log_prob(x.float()).double().exp().sum().item() * volume == pytest.approx(1, abs=2e-3)


def test_cells_of_unequal_width():
    edges, logits = torch.tensor([[0.0, 1.0, 4.0]]), torch.log(torch.tensor([0.25, 0.75]))
    x = torch.tensor([[0.5], [1.0], [3.9]])
    torch.testing.assert_close(histogram_log_prob(x, edges, logits).exp(), torch.tensor([0.25, 0.25, 0.25]))


def test_a_cell_has_its_lower_edge_and_the_last_its_upper_too():
    model = Histogram([0.0], [3.0], 3)
    with torch.no_grad():
        model.logits.copy_(torch.tensor([0.1, 0.2, 0.7]).log())
    x = torch.tensor([[0.0], [1.0], [2.0], [3.0], [-1e-3], [3.001], [math.inf], [math.nan]])
    found = model.log_prob(x).exp()
    torch.testing.assert_close(found, torch.tensor([0.1, 0.2, 0.7, 0.7, 0.0, 0.0, 0.0, 0.0]))


def test_the_gradient_is_softmax_less_share_and_zero_at_the_counts():
    x, model = points(), counted(smoothing=0.0)
    shares = model.logits.detach().flatten().softmax(0).view(4, 4)
    model.loss(x).backward()
    seen = shares > 0
    torch.testing.assert_close(model.logits.grad[seen], torch.zeros(int(seen.sum())), atol=1e-6, rtol=0)
    other = Histogram([0.0, 0.0], [3.0, 0.5], 4)
    other.loss(x).backward()
    expected = other.logits.detach().flatten().softmax(0).view(4, 4) - shares
    torch.testing.assert_close(other.logits.grad, expected, atol=1e-6, rtol=1e-5)


def test_smoothing_is_added_to_each_cell():
    model = Histogram([0.0], [1.0], 4).count(torch.tensor([[0.1], [0.1], [0.9]]), smoothing=1.0)
    torch.testing.assert_close(model.logits.softmax(0), torch.tensor([3.0, 1.0, 1.0, 2.0]) / 7)
    hard = Histogram([0.0], [1.0], 4).count(torch.tensor([[0.1], [0.1], [0.9]]), smoothing=0.0)
    assert hard.log_prob(torch.tensor([[0.3]])).item() == -math.inf


def test_samples_lie_everywhere_in_their_cell_and_as_often_as_it_says():
    model, n = counted(bins=3), 30_000
    x = model.sample(n, rng=seeded())
    shares = np.histogramdd(x.numpy(), bins=3, range=[(0, 3), (0, 0.5)])[0] / n
    expected = model.logits.detach().flatten().softmax(0).view(3, 3)
    error = (expected * (1 - expected) / n).sqrt()
    assert ((torch.from_numpy(shares).float() - expected).abs() < 4 * error + 1e-6).all()
    inside = x[:, 0].frac()  # cells are 1 wide
    assert abs(inside.mean() - 0.5) < 0.01
    assert abs(inside.std() - 12**-0.5) < 0.01
    assert x.isfinite().all()
    assert model.log_prob(x).isfinite().all()


def test_a_cell_without_mass_is_never_drawn():
    model = Histogram([0.0], [3.0], 3).count(torch.tensor([[1.5]]), smoothing=0.0)
    x = model.sample(2_000, rng=seeded())
    assert ((x >= 1) & (x <= 2)).all()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Histogram([0.0], [0.0], 3), "low, high"),
        (lambda: Histogram([0.0], [1.0, 2.0], 3), "low, high"),
        (lambda: Histogram([], [], 3), "low, high"),
        (lambda: Histogram([0.0], [1.0], 0), "bins: got 0"),
        (lambda: Histogram([0.0] * 3, [1.0] * 3, 41), "bins: got 41 on 3 axes"),
        (lambda: counted().log_prob(torch.zeros(4, 3)), r"x: got shape \(4, 3\)"),
        (lambda: counted().log_prob(torch.zeros(4, 2, dtype=torch.long)), "x: got shape .* torch.int64"),
        (lambda: counted().count(torch.full((1, 2), 9.0)), "x: got points outside the box"),
        (lambda: counted(smoothing=-1.0), "smoothing: got -1"),
        (lambda: counted().count(torch.zeros(0, 2), smoothing=0.0), "x: got no rows"),
    ],
)
def test_bad_input_is_named(make, said):
    with pytest.raises(ValueError, match=said):
        make()


def test_its_box_holds_the_data_and_its_cells_grow_with_them():
    moons = load("two-moons")
    model = HISTOGRAM.build(moons)
    assert model.bins == round(4 * 8_000**0.25)
    assert model.log_prob(torch.cat([moons.train, moons.valid, moons.test])).isfinite().all()
    assert repr(model) != repr(Histogram([0.0, 0.0], [1.0, 1.0], model.bins))
