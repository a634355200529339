"""A law of bins: the mass of a logistic distribution in each, the outermost ones open, to any depth of the tails."""

import math
from collections.abc import Callable
from decimal import Decimal, localcontext
from functools import cache, partial

import torch
from torch import Tensor
from torch.nn.functional import softplus

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import require_close, require_shape
from gmcourse.laws.rows import pooled, within

Ln = Callable[[Tensor, Tensor, Tensor, int], Tensor]

ROWS = (
    ("between the levels", 4, (-0.4, 0.2, 0.9), (-1.0, -0.3, -2.0)),
    ("between the levels", 17, (-0.95, 0.33, 0.5), (-1.2, -0.9, -0.2)),
    ("a mean beyond the last level", 5, (1.8, -2.5), (-0.7, 0.4)),
)
FAR = (
    ("a scale much smaller than a bin", 256, (0.3, -0.5), (-7.0, -7.0)),
    ("a level in the far tail", 256, (-0.5, 0.25), (-4.0, -4.5)),
    ("a scale much larger than the axis", 256, (0.1, -0.6), (3.0, 5.0)),
)
"""Name, number of levels, means and logarithms of scales; every third level, the first and the last are asked for."""


def bins_hold_the_mass(candidate: Ln, *, seed: int = 0) -> None:
    """candidate(code, mean, log_scale, levels) = ln(σ(b) − σ(a)), (batch,), a and b the edges of the bin, in scales.

    Level k stands at −1 + 2k/(V−1), the edges lie half way between levels, the outermost at ±∞. The oracle subtracts
    with as many digits as that takes. The batch holds levels from the first to the last, of several means and scales.
    """
    for name, levels, means, log_scales in ROWS + FAR:
        code, mean, log_scale = _asked(levels, means, log_scales)
        law = f"ln P(k) is the mass of bin k of {levels}, {name}"
        output = ask(candidate, code=code, mean=mean, log_scale=log_scale, levels=levels)
        observed = require_shape(law, output, tuple(code.shape)).detach().double()
        expected = torch.tensor(
            [_ln_mass(*row, levels) for row in zip(code.tolist(), mean.tolist(), log_scale.tolist())]
        )
        far = name in {row[0] for row in FAR}
        slips, left = ({}, "overflow") if far else (_slips(code, mean, log_scale, levels, expected), "")
        given = {"code": code, "mean": mean, "log_scale": log_scale, "levels": levels}
        require_close(law, observed, expected, within(expected, 1e-3), slips, given=given, deduced=left)


def _asked(levels: int, means: tuple[float, ...], log_scales: tuple[float, ...]) -> tuple[Tensor, Tensor, Tensor]:
    """Levels and parameters in turn, one for each row of a batch."""
    codes = torch.tensor(sorted({*range(0, levels, max(1, levels // 8)), levels - 1})).repeat_interleave(len(means))
    times = len(codes) // len(means)
    return codes, torch.tensor(means).repeat(times), torch.tensor(log_scales).repeat(times)


@cache
def _ln_mass(code: int, mean: float, log_scale: float, levels: int) -> float:
    """ln(σ(b) − σ(a)) by as many digits as the smaller of the two needs."""
    centre = -1 + 2 * code / (levels - 1) - mean
    with localcontext() as context:
        context.prec = 40 + int(abs(centre) * math.exp(-log_scale) / 2)
        half, scale = 1 / Decimal(levels - 1), Decimal(log_scale).exp()
        middle = 2 * half * code - 1 - Decimal(mean)
        below = 1 / (1 + (-(middle - half) / scale).exp()) if code else Decimal(0)
        above = 1 / (1 + (-(middle + half) / scale).exp()) if code < levels - 1 else Decimal(1)
        return float((above - below).ln())


def _slips(code: Tensor, mean: Tensor, log_scale: Tensor, levels: int, right: Tensor) -> dict[str, list[Tensor]]:
    """What the usual slips would give in the place of ln P, with parameters at which plain differences do."""
    k, scale, n = code.double(), log_scale.double().exp(), levels
    y, half, open_ = 2 * k / (n - 1) - 1, 1 / (n - 1), (code == 0, code == n - 1)
    mass = partial(_ln_difference, y=y, half=half, mean=mean.double(), scale=scale, open_=open_)
    none, z = torch.zeros_like(open_[0]), (y - mean.double()) / scale
    density = -z - scale.log() - 2 * softplus(-z)
    axes = (k / (n - 1), 2 * k / n - 1, (2 * k + 1) / n - 1, k, -y)
    return {
        "constant": [mass(open_=(none, none))],
        "one-to-one": [mass(open_=ends) for ends in ((none, open_[1]), (open_[0], none), open_[::-1])],
        "spread": [
            *(mass(half=other) for other in (1 / n, 1 / (n + 1), 2 * half, half / 2, 0.5, 1 / 255)),
            *(mass(y=y + by, half=half) for by in (half, -half)),
            *(mass(scale=other) for other in (scale**2, scale.sqrt(), 1 / scale, scale * math.sqrt(3) / math.pi)),
        ],
        "direction": [density, density + math.log(2 * half)],
        "dependence": [
            *(mass(y=other) for other in axes),
            mass(y=k / (n - 1), half=half / 2),
            mass(y=k, half=0.5),
            mass(y=k / 127.5 - 1, half=1 / 255),
        ],
        "sign": [-right, mass(mean=-mean.double())],
        "log-mean": [right.exp(), right / math.log(2)],
        "shape": pooled(right),
    }


def _ln_difference(y: Tensor, half: float, mean: Tensor, scale: Tensor, open_: tuple[Tensor, ...]) -> Tensor:
    """ln(σ(b) − σ(a)) as it stands; `open_` says which rows have no lower edge, and which no upper."""
    below = ((y - half - mean) / scale).sigmoid().masked_fill(open_[0], 0.0)
    return (((y + half - mean) / scale).sigmoid().masked_fill(open_[1], 1.0) - below).log()
