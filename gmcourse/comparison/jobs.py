"""Jobs: what each asks of a model, how it is scored, and who does it best by what was measured."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gmcourse.comparison.differences import difference_p, order
from gmcourse.protocols import Bounded, Density, Sampler, Scored, Unnormalised
from gmcourse.record import ModelRecord

Row = Mapping[str, Any]
Values = dict[str, Tensor]
"""One number a seed, (seeds,), of each way to do a job."""
Score = Callable[[Row], float | None]
SEEDS = 5  # the fewest that are compared

METHODS = {Sampler: "sample", Density: "log_prob", Bounded: "elbo", Unnormalised: "energy", Scored: "score"}


@dataclass(frozen=True)
class Job:
    """A job: the question that leads to it, its score and the way to beat, where `baseline` is among its values.

    `needs` are the methods that a model must have, of each group one; none where methods alone do not settle it.
    `lesson` tells more of it.
    """

    name: str
    question: str
    score: str
    baseline: str
    lesson: str
    larger_is_better: bool = False
    needs: tuple[frozenset[str], ...] = ()


class Verdict(NamedTuple):
    """Who does a job best: `winners` are not told from one another; p against the baseline, and against the next."""

    winners: list[str]
    mean: float
    spread: float
    baseline: float
    p_baseline: float
    next: str
    p_next: float


SAMPLE, NUMBER = frozenset({"sample"}), frozenset({"log_prob", "elbo"})
JOBS = (
    Job(
        "compression",
        "Is it the length of a file?",
        "bits a pixel",
        "histogram",
        "2.4",
        needs=(NUMBER,),
    ),
    Job(
        "anomalies",
        "Is it how odd an x is?",
        "mean AUROC",
        "nearest digit",
        "3.4",
        larger_is_better=True,
        needs=(NUMBER | {"energy"},),
    ),
    Job(
        "completion",
        "Is a part of a picture missing?",
        "nats of the lower half",
        "mixture, counted",
        "4.3",
    ),
    Job("blanks", "Are entries of a table missing?", "RMSE, Letter", "column's mean", "5.9"),
    Job("pairs", "Have you pairs to translate?", "distance to the data", "regression, L2", "5.7"),
    Job("no pairs", "Two sets without pairs?", "error", "no cycle", "5.7"),
    Job(
        "denoising",
        "Is it noise to take away?",
        "PSNR, dB",
        "linear",
        "3.2",
        larger_is_better=True,
    ),
    Job(
        "augmentation",
        "Are rows for a classifier few?",
        "accuracy gained",
        "real alone",
        "8.3",
        larger_is_better=True,
        needs=(SAMPLE,),
    ),
    Job("fast sampling", "Samples, and no time?", "Fréchet distance", "one Gaussian", "8.2", needs=(SAMPLE,)),
    Job("synthesis", "Samples, then.", "Fréchet distance", "one Gaussian", "8.2", needs=(SAMPLE,)),
)
"""In the order in which the guide asks: the first question with the answer yes names the job."""


def able(has: Tensor, groups: Tensor) -> Tensor:
    """Which models have at least one method of every group, (M,) bool.

    has (M, K), what each of M models has of K methods; groups (G, K), of which methods one is enough; both bool. No
    groups: all are able. Raises ValueError for another type, or another number of methods.
    """
    if has.dtype != torch.bool or groups.dtype != torch.bool or has.shape[1:] != groups.shape[1:]:
        kinds = f"{has.dtype} {tuple(has.shape)}, {groups.dtype} {tuple(groups.shape)}"
        raise ValueError(f"has, groups: got {kinds}, expected bool, (M, K) and (G, K)")
    return (has[:, None] & groups).any(2).all(1)


def held(records: Sequence[ModelRecord]) -> Tensor:
    """What the records of the catalogue claim, (M, K) bool, the K methods in the order of `METHODS`."""
    return torch.tensor([[claim in record.claims for claim in METHODS] for record in records])


def needed(job: Job) -> Tensor:
    """The groups of methods that a job needs, (G, K) bool, in the same order."""
    return torch.tensor([[name in group for name in METHODS.values()] for group in job.needs]).reshape(-1, len(METHODS))


def values(rows: Iterable[Row], score: str | Score, name: str = "model", **where: Any) -> Values:
    """Name → its scores by seed, float64, of the rows that hold what `where` says; rows without the score are left out.

    A way that was measured once, since no chance is in it, has the same number for every seed.
    """
    read = score if callable(score) else (lambda row: row.get(score))
    found: dict[str, list[tuple[int, float]]] = {}
    for row in rows:
        asked = all(row.get(key) == wanted for key, wanted in where.items())
        if asked and (value := read(row)) is not None:
            found.setdefault(row[name], []).append((row["seed"], value))
    seeds = max([SEEDS, *(len(each) for each in found.values())])
    lists = {key: [value for _, value in sorted(each)] for key, each in found.items()}
    filled = {key: each * seeds if len(each) == 1 else each for key, each in lists.items()}
    return {key: torch.tensor(each, dtype=torch.float64) for key, each in filled.items()}


def verdict(job: Job, found: Values, level: float = 0.05) -> Verdict:
    """The row of the best, its mean and spread, and `difference_p` of the best, against the baseline too.

    The `level` is of each pair. Raises ValueError where the baseline was not measured.
    """
    if job.baseline not in found:
        raise ValueError(f"found: got {sorted(found)}, expected {job.baseline!r}, the baseline, among them")
    rows = order(found, level, larger_is_better=job.larger_is_better)
    best, after = found[rows[0][0]], rows[1][0] if len(rows) > 1 else ""
    return Verdict(
        winners=rows[0],
        mean=best.mean().item(),
        spread=best.std().item(),
        baseline=found[job.baseline].mean().item(),
        p_baseline=difference_p(best, found[job.baseline]),
        next=after,
        p_next=difference_p(best, found[after]) if after else 1.0,
    )
