"""NCSN: its loss is denoising score matching at every level, its samples a walk down them."""

import pytest
import torch

from gmcourse.data import Dataset
from gmcourse.nets import LeveledMLP
from gmcourse.scores.denoiser import Denoiser
from gmcourse.scores.langevin import langevin_step
from gmcourse.scores.mixture import NoisedMixture
from gmcourse.scores.ncsn import NCSN, make_ncsn
from gmcourse.training import fit


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


class Exact(torch.nn.Module):
    """The best denoiser of a mixture where a trained one would stand."""

    def __init__(self, mixture, spread=1.0, centre=0.0):
        super().__init__()
        self.mixture, self.spread = mixture, spread
        self.register_buffer("centre", torch.tensor(centre))

    def forward(self, x, sigma):
        return self.mixture.denoise(x, sigma)

    def score(self, x, sigma):
        return self.mixture.score(x, sigma)


def small(**options):
    torch.manual_seed(0)
    return NCSN(Denoiser(LeveledMLP(2, [16]), spread=0.7, centre=0.3), (2,), torch.tensor([2.0, 0.5, 0.1]), **options)


def test_the_loss_is_that_of_the_paper():
    model = small().double()
    x, noise = torch.randn(5, 2, generator=seeded()).double(), torch.randn(5, 2, generator=seeded(1)).double()
    sigma = torch.tensor([2.0, 0.5, 0.1, 0.1, 2.0]).double()
    noised = x + sigma[:, None] * noise
    target = -(noised - x) / sigma[:, None] ** 2
    expected = sigma**2 * (model.score(noised, sigma) - target).square().sum(1) / 2
    torch.testing.assert_close(model.matching_errors(x, sigma, noise), expected)


def test_the_levels_are_spread_over_the_batch_and_equally_likely_for_a_row():
    model, drawn = small(), []
    model.matching_errors = lambda x, sigma, noise: drawn.append(sigma) or sigma
    torch.manual_seed(0)
    for _ in range(3_000):
        model.loss(torch.zeros(7, 2))
    drawn = torch.stack(drawn)
    for sigma in model.sigmas:
        here = drawn == sigma
        assert set(here.sum(1).tolist()) <= {2, 3}
        assert (here.double().mean(0) - 1 / 3).abs().max() < 0.04


def test_a_walk_goes_down_all_levels_and_ends_with_the_denoiser():
    model = small(steps=2, relative=0.1)
    rng = seeded()
    x = 0.3 + (0.49 + 4.0) ** 0.5 * torch.randn(6, 2, generator=rng)
    with torch.no_grad():
        for sigma in (2.0, 2.0, 0.5, 0.5, 0.1, 0.1):
            noise = torch.randn(6, 2, generator=rng)
            x = langevin_step(x, model.score(x, sigma), 0.1 * sigma**2, noise)
        torch.testing.assert_close(model.sample(6, rng=seeded()), model.denoiser(x, 0.1))


def test_with_the_exact_denoiser_it_draws_the_mixture():
    modes = NoisedMixture(torch.tensor([[-2.0, 0.0], [2.0, 0.0]]), 0.3, torch.tensor([0.3, 0.7]))
    sigmas = torch.logspace(0.9, -1.3, 20)
    samples = NCSN(Exact(modes, 1.4), (2,), sigmas, steps=10, relative=0.2).sample(3_000, rng=seeded())
    assert (samples[:, 0] > 0).float().mean().item() == pytest.approx(0.7, abs=0.04)
    assert samples[:, 1].std().item() == pytest.approx(0.3, abs=0.04)


def test_trained_on_two_modes_its_score_is_near_the_exact_one():
    modes = NoisedMixture(torch.tensor([[-2.0, 0.0], [2.0, 0.0]]), 0.3, torch.tensor([0.3, 0.7]))
    x = modes.sample(2_000, rng=seeded())
    torch.manual_seed(0)
    model = NCSN(Denoiser(LeveledMLP(2, [32, 32]), spread=1.4), (2,), torch.logspace(0.9, -0.7, 8))
    fit(model, (x,), steps=300, batch_size=256, lr=1e-2, progress=False)
    for sigma in (4.0, 1.0):
        noised = x + sigma * torch.randn(x.shape, generator=seeded(1))
        exact = modes.score(noised, sigma)
        with torch.no_grad():
            off = (model.score(noised, sigma) - exact).square().sum(1).mean()
        assert off < 0.25 * exact.square().sum(1).mean(), sigma


def test_built_for_data_it_spans_their_distances():
    x = torch.rand(40, 1, 8, 8, generator=seeded())
    model = make_ncsn(Dataset("own", "own", x, x, x, None, (1, 8, 8), "none", "drawn"))
    flat = x.flatten(1)
    assert model.sigmas[0].item() == pytest.approx(torch.cdist(flat, flat).max().item(), rel=1e-4)
    assert model.sigmas[-1].item() == pytest.approx(x.std().item() / 10, rel=1e-4)
    assert model.denoiser.centre.item() == pytest.approx(x.mean().item())
    assert len(model.sigmas) == 20


@pytest.mark.parametrize("options", [{"steps": 0}, {"relative": 0.0}, {"relative": 2.0}])
def test_a_walk_that_cannot_settle_is_refused(options):
    with pytest.raises(ValueError, match="steps, relative: got"):
        small(**options)
