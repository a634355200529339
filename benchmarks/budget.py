"""Equal CPU seconds: as many steps of a model as fit into them, by a trial of its own that is thrown away."""

import copy
import time
from typing import Any

import torch
from torch import Tensor, nn

from gmcourse.protocols import Adversarial
from gmcourse.schedules import held_then_falling
from gmcourse.training import fit, fit_adversarial

WARM, PROBE, LOOKS = 3, 20, 8


def train(
    model: nn.Module,
    data: tuple[Tensor, ...],
    seconds: float,
    *,
    peak: float,
    batch_size: int,
    seed: int,
    valid: tuple[Tensor, ...] | None = None,
    **more: Any,
) -> dict[str, float]:
    """Train for `seconds`, the rate held for half of the steps, then falling to 0; the steps and the CPU seconds.

    With `valid` the weights are those that were best there in eight looks, and "valid" is their loss.
    """
    run: Any = fit_adversarial if isinstance(model, Adversarial) else fit
    plan = {"batch_size": min(batch_size, len(data[0])), "seed": seed, "progress": False, **more}
    trial, start = copy.deepcopy(model), 0.0
    for steps in (WARM, PROBE):  # the first few set up the kernels
        start = time.process_time()
        run(trial, data, steps=steps, lr=1e-7, **plan)
    steps = max(PROBE, round(seconds * PROBE / (time.process_time() - start)))
    if valid is not None:
        plan |= {"valid": valid, "every_valid": max(1, steps // LOOKS)}
    start = time.process_time()
    run(model, data, steps=steps, lr=held_then_falling(peak, steps), **plan)
    row: dict[str, float] = {"steps": steps, "training seconds": round(time.process_time() - start, 1)}
    return row if valid is None else row | {"valid": loss_on(model, valid)}


@torch.no_grad()
def loss_on(model: Any, data: tuple[Tensor, ...]) -> float:
    """The mean loss over eight draws, the same for every model."""
    model.eval()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return round(sum(model.loss(*data).mean().item() for _ in range(LOOKS)) / LOOKS, 5)
