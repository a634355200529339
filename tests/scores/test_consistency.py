"""Consistency: the boundary holds for any weights, Gaussians have a fixed point, teacher and pupil keep apart."""

import math
from functools import partial

import pytest
import torch
from torch import nn

from gmcourse.catalogue import find
from gmcourse.data import Dataset
from gmcourse.laws.scores import jump as laws
from gmcourse.nets import LeveledMLP
from gmcourse.scores.consistency import (
    ConsistencyModel,
    Jump,
    consistency_errors,
    consistency_scales,
    jump,
    nearest,
)
from gmcourse.scores.denoiser import Denoiser
from gmcourse.scores.diffusion import Diffusion
from gmcourse.scores.mixture import NoisedMixture
from gmcourse.scores.samplers import cosine_levels, heun, heun_step, power_levels
from gmcourse.training import fit


class Line(nn.Module):
    """F that makes f the path's end of N(0, v), with any scales."""

    def __init__(self, v, lowest, spread):
        super().__init__()
        self.v, self.lowest, self.spread = v, lowest, spread

    def forward(self, x, level, given=None):
        sigma = (4 * level[:, None]).exp()
        skip, out = consistency_scales(sigma, self.lowest, self.spread)
        ratio = ((self.v + self.lowest**2) / (self.v + sigma**2)).sqrt()
        return (ratio - skip) / out * (self.spread**2 + sigma**2).sqrt() * x


def net(seed=0, dims=2):
    torch.manual_seed(seed)
    return LeveledMLP(dims, [8])


def test_the_functions_keep_their_laws():
    laws.scales_keep_the_lowest_level(consistency_scales)
    laws.step_is_heun_s(heun_step)
    laws.errors_hold_the_target_still(consistency_errors)
    laws.jumps_keep_the_law(lambda f, x, sigmas, lowest, rng: jump(f, x, sigmas, lowest, rng=rng))


@pytest.mark.parametrize("lowest", [0.002, 0.5])
def test_at_the_lowest_level_f_is_the_identity_whatever_the_weights(lowest):
    f, x = Jump(net(), lowest, 1.7, 0.3).double(), 5 * torch.randn(6, 2).double()
    torch.testing.assert_close(f(x, lowest), x, rtol=0, atol=1e-12)
    assert not torch.allclose(f(x, 2 * lowest), x, atol=1e-4)


def test_down_to_no_noise_its_scales_are_the_denoiser_s():
    denoiser = Denoiser(net(), 1.7, 0.3).double()
    f, x = Jump.like(denoiser, 1e-9), torch.randn(6, 2).double()
    assert f.net is not denoiser.net
    torch.testing.assert_close(f(x, 0.8), denoiser(x, 0.8), rtol=1e-7, atol=1e-7)
    skip, out = consistency_scales(0.5, 0.5)
    assert (skip.item(), out.item()) == (1, 0)


def test_levels_are_above_0():
    with pytest.raises(ValueError, match="lowest, spread: got 0 and 1, expected numbers above 0"):
        Jump(net(), 0, 1)
    with pytest.raises(ValueError, match="lowest, spread: got 0.1 and -1, expected"):
        Jump(net(), 0.1, -1)


def test_one_step_of_heun_is_that_of_the_sampler():
    mixture = NoisedMixture(torch.tensor([[-1.0, 0.0], [2.0, 1.0]]).double(), 0.3)
    noised = 3 * torch.randn(5, 2).double()
    once = heun_step(mixture.denoise, noised, 3.0, 1.0)
    torch.testing.assert_close(mixture.denoise(once, 1.0), heun(mixture.denoise, noised, torch.tensor([3.0, 1.0])))
    rows = heun_step(mixture.denoise, noised, torch.full((5,), 3.0).double(), torch.full((5,), 1.0).double())
    torch.testing.assert_close(rows, once)


# The fixed point of Gaussian data


def moments(v):
    """Points and noise with the moments of N(0, v) and N(0, 1), exactly, and uncorrelated."""
    x, noise = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]]).double().T
    return v**0.5 * x[:, None], noise[:, None]


def scaled(slopes, x, sigma):
    return slopes[sigma] * x


