"""Glow on MNIST, 256 grey levels: what variational dequantisation is worth beside uniform noise, in bits/dim.

    OMP_NUM_THREADS=2 python -m benchmarks.flows.glow_mnist --threads 2 --folder runs/glow-mnist

One flow is trained with uniform noise; from its weights, two go on for the same number of steps on the same batches,
one with uniform noise and one with q(u|x). Both bounds are then taken on the same test images, with one draw and with
K draws of the noise. Stopped, it goes on from the checkpoints in the folder. Set GMCOURSE_DATA to a folder that holds
the data, or let it be downloaded.
"""

import math
from functools import partial
from pathlib import Path
from statistics import median

import torch
from torch import nn

from benchmarks import evidence
from gmcourse.data import load
from gmcourse.flows.dequantise import Dequantized, Logit, UniformNoise, VariationalNoise
from gmcourse.flows.glow import Glow
from gmcourse.metrics import estimate, importance_weighted
from gmcourse.training import fit

CLAIM = "flows/glow_mnist"
STEPS = {"shared": 4500, "each": 1500, "batch": 48}  # before the fork, of each branch
RATE, K, IMAGES = 1e-3, 16, 500  # test images, evenly spaced
DIMS = 28 * 28
BITS = DIMS * math.log(2)  # nats of one bit a dimension


def mnist_glow(noise: nn.Module) -> Dequantized:
    """Two scales of eight steps, width 32."""
    flow = Glow((1, 28, 28), scales=2, steps=8, width=32, before=[Logit()])
    return Dequantized(flow, 256, noise).to(memory_format=torch.channels_last)


def train(model: Dequantized, path: Path, x: torch.Tensor, steps: int, seed: int, decay: bool) -> list[float]:
    """Adam with a warm-up, the rate held, or brought to 0 over the last two thirds where `decay`; bits/dim."""

    def lr(k: int) -> float:
        return RATE * min(1.0, (k + 1) / 100, 1.5 * (1 - k / steps) if decay else 1.0)

    data = {"steps": steps, "batch_size": STEPS["batch"], "seed": seed, "checkpoint": path, "every": 100}
    history = fit(model, (x,), lr=lr, clip=50.0, **data)["loss"]
    return [value / BITS for value in history]


def measure(model: Dequantized, x: torch.Tensor, k: int, seed: int) -> dict:
    """Bits/dim of each image, bounded with one draw (mean of k) and with k draws under the logarithm."""
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        elbo = torch.cat([model.log_weights(part, k, rng=rng).mean(0) for part in x.split(20)])
    return {"elbo": -elbo / BITS, f"iw{k}": -importance_weighted(model, x, k, rng) / BITS}


def medians(losses: list[float], window: int = 50) -> list[float]:
    """Of each `window` steps: a batch now and then has a loss a hundred times that of its neighbours."""
    parts = (losses[i : i + window] for i in range(0, len(losses) - window + 1, window))
    return [round(median(part), 3) for part in parts]


def report(values: torch.Tensor) -> dict:
    mean, error = estimate(values)
    return {"mean": round(mean, 4), "error": round(error, 4)}


def branches(folder: Path, seed: int) -> tuple[dict[str, Dequantized], dict[str, list[float]]]:
    """The flow with either noise, and the losses before the fork and of each branch."""
    data = load("mnist")
    torch.manual_seed(seed)
    shared, models = mnist_glow(UniformNoise()), {}
    curves = {"shared": train(shared, folder / "shared.pt", data.train, STEPS["shared"], seed, decay=False)}
    for name, noise in (("uniform", UniformNoise()), ("variational", VariationalNoise(data.event_shape))):
        model = models[name] = mnist_glow(noise)
        model.flow.load_state_dict(shared.flow.state_dict())
        curves[name] = train(model, folder / f"{name}.pt", data.train, STEPS["each"], seed + 1, decay=True)
    return models, curves


def run(folder: Path, *, seed: int) -> dict:
    """Both branches trained and measured."""
    models, curves = branches(folder, seed)
    test = load("mnist").test
    values = {name: measure(model, test[:: len(test) // IMAGES], K, seed) for name, model in models.items()}
    return {
        "parameters": sum(p.numel() for p in models["variational"].parameters()),
        "bits_per_dim": {name: {key: report(v) for key, v in rows.items()} for name, rows in values.items()},
        "uniform minus variational": {
            key: report(values["uniform"][key] - values["variational"][key]) for key in values["uniform"]
        },
        "training curve, median of 50 steps": {name: medians(losses) for name, losses in curves.items()},
        "largest loss of a batch after the fork": {
            name: round(max(losses), 1) for name, losses in curves.items() if name != "shared"
        },
    }


def main() -> None:
    parser = evidence.parser(__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="of the checkpoints")
    options = parser.parse_args()
    evidence.rows(CLAIM, [{"seed": 0}], partial(run, options.folder), options, steps=STEPS, test_images=IMAGES)


if __name__ == "__main__":
    main()
