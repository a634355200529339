"""Langevin dynamics: walk along the score, with noise; correct what the step does wrong; and go down the levels."""

from collections.abc import Callable, Iterable

import torch
from torch import Generator, Tensor

from gmcourse.probability import noise_like, sum_event
from gmcourse.scores.levels import Level, column


def langevin_step(x: Tensor, score: Tensor, step: Level, noise: Tensor) -> Tensor:
    """x' = x + η s(x) + √(2η) ε, (batch, *event), of the score at x; η is a number or (batch,).

    Equation: scores-langevin. Roberts & Tweedie 1996, with η for half of their step.
    """
    step = column(step, x)
    return x + step * score + (2 * step).sqrt() * noise


def langevin(
    score: Callable[[Tensor], Tensor],
    x: Tensor,
    step: Level,
    steps: int,
    *,
    rng: Generator | None = None,
) -> Tensor:
    """Where walkers from x, (batch, *event), are after so many steps of Langevin dynamics.

    Raises ValueError for a number η or of steps below 0.
    """
    if steps < 0 or (not isinstance(step, Tensor) and not step >= 0):
        raise ValueError(f"step, steps: got {step} and {steps}, expected numbers from 0 on")
    for _ in range(steps):
        x = langevin_step(x, score(x), step, noise_like(x, rng))
    return x


def annealed_langevin(
    score: Callable[[Tensor, Level], Tensor],
    x: Tensor,
    sigmas: Iterable[Level],
    steps: int,
    relative: float,
    *,
    rng: Generator | None = None,
) -> Tensor:
    """Langevin dynamics at one level after another, `steps` at each, with the step η = `relative` · σ².

    `score(x, sigma)` is that of x + σε; x (batch, *event) are points to start from, about as wide as the first level.
    Equation: scores-annealed-langevin. Song & Ermon 2019, algorithm 1, whose α_i is 2η and ε is 2 · `relative` · σ²
    of their last level.
    """
    for sigma in sigmas:
        x = langevin(lambda at, sigma=sigma: score(at, sigma), x, relative * sigma**2, steps, rng=rng)
    return x


def ula_variance(variance: float, step: float) -> float:
    """The variance v/(1 − η/2v) at which Langevin dynamics with the step η settles on N(0, v).

    Equation: scores-langevin-variance. Raises ValueError unless 0 < η < 2v, since it does not settle otherwise.
    """
    if not 0 < step < 2 * variance:
        raise ValueError(f"step: got {step}, expected 0 < step < 2 · variance = {2 * variance}")
    return variance / (1 - step / (2 * variance))


def mala_log_ratio(
    x: Tensor,
    moved: Tensor,
    log_p: tuple[Tensor, Tensor],
    score: tuple[Tensor, Tensor],
    step: float,
) -> Tensor:
    """ln p(x')q(x|x')/p(x)q(x'|x), (batch,), of a Langevin step x → x' = `moved`, both (batch, *event).

    q(x'|x) = N(x'; x + η s(x), 2η I). `log_p` and `score` hold ln p up to a constant, (batch,), and s at x and at x'.
    Equation: scores-metropolis.
    """
    there, back = (
        sum_event((end - start - step * s).square()) / (4 * step)
        for start, end, s in ((x, moved, score[0]), (moved, x, score[1]))
    )
    return log_p[1] - log_p[0] + there - back


def mala_step(
    x: Tensor,
    log_p: Callable[[Tensor], Tensor],
    score: Callable[[Tensor], Tensor],
    step: float,
    noise: Tensor,
    u: Tensor,
) -> tuple[Tensor, Tensor]:
    """A Langevin step that is taken where u < the ratio of `mala_log_ratio`, and else not: x', and whether, (batch,).

    `log_p` is known up to a constant; u (batch,) is uniform in [0, 1). It keeps p at any step.
    Besag 1994; Roberts & Tweedie 1996.
    """
    here = score(x)
    moved = langevin_step(x, here, step, noise)
    log_ratio = mala_log_ratio(x, moved, (log_p(x), log_p(moved)), (here, score(moved)), step)
    taken = u.log() < log_ratio
    return torch.where(taken.view(-1, *[1] * (x.dim() - 1)), moved, x), taken


def relaxation_time(log_p: Tensor, dx: float) -> float:
    """τ of e^{−t/τ}, by which Langevin dynamics on a line forgets its slowest memory; t = η · the number of steps.

    `log_p` (n,) is ln p, up to a constant, on a grid of spacing dx. The generator g ↦ s g' + g'' becomes jumps to the
    neighbours at the rates √(p_{i±1}/p_i)/dx², which keep p; τ is −1 over its second eigenvalue.
    Equation: scores-relaxation-time.
    """
    up = ((log_p[1:] - log_p[:-1]) / 2).exp()
    rates = torch.zeros_like(log_p)
    rates[:-1] += up
    rates[1:] += 1 / up
    near = torch.ones(len(log_p) - 1, dtype=log_p.dtype)
    symmetric = near.diag(1) + near.diag(-1) - rates.diag()
    return -(dx**2) / torch.linalg.eigvalsh(symmetric)[-2].item()
