"""DCGAN's networks: shapes, ranges, and that each guideline's switch changes what it names."""

import pytest
import torch
from torch import nn

from gmcourse.gan import dcgan_critic, dcgan_generator
from gmcourse.gan.dcgan import he_weights

SHAPES = [(1, 8, 8), (1, 28, 28), (3, 10, 32)]
SWITCHES = ["strided", "normalised", "convolutional"]


def kinds(network):
    return [type(module).__name__ for module in network.modules()]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("off", [None, *SWITCHES, "relu", "resize"])
def test_the_generator_makes_images_between_0_and_1(shape, off):
    options = {} if off is None else {off: off == "resize"}
    x = dcgan_generator(16, shape, 8, **options)(3 * torch.randn(5, 16))
    assert x.shape == (5, *shape)
    assert 0 <= x.min() <= x.max() <= 1


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("off", [None, *SWITCHES, "leaky"])
def test_the_critic_gives_one_number_an_image(shape, off):
    options = {} if off is None else {off: False}
    assert dcgan_critic(shape, 8, **options)(torch.rand(5, *shape)).shape == (5, 1)


def test_the_guidelines_are_the_paper_s():
    generator, critic = dcgan_generator(16, (1, 28, 28), 8), dcgan_critic((1, 28, 28), 8)
    assert kinds(generator).count("ConvTranspose2d") == 3
    assert kinds(critic).count("Conv2d") == 3
    assert "MaxPool2d" not in kinds(critic)
    assert {"ReLU", "Tanh"} <= set(kinds(generator))
    assert "LeakyReLU" in kinds(critic)
    assert "ReLU" not in kinds(critic)
    assert [module.negative_slope for module in critic if isinstance(module, nn.LeakyReLU)] == [0.2, 0.2, 0.2]
    for network in (generator, critic):
        assert kinds(network).count("Linear") == 1
    batch_norms = [i for i, module in enumerate(generator) if isinstance(module, nn.BatchNorm2d)]
    last = max(i for i, module in enumerate(generator) if isinstance(module, nn.ConvTranspose2d))
    assert batch_norms
    assert max(batch_norms) < last
    first, *others = [i for i, module in enumerate(critic) if isinstance(module, nn.Conv2d)]
    assert not any(isinstance(module, nn.BatchNorm2d) for module in critic[: first + 2])


def test_each_switch_takes_away_what_it_names():
    shape = (1, 28, 28)
    assert "ConvTranspose2d" not in kinds(dcgan_generator(16, shape, 8, strided=False))
    assert "MaxPool2d" in kinds(dcgan_critic(shape, 8, strided=False))
    assert not any("BatchNorm" in kind for kind in kinds(dcgan_generator(16, shape, 8, normalised=False)))
    assert not any("BatchNorm" in kind for kind in kinds(dcgan_critic(shape, 8, normalised=False)))
    assert kinds(dcgan_generator(16, shape, 8, convolutional=False)).count("Linear") == 3
    assert kinds(dcgan_critic(shape, 8, convolutional=False)).count("Linear") == 3
    assert not {"ReLU", "Tanh"} & set(kinds(dcgan_generator(16, shape, 8, relu=False)))
    assert "LeakyReLU" not in kinds(dcgan_critic(shape, 8, leaky=False))


def test_first_weights_are_small_and_biases_before_a_norm_are_absent():
    generator = dcgan_generator(64, (1, 28, 28), 32)
    weights = torch.cat([p.flatten() for name, p in generator.named_parameters() if p.dim() > 1])
    assert weights.std().item() == pytest.approx(0.02, rel=0.02)
    layers = [module for module in generator if isinstance(module, (nn.Linear, nn.ConvTranspose2d))]
    assert [layer.bias is None for layer in layers] == [True, True, True, False]


def test_the_first_statistics_of_each_kind_of_weight_are_the_paper_s():
    """Radford et al. 2016, section 4: N(0, 0.02²); batch norm's scales N(1, 0.02²), as in the authors' code."""
    shape = (1, 28, 28)
    networks = dcgan_generator(64, shape, 64, convolutional=False), dcgan_critic(shape, 64, convolutional=False)
    modules = [module for network in networks for module in network.modules()]
    expected = {nn.Linear: 0.0, nn.Conv2d: 0.0, nn.ConvTranspose2d: 0.0, (nn.BatchNorm1d, nn.BatchNorm2d): 1.0}
    for kind, mean in expected.items():
        weights = torch.cat([module.weight.flatten() for module in modules if isinstance(module, kind)])
        error = 0.02 / len(weights) ** 0.5
        assert weights.mean().item() == pytest.approx(mean, abs=4 * error)
        assert weights.std().item() == pytest.approx(0.02, abs=4 * error / 2**0.5)
    biases = [module.bias for module in modules if getattr(module, "bias", None) is not None]
    assert len(biases) > 8
    assert not any(bias.any() for bias in biases)


@pytest.mark.parametrize("build", [lambda shape: dcgan_generator(4, shape), dcgan_critic])
def test_a_side_below_4_is_named(build):
    with pytest.raises(ValueError, match=r"shape: got \(1, 3, 8\)"):
        build((1, 3, 8))


def test_the_critic_sees_the_whole_picture_before_its_last_layer():
    critic = dcgan_critic((1, 28, 28), 8).eval()
    x = torch.rand(1, 1, 28, 28, requires_grad=True)
    features = critic[:-2](x)
    assert features.shape == (1, 32, 3, 3)
    features[0, :, 1, 1].sum().backward()
    seen = x.grad[0, 0].abs() > 0
    assert seen.sum() > 400


def test_he_weights_keep_a_signal_s_size_without_batch_norm():
    """He et al. 2015, eq. 10: variance 2/f; a transposed convolution's f is the taps that meet in one phase."""
    torch.manual_seed(0)
    layers = nn.Linear(200, 900), nn.Conv2d(30, 90, 4, stride=2), nn.ConvTranspose2d(90, 30, 4, stride=2)
    inputs = torch.randn(50, 200), torch.randn(9, 30, 20, 20), torch.randn(9, 90, 20, 20)
    for layer, x in zip(layers, inputs, strict=True):
        nn.init.zeros_(layer.bias)
        y = he_weights(layer)(x)
        inside = y if y.dim() == 2 else y[:, :, 2:-2, 2:-2]
        assert inside.square().mean().item() == pytest.approx(2, rel=0.1)
