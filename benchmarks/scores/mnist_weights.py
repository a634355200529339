"""DDPM on MNIST in the CPU time of a DCGAN, its levels weighed in two ways: one change, one seed.

    OMP_NUM_THREADS=1 python -m benchmarks.scores.mnist_weights

"noise" is the loss of Ho et al. 2020, equation 14; with "even" what the network lacks counts alike at every level, as
the record has it for large images. Both train by the record's recipe for STEPS steps, of the same seed. The head of the
file has the CPU seconds of a step of it and of a step of the DCGAN of lesson 5.5, on the processor that measured the
rows: STEPS of the one cost about what the DCGAN's 10,000 cost of the other. Of each, 10,000 images by Heun's rule with
15 calls, measured as in mnist_diffusion.
"""

import time
from functools import partial

import torch

from benchmarks import evidence
from benchmarks.scores.mnist_diffusion import mnist, quality
from gmcourse.catalogue import find
from gmcourse.scores.diffusion import DDPM, even_weight, make_diffusion, noise_weight
from gmcourse.scores.samplers import heun, power_levels
from gmcourse.training import fit, fit_adversarial

CLAIM, STEPS, TIMED = "scores/mnist_weights", 3_000, 40
WEIGHTS = {"noise": noise_weight, "even": even_weight}
PLAN = [{"weight": weight, "steps": STEPS, "seed": 0} for weight in WEIGHTS]


def run(*, weight: str, steps: int, seed: int) -> dict[str, float]:
    torch.manual_seed(seed)
    model = make_diffusion(DDPM, mnist(), weight=WEIGHTS[weight])
    fit(model, (mnist().train,), **find("ddpm").recipe(mnist(), steps=steps), seed=seed)
    model.eval()
    levels = power_levels(model.sigmas[0].item(), model.sigmas[-1].item(), 8)
    rng = torch.Generator().manual_seed(seed)
    drawn = [model.sample(500, rng=rng, sampler=heun, sigmas=levels) for _ in range(20)]
    return quality(torch.cat(drawn).clamp(0, 1))


def step_seconds() -> dict[str, float]:
    """CPU seconds of a step, of each of the two."""
    torch.manual_seed(0)
    ways = {"DDPM": (find("ddpm"), fit), "DCGAN": (find("dcgan"), fit_adversarial)}
    found = {}
    for name, (record, training) in ways.items():
        train = partial(training, record.build(mnist()), (mnist().train,), seed=0)
        train(**record.recipe(mnist(), steps=5))
        start = time.process_time()
        train(**record.recipe(mnist(), steps=TIMED))
        found[name] = round((time.process_time() - start) / TIMED, 4)
    return found


if __name__ == "__main__":
    evidence.rows(CLAIM, PLAN, run, evidence.parser(__doc__).parse_args(), step_seconds=step_seconds)
