"""Symbols drawn one after another from a model that carries a state: the same loop for every sequence model."""

from collections.abc import Callable
from typing import Any, Protocol, cast

import torch
from torch import Generator, Tensor, nn

from gmcourse.autoregressive.discrete import choose as draw
from gmcourse.autoregressive.discrete import uniforms
from gmcourse.nets import sampling

Choosing = Callable[[Tensor], Tensor]


class Stepwise(Protocol):
    """Reads one symbol at a time: `state` is whatever the model must remember of those before."""

    @property
    def begin(self) -> Callable[..., Any]: ...
    def step(self, symbol: Tensor | None, state: Any) -> tuple[Tensor, Any]: ...


def unchanged(logits: Tensor) -> Tensor:
    """The logits themselves: a draw from the model as it is."""
    return logits


def generate(
    model: Stepwise,
    n: int,
    length: int,
    *,
    given: tuple[Tensor, ...] = (),
    prompt: Tensor | None = None,
    choose: Choosing = unchanged,
    rng: Generator | None = None,
) -> Tensor:
    """n texts of `length` new symbols after the prompt, prompt first, (n, P + length) int64.

    `model.begin(n, *given)` is the state before the first symbol; `model.step(symbol, state)` reads a symbol, (n,)
    int64 or None before the first, and gives the logits of the next, (n, V), and the state. `choose`, logits → logits,
    sharpens or cuts them before the draw: `partial(temperature, t=0.7)`. `prompt`, (P,) or (n, P) int64, is read and
    not drawn. One uniform number a new symbol, so that equal seeds give equal texts. Raises ValueError for a prompt of
    another shape, or a length below 0.
    """
    if length < 0:
        raise ValueError(f"length: got {length}, expected a number of new symbols, at least 0")
    with sampling(cast(nn.Module, model), n, rng):
        known = _prompt(prompt, n)
        read = known.shape[1]
        logits, state = model.step(None, model.begin(n, *given))
        u = uniforms(n, length, logits, rng)
        codes = torch.cat([known.to(logits.device), known.new_zeros(n, length, device=logits.device)], 1)
        for t in range(read + length):
            if t:
                logits, state = model.step(codes[:, t - 1], state)
            if t >= read:
                codes[:, t] = draw(choose(logits), u[:, t - read])
    return codes


def _prompt(prompt: Tensor | None, n: int) -> Tensor:
    """The prompt of each text, (n, P) int64."""
    if prompt is None:
        return torch.zeros(n, 0, dtype=torch.int64)
    rows = prompt.expand(n, -1) if prompt.dim() == 1 else prompt
    if rows.dim() != 2 or len(rows) != n or rows.is_floating_point():
        raise ValueError(
            f"prompt: got {prompt.dtype} of shape {tuple(prompt.shape)}, expected int64 codes (P,) or ({n}, P)"
        )
    return rows
