"""What a latent knows of the example that it was drawn for, where every example is known."""

import torch
from torch import Tensor

from gmcourse.probability import gaussian_log_prob


def log_owner(z: Tensor, mean: Tensor, log_std: Tensor, log_prob: Tensor) -> Tensor:
    """ln p(i|z) = ln p_i + ln q(z|x_i) − ln Σ_j p_j q(z|x_j), (n, N), nats: which of N examples z was drawn for.

    z: (n, L); mean, log_std: (N, L), the q(z|x_i) of all examples; log_prob: (N,), ln p_i, whose p_i sum to 1.
    Equation: vae-owner.
    """
    log_q = torch.stack([gaussian_log_prob(row.expand_as(mean), mean, log_std) for row in z])
    return (log_q + log_prob).log_softmax(1)


def information(log_owner: Tensor, log_prob: Tensor, own: Tensor) -> Tensor:
    """ln p(i|z) − ln p_i at the example i = `own`, (n,) int64, that z was drawn for: (n,), nats, with mean I(x; z)."""
    return log_owner.gather(1, own[:, None])[:, 0] - log_prob[own]


def log_fact(log_owner: Tensor, facts: Tensor, values: int) -> Tensor:
    """ln p(f|z), (n, V), nats: the p(i|z) of the examples with each value f = 0..V−1 of a fact, (N,) int64, added."""
    hidden = facts[None] != torch.arange(values, device=facts.device)[:, None]
    return torch.stack([log_owner.masked_fill(rows, -torch.inf).logsumexp(1) for rows in hidden], 1)
