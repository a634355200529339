"""One equation behind all noisings: the SDE forwards, its reverse, and the ODE with the same densities.

The clock is the noise level σ of x + σε. What a paper calls variance exploding, variance preserving or a straight line
is this equation seen through a factor a: x̃ = a x + b ε with σ = b/a.
"""

import math
from collections.abc import Iterable
from functools import partial
from itertools import pairwise
from typing import NamedTuple, Protocol, cast

import torch
from torch import Generator, Tensor, nn

from gmcourse.flows.continuous import Continuous, Trace, exact_trace
from gmcourse.flows.ode import Solver, rk4
from gmcourse.nets import parts, sampling
from gmcourse.probability import gaussian_log_prob, noise_like, require_events
from gmcourse.protocols import Density, Sampler, Trainable
from gmcourse.record import Examples, ModelRecord, Suits, held_then_falling_plan, plane_points, shape_of
from gmcourse.scores.denoiser import DENOISABLE, Denoiser, make_denoiser
from gmcourse.scores.guidance import drop_labels, guided
from gmcourse.scores.levels import Level, column, even_shares, noised_gaussian


class Score(Protocol):
    """∇ ln p_σ at x, of the shape of x; σ a number or (batch,)."""

    def __call__(self, x: Tensor, sigma: Level, /) -> Tensor: ...


class Rates(NamedTuple):
    """dx̃ = f x̃ dσ + g dW: the signal a(σ), the drift f = d ln a/dσ, and the variance g² = 2σa² that comes per σ."""

    signal: Tensor
    drift: Tensor
    variance: Tensor


def exploding(sigma: Tensor) -> Rates:
    """a = 1: nothing but noise is added. Song et al. 2021, equation 9 (VE), with σ for the clock.

    Equation: scores-forward-sde.
    """
    return _rates(sigma, torch.ones_like(sigma), torch.zeros_like(sigma))


def variance_preserving(sigma: Tensor) -> Rates:
    """a = 1/√(1 + σ²), so that a² + b² = 1. Song et al. 2021, equation 11 (VP): β dt is d ln(1 + σ²)."""
    return _rates(sigma, (1 + sigma.square()).rsqrt(), -sigma / (1 + sigma.square()))


def straight(sigma: Tensor) -> Rates:
    """a = 1/(1 + σ), so that a + b = 1: the lines of flow matching, at their time t = a."""
    return _rates(sigma, 1 / (1 + sigma), -1 / (1 + sigma))


def _rates(sigma: Tensor, signal: Tensor, drift: Tensor) -> Rates:
    return Rates(signal, drift, 2 * sigma * signal.square())


def probability_flow(x: Tensor, score: Tensor, sigma: Level) -> Tensor:
    """dx/dσ = −σ ∇ ln p_σ(x), (batch, *event), of the score at x: the velocity that has the densities of the noising.

    Equation: scores-probability-flow. Song et al. 2021, equation 13, with σ for the clock.
    """
    return -column(sigma, x) * score


def reverse_sde_step(x: Tensor, score: Tensor, sigma: Level, lower: Level, noise: Tensor, churn: float = 1.0) -> Tensor:
    """x + σ(σ − l) s + η s + √(2η) ε, η = ½λ(σ² − l²): one step down from σ to `lower` = l, s the score at x.

    DDIM's step of the probability flow, and a step η of Langevin dynamics. λ = `churn`: at 0 it is the flow, at 1
    Anderson's reverse of the noising, to first order in σ − l drift g²s and noise of variance g².
    Equation: scores-reverse-step. Anderson 1982; Song et al. 2021, equation 6; Karras et al. 2022, equation 6.
    """
    sigma, lower = column(sigma, x), column(lower, x)
    step = churn / 2 * (sigma.square() - lower.square())
    return x + (sigma * (sigma - lower) + step) * score + (2 * step).sqrt() * noise


