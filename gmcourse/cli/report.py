"""What the commands print: likelihoods with their errors, beside those of train, of a baseline and of the truth."""

import math
import sys
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from gmcourse.cli.baselines import discrete_coordinates, gaussian_nll, independent_nll
from gmcourse.data import Dataset
from gmcourse.metrics import estimate, importance_weighted, measures, nll
from gmcourse.nets import evaluating
from gmcourse.probability import bits_per_dim
from gmcourse.protocols import Bounded, Density, ImportanceWeighted, Sampler

EXACT = "exact"
BOUND = "a bound: the NLL is lower"
WEIGHTED = "importance-weighted: a tighter bound, stochastic"


def measure(
    model: nn.Module, data: Dataset, batch: tuple[Tensor, ...], k: int | None = None, seed: int = 0
) -> list[dict[str, Any]]:
    """What the model knows of log p(x), nats an example: exact, bounded, with `k` draws importance-weighted.

    Beside it the same of as many rows of train; below, on the same rows, a baseline and the true density where it is
    known, with the paired difference to the model's. Probabilities have bits/dim, densities have not. Of a model that
    knows nothing of it, the squared errors of its reconstructions, where it makes any. `batch` is (x,), or (x, given)
    of a conditional model, which is then asked for log p(x|given).
    """
    kind, (x, *told) = measures(model, data), batch
    dims = math.prod(data.event_shape) if kind == "probability" else None
    splits = {"train": selected(data.train, len(x), seed), "x": x}
    likely = isinstance(model, (Density, Bounded))
    again = (selected(t, len(x), seed) for t in data.batch("train", likely and bool(told))[1:])
    given = {"train": next(again, None), "x": told[0] if told else None}
    rows, found = [], None
    if isinstance(model, Density):
        found = {name: nll(model, part, given=given[name]) for name, part in splits.items()}
        rows.append(_row("NLL", kind, found, EXACT, dims))
    elif isinstance(model, Bounded):
        found = {name: _negative_elbo(model, part, seed, given[name]) for name, part in splits.items()}
        rows.append(_row("-ELBO", kind, found, BOUND, dims))
    if k and isinstance(model, ImportanceWeighted):
        parts = _parts(100, x, given["x"])
        shown = tqdm(parts, unit_scale=100, unit=" examples", leave=False, disable=not sys.stderr.isatty())
        rng = _rng(model, seed)
        values = -torch.cat([importance_weighted(model, part, k, rng, given=its) for part, its in shown])
        rows.append(_row(f"NLL, k={k}", kind, {"x": values}, WEIGHTED, dims))
    if found is None:
        return _reconstruction(model, data, splits)
    return rows + _baseline(kind, data, splits, dims) + _truth(kind, data, splits, found["x"], rows[0]["meaning"])


def selected(x: Tensor, n: int | None, seed: int) -> Tensor:
    """A random selection of `n` rows (all where `n` is None or more than there are), the same for equal seeds."""
    return x[torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))[:n]]


def show(rows: list[dict[str, Any]], model: nn.Module, data: Dataset, split: str) -> None:
    """A line a measurement: mean ± standard error over the examples of train and of the split, and what it is."""
    likelihood, errors = ([row for row in rows if ("nats" in row) == is_one] for is_one in (True, False))
    if not likelihood:
        only = (
            "its samples are measured" if isinstance(model, Sampler) else "what it loses is measured, it has no samples"
        )
        print(f"  this model knows nothing of log p(x): only {only}")
    for unit, value, table in (("nats an example", "nats", likelihood), ("squared error", "value", errors)):
        if table:
            print(f"  {unit:<21}{'train':<19}{split:<19}")
        for row in table:
            cells = (_cell(row, f"train_{value}", "train_error"), _cell(row, value, "error"))
            bits = f"{row['bits_per_dim']:.4f} bits/dim  " if "bits_per_dim" in row else ""
            print(f"  {row['quantity']:<21}{cells[0]:<19}{cells[1]:<19}{bits}{row['meaning']}")
    if likelihood:
        print(remark(model, data))


def remark(model: nn.Module, data: Dataset) -> str:
    """What has to be known to read the numbers: of what they are, and where they have no lower limit."""
    if measures(model, data) == "probability":
        return "  Probabilities of discrete values: no NLL is below 0, and models of these data compare."
    said = "  Densities, differential: an NLL depends on the scale of x, and may be below 0."
    total, few = math.prod(data.event_shape), discrete_coordinates(data.train)
    if few:
        said += (
            f"\n  Warning: {few:,} of {total:,} coordinates of {data.name} take few values. A density has no limit"
            "\n  there: its NLL can fall for ever, and compares with no probability (bits/dim)."
        )
    return said


