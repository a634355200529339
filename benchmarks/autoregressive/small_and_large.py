"""MADE and PixelCNN in the same CPU seconds, on 8 × 8 digits and on MNIST: where sharing weights pays.

    OMP_NUM_THREADS=1 python -m benchmarks.autoregressive.small_and_large

MADE has weights of its own for every pixel. PixelCNN shares them among all pixels, with a learned map of positions or
without. One rule for all: the steps that fit into the seconds, a rate that falls to 0 over them, and the weights that
are best on the validation set. Set GMCOURSE_DATA to a folder that holds the data, or let it be downloaded.
"""

import copy
import time
from collections.abc import Callable

import torch
from torch import nn

from benchmarks import evidence
from gmcourse.autoregressive.made import BinaryMADE
from gmcourse.autoregressive.pixelcnn import PixelCNN
from gmcourse.data import load
from gmcourse.metrics import estimate
from gmcourse.training import fit

CLAIM = "autoregressive/small_and_large"
SECONDS = {"binarized-digits": 5, "binarized-mnist": 100}
SEEDS = {"binarized-digits": range(5), "binarized-mnist": range(1)}
MODELS = ("MADE", "PixelCNN without a map", "PixelCNN")
WARM_UP, CLIP, LOOKS, PROBE = 30, 50.0, 10, 12


def built(model: str, data: str) -> tuple[nn.Module, int, float]:
    """The model, its batch size and its highest rate."""
    shape, small = load(data).event_shape, data == "binarized-digits"
    if model == "MADE":
        return BinaryMADE(shape, hidden=(500 if small else 1_000,)), 64, 2e-3 if small else 1e-3
    size = {"width": 32, "blocks": 4} if small else {"width": 64, "blocks": 8}
    return PixelCNN(shape, positions=model == "PixelCNN", **size), 32 if small else 16, 3e-3


def falling(peak: float, steps: int) -> Callable[[int], float]:
    return lambda step: peak * min(1.0, (step + 1) / WARM_UP, 1 - step / steps)


def pace(net: nn.Module, x: torch.Tensor, batch: int) -> float:
    """CPU seconds of a step."""
    trial, start = copy.deepcopy(net), 0.0
    for steps in (2, PROBE):  # the first two set up the kernels
        start = time.process_time()
        fit(trial, (x,), steps=steps, batch_size=batch, lr=1e-6, progress=False)
    return (time.process_time() - start) / PROBE


def run(*, data: str, model: str, seed: int) -> dict:
    """One training, and the mean of −ln p over the whole test set."""
    examples = load(data)
    torch.manual_seed(seed)
    net, batch, peak = built(model, data)
    valid = examples.valid[:: max(1, len(examples.valid) // 500)]
    steps = round(SECONDS[data] / pace(net, examples.train, batch))
    start = time.process_time()
    looks = {"valid": (valid,), "every_valid": max(1, steps // LOOKS)}
    fit(net, (examples.train,), steps=steps, batch_size=batch, lr=falling(peak, steps), seed=seed, clip=CLIP, **looks)
    seconds = time.process_time() - start
    with torch.no_grad():
        mean, error = estimate(torch.cat([-net.log_prob(part) for part in examples.test.split(250)]))
    return {
        "parameters": sum(p.numel() for p in net.parameters()),
        "steps": steps,
        "training seconds": round(seconds, 1),
        "test": {"mean": round(mean, 3), "error": round(error, 3)},
    }


def main() -> None:
    options = evidence.parser(__doc__).parse_args()
    plan = [{"data": data, "model": m, "seed": seed} for data in SECONDS for seed in SEEDS[data] for m in MODELS]
    evidence.rows(CLAIM, plan, run, options, nominal_seconds=SECONDS)


if __name__ == "__main__":
    main()
