"""The comparison itself: steps calibrated once, rates chosen on valid, every row kept the moment it is there."""

import json
import math
import os
import platform
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib.metadata import version
from multiprocessing import get_context
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Generator

from gmcourse.catalogue import find
from gmcourse.checkpoint import write
from gmcourse.comparison.entrants import RATES, Entrant, enter, entrants, form_of, train
from gmcourse.comparison.measuring import SAMPLES, of_density, of_means, of_samples, rounded, size
from gmcourse.comparison.results import SEEDS, Report, Row, chosen_rate, models
from gmcourse.comparison.rungs import BASELINES, RUNGS, rung
from gmcourse.metrics.calls import passes
from gmcourse.protocols import Bounded, Density

MORE_SEEDS = 2
SCORED, SCORING = 360, 0.7  # rows of test, and the CPU seconds that their bits may take
LEAST_STEPS = 10


class Task(NamedTuple):
    """One training: what stands in a row before anything is measured. A baseline has no rate and no steps."""

    model: str
    rung: str
    rate: str
    seed: int
    steps: int
    scored: int


def run(task: Task) -> Row:
    """Train, sample, measure. A run that fails has "failed", the reason, and no numbers."""
    torch.set_num_threads(1)
    if task.model in BASELINES:
        samples = BASELINES[task.model](rung(task.rung).train, _pictures(task.rung), _rng(task.seed))
        return task._asdict() | rounded(of_samples(samples, task.rung, task.seed))
    record, start = find(task.model), time.process_time()
    entrant = enter(record, task.rung, seed=task.seed, steps=task.steps, rate=task.rate)
    try:
        train(record, entrant, task.rung, task.seed)
        trained = time.process_time()
        samples = drawn(entrant, _pictures(task.rung), task.seed)
    except (ArithmeticError, torch.linalg.LinAlgError) as error:  # pyright: ignore[reportPrivateImportUsage]
        return task._asdict() | {"failed": str(error).partition(";")[0]}
    took = {"seconds": trained - start, "sampling": (time.process_time() - trained) * 1e6 / len(samples)}
    row = took | of_samples(samples, task.rung, task.seed) | of_means(entrant.model, task.rung, task.seed)
    if task.scored:
        row |= of_density(entrant.model, task.scored, task.seed)
    return task._asdict() | rounded(row)


def drawn(entrant: Entrant, n: int, seed: int) -> torch.Tensor:
    """n samples of a trained model. Raises FloatingPointError where one is not finite."""
    model: Any = entrant.model.eval()
    with torch.no_grad():
        samples = model.sample(n, rng=_rng(seed))
    if not samples.isfinite().all():
        raise FloatingPointError(f"samples: {(~samples.isfinite()).float().mean():.1%} of their values are not finite")
    return samples


def calibrated(key: str, name: str, seconds: float) -> Row:
    """How many steps the model takes in so many CPU seconds, and how many rows of test it scores in 0.7."""
    torch.set_num_threads(1)
    record = find(key)
    steps = 2
    while (spent := _spent(key, name, steps)) < min(0.3, seconds / 10):
        steps *= 2
    spent = min(spent, *(_spent(key, name, steps) for _ in range(2)))
    entrant = enter(record, name)
    found: Row = {"steps": max(LEAST_STEPS, round(seconds * steps / spent)), "parameters": size(entrant.model)}
    if name == "digits":
        found |= {"calls": passes(record, form_of(record, name)), "scored": _scored(entrant)}
    return found


def _spent(key: str, name: str, steps: int) -> float:
    """CPU seconds of so many steps."""
    entrant = enter(find(key), name, steps=steps)
    start = time.process_time()
    train(find(key), entrant, name, 0)
    return time.process_time() - start


def compare(
    out: Path,
    *,
    seconds: float,
    only: Iterable[str] = (),
    jobs: int = 2,
    like: Report | None = None,
    told: Callable[[str], None] = print,
) -> Report:
    """Every row of the comparison that `out` lacks; returns the report that stands there then.

    The steps are those of the file, or they are measured. With `like`, an earlier report: its steps where it was made
    for the same seconds, else its rates, so that nothing is swept and the ladder is left out. After a kill, call it
    again: at most the trainings that ran are lost. Raises ValueError where the file was made for other seconds, or a
    model named in `only` does not enter.
    """
    report = _begun(out, seconds, like)
    names = ["digits"] if "rates" in report else [*RUNGS]
    keys = {name: _entering(name, report, only) for name in names}
    with get_context("spawn").Pool(jobs, maxtasksperchild=50) as pool:
        _calibrate(pool, report, out, keys, told)
        for stage in [_at_given_rates] if "rates" in report else [_sweep, _chosen, _ladder]:
            missing = [task for task in stage(report, keys) if not _done(report, task)]
            told(f"{stage.__name__.strip('_')}: {len(missing)} trainings to go")
            for k, row in enumerate(pool.imap_unordered(run, missing), start=1):
                report["rows"].append(row)
                _keep(out, report)
                if k % 25 == 0:
                    told(f"  {k} of {len(missing)}")
    return report


