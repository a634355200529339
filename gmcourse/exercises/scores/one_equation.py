"""Exercises of lesson 07.5, one equation."""

import math

from gmcourse.exercises.drawing import Pick, first_sound, value_law
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.laws.broken import require_value
from gmcourse.laws.scores import density, equation
from gmcourse.scores import sde
from gmcourse.scores.guidance import guided_score
from gmcourse.scores.levels import column
from gmcourse.scores.sde import probability_flow


def reverse_sde_step(x, score, sigma, lower, noise):
    """Anderson's step: drift g²s and noise of variance g², both times the fall of σ²."""
    fall = column(sigma, x).square() - column(lower, x).square()
    return x + fall * score + fall.sqrt() * noise


def flow_log_prob(score, x):
    """ln p by the probability flow from the level 0.01 up to 50."""
    return sde.flow_log_prob(score, x, 0.01, 50.0)


def flow_is_stronger(answer: object) -> None:
    """Class variance 1 among data of variance 4: the tilted law at w = 1 has 4/7, the flow's has 4^−w."""
    slips = {
        "dependence": (1.0, 0.0),
        "spread": (0.807, 0.2018, 4 / 7, math.sqrt(4 / 7)),
        "sign": (-0.4037, math.log(9 / 4) / math.log(4)),
        "log-mean": (math.log(7 / 4), math.log(7 / 4) / math.log(10), 0.243),
    }
    require_value("the flow's strength", answer, math.log(7 / 4) / math.log(4), 0.01, slips, fit=0.004)


def _step(drift=lambda fall, wide: fall, noise=lambda fall, wide: fall.sqrt()):
    def answer(x, score, sigma, lower, epsilon):
        wide = column(sigma, x)
        fall = wide.square() - column(lower, x).square()
        return x + drift(fall, wide) * score + noise(fall, wide) * epsilon

    return answer


def _at_another_base(score, x):
    """N(0, 1) in the place of N(0, σ²), seen at a Gaussian: x_T²/2 (1 − 1/σ²) too low, ln σ too high."""
    far, volume = _flowed(score, x)
    return -far.square().sum(1) / 2 - far.shape[1] / 2 * math.log(2 * math.pi) + volume


def _flowed(score, x):
    """Where the flow ends, and the volume, by 400 steps of Heun's rule in ln σ and differences."""
    import torch

    units, h, volume = 1e-4 * torch.eye(x.shape[1], dtype=x.dtype), math.log(5000) / 400, 0.0

    def rate(z, sigma):
        slopes = [(score(z + e, sigma) - score(z - e, sigma))[:, i] / 2e-4 for i, e in enumerate(units)]
        return -(sigma**2) * score(z, sigma), -(sigma**2) * sum(slopes)

    for k in range(400):
        low, high = 0.01 * math.exp(k * h), 0.01 * math.exp((k + 1) * h)
        v, t = rate(x, low)
        w, s = rate(x + h * v, high)
        x, volume = x + h * (v + w) / 2, volume + h * (t + s) / 2
    return x, volume


def _prior(at, std=50.0):
    return -at.square().sum(1) / (2 * std**2) - at.shape[1] * math.log(std * math.sqrt(2 * math.pi))


def strength_elsewhere(seed: int) -> Variant:
    """v_c (v_c/v)^u = 1/((1 + w)/v_c − w/v), solved for the flow's u."""
    return first_sound(seed, _strength, lesson=math.log(7 / 4) / math.log(4))


def _strength(pick: Pick) -> Variant:
    wide, narrow, w = pick((5, 6, 7, 8, 10, 12)), pick((1, 2, 3)), pick((1, 2, 3, 4, 5))
    tilted, ratio = 1 / ((1 + w) / narrow - w / wide), math.log(wide / narrow)
    right = math.log(narrow / tilted) / ratio
    slips = {
        "dependence": (float(w), 0.0),
        "spread": (2 * right, right / 2, tilted, math.sqrt(tilted)),
        "sign": (-right, math.log((1 + w) + w * narrow / wide) / ratio),
        "log-mean": (right * ratio, right * ratio / math.log(10)),
    }
    wrong = (w, "dependence"), (2 * right, "spread"), (right / 2, "spread"), (-right, "sign")
    return Variant(
        rf"Data $\mathcal{{N}}(0, {wide})$, the class $\mathcal{{N}}(0, {narrow})$, exact scores. Someone wants the "
        rf"*width* of the tilted law at $w = {w}$, whose variance is $((1 + w)/v_c - w/v)^{{-1}}$, and has only the "
        rf"flow, whose "
        r"variance is $v_c^{1 + w}/v^w$. Which strength must the flow be given, to within 0.005?",
        laws=(value_law("the flow's strength", right, 0.005, slips, fit=0.003),),
        reference=right,
        wrong=(*wrong, (right * ratio, "log-mean")),
        hints=(
            f"Two formulas, with v_c = {narrow} and v = {wide}. Which variance has the tilted law at w = {w}?",
            f"{tilted:.4g}; and the flow's variance is {narrow} · ({narrow}/{wide})^w. At which w are they equal?",
        ),
        causes={"log-mean": f"({narrow}/{wide})^w = {tilted / narrow:.4g}. Which two logarithms are divided?"},
    )


