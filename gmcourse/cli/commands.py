"""The commands: what is heavy to import is imported by the command that needs it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from tyro.conf import Positional, arg

Model = Annotated[Positional[str], arg(metavar="MODEL")]
Data = Annotated[str, arg(metavar="DATA")]
Run = Annotated[Positional[Path], arg(metavar="RUN")]


def models() -> None:
    """List the models of the course."""
    from gmcourse.catalogue import CATALOGUE

    head = ("KEY", "NAME", "FAMILY", "DENSITY", "YEAR", "LESSON", "PAPER")
    _table(head, ((r.key, r.name, r.family, r.density, r.year, r.lesson, r.paper) for r in CATALOGUE))


def data(key: Annotated[Positional[str | None], arg(metavar="DATA")] = None) -> None:
    """List the data sets without loading any; with a key, load that one and tell its shapes.

    Args:
        key: a data set; it is downloaded if it is of that kind and not here yet
    """
    from gmcourse import data as sets

    if key is None:
        entries = map(sets.describe, sets.KEYS)
        _table(("KEY", "KIND", "LICENCE", "NAME"), ((e.key, e.kind, e.licence, e.name) for e in entries))
    else:
        loaded = sets.load(key)
        print(f"{loaded!r}\nsource: {loaded.source}")


def train(
    key: Model,
    data: Data,
    run: Path | None = None,
    steps: int | None = None,
    batch_size: int | None = None,
    lr: float | None = None,
    seed: int | None = None,
    device: str = "cpu",
    resume: bool = False,
) -> None:
    """Train a model on a data set, by its own recipe where no flag says otherwise.

    Args:
        key: a model; `gmcourse models` lists them
        data: a data set; `gmcourse data` lists them
        run: the folder to write; by default runs/<model>-<data>
        steps: optimiser steps; the recipe's learning-rate schedule is stretched over them
        batch_size: examples a step
        lr: a constant learning rate in place of the recipe's schedule
        seed: of the first weights, the order of the data and the noise; by default 0
        device: cpu, cuda, cuda:1 or mps
        resume: go on with an interrupted run, bit for bit, with the settings it was started with
    """
    from gmcourse import data as sets
    from gmcourse.catalogue import find
    from gmcourse.cli import report, runs

    record, _ = find(key), sets.describe(data)
    folder = run or Path("runs") / f"{key}-{data}"
    asked = {"model": key, "data": data, "steps": steps, "batch_size": batch_size, "lr": lr, "seed": seed}
    info = runs.resumed(folder, asked) if resume else runs.new(folder, asked)
    runs.require_device(device)
    loaded = sets.load(data)
    model = runs.build(record, loaded, info["seed"])
    if not runs.train(folder, info | {"device": device}, model, record, loaded):
        print(f"go on with: gmcourse train {key} --data {data} --run {folder} --resume")
        raise SystemExit(130)
    print(f"valid, {len(loaded.valid):,} examples:")
    report.show(report.measure(model, loaded, loaded.valid))
    print(f"{folder} is complete; next: gmcourse evaluate {folder}")


def sample(run: Run, n: int = 64, out: Path = Path("samples.png"), seed: int = 0, mean: bool = False) -> None:
    """Draw samples from a trained model.

    Args:
        run: the folder of a finished run
        n: how many
        out: a .png (of images, or of points of the plane) or an .npy (anything, (n, *event))
        seed: equal seeds give equal samples
        mean: the decoder's mean in place of a draw from it: smoother, and not a sample
    """
    import torch

    from gmcourse.cli import report, runs

    if out.suffix not in (".png", ".npy") or n < 1:
        raise ValueError(f"out, n: got {out} and {n}, expected a name in .png or .npy and at least one sample")
    model, info, _ = runs.trained(run, "cpu")
    method = "sample_mean" if mean else "sample"
    if not hasattr(model, method):
        raise ValueError(f"run: {info['model']} has no {method}" + (": leave --mean out" if mean else ""))
    report.write_samples(out, getattr(model, method)(n, rng=torch.Generator().manual_seed(seed)))
    print(f"{n} samples of {info['model']} on {info['data']} written to {out}")


def evaluate(
    run: Run,
    split: Literal["valid", "test"] = "valid",
    k: int = 500,
    limit: int | None = None,
    seed: int = 0,
    device: str = "cpu",
) -> None:
    """Measure a trained model: its likelihood, each number with its standard error, and its samples; run.json keeps it.

    Args:
        run: the folder of a finished run
        split: make every choice on valid; read test once
        k: draws an example of the importance-weighted estimate
        limit: a random selection of so many examples, for a quick look
        seed: of the draws and of the selection
        device: cpu, cuda, cuda:1 or mps
    """

    from gmcourse.cli import report, runs

    if k < 1 or (limit is not None and limit < 1):
        raise ValueError(f"k, limit: got {k} and {limit}, expected at least 1")
    model, info, loaded = runs.trained(run, device)
    whole = getattr(loaded, split)
    x = report.selected(whole, limit, seed)
    print(f"{info['model']} on {info['data']}, {split}, {len(x):,} of {len(whole):,} examples:")
    results = report.measure(model, loaded, x, k=k, seed=seed) + report.fidelity(model, loaded, x, seed)
    report.show(results)
    runs.record(run, info, {"split": split, "examples": len(x), "seed": seed, "results": results})


def _table(head: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    cells = [head, *(tuple(map(str, row)) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells)]
    for row in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
