"""Laws of motion: walls that are mirrors, the place of an image in a frame, and how far it is from another."""

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import Slips, require_close, require_shape
from gmcourse.laws.rows import pooled, within


def walls_are_mirrors(candidate: Callable[[Tensor, float], Tensor], *, seed: int = 0) -> None:
    """candidate(position, room): a straight flight brought back into [0, room], reflected at 0 and at `room`.

    The oracle turns it round wall by wall, as often as it needs. Positions of several shapes, some far outside.
    """
    rng = torch.Generator().manual_seed(seed)
    for room, shape, rooms in ((8.0, (7, 2), 6), (3.5, (11,), 6), (5.0, (2, 3, 4), 30)):
        position = room * (rooms * (torch.rand(shape, generator=rng) - 0.5) + 0.5)
        law = f"folded at walls 0 and {room:g}"
        output = ask(candidate, position=position, room=room)
        observed = require_shape(law, output, shape).detach().double()
        expected = _turned_round(position.double(), room)
        slips = _fold_slips(position.double(), room, expected)
        left = _where_it_fails(observed, expected, position.double() / room, room)
        require_close(law, observed, expected, 1e-3, slips, {"position": position}, deduced=left)


def _where_it_fails(observed: Tensor, expected: Tensor, rooms: Tensor, room: float) -> str:
    """Before any wall, outside of the room, or only where there was more than one wall."""
    bad = (observed - expected).abs() > 1e-3
    if bad[(rooms >= 0) & (rooms <= 1)].any():
        return "direction"
    if ((observed < -1e-3) | (observed > room + 1e-3)).any():
        return "sign"
    return "" if bad[(rooms > -1) & (rooms < 2)].any() else "one-to-one"


def _turned_round(position: Tensor, room: float) -> Tensor:
    place = position.clone()
    while ((place < 0) | (place > room)).any():
        place = torch.where(place < 0, -place, place)
        place = torch.where(place > room, 2 * room - place, place)
    return place


def _fold_slips(position: Tensor, room: float, right: Tensor) -> dict[str, Slips]:
    once = torch.where(position < 0, -position, position)
    bounced = [position]
    for _ in range(8):
        place = bounced[-1]
        bounced.append(torch.where(place < 0, -place, torch.where(place > room, 2 * room - place, place)))
    return {
        "constant": [position % room, position % (2 * room), position, position.abs() % room],
        "overflow": [position.clamp(0, room)],
        "one-to-one": [torch.where(once > room, 2 * room - once, once), once, room - (position - room).abs()]
        + bounced[1:],
        "direction": [room - right, (position % (2 * room) - room).abs() - room],
        "sign": [-right, room + (position % (2 * room) - room).abs(), room - (position.fmod(2 * room) - room).abs()],
    }


