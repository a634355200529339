"""Diffusion: a denoiser for every level of noise, the bound that its errors add up to, and a walk down the levels."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

import torch
from torch import Generator, Tensor, nn

from gmcourse.nets import parts, sampling
from gmcourse.probability import gaussian_kl, gaussian_log_prob, noise_like, require_events, sum_event
from gmcourse.protocols import Bounded, Sampler, Scored, Trainable
from gmcourse.record import Examples, ModelRecord, held_then_falling_plan, plane_points, shape_of
from gmcourse.scores.average import WeightAverage
from gmcourse.scores.chain import binned_log_prob, grey_levels, reverse_std, step_cost, step_weight
from gmcourse.scores.denoiser import DENOISABLE, Denoiser, make_denoiser
from gmcourse.scores.levels import Level, descending, described, named, noised_gaussian, perturb
from gmcourse.scores.samplers import Step, Walk, ancestral_step, clipped, cosine_levels, ddim_step, spaced, walk

Weight = Callable[[Tensor, float], Tensor]
"""Of levels σ, (batch,), and the spread s of the data: how much a row counts of what f of the denoiser lacks."""


def noise_weight(sigma: Tensor, spread: float) -> Tensor:
    """s²/(s² + σ²), (batch,): with it what counts is the error of ε*, as in Ho et al. 2020, equation 14."""
    return 1 / (1 + (sigma / spread).square())


def even_weight(sigma: Tensor, spread: float) -> Tensor:
    """1, (batch,): every level counts alike; f is then trained to predict −v. Salimans & Ho 2022, section 4."""
    return torch.ones_like(sigma)


class Diffusion(nn.Module):
    """A denoiser x*(x + σε, σ) trained at N levels, and a walk down `calls` of them from N(m, s² + σ_N²) to data.

    m and s are the denoiser's `centre` and `spread`: data of this mean and deviation, with noise on them, are what the
    walk starts from; with s = 1 and m = 0 that is N(0, I) where a² + b² = 1. `sigmas` are the levels, the largest
    first. `step` is the walk's: `ddim_step` is DDIM. With `bounds` = (low, high) the walk cuts x* to them, as the
    papers do with pixels. What is evaluated is a moving average of the weights, of decay `decay`. `weight` says how
    much each level counts in the loss.
    Raises ValueError for levels that do not fall.
    """

    sigmas: Tensor

    def __init__(
        self,
        denoiser: Denoiser,
        event_shape: Sequence[int],
        sigmas: Tensor,
        *,
        step: Step = ddim_step,
        calls: int = 50,
        bounds: tuple[float, float] | None = None,
        decay: float = 0.995,
        weight: Weight = noise_weight,
    ):
        super().__init__()
        self.denoiser, self.event_shape, self.step = denoiser, tuple(event_shape), step
        self.calls, self.bounds, self.weight = calls, bounds, weight
        self.register_buffer("sigmas", descending(sigmas).to(torch.get_default_dtype()))
        spaced(self.sigmas, calls)
        self.average = WeightAverage(denoiser, decay)

    def extra_repr(self) -> str:
        """The levels, how they count in the loss, and how it draws."""
        levels = f"sigmas={described(self.sigmas)}, weight={named(self.weight)}"
        return f"{levels}, step={named(self.step)}, calls={self.calls}, bounds={self.bounds}"

    @property
    def network(self) -> Denoiser:
        """The denoiser whose weights are learned, in training; in evaluation mode that of the averaged weights."""
        return self.denoiser if self.training else cast(Denoiser, self.average.module)

    def denoise(self, noised: Tensor, sigma: Level) -> Tensor:
        """x* of x + σε, (batch, *event), cut to `bounds` where there are any."""
        denoise = self.network if self.bounds is None else clipped(self.network, *self.bounds)
        return denoise(noised, sigma)

    def score(self, x: Tensor, sigma: Level) -> Tensor:
        """(x* − x)/σ², an estimate of ∇ ln p_σ(x), of the shape of x; σ a number or (batch,)."""
        return self.network.score(x, sigma)

    def loss(self, x: Tensor) -> Tensor:
        """E w ‖x*(x + σε) − x‖²/c_out², mean over the batch; a level for each row, all equally likely.

        With w = `noise_weight` that is E ‖ε* − ε‖², with ε* = (x + σε − x*)/σ.
        Equation: scores-diffusion-loss. Ho et al. 2020, equation 14.
        """
        require_events(x, self.event_shape)
        sigma = self.sigmas[torch.randint(len(self.sigmas), (len(x),), device=x.device)].to(x.dtype)
        errors = self.network.matching_errors(x, sigma, torch.randn_like(x))
        return (self.weight(sigma, self.denoiser.spread) * errors).mean()

    def after_step(self) -> None:
        """The average follows the weights."""
        self.average.update(self.denoiser)

    def sample(
        self, n: int, *, rng: Generator | None = None, sigmas: Tensor | None = None, sampler: Walk | None = None
    ) -> Tensor:
        """(n, *event): from the largest of `sigmas` to 0 by `sampler`; by default the model's own levels and step."""
        levels = spaced(self.sigmas, self.calls) if sigmas is None else descending(sigmas)
        down = sampler or partial(walk, step=self.step)

        def drawn(n: int) -> Tensor:
            noise = noise_like(self.sigmas.new_empty(n, *self.event_shape), rng)
            start = noised_gaussian(noise, levels[0], self.denoiser.spread, self.denoiser.centre)
            return down(self.denoise, start, levels, rng=rng)

        with sampling(self, n, rng):
            return torch.cat([drawn(part) for part in parts(n, self.event_shape)])


