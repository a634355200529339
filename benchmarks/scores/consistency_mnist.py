"""Consistency on MNIST: a jump distilled from the DDPM of the course, Fréchet distance against network calls.

    gmcourse train ddpm --data mnist
    OMP_NUM_THREADS=1 python -m benchmarks.scores.consistency_mnist --ddpm runs/ddpm-mnist

The teacher is the average of the run's weights, its answers cut to [0, 1] as its samplers cut them. The jump has its
net, starts from those weights, and is distilled for 3,000 steps of 64 pictures, 12 levels; its weights are kept beside
the rows, in half precision, and measured as they are kept: with --fresh it is distilled again. The last jump is from
the level nearest to 0.75 spreads of the data, those before it from the next higher levels. The curve is of 2,000
images, the headline of 10,000; "training data" is the floor, and the teacher's own curves are in mnist_diffusion. Each
row has the course's protocol, 540 against 540, and "whole", all its images against all 10,000 test images. Set
GMCOURSE_DATA to a folder that holds MNIST, or let it be downloaded.
"""

import time
from functools import cache, partial
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from benchmarks import evidence
from gmcourse import runs
from gmcourse.data import load
from gmcourse.metrics import features, fidelity, frechet_distance
from gmcourse.schedules import held_then_falling
from gmcourse.scores.consistency import ConsistencyModel, Jump, nearest
from gmcourse.scores.diffusion import Diffusion
from gmcourse.scores.samplers import power_levels, spaced, walk
from gmcourse.training import fit

CLAIM, STEPS = "scores/consistency_mnist", 3_000
mnist = cache(partial(load, "mnist"))


@cache
def teacher(folder: Path) -> Diffusion:
    return runs.load_run(folder)[0].eval().requires_grad_(False)


def untrained(taught_by: Diffusion) -> ConsistencyModel:
    top, low = taught_by.sigmas[0].item(), taught_by.sigmas[-1].item()
    f = Jump.like(taught_by.denoiser, low)
    f.net.load_state_dict(taught_by.network.net.state_dict())
    f.requires_grad_(True)
    levels = power_levels(top, low, 12)
    return ConsistencyModel(f, (1, 28, 28), levels, taught_by.denoise, bounds=(0.0, 1.0), decay=0.995)


def distil(folder: Path, weights: Path, steps: int) -> dict[str, float]:
    """Distil, keep the averaged weights, and say what it took."""
    torch.manual_seed(0)
    model, start = untrained(teacher(folder)), time.process_time()
    rate = held_then_falling(1e-3, steps)
    fit(model, (mnist().train,), steps=steps, batch_size=64, lr=rate, clip=1.0, seed=0)
    evidence.keep_weights(weights, model.average.module)
    return {"steps": steps, "batch_size": 64, "processor_seconds": round(time.process_time() - start, 1)}


@cache
def student(folder: Path, weights: Path) -> ConsistencyModel:
    model = untrained(teacher(folder))
    model.average.module.load_state_dict(load_file(weights))
    return model.eval()


def images(folder: Path, weights: Path, sampler: str, calls: int, count: int) -> Tensor:
    rng = torch.Generator().manual_seed(0)
    if sampler == "training data":
        return mnist().train[torch.randperm(len(mnist().train), generator=rng)[:count]]
    made = teacher(folder)
    if sampler == "jumps":
        jumper = student(folder, weights)
        last = nearest(jumper.sigmas, 0.75 * made.denoiser.spread)
        draw = partial(jumper.sample, sigmas=jumper.sigmas[[0, *range(last - calls + 2, last + 1)]])
    else:
        draw = partial(made.sample, sampler=walk, sigmas=spaced(made.sigmas, calls))
    return torch.cat([draw(500, rng=rng) for _ in range(count // 500)]).clamp(0, 1)


def run(folder: Path, weights: Path, *, sampler: str, calls: int, count: int, seed: int) -> dict[str, float]:
    """One set of images against the test set: by the course's protocol, and all against all."""
    drawn = images(folder, weights, sampler, calls, count)
    whole = frechet_distance(features(mnist().test), features(drawn))
    return evidence.rounded(fidelity(mnist().test, drawn), 3) | {"whole": round(whole, 3)}


def plan() -> list[dict[str, object]]:
    rows: list[dict[str, object]] = [{"sampler": "training data", "calls": 0, "count": n} for n in (2_000, 10_000)]
    rows += [{"sampler": "jumps", "calls": n, "count": 2_000} for n in (1, 2, 3, 4)]
    rows += [{"sampler": "jumps", "calls": 2, "count": 10_000}, {"sampler": "DDIM", "calls": 8, "count": 10_000}]
    return [row | {"seed": 0} for row in rows]


def main() -> None:
    parser = evidence.parser(__doc__)
    parser.add_argument("--ddpm", type=Path, default=Path("runs/ddpm-mnist"), help="run folder")
    parser.add_argument("--steps", type=int, default=STEPS, help="of the distillation")
    options = parser.parse_args()
    weights = evidence.target(CLAIM, options).with_suffix(".safetensors")
    distilled = partial(distil, options.ddpm, weights, options.steps)
    evidence.rows(CLAIM, plan(), partial(run, options.ddpm, weights), options, distillation=distilled)


if __name__ == "__main__":
    main()