@pytest.mark.parametrize(("n", "expected"), [(10, 0.730), (18, 0.846), (40, 0.930)])
def test_without_a_teacher_f_gathers_the_errors_of_euler(n, expected):
    """The slope of the best f at each level, given that at the level below, is Euler's; their product the spread."""
    v, sigmas = 0.25, power_levels(80.0, 0.002, n)
    x, noise = moments(v)
    slopes = torch.ones(n, dtype=torch.float64)
    for k in range(n - 2, -1, -1):
        sigma, lower = sigmas[k].item(), sigmas[k + 1].item()
        slopes[k] = slopes[k + 1] * (v + sigma * lower) / (v + sigma**2)
        weight = slopes[k].clone().requires_grad_()
        f = partial(scaled, {sigma: weight, lower: slopes[k + 1]})
        errors = consistency_errors(f, x + sigma * noise, sigma, x + lower * noise, lower)
        assert abs(torch.autograd.grad(errors.mean(), weight)[0]) < 1e-9
    spread = slopes[0] * math.sqrt((v + 80**2) / v)
    assert spread.item() == pytest.approx(expected, abs=1e-3)


def test_the_exact_f_jumps_to_the_same_law_from_any_level():
    v, lowest = 0.25, 0.1
    f = Jump(Line(v, lowest, 0.8), lowest, 0.8).double()
    model = ConsistencyModel(f, (1,), power_levels(40.0, lowest, 9), None).double()
    f.spread = 0.5  # of the start alone: N(0, v + σ²)
    model.average.module.spread = 0.8
    for levels in ([40.0], [40.0, 1.0], [40.0, 3.0, 0.5, 0.2]):
        x = model.sample(20_000, rng=torch.Generator().manual_seed(0), sigmas=torch.tensor(levels))
        assert x.var().item() == pytest.approx(v + lowest**2, rel=0.04)
        assert abs(x.mean()) < 0.015


# Teacher and pupil


def test_it_learns_from_an_exact_teacher():
    data = NoisedMixture(torch.tensor([[1.5]]), 0.3)
    torch.manual_seed(0)
    f = Jump(LeveledMLP(1, [32]), 0.05, 1.0)
    model = ConsistencyModel(f, (1,), power_levels(20.0, 0.05, 18), data.denoise, decay=0.98)
    x = data.sample(2_000, rng=torch.Generator().manual_seed(0))
    fit(model, (x,), steps=400, batch_size=128, lr=lambda k: 1e-2 * (1 - k / 400), progress=False)
    for calls in (1, 2):
        drawn = model.sample(2_000, rng=torch.Generator().manual_seed(1), sigmas=model.sigmas[::8][:calls])
        assert drawn.mean().item() == pytest.approx(1.5, abs=0.15)
        assert drawn.std().item() == pytest.approx(0.3, abs=0.1)


def diffusion():
    return Diffusion(Denoiser(net(3), 0.5, 1.5), (2,), cosine_levels(20.0, 0.1, 9), calls=4)


def model_with(teacher, **more):
    return ConsistencyModel(Jump(net(4), 0.1, 0.5, 1.5), (2,), power_levels(20.0, 0.1, 6), teacher, **more)


def test_a_teacher_that_learns_does_so_by_its_own_loss():
    model, x = model_with(diffusion()), torch.randn(16, 2)
    torch.manual_seed(0)
    model.loss(x).backward()
    together = {name: p.grad.clone() for name, p in model.named_parameters()}
    model.zero_grad()
    model.teacher.requires_grad_(False)
    torch.manual_seed(0)
    model.loss(x).backward()
    for name, parameter in model.f.named_parameters():
        torch.testing.assert_close(parameter.grad, together[f"f.{name}"])
    assert all(p.grad is None for p in model.teacher.parameters())
    assert all(g.any() for name, g in together.items() if name.startswith("teacher.denoiser"))


def test_a_teachers_name_is_the_same_in_every_process():
    mixture = NoisedMixture(torch.zeros(1, 2), 0.3)
    assert "teacher=NoisedMixture.denoise" in model_with(mixture.denoise).extra_repr()
    assert "teacher=None" in model_with(None).extra_repr()
    assert " at 0x" not in repr(model_with(mixture.denoise))


