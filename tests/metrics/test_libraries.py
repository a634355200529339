"""Metrics against other people's: torchmetrics, POT, scikit-learn, SciPy."""

import math

import numpy as np
import ot
import pytest
import torch
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, sem, wasserstein_distance_nd, wishart
from sklearn.metrics import root_mean_squared_error
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.neighbors import NearestNeighbors
from torch import nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from gmcourse.metrics import (
    density_coverage,
    estimate,
    frechet_bias,
    frechet_distance,
    importance_weighted,
    imputation_coverage,
    imputation_rmse,
    kernel_distance,
    mixture_cost,
    mmd,
    modes,
    nll,
    precision_recall,
    sliced_wasserstein,
    wasserstein_1d,
    wasserstein_lp,
)
from gmcourse.vae import LinearGaussian


def normal(n, d, seed, scale=1.0):
    return scale * torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def inside(points, centres, k):
    """Whether point j lies in the ball of centre i that reaches to its k-th nearest other centre."""
    found = NearestNeighbors(n_neighbors=k + 1).fit(centres.numpy())
    return cdist(centres, points) <= found.kneighbors(centres.numpy())[0][:, -1:]


@pytest.mark.parametrize("n, m, d, width", [(60, 80, 2, 0.7), (90, 40, 5, 1.4), (50, 50, 30, 1.0)])
def test_neighbours_are_scikit_learn_s(n, m, d, width):
    real, fake = normal(n, d, 0), normal(m, d, 1, width)
    expected = inside(fake, real, 3).any(0).mean(), inside(real, fake, 3).any(0).mean()
    assert precision_recall(real, fake) == pytest.approx(expected)
    balls = inside(fake, real, 5)
    assert density_coverage(real, fake) == pytest.approx((balls.sum() / 5 / m, balls.any(1).mean()))


@pytest.mark.parametrize("width", [0.5, 3.0])
def test_mmd_is_that_of_scikit_learn_s_kernel(width):
    x, y = normal(30, 4, 0), normal(50, 4, 1, 1.2)
    a, b, c = (rbf_kernel(*pair, gamma=1 / (2 * width**2)) for pair in ((x, x), (y, y), (x, y)))
    expected = sum((k.sum() - k.trace()) / (len(k) * (len(k) - 1)) for k in (a, b)) - 2 * c.mean()
    assert mmd(x, y, width) == pytest.approx(expected, abs=1e-12)


def test_the_bias_is_that_of_scipy_s_wishart_matrices():
    """Covariances and means drawn apart: W/(n − 1) and N(0, Σ/n) each, the root by scipy."""
    values, n, m, rng = np.array([1.0, 0.5, 0.1]), 60, 90, np.random.default_rng(0)
    found = []
    for _ in range(300):
        a, b = (np.atleast_2d(wishart(k - 1, np.diag(values) / (k - 1)).rvs(random_state=rng)) for k in (n, m))
        apart = rng.normal(size=3) * np.sqrt(values * (1 / n + 1 / m))
        found.append((apart**2).sum() + np.trace(a + b - 2 * sqrtm(a @ b).real))
    bias = frechet_bias(torch.tensor(values), n, m)
    assert np.mean(found) == pytest.approx(bias, abs=4 * sem(found) + 0.02 * bias)


def test_modes_are_counted_by_scipy_s_distances():
    centres = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 3.0]], dtype=torch.float64)
    samples = torch.cat([centres[0] + normal(300, 2, 0, 0.3), centres[1] + normal(2, 2, 1, 0.1), normal(50, 2, 2, 2)])
    near = cdist(samples, centres) <= 0.75
    assert modes(samples, centres, 0.25) == (int((near.mean(0) >= 0.01).sum()), pytest.approx(near.any(1).mean()))


@pytest.mark.parametrize("n, m", [(6, 6), (5, 8)])
def test_the_transport_cost_is_scipy_s(n, m):
    x, y = normal(n, 3, 0), normal(m, 3, 1)
    assert wasserstein_lp(x, y) == pytest.approx(wasserstein_distance_nd(x.numpy(), y.numpy()), abs=1e-8)


@pytest.fixture
def linear():
    weight = torch.tensor([[1.0, 0.5], [-0.3, 0.8], [0.2, -1.0]])
    return LinearGaussian(weight, torch.tensor([1.0, 0.0, -1.0]), std=0.5)


def test_a_likelihood_is_scipy_s(linear):
    x = 1.5 * torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    weight = linear.weight.detach().double().numpy()
    evidence = multivariate_normal([1.0, 0.0, -1.0], weight @ weight.T + 0.25 * np.eye(3)).logpdf(x.double().numpy())
    assert nll(linear, x).numpy() == pytest.approx(-evidence, abs=1e-4)


