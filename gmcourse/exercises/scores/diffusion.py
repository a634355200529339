"""Exercises of lesson 07.4, diffusion."""

import math

import torch

from gmcourse.exercises.drawing import Pick, first_sound, value_law
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.laws.broken import require_value
from gmcourse.laws.scores import levels, noising
from gmcourse.scores.chain import posterior
from gmcourse.scores.levels import column, preserving
from gmcourse.scores.samplers import ddim_step, linear_levels


def preserving_noise(x, sigma, noise):
    """a x + b ε, with b/a = σ and a² + b² = 1."""
    a, b = preserving(column(sigma, x))
    return a * x + b * noise


def chain_forgets_its_doubt(answer: object) -> None:
    """From σ = 2 to 1 on data N(0, 1): x̃' = ⅖ x̃ + √¾ ε with Var x̃ = 5, so 0.8 + 0.75, where 2 would be right."""
    slips = {
        "dependence": 2.0,
        "randomness": (0.8, 1.8, 0.64, 1.44),
        "constant": (3.8, 1.39, 4 * 0.16 + 0.75, 5.0, 0.75, 1.0),
        "spread": (0.8 + math.sqrt(0.75), math.sqrt(1.55), 0.4 * 5 + 0.75, 0.8 + 0.75**2),
        "one-to-one": (0.3875, 0.25 * 1.55 + 0.5),
    }
    require_value("the variance at level 1", answer, 1.55, 0.02, slips, fit=0.01)


def _posterior(share=lambda p: p, std=lambda low, p: low * (1 - p).sqrt()):
    def answer(x, noised, sigma, lower):
        p = (column(lower, x) / column(sigma, x)).square()
        return x + share(p) * (noised - x), std(column(lower, x), p)

    return answer


def _ddim(tau=lambda low, p: low * math.sqrt(1 - p), kept=lambda low, tau: math.sqrt(low**2 - tau**2), by=None):
    def answer(noised, clean, sigma, lower, noise, fresh):
        size = fresh * tau(lower, (lower / sigma) ** 2)
        return clean + kept(lower, size) * (noised - clean) / (by or sigma) + size * noise

    return answer


def variance_elsewhere(seed: int) -> Variant:
    """The same step between other levels."""
    return first_sound(seed, _variance_below, lesson=1.55)


def _variance_below(pick: Pick) -> Variant:
    high, low = pick((2.4, 2.8, 3.0, 3.2, 3.6, 4.0)), pick((0.8, 1.2, 1.4, 1.5, 1.6, 1.8))
    wide, share = 1 + high**2, low**2 / high**2
    kept, noise = (1 - share) / wide + share, low**2 * (1 - share)
    mean, ddim = kept**2 * wide, (1 / wide + low / high * (1 - 1 / wide)) ** 2 * wide
    right = mean + noise
    slips = {
        "randomness": (mean, ddim, mean**2, (ddim / wide) ** 0.5 * wide**0.5),
        "constant": (mean + high**2 * (1 - share), kept**2 * high**2 + noise, wide, noise, 1.0),
        "spread": (mean + math.sqrt(noise), math.sqrt(right), kept * wide + noise, mean + noise**2),
    }
    slips = {"dependence": 1 + low**2, **slips, "one-to-one": right / 4}
    wrong = (1 + low**2, "dependence"), (mean, "randomness"), (ddim, "randomness"), (slips["constant"][0], "constant")
    return Variant(
        rf"Data $\mathcal{{N}}(0, 1)$, the denoiser exact. Points of level {high:g} have the variance {wide:.4g}; "
        rf"those of level {low:g} should have {1 + low**2:.4g}. DDPM takes one step from the one to the other with "
        rf"the *posterior's* "
        "deviation, as if the clean point were known. Which variance comes out? Predict it, to within 1 %.",
        laws=(value_law(f"the variance at level {low:g}", right, 0.01 * right, slips, 0.005 * right),),
        reference=right,
        wrong=(*wrong, (math.sqrt(right), "spread")),
        hints=(
            f"x* = x̃/{wide:.4g} for N(0, 1) at σ = {high:g}. Which multiple of x̃ is the mean of the step?",
            f"{kept:.4g} x̃, with Var x̃ = {wide:.4g}; to this comes the posterior's variance, {low:g}² · (1 − ρ).",
        ),
        causes={
            "constant": f"Which variance has x̃ at σ = {high:g}, data included? And is τ² = l²(1 − ρ)?",
            "spread": f"Variances add, a factor counts squared: {kept:.4g}² here. What did you add, or take the root "
            "of?",
            "one-to-one": f"Level {low:g} is asked for. Did you walk on, down to 0?",
        },
    )