def reverse_sde(
    score: Score, x: Tensor, sigmas: Tensor | Iterable[float], *, churn: float = 1.0, rng: Generator | None = None
) -> Tensor:
    """Points at the first of the levels, (batch, *event), brought down to the last by `reverse_sde_step`.

    Raises ValueError for levels that do not fall; the last may be 0.
    """
    levels = [*sigmas]
    if not all(sigma > lower >= 0 for sigma, lower in pairwise(levels)):
        raise ValueError(f"sigmas: got {[float(sigma) for sigma in levels]}, expected levels that fall, from 0 on")
    for sigma, lower in pairwise(levels):
        x = reverse_sde_step(x, score(x, sigma), sigma, lower, noise_like(x, rng), churn)
    return x


class ProbabilityFlow(nn.Module):
    """dx/du = −σ² ∇ ln p_σ(x), u = ln σ: the probability flow by the logarithm of the level, which is x̃ − x*."""

    def __init__(self, score: Score):
        super().__init__()
        self.score = score

    def forward(self, u: Tensor, x: Tensor) -> Tensor:
        """(batch, *event); u is one number."""
        return u.exp() * probability_flow(x, self.score(x, u.exp()), u.exp())


def flow_log_prob(
    score: Score,
    x: Tensor,
    smallest: float,
    largest: float,
    *,
    mean: Tensor | float = 0.0,
    spread: float = 0.0,
    solver: Solver | None = None,
    trace: Trace = exact_trace,
) -> Tensor:
    """ln p_σ(x) at σ = `smallest`, (batch,), nats: ln N(x_T; m, s² + σ_T²) + ∫ ∇·v along the flow to `largest` = σ_T.

    At σ_T the data are one Gaussian with the noise, nearly: `mean` and `spread` are theirs. `solver` is by default
    Runge–Kutta in 20 steps; a `trace` with a probe, `hutchinson_trace`, makes an unbiased estimate of it.
    Raises ValueError unless 0 < smallest < largest. Equation: scores-flow-log-prob. Song et al. 2021, equation 39.
    """
    if not 0 < smallest < largest:
        raise ValueError(f"smallest, largest: got {smallest} and {largest}, expected 0 < smallest < largest")
    path = Continuous(ProbabilityFlow(score), solver or partial(rk4, steps=20))
    far, volume = path.between(x, math.log(smallest), math.log(largest), trace)
    return gaussian_log_prob(far, mean, math.log(spread**2 + largest**2) / 2) + volume


