"""Laws of shares and of choosing: a classifier's errors undone, a temperature, rejection, and who is able."""

import math
import random
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import Slips, require_close, require_parts, require_shape
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
        for share in (0.2537, 0.0, 1.0, 0.0719):
            seen = share * t + (1 - share) * f
            ways: dict[str, Slips] = {
                "dependence": seen,
                "constant": [
                    *(seen / t, (seen - f) / t, (seen - f) / (1 - f), seen - f, (seen - f) * (t - f)),
                    (seen - f) / (f - t),
                ],
                "direction": [(t - seen) / (t - f), 1 - seen],
                "sign": [(seen + f) / (t - f), (seen - f) / (t + f)],
            }
            fitting = {cause: [torch.tensor(v) for v in _listed(slips)] for cause, slips in ways.items()}
            observed = require_shape("one share", ask(candidate, seen=seen, false=f, true=t), ()).double()
            given = {"s": seen, "f": f, "t": t}
            law = "the share behind what a classifier sees"
            require_close(law, observed, torch.tensor(share).double(), 1e-5, _double(fitting), given=given)


def _rates(rng: random.Random) -> tuple[float, float]:
    return round(rng.uniform(0.02, 0.25), 2), round(rng.uniform(0.6, 0.95), 2)


def temperature_bends_the_odds(candidate: Temper, *, seed: int = 0) -> None:
    """candidate(w, T) sums to 1, and ln of the odds of two groups is that of w divided by T; w (K,).

    A share of 0 stays 0.
    """
    rows = (torch.tensor([0.9, 0.1]), torch.tensor([0.5, 0.2, 0.3]), torch.tensor([0.75, 0.0, 0.25]))
    for shares in (*rows, *map(torch.tensor, further(seed, _shares))):
        for temperature in (0.5, 2.0, 0.8):
            output = ask(candidate, shares=shares, temperature=temperature)
            observed = require_shape("a share for each group", output, tuple(shares.shape)).double()
            expected, given = _normed(shares.double() ** (1 / temperature)), {"T": temperature, "w": shares}
            ways = _misheated(shares.double(), temperature)
            _require_together("w^(1/T), normalised", observed, expected, ways, given)


def _misheated(w: Tensor, temperature: float) -> dict[str, Slips]:
    """What slips make of shares at a temperature."""
    raised = w ** (1 / temperature)
    return {
        "direction": [_normed(w**power) for power in (temperature, -1 / temperature)],
        "reduction": [
            *(raised, w**temperature, raised / raised.max(), raised / len(raised), raised / raised.mean()),
            *(raised / raised.norm(), raised.log(), _normed(raised).log()),
        ],
        "spread": _normed(w ** (1 / temperature**2)),
        "constant": [
            *((w / temperature).softmax(0), w / temperature, raised.softmax(0), (-w / temperature).softmax(0)),
            *((logs / temperature).softmax(0) for logs in (w.log2(), w.log10())),
        ],
        "dependence": w,
    }


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
        w, v = shares.double(), wanted.double()
        ratio, given = v / w, {"w": shares, "v": wanted}
        ways: dict[str, Slips] = {
            "constant": [ratio, ratio / ratio.sum(), ratio.clamp(max=1), 1 / w, ratio / ratio.min()],
            "direction": [w / v / (w / v).max()],
            "dependence": [v, v / v.max(), w.min() / w],
        }
        _require_together("what is kept has the wanted shares", kept, ratio / ratio.max(), ways, given)
        draws = 1 / (w * kept).sum()
        law = "draws for one sample that is kept"
        number = require_shape(law, cost, ()).double()
        require_close(law, number, draws, 1e-4 * draws.item(), _miscounted(w, v, kept, draws), given=given)


def _miscounted(w: Tensor, v: Tensor, kept: Tensor, draws: Tensor) -> dict[str, Slips]:
    """What slips make of the cost, where the probabilities are right."""
    slips: dict[str, Slips] = {
        "direction": 1 / draws,
        "reduction": [
            *(draws - 1, 1 / kept.mean(), 1 / kept.sum(), kept.sum(), (1 / kept).sum(), (v / w).sum()),
            *(1 / (v * kept).sum(), 1 / kept.min(), 1 / kept.max(), (w / kept).sum(), 1 - 1 / draws),
        ],
        "constant": 2 * draws,
        "spread": draws.square(),
    }
    return {cause: [slip for slip in _listed(each) if slip.isfinite()] for cause, each in slips.items()}


def _require_together(law: str, observed: Tensor, expected: Tensor, slips: dict[str, Slips], given: dict) -> None:
    """As `require_close`, but the failure tells all groups, for they are one answer."""
    rows: dict[str, Slips] = {cause: [slip[None] for slip in _listed(each)] for cause, each in slips.items()}
    require_close(law, observed[None], expected[None], 1e-5, rows, given=given)


def able_has_one_of_every_group(candidate: Able, *, seed: int = 0) -> None:
    """candidate(has, groups) = which models have at least one method of every group, (M,).

    has (M, K), what each of M models has of K methods; groups (G, K), of which methods one is enough; both bool.
    """
    rows = ([1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [1, 0, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1], [0, 1, 1, 0])
    has = torch.tensor(rows).bool()
    fixed: list[list[list[int]]] = [[[1, 0, 0, 0], [0, 1, 1, 0]], [[0, 1, 1, 0]], [[0, 1, 0, 1], [0, 0, 1, 0]]]
    for listed in fixed + further(seed, _groups):
        groups = torch.tensor(listed).bool()
        output = require_shape("able or not, of each model", ask(candidate, has=has, groups=groups), (len(has),))
        table = [[[h and g for h, g in zip(own, group)] for group in listed] for own in has.tolist()]
        expected = torch.tensor([all(any(group) for group in own) for own in table]).double()
        case = {"has": has.double(), "groups": groups.double()}
        require_close("one method of every group", output.double(), expected, 1e-6, _unable(table, listed), given=case)


def _unable(table: list[list[list[Any]]], groups: list[list[int]]) -> dict[str, Slips]:
    """What slips say of models, by what each of them has of each group."""

    def of(each: Callable[[list[list[Any]]], Any]) -> Tensor:
        return torch.tensor([float(each(own)) for own in table], dtype=torch.float64)

    return {
        "constant": of(lambda own: all(sum(held) == sum(group) for held, group in zip(own, groups, strict=True))),
        "reduction": [
            *(of(lambda own: any(map(any, own))), of(lambda own: sum(map(sum, own)))),
            *(of(lambda own: any(own[-1])), of(lambda own: any(own[0]))),
        ],
        "container": [of(lambda own: math.prod(map(sum, own))), of(lambda own: sum(map(any, own)))],
        "direction": 1 - of(lambda own: all(map(any, own))),
    }


def _groups(rng: random.Random) -> list[list[int]]:
    groups = [rng.sample(range(4), rng.choice((1, 2))) for _ in range(2)]
    return [[int(k in group) for k in range(4)] for group in groups]


def _normed(t: Tensor) -> Tensor:
    return t / t.sum()


def _listed(slips: Slips) -> list[Any]:
    return list(slips) if isinstance(slips, (list, tuple)) else [slips]


def _double(ways: dict[str, list[Tensor]]) -> dict[str, Slips]:
    return {cause: [slip.double() for slip in slips] for cause, slips in ways.items()}
