"""Flows trained for equal CPU seconds on the 8 × 8 digits with noise: equal rows and noise at equal steps."""

import copy
import math
import time
from functools import cache

import torch
from torch import Tensor

from benchmarks.flows.peers import LogProb, Model
from gmcourse.data import load

SECONDS, PARTS, RATE, BATCH = 10.0, 10, 1e-3, 256


class Run:
    """One model on its own clock."""

    def __init__(self, model: Model):
        self.network, self.log_prob, _ = model
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=RATE)
        self.seconds, self.steps, self.best, self.kept = 0.0, 0, math.inf, {}
        self.curve: list[float] = []

    def go_on(self, until: float, seed: int) -> None:
        """Steps until so many seconds are spent."""
        while self.seconds < until:
            start = time.process_time()
            for group in self.optimizer.param_groups:
                group["lr"] = RATE * max(0.0, 1 - self.seconds / SECONDS)
            self.optimizer.zero_grad()
            (-self.log_prob(batch(seed, self.steps)).mean()).backward()
            self.optimizer.step()
            self.steps += 1
            self.seconds += time.process_time() - start

    def look(self, x: Tensor) -> None:
        """Keep the weights if they are the best on x so far."""
        now = nats(self.log_prob, x)
        self.curve.append(round(now, 2))
        if now < self.best:
            self.best, self.kept = now, copy.deepcopy(self.network.state_dict())


@cache
def digits(split: str) -> Tensor:
    """Levels 0..16 of the pictures, (n, 64)."""
    return (getattr(load("digits"), split) * 16).round().flatten(1)


@cache
def spread() -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each pixel of train, with the variance of the noise."""
    return digits("train").mean(0) + 0.5, (digits("train").var(0) + 1 / 12).sqrt()


def noisy(x: Tensor, rng: torch.Generator) -> Tensor:
    """Levels and uniform noise, standardised."""
    mean, std = spread()
    return (x + torch.rand(x.shape, generator=rng) - mean) / std


def batch(seed: int, step: int) -> Tensor:
    """The batch of a step: equal for all who ask."""
    rng, x = torch.Generator().manual_seed(1_000_003 * seed + step), digits("train")
    return noisy(x[torch.randint(len(x), (BATCH,), generator=rng)], rng)


@torch.no_grad()
def nats(log_prob: LogProb, x: Tensor) -> float:
    """Mean −ln p of levels, from above; infinite where it is no number."""
    value = (spread()[1].log().sum() - log_prob(x).mean()).item()
    return value if math.isfinite(value) else math.inf


def in_turn(models: dict[str, Model], seed: int) -> dict[str, Run]:
    """All trained, a tenth of the time each, in turn; they end with the weights that were best on valid."""
    runs = {name: Run(model) for name, model in models.items()}
    valid = scored("valid")
    for part in range(PARTS):
        for run in list(runs.values())[:: 1 if part % 2 else -1]:
            run.go_on(SECONDS * (part + 1) / PARTS, seed)
            run.look(valid)
    for run in runs.values():
        run.network.load_state_dict(run.kept)
    return runs


def scored(split: str) -> Tensor:
    """The pictures of a split, five times, with noise that is always the same."""
    return noisy(digits(split).repeat(5, 1), torch.Generator().manual_seed(0))
