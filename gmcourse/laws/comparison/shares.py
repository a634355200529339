"""Laws of shares and of choosing: a classifier's errors undone, a temperature, rejection, and who is able."""

import math
import random
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import Slips, require_close, require_parts, require_shape, require_value
from gmcourse.laws.rows import further

Correct = Callable[[float, float, float], float]
Temper = Callable[[Tensor, float], Tensor]
Accept = Callable[[Tensor, Tensor], tuple[Tensor, float]]
Able = Callable[[Tensor, Tensor], Tensor]

RATES = ((0.02, 0.95), (0.3, 0.8), (0.0, 0.7), (0.1, 1.0))
"""False- and true-positive rates of classifiers: none is the mirror of another."""


def correction_undoes_the_classifier(candidate: Correct, *, seed: int = 0) -> None:
    """candidate(s, f, t) = π wherever a classifier of these rates sees s = π t + (1 − π) f.

    So it is 0 at s = f and 1 at s = t.
    """
    for f, t in (*RATES, *further(seed, _rates)):
        for share in (0.25, 0.0, 1.0, 0.07):
            seen = share * t + (1 - share) * f
            ways: dict[str, Slips] = {
                "dependence": seen,
                "constant": [seen / t, (seen - f) / t, (seen - f) / (1 - f), seen - f, (seen - f) * (t - f)],
                "direction": [(t - seen) / (t - f), 1 - seen],
                "sign": [(seen + f) / (t - f), (seen - f) / (t + f), (seen - f) / (f - t)],
            }
            fitting = {cause: [torch.tensor(v) for v in _listed(slips)] for cause, slips in ways.items()}
            observed = require_shape("one share", ask(candidate, seen=seen, false=f, true=t), ()).double()
            given = {"s": seen, "f": f, "t": t}
            law = "the share behind what a classifier sees"
            require_close(law, observed, torch.tensor(share).double(), 1e-6, _double(fitting), given=given)


def _rates(rng: random.Random) -> tuple[float, float]:
    return round(rng.uniform(0.02, 0.25), 2), round(rng.uniform(0.6, 0.95), 2)


def temperature_bends_the_odds(candidate: Temper, *, seed: int = 0) -> None:
    """candidate(w, T) sums to 1, and ln of the odds of two groups is that of w divided by T; w (K,).

    A share of 0 stays 0.
    """
    rows = (torch.tensor([0.9, 0.1]), torch.tensor([0.5, 0.2, 0.3]), torch.tensor([0.75, 0.0, 0.25]))
    for shares in (*rows, *map(torch.tensor, further(seed, _shares))):
        for temperature in (0.5, 2.0, 0.8):
            raised = shares.double() ** (1 / temperature)
            ways: dict[str, Slips] = {
                "direction": _normed(shares.double() ** temperature),
                "reduction": [raised, shares.double() ** temperature, raised / raised.max(), raised / len(raised)],
                "spread": _normed(shares.double() ** (1 / temperature**2)),
                "constant": [(shares.double() / temperature).softmax(0), shares.double() / temperature],
                "dependence": shares.double(),
            }
            output = ask(candidate, shares=shares, temperature=temperature)
            observed = require_shape("a share for each group", output, tuple(shares.shape)).double()
            given = {"T": temperature, "w": shares}
            require_close("w^(1/T), normalised", observed, _normed(raised), 1e-5, ways, given=given)


def _shares(rng: random.Random) -> list[float]:
    cuts = sorted(rng.sample(range(1, 20), 2))
    return [cuts[0] / 20, (cuts[1] - cuts[0]) / 20, (20 - cuts[1]) / 20]