class ScoreSDE(nn.Module):
    """A denoiser of every level between two, weighed for likelihood; its probability flow draws, and has a density.

    m and s are the denoiser's `centre` and `spread`, `smallest` and `largest` levels in units of s: the density is that
    of the data with noise of the smallest level. A network with classes is told them by `given`, and with the
    probability `drop` none in training, so that the same network knows the score of all. The slope of
    `log_prob` is the denoiser's score only where that is the true one. Song et al. 2021.
    Raises ValueError unless 0 < smallest < largest and 0 <= drop <= 1.
    """

    def __init__(
        self,
        denoiser: Denoiser,
        event_shape: tuple[int, ...],
        smallest: float = 0.005,
        largest: float = 50.0,
        *,
        solver: Solver | None = None,
        drop: float = 0.1,
    ):
        super().__init__()
        if not 0 < smallest < largest:
            raise ValueError(f"smallest, largest: got {smallest} and {largest}, expected 0 < smallest < largest")
        if not 0 <= drop <= 1:
            raise ValueError(f"drop: got {drop}, expected a probability")
        self.denoiser, self.event_shape, self.drop = denoiser, tuple(event_shape), drop
        self.ends = smallest * denoiser.spread, largest * denoiser.spread
        self.solver = solver or partial(rk4, steps=20)

    def extra_repr(self) -> str:
        """The levels between which it learns."""
        return f"ends=({self.ends[0]:g}, {self.ends[1]:g}), drop={self.drop:g}"

    def levels(self, u: Tensor) -> Tensor:
        """σ of u uniform on [0, 1], (batch,): ln b is uniform, b = σ/√(s² + σ²).

        With these the mean of `Denoiser.matching_errors` bounds, up to a factor and a constant, the KL divergence.
        Equation: scores-likelihood-levels. Song, Durkan et al. 2021, theorem 1.
        """
        low, high = (math.log(sigma / math.hypot(self.denoiser.spread, sigma)) for sigma in self.ends)
        b = torch.exp(low + u * (high - low))
        return self.denoiser.spread * b / ((1 - b) * (1 + b)).sqrt()

    def loss(self, x: Tensor, given: Tensor | None = None) -> Tensor:
        """Mean over the batch of the weighted errors, with `even_shares`: a batch has levels of every kind."""
        sigma = self.levels(even_shares(require_events(x, self.event_shape)))
        if given is not None:
            none = cast(int, self.denoiser.net.classes)
            given = drop_labels(given, torch.rand(len(x), device=x.device), self.drop, none)
        return self.denoiser.matching_errors(x, sigma, torch.randn_like(x), given).mean()

    def log_prob(self, x: Tensor, given: Tensor | None = None, *, trace: Trace = exact_trace) -> Tensor:
        """ln p(x), or ln p(x|c) where classes are given, (batch,), nats: exact up to the solver's error."""
        return flow_log_prob(
            partial(self.denoiser.score, given=given),
            require_events(x, self.event_shape),
            *self.ends,
            mean=self.denoiser.centre,
            spread=self.denoiser.spread,
            solver=self.solver,
            trace=trace,
        )

    def sample(
        self, n: int, given: Tensor | None = None, *, rng: Generator | None = None, strength: float = 0.0
    ) -> Tensor:
        """(n, *event): noise of the largest level carried down the probability flow, guided by `strength`.

        Raises ValueError unless `given` has a class for each.
        """
        if given is not None and given.shape != (n,):
            raise ValueError(f"given: got shape {tuple(given.shape)}, expected ({n},), a class for each sample")
        smallest, largest = self.ends
        centre, spread = self.denoiser.centre, self.denoiser.spread

        def drawn(n: int, told: Tensor | None) -> Tensor:
            noise = noise_like(centre.new_empty(n, *self.event_shape), rng)
            start = noised_gaussian(noise, centre.new_tensor(largest), spread, centre)
            flow = ProbabilityFlow(guided(self.denoiser.score, told, strength))
            return self.solver(flow, start, math.log(largest), math.log(smallest))

        with sampling(self, n, rng):
            sizes = parts(n, self.event_shape)
            told = [None] * len(sizes) if given is None else given.split(sizes)
            return torch.cat([drawn(part, classes) for part, classes in zip(sizes, told, strict=True)])


def make_score_sde(data: Examples | None = None) -> ScoreSDE:
    """The denoiser that diffusion has: an MLP for points, a U-Net for images. Without data: for points of the plane."""
    return ScoreSDE(make_denoiser(data), shape_of(data, (2,)))


def _few(shape: tuple[int, ...], dtype: torch.dtype) -> bool:
    """An exact trace takes a backward pass for each number."""
    return DENOISABLE(shape, dtype) and math.prod(shape) <= 64


SCORE_SDE = ModelRecord(
    name="Score SDE",
    key="score-sde",
    family="scores",
    branch=("explicit density", "tractable", "continuous flow"),
    density="exact",
    claims=(Trainable, Sampler, Density),
    paper="song2021sde",
    year=2021,
    arxiv="2011.13456",
    lesson="07_scores/05_one_equation",
    suits=Suits("vectors, images (4a × 4b, ≤ 64)", _few),
    make=make_score_sde,
    plan=partial(held_then_falling_plan, steps=3_000, batch_size=512, peak=3e-3),
    example=plane_points,
)
