"""A machine of few units: its normaliser, its draws and its walk, exactly, by listing every string of bits."""

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

MOST_BITS = 20


def all_bits(n: int, like: Tensor) -> Tensor:
    """All strings of n bits in the order of counting, (2ⁿ, n), in the type and on the device of `like`.

    Raises ValueError for n above 20.
    """
    if n > MOST_BITS:
        raise ValueError(f"n: got {n} bits, expected at most {MOST_BITS}, so that all strings can be listed")
    places = torch.arange(n - 1, -1, -1, device=like.device)
    return ((torch.arange(2**n, device=like.device)[:, None] >> places) & 1).to(like.dtype)


def free_energy(x: Tensor, weight: Tensor, bias: Tensor, hidden_bias: Tensor) -> Tensor:
    """F(x) = −b·x − Σ_j softplus(c_j + (xW)_j) = −ln Σ_h e^{−E(x, h)}, (batch,), nats, of bits x (batch, D).

    weight W is (D, H), bias b (D,), hidden_bias c (H,). Equation: scores-free-energy.
    """
    return -(x @ bias) - F.softplus(hidden_bias + x @ weight).sum(1)


def hidden_log_weights(weight: Tensor, bias: Tensor, hidden_bias: Tensor) -> Tensor:
    """ln Σ_x e^{−E(x, h)} of all strings h in the order of counting, (2^H,): −F of the machine turned upside down."""
    parts = all_bits(len(hidden_bias), weight).split(4096)
    return torch.cat([-free_energy(h, weight.T, hidden_bias, bias) for h in parts])


def log_partition(weight: Tensor, bias: Tensor, hidden_bias: Tensor) -> Tensor:
    """ln Z = ln Σ_x Σ_h e^{−E(x, h)}, nats, scalar: the smaller layer is listed, the other summed in closed form.

    Raises ValueError where both layers have more than 20 units. Equation: scores-log-partition.
    """
    if len(hidden_bias) > len(bias):
        weight, bias, hidden_bias = weight.T, hidden_bias, bias
    return hidden_log_weights(weight, bias, hidden_bias).logsumexp(0)


def exact_draws(n: int, weight: Tensor, bias: Tensor, hidden_bias: Tensor, rng: Generator | None = None) -> Tensor:
    """n independent draws of p(x), (n, D): h from all 2^H strings at their probabilities, then x ~ p(x|h)."""
    which = torch.multinomial(hidden_log_weights(weight, bias, hidden_bias).softmax(0), n, True, generator=rng)
    logits = bias + all_bits(len(hidden_bias), weight)[which] @ weight.T
    u = torch.rand(logits.shape, generator=rng, dtype=logits.dtype, device=logits.device)
    return (u < logits.sigmoid()).to(logits.dtype)


def sweep_matrix(weight: Tensor, bias: Tensor, hidden_bias: Tensor) -> Tensor:
    """T[x, x'] = Σ_h p(h|x) p(x'|h), (2^D, 2^D), all strings in the order of counting. Equation: scores-sweep."""
    x, h = all_bits(len(bias), weight), all_bits(len(hidden_bias), weight)
    return _table(hidden_bias + x @ weight, h) @ _table(bias + h @ weight.T, x)


def _table(logits: Tensor, bits: Tensor) -> Tensor:
    """Π_i Bern(bits_i; σ(logits_i)) of every row of logits and every string, (rows, strings)."""
    return (logits @ bits.T - F.softplus(logits).sum(1, keepdim=True)).exp()
