"""Whether a flow and two games keep a mode that holds one point in a hundred, five seeds each:

    OMP_NUM_THREADS=1 python -m benchmarks.flows.rare_mode

Two Gaussians of standard deviation 0.25 at (-1, 0) and (2, 0), the second with a share of 0.01; 5,000 points, the same
for all. Of 20,000 samples we count those within five standard deviations of the rare mode, and those beyond five of
both. Seconds are CPU time.
"""

from collections.abc import Iterator

import torch

from benchmarks import evidence
from gmcourse.data.densities import GaussianMixture
from gmcourse.flows.coupling import realnvp
from gmcourse.gan.gan import GAN
from gmcourse.gan.losses import gan_critic_loss, non_saturating_loss, saturating_loss, with_r1
from gmcourse.nets import mlp
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit, fit_adversarial

STD, SAMPLES, SEEDS = 0.25, 20_000, range(5)
MEANS = torch.tensor([[-1.0, 0.0], [2.0, 0.0]])
TOWN = GaussianMixture(MEANS, STD, torch.tensor([0.99, 0.01]))
LOSSES = {"GAN, non-saturating": non_saturating_loss, "GAN, saturating": saturating_loss}
GAME = {"steps": 1200, "batch_size": 128, "critic_steps": 2, "betas": [0.5, 0.9]}
FLOW = {"steps": 600, "batch_size": 256, "clip": 5.0}


def trained(model: str, x: torch.Tensor, seed: int) -> torch.nn.Module:
    """The model after its training on x."""
    torch.manual_seed(seed)
    if model == "RealNVP":
        flow = realnvp(2, 6, (32, 32))
        fit(flow, (x,), lr=held_then_falling(3e-3, FLOW["steps"]), seed=seed, progress=False, **FLOW)
        return flow
    losses = {"critic_loss": with_r1(gan_critic_loss, 0.1), "generator_loss": LOSSES[model]}
    gan = GAN(mlp([2, 64, 64, 2]), mlp([2, 64, 64, 1]), 2, **losses)
    fit_adversarial(gan, (x,), lr=held_then_falling(5e-4, GAME["steps"]), seed=seed, progress=False, **GAME)
    return gan


def run(model: str, seed: int) -> dict:
    """How many samples are of the rare mode, how many of neither, and how wide the rest is."""
    x = TOWN.sample(5000, rng=torch.Generator().manual_seed(0))
    samples = trained(model, x, seed).sample(SAMPLES, rng=torch.Generator().manual_seed(1))
    distance = torch.cdist(samples, MEANS)
    main = samples[distance[:, 0] < 5 * STD]
    return {
        "rare": int((distance[:, 1] < 5 * STD).sum()),
        "between": int((distance.amin(1) > 5 * STD).sum()),
        "std": [round(value, 3) for value in main.std(0).tolist()],
    }


def plan() -> Iterator[dict]:
    """Every model with every seed."""
    yield from ({"model": model, "seed": seed} for model in ("RealNVP", *LOSSES) for seed in SEEDS)


if __name__ == "__main__":
    options = evidence.parser(__doc__).parse_args()
    evidence.rows("flows/rare_mode", plan(), run, options, game=GAME, flow=FLOW, samples=SAMPLES)
