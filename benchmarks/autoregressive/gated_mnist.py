"""Gated PixelCNN beside a plain PixelCNN of its size on fixed-binarised MNIST, at equal steps and equal CPU seconds.

    OMP_NUM_THREADS=1 python -m benchmarks.autoregressive.gated_mnist

One run each, one recipe for all: Adam with a warm-up, then a straight line to 0 over the steps of the run; the whole
test set. The plain model is trained twice, for the steps of the gated one and for its CPU seconds. Neither has a map of
positions. Set GMCOURSE_DATA to a folder that holds the data, or let it be downloaded.
"""

import time
from collections.abc import Iterator

import torch
from torch import nn

from benchmarks import evidence
from gmcourse.autoregressive.gated_pixelcnn import GatedPixelCNN
from gmcourse.autoregressive.pixelcnn import PixelCNN
from gmcourse.data import load
from gmcourse.metrics import estimate
from gmcourse.training import fit

CLAIM = "autoregressive/gated_mnist"
STEPS, BATCH, RATE, WINDOW = 2500, 16, 3e-3, 50
MNIST = (1, 28, 28)
MODELS = {
    "gated": lambda: GatedPixelCNN(MNIST, width=24, layers=6),
    "plain": lambda: PixelCNN(MNIST, width=64, blocks=5, positions=False),
}


def plan(done: list[dict]) -> Iterator[dict]:
    """Equal steps; then the plain model for as many steps as fit into the gated one's seconds."""
    yield from ({"model": name, "steps": STEPS, "seed": 0} for name in MODELS)
    seconds = {row["model"]: row["training seconds"] for row in done if row["steps"] == STEPS}
    if len(seconds) == len(MODELS):
        steps = 100 * round(STEPS * seconds["gated"] / seconds["plain"] / 100)
        yield {"model": "plain", "steps": steps, "seed": 0}


def test_nats(model: nn.Module, x: torch.Tensor) -> dict:
    with torch.no_grad():
        mean, error = estimate(torch.cat([-model.log_prob(part) for part in x.split(200)]))
    return {"mean": round(mean, 2), "error": round(error, 2), "images": len(x)}


def run(*, model: str, steps: int, seed: int) -> dict:
    """One training, and the mean of −ln p over the whole test set, which is sorted by class."""
    data = load("binarized-mnist")
    torch.manual_seed(seed)
    net, start = MODELS[model](), time.process_time()

    def lr(k: int) -> float:
        return RATE * min(1.0, (k + 1) / 50, 1 - k / steps)

    losses = fit(net, (data.train,), steps=steps, batch_size=BATCH, lr=lr, seed=seed, clip=50.0)["loss"]
    seconds = time.process_time() - start
    means = [sum(losses[i : i + WINDOW]) / WINDOW for i in range(0, steps - WINDOW + 1, WINDOW)]
    return {
        "parameters": sum(p.numel() for p in net.parameters()),
        "training seconds": round(seconds, 1),
        "test": test_nats(net, data.test),
        "training curve, mean of 50 steps": [round(value, 2) for value in means],
    }


def main() -> None:
    setting = {"steps": STEPS, "batch": BATCH, "rate": RATE}
    evidence.rows(CLAIM, plan, run, evidence.parser(__doc__).parse_args(), setting=setting)


if __name__ == "__main__":
    main()
