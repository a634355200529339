"""Noise by its level."""

import pytest
import torch

from gmcourse.scores.levels import descending, even_shares, geometric_levels, perturb, preserving


def test_noise_is_added_row_by_row():
    x, noise = torch.ones(2, 1, 2, 2), torch.full((2, 1, 2, 2), 2.0)
    assert perturb(x, torch.tensor([0.5, 3.0]), noise).flatten(1).tolist() == [[2.0] * 4, [7.0] * 4]
    with pytest.raises(ValueError, match=r"got shape \(3,\), expected one number or \(2,\)"):
        perturb(x, torch.ones(3), noise)


def test_the_variance_is_preserved_at_every_level():
    sigma = torch.tensor([0.0, 0.3, 1.0, 50.0]).double()
    a, b = preserving(sigma)
    torch.testing.assert_close(a**2 + b**2, torch.ones(4).double())
    torch.testing.assert_close(b / a, sigma)


def test_levels_have_one_ratio_and_their_ends():
    sigmas = geometric_levels(10, 0.01, 4)
    torch.testing.assert_close(sigmas, torch.tensor([10, 1, 0.1, 0.01]).double())
    assert descending(sigmas) is sigmas


@pytest.mark.parametrize("ends", [(1.0, 1.0, 3), (1.0, 2.0, 3), (1.0, 0.0, 3), (2.0, 1.0, 1)])
def test_levels_that_do_not_fall_are_refused(ends):
    with pytest.raises(ValueError, match=r"largest, smallest: got|n: got 1"):
        geometric_levels(*ends)
    with pytest.raises(ValueError, match=r"sigmas: got \[1.0, 1.0\], expected positive levels"):
        descending([1.0, 1.0])


def test_shares_are_even_and_uniform():
    for seed in range(50):
        torch.manual_seed(seed)
        shares = even_shares(torch.zeros(4, 3))
        assert (shares.min() >= 0, shares.max() < 1) == (True, True)
        torch.testing.assert_close(shares.sort().values.diff(), torch.full((3,), 0.25))
    assert even_shares(torch.zeros(0, 3)).shape == (0,)
