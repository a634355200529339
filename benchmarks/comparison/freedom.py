"""What a constraint on the network costs a flow of 8 × 8 digits, at equal parameters: bits/dim and Fréchet distance.

    OMP_NUM_THREADS=1 python -m benchmarks.comparison.freedom

Each row differs from the one before it in one thing. "shift": couplings that add, so that volume is kept. "shift and
scale": couplings that also stretch. "spline": couplings that bend. "shift and scale, every earlier pixel": masks in the
place of halves, so that a pixel sees all before it and not one half of them. Six layers each, two hidden layers of the
width that brings the parameters nearest to 80,000, 400 steps of 256 rows, at each of three rates.
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch

from benchmarks import evidence
from gmcourse.comparison.discrete import Leveled
from gmcourse.comparison.measuring import of_density, of_samples, rounded, size
from gmcourse.data import load
from gmcourse.flows.autoregressive import maf
from gmcourse.flows.coupling import AdditiveCoupling, realnvp
from gmcourse.flows.flow import Flow
from gmcourse.flows.spline_flows import spline_coupling
from gmcourse.metrics import mean_elbo
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit

CLAIM = "comparison/freedom"
DIMS, LAYERS, PARAMETERS, STEPS, BATCH, RATES, SEEDS = 64, 6, 80_000, 400, 256, (1e-3, 3e-3, 9e-3), range(5)


def shifts(dims: int, layers: int, hidden: tuple[int, int]) -> Flow:
    return Flow([AdditiveCoupling(dims, hidden, swap=k % 2 == 1) for k in range(layers)], (dims,))


KINDS: dict[str, Callable[..., Flow]] = {
    "shift": shifts,
    "shift and scale": realnvp,
    "spline": spline_coupling,
    "shift and scale, every earlier pixel": maf,
}


def built(kind: str, width: int) -> Leveled:
    return Leveled(KINDS[kind](DIMS, LAYERS, (width, width)), (1, 8, 8), (DIMS,))


def width_of(kind: str) -> int:
    """The width with the number of parameters nearest to `PARAMETERS`."""
    return min(range(4, 160, 2), key=lambda width: abs(size(built(kind, width)) - PARAMETERS))


def run(kind: str, rate: float, seed: int, width: int) -> dict[str, Any]:
    """One training, measured on valid and test."""
    digits = load("digits")
    torch.manual_seed(seed)
    model = built(kind, width)
    plan = {"steps": STEPS, "batch_size": BATCH, "lr": held_then_falling(rate, STEPS)}
    try:
        fit(model, (digits.train,), seed=seed, progress=False, **plan)
    except FloatingPointError as error:
        return {"failed": str(error).partition(";")[0]}
    valid = -mean_elbo(model, digits.valid, torch.Generator().manual_seed(seed)).mean
    found = of_samples(model.sample(360, rng=torch.Generator().manual_seed(seed)), "digits", seed)
    kept = {name: found[name] for name in ("frechet", "precision", "recall")}
    numbers = {"parameters": size(model), "valid, nats": valid} | kept | of_density(model, 360, seed)
    return rounded(numbers)


def plan() -> Iterator[dict[str, Any]]:
    widths = {kind: width_of(kind) for kind in KINDS}
    for seed in SEEDS:
        for kind, width in widths.items():
            for rate in RATES:
                yield {"kind": kind, "rate": rate, "seed": seed, "width": width}


if __name__ == "__main__":
    options = evidence.parser(__doc__).parse_args()
    evidence.rows(CLAIM, plan(), run, options)
