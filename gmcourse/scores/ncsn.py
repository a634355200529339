"""The noise-conditional score network: one net for the scores of all levels, and a walk down them."""

from collections.abc import Sequence
from functools import partial

import torch
from torch import Generator, Tensor, nn

from gmcourse.nets import parts, sampling
from gmcourse.probability import noise_like, require_events
from gmcourse.protocols import Sampler, Scored, Trainable
from gmcourse.record import Examples, ModelRecord, held_then_falling_plan, plane_points, shape_of
from gmcourse.scores.denoiser import DENOISABLE, Denoiser, make_denoiser
from gmcourse.scores.langevin import annealed_langevin
from gmcourse.scores.levels import (
    Level,
    descending,
    described,
    even_shares,
    geometric_levels,
    noised_gaussian,
)
from gmcourse.scores.matching import weighted_denoising_loss


class NCSN(nn.Module):
    """s(x, σ) ≈ ∇ ln p_σ(x) at the levels σ_N > … > σ_1, all by one denoiser; sampled by annealed Langevin dynamics.

    `sigmas` are the levels, the largest first; at each the walk takes `steps` steps η = `relative` · σ². It starts at
    N(m, s² + σ_N²), with the denoiser's centre m and spread s, and ends with its x*, the mean of what the last point
    may have been (Jolicoeur-Martineau et al. 2021; in 2019 the walk started at uniform noise, and ended where it was).
    Raises ValueError for levels that do not fall. Song & Ermon 2019, algorithm 1.
    """

    sigmas: Tensor

    def __init__(
        self, denoiser: Denoiser, event_shape: Sequence[int], sigmas: Tensor, steps: int = 5, relative: float = 0.2
    ):
        super().__init__()
        if steps < 1 or not 0 < relative < 2:
            raise ValueError(f"steps, relative: got {steps}, {relative}, expected at least 1, and 0 < relative < 2")
        self.denoiser, self.event_shape, self.steps, self.relative = denoiser, tuple(event_shape), steps, relative
        self.register_buffer("sigmas", descending(sigmas).to(torch.get_default_dtype()))

    def extra_repr(self) -> str:
        """The levels, and the walk down them."""
        return f"sigmas={described(self.sigmas)}, steps={self.steps}, relative={self.relative:g}"

    def score(self, x: Tensor, sigma: Level) -> Tensor:
        """s(x, σ), of the shape of x, (batch, *event); σ a number or (batch,)."""
        return self.denoiser.score(x, sigma)

    def matching_errors(self, x: Tensor, sigma: Level, noise: Tensor) -> Tensor:
        """½ σ² ‖s(x + σε, σ) + ε/σ‖², (batch,): the weight σ² keeps all levels within reach of one another.

        Equation: scores-ncsn-loss. Song & Ermon 2019, equations 5 and 6 with λ(σ) = σ².
        """
        return weighted_denoising_loss(self.score, x, sigma, noise)

    def loss(self, x: Tensor) -> Tensor:
        """The mean of `matching_errors`; the rows' levels are spread evenly, each equally likely for each row."""
        require_events(x, self.event_shape)
        sigma = self.sigmas[(even_shares(x) * len(self.sigmas)).long().clamp(max=len(self.sigmas) - 1)]
        return self.matching_errors(x, sigma, torch.randn_like(x)).mean()

    def sample(self, n: int, *, rng: Generator | None = None) -> Tensor:
        """(n, *event): down the levels by annealed Langevin dynamics, then the denoiser's answer at the last."""

        def drawn(n: int) -> Tensor:
            noise = noise_like(self.sigmas.new_empty(n, *self.event_shape), rng)
            x = noised_gaussian(noise, self.sigmas[0], self.denoiser.spread, self.denoiser.centre)
            x = annealed_langevin(self.score, x, self.sigmas, self.steps, self.relative, rng=rng)
            return self.denoiser(x, self.sigmas[-1])

        with sampling(self, n, rng):
            return torch.cat([drawn(part) for part in parts(n, self.event_shape)])


def make_ncsn(data: Examples | None = None) -> NCSN:
    """20 levels, from the largest distance of two examples (Song & Ermon 2020) down to a tenth of the data's spread.

    A U-Net for images, an MLP for points. Without data: for points of the plane of mean 0 and standard deviation 1.
    """
    denoiser, widest = make_denoiser(data), 8.0
    if data is not None:
        some = data.train[:1000].flatten(1)
        widest = max(torch.cdist(some, some).max().item(), denoiser.spread)
    return NCSN(denoiser, shape_of(data, (2,)), geometric_levels(widest, denoiser.spread / 10, 20))


NOISE_CONDITIONAL_SCORE_NETWORK = ModelRecord(
    name="NCSN",
    key="ncsn",
    family="scores",
    branch=("explicit density", "approximate", "score"),
    density="implicit",
    claims=(Trainable, Sampler, Scored),
    paper="song2019",
    year=2019,
    arxiv="1907.05600",
    lesson="07_scores/03_following_the_score",
    suits=DENOISABLE,
    make=make_ncsn,
    plan=partial(held_then_falling_plan, steps=1_200, batch_size=96, peak=2e-3),
    example=plane_points,
)
