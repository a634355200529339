"""A law of what models claim: the word for a model is that of the first question that it answers."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken

ANSWERS = {"log_prob": "exact", "elbo": "bound", "energy": "unnormalised", "sample": "implicit"}
"""Method → what a model is that answers it; the first that answers decides."""

CASES = (
    ("log_prob sample", ""),
    ("elbo sample", ""),
    ("energy", ""),
    ("sample", ""),
    ("loss", ""),
    ("log_prob", "sample"),
    ("elbo log_weights sample", "log_prob"),
    ("energy score", "elbo"),
    ("sample", "log_prob elbo energy"),
    ("", "log_prob elbo energy sample"),
    ("energy elbo sample", ""),
    ("sample energy", ""),
    ("log_prob elbo energy sample", ""),
    ("elbo energy", "log_prob"),
    ("encode decode", "sample"),
    ("energy sample", "log_prob"),
)
"""What a model answers, and what it has but raises NotImplementedError for."""


def word_is_found_by_calling(candidate: Callable[[Any, Tensor], str], *, seed: int = 0) -> None:
    """candidate(model, x) is "exact", "bound", "unnormalised", "implicit" or "none", whatever the model's name.

    Models of one method and of several, some that raise NotImplementedError, as plain objects and as modules.
    """
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(seed))
    for k, (works, raises) in enumerate(CASES):
        able, unable = works.split(), raises.split()
        word = ask(candidate, model=_model(able, unable, module=k % 3 == 2), x=x)
        if not isinstance(word, str):
            raise LawBroken("the answer is one word", f"a {type(word).__name__}", "a string", "container")
        right, said = _first(able), word.strip().lower().replace("unnormalized", "unnormalised")
        if said == right:
            continue
        case = f"a model that answers {_listed(able)}" + (f" and raises for {_listed(unable)}" if unable else "")
        law = "the first question that a model answers decides"
        raise LawBroken(law, f'"{word}"', f'"{right}"', _cause(said, able, unable), case)


def _listed(names: list[str]) -> str:
    return ", ".join(names) or "nothing"


def _first(able: list[str]) -> str:
    return next((word for name, word in ANSWERS.items() if name in able), "none")


def _cause(said: str, able: list[str], unable: list[str]) -> str:
    """Which slip gives this word for this model."""
    if said not in {*ANSWERS.values(), "none"}:
        return "constant"
    if said == _first([*able, *unable]):
        return "dependence"  # as if all that it has could be called
    if said == "none":
        return "one-to-one"
    return "direction" if said in {ANSWERS.get(name) for name in able} else ""


def _model(able: list[str], unable: list[str], *, module: bool) -> Any:
    """A model of that nature, its name no help; what it answers it has from a parent class."""

    base = nn.Module if module else object
    parent = type("Parent", (base,), {name: _sample if name == "sample" else _value for name in able})
    return type("Model", (parent,), dict.fromkeys(unable, lambda self, *inputs, **named: _refuse()))()


def _refuse() -> None:
    raise NotImplementedError


def _sample(self: Any, n: int, *, rng: torch.Generator | None = None) -> Tensor:
    return torch.zeros(int(n), 3)


def _value(self: Any, x: Tensor, *, rng: torch.Generator | None = None) -> Tensor:
    """Above 0 at some x, as a log-density may be."""
    if x.shape[1:] != (3,):
        raise ValueError(f"x: got shape {tuple(x.shape)}, expected (batch, 3)")
    return 2 - x.square().sum(1)
