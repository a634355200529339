"""Glow on MNIST, 256 grey levels: what variational dequantisation is worth beside uniform noise, in bits/dim.

    OMP_NUM_THREADS=2 python benchmarks/glow_mnist.py --folder runs/glow-mnist

One flow is trained with uniform noise; from its weights, two go on for the same number of steps on the same batches,
one with uniform noise and one with q(u|x). Both bounds are then taken on the same test images, with one draw and with
K draws of the noise. Stopped, it goes on where it was. Writes gmcourse/results/glow_mnist.json and the weights of the
second, in half precision, beside it. Set GMCOURSE_DATA to a folder that holds the data, or let it be downloaded.
"""

import argparse
import json
import math
import platform
import sys
import time
from pathlib import Path
from statistics import median

import torch
from safetensors.torch import save_file
from torch import nn

from gmcourse.data import load
from gmcourse.flows.dequantise import Dequantized, Logit, UniformNoise, VariationalNoise
from gmcourse.flows.glow import Glow
from gmcourse.metrics import estimate, importance_weighted
from gmcourse.training import fit

RESULTS = Path(__file__).resolve().parents[1] / "gmcourse" / "results"
DIMS = 28 * 28
BITS = DIMS * math.log(2)  # nats of one bit a dimension


def mnist_glow(noise: nn.Module) -> Dequantized:
    """Two scales of eight steps, width 32."""
    flow = Glow((1, 28, 28), scales=2, steps=8, width=32, before=[Logit()])
    return Dequantized(flow, 256, noise).to(memory_format=torch.channels_last)


def train(model: Dequantized, name: str, x: torch.Tensor, args: argparse.Namespace, steps: int, decay: bool) -> list:
    """Adam with a warm-up, the rate held, or brought to 0 over the last two thirds where `decay`."""

    def lr(k: int) -> float:
        return args.lr * min(1.0, (k + 1) / 100, 1.5 * (1 - k / steps) if decay else 1.0)

    path = args.folder / f"{name}.pt"
    data = {"steps": steps, "batch_size": args.batch, "seed": args.seed + decay, "every": 100}
    history = fit(model, (x,), lr=lr, clip=50.0, checkpoint=path, progress=args.progress, **data)["loss"]
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


def main(args: argparse.Namespace) -> None:
    started, resumed = time.process_time(), (args.folder / "shared.pt").exists()
    data = load("mnist")
    torch.manual_seed(args.seed)
    shared = mnist_glow(UniformNoise())
    curves = {"shared": train(shared, "shared", data.train, args, args.shared, decay=False)}
    values = {}
    for name, noise in (("uniform", UniformNoise()), ("variational", VariationalNoise(data.event_shape))):
        model = mnist_glow(noise)
        model.flow.load_state_dict(shared.flow.state_dict())
        curves[name] = train(model, name, data.train, args, args.steps, decay=True)
        values[name] = measure(model, data.test[:: len(data.test) // args.images], args.k, args.seed)
    weights = {key: v.half() if v.is_floating_point() else v for key, v in model.state_dict().items()}
    save_file({key: v.contiguous() for key, v in weights.items()}, RESULTS / "glow_mnist.safetensors")
    result = {
        "command": "python benchmarks/" + " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "seed": args.seed,
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "cpu_seconds_of_last_start": round(time.process_time() - started),
        "resumed": resumed,
        "steps": {"shared": args.shared, "each": args.steps, "batch": args.batch},
        "parameters": sum(p.numel() for p in model.parameters()),
        "test_images": args.images,
        "bits_per_dim": {name: {key: report(v) for key, v in rows.items()} for name, rows in values.items()},
        "uniform minus variational": {
            key: report(values["uniform"][key] - values["variational"][key]) for key in values["uniform"]
        },
        "training curve, median of 50 steps": {name: medians(losses) for name, losses in curves.items()},
        "largest loss of a batch after the fork": {
            name: round(max(losses), 1) for name, losses in curves.items() if name != "shared"
        },
    }
    (RESULTS / "glow_mnist.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps({key: value for key, value in result.items() if "curve" not in key}, indent=1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition(":\n")[0])
    parser.add_argument("--folder", type=Path, required=True, help="of the checkpoints")
    parser.add_argument("--shared", type=int, default=4500, help="steps before the fork")
    parser.add_argument("--steps", type=int, default=1500, help="steps of each branch")
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--images", type=int, default=500, help="test images in the evaluation, evenly spaced")
    parser.add_argument("--k", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--progress", action="store_true")
    main(parser.parse_args())
