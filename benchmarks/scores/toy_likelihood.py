"""How far the likelihood of a learned probability flow is from the entropy of each toy, and what its first weights do.

    OMP_NUM_THREADS=1 python -m benchmarks.scores.toy_likelihood

A score SDE of the plane as in lesson 7.5: three hidden layers of 128, 2,500 steps of 256 at a rate held at 4e-3, then
falling to 0. "torch" are the first weights of torch's linear layers, "He" those of He et al. 2015; "He, long" has
hidden layers of 256 and 6,000 steps. "excess" is the mean of log p − log p_θ over 1,500 fresh points, in nats: by
Runge–Kutta in 20 steps, and in 40; "error" its standard error. "first" is the standard deviation of what the network
says of data with noise of half their spread, before training.
"""

import math
from functools import partial

import torch
from torch import Tensor

from benchmarks import evidence
from gmcourse.data import load
from gmcourse.flows.ode import rk4
from gmcourse.gan.dcgan import he_weights
from gmcourse.nets import LeveledMLP
from gmcourse.schedules import held_then_falling
from gmcourse.scores.denoiser import Denoiser
from gmcourse.scores.levels import perturb
from gmcourse.scores.sde import ScoreSDE
from gmcourse.training import fit

CLAIM, COUNT = "scores/toy_likelihood", 1_500
TOYS = ("two-moons", "ring-of-8", "rings", "pinwheel", "spirals", "checkerboard")
WAYS = {"torch": (128, 2_500), "He": (128, 2_500), "He, long": (256, 6_000)}
PLAN = [{"toy": toy, "way": way, "seed": 0} for way in WAYS for toy in TOYS]


def run(*, toy: str, way: str, seed: int) -> dict[str, float]:
    data, (width, steps) = load(toy), WAYS[way]
    torch.manual_seed(seed)
    net = LeveledMLP(2, [width] * 3)
    denoiser = Denoiser(net if way == "torch" else he_weights(net), data.train.std().item(), data.train.mean().item())
    model, first = ScoreSDE(denoiser, (2,)), said(denoiser, data.train)
    plan = {"steps": steps, "batch_size": 256, "lr": held_then_falling(4e-3, steps), "seed": seed, "progress": False}
    fit(model, (data.train,), **plan)
    fresh = data.density.sample(COUNT, rng=torch.Generator().manual_seed(1))
    truth, found = data.density.log_prob(fresh), {"first": round(first, 4)}
    for name, runge_steps in (("excess", 20), ("excess, 40 steps", 40)):
        model.solver = partial(rk4, steps=runge_steps)
        with torch.no_grad():
            excess = truth - model.log_prob(fresh)
        found |= {name: round(excess.mean().item(), 4), "error": round(excess.std().item() / math.sqrt(COUNT), 4)}
    return found


@torch.no_grad()
def said(denoiser: Denoiser, x: Tensor) -> float:
    """Standard deviation of f of data with noise of half their spread."""
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(2))
    sigma = denoiser.spread / 2
    noised = perturb(x, sigma, noise) - denoiser.centre
    level = torch.full((len(x),), math.log(sigma) / 4)
    return denoiser.net(denoiser.scales(x, sigma)[2] * noised, level).std().item()


if __name__ == "__main__":
    evidence.rows(CLAIM, PLAN, run, evidence.parser(__doc__).parse_args())
