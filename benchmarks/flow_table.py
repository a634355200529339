"""Six flows on two moons, whose entropy is known: held-out NLL against CPU seconds and parameters.

    OMP_NUM_THREADS=1 python benchmarks/flow_table.py

Each model is trained for 4, 12 and 40 seconds of CPU time, every time from its start, with Adam at a rate held for half
the run and brought to 0 in a straight line. At 4 seconds three rates are tried and the best on the validation points
is kept for the longer runs. NLL and its excess over the exact density are means over 20,000 fresh points. Writes
gmcourse/results/flow_table.json row by row; rows found there are not run again.
"""

import json
import math
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import nn

from gmcourse.data import load
from gmcourse.flows.autoregressive import maf
from gmcourse.flows.continuous import Continuous, MLPVelocity
from gmcourse.flows.coupling import realnvp
from gmcourse.flows.flow import Flow
from gmcourse.flows.matching import FlowMatching
from gmcourse.flows.ode import dormand_prince, rk4
from gmcourse.flows.planar import Planar
from gmcourse.flows.spline_flows import spline_coupling
from gmcourse.metrics import nll
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit

RESULT = Path(__file__).parents[1] / "gmcourse" / "results" / "flow_table.json"
COMMAND = "OMP_NUM_THREADS=1 python benchmarks/flow_table.py"
BUDGETS = (4, 12, 40)  # seconds of CPU time
BATCH, SEED, FRESH = 256, 0, 20_000
TOYS = ("two-moons",)
MODELS: dict[str, tuple[Callable[[], Flow], tuple[float, ...]]] = {
    "planar, 32 layers": (lambda: Flow([Planar(2) for _ in range(32)], (2,)), (2e-3, 5e-3, 1e-2)),
    "RealNVP, 8 layers": (lambda: realnvp(2, 8), (1e-3, 2e-3, 5e-3)),
    "MAF, 5 layers": (lambda: maf(2, 5), (1e-3, 2e-3, 5e-3)),
    "spline coupling, 6 layers": (lambda: spline_coupling(2, 6), (2e-3, 5e-3, 1e-2)),
    "CNF, exact trace": (
        lambda: Flow([Continuous(MLPVelocity(2, [64, 64]), partial(rk4, steps=6))], (2,)),
        (5e-3, 1e-2, 2e-2),
    ),
    "flow matching": (lambda: FlowMatching(MLPVelocity(2, [128, 128, 128], nn.SiLU), (2,)), (1e-3, 3e-3, 6e-3)),
}


def trained(name: str, data: Any, steps: int, rate: float) -> tuple[Flow, float]:
    """The model after `steps` steps, and the CPU seconds they took."""
    torch.manual_seed(SEED)
    model = MODELS[name][0]()
    start = time.process_time()
    lr = held_then_falling(rate, steps)
    fit(model, (data.train,), steps=steps, batch_size=BATCH, lr=lr, seed=SEED, clip=10.0, progress=False)
    seconds = time.process_time() - start
    if isinstance(model.bijections[0], Continuous):  # scored as the ODE, not as the steps it was trained with
        model.bijections[0].solver = partial(dormand_prince, rtol=1e-5, atol=1e-5)
    return model, seconds


def row(toy: str, name: str, budget: int, rates: tuple[float, ...], per_step: float) -> dict[str, Any]:
    """One row: the best of `rates` on valid, scored on fresh points."""
    data = load(toy)
    fresh = data.density.sample(FRESH, rng=torch.Generator().manual_seed(SEED + 1))
    steps = max(50, round(budget / per_step))
    runs = []
    for rate in rates:
        model, seconds = trained(name, data, steps, rate)
        runs.append((nll(model, data.valid).mean().item(), rate, seconds, model))
    _, rate, seconds, model = min(runs, key=lambda run: run[0] if math.isfinite(run[0]) else math.inf)
    ours, exact = nll(model, fresh).double(), -data.density.log_prob(fresh).double()
    return {
        "data": toy,
        "model": name,
        "budget": budget,
        "parameters": sum(p.numel() for p in model.parameters()),
        "steps": steps,
        "lr": rate,
        "batch_size": BATCH,
        "seed": SEED,
        "seconds": round(seconds, 2),
        "nll": round(ours.mean().item(), 4),
        "excess": round((ours - exact).mean().item(), 4),
        "excess_error": round(((ours - exact).std() / math.sqrt(FRESH)).item(), 4),
        "entropy": round(data.entropy, 4),
    }


def main() -> None:
    torch.set_num_threads(1)
    table = json.loads(RESULT.read_text()) if RESULT.exists() else {"rows": []}
    table |= {"command": COMMAND, "python": sys.version.split()[0], "torch": version("torch")}
    done = {(r["data"], r["model"], r["budget"]): r for r in table["rows"]}
    for toy in TOYS:
        for name, (_, rates) in MODELS.items():
            per_step = min(trained(name, load(toy), 100, rates[0])[1] for _ in range(2)) / 100
            for budget in BUDGETS:
                if (toy, name, budget) in done:
                    continue
                chosen = rates if budget == BUDGETS[0] else (done[toy, name, BUDGETS[0]]["lr"],)
                done[toy, name, budget] = result = row(toy, name, budget, chosen, per_step)
                table["rows"].append(result)
                RESULT.write_text(json.dumps(table, indent=1) + "\n")
                print(
                    f"{toy:10} {name:26} {result['seconds']:6.1f} s {result['parameters']:6} parameters, "
                    f"NLL {result['nll']:.3f}, {result['excess']:.3f} ± {result['excess_error']:.3f} above the entropy",
                    flush=True,
                )


if __name__ == "__main__":
    main()
