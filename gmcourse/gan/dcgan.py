"""DCGAN's two networks, each of the paper's five guidelines a switch. Radford et al. 2016."""

import math
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from gmcourse.gan.gan import GAN, adversarial
from gmcourse.record import IMAGES, Examples, Suits, grey_images, held_then_falling_plan, shape_of

Activation = Callable[[], nn.Module]


class Rescale(nn.Module):
    """x ↦ scale · x + shift: between the data's [0, 1] and the tanh's [−1, 1]."""

    def __init__(self, scale: float, shift: float):
        super().__init__()
        self.scale, self.shift = scale, shift

    def forward(self, x: Tensor) -> Tensor:
        """Any shape → the same shape."""
        return self.scale * x + self.shift


def dcgan_generator(
    latent_size: int,
    shape: tuple[int, int, int],
    width: int = 64,
    *,
    strided: bool = True,
    normalised: bool = True,
    convolutional: bool = True,
    relu: bool = True,
    resize: bool = False,
) -> nn.Sequential:
    """(batch, latent_size) → (batch, C, H, W) in [0, 1]: projected to 2 or 3 pixels a side, then doubled up to H and W.

    `width` channels before the picture, twice as many at each coarser stage. The guidelines, each off where its switch
    is False: `strided`, doubled by transposed convolutions of stride 2, not by repeating pixels after a plain one;
    `normalised`, batch norm in every layer but the last; `convolutional`, no fully connected hidden layer (off: two of
    `4 width` units); `relu`, ReLU inside and tanh at the end (off: sigmoid throughout). With `resize` pixels are
    repeated first and then convolved: no checkerboard. Raises ValueError for a side below 4. Radford et al. 2016, §3.
    """
    channels, *_ = shape
    sizes = _sizes(shape)[::-1]
    widths = [width * 2**stage for stage in reversed(range(len(sizes) - 1))]
    norm = nn.BatchNorm2d if normalised else nn.Identity
    activation = nn.ReLU if relu else nn.Sigmoid
    layers = [] if convolutional else [*_connected(latent_size, 4 * width, normalised, activation)]
    inputs = latent_size if convolutional else 4 * width
    layers += [nn.Linear(inputs, widths[0] * math.prod(sizes[0]), bias=not normalised)]
    layers += [nn.Unflatten(1, (widths[0], *sizes[0])), norm(widths[0]), activation()]
    for (before, after), (size, larger) in zip(pairwise(widths), pairwise(sizes)):
        layers += [*_doubled(before, after, size, larger, strided, resize, not normalised), norm(after), activation()]
    layers += _doubled(width, channels, sizes[-2], sizes[-1], strided, resize, bias=True)
    layers += [nn.Tanh(), Rescale(0.5, 0.5)] if relu else [nn.Sigmoid()]
    return _initialised(nn.Sequential(*layers))


def dcgan_critic(
    shape: tuple[int, int, int],
    width: int = 64,
    *,
    strided: bool = True,
    normalised: bool = True,
    convolutional: bool = True,
    leaky: bool = True,
) -> nn.Sequential:
    """(batch, C, H, W) in [0, 1] → (batch, 1), a logit: halved down to 2 or 3 pixels a side, then one linear layer.

    `width` channels after the first halving, twice as many after each further one. Its guidelines: `strided`, halved by
    convolutions of stride 2 (off: plain ones, then max pooling); `normalised`, batch norm in every layer but the first
    and the last; `convolutional`, no fully connected hidden layer; `leaky`, LeakyReLU of slope 0.2 (off: ReLU). Raises
    ValueError for a side below 4. Radford et al. 2016, §3.
    """
    channels, *_ = shape
    *halvings, last = _sizes(shape)
    widths = [width * 2**stage for stage in range(len(halvings))]
    norm = nn.BatchNorm2d if normalised else nn.Identity
    activation = partial(nn.LeakyReLU, 0.2) if leaky else nn.ReLU
    layers = [Rescale(2.0, -1.0), *_halved(channels, width, strided, bias=True), activation()]
    for before, after in pairwise(widths):
        layers += [*_halved(before, after, strided, bias=not normalised), norm(after), activation()]
    features = widths[-1] * math.prod(last)
    layers += [nn.Flatten(), *(() if convolutional else _connected(features, 4 * width, normalised, activation))]
    return _initialised(nn.Sequential(*layers, nn.Linear(features if convolutional else 4 * width, 1)))


