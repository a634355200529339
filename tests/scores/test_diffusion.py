"""The chain's bound, exact where the data are Gaussian; the average of the weights; what the records make."""

import math

import pytest
import torch
from torch import nn
from torch.distributions import Normal

from gmcourse.catalogue import find
from gmcourse.data import Dataset, load
from gmcourse.laws.scores import noising
from gmcourse.nets import LeveledMLP
from gmcourse.scores.average import WeightAverage
from gmcourse.scores.chain import binned_log_prob, grey_levels, step_cost, step_weight
from gmcourse.scores.denoiser import Denoiser
from gmcourse.scores.diffusion import DDPM, Diffusion, even_weight, noise_weight
from gmcourse.scores.samplers import cosine_levels, ddim_step, heun, linear_levels
from gmcourse.training import fit


class Nothing(nn.Module):
    """With it a denoiser is that of N(centre, spread²)."""

    def forward(self, x, level, given=None):
        return torch.zeros_like(x)


class Always(Nothing):
    """With it a denoiser's network says one number."""

    def __init__(self, said):
        super().__init__()
        self.said = said

    def forward(self, x, level, given=None):
        return torch.full_like(x, self.said)


def gaussian(n=20, dims=3, spread=0.7, **more):
    return DDPM(Denoiser(Nothing(), spread, 1.5), (dims,), cosine_levels(40.0, 0.05, n), calls=1, **more).double()


@pytest.mark.parametrize(("weight", "predicted"), [(noise_weight, "ε"), (even_weight, "v")])
def test_what_a_weight_makes_of_the_loss(weight, predicted):
    """The squared error of ε, or of v = aε − bx/s with a² + b² = 1, where the network's answer is taken for it."""
    model, s = Diffusion(Denoiser(Always(0.3), 0.7), (2,), torch.tensor([1.4]), calls=1, weight=weight).double(), 0.7
    x, sigma = torch.randn(5, 2).double(), 1.4
    torch.manual_seed(0)
    torch.randint(1, (5,))
    noise = torch.randn_like(x)
    a = 1 / math.sqrt(1 + (sigma / s) ** 2)
    b = a * sigma / s
    noised = a * x / s + b * noise
    v = torch.full_like(x, -0.3)
    answer, right = (b * noised + a * v, noise) if predicted == "ε" else (v, a * noise - b * x / s)
    torch.manual_seed(0)
    assert model.loss(x).item() == pytest.approx((answer - right).square().sum(1).mean().item(), rel=1e-6)


def test_the_cost_of_a_step():
    noising.cost_is_divergence(step_cost)
    for sigma, lower in ((2.0, 0.5), (0.3, 0.2)):
        gained = (1 / lower**2 - 1 / sigma**2) / 2
        assert step_weight(sigma, lower).item() == pytest.approx(gained, rel=1e-5)


def test_weights_of_the_paper_s_loss():
    """β²/(2σ²(1 − β)b²) with σ² = β, for the error of ε: ours times σ²."""
    sigmas = linear_levels(1000).flip(0)
    for k, weight in ((2, 0.27), (10, 0.074), (100, 0.0101), (500, 0.0055), (1000, 0.0102)):
        sigma, lower = sigmas[k - 1], sigmas[k - 2]
        assert (step_weight(sigma, lower, 1.0) * sigma**2).item() == pytest.approx(weight, rel=0.02)


@pytest.mark.parametrize("n", [1, 2, 20])
def test_of_gaussian_data_the_bound_is_the_log_density_in_any_number_of_steps(n):
    model, rng = gaussian(n).eval(), torch.Generator().manual_seed(0)
    x = torch.tensor([[1.0, 2.0, 1.7], [0.2, 3.0, 1.5]]).double()
    draws = torch.stack([model.elbo(x.repeat(500, 1), rng=rng).view(500, 2) for _ in range(8)]).flatten(0, 1)
    exact = Normal(1.5, 0.7).log_prob(x).sum(1)
    assert ((draws.mean(0) - exact).abs() < 5 * draws.std(0) / len(draws) ** 0.5 + 1e-9).all()


def test_one_level_drawn_stands_for_their_sum():
    torch.manual_seed(0)
    denoiser = Denoiser(LeveledMLP(2, [8]), 0.5)
    model = DDPM(denoiser, (2,), cosine_levels(20.0, 0.1, 6), calls=3).double().eval()
    x, n = torch.tensor([[0.3, -1.0]]).double().expand(20_000, 2), 20_000
    rng = torch.Generator().manual_seed(0)
    noise = torch.randn(n, 2, generator=rng, dtype=torch.float64)
    with torch.no_grad():
        whole = model.prior_cost(x) + model.last_cost(x, noise)
        for k in range(2, 7):
            fresh = torch.randn(n, 2, generator=rng, dtype=torch.float64)
            whole = whole + model.step_cost(x, torch.full((n,), k), fresh)
        drawn = -model.elbo(x, rng=rng)
    error = math.hypot(whole.std().item(), drawn.std().item()) / math.sqrt(n)
    assert drawn.mean().item() == pytest.approx(whole.mean().item(), abs=4 * error)


def test_masses_of_bins_add_up_and_are_those_of_the_gaussian():
    values = torch.arange(5).double() / 4
    for mean, std in ((0.3, 0.05), (0.0, 0.3), (1.0, 0.02), (0.61, 2.0)):
        x, mean_of_each = values[:, None], torch.full((5, 1), mean).double()
        masses = binned_log_prob(x, mean_of_each, std, 5).exp()
        assert masses.sum().item() == pytest.approx(1, abs=1e-12)
        edges = Normal(mean, std).cdf(torch.tensor([0.125, 0.375, 0.625, 0.875]).double())
        edges = torch.cat([torch.zeros(1), edges, torch.ones(1)])
        torch.testing.assert_close(masses, edges.diff())
    far = binned_log_prob(torch.ones(1, 1), torch.zeros(1, 1), 0.01, 5)
    assert -4000 < far.item() < -3000
    outside = binned_log_prob(torch.ones(1, 1), torch.full((1, 1), 7.0), 0.01, 5)
    assert outside.item() == pytest.approx(0)


