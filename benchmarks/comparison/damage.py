"""What each metric sees of known damage to real digits: MNIST's test pictures, 1,000 at a time, ten draws of them.

    python -m benchmarks.comparison.damage

In each repetition 3,000 pictures are drawn, 1,000 of the training set and two times 1,000 of the test set. Of the test
pictures one half is the reference, and the other is damaged and measured against it. "copies" are the training
pictures. Features are those of the course's classifier; the nearest neighbours of memorisation are sought in pixels.
"""

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from benchmarks import evidence
from gmcourse.data import load
from gmcourse.metrics import (
    density_coverage,
    features,
    frechet_distance,
    kernel_distance,
    mmd,
    nearest_share,
    one_nearest,
    precision_recall,
)
from gmcourse.metrics.classifier import digit_class

CLAIM = "comparison/damage"
COUNT, REPETITIONS, LOST, KEPT = 1000, 10, 8, 20
BANDWIDTH = (
    20.0  # of the Gaussian kernel on features, held for all rows: about half the median distance of two pictures
)


def moved(x: Tensor, right: int) -> Tensor:
    """Every picture `right` pixels to the right; what leaves is lost, what comes is black."""
    return pad(x, (right, -right, 0, 0))


def blurred(x: Tensor) -> Tensor:
    """The mean over 3 × 3 pixels."""
    return conv2d(x, torch.full((1, 1, 3, 3), 1 / 9), padding=1)


def damaged(name: str, fresh: Tensor, labels: Tensor, train: Tensor, rng: torch.Generator) -> Tensor:
    """`COUNT` pictures: the first of `fresh`, (n, 1, H, W) with their labels, after this damage."""
    x = fresh[:COUNT]
    noise = torch.randn(x.shape, generator=rng)
    ways = {
        "none": lambda: x,
        "noise 0.1": lambda: (x + 0.1 * noise).clamp(0, 1),
        "noise 0.2": lambda: (x + 0.2 * noise).clamp(0, 1),
        "blur": lambda: blurred(x),
        "one pixel right": lambda: moved(x, 1),
        "three pixels right": lambda: moved(x, 3),
        "mirrored": lambda: x.flip(3),
        "no eights": lambda: fresh[labels != LOST][:COUNT],
        "20 pictures repeated": lambda: x[:KEPT].repeat(COUNT // KEPT, 1, 1, 1),
        "copies": lambda: train,
        "copies, one pixel right": lambda: moved(train, 1),
        "a tenth copies": lambda: torch.cat([train[: COUNT // 10], x[COUNT // 10 :]]),
    }
    return ways[name]()


DAMAGES = (
    *("none", "noise 0.1", "noise 0.2", "blur", "one pixel right", "three pixels right", "mirrored"),
    *("no eights", "20 pictures repeated", "copies", "copies, one pixel right", "a tenth copies"),
)


def run(*, damage: str, seed: int) -> dict:
    data, rng = load("mnist"), torch.Generator().manual_seed(seed)
    order = torch.randperm(len(data.test), generator=rng)
    train = data.train[torch.randperm(len(data.train), generator=rng)[:COUNT]]
    held, rest = data.test[order[:COUNT]], order[COUNT : 3 * COUNT]
    fake = damaged(damage, data.test[rest], evidence.labels(data, "test")[rest], train, rng)
    real, made = features(held), features(fake)
    precision, recall = precision_recall(real, made)
    density, coverage = density_coverage(real, made)
    halves = one_nearest(train, fake)
    shares = digit_class(fake).bincount(minlength=10) / COUNT
    return {
        "frechet": round(frechet_distance(real, made), 2),
        "kernel": round(kernel_distance(real, made), 4),
        "mmd": round(mmd(real, made, BANDWIDTH), 5),
        **{"precision": round(precision, 4), "recall": round(recall, 4)},
        **{"density": round(density, 4), "coverage": round(coverage, 4)},
        "least class": round(shares.min().item(), 4),
        "nearer to train": round(nearest_share(fake, train, held), 4),
        **{"1-NN, fakes": round(halves.fakes, 4), "1-NN, train": round(halves.data, 4)},
    }


def main() -> None:
    options = evidence.parser(__doc__).parse_args()
    plan = [{"damage": damage, "seed": seed} for damage in DAMAGES for seed in range(REPETITIONS)]
    evidence.rows(CLAIM, plan, run, options, count=COUNT, bandwidth=BANDWIDTH)


if __name__ == "__main__":
    main()
