"""Claims that are named before the file is read, each tested over seeds, all together by Holm's rule."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from gmcourse.comparison.differences import holm, permutation_p
from gmcourse.comparison.results import Report, values

FAMILIES = {
    "autoregressive": "autoregressive",
    "vae": "variational",
    "gan": "adversarial",
    "flows": "flows",
    "scores": "score models",
}
"""The families of the catalogue in words."""


class Claim(NamedTuple):
    """ "`less` has the less `column` than `more`": what stands in a sentence of the literature, in two models."""

    text: str
    less: str
    more: str
    column: str = "frechet"


class Verdict(NamedTuple):
    """A claim with both means, p, and what is told: "yes", "no" (the opposite holds), or "not told apart"."""

    claim: Claim
    less: float
    more: float
    p: float
    told: str


def judged(report: Report, claims: Sequence[Claim], level: float = 0.05) -> list[Verdict]:
    """Each claim by the permutation test over seeds at the chosen rates; all together they err with a chance `level`.

    Raises ValueError where a model has fewer than two runs that did not fail.
    """
    pairs = [[values(report, key, claim.column) for key in (claim.less, claim.more)] for claim in claims]
    p = torch.tensor([permutation_p(a, b) for a, b in pairs], dtype=torch.float64)
    return [
        Verdict(claim, a.mean().item(), b.mean().item(), float(each), _told(a, b, bool(holds)))
        for claim, (a, b), each, holds in zip(claims, pairs, p, holm(p, level), strict=True)
    ]


def scatter(found: Tensor) -> Tensor:
    """How far each seed lies from the median of all, in units of it, (seeds,)."""
    middle = found.median()
    return ((found - middle) / middle).abs()


def bootstrap_share(found: Mapping[str, Tensor], rows: Sequence[Sequence[str]], draws: int, rng: Generator) -> float:
    """The share of resamplings of the seeds in which the first of each row stays before all models of later rows.

    `rows` are names from best to worst, ties in one row, as `order` gives them.
    """
    means = []
    for row in rows:
        picked = [
            found[name][torch.randint(len(found[name]), (draws, len(found[name])), generator=rng)] for name in row
        ]
        means.append(torch.stack([runs.mean(1) for runs in picked]))
    kept = [row[0] < torch.cat(means[k:]).amin(0) for k, row in enumerate(means[:-1], start=1)]
    return torch.stack(kept).all(0).double().mean().item()


def _told(a: Tensor, b: Tensor, holds: bool) -> str:
    if not holds:
        return "not told apart"
    return "yes" if a.mean() < b.mean() else "no"
