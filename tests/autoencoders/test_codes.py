"""Laws fitted to codes against their own moments and scikit-learn; points between codes; a block filled in."""

import pytest
import torch
from sklearn.mixture import GaussianMixture

from gmcourse.autoencoders.codes import between, fill_block, fit_codes_and_sample, fit_gaussian, fit_mixture, near


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def two_clusters(n=200):
    noise = torch.randn(n, 2, generator=seeded(), dtype=torch.float64)
    side = (torch.arange(n) % 4 == 0).double()[:, None]
    return noise * torch.tensor([0.3, 0.1]) + side * torch.tensor([4.0, -2.0])


def test_the_gaussian_has_the_codes_moments():
    codes = two_clusters()
    law = fit_gaussian(codes)
    assert torch.equal(law.weights, torch.ones(1).double())
    torch.testing.assert_close(law.means[0], codes.mean(0))
    torch.testing.assert_close(law.roots[0] @ law.roots[0].T, codes.T.cov())


def test_the_gaussian_of_codes_on_a_line_stays_there():
    line = torch.randn(50, 1, generator=seeded()) * torch.tensor([1.0, 2.0, 0.0])
    z = fit_gaussian(line).sample(100, rng=seeded())
    torch.testing.assert_close(z[:, 1], 2 * z[:, 0], atol=1e-3, rtol=0)
    torch.testing.assert_close(z[:, 2], torch.zeros(100), atol=1e-3, rtol=0)


def test_the_mixture_finds_two_clusters_and_is_scikit_learns():
    codes = two_clusters()
    law = fit_mixture(codes, 2)
    torch.testing.assert_close(law.weights.sort().values, torch.tensor([0.25, 0.75]).double(), atol=1e-6, rtol=0)
    fitted = GaussianMixture(2, reg_covar=1e-4, random_state=0).fit(codes.numpy())
    torch.testing.assert_close(law.log_prob(codes), torch.from_numpy(fitted.score_samples(codes.numpy())))


def test_a_mixture_has_ten_components_where_none_are_named():
    assert fit_mixture(two_clusters()).weights.shape == (10,)


def test_a_mixture_of_one_is_the_gaussian():
    codes = two_clusters()
    one, law = fit_mixture(codes, 1), fit_gaussian(codes)
    torch.testing.assert_close(one.means, law.means)
    torch.testing.assert_close(one.roots @ one.roots.mT, law.roots @ law.roots.mT, atol=2e-2, rtol=0)
    torch.testing.assert_close(one.log_prob(codes), law.log_prob(codes), atol=0.02, rtol=0)


def test_draws_of_the_mixture_have_its_shares_and_moments():
    law = fit_mixture(two_clusters(), 2)
    z = law.sample(20_000, rng=seeded())
    right = z[:, 0] > 2
    assert abs(right.double().mean() - 0.25) < 0.015
    for part, c in ((right, law.means[:, 0].argmax()), (~right, law.means[:, 0].argmin())):
        torch.testing.assert_close(z[part].mean(0), law.means[c], atol=0.02, rtol=0)
        torch.testing.assert_close(z[part].T.cov(), law.roots[c] @ law.roots[c].T, atol=0.01, rtol=0)


def test_equal_seeds_equal_draws_in_the_codes_dtype():
    codes = two_clusters().float()
    for draw in (
        lambda rng: fit_mixture(codes, 3).sample(5, rng=rng),
        lambda rng: fit_codes_and_sample(codes, 5, rng),
        lambda rng: between(codes, 5, rng=rng),
        lambda rng: near(codes, 5, rng=rng),
    ):
        z = draw(seeded(1))
        assert z.shape == (5, 2)
        assert z.dtype == torch.float32
        assert torch.equal(draw(seeded(1)), z)
        assert not torch.equal(draw(seeded(2)), z)


def test_points_between_codes_lie_in_their_hull():
    corners = torch.eye(3).double()
    z = between(corners, 4_000, many=3, rng=seeded())
    torch.testing.assert_close(z.sum(1), torch.ones(4_000).double())
    assert z.min() >= 0
    torch.testing.assert_close(z.mean(0), torch.full((3,), 1 / 3).double(), atol=0.03, rtol=0)
    ends = between(torch.tensor([[0.0], [1.0]]), 4_000, rng=seeded())
    inside = ends[(ends > 0) & (ends < 1)]
    assert abs(len(inside) / 4_000 - 0.5) < 0.03  # the same code twice in half of the draws
    assert abs(inside.var() - 1 / 12) < 0.01  # uniform on the segment
    assert torch.equal(between(corners, 50, many=1, rng=seeded()).sort().values[:, :2], torch.zeros(50, 2).double())


def test_points_near_codes_spread_by_the_width():
    codes = torch.tensor([[0.0, 0.0], [100.0, 1.0]])
    z = near(codes, 4_000, width=0.01, rng=seeded())
    away = z[z[:, 0] < 50]
    torch.testing.assert_close(away.std(0), 0.01 * codes.std(0), rtol=0.05, atol=0)
    assert 1_900 < len(away) < 2_100
    assert torch.equal(near(codes, 9, rng=seeded()), near(codes, 9, width=0.3, rng=seeded()))


def test_filling_in_by_hand():
    x, known = torch.tensor([[1.0, 0.0], [3.0, 8.0]]), torch.tensor([True, False])
    halves = fill_block(lambda x: x.mean(1, keepdim=True).expand(-1, 2), x, known, 2)
    assert halves.tolist() == [[1.0, 0.75], [3.0, 4.25]]
    assert fill_block(torch.zeros_like, x, known, 0) is x


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("codes", lambda: fit_gaussian(torch.zeros(1, 3))),
        ("codes", lambda: between(torch.zeros(5), 2)),
        ("codes", lambda: near(torch.zeros(0, 3), 2)),
        ("codes", lambda: fit_gaussian(torch.tensor([[1.0], [2.0], [torch.nan]]))),
        ("codes", lambda: fit_mixture(torch.full((4, 3), torch.inf), 1)),
        ("n", lambda: fit_gaussian(two_clusters()).sample(-1)),
        ("n", lambda: between(two_clusters(), -1)),
        ("n", lambda: near(two_clusters(), -1)),
        ("many", lambda: between(two_clusters(), 2, many=0)),
        ("components", lambda: fit_mixture(torch.zeros(4, 2), 5)),
        ("components", lambda: fit_mixture(torch.zeros(4, 2), 0)),
        ("passes", lambda: fill_block(torch.zeros_like, torch.zeros(2, 3), torch.ones(3).bool(), -1)),
        ("known", lambda: fill_block(torch.zeros_like, torch.zeros(2, 3), torch.ones(3), 1)),
        ("known", lambda: fill_block(torch.zeros_like, torch.zeros(2, 3), torch.ones(2).bool(), 1)),
    ],
)
def test_what_does_not_fit_is_refused(name, call):
    with pytest.raises(ValueError, match=rf"{name}: got .*, expected"):
        call()


def test_no_draws_are_an_empty_tensor():
    codes = two_clusters()
    for z in (fit_codes_and_sample(codes, 0), fit_mixture(codes, 2).sample(0), between(codes, 0), near(codes, 0)):
        assert z.shape == (0, 2)
