"""A consistency model of MNIST, distilled from the kept network of mnist_diffusion: Fréchet distance by calls.

    OMP_NUM_THREADS=1 python -m benchmarks.scores.mnist_diffusion
    OMP_NUM_THREADS=1 python -m benchmarks.scores.consistency_mnist

The student starts as a copy of its teacher's network: 18 levels, Heun's step with the teacher's answers cut to [0, 1],
STEPS steps of 64. Its averaged weights are kept beside the rows, in half precision, and measured as they are kept.
Two calls jump from the highest level and from the one nearest to three quarters of the data's spread; more calls jump
from levels that are evenly spaced by their number. Images are measured as in mnist_diffusion.
"""

import time
from functools import cache, partial
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from benchmarks import evidence
from benchmarks.scores import mnist_diffusion
from benchmarks.scores.mnist_diffusion import mnist, quality
from gmcourse.schedules import held_then_falling
from gmcourse.scores.consistency import ConsistencyModel, Jump, nearest
from gmcourse.scores.samplers import clipped, power_levels, spaced
from gmcourse.training import fit

CLAIM, STEPS = "scores/consistency_mnist", 2_000
TEACHER = evidence.RESULTS / f"{mnist_diffusion.CLAIM}.safetensors"
PLAN = [{"calls": calls, "count": 2_000, "seed": 0} for calls in (1, 2, 4, 8, 16)]
PLAN += [{"calls": 2, "count": 10_000, "seed": 0}]


def untrained() -> ConsistencyModel:
    teacher = mnist_diffusion.model(TEACHER)
    lowest, spread = teacher.sigmas[-1].item(), teacher.denoiser.spread
    teacher.denoiser.load_state_dict(teacher.average.module.state_dict())
    sigmas = power_levels(teacher.sigmas[0].item(), lowest, 18)
    return ConsistencyModel(
        Jump.like(teacher.denoiser, lowest),
        teacher.event_shape,
        sigmas,
        clipped(teacher.average, 0, 1),
        jumps=sigmas[[0, nearest(sigmas, 0.75 * spread)]],
        bounds=teacher.bounds,
        decay=0.998,
    )


def distil(weights: Path) -> dict[str, float]:
    """What the training was and took; the averaged weights are kept."""
    model, start = untrained(), time.process_time()
    rate = held_then_falling(1e-3, STEPS)
    fit(model, (mnist().train,), steps=STEPS, batch_size=64, lr=rate, clip=1.0, checkpoint=weights.with_suffix(".pt"))
    evidence.keep_weights(weights, model.average.module)
    weights.with_suffix(".pt").unlink()
    return {"steps": STEPS, "batch_size": 64, "seed": 0, "processor_seconds": round(time.process_time() - start, 1)}


@cache
def model(weights: Path) -> ConsistencyModel:
    made = untrained()
    made.average.module.load_state_dict(load_file(weights))
    return made.eval()


def run(weights: Path, *, calls: int, count: int, seed: int) -> dict[str, float]:
    made, rng = model(weights), torch.Generator().manual_seed(seed)
    levels: Tensor = made.jumps if calls == 2 else spaced(made.sigmas[:-1], calls)
    drawn = [made.sample(500, rng=rng, sigmas=levels) for _ in range(count // 500)]
    return quality(torch.cat(drawn)) | {"levels": [round(level, 4) for level in levels.tolist()]}


if __name__ == "__main__":
    options = evidence.parser(__doc__).parse_args()
    kept = evidence.target(CLAIM, options).with_suffix(".safetensors")
    evidence.rows(CLAIM, PLAN, partial(run, kept), options, training=partial(distil, kept))
