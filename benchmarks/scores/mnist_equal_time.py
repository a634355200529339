"""DDPM on MNIST in about the CPU time that the DCGAN of lesson 5.5 took: one short run, its rate brought to 0.

    OMP_NUM_THREADS=1 python -m benchmarks.scores.mnist_equal_time

STEPS of the record's recipe, whose schedule is stretched over them. The head of the file has the CPU seconds of a step
of it and of a step of the DCGAN, on the processor that measured the row: the DCGAN took 10,000 of its steps. 10,000
images by Heun's rule with 15 calls, measured as in mnist_diffusion.
"""

import time
from functools import partial

import torch

from benchmarks import evidence
from benchmarks.scores.mnist_diffusion import mnist, quality
from gmcourse.catalogue import find
from gmcourse.scores.samplers import heun, power_levels
from gmcourse.training import fit, fit_adversarial

CLAIM, STEPS, TIMED = "scores/mnist_equal_time", 4_000, 40
PLAN = [{"steps": STEPS, "seed": 0}]


def run(*, steps: int, seed: int) -> dict[str, float]:
    torch.manual_seed(seed)
    record = find("ddpm")
    model = record.build(mnist())
    fit(model, (mnist().train,), **record.recipe(mnist(), steps=steps), seed=seed, progress=False)
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
        train = partial(training, record.build(mnist()), (mnist().train,), seed=0, progress=False)
        train(**record.recipe(mnist(), steps=5))
        start = time.process_time()
        train(**record.recipe(mnist(), steps=TIMED))
        found[name] = round((time.process_time() - start) / TIMED, 4)
    return found


if __name__ == "__main__":
    evidence.rows(CLAIM, PLAN, run, evidence.parser(__doc__).parse_args(), step_seconds=step_seconds)