EXERCISES = (
    Exercise(
        id="scores.preserving_noise",
        stub='''def preserving_noise(x, sigma, noise):
    """a x + b · noise, of the shape of x, where b/a = sigma and a² + b² = 1.

    x and noise (batch, *event); sigma > 0 is a number or one for each row, (batch,).
    """
    raise NotImplementedError''',
        points=1,
        laws=(levels.noised_keeps_variance,),
        reference=preserving_noise,
        hints=(
            "Put b = σa into a² + b² = 1. What is a?",
            "a = 1/√(1 + σ²), b = σ a; and `sigma.view(-1, *[1] * (x.dim() - 1))` if there is one for each row.",
        ),
        wrong=(
            (lambda x, sigma, noise: x + column(sigma, x) * noise, "constant"),
            (lambda x, sigma, noise: (x + column(sigma, x) * noise) / (1 + column(sigma, x)), "constant"),
            (lambda x, sigma, noise: (x + column(sigma, x) * noise) / (1 + column(sigma, x) ** 2), ""),
            (lambda x, sigma, noise: preserving_noise(noise, sigma, x), "direction"),
            (lambda x, sigma, noise: preserving_noise(x, sigma, -noise), "sign"),
            (lambda x, sigma, noise: preserving_noise(x, sigma, noise[:1]), "randomness"),
            (lambda x, sigma, noise: preserving_noise(x, sigma, 0 * noise), "dependence"),
        ),
        causes={
            "spread": "a² + b² = 1 is about squares. Which root is missing, at the signal or at the noise?",
            "constant": "Let x have variance 1: the sum must have it, too, at every σ. Which variance has yours?",
            "direction": "At σ = 0 there is no noise. What does yours give there?",
            "sign": "Signal *plus* noise.",
            "dependence": "x and the noise both are in the sum. Which of them is missing in yours?",
            "randomness": "Each row has noise of its own. Whose does yours get?",
            "shape": "A level may differ from row to row. Which axes must it get, to multiply (batch, *event)?",
        },
    ),
    Exercise(
        id="scores.linear_levels",
        stub='''def linear_levels(n, first, last):
    """sigma_n > … > sigma_1, (n,), of a chain whose variances beta_k rise evenly.

    beta_1 = first, …, beta_n = last. Step k makes √(1 - beta_k) y + √beta_k ε of y;
    after k steps y is a_k x + b_k ε, and sigma_k = b_k/a_k. The largest first.
    """
    raise NotImplementedError''',
        points=2,
        laws=(noising.levels_follow_steps,),
        reference=linear_levels,
        hints=(
            "How much of x is left after k steps, and what do a_k² and b_k² add up to?",
            "`left = (1 - torch.linspace(first, last, n)).cumprod(0)` is a²; `((1 - left) / left).sqrt().flip(0)`.",
        ),
        wrong=(
            (lambda *a: linear_levels(*a).flip(0), "direction"),
            (lambda *a: linear_levels(*a).square(), "spread"),
            (lambda *a: linear_levels(*a) / (1 + linear_levels(*a) ** 2).sqrt(), "spread"),
            (lambda *a: (1 + linear_levels(*a) ** 2).rsqrt(), "constant"),
            (lambda n, first, last: torch.linspace(last, first, n).double().sqrt(), "dependence"),
            (lambda n, first, last: torch.linspace(first, last, n).double().cumsum(0).flip(0).sqrt(), "reduction"),
        ),
        causes={
            "direction": "The largest level first: which one is met first on the way down?",
            "spread": "σ is b over *a*, two standard deviations. Which of yours is a variance, or not divided?",
            "constant": "Before the first step σ is 0, and after it √(β₁/(1 − β₁)). What is your smallest level?",
            "dependence": "After k steps there is noise of *all* of them. How many β are in your σ_k?",
            "reduction": "Each step shrinks the noise of the steps before. Do variances only add up, then?",
            "shape": "n levels in a row.",
        },
    ),
    Exercise(
        id="scores.posterior",
        stub='''def posterior(x, noised, sigma, lower):
    """Mean and standard deviation of x + lower ε', given x and noised = x + sigma ε.

    noised is x + lower ε' and more, independent, noise. x and noised (batch, *event);
    sigma > lower >= 0 are numbers or (batch,). The deviation broadcasts with the mean.
    """
    raise NotImplementedError''',
        points=2,
        laws=(noising.posterior_conditions,),
        reference=posterior,
        hints=(
            "Two Gaussians in u: N(u; x, l²) and N(x̃; u, σ² − l²). Add their precisions; weigh x and x̃ by them.",
            "With p = l²/σ²: the mean is `x + p * (noised - x)`, the deviation `lower * (1 - p).sqrt()`.",
        ),
        wrong=(
            (_posterior(share=lambda p: p.sqrt()), "spread"),
            (_posterior(share=lambda p: 1 - p), "direction"),
            (_posterior(share=lambda p: 0 * p), "dependence"),
            (_posterior(std=lambda low, p: low**2 * (1 - p)), "spread"),
            (_posterior(std=lambda low, p: low + 0 * p), "constant"),
            (lambda *a: (posterior(*a)[0], (column(a[2], a[0]) ** 2 - column(a[3], a[0]) ** 2).sqrt()), "constant"),
            (lambda *a: posterior(*a)[:1], "container"),
        ),
        causes={
            "spread": "Weights are precisions, one over a *variance*; returned is a *deviation*. And yours?",
            "direction": "Let `lower` be 0: the point is x itself. What does your mean become there?",
            "dependence": "Both are known, x and the noised point, and the mean lies between them. On what is yours?",
            "constant": "x *and* x̃ leave less doubt than each alone. Is your deviation below both, 0 at l = 0?",
            "reduction": "x̃ is the lower point and *more* noise. Has that more the variance σ², or σ² − l²?",
            "container": "Two results: a mean, and a standard deviation.",
            "shape": "Levels may differ from row to row: which axes must they get, to meet (batch, *event)?",
        },
    ),
    Exercise(
        id="scores.ddim_step",
        stub='''def ddim_step(noised, clean, sigma, lower, noise, fresh):
    """From level sigma down to lower: old noise in the place of new, all but a share.

    noised (batch, *event) is the point, clean its x*. tau = fresh times the deviation
    of the posterior is drawn anew, by noise; of the old ε* stays what makes the whole
    variance lower². sigma > lower >= 0 and 0 <= fresh <= 1 are numbers.
    """
    raise NotImplementedError''',
        points=2,
        laws=(noising.ddim_keeps_marginals,),
        reference=ddim_step,
        hints=(
            "ε* = (noised − clean)/σ. If τ is new, which factor before ε* makes the variances add up to lower²?",
            "`tau = fresh * lower * (1 - lower**2 / sigma**2) ** 0.5`; ε* gets `(lower**2 - tau**2) ** 0.5`.",
        ),
        wrong=(
            (_ddim(kept=lambda low, tau: low), "spread"),
            (_ddim(kept=lambda low, tau: low**2 - tau**2), "spread"),
            (lambda x, c, s, low, e, fresh: ddim_step(x, c, s, low, e, 0.0), "dependence"),
            (lambda x, c, s, low, e, fresh: ddim_step(x, c, s, low, e, 1.0), "dependence"),
            (lambda x, c, s, low, e, fresh: c + low * e, "constant"),
            (_ddim(by=1.0), "constant"),
            (lambda x, c, s, low, e, fresh: ddim_step(x, c, s, low, -e, fresh), "sign"),
        ),
        causes={
            "spread": "Variances add: kept² + τ² = lower². Which of your factors is no deviation, or too large?",
            "dependence": "τ is `fresh` times the *posterior's* deviation: 0 at 0, DDPM's at 1. And yours, at 0.6 too?",
            "constant": "At τ = 0 the point moves along a line to `clean`, by l/σ of the way that is left. And yours?",
            "sign": "Clean *plus* old noise *plus* new. Which of them do you take off?",
            "shape": "A step for each row, of the shape of the points.",
        },
    ),
    Exercise(
        id="scores.variance_below",
        stub="variance_below = ...",
        points=1,
        laws=(chain_forgets_its_doubt,),
        reference=1.55,
        hints=(
            "x* = x̃/5 for N(0, 1) at σ = 2, and ρ = ¼. Which multiple of x̃ is the mean of the step?",
            "⅖ x̃, and x̃ has variance 5; to this comes the posterior's variance, 1² · (1 − ¼).",
        ),
        wrong=((2.0, "dependence"), (0.8, "randomness"), (1.8, "randomness"), (3.8, "constant"), (1.245, "spread")),
        causes={
            "dependence": "That would be right. With the posterior's noise, does the step know that x is not known?",
            "randomness": "That is the step without new noise, or DDIM's. Which variance has τ?",
            "constant": "Which variance has x̃ at σ = 2, data included? And is τ² = l²(1 − ρ)?",
            "spread": "Variances add, and a factor of ⅖ counts squared. What did you add, or take the root of?",
            "one-to-one": "Level 1 is asked for. Did you walk on, down to 0?",
            "container": "One number is asked for, as `variance_below = 0.5`.",
        },
        variant=variance_elsewhere,
    ),
)
