"""Exercises of lesson 07.6, fast: consistency models."""

import math

import torch

from gmcourse.exercises.drawing import Pick, first_sound, value_law
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.laws.broken import require_value
from gmcourse.laws.scores import jump as laws
from gmcourse.scores import consistency
from gmcourse.scores.consistency import consistency_errors, consistency_scales
from gmcourse.scores.levels import column
from gmcourse.scores.samplers import heun_step


def jump(f, noised, sigmas, lowest, rng):
    """The jumps, with the generator by its place."""
    return consistency.jump(f, noised, sigmas, lowest, rng=rng)


def jump_is_narrow(answer: object) -> None:
    """c_0 = 1, c_1 = (1 + 0)/(1 + 1) = ½, c_3 = ½ (1 + 3)/(1 + 9) = ⅕; the start has deviation √10: √0.4."""
    slips = {
        "dependence": 1.0,
        "spread": (0.4, 10 * 0.2, 0.2**2, 0.8),
        "one-to-one": (0.1 * math.sqrt(10), 0.4 * math.sqrt(10), 0.5 * math.sqrt(10), 0.5 * math.sqrt(2)),
        "constant": (0.2, 0.6, math.sqrt(10)),
        "direction": (0.35, math.sqrt(0.35)),
    }
    require_value("the spread of one jump from level 3", answer, math.sqrt(0.4), 0.01, slips, fit=0.004)


def _euler(denoise, noised, sigma, lower):
    return noised + (column(lower, noised) / column(sigma, noised) - 1) * (noised - denoise(noised, sigma))


def _second_slope(denoise, noised, sigma, lower):
    ahead = _euler(denoise, noised, sigma, lower)
    return noised + (column(lower, noised) / column(lower, noised) - column(sigma, noised) / column(lower, noised)) * (
        ahead - denoise(ahead, lower)
    )


def _moving(f, noised, sigma, nearer, lower):
    return (f(noised, sigma) - f(nearer, lower)).square().flatten(1).sum(1)


def _jumps(size=lambda sigma, low: (sigma**2 - low**2) ** 0.5, fresh=True, last=False):
    def answer(f, noised, sigmas, lowest, rng):
        noise = torch.randn(noised.shape, generator=rng, dtype=noised.dtype)
        clean = f(noised, sigmas[0])
        for sigma in sigmas[1:]:
            clean = f(clean + size(sigma, lowest) * noise, sigma)
            noise = torch.randn(noised.shape, generator=rng, dtype=noised.dtype) if fresh else noise
        return clean + lowest * noise if last else clean

    return answer


def width_elsewhere(seed: int) -> Variant:
    """The same for other levels."""
    return first_sound(seed, _width, lesson=math.sqrt(0.4))


def _width(pick: Pick) -> Variant:
    high, low = pick((2.5, 3.0, 3.5, 4.0, 4.5, 5.0)), pick((0.5, 0.8, 1.2, 1.5, 1.8, 2.0))
    first, second, start = 1 / (1 + low**2), (1 + low * high) / (1 + high**2), math.sqrt(1 + high**2)
    kept, right = first * second, first * second * start
    slips = {
        "dependence": 1.0,
        "spread": (right**2, start**2 * kept, kept**2, second * start),
        "one-to-one": (1 / start, second * start, first * start, first * math.sqrt(1 + low**2)),
        "constant": (kept, kept * high, start),
    }
    wrong = (1.0, "dependence"), (right**2, "spread"), (1 / start, "one-to-one"), (kept * high, "constant")
    return Variant(
        rf"Data $\mathcal{{N}}(0, 1)$ and the levels {high:g}, {low:g} and 0, where $f(x, 0) = x$. Consistency "
        rf"training of a "
        "linear $f$ has found its minimum, at which each level follows the next lower one. What is the standard "
        f"deviation of samples of one jump from level {high:g}? Predict it, to within 1 %.",
        laws=(value_law(f"the spread of one jump from level {high:g}", right, 0.01 * right, slips, 0.005 * right),),
        reference=right,
        wrong=(*wrong, (kept, "constant")),
        hints=(
            f"c_0 = 1. From level 0 to {low:g} by the formula, then from {low:g} to {high:g}: what is c at level "
            f"{high:g}?",
            f"c = {first:.4g} · {second:.4g}. And which deviation has a point of level {high:g}, data included?",
        ),
        causes={
            "one-to-one": f"Each pair of neighbours has a factor: 0 and {low:g}, {low:g} and {high:g}. How many has "
            "yours?",
            "direction": f"One jump, from level {high:g}. Did you add noise and jump again?",
        },
    )


