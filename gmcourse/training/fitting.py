"""Training to the end: with a history, checkpoints, and the weights that are best on held-out data."""

import copy
import math
import os
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from tqdm.auto import tqdm

from gmcourse.checkpoint import Run, digest, identity
from gmcourse.nets import evaluating
from gmcourse.protocols import Adversarial, Trainable
from gmcourse.training.descent import Player, Rate, State, alone, as_module, descend, game, require_sound, total


def fit(
    model: Trainable,
    data: tuple[Tensor, ...],
    *,
    steps: int,
    batch_size: int,
    lr: Rate,
    seed: int = 0,
    clip: float | None = None,
    optimizer: Optimizer | None = None,
    valid: tuple[Tensor, ...] | None = None,
    every_valid: int = 100,
    device: str | torch.device | None = None,
    checkpoint: str | Path | None = None,
    every: int = 1000,
    progress: bool = True,
) -> dict[str, list[float]]:
    """Minimise `model.loss(*batch)` by `steps` steps of `optimizer` (default Adam); returns {"loss": one value a step}.

    A loss that is a dict of named terms is their sum, and the history has each term beside it. `descend` says in which
    order the data come, what is drawn, what `lr` and `clip` are; torch's global random state is left as it was.

    With `valid`, tensors as in `data`, the mean loss there (evaluation mode, draws of a fixed seed) is taken after
    every `every_valid` steps and after the last; the history has it as "valid_loss", with the steps taken by then as
    "valid_step". The model ends with the weights of the least of these, after Ctrl-C too; without `valid`, with the
    last ones.

    With `checkpoint`, the state is kept there every `every` steps and after the last, and a run found there goes on,
    bit for bit: with more steps, if asked, or another `lr`. ValueError where anything else differs (model, data, seed,
    batch size, optimiser, clip, valid), or where it has taken more steps than asked for. Ctrl-C returns the history so
    far. FloatingPointError on a loss that is not finite. The bar is silent where `progress` is False or TQDM_DISABLE
    is set.
    """
    players = alone(as_module(model).to(torch.device(device or "cpu")), optimizer)
    plan = {"steps": steps, "batch_size": batch_size, "lr": lr, "seed": seed, "clip": clip, "device": device}
    return _train(model, data, players, plan, checkpoint, every, progress, valid, every_valid)


def fit_adversarial(
    model: Adversarial,
    data: tuple[Tensor, ...],
    *,
    steps: int,
    batch_size: int,
    lr: Rate,
    critic_steps: int = 1,
    generator_steps: int = 1,
    critic_pace: float = 1.0,
    betas: tuple[float, float] = (0.5, 0.999),
    seed: int = 0,
    optimizers: Sequence[Optimizer] | None = None,
    device: str | torch.device | None = None,
    checkpoint: str | Path | None = None,
    every: int = 1000,
    progress: bool = True,
) -> dict[str, list[float]]:
    """Minimise `critic_loss` and `generator_loss` in turn; returns the mean of each over a step, one value a step.

    A step is `critic_steps` updates of the critic, each on a batch of its own, then `generator_steps` of the generator
    on the last of them, so that each player meets the other's latest weights. The critic learns at the rate
    `critic_pace` · `lr` (two time scales: Heusel et al. 2017). `optimizers` are the critic's and the generator's
    (default: `adam_pair` with `betas`). All else is as in `fit`, but there is no `valid`: a player's loss
    is measured against the other player of the same moment, so that its least value marks no best pair.
    Equation: gan-alternation. Goodfellow et al. 2014, algorithm 1.
    """
    as_module(model).to(torch.device(device or "cpu"))
    players = game(model, critic_steps, generator_steps, betas, optimizers, critic_pace)
    plan = {"steps": steps, "batch_size": batch_size, "lr": lr, "seed": seed, "device": device}
    return _train(model, data, players, plan, checkpoint, every, progress)


def mean_loss(
    model: Trainable, data: tuple[Tensor, ...], batch_size: int, seed: int = 0, device: str | torch.device | None = None
) -> float:
    """Mean of `model.loss` over all rows of `data`, in evaluation mode, by draws of the seed, without gradients."""
    device, module = torch.device(device or "cpu"), as_module(model)
    with torch.no_grad(), evaluating(module), torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        parts = zip(*(t.split(batch_size) for t in data), strict=True)
        sums = [len(part[0]) * total(model.loss(*(t.to(device) for t in part))).item() for part in parts]
    return sum(sums) / len(data[0])


def _train(
    model: Trainable | Adversarial,
    data: tuple[Tensor, ...],
    players: Sequence[Player],
    plan: dict[str, Any],
    checkpoint: str | Path | None,
    every: int,
    progress: bool,
    valid: tuple[Tensor, ...] | None = None,
    every_valid: int = 1,
) -> dict[str, list[float]]:
    """`descend`, and what is kept of it: the history, checkpoints, the best weights."""
    steps, held = plan["steps"], {name: plan[name] for name in ("seed", "batch_size")}
    module = as_module(model)
    require_sound(module, data, steps=steps, batch_size=plan["batch_size"], every=every)
    kept: dict[str, Any] = {"history": {player.loss: [] for player in players}, "state": None, "best": None}
    if valid is not None:
        require_sound(module, valid, steps=steps, batch_size=1, every=every_valid, name="valid")
        kept["history"] |= {"valid_loss": [], "valid_step": []}
    run = _run(module, data, players, held | {"clip": plan.get("clip")}, checkpoint, valid, every_valid)
    kept |= run.resume(steps) if run else {}
    history, state = kept["history"], kept["state"] and State(batch=(), **kept["state"])
    start = state.step + 1 if state else 0
    try:
        with closing(descend(model, data, players=players, after=state, **plan)) as states:
            for state in tqdm(states, initial=start, total=steps, disable=_silent(progress)):
                taken = state.step + 1
                for name, value in state.losses.items():
                    history.setdefault(name, []).append(value)
                if valid is not None and (taken % every_valid == 0 or taken == steps):
                    value = mean_loss(cast(Trainable, model), valid, device=plan["device"], **held)
                    if value < min(filter(math.isfinite, history["valid_loss"]), default=math.inf):
                        kept["best"] = copy.deepcopy(module.state_dict())
                    history["valid_loss"].append(value)
                    history["valid_step"].append(taken)
                if run and (taken % every == 0 or taken == steps):
                    run.save(kept | {"state": {name: getattr(state, name) for name in ("step", "losses", "random")}})
    except KeyboardInterrupt:
        print(f"interrupted after {len(history[players[0].loss])} of {steps} steps")
    if kept["best"] is not None:
        module.load_state_dict(kept["best"])
    return history


def _run(
    model: nn.Module,
    data: tuple[Tensor, ...],
    players: Sequence[Player],
    settings: dict[str, Any],
    checkpoint: str | Path | None,
    valid: tuple[Tensor, ...] | None,
    every_valid: int,
) -> Run | None:
    """The run at `checkpoint`, known by all that decides it but the number of steps and the rate."""
    if checkpoint is None:
        return None
    optimizers = [player.optimizer for player in players]
    settings = settings | {"updates": {player.loss: player.updates for player in players}}
    settings |= {"valid": None if valid is None else f"{digest(valid)}, every {every_valid} steps"}
    return Run(Path(checkpoint), model, optimizers, identity(model, data, optimizers, **settings))


def _silent(progress: bool) -> bool:
    return not progress or bool(os.environ.get("TQDM_DISABLE"))
