"""DCGAN's two networks, each of the paper's five guidelines a switch. Radford et al. 2016."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

Activation = Callable[[], nn.Module]


class Affine(nn.Module):
    """x ↦ scale · x + shift: between the data's [0, 1] and the tanh's [−1, 1]."""

    def __init__(self, scale: float, shift: float):
        super().__init__()
        self.scale, self.shift = scale, shift

    def forward(self, x: Tensor) -> Tensor:
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
    """(batch, latent_size) → (batch, C, H, W) in [0, 1]: projected to H/4 × W/4, then doubled twice.

    The guidelines, each off where its switch is False: `strided`, doubled by transposed convolutions of stride 2, not
    by repeating pixels after a plain one; `normalised`, batch norm in every layer but the last; `convolutional`, no
    fully connected hidden layer (off: two of `4 width` units); `relu`, ReLU inside and tanh at the end (off: sigmoid
    throughout). With `resize` pixels are repeated first and then convolved: no checkerboard. Raises ValueError for a
    height or width not divisible by 4. Radford et al. 2016, §3.
    """
    channels, height, wide = _quartered(shape)
    norm = nn.BatchNorm2d if normalised else nn.Identity
    activation = nn.ReLU if relu else nn.Sigmoid
    hidden = () if convolutional else _connected(latent_size, 4 * width, normalised, activation)
    layers = [
        *hidden,
        nn.Linear(4 * width if hidden else latent_size, 2 * width * height * wide, bias=not normalised),
        nn.Unflatten(1, (2 * width, height, wide)),
        norm(2 * width),
        activation(),
        *_doubled(2 * width, width, strided, resize, bias=not normalised),
        norm(width),
        activation(),
        *_doubled(width, channels, strided, resize, bias=True),
        *((nn.Tanh(), Affine(0.5, 0.5)) if relu else (nn.Sigmoid(),)),
    ]
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
    """(batch, C, H, W) in [0, 1] → (batch, 1), a logit: halved twice, then one linear layer.

    Its guidelines: `strided`, halved by convolutions of stride 2 (off: plain ones, then max pooling); `normalised`,
    batch norm in every layer but the first and the last; `convolutional`, no fully connected hidden layer; `leaky`,
    LeakyReLU of slope 0.2 (off: ReLU). Raises ValueError for a height or width not divisible by 4. Radford et al.
    2016, §3.
    """
    channels, height, wide = _quartered(shape)
    activation = (lambda: nn.LeakyReLU(0.2)) if leaky else nn.ReLU
    features = 2 * width * height * wide
    hidden = () if convolutional else _connected(features, 4 * width, normalised, activation)
    layers = [
        Affine(2.0, -1.0),
        *_halved(channels, width, strided, bias=True),
        activation(),
        *_halved(width, 2 * width, strided, bias=not normalised),
        nn.BatchNorm2d(2 * width) if normalised else nn.Identity(),
        activation(),
        nn.Flatten(),
        *hidden,
        nn.Linear(4 * width if hidden else features, 1),
    ]
    return _initialised(nn.Sequential(*layers))


def _doubled(inputs: int, outputs: int, strided: bool, resize: bool, bias: bool) -> tuple[nn.Module, ...]:
    if resize:
        return nn.Upsample(scale_factor=2), nn.Conv2d(inputs, outputs, 5, padding=2, bias=bias)
    if not strided:
        return nn.Conv2d(inputs, outputs, 3, padding=1, bias=bias), nn.Upsample(scale_factor=2)
    return (nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=bias),)


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


def _quartered(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    channels, height, width = shape
    if height % 4 or width % 4:
        raise ValueError(f"shape: got {shape}, expected a height and a width divisible by 4")
    return channels, height // 4, width // 4
