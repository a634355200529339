"""The training loops, whole: one loss, or two that play against each other."""

import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from statistics import fmean

import torch
from torch import Tensor, nn
from tqdm.auto import trange

from gmcourse import checkpoint as files
from gmcourse.protocols import Adversarial


def fit(
    model: nn.Module,
    data: tuple[Tensor, ...],
    *,
    steps: int,
    batch_size: int,
    lr: float | Callable[[int], float],
    seed: int = 0,
    clip: float | None = None,
    optimizer: torch.optim.Optimizer | None = None,
    device: str | torch.device | None = None,
    checkpoint: str | Path | None = None,
    every: int = 1000,
    progress: bool = True,
) -> dict[str, list[float]]:
    """Minimise `model.loss(*batch)` by `steps` steps of `optimizer` (default Adam); returns {"loss": one value a step}.

    The order of the data is a function of (seed, step) alone; torch's global random state is left as it was. `lr` is
    a number or a function of the step; `clip` bounds the gradient's norm. With `checkpoint`, the state is kept there
    every `every` steps, and a run found there goes on, bit for bit. Ctrl-C returns the history so far. Raises
    FloatingPointError on a loss that is not finite, ValueError on a checkpoint of another run. The bar is silent where
    `progress` is False or TQDM_DISABLE is set.
    """
    _require_sound(data, steps=steps, batch_size=batch_size, every=every)
    device = torch.device(device or "cpu")
    optimizer = optimizer or torch.optim.Adam(_trainable(model.to(device).parameters()))
    history: dict[str, list[float]] = {"loss": []}
    with _training(model, history, device, seed, steps):
        run = checkpoint and _Run(Path(checkpoint), files.identity(model, data, seed=seed, batch_size=batch_size))
        start = run.resume(model, [optimizer], history) if run else 0
        for step in trange(start, steps, initial=start, total=steps, disable=_silent(progress)):
            batch = tuple(t[batch_rows(len(t), batch_size, seed, step)].to(device) for t in data)
            _set_rate(optimizer, lr(step) if callable(lr) else lr)
            history["loss"].append(_descend(model.loss(*batch), optimizer, step, history["loss"], clip))
            if run and ((step + 1) % every == 0 or step + 1 == steps):
                run.save(model, [optimizer], history)
    return history


def fit_adversarial(
    model: Adversarial,
    data: tuple[Tensor, ...],
    *,
    steps: int,
    batch_size: int,
    lr: float | Callable[[int], float],
    critic_steps: int = 1,
    generator_steps: int = 1,
    betas: tuple[float, float] = (0.5, 0.999),
    seed: int = 0,
    optimizers: tuple[torch.optim.Optimizer, torch.optim.Optimizer] | None = None,
    device: str | torch.device | None = None,
    checkpoint: str | Path | None = None,
    every: int = 1000,
    progress: bool = True,
) -> dict[str, list[float]]:
    """Minimise `critic_loss` and `generator_loss` in turn; returns the mean of each over a step, one value a step.

    A step is `critic_steps` updates of the critic, each on a batch of its own, then `generator_steps` of the generator
    on the last of them, so that each player meets the other's latest weights. `optimizers` are the critic's and the
    generator's (default: `adam_pair` with `betas`). All else is as in `fit`.
    Equation: gan-alternation. Goodfellow et al. 2014, algorithm 1.
    """
    _require_sound(data, steps=steps, batch_size=batch_size, every=every)
    if critic_steps < 1 or generator_steps < 1:
        raise ValueError(f"critic_steps, generator_steps: got {critic_steps}, {generator_steps}, expected at least 1")
    device = torch.device(device or "cpu")
    model.to(device)
    optimizers = optimizers or adam_pair(model, betas)
    history: dict[str, list[float]] = {"critic_loss": [], "generator_loss": []}
    with _training(model, history, device, seed, steps):
        run = checkpoint and _Run(Path(checkpoint), files.identity(model, data, seed=seed, batch_size=batch_size))
        start = run.resume(model, optimizers, history) if run else 0
        for step in trange(start, steps, initial=start, total=steps, disable=_silent(progress)):
            critic, generator = [], []
            for optimizer in optimizers:
                _set_rate(optimizer, lr(step) if callable(lr) else lr)
            for turn in range(step * critic_steps, (step + 1) * critic_steps):
                batch = tuple(t[batch_rows(len(t), batch_size, seed, turn)].to(device) for t in data)
                critic.append(_descend(model.critic_loss(*batch), optimizers[0], step, history["critic_loss"]))
            for _ in range(generator_steps):
                generator.append(_descend(model.generator_loss(*batch), optimizers[1], step, history["generator_loss"]))
            history["critic_loss"].append(fmean(critic))
            history["generator_loss"].append(fmean(generator))
            if run and ((step + 1) % every == 0 or step + 1 == steps):
                run.save(model, optimizers, history)
    return history


