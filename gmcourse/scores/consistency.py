"""Consistency: from any point of a path of the probability flow to its end in one call, learned from a teacher."""

import copy
import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import Generator, Tensor, nn

from gmcourse.nets import parts, rowwise, sampling
from gmcourse.probability import noise_like, require_events, sum_event
from gmcourse.protocols import Sampler, Trainable
from gmcourse.record import Examples, ModelRecord, plane_points
from gmcourse.scores.average import WeightAverage
from gmcourse.scores.denoiser import DENOISABLE, Denoiser
from gmcourse.scores.diffusion import Diffusion, diffusion_plan, make_diffusion
from gmcourse.scores.levels import Level, column, descending, described, named, noised_gaussian, perturb
from gmcourse.scores.samplers import Denoise, clipped, heun_step, power_levels


def consistency_scales(sigma: Level, lowest: float, spread: float = 0.5) -> tuple[Tensor, Tensor]:
    """c_skip = s²/(s² + (σ − σ_1)²) and c_out = s(σ − σ_1)/√(s² + σ²): 1 and 0 at σ_1 = `lowest`; s = `spread`.

    Equation: scores-consistency-scales. Song et al. 2023, appendix C.
    """
    sigma = torch.as_tensor(sigma)
    past = sigma - lowest
    return spread**2 / (spread**2 + past.square()), spread * past * (spread**2 + sigma.square()).rsqrt()


class Jump(nn.Module):
    """f(x̃, σ) = m + c_skip (x̃ − m) + c_out F(c_in (x̃ − m), ln σ / 4): x̃ itself at σ = `lowest`, whatever F is.

    `net` is F(x, level, given), as of `Denoiser`, whose scales these are where `lowest` is 0. m = `centre`, s =
    `spread`. Equation: scores-consistency-function.
    """

    centre: Tensor

    def __init__(self, net: nn.Module, lowest: float, spread: float = 0.5, centre: float = 0.0):
        super().__init__()
        if not (lowest > 0 and spread > 0):
            raise ValueError(f"lowest, spread: got {lowest} and {spread}, expected numbers above 0")
        self.net, self.lowest, self.spread = net, lowest, spread
        self.register_buffer("centre", torch.tensor(float(centre)))

    @classmethod
    def like(cls, denoiser: Denoiser, lowest: float) -> "Jump":
        """With the denoiser's scales and a copy of its network: where a student starts."""
        return cls(copy.deepcopy(denoiser.net), lowest, denoiser.spread, denoiser.centre.item())

    def extra_repr(self) -> str:
        """What decides its scales."""
        centre = "" if self.centre.is_meta else f", centre={self.centre.item():g}"
        return f"lowest={self.lowest:g}, spread={self.spread:g}{centre}"

    def forward(self, x: Tensor, sigma: Level, given: Tensor | None = None) -> Tensor:
        """The end of the path through x, of the shape of x, (batch, *event); sigma is a number or (batch,)."""
        level, u = column(sigma, x), x - self.centre
        skip, out = consistency_scales(level, self.lowest, self.spread)
        into = (self.spread**2 + level.square()).rsqrt()
        return self.centre + skip * u + out * self.net(into * u, rowwise(sigma, x).log() / 4, given)


def consistency_errors(f: Denoise, noised: Tensor, sigma: Level, nearer: Tensor, lower: Level) -> Tensor:
    """‖f(noised, σ) − f(nearer, l)‖², (batch,), l = `lower`: no gradient passes through the target f(nearer, l).

    `nearer` is the point at l of the path through `noised`, by a teacher's step; or the same example with the same
    noise, l times. Equation: scores-consistency-errors. Song et al. 2023, definition 1 and theorem 2.
    """
    with torch.no_grad():
        target = f(nearer, lower)
    return sum_event((f(noised, sigma) - target).square())


def jump(f: Denoise, noised: Tensor, sigmas: Tensor, lowest: float = 0.0, *, rng: Generator | None = None) -> Tensor:
    """f from the first of the levels; then, for each lower one, noise added up to it, and f again.

    One call of f a level. What f gives has noise `lowest` still, so that √(σ² − lowest²) is added.
    Raises ValueError for levels that do not fall, or fall below `lowest`. Equation: scores-jump-again.
    Song et al. 2023, algorithm 1.
    """
    levels = [lowest + 1.0] * len(sigmas) if sigmas.is_meta else descending(sigmas).tolist()
    if levels[-1] < lowest * (1 - 1e-6):
        raise ValueError(f"sigmas: got {levels}, expected levels from the lowest, {lowest:g}, on")
    clean = f(noised, levels[0])
    for sigma in levels[1:]:
        added = max(sigma**2 - lowest**2, 0.0) ** 0.5
        clean = f(perturb(clean, added, noise_like(noised, rng)), sigma)
    return clean