def rejection_gives_what_is_wanted(candidate: Accept, *, seed: int = 0) -> None:
    """candidate(w, v) = the probabilities a to keep a sample, and how many draws one that is kept costs.

    0 ≤ a ≤ 1, the largest is 1, w a is in proportion to v, and the cost is 1/Σ w a. A group that is not wanted is
    never kept.
    """
    pairs = (([0.9, 0.1], [0.5, 0.5]), ([0.6, 0.3, 0.1], [0.2, 0.3, 0.5]), ([0.5, 0.3, 0.2], [0.8, 0.0, 0.2]))
    for listed, asked in (*pairs, *further(seed, lambda rng: (_shares(rng), _shares(rng)))):
        shares, wanted = torch.tensor(listed), torch.tensor(asked)
        output = ask(candidate, shares=shares, wanted=wanted)
        keep, cost = require_parts("probabilities and a cost", output, 2)
        kept = require_shape("a probability for each group", keep, tuple(shares.shape)).double()
        ratio = wanted.double() / shares.double()
        ways: dict[str, Slips] = {
            "constant": [ratio, ratio / ratio.sum(), ratio.clamp(max=1), 1 / shares.double()],
            "direction": [shares.double() / wanted.double() / (shares.double() / wanted.double()).max()],
            "dependence": [wanted.double(), wanted.double() / wanted.double().max()],
        }
        given = {"w": shares, "v": wanted}
        require_close("what is kept has the wanted shares", kept, ratio / ratio.max(), 1e-5, ways, given=given)
        draws = 1 / (shares.double() * kept).sum()
        slips: dict[str, Slips] = {
            "direction": 1 / draws,
            "constant": [draws - 1, 1 / kept.mean(), 1 / kept.sum(), 2 * draws],
            "spread": draws.square(),
        }
        require_value("draws for one sample that is kept", cost, draws.item(), 1e-4 * draws.item(), _floats(slips))


def able_has_one_of_every_group(candidate: Able, *, seed: int = 0) -> None:
    """candidate(has, groups) = which models have at least one method of every group, (M,).

    has (M, K), what each of M models has of K methods; groups (G, K), of which methods one is enough; both bool.
    Without groups all models are able.
    """
    has = torch.tensor([[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [1, 0, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1]]).bool()
    fixed: list[list[list[int]]] = [[[0, 1, 1, 0]], [[1, 0, 0, 0], [0, 1, 1, 0]], [[0, 1, 0, 1], [0, 0, 1, 0]], []]
    for listed in fixed + further(seed, _groups):
        groups = torch.tensor(listed).bool().reshape(-1, 4)
        output = require_shape("able or not, of each model", ask(candidate, has=has, groups=groups), (6,))
        table = [[[h and g for h, g in zip(own, group)] for group in groups.tolist()] for own in has.tolist()]
        all_of = [[sum(held) == sum(group) for held, group in zip(own, groups.tolist())] for own in table]
        expected = torch.tensor([all(any(group) for group in own) for own in table]).double()
        ways: dict[str, Slips] = {
            "constant": torch.tensor([all(own) for own in all_of]).double(),
            "reduction": [
                torch.tensor([any(any(group) for group in own) for own in table]).double(),
                torch.tensor([float(sum(sum(group) for group in own)) for own in table]).double(),
            ],
            "direction": 1 - expected,
        }
        case = {"groups": groups.double()}
        require_close("one method of every group", output.double(), expected, 1e-6, ways, given=case)


def _groups(rng: random.Random) -> list[list[int]]:
    groups = [rng.sample(range(4), rng.choice((1, 2))) for _ in range(2)]
    return [[int(k in group) for k in range(4)] for group in groups]


def _normed(t: Tensor) -> Tensor:
    return t / t.sum()


def _listed(slips: Slips) -> list[Any]:
    return list(slips) if isinstance(slips, (list, tuple)) else [slips]


def _double(ways: dict[str, list[Tensor]]) -> dict[str, Slips]:
    return {cause: [slip.double() for slip in slips] for cause, slips in ways.items()}


def _floats(ways: dict[str, Slips]) -> dict[str, Slips]:
    numbers = {cause: [float(slip) for slip in _listed(slips)] for cause, slips in ways.items()}
    return {cause: [value for value in each if math.isfinite(value)] for cause, each in numbers.items()}