def _negative_elbo(model: Any, x: Tensor, seed: int, given: Tensor | None) -> Tensor:
    rng = _rng(model, seed)
    with torch.no_grad(), evaluating(model):
        parts = ([t.to(rng.device) for t in part if t is not None] for part in _parts(1000, x, given))
        return torch.cat([-model.elbo(*part, rng=rng).cpu() for part in parts])


def _parts(size: int, x: Tensor, given: Tensor | None) -> list[tuple[Tensor, Tensor | None]]:
    """So many rows at a time, with what is given of them."""
    rows = x.split(size)
    return list(zip(rows, given.split(size) if given is not None else [None] * len(rows), strict=True))


def _rng(model: nn.Module, seed: int) -> torch.Generator:
    return torch.Generator(next(model.parameters()).device).manual_seed(seed)


def _baseline(kind: str, data: Dataset, splits: dict[str, Tensor], dims: int | None) -> list[dict[str, Any]]:
    """Independent pixels for a probability; one Gaussian for a density, where train has one."""
    name, score = ("independent pixels", independent_nll) if dims else ("one Gaussian", gaussian_nll)
    scores = {split: score(data.train, part) for split, part in splits.items()}
    found = {split: values for split, values in scores.items() if values is not None}
    return [] if "x" not in found else [_row(name, kind, found, "for scale, fitted to train", dims)]


def _truth(kind: str, data: Dataset, splits: dict[str, Tensor], found: Tensor, claim: str) -> list[dict[str, Any]]:
    """The NLL of the truth on the same rows, and by how much the model's is above it, row by row."""
    if data.density is None:
        return []
    true = {split: -data.density.log_prob(part) for split, part in splits.items()}
    above = {"x": found - true["x"]}
    side = "KL to the truth" if claim == EXACT else "KL to the truth, at most"
    return [
        _row(f"true {kind}", kind, true, "on the same rows", None),
        _row("above the truth", kind, above, f"row by row: an estimate of the {side}", None),
    ]


def _row(quantity: str, kind: str, values: dict[str, Tensor], meaning: str, dims: int | None) -> dict[str, Any]:
    own = quantity if kind == "probability" or quantity[0].islower() else f"density {quantity}"
    row = {"quantity": own, "measures": kind, "meaning": meaning} | _estimates("nats", values)
    nats = torch.tensor(row["nats"], dtype=torch.float64)
    return row | ({"bits_per_dim": float(bits_per_dim(-nats, dims))} if dims else {})


def _estimates(name: str, values: dict[str, Tensor]) -> dict[str, float]:
    """The mean and its standard error, under `name` and "error"; of train, if it was measured, beside them."""
    found = dict(zip((name, "error"), estimate(values["x"])))
    return found | (dict(zip((f"train_{name}", "train_error"), estimate(values["train"]))) if "train" in values else {})


def _reconstruction(model: Any, data: Dataset, splits: dict[str, Tensor]) -> list[dict[str, Any]]:
    """‖x − d(e(x))‖² of a model that has `errors`, or what it says that they are; below, that of the mean of train."""
    if not hasattr(model, "errors"):
        return []
    device, mean = next(model.parameters()).device, data.train.mean(0)
    with torch.no_grad(), evaluating(model):
        own = {s: torch.cat([model.errors(rows.to(device)).cpu() for rows in splits[s].split(1000)]) for s in splits}
    blank = {s: (rows - mean).square().flatten(1).sum(1) for s, rows in splits.items()}
    quantity, formula = getattr(model, "errors_are", ("reconstruction", "‖x − d(e(x))‖²"))
    sums = f"{formula}, the sum over {math.prod(data.event_shape):,} entries"
    return [_loss(quantity, own, sums), _loss("mean of train", blank, "for scale: ‖x − m‖²")]


def _loss(quantity: str, values: dict[str, Tensor], meaning: str) -> dict[str, Any]:
    return {"quantity": quantity, "meaning": meaning} | _estimates("value", values)


def _cell(row: dict[str, Any], value: str, error: str) -> str:
    return f"{row[value]:.3f} ± {row[error]:.3f}" if value in row else ""
