"""What the critic of a conditional game says of data with a wrong label, as the game goes on:

    OMP_NUM_THREADS=1 python -m benchmarks.gan.visitors

The games of lesson 05.6, two latents, 500 steps; 540 held-out digits. At each stop the mean of D = sigmoid(h) of digits
with their own label, of as many fakes as asked, and of the digits with a label drawn from the other nine; and the share
of digits of which h is larger with their own label than with the wrong one, ½ by chance.
"""

from functools import partial

import torch
from torch import nn

from benchmarks import evidence
from gmcourse.data import Dataset, load
from gmcourse.gan.conditional import CGAN, Projection, make_cgan, told_generator, wrong_class
from gmcourse.nets import OneHot, mlp
from gmcourse.schedules import held_then_falling
from gmcourse.training import adam_pair, fit_adversarial

STOPS, BATCH, PEAK, SEEDS, LATENT = (50, 100, 200, 500), 64, 1e-3, 5, 2


def _projecting(data: Dataset, latent_size: int) -> CGAN:
    leaky = partial(nn.LeakyReLU, 0.2)
    shared = nn.Sequential(nn.Flatten(), *mlp([64, 128, 128], leaky), leaky())
    read = nn.Sequential(OneHot(10), nn.Linear(10, 128, bias=False))
    return CGAN(told_generator((1, 8, 8), 10, latent_size), Projection(shared, read, 128), latent_size)


GAMES = {"CGAN": make_cgan, "matching-aware": partial(make_cgan, matching=True), "projection": _projecting}


def visitors(model: CGAN, data: Dataset, seed: int) -> dict[str, float]:
    """The mean D of the three kinds, and how often the own label is preferred to a wrong one."""
    x, own = torch.cat([data.valid, data.test]), evidence.labels(data, "valid", "test")
    rng = torch.Generator().manual_seed(seed)
    wrong, fake = wrong_class(own, 10, torch.rand(len(own), generator=rng)), model.sample(len(own), own, rng=rng)
    with torch.no_grad():
        h = {"right": model.critic(x, own), "fake": model.critic(fake, own), "wrong": model.critic(x, wrong)}
    said = {name: logits.sigmoid().mean().item() for name, logits in h.items()}
    said["own first"] = (h["right"] > h["wrong"]).float().mean().item()
    return {name: round(value, 4) for name, value in said.items()}


def run(game: str, seed: int) -> dict:
    data = load("digits")
    torch.manual_seed(seed)
    model = GAMES[game](data, latent_size=LATENT)
    rate, optimizers, path, start = held_then_falling(PEAK, STOPS[-1]), adam_pair(model), [], 0
    for part, stop in enumerate(STOPS):
        plan = {"lr": lambda step, start=start: rate(start + step), "seed": 10 * seed + part, "steps": stop - start}
        plan |= {"batch_size": BATCH, "optimizers": optimizers, "progress": False}
        fit_adversarial(model, (data.train, evidence.labels(data, "train")), **plan)
        path.append({"step": stop} | visitors(model, data, seed))
        start = stop
    return {"path": path}


if __name__ == "__main__":
    evidence.rows(
        "gan/visitors",
        [{"game": game, "seed": seed} for seed in range(SEEDS) for game in GAMES],
        run,
        evidence.parser(__doc__).parse_args(),
        training={"stops": list(STOPS), "batch_size": BATCH, "lr": PEAK, "latent_size": LATENT},
    )
