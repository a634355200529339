"""How well reconstruction errors rank anomalies, beside five scores without a network: AUROC, five seeds a task:

    OMP_NUM_THREADS=1 python -m benchmarks.autoencoders.anomalies

A row is a task and a seed. A digit that is held out: the nets see the training digits of the other nine classes, and
rank the 540 held-out digits. Pictures that are spoiled: the nets see all training digits, and rank the 540 held-out
ones against the same, spoiled. Tables: 70 % of the normal rows, drawn by the seed, are seen, the others are ranked
against all anomalous ones; mean and scale of the columns are those of the rows that are seen. Nothing is fitted to an
anomaly. The networks have one hidden layer of 128; the code has 8 numbers for digits, 2 for tables. Nothing was tuned.
"""

from collections.abc import Iterator
from functools import cache

import torch
from sklearn.ensemble import IsolationForest
from torch import Tensor

from benchmarks import evidence
from gmcourse.autoencoders import deep_autoencoder
from gmcourse.autoencoders.anomalies import mahalanobis, standardised_length, subspace_error
from gmcourse.data import Dataset, load
from gmcourse.metrics import auroc
from gmcourse.record import held_then_falling_plan
from gmcourse.training import fit

HIDDEN, STEPS, BATCH, PEAK, SEEDS = (128,), 500, 128, 2e-3, 5
TABLES = {"breast cancer": ("breast-cancer", 1), "wine": ("wine", 0)}  # the label of the normal rows
SPOILED = ("3 × 3 hole", "4 pixels black", "noise 0.15", "shuffled", "inverted")


@cache
def digits() -> tuple[Dataset, Tensor, Tensor]:
    data = load("digits")
    return data, torch.cat([data.valid, data.test]), evidence.labels(data, "valid", "test")


def spoil(x: Tensor, kind: str, seed: int) -> Tensor:
    """The pictures with one fault each."""
    rng = torch.Generator().manual_seed(seed)
    if kind == "3 × 3 hole":
        top, left = (torch.randint(6, (len(x), 1, 1, 1), generator=rng) for _ in range(2))
        row, column = torch.arange(8).view(1, 1, 8, 1), torch.arange(8).view(1, 1, 1, 8)
        return x.masked_fill((row >= top) & (row < top + 3) & (column >= left) & (column < left + 3), 0.0)
    if kind == "4 pixels black":
        places = torch.rand(len(x), 64, generator=rng).topk(4, 1).indices
        return x.flatten(1).scatter(1, places, 1.0).view_as(x)
    if kind == "noise 0.15":
        return (x + 0.15 * torch.randn(x.shape, generator=rng)).clamp(0, 1)
    if kind == "shuffled":
        return x.flatten(1)[:, torch.randperm(64, generator=rng)].view_as(x)
    return 1 - x


def split(table: str, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Seen, normal and anomalous rows, in the scale of those that are seen."""
    key, label = TABLES[table]
    data = load(key)
    rows, labels = torch.cat([data.train, data.valid, data.test]), evidence.labels(data, "train", "valid", "test")
    normal = rows[labels == label]
    order = torch.randperm(len(normal), generator=torch.Generator().manual_seed(seed))
    cut = len(normal) * 7 // 10
    std, mean = torch.std_mean(normal[order[:cut]], 0)
    seen, normal = normal[order[:cut]], normal[order[cut:]]
    return (seen - mean) / std, (normal - mean) / std, (rows[labels != label] - mean) / std


def task_rows(task: str, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    if task in TABLES:
        return split(task, seed)
    data, held, labels = digits()
    if task in SPOILED:
        return data.train, held, spoil(held, task, seed)
    digit = int(task.removeprefix("digit "))
    return data.train[evidence.labels(data, "train") != digit], held[labels != digit], held[labels == digit]


def run(task: str, seed: int, k: int) -> dict:
    train, normal, strange = task_rows(task, seed)
    torch.manual_seed(seed)
    net = deep_autoencoder(train.shape[1:], k, HIDDEN)
    plan = held_then_falling_plan(steps=STEPS, batch_size=min(BATCH, len(train)), peak=PEAK)
    fit(net, (train,), seed=seed, progress=False, **plan)
    forest = IsolationForest(n_estimators=100, random_state=seed).fit(train.flatten(1).numpy())
    scores = {
        "autoencoder": lambda x: net.errors(x).detach(),
        "PCA": lambda x: subspace_error(train, x, k),
        "isolation forest": lambda x: -torch.from_numpy(forest.score_samples(x.flatten(1).numpy())),
        "Mahalanobis": lambda x: mahalanobis(train, x),
        "standardised length": lambda x: standardised_length(train, x),
        "nearest": lambda x: torch.cdist(x.flatten(1), train.flatten(1)).amin(1),
    }
    return {name: round(auroc(score(normal), score(strange)), 4) for name, score in scores.items()}


def plan() -> Iterator[dict]:
    for seed in range(SEEDS):
        yield from ({"task": f"digit {digit}", "k": 8, "seed": seed} for digit in range(10))
        yield from ({"task": kind, "k": 8, "seed": seed} for kind in SPOILED)
        yield from ({"task": table, "k": k, "seed": seed} for table in TABLES for k in (2, 5))


if __name__ == "__main__":
    evidence.rows(
        "autoencoders/anomalies",
        plan(),
        run,
        evidence.parser(__doc__).parse_args(),
        packages=("torch", "scikit-learn"),
        training={"hidden": HIDDEN, "steps": STEPS, "batch_size": BATCH, "lr": PEAK},
    )