EXERCISES = (
    Exercise(
        id="scores.consistency_scales",
        stub='''def consistency_scales(sigma, lowest, spread):
    """c_skip and c_out of f(x, σ) = c_skip x + c_out F(x, σ), of the shape of sigma.

    lowest is the level at which f(x, lowest) must be x, whatever F is; spread is the
    data's standard deviation. sigma (n,) is a tensor.
    """
    raise NotImplementedError''',
        points=1,
        laws=(laws.scales_keep_the_lowest_level,),
        reference=consistency_scales,
        hints=(
            "At σ = lowest c_skip is 1 and c_out 0. Which difference must stand in both?",
            "`spread**2 / (spread**2 + past**2)` and `spread * past / (spread**2 + sigma**2) ** 0.5`.",
        ),
        wrong=(
            (lambda sigma, lowest, spread: consistency_scales(sigma, 0.0, spread), "constant"),
            (lambda sigma, lowest, spread: consistency_scales(sigma, lowest, 1.0), "constant"),
            (lambda *a: (consistency_scales(*a)[0].sqrt(), consistency_scales(*a)[1]), "spread"),
            (lambda *a: (consistency_scales(*a)[0], -consistency_scales(*a)[1]), "sign"),
            (lambda s, low, v: (v**2 / (v**2 + (s - low) ** 2), v * s / (v**2 + s**2).sqrt()), "constant"),
            (lambda *a: consistency_scales(*a)[:1], "container"),
        ),
        causes={
            "constant": "Put in σ = lowest: c_skip is 1 and c_out 0, for *any* lowest and any spread. And yours?",
            "spread": "c_skip is a ratio of two variances, c_out one of deviations. Which root is wrong in yours?",
            "direction": "How far is σ from the lowest level? Do you subtract first, or square first?",
            "sign": "Both are above 0 at high levels. Which of yours is not?",
            "container": "Two results, c_skip and c_out.",
            "shape": "A number of each for every level.",
        },
    ),
    Exercise(
        id="scores.heun_step",
        stub='''def heun_step(denoise, noised, sigma, lower):
    """The point at lower > 0 of the path through noised, by Heun's rule.

    The path is dx/dσ = (x - x*)/σ, x* = denoise(x, level). noised (batch, *event);
    sigma > lower are numbers or one for each row, (batch,).
    """
    raise NotImplementedError''',
        points=2,
        laws=(laws.step_is_heun_s,),
        reference=heun_step,
        hints=(
            "Follow the first slope to the end of the step, take the slope *there*, go back and follow their mean.",
            "`ahead = x + h * d1`, `d2 = (ahead - denoise(ahead, lower)) / lower`, `x + h * (d1 + d2) / 2`; h < 0.",
        ),
        wrong=(
            (_euler, "spread"),
            (_second_slope, "dependence"),
            (lambda d, x, s, low: 2 * x - heun_step(d, x, s, low), "sign"),
            (lambda d, x, s, low: 2 * heun_step(d, x, s, low) - x, "constant"),
            (lambda d, x, s, low: heun_step(d, x, s, low)[:1], "shape"),
        ),
        causes={
            "spread": "That is Euler's rule: one slope. What is the slope at the other end of the step?",
            "constant": "The mean of two slopes: is there a ½? And at which point did you take the second?",
            "sign": "The level falls: h = lower − σ is below 0. Does your point move towards x*, or away?",
            "dependence": "Two slopes in equal parts, one at each end. Which of the two is in yours?",
            "direction": "The second slope is at the level `lower`: what is told to the denoiser, and what divides?",
            "shape": "A level may differ from row to row. Which axes must it get, to meet (batch, *event)?",
        },
    ),
    Exercise(
        id="scores.consistency_errors",
        stub='''def consistency_errors(f, noised, sigma, nearer, lower):
    """‖f(noised, sigma) - f(nearer, lower)‖² of each row, (batch,), to be trained by.

    noised and nearer (batch, *event) lie on one path, at the levels sigma > lower. The
    value at the lower level is a target.
    """
    raise NotImplementedError''',
        points=1,
        laws=(laws.errors_hold_the_target_still,),
        reference=consistency_errors,
        hints=(
            "A target is a label: if gradients could pass through it, which of the two would move?",
            "`f(nearer, lower).detach()`; squares are summed over all axes but the first.",
        ),
        wrong=(
            (_moving, "gradient"),
            (lambda *a: consistency_errors(*a).detach(), "gradient"),
            (lambda f, x, s, y, low: consistency_errors(f, y, low, x, s), "gradient"),
            (lambda f, x, s, y, low: consistency_errors(f, x, low, y, s), "direction"),
            (lambda *a: consistency_errors(*a) / 15, "reduction"),
            (lambda *a: consistency_errors(*a).mean(), "shape"),
            (lambda *a: consistency_errors(*a).sqrt(), "spread"),
        ),
        causes={
            "gradient": "Labels travel upwards. Through which of the two values may a gradient pass, and does it?",
            "direction": "Each point has a level of its own. Which one did you tell f with each?",
            "reduction": "A sum over an example's entries, for each row. Where does a mean come from?",
            "spread": "The *square* of the distance is asked for. Did you take a root, or sizes?",
            "constant": "No weight here: the loss puts it in later. By what did you multiply, or divide?",
            "sign": "A square is not below 0.",
            "shape": "One error for each row.",
        },
    ),
    Exercise(
        id="scores.jump",
        stub='''def jump(f, noised, sigmas, lowest, rng):
    """One jump from noised at sigmas[0]; then for each other level, noise and a jump.

    f(x, sigma) leads to the level `lowest`: its values have noise of that size still.
    sigmas (n,) fall. Noise: torch.randn(x.shape, generator=rng, dtype=x.dtype).
    """
    raise NotImplementedError''',
        points=2,
        laws=(laws.jumps_keep_the_law,),
        reference=jump,
        hints=(
            "Before the jump from σ the point must have noise of variance σ². How much of it is there already?",
            "`x = f(x + (sigma**2 - lowest**2) ** 0.5 * noise, sigma)` for each of `sigmas[1:]`, new noise each time.",
        ),
        wrong=(
            (_jumps(lambda sigma, low: sigma), "spread"),
            (_jumps(lambda sigma, low: sigma - low), "spread"),
            (_jumps(lambda sigma, low: sigma**2 - low**2), "spread"),
            (_jumps(fresh=False), "randomness"),
            (_jumps(last=True), "randomness"),
            (lambda f, x, sigmas, low, rng: jump(f, x, sigmas[:1], low, rng), ""),
            (lambda f, x, sigmas, low, rng: jump(f, x + low, sigmas, low, rng), "dependence"),
        ),
        causes={
            "spread": "Variances add: lowest² is in the point, σ² must be. How much comes on top, as a deviation?",
            "constant": "The noise must reach the level of the next jump. Which factor has it in yours?",
            "randomness": "New noise from `rng` before each jump but the first, and none after the last. And yours?",
            "dependence": "The first jump is from `noised`, as it is. From where is yours?",
            "shape": "A sample for each row, of the shape of `noised`.",
        },
    ),
    Exercise(
        id="scores.width_of_one_jump",
        stub="width_of_one_jump = ...",
        points=1,
        laws=(jump_is_narrow,),
        reference=math.sqrt(0.4),
        hints=(
            "c_0 = 1. From level 0 to 1 by the formula, then from 1 to 3: what is c at level 3?",
            "½ · (1 + 3)/(1 + 9) = ⅕. And which standard deviation has a point of level 3, data included?",
        ),
        wrong=(
            (1.0, "dependence"),
            (0.4, "spread"),
            (0.316, "one-to-one"),
            (0.6, "constant"),
            (0.2, "constant"),
        ),
        causes={
            "dependence": "That is the data's. Does a model of three levels follow the path, or straight pieces?",
            "spread": "A standard deviation is asked for, and a factor multiplies it. Is yours a variance?",
            "one-to-one": "Each pair of neighbours has a factor: 0 and 1, 1 and 3. How many are in yours?",
            "constant": "The factor times the spread of what goes in: data *and* noise. Which of them is missing?",
            "direction": "One jump, from level 3. Did you add noise and jump again?",
            "container": "One number is asked for, as `width_of_one_jump = 0.5`.",
        },
        variant=width_elsewhere,
    ),
)
