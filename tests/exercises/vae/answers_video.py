"""Answers to the exercises of lesson 04.6, right and wrong."""

import math

import numpy as np
import torch


def row_by_loops(codes):
    _, slots, rows, columns = codes.shape
    return torch.stack([codes[:, t, r, c] for t in range(slots) for r in range(rows) for c in range(columns)], dim=1)


def fold_by_walls(position, room):
    place = position.clone()
    for _ in range(100):
        place = torch.where(place < 0, -place, place)
        place = torch.where(place > room, 2 * room - place, place)
    return place


def fold_by_arcs(position, room):
    return room / math.pi * torch.arccos(torch.cos(math.pi * position.double() / room))


def places_by_loop(clips, images):
    n, _, frames, height, wide = clips.shape
    h, w = images.shape[1:]
    found = torch.zeros(n, frames, 2, dtype=torch.int64)
    for i in range(n):
        for t in range(frames):
            scores = {
                (r, c): (clips[i, 0, t, r : r + h, c : c + w] * images[i]).sum().item()
                for r in range(height - h + 1)
                for c in range(wide - w + 1)
            }
            found[i, t] = torch.tensor(max(scores, key=scores.__getitem__))
    return found


def places_by_numpy(clips, images):
    windows = clips[:, 0].unfold(2, images.shape[1], 1).unfold(3, images.shape[2], 1)
    scores = torch.einsum("ntrchw,nhw->ntrc", windows, images).numpy()
    best = scores.reshape(*scores.shape[:2], -1).argmax(-1)
    return torch.tensor(np.stack(np.unravel_index(best, scores.shape[2:]), -1))


def places_by_rows(clips, images):
    windows = clips[:, 0].unfold(2, images.shape[1], 1).unfold(3, images.shape[2], 1)
    scores = torch.einsum("ntrchw,nhw->ntrc", windows, images)
    best = scores.flatten(2).argmax(2)
    return torch.stack([best // scores.shape[2], best % scores.shape[2]], -1)


def fold_thrice(position, room):
    place = position
    for _ in range(3):
        place = torch.where(place < 0, -place, torch.where(place > room, 2 * room - place, place))
    return place


def best_of_sums(clips, images):
    windows = clips[:, 0].unfold(2, images.shape[1], 1).unfold(3, images.shape[2], 1)
    scores = torch.einsum("ntrchw,nhw->ntrc", windows, images)
    return torch.stack([scores.sum(3).argmax(2), scores.sum(2).argmax(2)], -1)


def snake(codes):
    turned = codes.clone()
    turned[:, :, 1::2] = codes[:, :, 1::2].flip(3)
    return turned


RIGHT = {
    "vae.flatten_codes": {
        "loops": row_by_loops,
        "reshape": lambda codes: codes.reshape(codes.shape[0], -1),
        "slot by slot": lambda codes: torch.cat([slot.flatten(1) for slot in codes.unbind(1)], 1),
    },
    "vae.folded": {"wall by wall": fold_by_walls, "by an arc cosine": fold_by_arcs},
    "vae.places": {"loops": places_by_loop, "numpy": places_by_numpy},
    "vae.codes_ahead": {
        "a difference": lambda log_probs, given: log_probs[:, :given].sum(1) - log_probs.sum(1),
        "a loop": lambda log_probs, given: torch.stack([-row[given:].double().sum() for row in log_probs]),
    },
    "vae.codes_to_come": {"as it is": 240, "as a tensor": torch.tensor(240.0)},
}
WRONG = {
    "vae.flatten_codes": {
        "rows before time": (lambda codes: codes.transpose(1, 2).flatten(1), "direction"),
        "every second row backwards": (lambda codes: snake(codes).flatten(1), "direction"),
        "half of it": (lambda codes: codes[:, :, 0].flatten(1), "shape"),
    },
    "vae.folded": {
        "no walls": (lambda position, room: position.clone(), "constant"),
        "turned round three times": (fold_thrice, "one-to-one"),
        "the remainder of fmod": (lambda position, room: room - (position.fmod(2 * room) - room).abs(), "sign"),
        "a sine": (lambda position, room: room / 2 * (1 + torch.sin(position / room)), "direction"),
        "the near wall alone": (lambda position, room: position.abs(), "one-to-one"),
    },
    "vae.places": {
        "divided by the rows": (places_by_rows, "direction"),
        "best sums": (best_of_sums, "reduction"),
        "the mean image": (lambda clips, images: places_by_numpy(clips, 0 * images + images.mean(0)), "dependence"),
        "the centre": (
            lambda clips, images: places_by_numpy(clips, images) + torch.tensor(images.shape[1:]) // 2,
            "constant",
        ),
    },
    "vae.codes_ahead": {
        "one too few": (lambda log_probs, given: -log_probs[:, given + 1 :].sum(1), "constant"),
        "the sum of the batch": (lambda log_probs, given: -log_probs[:, given:].sum(), "shape"),
    },
    "vae.codes_to_come": {
        "the known ones": (144, "direction"),
        "frames for slots": (480, "spread"),
        "one slot for six frames": (336, "one-to-one"),
        "a row missing": (40, "reduction"),
        "the lesson's": (32, "sign"),
        "pixels": (7680, "dependence"),
        "words": ("many", "container"),
    },
}
