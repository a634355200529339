"""What stands in a file of the comparison: values over seeds at the chosen rate, and the five properties."""

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gmcourse.catalogue import find
from gmcourse.comparison.differences import share_near_best
from gmcourse.comparison.rungs import BASELINES, RUNGS
from gmcourse.record import ModelRecord

COURSE = Path(__file__).parents[1] / "results" / "comparison" / "digits.json"
LONGER = Path(__file__).parents[1] / "results" / "comparison" / "digits_60s.json"  # ten models, a minute each
SEEDS = 5  # of the sweep over rates, whose 15 runs are the stability; more seeds have the chosen rate alone
NEAR_OWN_BEST = 1.5
CONSTRAINTS = {
    "fully visible belief net": "no pixel sees a later one",
    "normalising flow": "an inverse, and a determinant that is cheap",
    "continuous flow": "none but smoothness",
    "dequantised flow": "an inverse, and a determinant that is cheap",
    "variational": "none for either network; the density of the code is chosen",
    "discrete codes": "none for either network; a code of few symbols",
    "diffusion": "none but the shape of the picture",
    "score": "none but the shape of the picture",
    "adversarial": "none for the generator; the critic's slope is often bounded",
    "distilled": "none but the shape of the picture; a teacher to follow",
    "Markov chain": "none",
}
"""What the network of a model must be like, by its leaf of the family tree."""
ELBO_OF_ANOTHER = {"ddim"}
"""Models that sample by another walk than the chain whose bound their `elbo` is: what they draw has no bits here."""

Row = dict[str, Any]
Report = dict[str, Any]


class Properties(NamedTuple):
    """The five properties of a model, as measured; None where it has no such number.

    `stability` is the share of the 15 runs of the sweep within 1.5 times their own best Fréchet distance, `capacity`
    the kernel distance on the three rungs over that of independent pixels, `bits` (mean, s.d. over seeds) with `kind`
    "exact", "bound" or "none", `seconds` those of training, `sampling` ms per 1,000 samples, `calls` network calls one
    after the other for a sample.
    """

    record: ModelRecord
    rate: str
    frechet: Tensor
    failures: int
    stability: float
    capacity: tuple[float | None, ...]
    kind: str
    bits: Tensor | None
    constraint: str
    seconds: float
    sampling: float
    calls: int
    parameters: int


def stored(path: Path = COURSE) -> Report:
    """The report of a file of `gmcourse compare`, by default the course's. Raises FileNotFoundError, ValueError."""
    if not path.is_file():
        raise FileNotFoundError(f"file: {path} is not there; gmcourse compare --out {path} writes it")
    report = json.loads(path.read_text("utf-8"))
    if not {"rows", "calibrated", "seconds"} <= set(report):
        raise ValueError(f"file: {path} is no file of gmcourse compare")
    return report


def chosen_rate(rows: Iterable[Row], key: str) -> str:
    """Of the rates with the fewest failures in the sweep, that with the least mean Fréchet distance to valid.

    Raises ValueError where the sweep has no such model.
    """
    rates: dict[str, list[float]] = {}
    for row in swept(rows, key):
        rates.setdefault(row["rate"], []).append(row.get("valid_frechet", float("inf")))

    def worth(rate: str) -> tuple[int, float]:
        found = [value for value in rates[rate] if value < float("inf")]
        return len(rates[rate]) - len(found), sum(found) / max(1, len(found))

    return min(rates, key=worth)


def swept(rows: Iterable[Row], key: str) -> list[Row]:
    """The runs of a model over rates and seeds. Raises ValueError where there is none."""
    found = [row for row in rows if (row["model"], row["rung"]) == (key, "digits") and row["seed"] < SEEDS]
    if not found:
        raise ValueError(f"key: got {key!r}, expected a model that the file has runs of")
    return found


def at_chosen_rate(report: Report, key: str, name: str = "digits") -> list[Row]:
    """The runs on a rung at the chosen rate, by seed, failures and all; those of a baseline, which has no rate."""
    rate = "" if key in BASELINES else report.get("rates", {}).get(key) or chosen_rate(report["rows"], key)
    found = [row for row in report["rows"] if (row["model"], row["rung"], row["rate"]) == (key, name, rate)]
    return sorted(found, key=lambda row: row["seed"])


def values(report: Report, key: str, column: str, name: str = "digits") -> Tensor:
    """One number a run that did not fail, (seeds,), float64."""
    found = [row[column] for row in at_chosen_rate(report, key, name) if row.get(column) is not None]
    return torch.tensor(found, dtype=torch.float64)


def values_of_rate(report: Report, row: Row, column: str = "frechet") -> Tensor:
    """The numbers of all seeds that share a row's model, rung and rate."""
    same = ("model", "rung", "rate")
    found = [other[column] for other in report["rows"] if all(other[n] == row[n] for n in same) and column in other]
    return torch.tensor(found, dtype=torch.float64)


def models(report: Report) -> list[str]:
    """The models that were run, in the order of the catalogue."""
    return [key for key in report["calibrated"]["digits"] if any(row["model"] == key for row in report["rows"])]


def stability(report: Report, key: str, times: float = NEAR_OWN_BEST) -> float:
    """The share of the sweep's runs that end within so many times the model's own best; a failure does not."""
    runs = [row.get("frechet", math.inf) for row in swept(report["rows"], key)]
    return share_near_best(torch.tensor(runs, dtype=torch.float64), times)


def capacity(report: Report, key: str) -> tuple[float | None, ...]:
    """The mean kernel distance on each rung over that of independent pixels: 0 is the data, 1 no better than pixels."""
    found: list[float | None] = []
    for name in RUNGS:
        own, pixels = (values(report, which, "kernel", name) for which in (key, "independent pixels"))
        found.append((own.mean() / pixels.mean()).item() if len(own) and len(pixels) else None)
    return tuple(found)


def properties(report: Report, key: str) -> Properties:
    """The five properties of one model."""
    record, runs, told = find(key), at_chosen_rate(report, key), report["calibrated"]["digits"][key]
    bits = torch.tensor([]) if key in ELBO_OF_ANOTHER else values(report, key, "bits")
    kind = "none" if not len(bits) else "bound" if _bounded(record) else "exact"
    return Properties(
        record=record,
        rate=chosen_rate(report["rows"], key),
        frechet=values(report, key, "frechet"),
        failures=sum("failed" in row for row in runs),
        stability=stability(report, key),
        capacity=capacity(report, key),
        kind=kind,
        bits=bits if len(bits) else None,
        constraint=CONSTRAINTS[record.branch[-1]],
        seconds=values(report, key, "seconds").mean().item(),
        sampling=values(report, key, "sampling").median().item(),
        calls=told["calls"],
        parameters=told["parameters"],
    )


def _bounded(record: ModelRecord) -> bool:
    """Whether its bits are a bound: of every model but those that have probabilities of levels themselves."""
    return record.branch[-1] != "fully visible belief net"
