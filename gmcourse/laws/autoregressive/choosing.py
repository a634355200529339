"""Laws of choosing a symbol: a temperature for each step, a nucleus, and how fast the entropy rises."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import LawBroken, as_tensor, require_close, require_shape
from gmcourse.laws.rows import draw, pooled, within

Choose = Callable[[Tensor, float], Tensor]


def steps_are_tempered(candidate: Choose, *, seed: int = 0) -> None:
    """candidate(logits, t): logits of q ∝ p^{1/t}, p = softmax over the last axis, up to a constant for each row.

    In the last cases logits are as large as 1000, and so far apart that most of p is 0 to a computer.
    """
    for name, logits, t in (
        ("T = 2", draw(3, 5, seed=seed) + 1, 2.0),
        ("T = ½", draw(3, 5, seed=seed) + 1, 0.5),
        ("T = 4", 2 * draw(2, 3, 4, seed=seed + 1), 4.0),
        ("T = 1", draw(3, 4, seed=seed + 2), 1.0),
        ("logits of 1000", 1000 + 3 * draw(2, 4, seed=seed + 3), 0.3),
        ("logits that are far apart", 300 * draw(3, 4, seed=seed + 4), 50.0),
        ("logits that are far apart", 300 * draw(3, 4, seed=seed + 4), 0.5),
    ):
        law = f"softmax of the answer = q, q ∝ p^(1/T), {name}"
        output = require_shape(law, ask(candidate, logits=logits, t=t), tuple(logits.shape)).detach().double()
        expected = (logits.double() / t).log_softmax(-1)
        slips, left = ({}, "overflow") if logits.abs().max() > 100 else (_tempered(logits.double(), t), "")
        slips = {cause: [way.log_softmax(-1) for way in ways] for cause, ways in slips.items()}
        law = f"ln softmax of the answer = ln q, q ∝ p^(1/T), {name}"
        require_close(law, output.log_softmax(-1), expected, within(expected, 1e-3), slips, deduced=left)


def _tempered(logits: Tensor, t: float) -> dict[str, list[Tensor]]:
    """What the usual slips would give in the place of the logits of q; none where T is 1, and most are no slips."""
    if t == 1:
        return {}
    right, log_p = logits / t, logits.log_softmax(-1)
    p, q = log_p.exp(), right.softmax(-1)
    return {
        "sign": [logits * t, log_p.exp() ** t, -right],
        "constant": [logits],
        "log-mean": [q, p / t, p, p ** (1 / t), p.log() ** 2 / t],
        "spread": [logits / t**2, logits / t**0.5, logits / math.log(t), logits / (2 * t), logits / (1 + t)],
        "reduction": [
            way
            for d in range(right.dim() - 1)
            for way in (
                right.log_softmax(d),
                right.softmax(d),
                logits.log_softmax(d) / t,
                right - right.mean(d, keepdim=True),
            )
        ],
        "shape": [way for d in range(right.dim() - 1) for way in _pooled(right, d)],
    }


def _pooled(value: Tensor, axis: int) -> list[Tensor]:
    return [way.transpose(0, axis) for way in pooled(value.transpose(0, axis))]


ROW = torch.tensor([[0.03, 0.5, 0.07, 0.15, 0.25], [0.22, 0.2, 0.18, 0.21, 0.19], [0.9, 0.03, 0.04, 0.02, 0.01]])
"""Probabilities that are not in order: uneven, nearly even, nearly certain."""


def nucleus_is_smallest(candidate: Choose, *, seed: int = 0) -> None:
    """candidate(logits, mass): the fewest symbols, likeliest first, whose p adds up to `mass`; the others are −∞.

    softmax of the answer is p within this set, divided by p of the set. Any number far below the others passes for −∞.
    """
    for logits, mass in (
        (ROW.log() + 2, 0.7),
        (ROW.log(), 0.6),
        (ROW.log() - 1, 0.1),
        (ROW.log(), 0.96),
        (ROW.log(), 1.0),
        (2 * draw(4, 7, seed=seed), 0.7),
        (3 * draw(20, 60, seed=seed + 1), 1.0),  # where rounding may keep a sum below 1
    ):
        law = f"softmax of the answer is p in the nucleus of mass {mass:g}, and 0 elsewhere"
        tensor = as_tensor(ask(candidate, logits=logits, mass=mass))
        found = None if tensor is None or tensor.is_complex() else tensor.detach().double()
        if found is None or found.isnan().any() or found.isposinf().any() or found.shape != logits.shape:
            require_shape(law, tensor if tensor is not None else None, tuple(logits.shape))
        assert found is not None
        expected, slips = _nucleus(logits.double(), mass)
        given = {"p": logits.softmax(-1), "mass": mass}
        try:
            require_close(law, _softmax(found), expected, 1e-4, slips, given=given)
        except LawBroken as broken:
            if not found.isneginf().all(-1).any():
                raise
            law = "the symbol that crosses the mass is kept, so that there is always one"
            cause = broken.cause or "constant"
            raise LawBroken(law, "a row of −∞", "one at least", cause, f"mass = {mass:g}") from None


def _softmax(logits: Tensor) -> Tensor:
    """q; the same for each symbol of a row that keeps none."""
    return logits.softmax(-1).nan_to_num(nan=1 / logits.shape[-1])


def _nucleus(logits: Tensor, mass: float) -> tuple[Tensor, dict[str, list[Tensor]]]:
    """q, symbol by symbol, and what the usual slips would give in its place."""
    p = logits.softmax(-1)
    likelier = (p[:, None, :] > p[:, :, None]).double()
    above = (likelier * p[:, None, :]).sum(-1)  # what is likelier than a symbol, together
    raw, least = p.cumsum(-1), (p[:, None, :] < p[:, :, None]).double()
    below = (least * p[:, None, :]).sum(-1)

    def within_(kept: Tensor) -> Tensor:
        return _softmax(torch.where(kept, logits, -torch.inf))

    kept, order = above < mass, p.argsort(-1, descending=True)
    in_turn = [kept.gather(-1, order), kept.gather(-1, order).gather(-1, order)]
    right = within_(kept)
    count = kept.sum(-1, keepdim=True)
    first = torch.arange(p.shape[-1]) < count
    return right, {
        "constant": [within_(above + p <= mass)],
        "dependence": [within_(raw <= mass), within_(raw - p < mass), within_(raw < mass), right.gather(-1, order)]
        + [within_(way) for way in (*in_turn, first, logits.cumsum(-1) <= mass)],
        "sign": [within_(above >= mass), within_(below >= mass), within_(below < mass)],
        "direction": [within_(p > 1 - mass), within_(p > mass), within_(p >= mass), within_(p < mass)],
        "log-mean": [right.softmax(-1), torch.where(kept, p, 0).softmax(-1), kept.double().softmax(-1), p],
        "one-to-one": [within_(likelier.sum(-1) < n) for n in range(1, p.shape[-1])]
        + [within_(likelier.sum(-1) < count + 1)],
        "reduction": [torch.where(kept, logits, fill).softmax(-1) for fill in (0, 1e-9, -1, -10)],
        "shape": [within_(kept[:1].expand_as(p)), within_(first[:, order[0].argsort()])],
    }


def entropy_rises(candidate: Choose, *, seed: int = 0) -> None:
    """candidate(logits, t) = dH/dt, (batch,), nats, of q ∝ p^{1/t}, p the softmax of a row of (batch, V).

    The oracle is autograd of the entropy. Logits are not normalised; in the last case most of p is 0 to a computer.
    """
    for name, logits, t in (
        ("T = 2", 1.5 * draw(4, 5, seed=seed) + 2, 2.0),
        ("T = 0.7", 1.5 * draw(3, 4, seed=seed + 1) - 1, 0.7),
        ("T = 1", draw(3, 6, seed=seed + 2), 1.0),
        ("equally likely symbols", torch.full((2, 3), 0.4), 1.5),
        ("logits that are far apart", torch.tensor([[0.0, -60.0, -150.0, -280.0], [200.0, 100.0, -30.0, 0.0]]), 60.0),
    ):
        law = f"dH/dT = Var_q(ln p)/T³, {name}"
        observed = require_shape(law, ask(candidate, logits=logits, t=t), (len(logits),)).detach().double()
        expected = _by_autograd(logits.double(), t)
        slips, left = ({}, "overflow") if t > 10 else (_rises(logits.double(), t, expected), "")
        tolerance = 2e-3 * expected.abs() + 2e-5
        require_close(law, observed, expected, tolerance, slips, given={"logits": logits, "t": t}, deduced=left)


def _by_autograd(logits: Tensor, t: float) -> Tensor:
    temperature = torch.full((len(logits), 1), t, dtype=logits.dtype, requires_grad=True)
    log_q = (logits / temperature).log_softmax(-1)
    return torch.autograd.grad(-(log_q.exp() * log_q).sum(), temperature)[0][:, 0]


def _variance(weight: Tensor, value: Tensor) -> Tensor:
    return (weight * value**2).sum(-1) - (weight * value).sum(-1) ** 2


def _rises(logits: Tensor, t: float, right: Tensor) -> dict[str, list[Tensor]]:
    """What the usual slips would give in the place of the slope; those of T's power none where T is 1."""
    log_p, log_q = logits.log_softmax(-1), (logits / t).log_softmax(-1)
    p, q = log_p.exp(), log_q.exp()
    var = _variance(q, log_p)
    entropy = -(q * log_q).sum(-1)
    powers = [var / t**n for n in (0, 1, 2, 4)] + [var * t**3]
    slips = {
        "direction": [_variance(p, log_p) / t**n for n in (0, 1, 2, 3)],
        "spread": [*powers, var.clamp(min=0).sqrt() / t**3, right.clamp(min=0).sqrt(), _variance(q, log_q) / t**3],
        "gradient": [-var, -var / t, -var / t**2, entropy],
        "sign": [-right],
        "log-mean": [right / math.log(2), _variance(q, p) / t**3, _variance(q, q) / t**3],
        "constant": [(q * logits**2).sum(-1) / t**3, (q * log_p**2).sum(-1) / t**3],
        "reduction": [logits.var(-1) / t**3, logits.var(-1, correction=0) / t**3, right / logits.shape[-1]]
        + [(q * (logits - logits.mean(-1, keepdim=True)) ** 2).sum(-1) / t**3],
        "shape": pooled(right),
    }
    if t == 1 or right.abs().max() < 1e-9:
        return {cause: slips[cause] for cause in ("sign", "log-mean", "constant", "reduction", "shape")}
    return slips