class DDPM(Diffusion):
    """The chain p(x_N) Π p(x_{k−1}|x_k) p(x|x_1) of Gaussians around `posterior` with x* in the place of x.

    Every step of it has the deviation `reverse_std` of data of spread s; so has the last, from the lowest level to
    data: N(x; x*, s²σ²/(s² + σ²)), or the mass of this in the bin of x, where the data are V = `levels` values from 0
    to 1. Samples leave that last noise out. Ho et al. 2020.

    With `ddim_step` for its `step` it is DDIM: samples come of another walk through the same network, and `elbo` is
    still of the chain, not of what that walk draws. Song et al. 2021.
    Raises ValueError for one value, or fewer than 0.
    """

    def __init__(
        self,
        denoiser: Denoiser,
        event_shape: Sequence[int],
        sigmas: Tensor,
        *,
        levels: int = 0,
        step: Step | None = None,
        **more: Any,
    ):
        if levels < 0 or levels == 1:
            raise ValueError(f"levels: got {levels}, expected 0, or the number of values, at least 2")
        own: Step = partial(ancestral_step, spread=denoiser.spread)
        super().__init__(denoiser, event_shape, sigmas, step=step or own, **more)
        self.levels, self.measures = levels, "probability" if levels else "density"

    def extra_repr(self) -> str:
        """With the number of the data's values."""
        return f"{super().extra_repr()}, levels={self.levels}"

    def prior_cost(self, x: Tensor) -> Tensor:
        """KL(N(x, σ_N²) ‖ N(m, s² + σ_N²)), (batch,), nats: what of x is left at the highest level."""
        top, spread = self.sigmas[0].to(x.dtype), self.denoiser.spread
        return gaussian_kl(x, top.log(), self.denoiser.centre, (spread**2 + top.square()).log() / 2)

    def step_cost(self, x: Tensor, k: Tensor, noise: Tensor) -> Tensor:
        """KL of the step from the level number k, N … 2, down to k − 1, at x + σ_k ε, (batch,), nats.

        Raises ValueError for another number.
        """
        if not k.is_meta and len(k) and not 2 <= k.min() <= k.max() <= len(self.sigmas):
            raise ValueError(f"k: got {k.min()} to {k.max()}, expected the numbers of levels, 2 to {len(self.sigmas)}")
        place = len(self.sigmas) - k
        sigma, lower = (self.sigmas[place + more].to(x.dtype) for more in (0, 1))
        error = sum_event((self.network(perturb(x, sigma, noise), sigma) - x).square())
        return step_cost(error, x[0].numel() if len(x) else 0, sigma, lower, self.denoiser.spread)

    def last_cost(self, x: Tensor, noise: Tensor) -> Tensor:
        """−ln p(x|x + σ_1 ε), (batch,), nats: a density, or a probability where the data have `levels`."""
        sigma = self.sigmas[-1].to(x.dtype)
        clean, std = self.network(perturb(x, sigma, noise), sigma), reverse_std(sigma, 0.0, self.denoiser.spread)
        return -(binned_log_prob(x, clean, std, self.levels) if self.levels else gaussian_log_prob(x, clean, std.log()))

    def elbo(self, x: Tensor, *, rng: Generator | None = None) -> Tensor:
        """−(prior + Σ_k step k + last), (batch,), nats: an unbiased estimate, by one k a row in the place of the sum.

        k is drawn with a probability in proportion to what the step costs where f of the denoiser is wrong by 1, and
        its cost divided by that probability. Raises ValueError for x of another shape, or between two of `levels`
        values. Equation: scores-diffusion-elbo. Ho et al. 2020, equation 5.
        """
        require_events(x, self.event_shape)
        if self.levels and not x.is_meta and len(x):
            _require_values(x, self.levels)
        noise = torch.randn((2, *x.shape), generator=rng, dtype=x.dtype, device=x.device)
        costs = self.prior_cost(x) + self.last_cost(x, noise[0])
        if len(self.sigmas) == 1:
            return -costs
        sigmas, spread = self.sigmas.to(x.dtype), self.denoiser.spread
        share = step_weight(sigmas[:-1], sigmas[1:], spread) / (1 / spread**2 + 1 / sigmas[:-1].square())
        share = share / share.sum()
        u = torch.rand(len(x), generator=rng, dtype=x.dtype, device=x.device)
        place = torch.searchsorted(share.cumsum(0), u).clamp(max=len(share) - 1)
        return -(costs + self.step_cost(x, len(sigmas) - place, noise[1]) / share[place])


