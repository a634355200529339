"""Every law of motion passes the right answer and catches each planted bug."""

import torch
from torch.nn.functional import conv2d

from gmcourse.data.motion import folded
from gmcourse.laws.vae import motion
from gmcourse.metrics.motion import correlation, distance, places


def unfolded(clips, images):
    """The same by windows, as one writes it without a convolution."""
    h, w = images.shape[1:]
    windows = clips[:, 0].unfold(2, h, 1).unfold(3, w, 1)
    scores = (windows * images[:, None, None, None]).sum((4, 5))
    best = scores.flatten(2).argmax(2)
    return torch.stack([best.div(scores.shape[3], rounding_mode="floor"), best.remainder(scores.shape[3])], -1)


def divided_by(side):
    def bug(clips, images):
        scores = correlation(clips, images)
        best = scores.flatten(2).argmax(2)
        size = side(scores, clips)
        return torch.stack([best // size, best % size], 2)

    return bug


def mean_place(clips, images):
    scores = correlation(clips, images)
    weights = scores / scores.sum((2, 3), keepdim=True)
    rows, columns = (torch.arange(side) for side in scores.shape[2:])
    return torch.stack([(weights.sum(3) * rows).sum(2), (weights.sum(2) * columns).sum(2)], 2)


def one_image(clips, images):
    return places(clips, images[:1].expand_as(images))


def turned_image(clips, images):
    return places(clips, images.flip(1, 2))


def ink(clips, images):
    """A box in the place of the image."""
    return places(clips, torch.ones_like(images))


def padded(clips, images):
    frames, (h, w) = clips[:, 0].transpose(0, 1), images.shape[1:]
    scores = conv2d(frames, images[:, None], groups=len(images), padding=(h // 2, w // 2)).transpose(0, 1)
    best = scores.flatten(2).argmax(2)
    return torch.stack([best // scores.shape[3], best % scores.shape[3]], 2)


def by_sums(clips, images):
    scores = correlation(clips, images)
    return torch.stack([scores.sum(3).argmax(2), scores.sum(2).argmax(2)], 2)


def turned_thrice(position, room):
    place = position
    for _ in range(3):
        place = torch.where(place < 0, -place, torch.where(place > room, 2 * room - place, place))
    return place


def triangle(position, room):
    phase = position.remainder(2 * room)
    return torch.minimum(phase, 2 * room - phase)


RIGHT = {
    motion.walls_are_mirrors: (folded, triangle),
    motion.places_are_matched: (places, unfolded),
    motion.errors_are_distances: (
        distance,
        lambda found, truth: (found - truth).pow(2).sum(-1).double().sqrt(),
        lambda found, truth: torch.linalg.vector_norm((found - truth).float(), dim=2),
    ),
}
BUGS = {
    motion.walls_are_mirrors: {
        "modulo without a fold": (lambda p, room: p % room, "constant"),
        "no walls": (lambda p, room: p.clone(), "constant"),
        "sticks to the wall": (lambda p, room: p.clamp(0, room), "overflow"),
        "turned round once": (lambda p, room: room - (p.abs() - room).abs(), "one-to-one"),
        "one wall": (lambda p, room: p.abs(), "one-to-one"),
        "the far wall first": (lambda p, room: (p % (2 * room) - room).abs(), "direction"),
        "half the period": (lambda p, room: room - (p % room - room / 2).abs(), "direction"),
        "the remainder of fmod": (lambda p, room: room - (p.fmod(2 * room) - room).abs(), "sign"),
        "turned round three times": (turned_thrice, "one-to-one"),
        "in place": (lambda p, room: p.remainder_(2 * room).sub_(room).abs_().neg_().add_(room), "mutation"),
    },
    motion.places_are_matched: {
        "divided by the rows": (divided_by(lambda scores, clips: scores.shape[2]), "direction"),
        "divided by the canvas": (divided_by(lambda scores, clips: clips.shape[-1]), "direction"),
        "column and row": (lambda clips, images: places(clips, images).flip(-1), "direction"),
        "convolved, not correlated": (turned_image, "direction"),
        "the least likeness": (lambda clips, images: places(-clips, images), "sign"),
        "the mean of all places": (mean_place, "reduction"),
        "by sums over rows and columns": (by_sums, "reduction"),
        "the mean image": (lambda c, i: places(c, i.mean(0, keepdim=True).expand_as(i)), "dependence"),
        "one image for all": (one_image, "dependence"),
        "most ink": (ink, "dependence"),
        "the lower right corner": (lambda c, i: places(c, i) + torch.tensor(i.shape[1:]) - 1, "constant"),
        "padded": (padded, "constant"),
        "the first frame's place for all": (lambda c, i: places(c, i)[:, :1].expand(-1, c.shape[2], -1), "shape"),
    },
    motion.errors_are_distances: {
        "squared": (lambda f, t: (f - t).square().sum(-1), "spread"),
        "along the streets": (lambda f, t: (f - t).abs().sum(-1), "one-to-one"),
        "root of the mean": (lambda f, t: (f - t).double().square().mean(-1).sqrt(), "reduction"),
        "averaged over frames": (lambda f, t: distance(f, t).mean(1), "shape"),
        "rows alone": (lambda f, t: (f - t)[..., 0].abs(), "direction"),
        "axes crossed": (lambda f, t: distance(f, t.flip(-1)), "direction"),
        "signed": (lambda f, t: (f - t).sum(-1), "sign"),
        "the first clip for all": (lambda f, t: distance(f, t)[:1].expand(len(f), -1), "shape"),
    },
}