class ConsistencyModel(nn.Module):
    """f(x + σε, σ) that gives neighbours on a path of the probability flow one and the same end, their clean point.

    `sigmas` are the levels, the largest first; the last is f's `lowest`. The path is the teacher's: a function
    x*(x̃, σ), or a `Diffusion`, which learns beside f unless its parameters are frozen. Without a teacher the point
    below x + σε is x + lε, of the same noise (consistency training). Samples jump from each of `jumps`; with `bounds`
    f is cut to them. What is evaluated is a moving average of the weights. Song et al. 2023.
    Raises ValueError for levels that do not fall, or fewer than two, or whose last is not f's `lowest`.
    """

    sigmas: Tensor
    jumps: Tensor

    def __init__(
        self,
        f: Jump,
        event_shape: Sequence[int],
        sigmas: Tensor,
        teacher: Diffusion | Denoise | None,
        *,
        jumps: Tensor | Sequence[float] | None = None,
        bounds: tuple[float, float] | None = None,
        decay: float = 0.999,
    ):
        super().__init__()
        self.f, self.event_shape, self.teacher, self.bounds = f, tuple(event_shape), teacher, bounds
        for name, levels in (("sigmas", sigmas), ("jumps", sigmas[:1] if jumps is None else jumps)):
            self.register_buffer(name, descending(levels).to(torch.get_default_dtype()))
        if len(sigmas) < 2 or not math.isclose(sigmas[-1].item(), f.lowest, rel_tol=1e-4):
            raise ValueError(f"sigmas: got {sigmas.tolist()}, expected levels down to f's lowest, {f.lowest:g}")
        self.average = WeightAverage(f, decay)

    def extra_repr(self) -> str:
        """The levels, and how it draws."""
        levels = f"sigmas={described(self.sigmas)}, jumps={described(self.jumps)}, bounds={self.bounds}"
        if isinstance(self.teacher, nn.Module):
            return levels
        return f"{levels}, teacher={self.teacher and named(self.teacher)}"

    @property
    def network(self) -> Jump:
        """f whose weights are learned, in training; in evaluation mode that of the averaged weights."""
        return self.f if self.training else cast(Jump, self.average.module)

    @property
    def learning(self) -> bool:
        """Does the teacher learn too?"""
        return isinstance(self.teacher, Diffusion) and any(p.requires_grad for p in self.teacher.parameters())

    def loss(self, x: Tensor) -> Tensor:
        """E weight · `consistency_errors` over pairs of neighbouring levels, all equally likely, mean over the batch.

        A teacher that learns adds its own loss; f learns from the average of its weights.
        Equation: scores-consistency-loss.
        """
        require_events(x, self.event_shape)
        place = torch.randint(len(self.sigmas) - 1, (len(x),), device=x.device)
        sigma, lower = (self.sigmas[place + more].to(x.dtype) for more in (0, 1))
        noise = torch.randn_like(x)
        noised = perturb(x, sigma, noise)
        with torch.no_grad():
            nearer = perturb(x, lower, noise) if self.teacher is None else self.follow(noised, sigma, lower)
        loss = (self.weight(sigma, lower) * consistency_errors(self.network, noised, sigma, nearer, lower)).mean()
        return loss + cast(Diffusion, self.teacher).loss(x) if self.learning else loss

    def weight(self, sigma: Tensor, lower: Tensor) -> Tensor:
        """1/c_out(σ)², (batch,), so that what counts is the error of F, at every level alike."""
        return consistency_scales(sigma, self.f.lowest, self.f.spread)[1].square().reciprocal()

    def follow(self, noised: Tensor, sigma: Level, lower: Level) -> Tensor:
        """The teacher's point at `lower`, one step of Heun's rule."""
        teacher = self.teacher.average if isinstance(self.teacher, Diffusion) else self.teacher
        return heun_step(cast(Denoise, teacher), noised, sigma, lower)

    def after_step(self) -> None:
        """The averages follow the weights."""
        self.average.update(self.f)
        if self.learning:
            cast(Diffusion, self.teacher).after_step()

    def sample(self, n: int, *, rng: Generator | None = None, sigmas: Tensor | None = None) -> Tensor:
        """(n, *event): a jump from each of `sigmas`, by default the model's `jumps`; as many calls."""
        levels = self.jumps if sigmas is None else descending(sigmas)
        with sampling(self, n, rng):
            f = self.network if self.bounds is None else clipped(self.network, *self.bounds)

            def drawn(n: int) -> Tensor:
                noise = noise_like(self.sigmas.new_empty(n, *self.event_shape), rng)
                start = noised_gaussian(noise, levels[0], self.f.spread, self.f.centre)
                return jump(f, start, levels, self.f.lowest, rng=rng)

            return torch.cat([drawn(part) for part in parts(n, self.event_shape)])


def nearest(sigmas: Tensor, sigma: float) -> int:
    """The place of the level nearest to `sigma`, in ratio."""
    return int((sigmas / sigma).log().abs().argmin())


def make_consistency(data: Examples | None = None) -> ConsistencyModel:
    """18 levels, from the highest to the lowest of a diffusion model that learns beside it, as Song et al. 2023 have.

    Samples take two jumps, the second from three quarters of the data's spread.
    """
    teacher = make_diffusion(Diffusion, data)
    largest, lowest = teacher.sigmas[0].item(), teacher.sigmas[-1].item()
    sigmas = power_levels(largest, lowest, 18)
    return ConsistencyModel(
        Jump.like(teacher.denoiser, lowest),
        teacher.event_shape,
        sigmas,
        teacher,
        jumps=sigmas[[0, nearest(sigmas, 0.75 * teacher.denoiser.spread)]],
        bounds=teacher.bounds,
        decay=teacher.average.decay,
    )


CONSISTENCY = ModelRecord(
    name="Consistency model",
    key="consistency-model",
    family="scores",
    branch=("implicit density", "distilled"),
    density="implicit",
    claims=(Trainable, Sampler),
    paper="song2023",
    year=2023,
    arxiv="2303.01469",
    lesson="07_scores/06_fast",
    suits=DENOISABLE,
    make=make_consistency,
    plan=diffusion_plan,
    example=plane_points,
)
