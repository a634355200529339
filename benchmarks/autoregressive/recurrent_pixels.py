"""Row LSTM and Diagonal BiLSTM on the binary 8 × 8 digits, at equal steps and at about equal seconds, five seeds:

    OMP_NUM_THREADS=1 python -m benchmarks.autoregressive.recurrent_pixels

All have h = 16, batches of 32, Adam with the rate 5e-3 held for half of the steps and then brought to 0 in a straight
line. Nothing is chosen by looking: `test` is read once a row, after the last step. Seconds are those of the training.
"""

import time
from collections.abc import Callable

import torch

from benchmarks import evidence
from gmcourse.autoregressive import DiagonalBiLSTM, RowLSTM
from gmcourse.autoregressive.pixel_rnn import PixelRNN
from gmcourse.data import load
from gmcourse.metrics import nll
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit

TRAINING = {"batch_size": 32, "peak_lr": 5e-3, "hidden": 16}
STEPS, SEEDS = 600, (0, 1, 2, 3, 4)
MODELS: dict[str, Callable[..., PixelRNN]] = {"Row LSTM": RowLSTM, "Diagonal BiLSTM": DiagonalBiLSTM}
ROWS = (
    {"model": "Row LSTM", "kernel": 3, "layers": 1, "steps": STEPS},
    {"model": "Row LSTM", "kernel": 7, "layers": 1, "steps": STEPS},
    {"model": "Row LSTM", "kernel": 3, "layers": 3, "steps": STEPS},
    {"model": "Row LSTM", "kernel": 3, "layers": 1, "steps": 3 * STEPS},
    {"model": "Diagonal BiLSTM", "kernel": 3, "layers": 1, "steps": STEPS},
    {"model": "Diagonal BiLSTM", "kernel": 7, "layers": 1, "steps": STEPS},
    {"model": "Diagonal BiLSTM", "kernel": 3, "layers": 1, "steps": STEPS, "mended": True},
)


def run(model: str, kernel: int, layers: int, steps: int, seed: int, **more: bool) -> dict:
    """One training; mean −ln P on test and, for overfitting, on train; nats an image."""
    data = load("binarized-digits")
    torch.manual_seed(seed)
    net = MODELS[model](data.event_shape, hidden=TRAINING["hidden"], kernel=kernel, layers=layers, **more)
    start = time.process_time()
    rate = held_then_falling(TRAINING["peak_lr"], steps)
    fit(net, (data.train,), steps=steps, batch_size=TRAINING["batch_size"], lr=rate, seed=seed, progress=False)
    seconds = time.process_time() - start
    return {
        "test": round(nll(net, data.test).mean().item(), 3),
        "train": round(nll(net, data.train).mean().item(), 3),
        "parameters": sum(p.numel() for p in net.parameters()),
        "seconds": round(seconds, 1),
    }


if __name__ == "__main__":
    options = evidence.parser(__doc__).parse_args()
    plan = [row | {"seed": seed} for seed in SEEDS for row in ROWS]
    evidence.rows("autoregressive/recurrent_pixels", plan, run, options, training=TRAINING)
