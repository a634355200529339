"""Tiny Shakespeare by a Transformer of characters: nats a character on the last 10 % as training goes on.

    OMP_NUM_THREADS=1 python -m benchmarks.autoregressive.transformer_text --folder runs/transformer-text

Four pre-norm layers of width 128, a window of 64 characters, AdamW with a warm-up and the rate to 0. The last 10 % of
the text, which training never sees and on which nothing is chosen, is scored as the run goes on and at its end, each
character with 48 to 63 before it. Stopped, it goes on from the checkpoint in the folder; seconds are CPU seconds of
training, scoring apart. Set GMCOURSE_DATA to a folder that holds the data, or let it be downloaded.
"""

import json
import statistics
import time
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from benchmarks import evidence
from gmcourse.autoregressive.generation import generate
from gmcourse.autoregressive.transformer import TransformerLanguageModel
from gmcourse.checkpoint import write
from gmcourse.data import load
from gmcourse.training import fit

CLAIM = "autoregressive/transformer_text"
MODEL = {"window": 64, "width": 128, "heads": 4, "layers": 4, "dropout": 0.1}
PLAN = {"steps": 4700, "batch": 32, "peak": 2e-3, "warm_up": 100, "decay": 0.1, "overlap": 48}  # of neighbouring rows
POINTS = 8  # of the curve


def rate(step: int) -> float:
    """A warm-up, then in a straight line to 0."""
    return PLAN["peak"] * min(1.0, (step + 1) / PLAN["warm_up"], 1.05 * (1 - step / PLAN["steps"]))


def rows(text: Tensor, window: int, overlap: int) -> Tensor:
    """All windows of the stream that begin at a multiple of window − overlap: (n, window)."""
    return text.unfold(0, window, window - overlap)


@torch.no_grad()
def nats(model: TransformerLanguageModel, text: Tensor, context: int) -> float:
    """Mean −ln p of a character of the stream, each read after `context` to window − 1 others, the first after none."""
    model.eval()
    windows = rows(text, model.window, context)
    scores = [model.symbol_log_prob(windows[:1]).flatten()]
    scores += [model.symbol_log_prob(part)[:, context:].flatten() for part in windows[1:].split(256)]
    return -torch.cat(scores).mean().item()


def train(model: TransformerLanguageModel, folder: Path, train: Tensor, held: Tensor, seed: int) -> list[dict]:
    """One run in `POINTS` parts, and after each the loss on the held-out text; what was done is not done again."""
    optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.99), weight_decay=PLAN["decay"])
    kept = folder / "curve.json"
    curve = json.loads(kept.read_text()) if kept.exists() else []
    plan = {"batch_size": PLAN["batch"], "seed": seed, "clip": 1.0 * model.window, "lr": rate, "optimizer": optimizer}
    plan |= {"checkpoint": folder / "run.pt", "every": 10**6}  # at the end of each part
    for point in range(1, POINTS + 1):
        if point <= len(curve) and point < POINTS:
            continue
        steps, start = PLAN["steps"] * point // POINTS, time.process_time()
        history = fit(model, (rows(train, model.window, PLAN["overlap"]),), steps=steps, **plan)
        if len(curve) < point:
            seconds = time.process_time() - start + (curve[-1]["seconds"] if curve else 0)
            loss = statistics.fmean(history["loss"][-200:]) / model.window
            curve.append({"steps": steps, "seconds": round(seconds), "train": round(loss, 4)})
            curve[-1]["held out"] = round(nats(model, held, context=32), 4)
            write(kept, json.dumps(curve).encode())
            print(curve[-1], flush=True)
    return curve


def run(folder: Path, *, seed: int) -> dict:
    """The model trained and scored."""
    folder.mkdir(parents=True, exist_ok=True)
    data = load("shakespeare")
    held = torch.cat([data.valid, data.test])
    torch.manual_seed(seed)
    model = TransformerLanguageModel(len(data.alphabet), **MODEL)
    curve = train(model, folder, data.train, held, seed)
    text = generate(model, 1, 400, rng=torch.Generator().manual_seed(seed))
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "nats a character, last 10 %": round(nats(model, held, context=48), 4),
        "characters": len(held),
        "curve": curve,
        "sample": "".join(data.alphabet[code] for code in text[0].tolist()),
        "training seconds": curve[-1]["seconds"],
    }


def main() -> None:
    parser = evidence.parser(__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="of the checkpoint")
    options = parser.parse_args()
    evidence.rows(CLAIM, [{"seed": 0}], partial(run, options.folder), options, model=MODEL, training=PLAN)


if __name__ == "__main__":
    main()
