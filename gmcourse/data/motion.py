"""Digits in motion: straight paths between mirrors, and the clips that are drawn along them."""

import math
from typing import NamedTuple

import torch
from torch import Generator, Tensor


class Motion(NamedTuple):
    """Clips (n, 1, frames, canvas, canvas), and where the upper left corner of each digit is, (n, frames, 2) int64."""

    clips: Tensor
    corners: Tensor


def folded(position: Tensor, room: float) -> Tensor:
    """The position of a straight flight, brought back into [0, room] by mirrors at 0 and at `room`; of any shape.

    room − |position mod 2·room − room|: a triangle wave. Raises ValueError for a room that is not positive.
    Equation: vae-folded.
    """
    if not room > 0:
        raise ValueError(f"room: got {room}, expected a positive length")
    return room - (position % (2 * room) - room).abs()


def bouncing_path(start: Tensor, velocity: Tensor, frames: int, room: float) -> Tensor:
    """folded(start + t·velocity) at t = 0..frames−1: start and velocity (n, 2), pixels → (n, frames, 2)."""
    time = torch.arange(frames, device=start.device)[:, None]
    return folded(start[:, None] + velocity[:, None] * time, room)


def draw_motion(n: int, room: float, *, rng: Generator | None = None) -> tuple[Tensor, Tensor]:
    """A start anywhere in [0, room]² and a velocity in any direction, 1 to 2.5 pixels a frame: (n, 2) each."""
    start = room * torch.rand(n, 2, generator=rng)
    angle, speed = 2 * math.pi * torch.rand(n, generator=rng), 1 + 1.5 * torch.rand(n, generator=rng)
    return start, speed[:, None] * torch.stack([angle.sin(), angle.cos()], 1)


def clip_of(images: Tensor, corners: Tensor, canvas: int) -> Tensor:
    """Each image (n, h, w) at its corners (n, frames, 2), row and column, on black: (n, 1, frames, canvas, canvas).

    Raises ValueError where the shapes do not fit, and where an image would leave the canvas.
    """
    if images.dim() != 3 or corners.shape[::2] != (len(images), 2) or corners.is_floating_point():
        came = f"{tuple(images.shape)} and {corners.dtype} of {tuple(corners.shape)}"
        raise ValueError(f"images, corners: got {came}, expected (n, h, w) and whole numbers (n, frames, 2)")
    n, *sides = images.shape
    room = torch.tensor([canvas - side for side in sides], device=corners.device)
    if ((corners < 0) | (corners > room)).any():
        raise ValueError(f"corners: got one that leaves the canvas, expected 0 to {room.tolist()}")
    rows, columns = (corners[..., axis, None] + torch.arange(side) for axis, side in enumerate(sides))
    clips = torch.zeros(n, corners.shape[1], canvas, canvas, dtype=images.dtype)
    for t in range(corners.shape[1]):
        clips[torch.arange(n)[:, None, None], t, rows[:, t, :, None], columns[:, t, None, :]] = images
    return clips.unsqueeze(1)


def set_in_motion(images: Tensor, frames: int = 8, canvas: int = 16, *, rng: Generator | None = None) -> Motion:
    """Each square image (n, side, side) on a bouncing path of its own, at whole pixels: other draws, other motion.

    The data set bouncing-digits is one draw; `set_in_motion(images.repeat(6, 1, 1), rng=...)` gives six for each digit.
    Raises ValueError for no frames, and for a canvas that leaves no room to move.
    """
    if images.dim() != 3 or images.shape[1] != images.shape[2]:
        raise ValueError(f"images: got shape {tuple(images.shape)}, expected (n, side, side)")
    room = canvas - images.shape[2]
    if frames < 1 or room < 1:
        least = images.shape[2] + 1
        raise ValueError(f"frames must be at least 1 and canvas at least {least} pixels, got {frames} and {canvas}")
    start, velocity = draw_motion(len(images), room, rng=rng)
    corners = bouncing_path(start, velocity, frames, room).round().long()
    return Motion(clip_of(images, corners, canvas), corners)
