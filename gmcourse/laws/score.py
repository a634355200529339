"""Law of scores: the score of smoothed data is the gradient of the log-density of a mixture."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from gmcourse.laws.asking import ask
from gmcourse.laws.broken import require_close, require_shape

Score = Callable[[Tensor, float | Tensor, Tensor, Tensor], Tensor]


def is_score_of_mixture(candidate: Score, *, seed: int = 0) -> None:
    """candidate(x, σ, points, weights) = ∇ₓ ln Σ_k w_k N(x; x_k, σ²I), (batch, D), far out too.

    σ is a number or (batch,), x (batch, D), points (K, D), weights (K,) of sum 1. The oracle is autograd
    through torch's own mixture.
    """
    rng = torch.Generator().manual_seed(seed)
    x, points = (1.5 * torch.randn(n, 3, generator=rng, dtype=torch.float64) for n in (5, 4))
    weights = torch.tensor([0.4, 0.1, 0.2, 0.3], dtype=torch.float64)
    each = torch.tensor([0.2, 0.5, 1.0, 1.5, 3.0], dtype=torch.float64)
    for name, sigma, where in (
        ("σ = 0.7", 0.7, x),
        ("a σ for each row", each, x),
        ("densities of e^{−1000}", 0.3, 20 * x),
    ):
        score = _gradient(where, sigma, points, weights)
        answer = ask(candidate, x=where, sigma=sigma, points=points, weights=weights)
        observed = require_shape(f"one score a row, {name}", answer, (5, 3))
        column = torch.as_tensor(sigma).double().expand(5)[:, None]
        suspects = {
            "sign": -score,
            "spread": score * column,
            "constant": score * column**2,
            "dependence": _gradient(where, sigma, points, torch.full_like(weights, 1 / 4)),
            "log-mean": (weights @ points - where) / column**2,
            "shape": score[:1].expand(5, 3),
        }
        law = f"∇ ln Σ w_k N(x; x_k, σ²I), {name}"
        require_close(law, observed, score, 1e-6 * (1 + score.abs().max()), suspects, given={"x": where, "σ": sigma})


def _gradient(x: Tensor, sigma: float | Tensor, points: Tensor, weights: Tensor) -> Tensor:
    x = x.clone().requires_grad_()
    sigma = torch.as_tensor(sigma).double().expand(len(x))[:, None, None]
    parts = Independent(Normal(points.expand(len(x), *points.shape), sigma), 1)
    mixture = MixtureSameFamily(Categorical(weights.expand(len(x), -1)), parts)
    return torch.autograd.grad(mixture.log_prob(x).sum(), x)[0]
