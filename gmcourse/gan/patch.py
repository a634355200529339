"""A critic that judges patches: a map of logits, each of which sees a square of the picture. Isola et al. 2017."""

from collections.abc import Iterable

from torch import nn

from gmcourse.gan.dcgan import Rescale


def patch_critic(channels: int, width: int = 32, halvings: int = 2) -> nn.Sequential:
    """(batch, channels, H, W) in [0, 1] → (batch, 1, H/2^halvings, W/2^halvings): a logit for each patch.

    Convolutions of 4 × 4 pixels and stride 2, `width` channels after the first and twice as many after each further
    one, LeakyReLU of slope 0.2 and no norm; then one of 3 × 3. A mean over its logits judges patches, not the picture.
    Raises ValueError for fewer than one halving. Isola et al. 2017, §3.2.2.
    """
    if halvings < 1:
        raise ValueError(f"halvings: got {halvings}, expected at least 1")
    layers: list[nn.Module] = [Rescale(2.0, -1.0)]
    for stage in range(halvings):
        layers += [nn.Conv2d(channels, width * 2**stage, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        channels = width * 2**stage
    return nn.Sequential(*layers, nn.Conv2d(channels, 1, 3, padding=1))


def receptive_field(layers: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """(side, step) of the squares that the outputs see, in pixels of the input; a layer is (kernel, stride).

    r ← r + (k − 1) j and j ← j s from r = j = 1, layer by layer: j is the way between two neighbours' squares.
    Equation: gan-receptive-field.
    """
    side = step = 1
    for kernel, stride in layers:
        side, step = side + (kernel - 1) * step, step * stride
    return side, step


def layers_of(critic: nn.Module) -> list[tuple[int, int]]:
    """(kernel, stride) of each convolution of a stack, in order."""
    return [(conv.kernel_size[0], conv.stride[0]) for conv in critic.modules() if isinstance(conv, nn.Conv2d)]