def _sizes(shape: tuple[int, int, int]) -> list[tuple[int, int]]:
    """Height and width, halved (rounded down) until one of them is below 4."""
    sizes = [shape[1:]]
    if min(sizes[0]) < 4:
        raise ValueError(f"shape: got {shape}, expected a height and a width of at least 4")
    while min(sizes[-1]) >= 4:
        height, wide = sizes[-1]
        sizes.append((height // 2, wide // 2))
    return sizes


def _doubled(
    inputs: int,
    outputs: int,
    size: tuple[int, int],
    larger: tuple[int, int],
    strided: bool,
    resize: bool,
    bias: bool,
) -> tuple[nn.Module, ...]:
    if resize:
        return nn.Upsample(larger), nn.Conv2d(inputs, outputs, 5, padding=2, bias=bias)
    if not strided:
        return nn.Conv2d(inputs, outputs, 3, padding=1, bias=bias), nn.Upsample(larger)
    odd = (larger[0] - 2 * size[0], larger[1] - 2 * size[1])
    return (nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, output_padding=odd, bias=bias),)


def _halved(inputs: int, outputs: int, strided: bool, bias: bool) -> tuple[nn.Module, ...]:
    if not strided:
        return nn.Conv2d(inputs, outputs, 3, padding=1, bias=bias), nn.MaxPool2d(2)
    return (nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=bias),)


def _connected(inputs: int, width: int, normalised: bool, activation: Activation) -> tuple[nn.Module, ...]:
    """Two fully connected hidden layers, the habit that the third guideline breaks with."""
    norm = nn.BatchNorm1d if normalised else nn.Identity
    first, second = nn.Linear(inputs, width), nn.Linear(width, width)
    return first, norm(width), activation(), second, norm(width), activation()


@torch.no_grad()
def _initialised(network: nn.Sequential) -> nn.Sequential:
    """Weights N(0, 0.02²), biases 0; batch norm's scales N(1, 0.02²). Radford et al. 2016, §4."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
            nn.init.normal_(module.weight, 0.0, 0.02)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            nn.init.normal_(module.weight, 1.0, 0.02)
    return network


@torch.no_grad()
def he_weights(model: nn.Module) -> nn.Module:
    """Draw all weights anew from N(0, 2/f), f the inputs that an output adds up, and return the model. He et al. 2015.

    A transposed convolution of stride s spreads its taps over s² phases, so that an output adds up as many fewer.
    """
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.normal_(module.weight, 0.0, math.sqrt(2 / module.weight[0].numel()))
        elif isinstance(module, nn.ConvTranspose2d):
            inputs = module.weight[:, 0].numel() / math.prod(module.stride)
            nn.init.normal_(module.weight, 0.0, math.sqrt(2 / inputs))
    return model


def make_dcgan(data: Examples | None = None) -> GAN:
    """DCGAN for grey or coloured images in [0, 1]. Without data: for 8 × 8 images of one channel."""
    channels, height, wide = shape_of(data, (1, 8, 8))
    shape = (channels, height, wide)
    latent_size, width = 64, 32
    return GAN(dcgan_generator(latent_size, shape, width), dcgan_critic(shape, width), latent_size)


def dcgan_plan(data: Examples | None = None) -> dict[str, Any]:
    """The paper's Adam, batches of 64."""
    large = data is not None and math.prod(data.event_shape) >= 256
    steps, peak = (10_000, 2e-4) if large else (2_000, 5e-4)
    return held_then_falling_plan(data, steps=steps, batch_size=64, peak=peak, betas=(0.5, 0.999))


DCGAN = adversarial(
    name="DCGAN",
    key="dcgan",
    paper="radford2016",
    year=2016,
    arxiv="1511.06434",
    lesson="05_gan/05_convolutions",
    suits=Suits("images (sides from 4)", lambda shape, dtype: IMAGES(shape, dtype) and min(shape[1:]) >= 4),
    make=make_dcgan,
    plan=dcgan_plan,
    example=grey_images,
)