def _require_values(x: Tensor, levels: int) -> None:
    steps = x * (levels - 1)
    if not ((steps - steps.round()).abs().max() < 1e-3 and x.min() >= 0 and x.max() <= 1):
        raise ValueError(f"x: got values from {x.min():.4g} to {x.max():.4g}, expected {levels} values from 0 to 1")


def make_diffusion(kind: Callable[..., Diffusion], data: Examples | None = None, **more: Any) -> Diffusion:
    """1,000 cosine levels, from 80 spreads of the data down to 0.01, or to 0.4 of a step where images have grey levels.

    Finer noise would be lost in the step, and the bound would pay for it. The answers for images of [0, 1] are cut.
    Images of 256 pixels and more are learned with levels that count alike: their samples are better for it.
    """
    denoiser, shape = make_denoiser(data), shape_of(data, (2,))
    spread, levels, bounds = denoiser.spread, 0, None
    if data is not None and len(shape) == 3:
        levels = grey_levels(data.train)
        bounds = (0.0, 1.0) if data.train.min() >= 0 and data.train.max() <= 1 else None
    sigmas = spread * cosine_levels(80.0, 0.4 / (levels - 1) / spread if levels else 0.01, 1000)
    decay, weight = (0.999, even_weight) if math.prod(shape) >= 256 else (0.995, noise_weight)
    more |= {"levels": levels} if kind is DDPM else {}
    return kind(denoiser, shape, sigmas, **{"bounds": bounds, "decay": decay, "weight": weight, **more})


def diffusion_plan(data: Examples | None = None) -> dict[str, Any]:
    """Long enough for images of 256 pixels and more; gradients clipped."""
    if data is not None and math.prod(data.event_shape) >= 256:
        return held_then_falling_plan(data, steps=12_000, batch_size=64, peak=2e-3, clip=1.0)
    return held_then_falling_plan(data, steps=1_200, batch_size=96, peak=2e-3, clip=1.0)


diffusing = partial(
    ModelRecord,
    family="scores",
    branch=("explicit density", "approximate", "diffusion"),
    lesson="07_scores/04_diffusion",
    suits=DENOISABLE,
    density="bound",
    claims=(Trainable, Sampler, Bounded, Scored),
    plan=diffusion_plan,
    example=plane_points,
)

DENOISING_DIFFUSION = diffusing(
    name="DDPM",
    key="ddpm",
    paper="ho2020",
    year=2020,
    arxiv="2006.11239",
    make=partial(make_diffusion, DDPM),
)

DENOISING_IMPLICIT = diffusing(
    name="DDIM",
    key="ddim",
    paper="song2021ddim",
    year=2021,
    arxiv="2010.02502",
    make=partial(make_diffusion, DDPM, calls=20, step=ddim_step),
)
