"""What each conditional game comes to where labels are wrong, beside what its theory says:

    OMP_NUM_THREADS=1 python -m benchmarks.gan.flipped_labels

The training digits 3 and 8, each 40 times, seven tenths of the labels drawn by a coin: so a label is the true class
in two thirds of the rows or so, and no network can learn by heart which are. Two hidden layers of 64 on either side, 16
latents. Every 100 steps of the last third, 1,000 samples are read by a logistic regression that has learned on the
held-out 3s and 8s with their true labels; a row keeps the mean share of samples of the class that was asked for.
"""

from functools import partial

import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from benchmarks import evidence
from gmcourse.data import load
from gmcourse.gan.auxiliary import ACGAN, Beside
from gmcourse.gan.conditional import CGAN, Deaf, some_wrong_class, told_generator
from gmcourse.nets import OneHot, Told, mlp
from gmcourse.schedules import held_then_falling
from gmcourse.training import adam_pair, fit_adversarial

STEPS, BATCH, PEAK, WIDTH, LATENT, SEEDS = 2_500, 64, 1e-3, 64, 16, 5
PAIR, DRAWN_BY_A_COIN, COPIES, R1 = (3, 8), 0.7, 40, 0.05
_leaky = partial(nn.LeakyReLU, 0.2)


def _told(outputs: int = 1) -> Told:
    return Told(mlp([66, WIDTH, WIDTH, outputs], _leaky), OneHot(2))


def _untold(outputs: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Flatten(), *mlp([64, WIDTH, WIDTH, outputs], _leaky))


GAMES = {
    "critic not told": lambda g: CGAN(g, Deaf(_untold()), LATENT, r1=R1),
    "CGAN": lambda g: CGAN(g, _told(), LATENT, r1=R1),
    "matching-aware": lambda g: CGAN(g, _told(), LATENT, wrong=some_wrong_class(2), r1=R1),
    "CGAN with a class term": lambda g: ACGAN(g, Beside(_told(), _untold(2)), LATENT, (2,), fakes=False, r1=R1),
    "ACGAN": lambda g: ACGAN(g, Deaf(_untold(3)), LATENT, (2,), r1=R1),
}


def rows() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """3s and 8s: training pictures and their true class, held-out pictures and theirs; class 0 or 1."""
    data = load("digits")
    held, labels = torch.cat([data.valid, data.test]), evidence.labels(data, "valid", "test")
    parts = []
    for x, own in ((data.train, evidence.labels(data, "train")), (held, labels)):
        kept = (own == PAIR[0]) | (own == PAIR[1])
        parts += [x[kept], (own[kept] == PAIR[1]).long()]
    return parts[0], parts[1], parts[2], parts[3]


def flipped(true: Tensor, seed: int) -> Tensor:
    """The labels, of which a share is drawn by a coin."""
    rng = torch.Generator().manual_seed(seed)
    coin = torch.rand(len(true), generator=rng) < DRAWN_BY_A_COIN
    return torch.where(coin, torch.randint(0, 2, true.shape, generator=rng), true)


def run(game: str, seed: int) -> dict:
    x, true, held, of_held = rows()
    x, true = x.repeat(COPIES, 1, 1, 1), true.repeat(COPIES)
    given = flipped(true, seed)
    judge = LogisticRegression(max_iter=2_000).fit(held.flatten(1).numpy(), of_held.numpy())
    torch.manual_seed(seed)
    model = GAMES[game](told_generator((1, 8, 8), 2, LATENT, WIDTH))
    rate, optimizers, shares = held_then_falling(PEAK, STEPS), adam_pair(model), []
    asked = torch.arange(2).repeat(500)
    for start in range(0, STEPS, 100):
        plan = {"lr": lambda step, start=start: rate(start + step), "seed": 100 * seed + start // 100}
        plan |= {"steps": 100, "batch_size": BATCH, "optimizers": optimizers, "progress": False}
        fit_adversarial(model, (x, given), **plan)
        if start >= 2 * STEPS // 3:
            drawn = model.sample(len(asked), asked, rng=torch.Generator().manual_seed(start))
            shares.append(float((judge.predict(drawn.flatten(1).numpy()) == asked.numpy()).mean()))
    return {
        "share": round(sum(shares) / len(shares), 4),
        "data": round((given == true).float().mean().item(), 4),
        "judge": round(float(judge.score(x.flatten(1).numpy(), true.numpy())), 4),
    }


if __name__ == "__main__":
    evidence.rows(
        "gan/flipped_labels",
        [{"game": game, "seed": seed} for seed in range(SEEDS) for game in GAMES],
        run,
        evidence.parser(__doc__).parse_args(),
        packages=("torch", "scikit-learn"),
        training={"steps": STEPS, "batch_size": BATCH, "lr": PEAK, "width": WIDTH, "latent_size": LATENT, "r1": R1},
    )
