"""Exercises of lesson 07.3, following the score."""

import math

import torch

from gmcourse.exercises.drawing import Pick, first_sound, value_law
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.laws.broken import require_value
from gmcourse.laws.scores import levels, walking
from gmcourse.scores import langevin
from gmcourse.scores.langevin import langevin_step, mala_log_ratio
from gmcourse.scores.levels import geometric_levels as noise_levels


def annealed_langevin(score, x, sigmas, steps, relative, rng):
    """The walk down, with the generator by its place."""
    return langevin.annealed_langevin(score, x, sigmas, steps, relative, rng=rng)


def nobody_crosses(answer: object) -> None:
    """Each walker goes to the mode whose basin it starts in: those of (−0.1, 8) out of (−16, 8), 0.338 of them."""
    slips = {
        "dependence": 0.8,
        "direction": (2 / 3, 0.66, 0.2),
        "constant": (0.5, 1.0, 0.0),
        "spread": (8 / 24 * 0.8, 0.4, 0.6),
    }
    require_value("the share of walkers on the right", answer, 0.338, 0.015, slips, fit=0.006)


def _there(x, moved, log_p, score, step):
    return log_p[1] - log_p[0] + (moved - x - step * score[0]).square().flatten(1).sum(1) / (4 * step)


def _walk(change=lambda sigma, r: r * sigma**2, root=2.0, ask=0, fresh=True):
    def answer(score, x, sigmas, steps, relative, rng):
        noise = torch.randn(x.shape, generator=rng, dtype=x.dtype)
        for k, sigma in enumerate(sigmas):
            eta = change(sigma, relative)
            for _ in range(steps):
                x = x + eta * score(x, sigmas[min(k + ask, len(sigmas) - 1)]) + (root * eta) ** 0.5 * noise
                noise = torch.randn(x.shape, generator=rng, dtype=x.dtype) if fresh else noise
        return x

    return answer


def share_elsewhere(seed: int) -> Variant:
    """The same for another start and other weights."""
    return first_sound(seed, _share, lesson=0.338)


def _share(pick: Pick) -> Variant:
    weight, left, right = pick((0.7, 0.75, 0.85, 0.9)), pick(range(8, 22)), pick(range(4, 13))
    edge = -math.log(weight / (1 - weight)) / 14  # where the score changes its sign, between modes at ±7
    share = (right - edge) / (left + right)
    slips = {
        "dependence": weight,
        "direction": (1 - share, 1 - right / (left + right), 1 - weight),
        "constant": (0.5, 1.0, 0.0),
        "spread": right / (left + right) * weight,
    }
    return Variant(
        rf"Data ${1 - weight:g}\, \mathcal{{N}}(-7, 1) + {weight:g}\, \mathcal{{N}}(7, 1)$, with the exact score. "
        rf"Walkers "
        f"start at random between −{left} and {right}, uniformly, and take 1,000 steps of $\\eta = 0.05$. What share "
        f"of "
        "them ends right of 0, to within 0.01? Predict it; then measure it on 20,000 walkers with your "
        "`langevin_step`.",
        laws=(value_law("the share of walkers on the right", share, 0.011, slips, fit=0.006),),
        reference=share,
        wrong=((weight, "dependence"), (1 - share, "direction"), (0.5, "constant"), (1.0, "constant")),
        hints=(
            "Between the modes one step is of size √0.1, and the way is 14 long, uphill half of it. Who crosses?",
            f"Nobody. The score changes its sign at {edge:.2f}. How many of the walkers start right of it?",
        ),
    )


