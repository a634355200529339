"""How many of 25 modes three adversarial pairs find on a grid of Gaussians, over ten seeds, and how far they stay off:

    OMP_NUM_THREADS=1 python -m benchmarks.gan.grid

`--only R1 0.05` runs one method with one σ. The generator of one run is kept beside the rows. A mode is found when at
least 1 % of 10,000 samples fall within 3σ of it; the quality is the share of samples within 3σ of any. "truth" draws
from the density itself, "strewn" evenly over a square. Settings were chosen on seed 0 with σ 0.2.

Rows with a "count" are of five seeds, some with other settings than their method's, and each is trained anew. After a
quarter of the steps and after the last they hold W₁ between that many samples and as many fresh points of the data,
in units of the data's spread, for `DRAWS` independent draws of both; on the first of these draws, the critic's gap and
its steepest slope between any two points. "truth" has the distance that remains where nothing is wrong.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save

from benchmarks import evidence
from gmcourse.checkpoint import write
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
from gmcourse.metrics import modes, wasserstein_lp
from gmcourse.nets import mlp
from gmcourse.schedules import held_then_falling
from gmcourse.training import descend, game

Pair = list[torch.Tensor]

CLAIM = "gan/grid"
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
PLAN = [{"method": method, "noise": noise, "seed": seed} for method, noise, seed in PLAN]
COUNT, DRAWS = 2_000, 3
CHANGED = [{"critic_steps": 2, "weight": 0.1}, {"critic_steps": 10, "weight": 0.1}, {"critic_steps": 2, "weight": 1.0}]
WATCHED = [("truth", {}), ("strewn", {}), ("WGAN-GP", {"steps": 400} | CHANGED[0]), ("WGAN-GP", METHODS["WGAN-GP"])]
WATCHED += [("WGAN-GP", {"steps": 400} | changed) for changed in CHANGED[1:]]
PLAN += [
    {"method": method, "noise": 0.2, "seed": seed, "count": COUNT, **changed}
    for method, changed in WATCHED
    for seed in SEEDS[:5]
]


def build(method: str, settings: dict[str, Any], seed: int) -> GAN:
    """Three hidden layers of 128 on either side; the losses of the method, its penalty added to the critic's."""
    torch.manual_seed(seed)
    networks = mlp([LATENT, *HIDDEN, 2]), mlp([2, *HIDDEN, 1])
    losses = {
        "WGAN-GP": (with_gradient_penalty(wgan_critic_loss, settings["weight"]), wgan_generator_loss),
        "R1": (with_r1(gan_critic_loss, settings["weight"]), non_saturating_loss),
        "collapsed": (gan_critic_loss, non_saturating_loss),
    }[method]
    return GAN(*networks, LATENT, critic_loss=losses[0], generator_loss=losses[1])


def train(gan: GAN, settings: dict[str, Any], x: torch.Tensor, seed: int) -> Iterator[int]:
    """The number of steps taken, after each, while the pair learns x in units of the data's spread."""
    states = descend(
        gan,
        (x / SCALE,),
        players=game(gan, settings["critic_steps"], settings["generator_steps"], tuple(TRAINING["betas"])),
        steps=settings["steps"],
        batch_size=TRAINING["batch_size"],
        lr=held_then_falling(TRAINING["peak_lr"], settings["steps"]),
        seed=seed,
    )
    return (state.step + 1 for state in states)


def run(weights: Path, *, method: str, noise: float, seed: int) -> dict:
    """One training, and what its samples hold; the generator that is kept goes to `weights`."""
    data = load("grid-of-25", noise=noise, size=SIZE)
    rng = torch.Generator().manual_seed(seed)
    if method == "truth":
        samples = data.density.sample(SAMPLES, rng=rng)
    else:
        gan = build(method, METHODS[method], seed)
        for _ in train(gan, METHODS[method], data.train, seed):
            pass
        samples = SCALE * gan.sample(SAMPLES, rng=rng)
        if (method, noise, seed) == KEPT:
            write(weights, save(gan.generator.state_dict()))
    return found(samples, data.density.means, noise)


def found(samples: torch.Tensor, means: torch.Tensor, noise: float) -> dict:
    """The modes that samples hit, and the share of samples near one."""
    hit, quality = modes(samples, means, noise)
    return {"found": hit, "quality": round(quality, 4)}


def watch(*, method: str, noise: float, seed: int, count: int, **changed: float) -> dict:
    """W₁ from fresh data, and the critic's word on it, after a quarter of a training and after the last step."""
    data = load("grid-of-25", noise=noise, size=SIZE)
    if method in ("truth", "strewn"):
        sample = data.density.sample if method == "truth" else strewn
        distances, _ = compare(sample, data.density, count, seed)
        return {"end": {"distances": distances}}
    settings, looks = METHODS[method] | changed, {}
    gan = build(method, settings, seed)
    for taken in train(gan, settings, data.train, seed):
        if taken in (settings["steps"] // 4, settings["steps"]):
            name = "end" if taken == settings["steps"] else "quarter"
            distances, points = compare(lambda n, rng: SCALE * gan.sample(n, rng=rng), data.density, count, seed)
            looks[name] = {"distances": distances} | judged(gan.critic, *points)
    samples = SCALE * gan.sample(SAMPLES, rng=torch.Generator().manual_seed(seed))
    return found(samples, data.density.means, noise) | looks


def strewn(n: int, rng: torch.Generator) -> torch.Tensor:
    """n points, evenly over the square that the grid fills."""
    return 9 * torch.rand(n, 2, generator=rng) - 4.5


def compare(sample: Callable[..., torch.Tensor], density: Any, count: int, seed: int) -> tuple[list[float], Pair]:
    """W₁ of `count` samples from as many data, in units of the data's spread, for each draw; and the first two sets."""
    rng = torch.Generator().manual_seed(10_000 + seed)
    drawn = [[draw(count, rng=rng) / SCALE for draw in (density.sample, sample)] for _ in range(DRAWS)]
    return [round(wasserstein_lp(*pair), 4) for pair in drawn], drawn[0]


@torch.no_grad()
def judged(critic: torch.nn.Module, real: torch.Tensor, fake: torch.Tensor) -> dict:
    """The critic's gap on these points, and its steepest slope between any two of them."""
    points = torch.cat([real, fake])
    h = critic(points)[:, 0].double()
    apart = torch.cdist(points.double(), points.double(), compute_mode="donot_use_mm_for_euclid_dist")
    steepest = ((h[:, None] - h).abs() / apart).nan_to_num(0.0).max().item()
    gap = (h[: len(real)].mean() - h[len(real) :].mean()).item()
    return {"gap": round(gap, 4), "slope": round(steepest, 4)}


def main() -> None:
    options = evidence.parser(__doc__).parse_args()
    weights = evidence.target(CLAIM, options).with_suffix(".safetensors")
    evidence.rows(
        CLAIM,
        PLAN,
        lambda **asked: watch(**asked) if "count" in asked else run(weights, **asked),
        options,
        networks={"hidden": HIDDEN, "latent_size": LATENT, "scale": SCALE},
        training=TRAINING | {"size": SIZE, "samples": SAMPLES},
        methods=METHODS,
    )


if __name__ == "__main__":
    main()
