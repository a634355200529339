"""MADE and NADE on MNIST in its fixed binarisation, nats, over the whole test set.

    OMP_NUM_THREADS=1 python -m benchmarks.autoregressive.binarized_mnist_made_nade --folder runs/belief-nets

NADE has 500 hidden units; MADE has two layers of 1,000 and eight sets of masks, all in raster order, and is measured
as their mixture too; these two have the steps that take about 20 minutes of one thread. A third, MADE with one layer of
2,000 and one set of masks, has those of about 5. Each ends with the weights that are best on every fifth validation
image; nothing is chosen on the test images. The curve holds steps, CPU seconds and validation nats. `--only NADE`
measures that row alone. Stopped, it goes on from the checkpoints in the folder. Set
GMCOURSE_DATA to a folder that holds the data, or let it be downloaded.
"""

import json
import time
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks import evidence
from gmcourse.autoregressive.bits import mean_logits
from gmcourse.autoregressive.made import BinaryMADE
from gmcourse.autoregressive.nade import NADE
from gmcourse.data import load
from gmcourse.metrics import estimate, nll
from gmcourse.training import fit

CLAIM = "autoregressive/binarized_mnist_made_nade"
SHAPE, EVERY = (1, 28, 28), 1000
PLAN = [
    {"model": "NADE", "hidden": [500], "masks": 1, "steps": 30_000, "batch": 50, "rate": 4e-3, "seed": 0},
    {"model": "MADE", "hidden": [1000, 1000], "masks": 8, "steps": 24_000, "batch": 100, "rate": 3e-3, "seed": 0},
    {"model": "MADE, one mask", "hidden": [2000], "masks": 1, "steps": 6_000, "batch": 100, "rate": 3e-3, "seed": 0},
]


def built(model: str, hidden: list[int], masks: int, seed: int, x: Tensor) -> NADE | BinaryMADE:
    """In raster order; the biases begin as the logits of the pixels' means."""
    torch.manual_seed(seed)
    net = NADE(SHAPE, *hidden) if model == "NADE" else BinaryMADE(SHAPE, hidden, [None] * masks)
    bias = net.bias if isinstance(net, NADE) else net.layers[-1].bias
    bias.data.copy_(mean_logits(x))
    return net


def train(
    net: nn.Module, folder: Path, x: Tensor, valid: Tensor, *, steps: int, batch: int, rate: float, seed: int
) -> list[list]:
    """Adam, its rate brought to 0 in a straight line; [steps, CPU seconds, validation nats] every EVERY steps."""
    clock = folder / "seconds.json"
    seconds = json.loads(clock.read_text()) if clock.exists() else []
    plan = {"batch_size": batch, "lr": partial(falling, rate, steps), "seed": seed}
    saved = {"checkpoint": folder / "run.pt", "every": EVERY}
    go_on = partial(fit, net, (x,), valid=(valid,), every_valid=EVERY, progress=False, **plan, **saved)
    for end in range(EVERY * (len(seconds) + 1), steps + 1, EVERY):
        start = time.process_time()
        go_on(steps=end)
        seconds.append(round(time.process_time() - start, 1))
        clock.write_text(json.dumps(seconds))
    history = go_on(steps=steps)  # no step is left: what the checkpoint holds
    spent = torch.tensor(seconds).cumsum(0).tolist()
    rows = zip(history["valid_step"], spent, history["valid_loss"])
    return [[int(step), round(second), round(value, 3)] for step, second, value in rows]


def falling(rate: float, steps: int, step: int) -> float:
    return rate * (1 - step / steps)


def run(folder: Path, *, model: str, hidden: list[int], masks: int, seed: int, **how: Any) -> dict:
    """One model trained and measured: as it is, and where it has several masks, under each by itself."""
    data, folder = load("binarized-mnist"), folder / model
    folder.mkdir(parents=True, exist_ok=True)
    net = built(model, hidden, masks, seed, data.train)
    curve = train(net, folder, data.train, data.valid[::5], seed=seed, **how)
    start = time.process_time()
    row = {"parameters": sum(p.numel() for p in net.parameters()), "test": report(nll(net, data.test, 100))}
    if isinstance(net, BinaryMADE) and masks > 1:
        with torch.no_grad():
            each = torch.cat([-net.log_probs(part) for part in data.test.split(100)], 1)
        row["test, mean over single masks"] = report(each.mean(0))
    row["train, every 25th"] = report(nll(net, data.train[::25], 100))
    row["valid, whole"] = report(nll(net, data.valid, 100))
    return row | {"seconds": curve[-1][1], "seconds of scoring": round(time.process_time() - start), "curve": curve}


def report(values: Tensor) -> dict:
    mean, error = estimate(values)
    return {"mean": round(mean, 3), "error": round(error, 3)}


def main() -> None:
    parser = evidence.parser(__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="of the checkpoints")
    options = parser.parse_args()
    evidence.rows(CLAIM, PLAN, partial(run, options.folder), options)


if __name__ == "__main__":
    main()
