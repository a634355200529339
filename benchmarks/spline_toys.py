"""How near a spline coupling flow comes to the exact entropy of four toys in a minute on one core:

    OMP_NUM_THREADS=1 python benchmarks/spline_toys.py

Writes gmcourse/results/spline_toys.json after each run and goes on from there. The number of bins is chosen on `valid`
by short runs; `test` is read once a seed, by the chosen model. Seconds are CPU time of the process, on one thread.
"""

import json
import math
import platform
import time
from pathlib import Path

import torch

from gmcourse.data import load
from gmcourse.flows.spline_flows import spline_coupling
from gmcourse.training import fit

RESULT = Path(__file__).parents[1] / "gmcourse" / "results" / "spline_toys.json"
TOYS = {
    "two-moons": {"noise": 0.1},
    "ring-of-8": {"noise": 0.2},
    "checkerboard": {},
    "grid-of-25": {"noise": 0.05},
}
MODEL = {"layers": 4, "hidden": [64, 64], "bound": 5.0}
TRAINING = {"batch_size": 512, "peak_lr": 3e-3}
SIZE, BINS, SEEDS, SHORT, LONG = 200_000, (8, 16, 32), (0, 1, 2), 1_000, 3_000


def rate(step: int, steps: int) -> float:
    """A short rise, then a half cosine down to 0."""
    return TRAINING["peak_lr"] * min(1.0, (step + 1) / 50) * 0.5 * (1 + math.cos(math.pi * step / steps))


def run(key: str, bins: int, seed: int, steps: int, split: str) -> dict:
    """One training; the NLL on `split`, and that of the true density on the same points."""
    data = load(key, size=SIZE, **TOYS[key])
    torch.manual_seed(seed)
    flow = spline_coupling(2, MODEL["layers"], MODEL["hidden"], bins, MODEL["bound"])
    start = time.process_time()
    batches = {"steps": steps, "batch_size": TRAINING["batch_size"], "seed": seed}
    fit(flow, (data.train,), lr=lambda step: rate(step, steps), progress=False, **batches)
    seconds = time.process_time() - start
    x = getattr(data, split)
    with torch.no_grad():
        log_prob = flow.log_prob(x).double()
    return {
        "toy": key,
        "bins": bins,
        "seed": seed,
        "steps": steps,
        "split": split,
        "nll": round(-log_prob.mean().item(), 4),
        "standard_error": round(log_prob.std().item() / math.sqrt(len(x)), 4),
        "nll_of_truth": round(-data.density.log_prob(x).double().mean().item(), 4),
        "entropy": round(data.entropy, 4),
        "parameters": sum(p.numel() for p in flow.parameters()),
        "seconds": round(seconds, 1),
    }


def keep(result: dict) -> None:
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n", "utf-8")


def main() -> None:
    torch.set_num_threads(1)
    result = {
        "command": "OMP_NUM_THREADS=1 python benchmarks/spline_toys.py",
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "processor": f"{platform.machine()}, one thread",
        "model": MODEL,
        "training": TRAINING | {"size": SIZE},
        "runs": json.loads(RESULT.read_text("utf-8"))["runs"] if RESULT.exists() else [],
    }

    def once(key: str, bins: int, seed: int, steps: int, split: str) -> dict:
        asked = {"toy": key, "bins": bins, "seed": seed, "steps": steps, "split": split}
        done = next((r for r in result["runs"] if asked.items() <= r.items()), None)
        if done is None:
            done = run(key, bins, seed, steps, split)
            result["runs"].append(done)
            keep(result)
            print(json.dumps(done), flush=True)
        return done

    for key in TOYS:
        chosen = min((once(key, bins, 0, SHORT, "valid") for bins in BINS), key=lambda r: r["nll"])["bins"]
        for seed in SEEDS:
            once(key, chosen, seed, LONG, "test")


if __name__ == "__main__":
    main()
