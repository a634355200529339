"""Four losses whose least is the score, no normaliser in any of them; what noise makes of it; and two models."""

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from gmcourse.flows.continuous import draw_probe, exact_trace, hutchinson_trace
from gmcourse.nets import LeveledMLP, rowwise
from gmcourse.probability import sum_event
from gmcourse.protocols import Scored, Trainable
from gmcourse.record import IMAGES, VECTORS, Examples, ModelRecord, grey_images, held_then_falling_plan, shape_of
from gmcourse.scores.denoiser import Denoiser
from gmcourse.scores.levels import Level, column, perturb

Score = Callable[[Tensor], Tensor]


def explicit_loss(score: Score, truth: Score, x: Tensor) -> Tensor:
    """½‖s(x) − ∇ ln p(x)‖², (batch,): half the Fisher divergence, on average over p.

    Equation: scores-explicit. Hyvärinen 2005.
    """
    return sum_event((score(x) - truth(x)).square()) / 2


def implicit_loss(score: Score, x: Tensor) -> Tensor:
    """½‖s(x)‖² + tr ∇s(x), (batch,), x (batch, *event): D backward passes, batched. s acts on each row alone.

    Equation: scores-implicit. Hyvärinen 2005.
    """
    value, trace = exact_trace(_flat(score, x), x, x.flatten(1))
    return sum_event(value.square()) / 2 + trace


def sliced_loss(score: Score, x: Tensor, probe: Tensor, reduced: bool = False) -> Tensor:
    """½(vᵀs)² + vᵀ∇s v, (batch,), for v = `probe` (batch, *event) with E v vᵀ = I; ½‖s‖² + vᵀ∇s v where `reduced`.

    One backward pass. Equation: scores-sliced. Song et al. 2019.
    """
    v = probe.flatten(1)
    value, slope = hutchinson_trace(_flat(score, x), x, x.flatten(1), v)
    return (sum_event(value.square()) if reduced else sum_event(v * value).square()) / 2 + slope


