"""Convolutions that shorten, lengthen or look round, for pictures with two axes and for sounds with one."""

from torch import nn

_CONV = {1: (nn.Conv1d, nn.ConvTranspose1d), 2: (nn.Conv2d, nn.ConvTranspose2d)}


def shrinking(axes: int, inputs: int, width: int, outputs: int, halvings: int) -> nn.Sequential:
    """(batch, inputs, *places) → (batch, outputs, *places / 2^halvings), each halving a convolution of stride 2.

    `axes` is 1 for sounds, 2 for pictures. Sides that 2^halvings does not divide are cut.
    """
    conv, _ = _convolutions(axes)
    layers: list[nn.Module] = []
    for k in range(halvings):
        layers += [conv(width if k else inputs, width, 4, stride=2, padding=1), nn.SiLU()]
    layers += [conv(width if halvings else inputs, width, 3, padding=1), nn.SiLU()]
    return nn.Sequential(*layers, conv(width, outputs, 1))


def growing(axes: int, inputs: int, width: int, outputs: int, doublings: int) -> nn.Sequential:
    """(batch, inputs, *places) → (batch, outputs, *places · 2^doublings): `shrinking` mirrored."""
    conv, transposed = _convolutions(axes)
    layers: list[nn.Module] = [conv(inputs, width, 3, padding=1), nn.SiLU()]
    for _ in range(doublings):
        layers += [transposed(width, width, 4, stride=2, padding=1), nn.SiLU()]
    return nn.Sequential(*layers, conv(width, outputs, 1))


def near(axes: int, inputs: int, width: int, outputs: int) -> list[nn.Module]:
    """Layers (batch, inputs, *places) → (batch, outputs, *places): each place sees itself and those right beside it."""
    conv, _ = _convolutions(axes)
    layers = [conv(inputs, width, 3, padding=1), nn.SiLU(), conv(width, width, 1), nn.SiLU()]
    return [*layers, conv(width, outputs, 1)]


def _convolutions(axes: int) -> tuple[type, type]:
    if axes not in _CONV:
        raise ValueError(f"axes: got {axes}, expected 1 (sounds) or 2 (pictures)")
    return _CONV[axes]