def test_the_mean_of_weights_is_scipy_s():
    class Table:
        def log_weights(self, x, k, *, rng=None):
            return normal(k, len(x), 5)

    found = importance_weighted(Table(), torch.zeros(7, 1), 30, chunk=30)
    assert found.numpy() == pytest.approx(logsumexp(normal(30, 7, 5).numpy(), axis=0) - math.log(30))


def test_an_estimate_s_error_is_scipy_s():
    values = normal(23, 1, 0)[:, 0]
    assert estimate(values) == pytest.approx((values.mean().item(), sem(values.numpy())))


def test_blanks_are_measured_as_by_scikit_learn_and_numpy():
    x, filled, draws = normal(20, 4, 0), normal(20, 4, 1), torch.stack([normal(20, 4, k) for k in range(2, 13)])
    m = (normal(20, 4, 20) > 0).double()
    blank = (m == 0).numpy()
    assert imputation_rmse(x, filled, m) == pytest.approx(root_mean_squared_error(x[m == 0], filled[m == 0]))
    low, high = np.quantile(draws.numpy(), [0.05, 0.95], axis=0)
    covered = (low <= x.numpy()) & (x.numpy() <= high)
    assert imputation_coverage(x, draws, m) == pytest.approx(covered[blank].mean())


def test_rubbish_costs_at_most_the_mixture_s_bound():
    x = torch.linspace(-4, 4, 200, dtype=torch.float64)[:, None].expand(-1, 3)
    good, rubbish = (multivariate_normal(np.zeros(3), s).logpdf(x) for s in (1.0, 25.0))
    lost = (good - np.logaddexp(good + np.log(0.2), rubbish + np.log(0.8))) / (3 * np.log(2))
    assert lost.max() <= mixture_cost(0.2, 3)
    assert mixture_cost(0.2, 3) == pytest.approx(math.log2(5) / 3)
    assert mixture_cost(1.0, 5) == 0
    for share, dims in ((0.0, 3), (1.5, 3), (0.5, 0)):
        with pytest.raises(ValueError, match="share, dims: got"):
            mixture_cost(share, dims)


class Flat(nn.Module):
    """Features in the place of Inception's: the rows themselves, given as pictures."""

    num_features = 6

    def forward(self, x):
        return x.flatten(1).double()


def as_pictures(x):
    return x.view(len(x), 1, 2, 3)


@pytest.mark.parametrize("n, m, width", [(60, 80, 0.7), (200, 40, 1.4)])
def test_the_frechet_distance_is_torchmetrics(n, m, width):
    real, fake = normal(n, 6, 0), 0.3 + normal(m, 6, 1, width)
    fid = FrechetInceptionDistance(feature=Flat(), input_img_size=(1, 2, 3)).set_dtype(torch.float64)
    fid.update(as_pictures(real), real=True)
    fid.update(as_pictures(fake), real=False)
    assert frechet_distance(real, fake) == pytest.approx(fid.compute().item(), rel=1e-6)


@pytest.mark.filterwarnings("ignore:Metric `Kernel Inception Distance`")
@pytest.mark.parametrize("n, width", [(60, 0.7), (90, 1.4)])
def test_the_kernel_distance_is_torchmetrics(n, width):
    real, fake = normal(n, 6, 0), 0.3 + normal(n, 6, 1, width)
    kid = KernelInceptionDistance(feature=Flat(), subsets=1, subset_size=n)
    kid.update(as_pictures(real), real=True)
    kid.update(as_pictures(fake), real=False)
    mean, _ = kid.compute()
    assert kernel_distance(real, fake) == pytest.approx(mean.item(), rel=1e-5)


def test_transport_is_pot_s():
    x, y = normal(40, 3, 0), 0.5 + normal(40, 3, 1, 1.3)
    even = np.full(40, 1 / 40)
    expected = ot.emd2(even, even, ot.dist(x.numpy(), y.numpy(), metric="euclidean"))
    assert wasserstein_lp(x, y) == pytest.approx(expected, rel=1e-9)
    a, b = normal(30, 1, 2)[:, 0], normal(50, 1, 3, 2.0)[:, 0]
    assert wasserstein_1d(a, b) == pytest.approx(ot.wasserstein_1d(a.numpy(), b.numpy(), p=1), rel=1e-9)


def test_the_sliced_distance_is_pot_s():
    x, y = normal(60, 3, 0), 0.5 + normal(60, 3, 1, 1.3)
    own = [sliced_wasserstein(x, y, 400, torch.Generator().manual_seed(seed)) for seed in range(5)]
    theirs = [ot.sliced_wasserstein_distance(x.numpy(), y.numpy(), n_projections=400, p=1, seed=s) for s in range(5)]
    assert np.mean(own) == pytest.approx(np.mean(theirs), rel=0.03)