def _flat(score: Score, like: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    """s of rows (batch, D), as the traces of flows call a velocity: with a time, which is not looked at."""
    return lambda _, z: score(z.view_as(like)).flatten(1)


def dsm_target(x: Tensor, sigma: Level, noise: Tensor) -> tuple[Tensor, Tensor]:
    """x̃ = x + σε and ∇ ln N(x̃; x, σ²I) = −ε/σ there, both (batch, *event); sigma a number or (batch,).

    Equation: scores-dsm-target.
    """
    return perturb(x, sigma, noise), -noise / column(sigma, x)


def denoising_loss(score: Score, x: Tensor, sigma: Level, noise: Tensor) -> Tensor:
    """½‖s(x + σε) + ε/σ‖², (batch,): on average the explicit loss on p_σ and `dsm_constant`.

    Equation: scores-denoising. Vincent 2011.
    """
    noised, target = dsm_target(x, sigma, noise)
    return explicit_loss(score, lambda _: target, noised)


def weighted_denoising_loss(score: Callable[..., Tensor], x: Tensor, sigma: Level, noise: Tensor) -> Tensor:
    """σ² times the `denoising_loss` of score(x̃, sigma=σ): ½‖σs + ε‖², (batch,); at any level, ½D on average if s is 0.

    Equation: scores-weighted-denoising.
    """
    return rowwise(sigma, x).square() * denoising_loss(partial(score, sigma=sigma), x, sigma, noise)


def dsm_constant(fisher: Tensor | float, sigma: float, dims: int) -> Tensor | float:
    """½(D/σ² − I(p_σ)): the least that the denoising loss can be; I(p_σ) = E‖∇ ln p_σ‖² is `fisher`.

    Equation: scores-dsm-constant.
    """
    return (dims / sigma**2 - fisher) / 2


def tweedie(score: Score, x: Tensor, sigma: Level) -> tuple[Tensor, Tensor]:
    """E[clean | x] = x + σ²s, (batch, D), and Cov[clean | x] = σ²(I + σ²∇s), (batch, D, D), for s = ∇ ln p_σ.

    x (batch, D) is a noised point; sigma a number or (batch,). Raises ValueError for another shape.
    Equation: scores-tweedie-covariance.
    """
    if x.dim() != 2:
        raise ValueError(f"x: got shape {tuple(x.shape)}, expected (batch, D)")
    value, pulled_back = torch.func.vjp(score, x)[:2]
    units = torch.eye(x.shape[1], dtype=x.dtype, device=x.device)
    jacobian = torch.vmap(lambda unit: pulled_back(unit.expand_as(x))[0], out_dims=1)(units)
    variance = column(sigma, x).square()
    return x + variance * value, variance[..., None] * (units + variance[..., None] * jacobian)


def score_errors(model: Scored, truth: Scored, x: Tensor, sigma: Level, noise: Tensor) -> Tensor:
    """½σ²‖s(x̃, σ) − ∇ ln p_σ(x̃)‖² at x̃ = x + σε, (batch,): at noised points, against the density at that level.

    By the factor σ² a score of 0 costs at most ½D on average at any level.
    """
    at = partial(model.score, sigma=sigma), partial(truth.score, sigma=sigma)
    return rowwise(sigma, x).square() * explicit_loss(*at, perturb(x, sigma, noise))


class DenoisingScore(nn.Module):
    """s(x, σ) ≈ ∇ ln p_σ(x) by a denoiser that is told σ, fitted by denoising score matching. Vincent 2011.

    Levels are drawn log-uniformly from `lowest` to `highest` (None: the one level `lowest`); elsewhere s extrapolates.
    The denoiser's net takes rows, (batch, D), as `LeveledMLP` does. Raises ValueError for levels that are not positive.
    """

    def __init__(self, denoiser: Denoiser, lowest: float, highest: float | None = None):
        super().__init__()
        self.denoiser, self.lowest, self.highest = denoiser, lowest, lowest if highest is None else highest
        if not 0 < lowest <= self.highest:
            raise ValueError(f"lowest, highest: got {lowest} and {highest}, expected 0 < lowest <= highest")

    def extra_repr(self) -> str:
        return f"lowest={self.lowest:g}, highest={self.highest:g}"

    def score(self, x: Tensor, sigma: Level) -> Tensor:
        """s(x, σ), of the shape of x, (batch, *event); sigma a number or (batch,)."""
        return self.denoiser.score(x.flatten(1), sigma).view_as(x)

    def matching_errors(self, x: Tensor, sigma: Level, noise: Tensor) -> Tensor:
        """½σ²‖s(x̃, σ) + ε/σ‖² = ½‖σs + ε‖² at x̃ = x + σε, (batch,)."""
        return weighted_denoising_loss(self.score, x, sigma, noise)

    def loss(self, x: Tensor) -> Tensor:
        """The mean of `matching_errors`, with a level for each row."""
        return self.matching_errors(x, self.levels(x), torch.randn_like(x)).mean()

    def levels(self, x: Tensor) -> Tensor:
        """A level for each row, (batch,), from torch's global state."""
        share = torch.rand(len(x), dtype=x.dtype, device=x.device)
        return self.lowest * (math.log(self.highest / self.lowest) * share).exp()


class SlicedScore(DenoisingScore):
    """The same s(x, σ), fitted by sliced score matching of the noised points, which knows of no noise.

    One sign vector v a row; ½‖s‖² is taken exactly. Song et al. 2019; at several levels Song & Ermon 2019.
    """

    def loss(self, x: Tensor) -> Tensor:
        """The mean of σ²(½‖s‖² + vᵀ∇s v) at x + σε, with a level for each row. It has no sign."""
        sigma = self.levels(x)
        noised = perturb(x, sigma, torch.randn_like(x))
        errors = sliced_loss(partial(self.score, sigma=sigma), noised, draw_probe(x, "rademacher"), reduced=True)
        return (sigma.square() * errors).mean()


def make_score(kind: type[DenoisingScore], data: Examples | None = None) -> DenoisingScore:
    """Three layers of 128; levels from a tenth of the data's spread to twice it. Without data: for 8 × 8 images."""
    shape = shape_of(data, (1, 8, 8))
    mean, std = (0.5, 0.3) if data is None else (data.train.mean().item(), max(data.train.std().item(), 1e-3))
    return kind(Denoiser(LeveledMLP(math.prod(shape), [128, 128, 128]), std, mean), std / 10, 2 * std)


matching_scores = partial(
    ModelRecord,
    family="scores",
    branch=("explicit density", "approximate", "score"),
    density="none",
    claims=(Trainable, Scored),
    lesson="07_scores/02_matching_the_score",
    suits=VECTORS | IMAGES,
    plan=partial(held_then_falling_plan, steps=1_500, batch_size=128, peak=2e-3),
    example=grey_images,
)

SLICED_SCORE_MATCHING = matching_scores(
    name="Sliced score matching",
    key="sliced-score-matching",
    paper="song2019sliced",
    year=2019,
    arxiv="1905.07088",
    make=partial(make_score, SlicedScore),
)

DENOISING_SCORE_MATCHING = matching_scores(
    name="Denoising score matching",
    key="denoising-score-matching",
    paper="vincent2011",
    year=2011,
    arxiv="",
    make=partial(make_score, DenoisingScore),
)