def places_are_matched(candidate: Callable[[Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(clips, images) → (n, T, 2): row and column of the corner at which the image is most like the frame.

    clips (n, 1, T, H, W) are noisy, H ≠ W; images (n, h, w), h ≠ w, one for each clip. The oracle lays the image on
    every place and takes the least squared error.
    """
    rng = torch.Generator().manual_seed(seed)
    for frames, canvas, sides in ((4, (7, 12), (3, 5)), (3, (11, 6), (4, 2))):
        images = torch.rand(5, *sides, generator=rng) * torch.rand(5, 1, 1, generator=rng).add(0.5)
        room = torch.tensor([side - own + 1 for side, own in zip(canvas, sides, strict=True)])
        corners = (torch.rand(5, frames, 2, generator=rng) * room).long()
        clips = 0.8 * torch.rand(5, 1, frames, *canvas, generator=rng)
        for n in range(5):
            for t in range(frames):
                r, c = corners[n, t].tolist()
                clips[n, 0, t, r : r + sides[0], c : c + sides[1]] += images[n]
        law = "the place of the least squared error"
        output = ask(candidate, clips=clips, images=images)
        observed = require_shape(law, output, (5, frames, 2)).detach().double()
        errors = _errors(clips[:, 0].double(), images.double())
        expected = _place(errors.flatten(2).argmin(2), errors.shape[3])
        slips = _place_slips(clips[:, 0].double(), images.double(), expected)
        first = (observed != expected).flatten().nonzero()[:1].sum() // 2 * 2  # what is shown begins where they differ
        shown: dict[str, Slips] = {
            cause: [torch.as_tensor(slip).flatten().roll(-int(first)) for slip in cast(list, made)]
            for cause, made in slips.items()
        }
        seen, right = (found.flatten().roll(-int(first)) for found in (observed, expected))
        require_close(law, seen, right, 1e-6, shown, deduced=_not_whole(observed, expected))


def _not_whole(observed: Tensor, expected: Tensor) -> str:
    """A row that was divided without rounding, a mean of places, or neither."""
    if torch.equal(observed, observed.floor()):
        return ""
    return "one-to-one" if torch.equal(observed.floor(), expected) else "reduction"


def _errors(frames: Tensor, images: Tensor) -> Tensor:
    """‖frame − image laid there on black‖² at each place, (n, T, places down, places across)."""
    h, w = images.shape[1:]
    down, across = frames.shape[2] - h + 1, frames.shape[3] - w + 1
    rows = []
    for r in range(down):
        row = []
        for c in range(across):
            laid = torch.zeros_like(frames)
            laid[:, :, r : r + h, c : c + w] = images[:, None]
            row.append((frames - laid).square().sum((2, 3)))
        rows.append(torch.stack(row, 2))
    return torch.stack(rows, 2)


def _place(index: Tensor, across: int) -> Tensor:
    return torch.stack([index // across, index % across], -1).double()


def _place_slips(frames: Tensor, images: Tensor, right: Tensor) -> dict[str, list[Tensor]]:
    errors = _errors(frames, images)
    down, across = errors.shape[2:]
    best = errors.flatten(2).argmin(2)
    turned, first = _errors(frames, images.flip(1, 2)), _errors(frames, images[:1].expand_as(images))
    mean = _errors(frames, images.mean(0, keepdim=True).expand_as(images))
    sides = torch.tensor(images.shape[1:])
    weights = (-errors).flatten(2).softmax(2).view(errors.shape)
    soft = [(weights.sum(3 - axis) * torch.arange(errors.shape[2 + axis])).sum(2) for axis in (0, 1)]
    return {
        "direction": [right.flip(-1), *(_place(best, by) for by in (down, *frames.shape[2:], across - 1))]
        + [_place(best, across).flip(-1), _place(turned.flatten(2).argmin(2), across)],
        "sign": [_place(errors.flatten(2).argmax(2), across)],
        "constant": [right + sides - 1, right + sides // 2, right + (sides - 1) / 2, right + 1, right + sides],
        "dependence": [_place(first.flatten(2).argmin(2), across), _place(_ink(frames, images), across)]
        + [_place(mean.flatten(2).argmin(2), across), _place(frames.flatten(2).argmax(2), frames.shape[3])],
        "spread": [_place(_cosine(frames, images), across)],
        "reduction": [torch.stack(soft, -1), torch.stack([errors.sum(axis).argmin(2) for axis in (3, 2)], -1).double()],
        "shape": [right[:, :1].expand_as(right), *pooled(right)],
    }


def _ink(frames: Tensor, images: Tensor) -> Tensor:
    """Where a window of the image's size holds most ink, whatever it looks like."""
    h, w = images.shape[1:]
    return frames.unfold(2, h, 1).unfold(3, w, 1).sum((4, 5)).flatten(2).argmax(2)


def _cosine(frames: Tensor, images: Tensor) -> Tensor:
    """Where the correlation is largest after division by the length of the window."""
    windows = frames.unfold(2, images.shape[1], 1).unfold(3, images.shape[2], 1)
    cosine = (windows * images[:, None, None, None]).sum((4, 5)) / windows.square().sum((4, 5)).sqrt()
    return cosine.flatten(2).argmax(2)


def errors_are_distances(candidate: Callable[[Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(found, truth) = ‖found − truth‖ in pixels: (n, T, 2) each, whole numbers → (n, T).

    Neither squared nor averaged over frames: an error in pixels that is told frame by frame.
    """
    rng = torch.Generator().manual_seed(seed)
    for n, frames in ((4, 3), (6, 5)):
        found, truth = torch.randint(0, 9, (2, n, frames, 2), generator=rng)
        law = "the distance of two places, in pixels"
        observed = require_shape(law, ask(candidate, found=found, truth=truth), (n, frames)).detach().double()
        step = (found - truth).double()
        expected = torch.hypot(step[..., 0], step[..., 1])
        slips: dict[str, Slips] = {
            "spread": [step.square().sum(-1), step.square().mean(-1), expected.sqrt()],
            "one-to-one": [step.abs().sum(-1), step.abs().amax(-1), step.abs().mean(-1), step.sum(-1).abs()],
            "reduction": [step.square().mean(-1).sqrt(), expected.mean(1, keepdim=True).expand_as(expected)],
            "sign": [step.sum(-1), -expected, torch.hypot(*(found + truth).double().unbind(-1))],
            "direction": [
                step[..., 0].abs(),
                step[..., 1].abs(),
                torch.hypot(*(found - truth.flip(-1)).double().unbind(-1)),
            ],
            "shape": pooled(expected),
        }
        require_close(law, observed, expected, within(expected), slips, {"found": found, "truth": truth})
