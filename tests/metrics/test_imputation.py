"""The error and the coverage of filled blanks."""

import math

import pytest
import torch

from gmcourse.laws.gan.blanks import error_of_blanks_alone
from gmcourse.metrics import imputation_coverage, imputation_rmse


def test_the_error_is_of_the_blanks():
    error_of_blanks_alone(imputation_rmse)
    x, filled = torch.zeros(2, 2), torch.tensor([[3.0, 99.0], [4.0, 99.0]])
    assert imputation_rmse(x, filled, torch.tensor([[0.0, 1.0], [0.0, 1.0]])) == pytest.approx(math.sqrt(12.5))


def test_a_perfect_sampler_s_error_is_sqrt_2_times_the_mean_s():
    rng = torch.Generator().manual_seed(0)
    seen, noise, other = torch.randn(3, 200_000, 1, generator=rng)
    blank, mean, draw = (0.8 * seen + 0.6 * part for part in (noise, 0 * noise, other))
    m = torch.zeros_like(blank)
    assert imputation_rmse(blank, mean, m) == pytest.approx(0.6, abs=0.005)
    assert imputation_rmse(blank, draw, m) == pytest.approx(0.6 * math.sqrt(2), abs=0.005)


def test_draws_of_the_right_law_cover_as_often_as_they_say():
    rng = torch.Generator().manual_seed(0)
    x, draws = torch.randn(500, 3, generator=rng), torch.randn(400, 500, 3, generator=rng)
    m = (torch.rand(500, 3, generator=rng) < 0.3).float()
    assert imputation_coverage(x, draws, m) == pytest.approx(0.9, abs=0.03)
    assert imputation_coverage(x, draws, m, level=0.5) == pytest.approx(0.5, abs=0.05)
    assert imputation_coverage(x, 0.01 * draws, m) < 0.03
    assert imputation_coverage(x, draws[:20], m) == pytest.approx(1 - 2 * 1.95 / 21, abs=0.04)


def test_what_cannot_be_measured_is_named():
    x = torch.zeros(2, 3)
    with pytest.raises(ValueError, match="m: got a mask without a blank"):
        imputation_rmse(x, x, torch.ones(2, 3))
    with pytest.raises(ValueError, match=r"m: got shape \(3,\)"):
        imputation_rmse(x, x, torch.ones(3))
    with pytest.raises(ValueError, match=r"filled: got shape \(2,\)"):
        imputation_rmse(x, x[:, 0], torch.zeros(2, 3))
    with pytest.raises(ValueError, match="draws, level"):
        imputation_coverage(x, x, torch.zeros(2, 3))
    with pytest.raises(ValueError, match="draws, level"):
        imputation_coverage(x, x[None], torch.zeros(2, 3), level=1.0)
