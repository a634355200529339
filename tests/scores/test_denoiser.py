"""The denoiser's scales, its score, and its start."""

import pytest
import torch
from torch import nn

from gmcourse.nets import LeveledMLP
from gmcourse.protocols import Scored
from gmcourse.scores.denoiser import Denoiser
from gmcourse.scores.levels import perturb
from gmcourse.scores.mixture import NoisedMixture


class Nothing(nn.Module):
    def forward(self, x, level, given=None):
        return torch.zeros_like(x)


def test_without_a_net_it_is_the_best_denoiser_of_one_gaussian():
    exact = NoisedMixture(torch.full((1, 2), 0.5).double(), 0.7)
    blank = Denoiser(Nothing(), spread=0.7, centre=0.5).double()
    x, sigma = torch.randn(4, 2).double(), torch.tensor([0.01, 0.5, 2.0, 50.0]).double()
    torch.testing.assert_close(blank(x, sigma), exact.denoise(x, sigma))
    torch.testing.assert_close(blank.score(x, sigma), exact.score(x, sigma))


def test_input_and_target_of_the_net_have_variance_one():
    rng = torch.Generator().manual_seed(0)
    seen = {}

    class Listening(nn.Module):
        def forward(self, x, level, given=None):
            seen["x"], seen["level"] = x, level
            return torch.zeros_like(x)

    model = Denoiser(Listening(), spread=0.3, centre=2.0)
    for sigma in (0.02, 0.3, 20.0):
        x = 2 + 0.3 * torch.randn(50_000, 1, generator=rng)
        noise = torch.randn(50_000, 1, generator=rng)
        errors = model.matching_errors(x, torch.full((50_000,), sigma), noise)
        assert errors.mean().item() == pytest.approx(1, abs=0.03)
        assert seen["x"].std().item() == pytest.approx(1, abs=0.02)
        assert seen["level"][0].item() == pytest.approx(torch.tensor(sigma).log().item() / 4)


def test_the_loss_is_the_weighted_error_of_what_was_clean():
    torch.manual_seed(0)
    model = Denoiser(LeveledMLP(2, [8]), spread=0.5, centre=1.0).double()
    x, noise, sigma = torch.randn(3, 2).double(), torch.randn(3, 2).double(), torch.tensor([0.1, 1.0, 4.0]).double()
    lack = (model(perturb(x, sigma, noise), sigma) - x).square().sum(1)
    weight = (sigma**2 + 0.25) / (sigma * 0.5) ** 2
    torch.testing.assert_close(model.matching_errors(x, sigma, noise), weight * lack)
    assert isinstance(model, Scored)


def test_a_spread_of_nothing_is_refused():
    with pytest.raises(ValueError, match="spread: got 0, expected a standard deviation above 0"):
        Denoiser(Nothing(), spread=0)


def test_its_score_is_tweedie_s_with_any_net():
    torch.manual_seed(0)
    model = Denoiser(LeveledMLP(2, [8], classes=2), spread=0.3, centre=1.0).double()
    x, told, sigma = torch.randn(3, 2).double(), torch.tensor([0, 1, 2]), torch.tensor([0.1, 1.0, 9.0]).double()
    expected = (model(x, sigma, told) - x) / sigma[:, None] ** 2
    torch.testing.assert_close(model.score(x, sigma, told), expected)
    assert (model.score(x, sigma) - expected).abs().max() > 1e-3
