"""What one can ask of any model, and what tells from its record whether it can answer; each answer can be called."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gmcourse.metrics.calls import Ask, draw
from gmcourse.protocols import Bijection, Bounded, Density, Sampler, Scored, Unnormalised
from gmcourse.record import ModelRecord

WITHOUT_SLOPE = ("probability table", "fully visible belief net", "Markov chain")
"""Branches whose log p(x) has no slope: their x falls into cells, is binary, or steps from value to value."""


@dataclass(frozen=True)
class Way:
    """A model that keeps `claim` answers by its `method`: ask(model, x), or ask(model, x, given); `after` follows."""

    claim: type
    method: str
    ask: Ask
    after: str = ""


@dataclass(frozen=True)
class Question:
    """What is asked for, in words that follow "give", a line on it, and the ways to an answer, the best one first.

    With `in_one_pass`, the network must not be called a second time.
    """

    key: str
    words: str
    note: str
    ways: tuple[Way, ...]
    in_one_pass: bool = False


def _log_prob(model: Any, x: Tensor, *given: Tensor) -> Tensor:
    return model.log_prob(x, *given)


def _minus_energy(model: Any, x: Tensor, *given: Tensor) -> Tensor:
    return -model.energy(x, *given)


def _slope(function: Ask) -> Ask:
    """The gradient of function(model, x) with respect to x, row by row."""

    def ask(model: Any, x: Tensor, *given: Tensor) -> Tensor:
        with torch.enable_grad():
            x = x.detach().clone().requires_grad_()
            (slope,) = torch.autograd.grad(function(model, x, *given).sum(), x)
        return slope

    return ask


SAMPLE = Way(Sampler, "sample", draw)
LOG_PROB = Way(Density, "log_prob", _log_prob)
ELBO = Way(Bounded, "elbo", lambda model, x, *given: model.elbo(x, *given))
ENERGY = Way(Unnormalised, "energy", lambda model, x, *given: model.energy(x, *given))
LATENT = Way(Bijection, "forward", lambda model, x, *given: model(x, *given)[0])
SLOPES = (
    Way(Scored, "score", lambda model, x, *given: model.score(x, 0.1, *given)),
    Way(Density, "log_prob", _slope(_log_prob), ", then backward"),
    Way(Unnormalised, "energy", _slope(_minus_energy), ", then backward"),
)

QUESTIONS = (
    Question("sample", "a sample", "How often one draw calls the network stands beside each model.", (SAMPLE,)),
    Question(
        "one-pass",
        "a sample in one pass",
        "The network is called once, or the draw is a formula that calls none.",
        (SAMPLE,),
        in_one_pass=True,
    ),
    Question(
        "exact", "log p(x), exactly", "Up to rounding, and up to a solver's error where one is named.", (LOG_PROB,)
    ),
    Question(
        "bound",
        "at least a lower bound on log p(x)",
        "An ELBO lies, on average over its own draws, at or below log p(x). An exact value is more than a bound.",
        (LOG_PROB, ELBO),
    ),
    Question(
        "constant",
        "log p(x), at least up to a constant",
        "Enough to say how much more probable one point is than another.",
        (LOG_PROB, ENERGY),
    ),
    Question(
        "slope",
        "the slope of log p(x)",
        "The score: the gradient with respect to x, by a backward pass, or at once from a network trained for it.",
        SLOPES,
    ),
    Question(
        "latent",
        "the one latent z of a point x",
        "Where the model is a map with an inverse. The encoder of a VAE gives a distribution over z instead.",
        (LATENT,),
    ),
)


def way(question: Question, record: ModelRecord, cost: Callable[[Way], str]) -> Way | None:
    """How the model answers, from what its record claims and what the answer costs; None where it cannot."""
    if question.ways is SLOPES and record.branch[-1] in WITHOUT_SLOPE:
        return None
    found = next((one for one in question.ways if one.claim in record.claims), None)
    if found and question.in_one_pass and cost(found) not in ("a formula", "1 pass"):
        return None
    return found
