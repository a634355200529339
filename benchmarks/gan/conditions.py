"""Digits asked for by their class: do samples show it, and how much of the class do they show?

    OMP_NUM_THREADS=1 python -m benchmarks.gan.conditions

Four games on the 8 × 8 digits, two hidden layers of 128 on either side, and ACGAN again with a tenth of its weight.
1,080 samples, 108 of each class. Accuracy: the share that a support vector machine, trained on the 540 held-out digits,
reads as asked; `data` is what it reads right of the training digits. Precision and recall within a class: its held-out
digits against as many samples, in the classifier's features, the mean over classes; Fréchet distance, precision and
recall of all by `gmcourse.metrics`.
"""

from functools import cache, partial

import torch
from sklearn.svm import SVC
from torch import Tensor, nn

from benchmarks import evidence
from gmcourse.data import Dataset, load
from gmcourse.gan.auxiliary import make_acgan
from gmcourse.gan.conditional import CGAN, Projection, make_cgan, told_generator
from gmcourse.metrics import features, fidelity, precision_recall
from gmcourse.nets import OneHot, mlp
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit_adversarial

STEPS, BATCH, PEAK, SEEDS, EACH = 1_000, 64, 1e-3, 5, 108
_leaky = partial(nn.LeakyReLU, 0.2)


def _generator() -> nn.Module:
    return told_generator((1, 8, 8), 10, 16)


def _projecting(data: Dataset) -> CGAN:
    shared = nn.Sequential(nn.Flatten(), *mlp([64, 128, 128], _leaky), _leaky())
    read = nn.Sequential(OneHot(10), nn.Linear(10, 128, bias=False))
    return CGAN(_generator(), Projection(shared, read, 128), 16)


GAMES = {
    "CGAN": make_cgan,
    "matching-aware": partial(make_cgan, matching=True),
    "projection": _projecting,
    "ACGAN": make_acgan,
    "ACGAN, λ = 0.1": partial(make_acgan, weight=0.1),
}


@cache
def _judge() -> SVC:
    held, labels = _held(load("digits"))
    return SVC().fit(held.flatten(1).numpy(), labels.numpy())


def _held(data: Dataset) -> tuple[Tensor, Tensor]:
    return torch.cat([data.valid, data.test]), evidence.labels(data, "valid", "test")


def _accuracy(x: Tensor, labels: Tensor) -> float:
    return float((_judge().predict(x.flatten(1).numpy()) == labels.numpy()).mean())


def within(x: Tensor, asked: Tensor, held: Tensor, labels: Tensor) -> tuple[float, float]:
    """Precision and recall of the samples of a class against its held-out digits, the mean over classes."""
    pairs = []
    for digit in range(10):
        real = held[labels == digit]
        pairs.append(precision_recall(features(real), features(x[asked == digit][: len(real)])))
    precision, recall = torch.tensor(pairs).mean(0).tolist()
    return precision, recall


def measured(x: Tensor, asked: Tensor, data: Dataset) -> dict[str, float]:
    held, labels = _held(data)
    precision, recall = within(x, asked, held, labels)
    numbers = {"accuracy": _accuracy(x, asked), "class precision": precision, "class recall": recall}
    return {name: round(value, 4) for name, value in (numbers | fidelity(held, x)._asdict()).items()}


def run(game: str, seed: int) -> dict:
    data = load("digits")
    labels = evidence.labels(data, "train")
    if game == "data":
        return measured(data.train, labels, data)
    torch.manual_seed(seed)
    model = GAMES[game](data)
    plan = {"steps": STEPS, "batch_size": BATCH, "lr": held_then_falling(PEAK, STEPS)}
    fit_adversarial(model, (data.train, labels), seed=seed, progress=False, **plan)
    asked = torch.arange(10).repeat(EACH)
    return measured(model.sample(len(asked), asked, rng=torch.Generator().manual_seed(seed)), asked, data)


if __name__ == "__main__":
    evidence.rows(
        "gan/conditions",
        [{"game": "data", "seed": 0}, *({"game": game, "seed": seed} for seed in range(SEEDS) for game in GAMES)],
        run,
        evidence.parser(__doc__).parse_args(),
        packages=("torch", "scikit-learn"),
        training={"steps": STEPS, "batch_size": BATCH, "lr": PEAK, "each": EACH},
    )
