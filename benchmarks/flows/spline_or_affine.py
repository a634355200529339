"""Spline couplings against affine ones at equal steps: held-out NLL on a smooth and on a sharp toy, five seeds:

    OMP_NUM_THREADS=1 python -m benchmarks.flows.spline_or_affine

Each model takes the rate, of three, that is best on `valid` with seed 0, and then five other seeds, scored on `test`.
The rate is held for half the run, then falls to 0 in a straight line. Seconds are CPU time of the training.
"""

import time
from collections.abc import Callable, Iterator

import torch

from benchmarks import evidence
from benchmarks.flows.spline_toys import TOYS
from gmcourse.data import load
from gmcourse.flows.coupling import realnvp
from gmcourse.flows.flow import Flow
from gmcourse.flows.spline_flows import spline_coupling
from gmcourse.metrics import estimate, nll
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit

MODELS: dict[str, Callable[[], Flow]] = {
    "spline, 4 layers": lambda: spline_coupling(2, 4, [64, 64], bins=8, bound=5.0),
    "affine, 4 layers": lambda: realnvp(2, 4, (64, 64)),
    "affine, 8 layers": lambda: realnvp(2, 8, (64, 64)),
}
RATES, SEEDS = (1e-3, 3e-3, 1e-2), (1, 2, 3, 4, 5)
TRAINING = {"steps": 800, "batch_size": 256, "clip": 5.0}
SIZE = 200_000


def run(toy: str, model: str, lr: float, seed: int, split: str) -> dict:
    """One training, and the excess of its NLL on `split` over that of the true density at the same points."""
    data = load(toy, size=SIZE, **TOYS[toy])
    torch.manual_seed(seed)
    flow = MODELS[model]()
    start = time.process_time()
    rate = held_then_falling(lr, TRAINING["steps"])
    fit(flow, (data.train,), lr=rate, seed=seed, progress=False, **TRAINING)
    seconds = time.process_time() - start
    x = getattr(data, split)
    excess = estimate(nll(flow, x).double() + data.density.log_prob(x).double())
    return {
        "excess": round(excess.mean, 4),
        "standard_error": round(excess.error, 4),
        "parameters": sum(p.numel() for p in flow.parameters()),
        "seconds": round(seconds, 1),
    }


def plan(done: list[dict]) -> Iterator[dict]:
    """The rates of a model, then five seeds at the one that was best on valid."""
    for toy in ("two-moons", "checkerboard"):
        for model in MODELS:
            asked = {"toy": toy, "model": model}
            yield from (asked | {"lr": lr, "seed": 0, "split": "valid"} for lr in RATES)
            tried = [row for row in done if (asked | {"seed": 0}).items() <= row.items()]
            if len(tried) == len(RATES):  # or --only left some out
                best = min(tried, key=lambda row: row["excess"])["lr"]
                yield from (asked | {"lr": best, "seed": seed, "split": "test"} for seed in SEEDS)


if __name__ == "__main__":
    options = evidence.parser(__doc__).parse_args()
    evidence.rows("flows/spline_or_affine", plan, run, options, training=TRAINING | {"size": SIZE})