def adam_pair(
    model: Adversarial, betas: tuple[float, float] = (0.5, 0.999)
) -> tuple[torch.optim.Adam, torch.optim.Adam]:
    """Adam for the critic and Adam for the generator: what several calls of `fit_adversarial` go on with."""
    critic, generator = model.critic_parameters(), model.generator_parameters()
    return torch.optim.Adam(_trainable(critic), betas=betas), torch.optim.Adam(_trainable(generator), betas=betas)


@contextmanager
def _training(
    model: nn.Module, history: dict[str, list[float]], device: torch.device, seed: int, steps: int
) -> Iterator[None]:
    """Train mode inside the block, with a random state of its own that starts from the seed; Ctrl-C ends the block."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        model.train()
        try:
            yield
        except KeyboardInterrupt:
            print(f"interrupted after {min(map(len, history.values()))} of {steps} steps")
        finally:
            model.eval()


def _trainable(parameters: Iterable[nn.Parameter]) -> list[nn.Parameter]:
    return [parameter for parameter in parameters if parameter.requires_grad]


def _descend(
    loss: Tensor, optimizer: torch.optim.Optimizer, step: int, losses: list[float], clip: float | None = None
) -> float:
    """One step of the optimiser on its own parameters alone; the loss before it."""
    value = _require_finite(loss.item(), step, losses)
    own = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    optimizer.zero_grad()
    loss.backward(inputs=_trainable(own))
    if clip is not None:
        nn.utils.clip_grad_norm_(own, clip)
    optimizer.step()
    return value


def batch_rows(n: int, batch_size: int, seed: int, step: int) -> Tensor:
    """Rows of the batch of `step`, (batch,): each epoch is a new permutation, its incomplete last batch left out."""
    epoch, position = divmod(step, n // batch_size)
    return _permutation(n, seed, epoch)[position * batch_size : (position + 1) * batch_size]


@lru_cache(maxsize=2)
def _permutation(n: int, seed: int, epoch: int) -> Tensor:
    return torch.randperm(n, generator=torch.Generator().manual_seed(seed * 1_000_003 + epoch))


class _Run:
    """The state of one run in one file."""

    def __init__(self, path: Path, identity: dict[str, str | int]):
        self.path, self.identity = path, identity

    def save(
        self, model: nn.Module, optimizers: Sequence[torch.optim.Optimizer], history: dict[str, list[float]]
    ) -> None:
        payload = {
            "identity": self.identity,
            "model": model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in optimizers],
            "history": history,
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }
        files.save(self.path, payload)

    def resume(
        self, model: nn.Module, optimizers: Sequence[torch.optim.Optimizer], history: dict[str, list[float]]
    ) -> int:
        """Restore everything from the file, if there is one; the number of steps already taken."""
        if not self.path.exists():
            return 0
        state = files.load(self.path)
        files.require_identity(self.path, state.get("identity", {}), self.identity)
        model.load_state_dict(state["model"])
        for optimizer, kept in zip(optimizers, state["optimizers"]):
            optimizer.load_state_dict(kept)
        history.update(state["history"])
        torch.set_rng_state(state["random"])
        if torch.cuda.is_available() and state["random_cuda"]:
            torch.cuda.set_rng_state_all(state["random_cuda"])
        return len(next(iter(history.values())))


def _require_sound(data: tuple[Tensor, ...], *, steps: int, batch_size: int, every: int) -> None:
    if not isinstance(data, tuple) or not data or not all(isinstance(t, Tensor) for t in data):
        kinds = [type(t).__name__ for t in data] if isinstance(data, tuple) else type(data).__name__
        raise TypeError(f"data: got {kinds}, expected a tuple of tensors such as (x,) or (x, labels)")
    lengths = {len(t) for t in data}
    if len(lengths) > 1:
        raise ValueError(f"data: got tensors of {sorted(lengths)} rows, expected one length")
    rows = lengths.pop()
    if not 1 <= batch_size <= rows:
        raise ValueError(f"batch_size: got {batch_size}, expected 1 to {rows}, the rows of data")
    if steps < 0 or every < 1:
        raise ValueError(f"steps, every: got {steps} and {every}, expected at least 0 and 1")


def _set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    if not rate >= 0:
        raise ValueError(f"lr: got {rate}, expected at least 0; a schedule must cover all the steps asked for")
    for group in optimizer.param_groups:
        group["lr"] = rate


def _silent(progress: bool) -> bool:
    return not progress or bool(os.environ.get("TQDM_DISABLE"))


def _require_finite(value: float, step: int, losses: list[float]) -> float:
    if not math.isfinite(value):
        last = f"{losses[-1]:.6g}" if losses else "none"
        raise FloatingPointError(
            f"loss is {value} at step {step} (last finite loss: {last}); try a smaller lr, clip=1.0, "
            "or look for a log or a division at 0"
        )
    return value
