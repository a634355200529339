"""How well an inverted generator ranks anomalies: one digit left out of training, AUROC over the held-out digits:

    OMP_NUM_THREADS=1 python -m benchmarks.gan.inversion

The task, the rows and the splits are those of benchmarks/autoencoders/anomalies.py; three digits are left out in turn.
A GAN (two hidden layers of 128, 16 latents, R1 of weight 1, the generator's weights averaged) sees the training digits
of nine classes; then the 540 held-out digits are ranked. Scores: the residual of the best of one and of three searches
of 60 steps; the same with the distance of the critic's features beside it, weight 0.1; the critic's logit, negated; the
distance to the nearest training row. Precision and recall of the samples stand beside them.
"""

from functools import partial

import torch
from torch import Tensor, nn

from benchmarks import evidence
from gmcourse.data import load
from gmcourse.gan.gan import GAN
from gmcourse.gan.inversion import invert
from gmcourse.gan.losses import gan_critic_loss, with_r1
from gmcourse.metrics import auroc, features, precision_recall
from gmcourse.nets import mlp
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit_adversarial

STEPS, BATCH, PEAK, SEEDS, STARTS, SEARCH = 800, 64, 1e-3, 5, 3, 60

LEFT_OUT = (0, 3, 6)


def build() -> GAN:
    generator = nn.Sequential(*mlp([16, 128, 128, 64]), nn.Sigmoid(), nn.Unflatten(1, (1, 8, 8)))
    critic = nn.Sequential(nn.Flatten(), *mlp([64, 128, 128, 1], partial(nn.LeakyReLU, 0.2)))
    return GAN(generator, critic, 16, critic_loss=with_r1(gan_critic_loss, 1.0), average=0.99)


def run(digit: int, seed: int) -> dict:
    data = load("digits")
    held, labels = torch.cat([data.valid, data.test]), evidence.labels(data, "valid", "test")
    train, odd = data.train[evidence.labels(data, "train") != digit], labels == digit
    torch.manual_seed(seed)
    model = build()
    plan = {"steps": STEPS, "batch_size": BATCH, "lr": held_then_falling(PEAK, STEPS)}
    fit_adversarial(model, (train,), seed=seed, progress=False, **plan)
    model.eval()
    rng = torch.Generator().manual_seed(seed)
    z, samples = torch.randn(STARTS, len(held), 16, generator=rng), model.sample(540, rng=rng)
    search = partial(invert, model.averaged, held, steps=SEARCH)
    scores: dict[str, Tensor] = {
        "best of 1": search(z[:1]).residual,
        f"best of {STARTS}": search(z).residual,
        "with features": search(z[:1], features=model.critic[:-1], weight=0.1).residual,
        "critic": -model.critic(held)[:, 0].detach(),
        "nearest": torch.cdist(held.flatten(1), train.flatten(1)).amin(1),
    }
    areas = {name: round(auroc(score[~odd], score[odd]), 4) for name, score in scores.items()}
    best = scores[f"best of {STARTS}"]
    precision, recall = precision_recall(features(held[~odd]), features(samples[: int((~odd).sum())]))
    residuals = {"residual": best[~odd].mean().item(), "residual of odd": best[odd].mean().item()}
    fidelity = {"precision": precision, "recall": recall}
    return areas | {name: round(value, 4) for name, value in (residuals | fidelity).items()}


if __name__ == "__main__":
    evidence.rows(
        "gan/inversion",
        [{"digit": digit, "seed": seed} for seed in range(SEEDS) for digit in LEFT_OUT],
        run,
        evidence.parser(__doc__).parse_args(),
        training={"steps": STEPS, "batch_size": BATCH, "lr": PEAK, "starts": STARTS, "search": SEARCH},
    )
