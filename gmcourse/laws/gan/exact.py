"""What the laws of the game compare with: the best answer by search, divergences of two Gaussians by quadrature."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor


def best_answer(log_p: Tensor, log_q: Tensor) -> Tensor:
    """The y in (0, 1) that maximises a ln y + b ln(1 − y), (n,), by search, a and b scaled so that the larger is 1."""
    top = torch.maximum(log_p, log_q)
    a, b = ((log - top).exp()[:, None] for log in (log_p, log_q))
    best = low = torch.zeros(len(log_p), 1)
    high = torch.ones(len(log_p), 1)
    for _ in range(6):  # each round keeps a twentieth
        y = low + (high - low) * torch.linspace(0.005, 0.995, 100, dtype=torch.float64)
        best = y.gather(1, (a * y.log() + b * (1 - y).log()).argmax(1, keepdim=True))
        width = (high - low) / 40
        low, high = (best - width).clamp(min=0), (best + width).clamp(max=1)
    return best[:, 0]


def gaussian_js(theta: float, std: float = 1.0) -> float:
    """JS of p = N(0, 1) and q = N(θ, std²), nats, by a Gauss–Hermite rule: ½ E_p ln p/m + ½ E_q ln q/m."""
    return sum(to_mixture(theta, std)) / 2


def to_mixture(theta: float, std: float) -> tuple[float, float]:
    """KL(p ‖ m) and KL(q ‖ m), each ln 2 − E ln(1 + the other density over its own)."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(150)

    def log_ratio(x: np.ndarray) -> np.ndarray:  # ln q/p
        return x**2 / 2 - ((x - theta) / std) ** 2 / 2 - math.log(std)

    ratios = log_ratio(nodes), -log_ratio(theta + std * nodes)
    first, second = (math.log(2) - float(weights @ np.logaddexp(0, r)) / weights.sum() for r in ratios)
    return first, second


def best_table(cost: Callable[[Tensor], Tensor], size: int, rounds: int = 60) -> Tensor:
    """The table (size,) of least `cost`, which is convex and takes rows of tables, (n, size) → (n,), by search.

    Each round moves mass between two entries, for every pair, to the best of 41 amounts; then ever smaller amounts.
    """
    q = torch.full((size,), 1 / size, dtype=torch.float64)
    reach = 1.0
    for _ in range(rounds):
        for i in range(size):
            for j in range(i):
                amounts = (reach * torch.linspace(-1, 1, 41, dtype=torch.float64)).clamp(-float(q[i]), float(q[j]))
                tried = q.repeat(41, 1)
                tried[:, i] += amounts
                tried[:, j] -= amounts
                q = tried[cost(tried.clamp(min=0)).argmin()].clamp(min=0)
        reach = max(0.8 * reach, 1e-5)
    return q / q.sum()
