"""The comparison in words: a table of the properties, the order with its ties, and a rerun beside what is stored."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

import torch

from gmcourse.comparison.differences import order
from gmcourse.comparison.results import Properties, Report, models, properties, values, values_of_rate
from gmcourse.comparison.rungs import BASELINES
from gmcourse.comparison.running import Task, run

HEAD = ("model", "Fréchet", "stable", "capacity", "bits/dim", "calls", "ms/1,000", "parameters")
SHOWN = ("pixelcnn", "gaussian-vae", "vq-vae", "gan", "wgan-gp", "dcgan", "realnvp", "maf", "flow-matching", "ddpm")
"""The models of a short table."""
SPREADS = 4.0
"""How many s.d. over the seeds a rerun of a stored row may differ from it: on the same processor it is equal."""


def table(report: Report, keys: Iterable[str] = ()) -> list[tuple[str, ...]]:
    """A row a model, best Fréchet distance first, below the head: mean ± s.d. over the seeds of the chosen rate."""
    found = [properties(report, key) for key in keys or models(report)]
    return [HEAD, *(_cells(row) for row in sorted(found, key=lambda row: row.frechet.mean().nan_to_num(torch.inf)))]


def aligned(rows: list[tuple[str, ...]]) -> Iterator[str]:
    """Lines of a table for a terminal: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *others in rows:
        yield "  ".join([first.ljust(widths[0]), *(c.rjust(w) for c, w in zip(others, widths[1:], strict=True))])


def markdown(rows: list[tuple[str, ...]]) -> Iterator[str]:
    """Lines of a table for a page."""
    head, *body = rows
    yield from (f"| {' | '.join(row)} |" for row in (head, ["---", *["---:"] * (len(head) - 1)], *body))


def floors(report: Report, column: str = "frechet") -> dict[str, tuple[float, float]]:
    """Mean and s.d. over seeds of the three simplest models: rows of train, independent pixels, one Gaussian."""
    found = {key: values(report, key, column) for key in BASELINES}
    return {key: (value.mean().item(), value.std().item()) for key, value in found.items()}


def ties(report: Report, keys: Iterable[str] = (), column: str = "frechet", level: float = 0.05) -> list[list[str]]:
    """The models in rows: those together that no permutation test over the seeds tells from the best of their row."""
    found = {key: values(report, key, column) for key in keys or models(report)}
    return order({key: value for key, value in found.items() if len(value) > 1}, level)


def told(report: Report) -> Iterator[str]:
    """Lines of what a report says: the table, the floors, the order with its ties."""
    yield f"{report['seconds']:g} CPU seconds a training; mean ± s.d. over the seeds of the rate chosen on valid"
    yield from aligned(table(report))
    if any(row["model"] in BASELINES for row in report["rows"]):
        near = "; ".join(f"{name} {mean:.0f} ± {spread:.0f}" for name, (mean, spread) in floors(report).items())
        yield f"Fréchet distance of {near}"
    yield "in rows that no test at 0.05 a pair tells from their best:"
    yield from (f"  {', '.join(row)}" for row in ties(report))


def told_again(report: Report, count: int) -> Iterator[str]:
    """Lines of a rerun: so many rows, evenly spaced, trained again, and how far they lie from what is stored.

    On the processor that wrote the file each is equal. On another one a training takes another path; the difference is
    then that of another seed, and the count within `SPREADS` s.d. over the seeds is said.
    """
    rows = [row for row in report["rows"] if row["rung"] == "digits" and row["steps"] and "frechet" in row]
    kept, within = [rows[k * len(rows) // count] for k in range(count)], 0
    for row in kept:
        new = run(Task(**{name: row[name] for name in Task._fields}))
        apart = abs(new["frechet"] - row["frechet"]) / values_of_rate(report, row).std().item()
        within += apart <= SPREADS
        yield f"{row['model']:28} stored {row['frechet']:8.1f}, again {new['frechet']:8.1f}: {apart:.1f} s.d. of seeds"
    yield f"{within} of {len(kept)} within {SPREADS:g} s.d."


def write_csv(report: Report, path: Path) -> None:
    """Every row as a line of a table that any program reads; what a row does not have is left empty."""
    names = list(dict.fromkeys(name for row in report["rows"] for name in row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(report["rows"])


def _cells(row: Properties) -> tuple[str, ...]:
    n, failed = len(row.frechet), f", {row.failures} failed" if row.failures else ""
    near = f"{row.frechet.mean():.0f} ± {row.frechet.std():.0f}{failed}" if n > 1 else f"–{failed}"
    at_most = "≤ " if row.kind == "bound" else ""
    return (
        row.record.name,
        near,
        f"{row.stability:.2f}",
        " / ".join("–" if part is None else f"{max(part, 0):.2f}" for part in row.capacity),
        "–" if row.bits is None else f"{at_most}{row.bits.mean():.2f}",
        f"{row.calls}",
        f"{row.sampling:,.0f}" if row.sampling >= 100 else f"{row.sampling:.3g}",
        f"{row.parameters:,}",
    )
