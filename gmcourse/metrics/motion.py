"""Where a known digit is in each frame of a clip, how far that is from the truth, and how far without any learning."""

import torch
from torch import Tensor
from torch.nn import functional as F

from gmcourse.data.motion import folded
from gmcourse.metrics.classifier import digit_class


def correlation(clips: Tensor, images: Tensor) -> Tensor:
    """Σ frame · image at every place where the image fits: (n, T, H − h + 1, W − w + 1).

    `clips` (n, 1, T, H, W) or (n, T, H, W), `images` (n, h, w): each clip is held against its own image. Where it is
    largest, ‖frame − image there‖² is least, since the image weighs as much at every place. Equation: vae-matching.
    """
    frames = clips[:, 0] if clips.dim() == 5 and clips.shape[1] == 1 else clips
    if frames.dim() != 4 or images.dim() != 3 or len(images) != len(frames):
        came = f"{tuple(clips.shape)} and {tuple(images.shape)}"
        raise ValueError(f"clips, images: got shapes {came}, expected (n, 1, T, H, W) and (n, h, w)")
    return F.conv2d(frames.transpose(0, 1), images[:, None], groups=len(images)).transpose(0, 1)


def places(clips: Tensor, images: Tensor) -> Tensor:
    """Row and column of the upper left corner at which the image is most like the frame, (n, T, 2) int64.

    The argument of the largest `correlation`; of equal ones the first. A clip of the image itself gives its true places
    back.
    """
    scores = correlation(clips, images)
    best = scores.flatten(2).argmax(2)
    return torch.stack([best // scores.shape[3], best % scores.shape[3]], 2)


def position_error(clips: Tensor, images: Tensor, truth: Tensor) -> Tensor:
    """‖place − true place‖ in pixels, (n, T): truth (n, T, 2), as `places` or a `Motion` gives it."""
    found = places(clips, images)
    if found.shape != truth.shape:
        raise ValueError(f"truth: got shape {tuple(truth.shape)}, expected {tuple(found.shape)}")
    return distance(found, truth)


def distance(found: Tensor, truth: Tensor) -> Tensor:
    """‖found − truth‖ over the last axis, in pixels: (…, 2) → (…)."""
    return (found - truth).double().norm(dim=-1)


def crops(clips: Tensor, corners: Tensor, side: int) -> Tensor:
    """What stands at the places (n, T, 2) of clips (n, 1, T, H, W), squares of `side` pixels: (n, T, side, side)."""
    steps = torch.arange(side, device=clips.device)
    rows, columns = (corners[..., axis, None] + steps for axis in (0, 1))
    n, frames = (torch.arange(size, device=clips.device) for size in corners.shape[:2])
    return clips[:, 0][n[:, None, None, None], frames[:, None, None], rows[..., :, None], columns[..., None, :]]


def digits_seen(clips: Tensor, corners: Tensor, side: int = 8) -> Tensor:
    """The digit that the course's classifier reads at each place (n, T, 2), cut to [0, 1]: (n, T) int64.

    Whether a digit stays the one that it was: to be told beside the share that is read right in true clips.
    """
    pictures = crops(clips, corners, side).clamp(0, 1)
    return digit_class(pictures.flatten(0, 1)[:, None]).view(pictures.shape[:2])


def last_kept(given: Tensor, ahead: int) -> Tensor:
    """The last place of (n, T, 2) for each of the `ahead` frames to come, (n, ahead, 2): nothing moves."""
    return given[:, -1:].expand(-1, ahead, -1)


def last_step_kept(given: Tensor, ahead: int, room: float) -> Tensor:
    """Straight on by the last step, x_T + k (x_T − x_{T−1}), and back at the walls: (n, T, 2) → (n, ahead, 2).

    Raises ValueError for fewer than two given places.
    """
    if given.shape[1] < 2:
        raise ValueError(f"given: got {given.shape[1]} places, expected at least two: one step")
    last, before = given[:, -1:].double(), given[:, -2:-1].double()
    steps = torch.arange(1, ahead + 1, device=given.device)[:, None]
    return folded(last + steps * (last - before), room)


def best_path_kept(given: Tensor, ahead: int, room: float, fastest: float = 2.5) -> Tensor:
    """The bouncing straight path that fits all given places best, carried on: (n, T, 2) → (n, ahead, 2).

    Least squares for each axis over starts in steps of a quarter of a pixel and speeds up to `fastest` pixels a frame
    in steps of a twentieth. It knows the law of the motion, and learns nothing.
    """
    known, device = given.shape[1], given.device
    start = torch.linspace(0, room, round(4 * room) + 1, dtype=torch.float64, device=device)
    speed = torch.linspace(-fastest, fastest, 2 * round(20 * fastest) + 1, dtype=torch.float64, device=device)
    time = torch.arange(known + ahead, device=device)
    paths = folded(start[:, None, None] + speed[:, None] * time, room).flatten(0, 1)  # (paths, T + ahead)
    rows = given.transpose(1, 2).reshape(-1, known).double()  # an axis of a clip each
    misfit = torch.cdist(rows, paths[:, :known], compute_mode="donot_use_mm_for_euclid_dist")
    return paths[misfit.argmin(1), known:].view(len(given), 2, ahead).transpose(1, 2)
