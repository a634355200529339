"""Laws of attention: the look-up itself, who may look where, and the past that is kept."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, as_tensor, require_close, require_entries, require_parts, require_shape
from gmcourse.laws.rows import draw, pooled, within

Look = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
Cached = Callable[[Tensor, Tensor, Tensor, Any], tuple[Tensor, Any]]

SOME = ((0, 0, 1, 0, 0), (1, 1, 0, 0, 1), (0, 1, 1, 1, 0), (1, 0, 0, 1, 1))
"""Where four queries may look among five keys."""


def looks_up_by_content(candidate: Look, *, seed: int = 0) -> None:
    """candidate(q, k, v, mask) = softmax(q kᵀ/√d) v: (batch, n, d), (batch, m, d), (batch, m, e) → (batch, n, e).

    mask (n, m), bool, is True where a query may look; the others have the weight 0. In the last two cases scores are
    some hundreds, and −1300 where a query may look. The oracle adds up exponentials, those of the largest score of a
    row first taken out.
    """
    for name, sizes, mask, scale in (
        ("all may look", (3, 4, 5, 6, 6), torch.ones(4, 5).bool(), 1.0),
        ("some are hidden", (2, 4, 5, 3, 2), torch.tensor(SOME).bool(), 1.0),
        ("each looks back", (2, 4, 4, 6, 3), torch.arange(4)[:, None] >= torch.arange(4), 1.0),
        ("large scores", (2, 4, 5, 4, 3), torch.tensor(SOME).bool(), 12.0),
    ):
        batch, n, m, d, e = sizes
        q, k = scale * draw(batch, n, d, seed=seed + n), scale * draw(batch, m, d, seed=seed + 10 + m)
        v, law = draw(batch, m, e, seed=seed + 20 + e), f"the mean of the values, weighted by softmax(q·k/√d), {name}"
        output = ask(candidate, q=q, k=k, v=v, mask=mask)
        observed = require_shape(law, output, (batch, n, e)).detach().double()
        expected, slips = _looked_up(q.double(), k.double(), v.double(), mask)
        slips, left = ({}, "overflow") if scale > 1 else (slips, "")
        ones = as_tensor(candidate(q.clone(), k.clone(), torch.ones_like(v), mask.clone()))
        if not left and ones is not None and ones.shape == (batch, n, e):
            left = "" if (ones.detach().double() - 1).abs().max() < 1e-3 else "constant"
        _row_by_row(law, observed, expected, 1e-3 if scale > 1 else 1e-5, slips, "query", left)
    _hidden_are_below_all(candidate, seed)


def _hidden_are_below_all(candidate: Look, seed: int) -> None:
    """Scores from −1300 to 1300: each query sees a key that is far from it, and not itself."""
    signs = torch.tensor([1.0, -1.0, 1.0, -1.0])
    q = 18 * signs[None, :, None].expand(2, 4, 4)
    k, v = 2 * q, draw(2, 4, 3, seed=seed)
    mask = signs[:, None] != signs
    output = ask(candidate, q=q, k=k, v=v, mask=mask)
    law = "the mean of the values, weighted by softmax(q·k/√d), scores of −1300 may be seen and 1300 hidden"
    observed = require_shape(law, output, (2, 4, 3)).detach().double()
    expected, _ = _looked_up(q.double(), k.double(), v.double(), mask)
    _row_by_row(law, observed, expected, 1e-3, {}, "query", "overflow")


def _row_by_row(
    law: str,
    observed: Tensor,
    expected: Tensor,
    share: float,
    slips: dict[str, list[Tensor]],
    name: str,
    deduced: str = "",
) -> None:
    """As `require_close`, (batch, n, e) each; what is told of a failure is the first of the n that is wrong."""
    batch, n, _ = expected.shape
    case = {name: torch.arange(n).repeat_interleave(batch), "sequence": torch.arange(batch).repeat(n)}
    turned = {cause: [_rows(way) for way in ways] for cause, ways in slips.items()}
    right = _rows(expected)
    require_close(law, _rows(observed), right, within(right, share), turned, given=case, deduced=deduced)


def _rows(x: Tensor) -> Tensor:
    """(batch, n, e) → (n · batch, e)."""
    return x.transpose(0, 1).flatten(0, 1)


def _shares(scores: Tensor, mask: Tensor) -> Tensor:
    """Of each row of scores, e to the power of it as a share of the row's sum, over what the mask lets through."""
    largest = scores.masked_fill(~mask, -torch.inf).amax(-1, keepdim=True)
    powers = (scores - largest).masked_fill(~mask, -torch.inf).exp()
    return powers / powers.sum(-1, keepdim=True)


