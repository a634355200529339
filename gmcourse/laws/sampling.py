"""Law of samples: they come from the density that is claimed, by a permutation test of the energy distance."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from gmcourse.laws.broken import LawBroken, require_shape, show_value
from gmcourse.laws.mass import grid
from gmcourse.protocols import Sampler


def samples_agree(
    model: Sampler,
    log_prob: Callable[[Tensor], Tensor],
    *,
    low: Sequence[float],
    high: Sequence[float],
    n: int = 1_000,
    points: int = 200,
    permutations: int = 499,
    seed: int = 0,
) -> None:
    """Samples and draws from the density are told apart no better than under shuffled labels: two permutation tests.

    The statistics are the energy distance (Székely & Rizzo 2013, equation 6.1) and the gap of E log p. The draws come
    from log_prob on a grid over the box [low, high], which must hold all the mass; D ≤ 3. Right samples fail at one
    seed in 250 at most. Of 50 seeds on two clouds of σ = ½ and shares 0.3 and 0.7 it saw σ = 0.6 at 50, a share of 0.2
    at 48, a share of 0.25 at 13.
    """
    rng = torch.Generator().manual_seed(seed)
    draws = require_shape("n samples of the event's shape", model.sample(n, rng=rng), (n, len(low))).double()
    if len(draws.unique(dim=0)) < n:
        raise LawBroken("each sample has its own noise", f"{len(draws.unique(dim=0))} different ones", n, "randomness")
    cells, _ = grid(low, high, points)
    mass = require_shape("one log-probability for each row", log_prob(cells).exp(), (len(cells),)).double()
    chosen = torch.multinomial(mass, n, replacement=True, generator=rng)
    widths = torch.tensor([(b - a) / points for a, b in zip(low, high, strict=True)], dtype=torch.float64)
    exact = cells[chosen] + widths * (torch.rand(n, len(low), generator=rng, dtype=torch.float64) - 0.5)
    labels = torch.cat([torch.ones(n), -torch.ones(n)]).double() / n
    shuffled = torch.stack([labels[torch.randperm(2 * n, generator=rng)] for _ in range(permutations)])
    signs, both = torch.cat([labels[None], shuffled]), torch.cat([draws, exact])
    log_p = log_prob(both).double().clamp(min=-1e3)  # outside a bounded support too
    for law, statistic in (
        ("the gap of E log p is one that chance gives", (signs @ log_p).abs()),
        ("the energy distance is one that chance gives", -((signs @ torch.cdist(both, both)) * signs).sum(1)),
    ):
        if statistic[0] > statistic[1:].max():
            raise LawBroken(law, show_value(statistic[0]), f"at most {show_value(statistic[1:].max())}")
