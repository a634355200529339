"""How many of 25 modes three adversarial pairs find on a grid of Gaussians, over ten seeds:

    OMP_NUM_THREADS=1 python benchmarks/gan_grid.py [method] [sigma]

Writes gmcourse/results/gan_grid.json after each run and goes on from there; with a method, a sigma or both it runs
those alone, and several may run side by side. The generator of one run is kept beside it. A mode is found when at
least 1 % of 10,000 samples fall within 3σ of it; the quality is the share of samples within 3σ of any. "truth" draws
from the density itself. Settings were chosen on seed 0 with σ 0.2. Seconds are CPU time of the process, on one
thread.
"""

import json
import os
import platform
import sys
import time
from pathlib import Path

import torch
from safetensors.torch import save_file

from gmcourse.data import load
from gmcourse.gan.gan import GAN
from gmcourse.gan.losses import (
    gan_critic_loss,
    non_saturating_loss,
    wgan_critic_loss,
    wgan_generator_loss,
    with_gradient_penalty,
    with_r1,
)
from gmcourse.metrics.coverage import modes
from gmcourse.nets import mlp
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit_adversarial

RESULT = Path(__file__).parents[1] / "gmcourse" / "results" / "gan_grid.json"
SCALE, SIZE, SAMPLES = 2.83, 100_000, 10_000  # the grid's own spread is √8
HIDDEN, LATENT = [128, 128, 128], 2
TRAINING = {"batch_size": 256, "peak_lr": 1e-3, "betas": [0.0, 0.999]}
METHODS = {
    "WGAN-GP": {"weight": 0.1, "steps": 4_000, "critic_steps": 2, "generator_steps": 1},
    "R1": {"weight": 0.02, "steps": 4_000, "critic_steps": 1, "generator_steps": 1},
    "collapsed": {"weight": 0.0, "steps": 700, "critic_steps": 1, "generator_steps": 10},
}
SEEDS = tuple(range(10))
KEPT = ("WGAN-GP", 0.2, 0)  # the run whose generator is kept
PLAN = [(method, 0.2, seed) for seed in SEEDS for method in ("truth", *METHODS)]
PLAN += [(method, 0.05, seed) for seed in SEEDS for method in ("truth", "R1")]
PLAN += [("WGAN-GP", 0.05, seed) for seed in SEEDS]


def build(method: str, seed: int) -> GAN:
    """Three hidden layers of 128 on either side; the losses of the method, its penalty added to the critic's."""
    torch.manual_seed(seed)
    networks = mlp([LATENT, *HIDDEN, 2]), mlp([2, *HIDDEN, 1])
    weight = METHODS[method]["weight"]
    losses = {
        "WGAN-GP": (with_gradient_penalty(wgan_critic_loss, weight), wgan_generator_loss),
        "R1": (with_r1(gan_critic_loss, weight), non_saturating_loss),
        "collapsed": (gan_critic_loss, non_saturating_loss),
    }[method]
    return GAN(*networks, LATENT, critic_loss=losses[0], generator_loss=losses[1])


def train(method: str, x: torch.Tensor, seed: int) -> GAN:
    """A pair, trained on x in units of the data's spread."""
    gan, settings = build(method, seed), METHODS[method]
    fit_adversarial(
        gan,
        (x / SCALE,),
        steps=settings["steps"],
        batch_size=TRAINING["batch_size"],
        lr=held_then_falling(TRAINING["peak_lr"], settings["steps"]),
        critic_steps=settings["critic_steps"],
        generator_steps=settings["generator_steps"],
        betas=tuple(TRAINING["betas"]),
        seed=seed,
        progress=False,
    )
    return gan


def run(method: str, noise: float, seed: int) -> dict:
    """One training, and what its samples hold."""
    data = load("grid-of-25", noise=noise, size=SIZE)
    start = time.process_time()
    rng = torch.Generator().manual_seed(seed)
    if method == "truth":
        samples = data.density.sample(SAMPLES, rng=rng)
    else:
        gan = train(method, data.train, seed)
        samples = SCALE * gan.sample(SAMPLES, rng=rng)
        if (method, noise, seed) == KEPT:
            save_file(gan.generator.state_dict(), RESULT.with_suffix(".safetensors"))
    found, quality = modes(samples, data.density.means, noise)
    return {
        "method": method,
        "noise": noise,
        "seed": seed,
        "found": found,
        "quality": round(quality, 4),
        "seconds": round(time.process_time() - start, 1),
    }


def kept() -> list[dict]:
    return json.loads(RESULT.read_text("utf-8"))["runs"] if RESULT.exists() else []


def keep(row: dict) -> None:
    """Add a row to the file, whatever other processes have added meanwhile; the rows in the order of the plan."""
    runs = sorted([*kept(), row], key=lambda r: PLAN.index((r["method"], r["noise"], r["seed"])))
    result = {
        "command": "OMP_NUM_THREADS=1 python benchmarks/gan_grid.py",
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "processor": f"{platform.machine()}, one thread",
        "networks": {"hidden": HIDDEN, "latent_size": LATENT, "scale": SCALE},
        "training": TRAINING | {"size": SIZE, "samples": SAMPLES},
        "methods": METHODS,
        "runs": runs,
    }
    part = RESULT.with_suffix(f".{os.getpid()}")
    part.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    os.replace(part, RESULT)


def main(asked: list[str]) -> None:
    torch.set_num_threads(1)
    for method, noise, seed in PLAN:
        done = {(r["method"], r["noise"], r["seed"]) for r in kept()}
        if (method, noise, seed) not in done and {method, str(noise)} >= set(asked):
            keep(row := run(method, noise, seed))
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