def _looked_up(q: Tensor, k: Tensor, v: Tensor, mask: Tensor) -> tuple[Tensor, dict[str, list[Tensor]]]:
    """What is found, and what the usual slips would give in its place."""
    dots, (n, d), (m, e) = q @ k.transpose(1, 2), q.shape[1:], v.shape[1:]
    scores, all_ = dots / d**0.5, torch.ones_like(mask)
    right, whole = _shares(scores, mask) @ v, _shares(scores, all_)
    across = _shares(scores.masked_fill(~mask, -1e9).transpose(1, 2), all_.T).transpose(1, 2)
    best = scores.masked_fill(~mask, -torch.inf).argmax(-1)
    unit = torch.nn.functional.normalize
    slips = {
        "spread": [
            _shares(dots / by, mask) @ v for by in (1, d, d**2, d**0.25, n**0.5, m**0.5, e**0.5, d**-0.5, d * d**0.5)
        ]
        + [_shares(unit(q, dim=-1) @ unit(k, dim=-1).transpose(1, 2), mask) @ v],
        "dependence": [whole @ v],
        "constant": [(whole * mask) @ v, _shares(scores, mask) @ v * m, _shares(scores, mask) @ v / m],
        "log-mean": [_shares(scores * mask, all_) @ v],
        "reduction": [across @ v, (across * mask) @ v, right.mean(1, keepdim=True).expand_as(right)],
        "one-to-one": [v.gather(1, best[..., None].expand(-1, -1, e)), (scores * mask) @ v],
        "sign": [_shares(scores.masked_fill(mask, -1e9), all_) @ v],
        "shape": pooled(right),
    }
    if n == m:
        slips["direction"] = [_shares(scores.transpose(1, 2), mask) @ v, _shares(scores, mask.T) @ v]
    if d == e:
        slips["direction"] = [_shares(q @ v.transpose(1, 2) / d**0.5, mask) @ k]
    return right, slips


def mask_looks_back(candidate: Callable[[int], Tensor], *, seed: int = 0) -> None:
    """candidate(n) is True where place i may look at place j ≤ i, (n, n). Numbers 1 and 0 pass for True and False."""
    for n in (4, 6, 1):
        law = "place i may look at itself and at the places before it"
        observed = require_shape(law, ask(candidate, n=n), (n, n)).double()
        if not ((observed == 0) | (observed == 1)).all():
            raise LawBroken(law, f"{observed[(observed != 0) & (observed != 1)][0]:.4g}", "True or False", "container")
        i, j = torch.arange(n)[:, None], torch.arange(n)[None]
        slips = {
            "direction": [j >= i, i + j >= n - 1, i + j < n],
            "constant": [j < i],
            "sign": [j > i],
            "dependence": [j >= 0 * i, j < 0 * i],
            "reduction": [j == i, (j == i) | (j == i - 1)],
            "one-to-one": [j <= i + 1, j > i - 1, (j <= i) | (j == 0), (j < i) | (i + j == 0)],
        }
        causes = {cause: [way.double() for way in ways] for cause, ways in slips.items()}
        require_entries(law, observed, (j <= i).double(), causes if n > 1 else {}, ("row", "column"), f"n = {n}")


