"""Spectra against sums done one by one; what a distance of moduli says of phases, silence and pitch."""

import math

import pytest
import torch

from gmcourse.vae.spectral import SpectralDistance, relative_spectral_error, spectra, spectral_distance


def noise(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def tone(phase, samples=4000, cycles=0.1):
    return 0.8 * torch.sin(2 * math.pi * cycles * torch.arange(samples) + phase)[None, None]


def test_spectra_are_sums_over_a_hann_window():
    x, window, hop = noise(2, 1, 21), 8, 3
    (observed,) = spectra(x, [(window, hop)])
    t = torch.arange(window, dtype=torch.float64)
    hann = 0.5 - 0.5 * torch.cos(2 * math.pi * t / window)
    mirrored = torch.cat([x[:, 0, 1:5].flip(1), x[:, 0], x[:, 0, -5:-1].flip(1)], 1)
    assert observed.shape == (2, 5, 8)
    for f in range(5):
        for m in range(8):
            part = mirrored[:, m * hop : m * hop + window] * hann
            expected = (part * torch.polar(torch.ones_like(t), -2 * math.pi * f * t / window)).sum(1)
            assert torch.allclose(observed[:, f, m], expected, atol=1e-9)


def test_a_sine_at_a_random_phase_costs_twice_its_energy_and_silence_once():
    x = tone(0.4)
    shifts = 2 * math.pi * (torch.arange(12) + 0.5) / 12
    error = torch.stack([(tone(0.4 + shift) - x).square().sum() for shift in shifts]).mean()
    assert error.item() / x.square().sum().item() == pytest.approx(2.0, rel=1e-3)
    spectral = torch.cat([relative_spectral_error(tone(0.4 + shift), x) for shift in shifts])
    assert spectral.max() < 0.35
    assert relative_spectral_error(0 * x, x).item() == pytest.approx(1.0)


def test_the_relative_error_of_a_quieter_sound_is_what_it_lacks():
    x = noise(3, 1, 900)
    assert torch.allclose(relative_spectral_error(0.5 * x, x), torch.full((3,), 0.5, dtype=torch.float64))
    assert relative_spectral_error(x, x).eq(0).all()


def test_the_distance_is_a_mean_over_scales_times_a_weight():
    x, y, scales = noise(2, 1, 100), noise(2, 1, 100, seed=1), ((16, 4), (64, 20))
    single = [spectral_distance(spectra(x, [scale]), spectra(y, [scale])) for scale in scales]
    assert torch.allclose(SpectralDistance(0.3, scales)(x, y), 0.3 * (single[0] + single[1]) / 2)
    assert torch.allclose(SpectralDistance(1.0, scales)(y, x), (single[0] + single[1]) / 2)
    assert repr(SpectralDistance(0.3, scales)) == "SpectralDistance(weight=0.3, scales=((16, 4), (64, 20)))"


@pytest.mark.parametrize("answer", [torch.zeros(1, 1, 600), tone(0.0, 600)])
def test_the_gradient_is_finite_for_silence_and_for_the_sound_itself(answer):
    answer = answer.clone().requires_grad_()
    SpectralDistance()(answer, tone(0.0, 600)).sum().backward()
    assert answer.grad.isfinite().all()


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"x: got shape \(3, 600\), expected \(batch, 1, samples\)"):
        spectra(torch.zeros(3, 600))
    with pytest.raises(ValueError, match="x: got 256 samples, expected more than half of the longest window"):
        spectra(torch.zeros(1, 1, 256))
    with pytest.raises(ValueError, match="ours, theirs: got 1 and 2 scales"):
        spectral_distance([torch.zeros(1, 2, 2)], [torch.zeros(1, 2, 2)] * 2)
    with pytest.raises(ValueError, match="weight: got -1"):
        SpectralDistance(-1)
    with pytest.raises(ValueError, match="scales: got"):
        SpectralDistance(1.0, [(16, 0)])
