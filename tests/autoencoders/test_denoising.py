"""The denoising autoencoder: its target is clean, its noise is new; the best denoiser against sums done otherwise."""

import math
from functools import partial

import pytest
import torch
from torch import nn

from gmcourse.autoencoders.corruption import Corruption
from gmcourse.autoencoders.denoising import (
    DENOISING_AUTOENCODER,
    DenoisingAutoencoder,
    denoising_autoencoder,
    optimal_denoiser,
    score_from_denoiser,
)
from gmcourse.laws.score import is_score_of_mixture
from gmcourse.training import fit

MEANS = torch.tensor([[-2.0], [2.0]], dtype=torch.float64)
HALVES = torch.tensor([0.5, 0.5], dtype=torch.float64)


def two_modes(x, sigma):
    return optimal_denoiser(torch.tensor(x, dtype=torch.float64)[:, None], MEANS, HALVES, 0.5, sigma)[:, 0]


def test_the_residual_is_the_score_of_point_masses():
    def score(x, sigma, points, weights):
        best = partial(optimal_denoiser, means=points, weights=weights, std=0.0, sigma=sigma)
        return score_from_denoiser(best, x, sigma)

    is_score_of_mixture(score)


def test_two_modes_by_hand():
    assert two_modes([0.0], 1.0).item() == 0  # neither mode
    # at 1, σ = 1: shares by the smoothed variance 1.25, pull 1/1.25
    share = 1 / (1 + math.exp(-4 / 1.25))
    expected = 0.2 * 1 + 0.8 * (2 * share - 2 * (1 - share))
    assert two_modes([1.0], 1.0).item() == pytest.approx(expected, abs=1e-12)
    assert expected == pytest.approx(1.6747, abs=1e-4)


def test_the_precision_is_that_of_the_points():
    share = 1 / (1 + math.exp(-2 * 2 * 0.1 / 0.34))  # at 0.1, σ = 0.3: σ² + ½² = 0.34
    expected = (0.25 * 0.1 + 0.09 * (4 * share - 2)) / 0.34
    assert two_modes([0.1], 0.3).item() == pytest.approx(expected, abs=1e-14)
    x = torch.tensor([[0.1]], dtype=torch.float64)
    assert score_from_denoiser(lambda x: x + 1, x, 0.3).item() == pytest.approx(1 / 0.09, rel=1e-14)


def test_numbers_go_where_the_points_are():
    x, means, halves = torch.zeros(3, 1, device="meta"), MEANS.to("meta"), HALVES.to("meta")
    best = partial(optimal_denoiser, means=means, weights=halves, std=0.5, sigma=1.0)
    assert best(x).is_meta
    assert score_from_denoiser(best, x, 1.0).is_meta


def test_far_out_nothing_overflows():
    far = two_modes([1e6, -1e6], 0.1)
    assert far.isfinite().all()
    assert far[0].item() == pytest.approx((0.25e6 + 0.01 * 2) / 0.26)


class Kept(nn.Module):
    def forward(self, x):
        return x


@pytest.mark.parametrize(("kind", "loss"), [("masking", 0.5), ("salt-and-pepper", 2.5), ("gaussian", 4.0)])
def test_the_target_is_the_clean_example(kind, loss):
    model = DenoisingAutoencoder(Kept(), Kept(), Corruption(kind, 0.5))
    x = torch.full((4_000, 1, 4, 4), 0.25)  # 16 entries: ½ · ¼², ½ · (½ · ¼² + ½ · ¾²), ½² each
    with torch.random.fork_rng():
        torch.manual_seed(0)
        assert model.loss(x).item() == pytest.approx(loss, rel=0.02)
    assert model.errors(x).abs().max().item() == 0
    assert torch.equal(model.denoising_errors(x, x + 1), torch.full((4_000,), 16.0))


def test_the_noise_is_new_at_every_loss():
    model, x = DENOISING_AUTOENCODER.build(), torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        assert model.loss(x).item() != model.loss(x).item()


def test_a_small_net_comes_near_the_best_denoiser():
    rng = torch.Generator().manual_seed(0)
    side = 2.0 * (2 * torch.randint(0, 2, (4_096, 1), generator=rng) - 1)
    x = side + 0.5 * torch.randn(4_096, 1, generator=rng)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = denoising_autoencoder((1,), 32, Corruption("gaussian", 1.0))
    fit(model, (x,), steps=500, batch_size=256, lr=1e-2, progress=False)
    at = torch.linspace(-3, 3, 25)
    best = two_modes(at.tolist(), 1.0).float()
    assert (model.reconstruct(at[:, None])[:, 0] - best).square().mean().sqrt() < 0.15


def test_it_says_what_it_is():
    model = denoising_autoencoder((1, 8, 8), 5, Corruption("masking", 0.25))
    assert "kind='masking', level=0.25" in repr(model)
    assert model.encode(torch.zeros(2, 1, 8, 8)).shape == (2, 5)
    assert model.reconstruct(torch.zeros(2, 1, 8, 8)).shape == (2, 1, 8, 8)
    with pytest.raises(ValueError, match="k: got 0"):
        denoising_autoencoder((1, 8, 8), 0, Corruption("masking", 0.25))
