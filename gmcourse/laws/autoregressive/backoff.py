"""A law of falling back: counts of a context, and the shorter context for what they leave open."""

from collections.abc import Callable
from fractions import Fraction

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, require_close, require_shape

COUNTS = (
    ("a context that was always followed by the same symbol", [[100, 0, 0, 0], [1, 0, 0, 0]]),
    ("contexts of many followers", [[3, 1, 0, 2], [0, 5, 5, 0], [1, 1, 1, 1], [0, 0, 7, 1]]),
    ("contexts that were never visited", [[0, 0, 0, 0, 0], [2, 0, 1, 0, 9]]),
)
"""How often each symbol followed: a row is a context."""


def novelty_is_kept(candidate: Callable[[Tensor, Tensor], Tensor], *, seed: int = 0) -> None:
    """candidate(counts, lower) = (N_v + F·lower_v)/(N + F), (contexts, V): N visits, F different followers.

    Where N = 0 it is `lower`. The oracle computes with fractions. Rows add up to 1.
    """
    for k, (name, counts) in enumerate(COUNTS):
        rng = torch.Generator().manual_seed(seed + k)
        parts = torch.randint(1, 9, (len(counts), len(counts[0])), generator=rng)
        expected = torch.tensor([_row(*rows) for rows in zip(counts, parts.tolist(), strict=True)]).double()
        lower, n = (parts / parts.sum(1, keepdim=True)).float(), torch.tensor(counts)
        law = f"p = (N_v + F p_shorter)/(N + F): {name}"
        output = ask(candidate, counts=n, lower=lower)
        observed = require_shape(law, output, tuple(lower.shape)).detach().double()
        slips = _slips(n.double(), lower.double(), expected)
        try:
            require_close(law, observed, expected, 1e-5, slips, given={"counts": n, "lower": lower})
        except LawBroken as broken:
            off = (observed.sum(1) - 1).abs()
            if off.max() < 1e-3:
                raise
            row = int(off.argmax())
            case = f"counts = {counts[row]}"
            law = f"the probabilities of a context add up to 1: {name}"
            raise LawBroken(law, f"{observed[row].sum():.4g}", "1", broken.cause, case) from None


def _row(counts: list[int], parts: list[int]) -> list[float]:
    """One context, by fractions."""
    followers, visits, whole = sum(count > 0 for count in counts), sum(counts), sum(parts)
    if not visits:
        return [part / whole for part in parts]
    return [
        float(Fraction(count * whole + followers * part, whole * (visits + followers)))
        for count, part in zip(counts, parts, strict=True)
    ]


def _slips(n: Tensor, lower: Tensor, right: Tensor) -> dict[str, list[Tensor]]:
    """What the usual slips would give in the place of p, `right` where a context was never visited."""
    visits, kinds, symbols = n.sum(1, keepdim=True), (n > 0).sum(1, keepdim=True).double(), n.shape[1]
    uniform, never = torch.full_like(lower, 1 / symbols), visits == 0
    each = visits.clamp(min=1)

    def mixed(followers: Tensor, other: Tensor) -> Tensor:
        return (n + followers * other) / (visits + followers).clamp(min=1)

    ways = {
        "constant": [mixed(visits, lower)],
        "spread": [mixed(torch.full_like(visits, k), lower) for k in (1.0, float(symbols))]
        + [mixed(torch.full_like(visits, symbols), uniform), mixed((n == 0).sum(1, keepdim=True).double(), lower)]
        + [mixed((n == 1).sum(1, keepdim=True).double(), lower), mixed(kinds, uniform)]
        + [(n + extra) / (visits + extra * symbols) for extra in (0.5, 1.0)],
        "reduction": [n / (visits + kinds).clamp(min=1), (n + kinds * lower) / each, mixed(kinds, lower * 0 + 1)]
        + [mixed(kinds, lower * (n == 0))],
        "one-to-one": [n / each, torch.where(n > 0, n / each, lower)],
        "direction": [(visits * lower + kinds * n / each) / (visits + kinds).clamp(min=1), lower],
        "dependence": [mixed(lower * 0 + kinds.sum(), lower), (n + kinds * lower) / (visits + kinds).sum()],
        "shape": [right[:1].expand_as(right)],
    }
    found = {"log-mean": [torch.where(never, other, right) for other in (uniform, torch.zeros_like(lower))]}
    for cause, each_way in ways.items():
        found[cause] = each_way + [torch.where(never, right, way) for way in each_way] * bool(never.any())
    return found
