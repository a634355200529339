"""Training as a generator: the state after each step of one loss, or of two that play against each other."""

import math
from collections.abc import Callable, Generator, Iterable, Sequence
from functools import lru_cache
from statistics import fmean
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from gmcourse.protocols import Adversarial, Trainable

Rate = float | Callable[[int], float]


class Player(NamedTuple):
    """One loss of a model, by name; the optimiser of what it moves; its updates in a step; its rate over `lr`."""

    loss: str
    optimizer: Optimizer
    updates: int = 1
    pace: float = 1.0


class State(NamedTuple):
    """Training after a step: its number, from 0; its losses, each before its update; its batch, the last of several.

    `random` holds torch's random states from which the next step draws: the CPU's, and a GPU's where it trains there.
    """

    step: int
    losses: dict[str, float]
    batch: tuple[Tensor, ...]
    random: tuple[Tensor, ...]


def descend(
    model: Trainable | Adversarial,
    data: tuple[Tensor, ...],
    *,
    steps: int,
    batch_size: int,
    lr: Rate,
    seed: int = 0,
    clip: float | None = None,
    players: Sequence[Player] | None = None,
    device: str | torch.device | None = None,
    after: State | None = None,
) -> Generator[State, None, None]:
    """Train, and yield a `State` after each step: `for state in descend(model, data, steps=100, …): look(model)`.

    `players` are the loss with Adam, or those of `game` where the model is Adversarial. Each update of the first takes
    a batch of its own, the others take the last of them. A loss may be a dict of named terms, which are summed. After
    an update the model's `after_step()` is called where it has one: clipped weights, averages of weights, restarts.
    `lr`, a number or a function of the step, times the player's `pace`, is set in all groups of its optimiser in place
    of the rate it came with; `clip` bounds the gradient's norm. With `after`, an earlier loop's state, that goes on.

    The order of the data is a function of (seed, step) alone, and a step draws from a random state of its own, so that
    torch's global one is left as it was, and what the loop's body draws changes nothing. The model is in train mode in
    every step, and in evaluation mode after the last. Raises FloatingPointError on a loss that is not finite.
    """
    device = torch.device(device or "cpu")
    module = as_module(model).to(device)
    require_sound(module, data, steps=steps, batch_size=batch_size)
    players = players or (game(model) if isinstance(model, Adversarial) else alone(module))
    gpus = [device] if device.type == "cuda" else []

    def draw(turn: int) -> tuple[Tensor, ...]:
        return tuple(t[batch_rows(len(t), batch_size, seed, turn)].to(device) for t in data)

    start, losses, _, random = after or State(-1, {}, (), _seeded(seed, gpus))
    try:
        for step in range(start + 1, steps):
            if not all(part.training for part in module.modules()):
                module.train()
            with torch.random.fork_rng(gpus):
                _set_random(random, gpus)
                rate = lr(step) if callable(lr) else lr
                losses, batch = take_step(module, players, step, draw, rate, clip, losses)
                random = _random(gpus)
            yield State(step, losses, batch, random)
    finally:
        module.eval()


def as_module(model: object) -> nn.Module:
    """The same model, which has parameters to train. Raises TypeError where it is no nn.Module."""
    if not isinstance(model, nn.Module):
        raise TypeError(f"model: got {type(model).__name__}, expected an nn.Module")
    return model


def alone(model: nn.Module, optimizer: Optimizer | None = None) -> tuple[Player]:
    """The one player of a model with one loss; Adam unless an optimiser is given."""
    if not isinstance(model, Trainable):
        other = "; for its critic_loss and generator_loss, fit_adversarial" if isinstance(model, Adversarial) else ""
        raise TypeError(f"model: got {type(model).__name__}, which has no loss; expected a Trainable model{other}")
    optimizer = optimizer or torch.optim.Adam(_trainable(model.parameters()))
    _require_owner("optimizer", optimizer, model.parameters())
    return (Player("loss", optimizer),)


def game(
    model: Adversarial,
    critic_steps: int = 1,
    generator_steps: int = 1,
    betas: tuple[float, float] = (0.5, 0.999),
    optimizers: Sequence[Optimizer] | None = None,
    pace: float = 1.0,
) -> tuple[Player, Player]:
    """The critic, its rate `pace` times the other's, then the generator; optimisers as given, or `adam_pair`'s."""
    if not isinstance(model, Adversarial):
        other = "; for its loss, fit" if isinstance(model, Trainable) else ""
        raise TypeError(f"model: got {type(model).__name__}, no pair of losses; expected an Adversarial model{other}")
    if critic_steps < 1 or generator_steps < 1:
        raise ValueError(f"critic_steps, generator_steps: got {critic_steps}, {generator_steps}, expected at least 1")
    critic, generator = optimizers or adam_pair(model, betas)
    _require_owner("optimizers[0]", critic, model.critic_parameters())
    _require_owner("optimizers[1]", generator, model.generator_parameters())
    return Player("critic_loss", critic, critic_steps, pace), Player("generator_loss", generator, generator_steps)


def adam_pair(
    model: Adversarial, betas: tuple[float, float] = (0.5, 0.999)
) -> tuple[torch.optim.Adam, torch.optim.Adam]:
    """Adam for the critic and Adam for the generator: what several calls of `fit_adversarial` go on with."""
    critic, generator = model.critic_parameters(), model.generator_parameters()
    return torch.optim.Adam(_trainable(critic), betas=betas), torch.optim.Adam(_trainable(generator), betas=betas)


