"""How the next symbol is chosen: the logits that a model gives, sharpened or cut before one is drawn."""

import torch
from torch import Tensor


def temperature(logits: Tensor, t: float) -> Tensor:
    """l/t, of any shape: the logits of q ∝ p^{1/t}, sharper than p for t < 1, flatter for t > 1.

    Raises ValueError unless t > 0: the limit t → 0 is `top_k(logits, 1)`. Equation: autoregressive-temperature.
    """
    if not t > 0:
        raise ValueError(f"t: got {t}, expected a temperature above 0; top_k(logits, 1) takes the likeliest symbol")
    return logits / t


def top_k(logits: Tensor, k: int) -> Tensor:
    """The k largest of (…, V) logits, the others −∞; of equal ones the first. All of them where k ≥ V.

    Raises ValueError for k < 1. Equation: autoregressive-cut. Fan et al. 2018.
    """
    if k < 1:
        raise ValueError(f"k: got {k}, expected a number of symbols to keep, at least 1")
    ordered, order = logits.sort(dim=-1, descending=True, stable=True)
    return _kept(ordered, order, torch.arange(logits.shape[-1], device=logits.device) < k)


def nucleus(logits: Tensor, mass: float) -> Tensor:
    """The fewest symbols, likeliest first, whose probabilities add up to `mass`; the other logits of (…, V) are −∞.

    The symbol that crosses `mass` is kept, so that there is always one; at 1 nothing is cut, also where a sum that is
    rounded reaches 1 early. Raises ValueError unless 0 < mass ≤ 1. Equation: autoregressive-cut. Holtzman et al. 2020.
    """
    if not 0 < mass <= 1:
        raise ValueError(f"mass: got {mass}, expected a probability above 0, at most 1")
    ordered, order = logits.sort(dim=-1, descending=True, stable=True)
    p = ordered.softmax(-1)
    return _kept(ordered, order, (p.cumsum(-1) - p < mass) | (mass == 1))


def entropy(logits: Tensor) -> Tensor:
    """H = −Σ_v p_v ln p_v of (…, V) logits, (…), nats; a symbol of probability 0 adds nothing."""
    log_p = logits.log_softmax(-1)
    return -(log_p.exp() * log_p.masked_fill(log_p.isneginf(), 0)).sum(-1)


def entropy_slope(logits: Tensor, t: float) -> Tensor:
    """dH/dt = Var_q(ln p)/t³ of q ∝ p^{1/t}, (…), nats: never negative. Equation: autoregressive-entropy-slope."""
    q = temperature(logits, t).softmax(-1)
    log_p = logits.masked_fill(logits.isneginf(), 0)  # up to a constant, which a variance does not see
    mean = (q * log_p).sum(-1, keepdim=True)
    return (q * (log_p - mean).square()).sum(-1) / t**3


def _kept(ordered: Tensor, order: Tensor, kept: Tensor) -> Tensor:
    """Sorted logits put back to their places, −∞ where they are not kept."""
    return torch.full_like(ordered, -torch.inf).scatter(-1, order, ordered.masked_fill(~kept, -torch.inf))
