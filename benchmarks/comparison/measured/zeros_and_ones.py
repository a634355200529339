"""Zeros and ones at unequal shares, two classifiers that read them, and what is seen of samples."""

from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks import evidence
from gmcourse.comparison.shares import corrected_share
from gmcourse.data import load
from gmcourse.metrics import features, nearest_share, precision_recall
from gmcourse.nets import mlp
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit

LEVELS, ZEROS, SAMPLES, ALIKE, EACH = 17, 4_000, 2_000, 150, 1_800


def rounded(x: Tensor) -> Tensor:
    """To the nearest of the 17 levels."""
    return (x.clamp(0, 1) * (LEVELS - 1)).round() / (LEVELS - 1)


@cache
def pooled(split: str, side: int) -> tuple[Tensor, Tensor]:
    """MNIST's rows of the split, coarser and flat, and their labels."""
    data = load("mnist")
    parts = ("train", "valid") if split == "train" else ("test",)
    x = torch.cat([getattr(data, part) for part in parts])
    return rounded(F.avg_pool2d(x, 28 // side)).flatten(1), evidence.labels(data, *parts)


def of_digit(split: str, digit: int, side: int) -> Tensor:
    x, labels = pooled(split, side)
    return x[labels == digit]


def rows(share: float, side: int) -> tuple[Tensor, Tensor]:
    """4,000 zeros and the ones that make the share, and which is which, in one order for all."""
    ones = of_digit("train", 1, side)[: round(ZEROS * share / (1 - share))]
    x = torch.cat([of_digit("train", 0, side)[:ZEROS], ones])
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    return x[order], (torch.arange(len(x)) >= ZEROS).long()[order]


class Judge(nn.Module):
    """A classifier of one hidden layer of 128, trained with noise on the pictures: 0, 1 and, of three, neither."""

    def __init__(self, dims: int, classes: int):
        super().__init__()
        self.net = mlp([dims, 128, classes])

    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        noise = torch.rand(len(x), 1) * 0.25 * torch.randn_like(x)
        return F.cross_entropy(self.net((x + noise).clamp(0, 1)), y)

    @torch.no_grad()
    def calls(self, x: Tensor) -> Tensor:
        return self.net(x).argmax(1)


def known(classes: int, side: int) -> tuple[Tensor, Tensor]:
    """The rows that a classifier learns from: as many zeros as ones, other digits, and blends of a zero and a one."""
    zeros, ones = (of_digit("train", digit, side)[-EACH:] for digit in (0, 1))
    weight = 0.3 + 0.4 * torch.rand(EACH, 1, generator=torch.Generator().manual_seed(0))
    x, labels = pooled("train", side)
    neither = [x[labels > 1][: 2 * EACH], rounded(weight * zeros + (1 - weight) * ones)]
    parts = [zeros, ones, torch.cat(neither)][:classes]
    return torch.cat(parts), torch.cat([torch.full((len(part),), k) for k, part in enumerate(parts)])


@cache
def judge(classes: int, side: int) -> tuple[Judge, float, float]:
    """The classifier, and its false- and true-positive rates among what it calls zero or one."""
    torch.manual_seed(0)
    net = Judge(side * side, classes)
    rate = held_then_falling(2e-3, 2_000)
    fit(net, known(classes, side), steps=2_000, batch_size=128, lr=rate, progress=False)
    calls = [net.calls(of_digit("test", digit, side)) for digit in (0, 1)]
    false, true = (((c == 1).sum() / (c < 2).sum()).item() for c in calls)
    return net, false, true


def seen(x: Tensor, side: int) -> dict[str, float]:
    """The share of ones among the samples, read in two ways and corrected, and that of neither."""
    found = {}
    for name, classes in (("seen", 3), ("two-way", 2)):
        net, false, true = judge(classes, side)
        calls = net.calls(x)
        read = ((calls == 1).sum() / (calls < 2).sum().clamp(min=1)).item()
        found[name] = round(corrected_share(read, false, true), 4)
    return found | {"neither": round((judge(3, side)[0].calls(x) == 2).double().mean().item(), 4)}


def quality_of_the_ones(x: Tensor, side: int) -> dict[str, float]:
    """Precision, recall and nearness of the samples that are called ones; none where there are too few."""
    ones, held = x[judge(3, side)[0].calls(x) == 1], of_digit("test", 1, side)
    trained = rows(0.1, side)
    trained = trained[0][trained[1] == 1]
    if len(ones) < ALIKE:
        return {"ones": len(ones)}
    pair = (features(t[:ALIKE].view(-1, 1, side, side)) for t in (held, ones))
    precision, recall = precision_recall(*pair)
    near = nearest_share(ones, trained, held[: len(trained)])
    return {"ones": len(ones), "precision": round(precision, 3), "recall": round(recall, 3), "near": round(near, 3)}


def floor(share: float, side: int, seed: int) -> Tensor:
    """2,000 test rows at the share, none of them a one that samples are compared with."""
    rng = torch.Generator().manual_seed(seed)
    minority = torch.rand(SAMPLES, 1, generator=rng) < share
    apart = len(rows(0.1, side)[0]) - ZEROS  # ones that others are compared with
    real = (of_digit("test", 1, side)[apart:], of_digit("test", 0, side))
    return torch.where(minority, *(t[torch.randint(len(t), (SAMPLES,), generator=rng)] for t in real))
