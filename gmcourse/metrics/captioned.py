"""Whether a picture shows what its caption says: style by its hue, place by its middle, digit by a classifier."""

import torch
from torch import Tensor

from gmcourse.data.captioned_digits import PALETTE, SIDE, corner
from gmcourse.metrics.classifier import digit_class


def style_of(images: Tensor) -> Tensor:
    """The style whose colour points most nearly where the picture's summed colour does: (n, 3, 16, 16) → (n,)."""
    colour, palette = _checked(images).sum((2, 3)), torch.tensor(PALETTE)
    return (colour @ (palette / palette.norm(dim=1, keepdim=True)).T).argmax(1)


def place_of(images: Tensor) -> Tensor:
    """The corner in which the middle of the light lies, 2 · lower + right: (n, 3, 16, 16) → (n,)."""
    light = _checked(images).clamp(min=0).amax(1)
    middle, places = (images.shape[-1] - 1) / 2, torch.arange(images.shape[-1])
    moments = [(light.sum(axis) * (places - middle)).sum(1) for axis in (2, 1)]
    return 2 * (moments[0] > 0).long() + (moments[1] > 0)


def digit_of(images: Tensor, place: Tensor, outlined: Tensor) -> Tensor:
    """The digit that the course's classifier reads at the place, (n,): (n, 3, 16, 16), places (n,), a mask (n,).

    It reads the brightest of the three colours, brought to a peak of 1; of outlined digits, what the ring encloses.
    """
    light = _checked(images).clamp(0, 1).amax(1)
    light = light / light.amax((1, 2), keepdim=True).clamp(min=1e-6)
    light = torch.where(outlined[:, None, None], enclosed(light > 0.5).float(), light)
    return digit_class(light[corner(place)][:, None])


def enclosed(ring: Tensor) -> Tensor:
    """What no path of steps up, down, left and right reaches from the edge without a pixel of the ring, and is none.

    Masks (n, height, width).
    """
    free = torch.nn.functional.pad(~ring, (1, 1, 1, 1), value=True)
    reached = torch.zeros_like(free)
    reached[:, 0, 0] = True
    while True:
        spread = reached.clone()
        spread[:, 1:] |= reached[:, :-1]
        spread[:, :-1] |= reached[:, 1:]
        spread[:, :, 1:] |= reached[:, :, :-1]
        spread[:, :, :-1] |= reached[:, :, 1:]
        spread &= free
        if torch.equal(spread, reached):
            return (free & ~reached)[:, 1:-1, 1:-1]
        reached = spread


def _checked(images: Tensor) -> Tensor:
    if images.dim() != 4 or images.shape[1:] != (3, SIDE, SIDE):
        raise ValueError(f"images: got shape {tuple(images.shape)}, expected (n, 3, {SIDE}, {SIDE})")
    return images
