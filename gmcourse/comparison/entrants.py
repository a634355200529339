"""Which models of the catalogue enter the comparison, in which form, and why the others do not."""

from typing import Any, NamedTuple

import torch
from torch import nn

from gmcourse.catalogue import CATALOGUE
from gmcourse.comparison.discrete import Leveled
from gmcourse.comparison.rungs import rung
from gmcourse.data import Dataset
from gmcourse.metrics import measures
from gmcourse.protocols import Adversarial, Sampler
from gmcourse.record import ModelRecord
from gmcourse.training import fit, fit_adversarial
from gmcourse.training.descent import Rate

RATES = {"1/3": 1 / 3, "1": 1.0, "3": 3.0}
"""What a recipe's learning rate is multiplied by; the choice is made on valid."""


class Entrant(NamedTuple):
    """A model with fresh weights, and the arguments of its training."""

    model: nn.Module
    recipe: dict[str, Any]


def enter(record: ModelRecord, name: str, *, seed: int = 0, steps: int | None = None, rate: str = "1") -> Entrant:
    """The model as it enters on a rung: fitted in shape, its weights drawn from the seed, its schedule stretched.

    Models of a continuous density learn one of levels (`Leveled`); those for vectors see a row of pixels. A model that
    grows as it learns does so in the same fractions of the steps. Raises ValueError with the reason where it is left
    out.
    """
    if record.told or record.pairs:
        raise ValueError("conditional: it has to be told what to draw")
    if Sampler not in record.claims:
        raise ValueError("draws no samples")
    data, form = rung(name), form_of(record, name)
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        model = record.build(form)
    recipe = record.recipe(form, steps=steps)
    _grow_as_planned(model, recipe["steps"] / record.recipe(form)["steps"])
    if record.density in ("exact", "bound") and measures(model, form) == "density":
        model = Leveled(model, data.event_shape, form.event_shape)
    return Entrant(model, recipe | {"lr": _times(RATES[rate], recipe["lr"])})


def form_of(record: ModelRecord, name: str) -> Dataset:
    """The pictures of a rung, or rows of their pixels where the model is for vectors."""
    data = rung(name)
    if record.suits(data.event_shape, data.train.dtype):
        return data
    return Dataset.from_tensors((data.train.flatten(1), data.valid.flatten(1), data.test.flatten(1)))


def train(record: ModelRecord, entrant: Entrant, name: str, seed: int) -> None:
    """Train to the last step. Raises FloatingPointError on a loss that is not finite."""
    loop: Any = fit_adversarial if Adversarial in record.claims else fit
    loop(entrant.model, (rung(name).train,), seed=seed, progress=False, **entrant.recipe)


def entrants(name: str = "digits") -> tuple[list[ModelRecord], dict[str, str]]:
    """The records that enter on a rung, and of the others why not."""
    entering, left_out = [], {}
    for record in CATALOGUE:
        try:
            enter(record, name)
            entering.append(record)
        except ValueError as error:
            left_out[record.key] = str(error)
    return entering, left_out


def _grow_as_planned(model: Any, fraction: float) -> None:
    for count in ("held", "faded"):
        if hasattr(model, count):
            setattr(model, count, max(1, round(getattr(model, count) * fraction)))


def _times(factor: float, lr: Rate) -> Rate:
    return (lambda step: factor * lr(step)) if callable(lr) else factor * lr
