"""What was measured of each job, read from the files of results: one number a seed of each way to do it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from gmcourse.catalogue import find
from gmcourse.comparison import results
from gmcourse.comparison.jobs import JOBS, Job, Row, Values, Verdict, values, verdict
from gmcourse.comparison.rungs import BASELINES

Read = Callable[[str], Mapping[str, Any] | None]
"""A claim such as "gan/blanks" → what its file holds; None where there is no such file."""

BOUNDS = {"compression": {"VAE", "RealNVP", "DDPM"}, "completion": {"CVAE"}}
"""The ways whose number is a bound from above: by job."""
MOST_SEEDS = 7  # of a file with more: an exact test of 10 against 10 has 184,756 ways
MEMORISED = "rows of train"  # a floor, and no model
SWEPT = range(5)  # the seeds that have every rate
FAST = 10.0  # ms for 1,000 samples: a GAN's generator or a VAE's decoder, and no walk
PAIRS = {"L2": "regression, L2", "L1": "regression, L1", "λ = 10": "pix2pix"}
CYCLES = {10.0: "CycleGAN", 0.0: "no cycle"}
CLASSICS = ("PCA", "Mahalanobis")  # of lesson 3.4; no chance is in them


def fewest_bits(row: Row) -> float | None:
    """What is known of the length: of the file where one was written, else of the probability, else the best bound."""
    return next((row[key] for key in ("coded", "bits", "tighter", "at most") if key in row), None)


def fewest_nats(row: Row) -> float | None:
    return row.get("nats", row.get("at most"))


def standings(read: Read) -> dict[str, Values]:
    """Job → its values, for every job of which there is a file."""
    jobs = with_enough_seeds(at_chosen_rates((read("comparison/jobs") or {"rows": []})["rows"]))
    found = {
        "compression": values(jobs, fewest_bits, job="compression"),
        "anomalies": values(jobs, "mean", job="anomalies") | _classics(read),
        "completion": values(jobs, fewest_nats, job="completion"),
        "denoising": values(jobs, "psnr", job="denoising"),
        "augmentation": _gains(jobs, 100),
        "blanks": blanks(read, "Letter"),
        "pairs": _renamed(_of(read, "gan/translation", "frechet", "setting", task="coarse"), PAIRS),
        "no pairs": _renamed(_of(read, "gan/cycles", "there", "weight", task="colour"), CYCLES),
    }
    report = read("comparison/digits")
    if report:
        found |= {"synthesis": sampling_values(dict(report)), "fast sampling": sampling_values(dict(report), FAST)}
    return {name: each for name, each in found.items() if each}


def sampling_values(report: results.Report, most_ms: float = float("inf")) -> Values:
    """Name → Fréchet distances by seed at the chosen rate, of a file of `gmcourse compare`.

    Those whose median time for 1,000 samples is above `most_ms` are left out; a baseline takes none. Training rows
    drawn again are no competitor.
    """
    found = {find(key).name: key for key in results.models(report)} | {key: key for key in BASELINES}
    slow = {key for key in found.values() if _median(results.values(report, key, "sampling")) > most_ms}
    return {
        name: results.values(report, key, "frechet") for name, key in found.items() if key not in slow | {MEMORISED}
    }


def verdicts(found: Mapping[str, Values]) -> dict[str, Verdict]:
    """Job → who does it best, of the jobs that were measured, in the order of the guide."""
    return {job.name: verdict(job, found[job.name]) for job in JOBS if job.name in found}


def leaves(told: Mapping[str, Verdict]) -> list[tuple[str, str, str]]:
    """(question, job, what was measured) for `gmcourse.show.guide_figure`, of the jobs that were judged."""
    return [(job.question, job.name, in_words(job, told[job.name])) for job in JOBS if job.name in told]


def in_words(job: Job, told: Verdict) -> str:
    """The winner or the tie, its score, and the baseline's: "PixelCNN (tie): 1.72; histogram: 2.43"."""
    first, *others = told.winners
    tied = " (tie)" if others else ""
    if job.baseline in told.winners:
        return f"{job.baseline} is not beaten"
    return f"{first}{tied}: {told.mean:.3g}; {job.baseline}: {told.baseline:.3g}"


def blanks(read: Read, table: str) -> Values:
    """The errors of all ways to fill the blanks of a table."""
    found = _of(read, "gan/blanks", "rmse", "method", table=table, width=0)
    return {"column's mean" if name == "mean" else name: each for name, each in found.items()}


def at_chosen_rates(rows: Sequence[Row]) -> list[Row]:
    """The rows without those of other rates than the one whose loss on valid was least, the mean over the sweep.

    Rows of one rate have none, and stay.
    """
    sweeps: dict[tuple[str, str], dict[str, list[float]]] = {}
    for row in rows:
        if "rate" in row and row["seed"] in SWEPT:
            losses = sweeps.setdefault((row["job"], row["model"]), {})
            losses.setdefault(row["rate"], []).append(row["valid"])
    best = {key: min(losses, key=lambda rate: sum(losses[rate]) / len(losses[rate])) for key, losses in sweeps.items()}
    return [row for row in rows if "rate" not in row or best.get((row["job"], row["model"])) == row["rate"]]


def with_enough_seeds(rows: Sequence[Row], least: int = 5) -> list[Row]:
    """The rows without those of a training that was done with fewer seeds: a file may not be complete yet."""
    trained = Counter((row["job"], row["model"], row.get("labels")) for row in rows if "steps" in row)
    few = {key for key, count in trained.items() if count < least}
    return [row for row in rows if (row["job"], row["model"], row.get("labels")) not in few]


def _median(values: Tensor) -> float:
    return values.median().item() if len(values) else 0.0


def _gains(rows: list[Row], labels: int) -> Values:
    """Accuracy with drawn rows added, less that of the same real rows alone, whose gain is 0."""
    gains = values(rows, lambda row: row["both"] - row["real"], job="augmentation", labels=labels)
    return gains | {"real alone": torch.zeros(MOST_SEEDS, dtype=torch.float64)} if gains else {}


def _classics(read: Read) -> Values:
    """Means over the ten digits, by seed, of the scores of lesson 3.4."""
    report = read("autoencoders/anomalies") or {"rows": []}
    rows = [row for row in report["rows"] if row["task"].startswith("digit")]
    seeds = sorted({row["seed"] for row in rows})
    each = {name: [[row[name] for row in rows if row["seed"] == seed] for seed in seeds] for name in CLASSICS}
    return {name: torch.tensor(table, dtype=torch.float64).mean(1) for name, table in each.items() if table}


def _of(read: Read, claim: str, score: str, name: str, **where: Any) -> Values:
    report = read(claim)
    found = values(report["rows"], score, name, **where) if report else {}
    return {key: each[:MOST_SEEDS] for key, each in found.items()}


def _renamed(found: Values, names: Mapping[Any, str]) -> Values:
    """Those that have a name in `names`, under it."""
    return {names[key]: each for key, each in found.items() if key in names}