def test_averages_follow_where_something_learns():
    for learns in (True, False):
        model = model_with(diffusion().requires_grad_(learns))
        model.after_step()
        assert (model.average.updates.item(), model.teacher.average.updates.item()) == (1, int(learns))


def test_without_a_teacher_the_noise_stays_the_same():
    """f = 0 but for its skip at the lowest level: of the last pair the target is x + lε itself."""
    model, x = model_with(None).double(), torch.randn(4000, 2).double()
    seen = {}

    def f(noised, sigma):
        seen["σ" if len(seen) == 0 else "l"] = (noised, sigma)
        return noised

    model.f.forward = f
    model.loss(x)
    (nearer, lower), (noised, sigma) = seen["σ"], seen["l"]
    torch.testing.assert_close((noised - x) / sigma[:, None], (nearer - x) / lower[:, None])


def test_samples_take_a_call_for_each_level_and_are_cut():
    model = model_with(None, jumps=[20.0, 1.0], bounds=(0.0, 0.1)).eval()
    calls = []
    model.average.module.register_forward_hook(lambda *_: calls.append(1))
    x = model.sample(50, rng=torch.Generator().manual_seed(0))
    assert len(calls) == 2
    assert x.min() >= 0
    assert x.max() <= 0.1
    model.sample(5, sigmas=torch.tensor([20.0, 2.0, 1.0]))
    assert len(calls) == 5
    with pytest.raises(ValueError, match="sigmas: got"):
        model.sample(5, sigmas=torch.tensor([1.0, 2.0]))


def test_the_record_makes_what_suits_the_data():
    digits = Dataset.from_tensors(torch.randint(17, (100, 1, 8, 8)) / 16)
    model = find("consistency-model").build(digits)
    assert model.learning
    assert (model.bounds, len(model.sigmas), model.event_shape) == ((0.0, 1.0), 18, (1, 8, 8))
    spread = digits.train.std().item()
    assert model.f.spread == pytest.approx(spread)
    assert model.sigmas[0].item() == pytest.approx(80 * spread, rel=1e-5)
    assert model.f.lowest == pytest.approx(0.4 / 16)
    assert model.jumps[0] == model.sigmas[0]
    assert 0.7 < model.jumps[1].item() / spread < 1.4
    assert all(torch.equal(a, b) for a, b in zip(model.f.net.parameters(), model.teacher.denoiser.net.parameters()))
    points = Dataset.from_tensors(3 * torch.randn(100, 2) + 5)
    assert find("consistency-model").build(points).bounds is None
    assert nearest(torch.tensor([8.0, 2.0, 1.0]), 3.9) == 1
    assert nearest(torch.tensor([8.0, 2.0, 1.0]), 4.1) == 0


def test_errors_weigh_as_those_of_the_network():
    model, x = model_with(None).double(), torch.randn(32, 2).double()
    model.sigmas = torch.tensor([3.0, 0.1]).double()
    torch.manual_seed(1)
    loss = model.loss(x)
    torch.manual_seed(1)
    torch.randint(1, (32,))
    noise = torch.randn_like(x)
    errors = (model.f(x + 3 * noise, 3.0) - model.f(x + 0.1 * noise, 0.1)).square().sum(1)
    torch.testing.assert_close(loss, (errors * (0.25 + 9) / (0.5 * 2.9) ** 2).mean())


def test_it_learns_at_every_level_from_the_teacher_s_average():
    model, seen = model_with(diffusion()), set()
    weight = model.weight
    model.weight = lambda sigma, lower: seen.update(sigma.tolist()) or weight(sigma, lower)
    model.loss(torch.randn(300, 2))
    assert seen == {*model.sigmas[:-1].tolist()}
    with torch.no_grad():
        for held in model.teacher.average.module.buffers():
            held.add_(0.1)
    x = torch.randn(3, 2)
    expected = heun_step(model.teacher.average.module, x, 2.0, 1.0)
    torch.testing.assert_close(model.follow(x, 2.0, 1.0), expected)
    assert (expected - heun_step(model.teacher.denoiser, x, 2.0, 1.0)).abs().max() > 1e-3