def cache_is_the_past(candidate: Cached, *, seed: int = 0) -> None:
    """candidate(q, k, v, cache) → (output, cache): the newest place, (batch, 1, ·), looks at itself and all before.

    Place by place that is causal attention over all of them at once. What a cache holds is the candidate's own affair;
    the first is None. Two ways to go on from one cache do not disturb each other.
    """
    for batch, steps, d, e in ((3, 5, 4, 4), (2, 10, 3, 2)):
        q, k = (draw(batch, steps, d, seed=seed + extra) for extra in (steps, 10 + steps))
        v, law = draw(batch, steps, e, seed=seed + 20), "place by place, the newest looks at itself and all before it"
        outputs, cache = [], None
        for t in range(steps):
            output, cache = _step(candidate, cache, law, q[:, t : t + 1], k[:, t : t + 1], v[:, t : t + 1])
            outputs.append(output)
        expected, slips = _causal(q.double(), k.double(), v.double())
        _row_by_row(law, torch.cat(outputs, 1), expected, 1e-5, slips, "place")
        _two_ways_on(candidate, q, k, v)


def _step(candidate: Cached, cache: Any, law: str, q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Any]:
    output, kept = require_parts(law, ask(candidate, q=q, k=k, v=v, cache=cache), 2)
    return require_shape(law, output, tuple(v.shape)).detach().double(), kept


def _two_ways_on(candidate: Cached, q: Tensor, k: Tensor, v: Tensor) -> None:
    """After two places the third, another in its place, the third again: as the first time; and so is what follows."""
    law, cache = "two ways to go on from one cache do not disturb each other", None
    for t in range(2):
        _, cache = _step(candidate, cache, law, *(x[:, t : t + 1] for x in (q, k, v)))

    def after(kept: Any, t: int) -> tuple[Tensor, Any]:
        return _step(candidate, kept, law, *(x[:, t : t + 1] for x in (q, k, v)))

    first, kept = after(cache, 2)
    before, _ = after(kept, 4)
    after(cache, 3)
    later, _ = after(kept, 4)
    require_close(law, torch.stack([after(cache, 2)[0], later]), torch.stack([first, before]), 1e-5, deduced="mutation")


def _causal(q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, dict[str, list[Tensor]]]:
    """All places at once, and what the usual slips would give in its place."""
    n, d, e = *q.shape[1:], v.shape[2]
    i, j = torch.arange(n)[:, None], torch.arange(n)[None]
    dots, past = q @ k.transpose(1, 2), j <= i
    shares = partial(_shares, dots / d**0.5)
    right, before = shares(past) @ v, shares((j < i) | (i + j == 0)) @ v
    lengths, turned = (i + 1.0).double(), (i - j).clamp(min=0)
    backwards = v[:, turned]  # (batch, query, place, e): the values of the places, the newest first
    echoed = v[:, :1]
    for t in range(1, n):
        echoed = torch.cat([echoed, shares(past)[:, t : t + 1, : t + 1] @ torch.cat([echoed, v[:, t : t + 1]], 1)], 1)
    slips = {
        "constant": [before, before * (i > 0)],
        "dependence": [v],
        "reduction": [shares(past & (j >= i - back)) @ v for back in range(1, n - 1)],
        "sign": [v[:, :1].expand_as(v)],
        "direction": [_shares(q @ q.transpose(1, 2) / d**0.5, past) @ v, echoed]
        + ([_shares(q @ v.transpose(1, 2) / d**0.5, past) @ k] if d == e else []),
        "spread": [_shares(dots / by, past) @ v for by in (1, d, e**0.5, d**0.25, lengths.sqrt(), lengths)],
        "one-to-one": [(shares(past)[..., None] * backwards).sum(2)],
        "log-mean": [v.cumsum(1) / lengths, v.cumsum(1)],
        "shape": pooled(right),
    }
    return right, slips
