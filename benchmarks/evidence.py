"""Long evidence: what takes longer than a lesson's minute, measured row by row into gmcourse/results/.

A script benchmarks/<family>/<claim>.py says what to measure (the plan, a dict a row, the seed in it) and how (a
function of what stands in that dict). Here is the rest: a row that the file holds is not measured again, so that a
script which was stopped goes on; the file is whole at every moment; it says which command, versions and processor made
it, and what CPU time each row took. Run a script from the root of the repository: `python -m benchmarks.gan.grid`.
"""

import argparse
import json
import os
import platform
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import load_file, save

import gmcourse
from gmcourse.checkpoint import write
from gmcourse.data import Dataset

RESULTS = Path(gmcourse.__file__).resolve().parent / "results"
Row = dict[str, Any]
Plan = Iterable[Row] | Callable[[list[Row]], Iterable[Row]]


def parser(doc: str | None) -> argparse.ArgumentParser:
    """The options that every script has; a script adds its own."""
    parser = argparse.ArgumentParser(description=(doc or "").partition("\n")[0].rstrip(".:"))
    parser.add_argument("--fresh", action="store_true", help="measure every row again")
    parser.add_argument("--out", type=Path, help="the file to write, and what stands beside it; the course's is left")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="WORD", help="only rows whose plan holds each of these"
    )
    parser.add_argument("--threads", type=int, default=1)
    return parser


def target(claim: str, options: argparse.Namespace) -> Path:
    """The file of a claim such as "gan/grid"; weights that are kept stand beside it."""
    return options.out or RESULTS / f"{claim}.json"


def rows(
    claim: str,
    plan: Plan,
    run: Callable[..., Row],
    options: argparse.Namespace,
    *,
    packages: tuple[str, ...] = ("torch",),
    **about: Any,
) -> list[Row]:
    """All rows of the claim, those that are missing measured as `asked | run(**asked)` for each `asked` of the plan.

    A plan that depends on what was found is a function of the rows so far. `about` stands at the head of the file: a
    function in it is called once, when the file is begun; other values are settings, and may not change. A row's
    "seconds" are CPU time, of ended child processes too, unless `run` gives its own. SystemExit where the file was made
    with other settings, or where rows are missing and it was made with other versions or threads.
    """
    torch.set_num_threads(options.threads)
    path = target(claim, options)
    report = _begun(path, claim, options, packages, about)
    done, left = report["rows"], 0
    for asked in plan(done) if callable(plan) else plan:
        done[:] = _read(path)["rows"]  # another process may have added to it
        if any(asked.items() <= row.items() for row in done):
            continue
        if not {*map(str, asked.values())} >= {*options.only}:
            left += 1
            continue
        _require(path, report, _circumstances(packages, options))
        start = _cpu_seconds()
        row = asked | run(**asked)
        row.setdefault("seconds", round(_cpu_seconds() - start, 1))
        done[:] = [*_read(path)["rows"], row]
        _write(path, report)
        print(json.dumps(row, ensure_ascii=False), flush=True)
    if left:
        print(f"{_count(done)} in {_shown(path)}, {left} missing that --only left out")
    else:
        print(f"complete: {_count(done)} in {_shown(path)}; --fresh measures again, --out FILE does so elsewhere")
    return done


def rounded(measured: NamedTuple, digits: int) -> Row:
    """Name → number, of what stands in the tuple."""
    return {name: round(value, digits) for name, value in measured._asdict().items()}


def labels(data: Dataset, *splits: str) -> torch.Tensor:
    """The labels of the splits, one after another; LookupError for data that have none."""
    if data.labels is None:
        raise LookupError(f"data: {data.key} has no labels")
    return torch.cat([data.labels[split] for split in splits])


def keep_weights(path: Path, module: torch.nn.Module, part: str = "") -> None:
    """The module's state goes to the file, its real numbers in half precision.

    With `part`, as "part/name" beside the other parts that the file holds.
    """
    halves = {name: v.half() if v.is_floating_point() else v for name, v in module.state_dict().items()}
    kept = {name: v.contiguous() for name, v in halves.items()}
    if part:
        others = load_file(path) if path.exists() else {}
        others = {name: v for name, v in others.items() if not name.startswith(f"{part}/")}
        kept = others | {f"{part}/{name}": v for name, v in kept.items()}
    write(path, save(kept))


def _begun(path: Path, claim: str, options: argparse.Namespace, packages: tuple[str, ...], about: Row) -> Row:
    """The file's content; one without rows is written where there is none, or where all is to be measured again."""
    if path.exists() and not options.fresh:
        report = _read(path)
        _require(path, report, {name: value for name, value in about.items() if not callable(value)})
        return report
    head = {name: value() if callable(value) else value for name, value in about.items()}
    report = {"command": _command(claim, options), **_circumstances(packages, options), **head, "rows": []}
    _write(path, report)
    return _read(path)


def _require(path: Path, report: Row, expected: Row) -> None:
    """SystemExit naming what differs between the head of the file and what is expected there."""
    for name, value in json.loads(json.dumps(expected)).items():
        if report.get(name) != value:
            raise SystemExit(
                f"{name}: {_shown(path)} was made with {report.get(name)}, this is {value}; "
                "--fresh measures every row again, --out FILE does so elsewhere"
            )


def _circumstances(packages: tuple[str, ...], options: argparse.Namespace) -> Row:
    threads = "one thread" if options.threads == 1 else f"{options.threads} threads"
    return {
        "versions": {"python": platform.python_version()} | {name: version(name) for name in packages},
        "processor": f"{platform.machine()}, {threads}",
    }


def _command(claim: str, options: argparse.Namespace) -> str:
    """What measures all rows again."""
    given = {name: value for name, value in vars(options).items() if name not in ("fresh", "out", "only")}
    given = {name: value for name, value in given.items() if (name, value) != ("threads", 1)}
    threads = f"OMP_NUM_THREADS={os.environ['OMP_NUM_THREADS']} " if "OMP_NUM_THREADS" in os.environ else ""
    words = [f"--{name} {value}" for name, value in given.items()]
    return " ".join([f"{threads}python -m benchmarks.{claim.replace('/', '.')}", *words])


def _cpu_seconds() -> float:
    return sum(os.times()[:4])  # of this process and of its children that have ended, user and system


def _read(path: Path) -> Row:
    return json.loads(path.read_text("utf-8"))


def _write(path: Path, report: Row) -> None:
    write(path, (json.dumps(report, indent=1, ensure_ascii=False) + "\n").encode())


def _count(rows: list[Row]) -> str:
    return f"{len(rows)} row{'s' if len(rows) != 1 else ''}"


def _shown(path: Path) -> str:
    """The path as seen from here, where it lies below."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