def batch_rows(n: int, batch_size: int, seed: int, step: int) -> Tensor:
    """Rows of the batch of `step`, (batch,): each epoch is a new permutation, its incomplete last batch left out."""
    epoch, position = divmod(step, n // batch_size)
    return _permutation(n, seed, epoch)[position * batch_size : (position + 1) * batch_size]


@lru_cache(maxsize=2)
def _permutation(n: int, seed: int, epoch: int) -> Tensor:
    return torch.randperm(n, generator=torch.Generator().manual_seed(seed * 1_000_003 + epoch))


def take_step(
    model: nn.Module,
    players: Sequence[Player],
    step: int,
    draw: Callable[[int], tuple[Tensor, ...]],
    rate: float,
    clip: float | None,
    last: dict[str, float],
) -> tuple[dict[str, float], tuple[Tensor, ...]]:
    """The updates of all players, one after the other: the mean of each loss and term, and the last batch."""
    losses: dict[str, float] = {}
    batch: tuple[Tensor, ...] = ()
    for player in players:
        _set_rate(player.optimizer, player.pace * rate)
    for player in players:
        updates = []
        for turn in range(step * player.updates, (step + 1) * player.updates):
            if player is players[0]:
                batch = draw(turn)
            updates.append(_update(model, player, batch, step, last.get(player.loss), clip))
        if clash := losses.keys() & updates[0].keys():
            raise ValueError(f"{player.loss}: got a term named {clash.pop()!r}, as the other player has; rename one")
        losses |= {name: fmean(update[name] for update in updates) for name in updates[0]}
    return losses, batch


def _update(
    model: nn.Module, player: Player, batch: tuple[Tensor, ...], step: int, last: float | None, clip: float | None
) -> dict[str, float]:
    """One step of the player's optimiser on its own parameters alone; the loss before it, and its terms."""
    result = getattr(model, player.loss)(*batch)
    loss, terms = total(result), result if isinstance(result, dict) else {}
    if player.loss in terms:
        raise ValueError(f"{player.loss}: got a term of that name, which is the sum's; expected another")
    values = {player.loss: loss.item()} | {name: term.item() for name, term in terms.items()}
    _require_finite(values[player.loss], step, last)
    own = [parameter for group in player.optimizer.param_groups for parameter in group["params"]]
    player.optimizer.zero_grad()
    loss.backward(inputs=_trainable(own))
    if clip is not None:
        nn.utils.clip_grad_norm_(own, clip)
    player.optimizer.step()
    if after_step := getattr(model, "after_step", None):
        after_step()
    return values


def total(loss: Tensor | dict[str, Tensor]) -> Tensor:
    """A loss, or the sum of its named terms."""
    return torch.stack(list(loss.values())).sum() if isinstance(loss, dict) else loss


def require_sound(
    model: nn.Module, data: tuple[Tensor, ...], *, steps: int, batch_size: int, every: int = 1, name: str = "data"
) -> None:
    """Raise a TypeError or ValueError that names what no step could be taken with."""
    if not isinstance(data, tuple) or not data or not all(isinstance(t, Tensor) for t in data):
        kinds = [type(t).__name__ for t in data] if isinstance(data, tuple) else type(data).__name__
        raise TypeError(f"{name}: got {kinds}, expected a tuple of tensors such as (x,) or (x, labels)")
    lengths = {len(t) for t in data}
    if len(lengths) > 1:
        raise ValueError(f"{name}: got tensors of {sorted(lengths)} rows, expected one length")
    rows = lengths.pop()
    if not 1 <= batch_size <= rows:
        raise ValueError(f"batch_size: got {batch_size}, expected 1 to {rows}, the rows of {name}")
    if steps < 0 or every < 1:
        raise ValueError(f"steps, every: got {steps} and {every}, expected at least 0 and 1")
    own = {p.dtype for p in model.parameters() if p.is_floating_point()}
    for t in data:
        if own and t.is_floating_point() and t.dtype not in own:
            kinds = " and ".join(sorted(map(str, own)))
            raise TypeError(f"{name}: got dtype {t.dtype}, expected the model's, {kinds}; give x.float() or x.to(…)")


def _require_owner(name: str, optimizer: Optimizer, parameters: Iterable[nn.Parameter]) -> None:
    held = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    if held.isdisjoint(map(id, parameters)):
        raise ValueError(f"{name}: got one that holds none of the parameters it is to move; make it for this model")


def _set_rate(optimizer: Optimizer, rate: float) -> None:
    if not rate >= 0:
        raise ValueError(f"lr: got {rate}, expected at least 0; a schedule must cover all the steps asked for")
    for group in optimizer.param_groups:
        group["lr"] = rate


def _require_finite(value: float, step: int, last: float | None) -> None:
    if not math.isfinite(value):
        raise FloatingPointError(
            f"loss is {value} at step {step} (last finite loss: {'none' if last is None else f'{last:.6g}'}); try a "
            "smaller lr, clip=1.0, or look for a log or a division at 0"
        )


def _trainable(parameters: Iterable[nn.Parameter]) -> list[nn.Parameter]:
    return [parameter for parameter in parameters if parameter.requires_grad]


def _seeded(seed: int, gpus: list[torch.device]) -> tuple[Tensor, ...]:
    with torch.random.fork_rng(gpus):
        torch.manual_seed(seed)
        return _random(gpus)


def _random(gpus: list[torch.device]) -> tuple[Tensor, ...]:
    return torch.get_rng_state(), *(torch.cuda.get_rng_state(gpu) for gpu in gpus)


def _set_random(random: tuple[Tensor, ...], gpus: list[torch.device]) -> None:
    torch.set_rng_state(random[0])
    for gpu, state in zip(gpus, random[1:]):
        torch.cuda.set_rng_state(state, gpu)