EXERCISES = (
    Exercise(
        id="scores.langevin_step",
        stub='''def langevin_step(x, score, step, noise):
    """Where walkers at x, (batch, *event), are after one step of Langevin dynamics.

    score and noise have the shape of x: the score at x, and standard normal numbers.
    step is the number η > 0.
    """
    raise NotImplementedError''',
        points=1,
        laws=(walking.step_follows_the_score,),
        reference=langevin_step,
        hints=(
            "Uphill by η times the score, and noise whose *variance* is 2η.",
            "`x + step * score + math.sqrt(2 * step) * noise`.",
        ),
        wrong=(
            (lambda x, s, step, noise: x + step * s + math.sqrt(step) * noise, "spread"),
            (lambda x, s, step, noise: x + step * s + 2 * step * noise, "spread"),
            (lambda x, s, step, noise: x - step * s + math.sqrt(2 * step) * noise, "sign"),
            (lambda x, s, step, noise: x + step / 2 * s + math.sqrt(step) * noise, "constant"),
            (lambda x, s, step, noise: x + step * s, "constant"),
            (lambda x, s, step, noise: langevin_step(x, s, step, torch.randn_like(x)), "randomness"),
            (lambda x, s, step, noise: langevin_step(x, s, step, noise[:1]), "randomness"),
        ),
        causes={
            "spread": "On N(0, 1) it must settle near variance 1: (1 − η)² + c² = 1 for small η. Which c is it?",
            "sign": "The score points to where the density is higher. Does your walker go there?",
            "constant": "x, η s and √(2η) ε: are all three there? (A paper's ½α s has η = ½α.)",
            "randomness": "The noise is handed over, a number for each entry. Whose noise does each walker get?",
            "shape": "Every walker has a place, a score and noise of its own.",
        },
    ),
    Exercise(
        id="scores.mala_log_ratio",
        stub='''def mala_log_ratio(x, moved, log_p, score, step):
    """ln of p(moved) q(x | moved) over p(x) q(moved | x), (batch,).

    q(y | x) is the density of the step, N(y; x + step · s(x), 2 · step · I). x and
    moved (batch, *event); log_p and score are pairs, their values at x and at moved.
    log_p is known up to a constant.
    """
    raise NotImplementedError''',
        points=2,
        laws=(walking.ratio_weighs_both_ways,),
        reference=mala_log_ratio,
        hints=(
            "ln q(y|x) = −‖y − x − η s(x)‖²/(4η) + const. For the way back x and moved change places: whose score?",
            "`log_p[1] - log_p[0]` plus ‖moved − x − η s(x)‖²/4η minus ‖x − moved − η s(moved)‖²/4η, summed per row.",
        ),
        wrong=(
            (_there, "constant"),
            (lambda x, m, log_p, s, step: log_p[1] - log_p[0], "constant"),
            (lambda x, m, log_p, s, step: mala_log_ratio(x, m, (0 * log_p[0], 0 * log_p[1]), s, step), "constant"),
            (lambda *a: -mala_log_ratio(*a), "sign"),
            (lambda x, m, log_p, s, step: mala_log_ratio(x, m, log_p, s[::-1], step), "direction"),
            (
                lambda x, m, log_p, s, step: 2 * mala_log_ratio(x, m, log_p, s, step) - log_p[1] + log_p[0],
                "spread",
            ),
            (lambda *a: mala_log_ratio(*a).sum(), "shape"),
            (lambda *a: mala_log_ratio(*a).exp(), "constant"),
        ),
        causes={
            "constant": "Four terms: ln p at both ends, ln q there and *back*. Is one missing, or the logarithm?",
            "sign": "Let q be the same both ways: a step to a higher p has a ratio above 1. And yours?",
            "direction": "q(x | moved): where does that step start, where does it end, and whose score moves it?",
            "spread": "The step has variance 2η, so that ln q is −‖·‖²/(2 · 2η). Which number stands below in yours?",
            "reduction": "ln q sums over an example's entries. Where does a mean come from?",
            "shape": "One ratio for each walker.",
        },
    ),
    Exercise(
        id="scores.noise_levels",
        stub='''def noise_levels(largest, smallest, n):
    """n >= 2 levels from largest down to smallest > 0, of constant ratio: (n,)."""
    raise NotImplementedError''',
        points=1,
        laws=(levels.levels_share_a_ratio,),
        reference=noise_levels,
        hints=(
            "A constant ratio of σ is a constant *difference* of which function of σ? How many ratios have n levels?",
            "`largest * (smallest / largest) ** (torch.arange(n) / (n - 1))`.",
        ),
        wrong=(
            (torch.linspace, "log-mean"),
            (lambda a, b, n: noise_levels(a, b, n).flip(0), "direction"),
            (lambda a, b, n: a * (b / a) ** (torch.arange(n) / n), "one-to-one"),
            (lambda a, b, n: torch.logspace(math.log(a), math.log(b), n), "spread"),
            (lambda a, b, n: noise_levels(a, b, n).log(), "constant"),
            (lambda a, b, n: noise_levels(a, b, n + 1)[:-1], "one-to-one"),
        ),
        causes={
            "log-mean": "From 20 to 1 in equal steps, 9 of 10 levels are above 2. A constant ratio, or a difference?",
            "direction": "The walk goes down: which level does it meet first?",
            "one-to-one": "Both ends are among the n levels. How many ratios lie between them?",
            "spread": "Your ends are not `largest` and `smallest`. To which base did you take logarithms, and powers?",
            "constant": "Levels are asked for: not their logarithms, nor their ratios to one of them.",
            "shape": "n levels in a row.",
        },
    ),
    Exercise(
        id="scores.annealed_langevin",
        stub='''def annealed_langevin(score, x, sigmas, steps, relative, rng):
    """Where walkers from x, (batch, *event), end: so many steps at each of sigmas.

    score(x, sigma) is that of the level. The step is relative · sigma². sigmas (n,) are
    taken as they come. Noise: torch.randn(x.shape, generator=rng, dtype=x.dtype). The
    last step's noise is kept.
    """
    raise NotImplementedError''',
        points=2,
        laws=(walking.annealing_goes_down,),
        reference=annealed_langevin,
        hints=(
            "Two loops: over the levels, and over the steps of each. Which numbers change with the level?",
            "`x = x + eta * score(x, sigma) + (2 * eta) ** 0.5 * noise`, `eta = relative * sigma**2`.",
        ),
        wrong=(
            (_walk(root=1.0), "spread"),
            (_walk(lambda sigma, r: r), "dependence"),
            (_walk(fresh=False), "randomness"),
            (_walk(ask=1), ""),
            (lambda s, x, sigmas, *a: annealed_langevin(s, x, sigmas.flip(0), *a), "direction"),
            (lambda s, x, sigmas, steps, *a: annealed_langevin(s, x, sigmas, 1, *a), "constant"),
            (lambda s, x, *a: annealed_langevin(lambda at, sigma: -s(at, sigma), x, *a), "sign"),
            (lambda s, x, *a: annealed_langevin(s, torch.zeros_like(x), *a), "constant"),
        ),
        causes={
            "spread": "η goes with the score, and which number with the noise? At each level, is η = relative · σ²?",
            "dependence": "In units of σ each level has the same step. Which η does yours take, and at which level?",
            "randomness": "Each step and each walker has new numbers, and they come from `rng`. And yours?",
            "direction": "The levels come as they are to be walked: the first first.",
            "constant": "Start at x, `steps` steps at each level, noise in each: what is amiss?",
            "sign": "The score points to where the density is higher. Does your walker go there?",
            "shape": "Walkers in, walkers out: the shape of x.",
        },
    ),
    Exercise(
        id="scores.share_of_walkers",
        stub="share_of_walkers = ...",
        points=1,
        laws=(nobody_crosses,),
        reference=0.338,
        hints=(
            "Between the modes one step is of size √0.1, and the way is 14 long, uphill half of it. Who crosses?",
            "Nobody. Where does the score change its sign between the modes, and how many start right of it?",
        ),
        wrong=((0.8, "dependence"), (2 / 3, "direction"), (0.5, "constant"), (1.0, "constant")),
        causes={
            "dependence": "That is the truth of p. How long is the relaxation time for modes this far apart?",
            "direction": "The share on the *right* is asked for. From where to where do the walkers start?",
            "constant": "½ came of a start that was the same on both sides. Is this one?",
            "spread": "Do the weights pull at a walker? Where, between the modes, does the score change its sign?",
            "container": "One number is asked for, as `share_of_walkers = 0.25`.",
        },
        variant=share_elsewhere,
    ),
)