def _sweep(report: Report, keys: dict[str, list[str]]) -> Iterator[Task]:
    for seed in range(SEEDS):
        for key in keys["digits"]:
            for rate in RATES:
                yield _task(report, key, "digits", rate, seed)


def _chosen(report: Report, keys: dict[str, list[str]]) -> Iterator[Task]:
    for seed in range(SEEDS, SEEDS + MORE_SEEDS):
        for key in keys["digits"]:
            yield _task(report, key, "digits", chosen_rate(report["rows"], key), seed)
    for seed in range(SEEDS + MORE_SEEDS):
        for baseline in BASELINES:
            yield Task(baseline, "digits", "", seed, 0, 0)


def _at_given_rates(report: Report, keys: dict[str, list[str]]) -> Iterator[Task]:
    for seed in range(SEEDS + MORE_SEEDS):
        for key in keys["digits"]:
            yield _task(report, key, "digits", report["rates"][key], seed)


def _ladder(report: Report, keys: dict[str, list[str]]) -> Iterator[Task]:
    for seed in range(SEEDS):
        for name in RUNGS:
            if name != "digits":
                for key in keys[name]:
                    yield _task(report, key, name, chosen_rate(report["rows"], key), seed)
                for baseline in BASELINES:
                    yield Task(baseline, name, "", seed, 0, 0)


def _task(report: Report, key: str, name: str, rate: str, seed: int) -> Task:
    found = report["calibrated"][name][key]
    return Task(key, name, rate, seed, found["steps"], found.get("scored", 0))


def _done(report: Report, task: Task) -> bool:
    return any(all(row[name] == value for name, value in task._asdict().items()) for row in report["rows"])


def _calibrate(
    pool: Pool,
    report: Report,
    out: Path,
    keys: dict[str, list[str]],
    told: Callable[[str], None],
) -> None:
    for name in keys:
        held = report["calibrated"].setdefault(name, {})
        missing = [key for key in keys[name] if key not in held]
        if missing:
            told(f"measuring the steps of {len(missing)} models on {name}")
        found = pool.imap(partial(calibrated, name=name, seconds=report["seconds"]), missing)
        for key, steps in zip(missing, found, strict=True):
            held[key] = steps
            _keep(out, report)


def _begun(out: Path, seconds: float, like: Report | None) -> Report:
    if not seconds > 0:
        raise ValueError(f"seconds: got {seconds}, expected a positive number of CPU seconds a training")
    if out.exists():
        report = json.loads(out.read_text("utf-8"))
        if report.get("seconds") != seconds:
            raise ValueError(f"out: {out} was made with {report.get('seconds')} seconds a training, not {seconds}")
        return report
    packages = {name: version(name) for name in ("torch", "gmcourse")}
    same = like is not None and like["seconds"] == seconds
    rates = {key: chosen_rate(like["rows"], key) for key in models(like)} if like and not same else None
    return {
        "command": f"gmcourse compare --seconds {seconds:g}",
        "versions": {"python": platform.python_version(), **packages},
        "processor": f"{platform.machine()}, one thread a training",
        "seconds": seconds,
        "left_out": {name: entrants(name)[1] for name in RUNGS},
        "calibrated": like["calibrated"] if like and same else {},
        **({} if rates is None else {"rates": rates}),
        "rows": [],
    }


def _entering(name: str, report: Report, only: Iterable[str]) -> list[str]:
    wanted = [find(key).key for key in only]
    for key in wanted:
        if name == "digits" and key in report["left_out"][name]:
            raise ValueError(f"only: {key} does not enter: {report['left_out'][name][key]}")
    allowed = report.get("rates")
    keys = [record.key for record in entrants(name)[0] if not wanted or record.key in wanted]
    return keys if allowed is None else [key for key in keys if key in allowed]


def _keep(out: Path, report: Report) -> None:
    """Whole at every moment, a row a line."""
    head = json.dumps({name: value for name, value in report.items() if name != "rows"}, ensure_ascii=False, indent=1)
    rows = ",\n".join(json.dumps(row, ensure_ascii=False) for row in report["rows"])
    write(out, f'{head[:-2]},\n "rows": [\n{rows}\n]}}\n'.encode())


def _pictures(name: str) -> int:
    return SAMPLES // 4 if name == "four-digits" else SAMPLES


def _scored(entrant: Entrant) -> int:
    """Rows of test whose bits take about `SCORING` CPU seconds, at least 20; 0 of a model that knows none."""
    if not isinstance(entrant.model, (Density, Bounded)):
        return 0
    entrant.model.eval()
    start = time.process_time()
    of_density(entrant.model, 4, 0)
    return min(SCORED, max(20, math.ceil(4 * SCORING / (time.process_time() - start))))


def _rng(seed: int) -> Generator:
    return torch.Generator().manual_seed(seed)


def cores() -> int:
    """How many trainings run at a time where none is said: one a core that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
