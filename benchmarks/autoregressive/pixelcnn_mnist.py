"""PixelCNN on the fixed binarisation of MNIST: nats over the whole test set, and the curve on the way there.

    OMP_NUM_THREADS=1 python -m benchmarks.autoregressive.pixelcnn_mnist --folder runs/pixelcnn-mnist

Stopped, it goes on from the checkpoint in the folder. The weights are kept beside the result, in half precision, and
the test set is scored with what half precision left of them, too. Set GMCOURSE_DATA to a folder that holds the data,
or let it be downloaded.
"""

import time
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from benchmarks import evidence
from gmcourse.autoregressive.pixelcnn import PixelCNN
from gmcourse.data import load
from gmcourse.metrics import estimate
from gmcourse.training import fit

CLAIM = "autoregressive/pixelcnn_mnist"
SHAPE = {"width": 64, "blocks": 8}
TRAINING = {"batch_size": 16, "peak": 3e-3, "warm_up": 50, "clip": 50.0}
VALID, EVERY = 1_000, 500  # images of the validation set, evenly spaced, and steps between two looks


class Rate:
    """A warm-up, then a straight line to 0; it counts the steps that this process takes."""

    def __init__(self, steps: int):
        self.steps, self.taken = steps, 0

    def __call__(self, step: int) -> float:
        self.taken += 1
        return TRAINING["peak"] * min(1.0, (step + 1) / TRAINING["warm_up"], 1 - step / self.steps)


@torch.no_grad()
def nats(model: PixelCNN, x: Tensor) -> dict:
    """−ln p(x), the mean and its standard error."""
    mean, error = estimate(torch.cat([-model.log_prob(part) for part in x.split(250)]))
    return {"mean": round(mean, 3), "error": round(error, 3)}


def run(folder: Path, path: Path, *, steps: int, seed: int) -> dict:
    """Train and score one model; its weights go to the file `path`."""
    data = load("binarized-mnist")
    torch.manual_seed(seed)
    model, rate = PixelCNN((1, 28, 28), **SHAPE), Rate(steps)
    start = time.process_time()
    history = fit(
        model,
        (data.train,),
        steps=steps,
        lr=rate,
        valid=(data.valid[:: len(data.valid) // VALID],),
        every_valid=EVERY,
        checkpoint=folder / f"{steps}.pt",
        batch_size=TRAINING["batch_size"],
        clip=TRAINING["clip"],
        seed=seed,
    )
    pace = (time.process_time() - start) / max(rate.taken, 1)
    exact = nats(model, data.test)
    evidence.keep_weights(path, model)
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "epochs": round(steps * TRAINING["batch_size"] / len(data.train), 1),
        "CPU seconds a step, looks at the validation set included": round(pace, 4),
        "test, nats": exact,
        "test in half precision, nats": nats(model.half().float(), data.test),
        "training images, nats": nats(model, data.train[:: len(data.train) // 2_000]),
        "curve": [
            {"step": step, "seconds": round(step * pace), "valid": round(value, 3)}
            for step, value in zip(history["valid_step"], history["valid_loss"], strict=True)
        ],
    }


def main() -> None:
    parser = evidence.parser(__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="of the checkpoint")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    weights = evidence.target(CLAIM, options).with_suffix(".safetensors")
    weights.parent.mkdir(parents=True, exist_ok=True)
    plan = [{"steps": 16_000, "seed": 0}]
    evidence.rows(CLAIM, plan, partial(run, options.folder, weights), options, shape=SHAPE, **TRAINING)


if __name__ == "__main__":
    main()