def test_with_grey_levels_the_bound_is_of_a_probability():
    model = gaussian(levels=3)
    assert (gaussian().measures, model.measures) == ("density", "probability")
    x = torch.tensor([[0.0, 0.5, 1.0]]).double()
    assert model.eval().last_cost(x, torch.zeros_like(x)).item() > 0


def test_the_average_follows_the_weights_and_forgets_the_first():
    net, decay = nn.Linear(1, 1, bias=False), 0.5
    nn.init.zeros_(net.weight)
    average = WeightAverage(net, decay)
    assert not list(average.parameters())
    expected = 0.0
    for n, weight in enumerate((1.0, 2.0, 4.0)):
        nn.init.constant_(net.weight, weight)
        average.update(net)
        keep = min(decay, (1 + n) / (10 + n))
        expected = keep * expected + (1 - keep) * weight
        assert average(torch.ones(1, 1)).item() == pytest.approx(expected)
    assert average.updates.item() == 3
    with pytest.raises(ValueError, match="decay: got 1, expected 0 <= decay < 1"):
        WeightAverage(net, 1)


def test_what_is_evaluated_is_the_average():
    torch.manual_seed(0)
    model = Diffusion(Denoiser(LeveledMLP(2, [8])), (2,), cosine_levels(20.0, 0.1, 9), calls=4)
    x = torch.randn(64, 2)
    fit(model, (x,), steps=30, batch_size=32, lr=1e-2, progress=False)
    noised, sigma = torch.randn(3, 2), 0.5
    model.eval()
    torch.testing.assert_close(model.score(noised, sigma), model.average.module.score(noised, sigma))
    assert not torch.equal(model.score(noised, sigma), model.denoiser.score(noised, sigma))
    model.train()
    torch.testing.assert_close(model.denoise(noised, sigma), model.denoiser(noised, sigma))


def test_samples_take_other_levels_and_samplers():
    model = gaussian().eval()
    for levels in (torch.tensor([30.0, 1.0]), cosine_levels(30.0, 0.1, 40)):
        x = model.sample(4_000, rng=torch.Generator().manual_seed(0), sigmas=levels, sampler=heun)
        assert x.shape == (4_000, 3)
        assert x.mean().item() == pytest.approx(1.5, abs=0.05)
    assert x.std().item() == pytest.approx(0.7, abs=0.02)
    model.bounds = (0.0, 1.0)
    assert model.sample(100, rng=torch.Generator().manual_seed(0)).max() <= 1


def test_grey_levels_are_counted():
    assert grey_levels(load("digits").train) == 17
    assert grey_levels(torch.arange(256).float() / 255) == 256
    assert grey_levels(torch.tensor([0.0, 1.0])) == 2
    assert grey_levels(torch.rand(100)) == 0
    assert grey_levels(torch.tensor([0.5, 0.5])) == 0
    assert grey_levels(torch.tensor([0.0, 2.0])) == 0


def test_the_records_make_what_suits_the_data():
    digits = load("digits")
    model = find("ddpm").build(digits)
    assert (model.levels, model.bounds, model.calls) == (17, (0.0, 1.0), 50)
    assert model.denoiser.spread == pytest.approx(digits.train.std().item())
    assert model.sigmas[-1].item() == pytest.approx(0.4 / 16)
    assert len(model.sigmas) == 1000
    assert sum(p.numel() for p in model.parameters()) == 78_801
    assert model.weight is noise_weight
    large = Dataset.from_tensors(torch.rand(30, 1, 28, 28).round(decimals=1), name="own")
    model = find("ddim").build(large)
    assert model.weight is even_weight
    assert sum(p.numel() for p in model.parameters()) == 328_913
    assert (model.calls, model.step, model.average.decay, model.bounds) == (20, ddim_step, 0.999, (0.0, 1.0))
    points = Dataset.from_tensors(3 * torch.randn(100, 2) + 5)
    assert find("ddim").build(points).bounds is None
    assert find("ddpm").build(points).measures == "density"


def test_the_loss_is_the_mean_error_of_the_noise():
    torch.manual_seed(0)
    denoiser, x = Denoiser(LeveledMLP(2, [8]), 0.5, 1.0), torch.randn(64, 2)
    model, sigma = Diffusion(denoiser, (2,), torch.tensor([3.0]), calls=1), 3.0
    torch.manual_seed(1)
    loss = model.loss(x)
    torch.manual_seed(1)
    torch.randint(1, (64,))
    noise = torch.randn_like(x)
    noised = x + sigma * noise
    found = (noised - denoiser(noised, sigma)) / sigma
    torch.testing.assert_close(loss, (found - noise).square().sum(1).mean())


def test_a_walk_begins_at_the_first_of_its_levels_and_its_steps_have_the_data_s_spread():
    model = gaussian().eval()
    for first in (30.0, 2.0):
        x = model.sample(
            20_000,
            rng=torch.Generator().manual_seed(0),
            sigmas=torch.tensor([first, 1.0]),
            sampler=lambda denoise, noised, sigmas, rng: noised,
        )
        assert x.std().item() == pytest.approx(math.hypot(first, 0.7), rel=0.01)
        assert x.mean().item() == pytest.approx(1.5, abs=0.02 * first)
    assert model.step.keywords == {"spread": 0.7}
