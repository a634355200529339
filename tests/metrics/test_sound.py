import math

import pytest
import torch

from gmcourse.data import load
from gmcourse.data.synthetic import SAMPLE_RATE
from gmcourse.metrics import cents_off, loudness_left, pair_of_classes, pitch, pitch_class
from gmcourse.metrics.sound import energy_kept, ringing, signal_to_noise


def sine(frequency, samples=400, harmonic=1):
    return torch.sin(2 * math.pi * harmonic * frequency * torch.arange(samples) / SAMPLE_RATE)[None]


def test_the_judge_hears_every_note_of_the_data():
    data = load("tones")
    for samples in (400, 1000):
        notes, classes = data.train[:, 0, :samples], data.labels["train"]
        assert torch.equal(pitch_class(notes, SAMPLE_RATE), classes)
        assert cents_off(notes, SAMPLE_RATE, classes).abs().max() < 5.1


def test_a_sine_a_fifth_of_a_semitone_off():
    assert pitch(sine(220 * 2 ** (20 / 1200)), SAMPLE_RATE).item() == pytest.approx(222.556, abs=0.01)
    assert cents_off(sine(220 * 2 ** (20 / 1200)), SAMPLE_RATE, torch.tensor([0])).item() == pytest.approx(20)
    assert cents_off(sine(220 * 2 ** (20 / 1200)), SAMPLE_RATE, torch.tensor([1])).item() == pytest.approx(-80)


def test_a_missing_fundamental_is_heard_in_its_harmonics():
    assert pitch_class(sine(247, harmonic=2) + sine(247, harmonic=3), SAMPLE_RATE).item() == 2


def test_the_judge_hears_both_tones_of_every_chord():
    data = load("chords")
    for samples in (400, 1000):
        assert torch.equal(pair_of_classes(data.test[:, 0, :samples], SAMPLE_RATE), data.labels["test"])


def test_loudness_left_by_hand():
    x = torch.cat([torch.full((3, 10), 2.0), torch.full((3, 5), 9.0), torch.full((3, 10), -0.5)], 1)
    assert loudness_left(x, 10) == pytest.approx((2.0, 0.5, 0.25))


def test_ringing_is_the_second_half_over_the_first():
    x = torch.tensor([[1.0, 1.0, 1.0, 1.0], [2.0, 0.0, 1.0, 0.0], [3.0, 1.0, 0.0, 0.0]])
    assert ringing(x).tolist() == pytest.approx([1, 0.25, 0])


def test_energy_and_noise_of_a_quieter_sound():
    x = torch.randn(3, 1, 900, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert energy_kept(0.5 * x, x).tolist() == pytest.approx([0.25] * 3)
    assert signal_to_noise(0.9 * x, x).tolist() == pytest.approx([20] * 3)
    assert signal_to_noise(0 * x, x).tolist() == pytest.approx([0] * 3)
    assert signal_to_noise(2.5 * x, x).max() < 0
    assert signal_to_noise(x, x).isinf().all()