EXERCISES = (
    Exercise(
        id="scores.probability_flow",
        stub='''def probability_flow(x, score, sigma):
    """dx/dσ at x, (batch, *event), of the flow whose points have the density p_sigma.

    score is ∇ ln p_sigma at x, of its shape; sigma is a number or one a row, (batch,).
    """
    raise NotImplementedError''',
        points=1,
        laws=(equation.flow_carries_density,),
        reference=probability_flow,
        hints=(
            "∂p/∂σ = σ Δp, and Δp = ∇·(p ∇ ln p). Which velocity v has ∂p/∂σ = −∇·(p v)?",
            "`-sigma * score`, once sigma has the axes of x.",
        ),
        wrong=(
            (lambda x, s, sigma: column(sigma, x) * s, "sign"),
            (lambda x, s, sigma: -2 * column(sigma, x) * s, "constant"),
            (lambda x, s, sigma: -s, "constant"),
            (lambda x, s, sigma: -(column(sigma, x) ** 2) * s, "spread"),
            (lambda x, s, sigma: probability_flow(x, s, sigma)[:1].expand_as(x), "shape"),
        ),
        causes={
            "sign": "As σ grows, points spread out. The score points uphill, inwards. And your velocity?",
            "constant": "For N(0, v) points grow as √(v + σ²): by σ/(v + σ²) of x. Which factor is off in yours?",
            "spread": "The clock is σ, neither σ² nor ln σ. By which power of σ is the score multiplied?",
            "shape": "A level may differ from row to row. Which axes must it get, to meet (batch, *event)?",
        },
    ),
    Exercise(
        id="scores.reverse_sde_step",
        stub='''def reverse_sde_step(x, score, sigma, lower, noise):
    """x one small step down the reverse SDE, from the level sigma to lower.

    The noising adds variance at the rate g² = 2σ; so does the reverse, with drift g²s.
    x, score at x, and noise (batch, *event); the levels are numbers or (batch,).
    """
    raise NotImplementedError''',
        points=2,
        laws=(equation.reverses_noising, equation.step_keeps_densities),
        reference=reverse_sde_step,
        hints=(
            "Over the step the noising adds δ = σ² − l². How much drift is that, and which deviation has the noise?",
            "`x + fall * score + fall.sqrt() * noise` with `fall = sigma**2 - lower**2`, given the axes of x.",
        ),
        wrong=(
            (_step(drift=lambda fall, wide: fall / 2), "constant"),
            (_step(drift=lambda fall, wide: -fall), "sign"),
            (_step(noise=lambda fall, wide: 0 * fall), "randomness"),
            (_step(noise=lambda fall, wide: fall), "spread"),
            (_step(noise=lambda fall, wide: (2 * fall).sqrt()), "constant"),
            (_step(drift=lambda fall, wide: fall.sqrt()), "spread"),
        ),
        causes={
            "constant": "Drift g²s and noise of variance g², g² = 2σ, over σ − l. Which of them is off by a factor?",
            "sign": "The noise must go out again: does your drift lead uphill, and is the fall σ² − l² above 0?",
            "spread": "Drift goes with the variance σ² − l², noise with its root. What goes with each in yours?",
            "randomness": "The whole drift without noise takes out twice too much variance. Where is the noise?",
            "not-finite": "A root of a number below 0: the level *falls*. Which square comes first?",
            "shape": "A level may differ from row to row. Which axes must it get, to meet (batch, *event)?",
        },
    ),
    Exercise(
        id="scores.flow_log_prob",
        stub='''def flow_log_prob(score, x):
    """ln p(x), (batch,), nats, within 0.03, by the flow from level 0.01 up to 50.

    x (batch, D), D <= 2, is float64. score(x, sigma) is that of the noised data,
    (batch, D), sigma a number. At level 50 all data of spread about 1 are N(0, 50²).
    """
    raise NotImplementedError''',
        points=3,
        laws=(density.density_of_a_gaussian, equation.log_prob_is_exact),
        reference=flow_log_prob,
        hints=(
            "With u = ln σ: dx/du = −σ² s, and ln p(x) = ln N(x_T; 0, 50²) + ∫ ∇·(−σ² s) du. Which rule, which steps?",
            "100 steps of Heun's rule in u will do. ∂s_i/∂x_i: `torch.autograd.grad(s[:, i].sum(), x)[0][:, i]`.",
        ),
        wrong=(
            (lambda score, x: _prior(_flowed(score, x)[0]) - _flowed(score, x)[1], "sign"),
            (lambda score, x: _prior(_flowed(score, x)[0]), "constant"),
            (lambda score, x: _prior(x) + _flowed(score, x)[1], "direction"),
            (_at_another_base, "constant"),
            (lambda score, x: flow_log_prob(lambda z, sigma: 2 * score(z, sigma), x), "spread"),
            (lambda score, x: flow_log_prob(score, x).mean(), "shape"),
        ),
        causes={
            "sign": "On the way up the points spread out and the density falls. Is ∫∇·v above 0, and added?",
            "direction": "Upwards from the data, and the noise's density where the path *ends*. Where is yours taken?",
            "constant": "Two parts: the integral, and ln of N(0, 50²), its normaliser too. Which is not whole?",
            "spread": "dx/dσ = −σs, so dx/d ln σ = −σ²s; the divergence is that of the same field. And in yours?",
            "reduction": "A log-density sums over the coordinates, and so does a divergence. Where is a mean?",
            "one-to-one": "Of all ∂v_i/∂x_j a divergence adds up those with i = j, each once. Which are in yours?",
            "not-finite": "In equal steps of σ the first, from 0.01, is far too long. What else could be equal?",
            "shape": "One log-density for each row.",
        },
    ),
    Exercise(
        id="scores.guided_score",
        stub='''def guided_score(conditional, unconditional, strength):
    """The score guided by the strength w, of the shape of both.

    w = 0 is the conditional score, w = -1 the unconditional one; w > 0 goes further.
    """
    raise NotImplementedError''',
        points=1,
        laws=(equation.guidance_goes_beyond,),
        reference=guided_score,
        hints=(
            "From s(x) to s(x|c), and w times as far again. The weights of the two add up to 1.",
            "`(1 + strength) * conditional - strength * unconditional`.",
        ),
        wrong=(
            (lambda c, u, w: u + w * (c - u), "constant"),
            (lambda c, u, w: c - w * (c - u), "sign"),
            (lambda c, u, w: (1 + w) * c + w * u, "sign"),
            (lambda c, u, w: guided_score(u, c, w), "direction"),
            (lambda c, u, w: (1 + w) * c - u, "constant"),
        ),
        causes={
            "sign": "Beyond the conditional score, *away* from the unconditional one. Where does w = 3 lead you?",
            "direction": "Which of the two is told the class? At w = 0 it is alone.",
            "constant": "Far out both scores are −x/σ², and so must yours be. Do the weights add up to 1, w and all?",
            "shape": "Each point has a score of its own.",
        },
    ),
    Exercise(
        id="scores.strength_of_the_flow",
        stub="strength_of_the_flow = ...",
        points=1,
        laws=(flow_is_stronger,),
        reference=math.log(7 / 4) / math.log(4),
        hints=(
            "Two formulas of the lesson, with v_c = 1 and v = 4. Which variance has the tilted law at w = 1?",
            "4/7; and the flow's variance is 4^(−w). At which w are they equal?",
        ),
        wrong=((1.0, "dependence"), (0.807, "spread"), (0.2018, "spread"), (-0.4037, "sign"), (0.5596, "log-mean")),
        causes={
            "dependence": "At equal strength the two laws differ. Which is narrower, and what must the flow do?",
            "spread": "Variance with variance, or deviation with deviation. Which did you compare?",
            "sign": "Precisions: (1 + w)/v_c *less* w/v. And which way does the flow's width go as w grows?",
            "log-mean": "4^(−w) = 4/7. Which two logarithms are divided?",
            "container": "One number is asked for, as `strength_of_the_flow = 0.5`.",
        },
        variant=strength_elsewhere,
    ),
)
