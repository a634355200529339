"""Texts learned character by character: an LSTM with dropout beside n-grams of two smoothings, in nats and CPU seconds.

    OMP_NUM_THREADS=1 python -m benchmarks.autoregressive.characters --folder runs/characters

Tiny Shakespeare: windows of the first 90 % are learned. After each twentieth of a run the last 10 % are read once, the
state carried along; the point at which their first half, valid, costs least is the one that is reported, for all of
the last 10 %. First names: test at the point that is best on valid. A loss is nats a row: a window, a name. Stopped, a
run goes on from the checkpoints in the folder. Set GMCOURSE_DATA to a folder that holds the data, or let it be
downloaded.
"""

import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmarks import evidence
from gmcourse.autoregressive.choosing import temperature
from gmcourse.autoregressive.generation import generate
from gmcourse.autoregressive.lstm import LSTMLanguageModel
from gmcourse.autoregressive.ngram import NGram, found
from gmcourse.data import Dataset, load
from gmcourse.nets import evaluating
from gmcourse.probability import after_stop
from gmcourse.training import fit

CLAIM = "autoregressive/characters"
WINDOW, LEGS, RATE = 128, 20, 6e-3
RUNS = [
    {"text": "shakespeare", "hidden": 384, "dropout": 0.3, "steps": 7_500, "batch": 16, "seed": 0},
    {"text": "shakespeare", "hidden": 512, "dropout": 0.4, "steps": 9_000, "batch": 16, "seed": 0},
    *({"text": "names", "hidden": 256, "dropout": 0.2, "steps": 2_000, "batch": 128, "seed": s} for s in range(3)),
]
COUNTS = [
    {"text": text, "smoothing": smoothing, "order": n, "seed": 0}
    for text in ("shakespeare", "names")
    for smoothing in ("Witten–Bell", "Kneser–Ney")
    for n in range(1, 9)
]


