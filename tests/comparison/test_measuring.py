"""What is measured of samples: each number where the truth is known."""

import pytest
import torch
from scipy.fft import dctn

from gmcourse.catalogue import find
from gmcourse.comparison.entrants import enter
from gmcourse.comparison.measuring import of_density, of_means, of_samples, roughness, rounded, size
from gmcourse.data import load


def test_roughness_by_the_sums():
    x = load("digits").train[:5]
    low = high = 0.0
    for image in x[:, 0]:
        for i, row in enumerate(dctn(image.double().numpy(), norm="ortho")):
            for j, c in enumerate(row):
                high += c**2 if i + j >= 7 else 0
                low += c**2 if i + j else 0
    assert roughness(x) == pytest.approx(high / low)
    assert roughness((x + x.roll(1, -1)) / 2) < 0.7 * roughness(x)
    assert roughness(x + 0.2 * torch.randn(x.shape)) > 1.05 * roughness(x)
    with pytest.raises(ValueError, match="images: got shape"):
        roughness(x[:, 0])


def test_the_test_rows_as_samples_are_perfect_and_train_rows_near():
    digits = load("digits")
    perfect = of_samples(digits.test, "digits", 0)
    assert perfect["frechet"] == pytest.approx(0, abs=1e-3)
    assert (perfect["precision"], perfect["recall"], perfect["classes"]) == (1, 1, 10)
    assert perfect["near"] < 0.05
    train = of_samples(digits.train[:360], "digits", 0)
    assert train["near"] > 0.55
    one = of_samples(digits.train[:1].expand(360, 1, 8, 8), "digits", 0)
    assert one["classes"] == 1
    assert one["recall"] < 0.05


def test_bits_of_a_model_that_is_exact_and_of_one_that_is_bounded():
    exact = enter(find("pixelcnn"), "digits", steps=5).model
    bits = of_density(exact, 20, 0)
    nats = -exact.log_prob(load("digits").test[:20]).double().detach()
    assert bits["bits"] == pytest.approx(nats.mean().item() / 64 / 0.6931472, rel=1e-4)
    assert bits["bits_error"] == pytest.approx(nats.std().item() / 20**0.5 / 64 / 0.6931472, rel=1e-3)
    bound = enter(find("gaussian-vae"), "digits", steps=5).model
    assert of_density(bound, 20, 0) == of_density(bound, 20, 0)


def test_means_only_where_there_is_a_decoder():
    assert set(of_means(enter(find("gaussian-vae"), "digits").model, "digits", 0)) == {"mean_frechet", "mean_rough"}
    assert of_means(enter(find("realnvp"), "digits").model, "digits", 0) == {}


def test_numbers_are_rounded_and_what_is_none_is_none():
    assert rounded({"a": 12.345678, "b": float("nan")}, 3) == {"a": 12.3, "b": None}


def test_the_size_counts_what_is_learned():
    model = enter(find("gan"), "digits").model
    assert size(model) == sum(p.numel() for p in model.parameters())