class Half(nn.Module):
    """The model with its sums of products in bfloat16 while it learns."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def loss(self, x: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return self.model.loss(x)


def costs(data: Dataset, log_prob: Callable[[Tensor], Tensor]) -> dict[str, float]:
    """Mean −ln p of a character, nats, of the held-out parts; `log_prob(x)` gives that of each character."""
    if data.key == "names":
        held = {"valid": data.valid, "test": data.test}
        return {name: -log_prob(x)[~after_stop(x, 0)].mean().item() for name, x in held.items()}
    cost = -log_prob(torch.cat([data.valid, data.test]))
    return {"valid": cost[: len(data.valid)].mean().item(), "last 10 %": cost.mean().item()}


def counted(text: str, smoothing: str, order: int) -> dict:
    """The n-gram: built, scored, and timed."""
    data = load(text)
    names, stream, levels = text == "names", data.train, len(data.alphabet)
    if names:
        stream = torch.cat([stream.new_zeros(1), stream[~after_stop(stream, 0)]])  # .emma.olivia.
    start = time.process_time()
    if smoothing == "Witten–Bell":
        score = NGram(stream, levels, order).symbol_log_prob
    else:
        score = kneser_ney(stream, levels, order, stop=0 if names else None)
    seconds = time.process_time() - start

    def log_prob(x: Tensor) -> Tensor:
        if names:
            return score(torch.cat([x.new_zeros(len(x), 1), x], 1))[:, 1:]
        return score(x[None])[0]

    return {"cost": rounded(costs(data, log_prob)), "counting": round(seconds, 2)}


def kneser_ney(stream: Tensor, levels: int, order: int, stop: int | None) -> Callable[[Tensor], Tensor]:
    """Interpolated Kneser–Ney with one discount for each n: rows (batch, T) → ln p of each symbol, float64.

    Below the largest n a count is the number of different symbols before the n-gram. Nothing stands before a stop that
    begins a row of many, so that n-grams with it in front keep their counts, and those across a stop are not counted.
    """
    tables = []
    for n in range(1, order + 1):
        grams = _runs(stream, levels, n, stop)
        if n < order:
            begun = grams[grams % levels == stop] if stop is not None and n > 1 else grams[:0]
            grams = torch.cat([_runs(stream, levels, n + 1, stop).unique() // levels, begun])
        grams, counts = grams.unique(return_counts=True)
        contexts, place = (grams % levels ** (n - 1)).unique(return_inverse=True)
        visits, followers = (
            torch.zeros(len(contexts)).double().index_add(0, place, c.double()) for c in (counts, counts > 0)
        )
        once, twice = (counts == 1).sum().double(), (counts == 2).sum()
        tables.append((once / (once + 2 * twice).clamp(min=1), grams, counts, contexts, visits, followers))

    def score(x: Tensor) -> Tensor:
        p = torch.full(x.shape, 1 / levels, dtype=torch.float64)
        for n, (discount, grams, counts, contexts, visits, followers) in enumerate(tables[: x.shape[1]], 1):
            asked = _numbers(x.unfold(1, n, 1), levels)
            seen = (found(asked, grams, counts) - discount).clamp(min=0)
            context = asked % levels ** (n - 1)
            N, F = (found(context, contexts, values) for values in (visits, followers))
            p[:, n - 1 :] = torch.where(N > 0, (seen + discount * F * p[:, n - 1 :]) / N, p[:, n - 1 :])
        return p.log()

    return score


def _runs(stream: Tensor, levels: int, n: int, stop: int | None) -> Tensor:
    """The number of every n symbols in a row, without those across a stop."""
    windows = stream.unfold(0, n, 1)
    if stop is not None:
        windows = windows[(windows[:, 1:-1] != stop).all(1)]
    return _numbers(windows, levels)


def _numbers(windows: Tensor, levels: int) -> Tensor:
    """The n symbols of each window, (…, n), as one integer, the oldest its last digit."""
    return (windows * levels ** torch.arange(windows.shape[-1])).sum(-1)


def learned(folder: Path, *, text: str, hidden: int, dropout: float, steps: int, batch: int, seed: int) -> dict:
    """The LSTM, trained in legs; after each, its cost on held-out parts and the CPU seconds of training so far."""
    data, stop = load(text), 0 if text == "names" else None
    torch.manual_seed(seed)
    length = data.event_shape[0] if stop == 0 else WINDOW
    model = LSTMLanguageModel(len(data.alphabet), length, hidden=hidden, dropout=dropout, stop=stop)
    rows = data.train if stop == 0 else data.train.unfold(0, WINDOW, WINDOW // 8)
    name = f"{text}-{hidden}-{seed}"
    kept = folder / f"{name}.json"
    curve = json.loads(kept.read_text()) if kept.exists() else []
    plan = {"batch_size": batch, "lr": partial(rate, steps=steps), "clip": float(length), "seed": seed}
    for leg in range(min(len(curve), LEGS - 1), LEGS):
        start, goal = time.process_time(), steps * (leg + 1) // LEGS
        history = fit(Half(model), (rows,), steps=goal, checkpoint=folder / f"{name}.pt", **plan)["loss"]
        seconds = time.process_time() - start + (curve[-1]["seconds"] if curve else 0)
        if leg < len(curve):
            break  # it had come to its end
        with torch.no_grad(), evaluating(model):
            cost = costs(data, model.symbol_log_prob if stop == 0 else model.stream_log_prob)
        part = history[goal - steps // LEGS :]
        point = {"steps": goal, "seconds": round(seconds, 1), "loss": round(sum(part) / len(part), 3)}
        curve.append(point | {"cost": rounded(cost)})
        kept.write_text(json.dumps(curve))
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "best on valid": min(curve, key=lambda point: point["cost"]["valid"]),
        "curve": curve,
        "texts": texts(model, data),
    }


def rate(step: int, steps: int) -> float:
    """Thirty steps of warm-up, then in a straight line to 0."""
    return RATE * min(1.0, (step + 1) / 30) * (1 - step / steps)


def rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in values.items()}


def texts(model: LSTMLanguageModel, data: Dataset) -> list[str]:
    """What the model writes at the end: some names, or 500 characters at two temperatures."""
    rng = torch.Generator().manual_seed(0)
    if data.key == "names":
        drawn = [model.sample(20, rng=rng)]
    else:
        drawn = [generate(model, 1, 500, choose=partial(temperature, t=t), rng=rng) for t in (1.0, 0.7)]
    return ["".join(data.alphabet[code] for code in row).rstrip(".") for rows in drawn for row in rows]


def run(folder: Path, **asked) -> dict:
    if "order" in asked:
        return counted(asked["text"], asked["smoothing"], asked["order"])
    return learned(folder, **asked)


def main() -> None:
    parser = evidence.parser(__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="of the checkpoints")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    evidence.rows(CLAIM, COUNTS + RUNS, partial(run, options.folder), options, window=WINDOW, rate=RATE)


if __name__ == "__main__":
    main()
