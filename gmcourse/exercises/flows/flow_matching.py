"""Exercises of lesson 06.7, flow matching."""

import math

import torch
from torch import Tensor

from gmcourse.exercises.drawing import Pick, first_sound, value_law
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.flows.matching import empirical_velocity, flow_matching_target, gaussian_velocity
from gmcourse.laws.broken import require_value
from gmcourse.laws.flows import matching


def floor_of_the_loss(answer: float) -> None:
    """∫ Var[x₁ − x₀ | x_t] dt for x₀ ~ N(0, 1), x₁ ~ N(0, 1): by the exact field over a million lines."""
    rng = torch.Generator().manual_seed(0)
    x0, x1, t = (torch.randn(1_000_000, generator=rng, dtype=torch.float64) for _ in range(3))
    t = torch.special.ndtr(t)
    x_t, target = flow_matching_target(x0, x1, t)
    floor = (target - gaussian_velocity(x_t, t, 0.0, 1.0)).square().mean().item()
    known = {"constant": 0.0, "spread": 1.0, "dependence": 2.0, "reduction": (math.pi, math.pi / 4)}
    require_value("the least loss there is", answer, floor, 0.01, known)


def spread_after_one_step(answer: float) -> None:
    """The standard deviation of x₀ + f*(0, x₀), f* the exact field from N(0, 1) to N(3, 1)."""
    x0 = torch.linspace(-3, 3, 1001, dtype=torch.float64)
    spread = (x0 + gaussian_velocity(x0, 0.0, 3.0, 1.0)).std().item()
    known = {"constant": 1.0, "reduction": 0.5, "dependence": (math.sqrt(2), math.sqrt(3)), "direction": 3.0}
    require_value("the spread of samples after one Euler step", answer, spread, 0.01, known)


def _roots(x0: Tensor, x1: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    t = t.view(-1, *[1] * (x1.dim() - 1))
    return (1 - t).sqrt() * x0 + t.sqrt() * x1, x1 - x0


def _remaining(x0: Tensor, x1: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
    x_t, target = flow_matching_target(x0, x1, t)
    return x_t, target / (1 - t.view(-1, *[1] * (x1.dim() - 1)))


def _weights(x: Tensor, t: float, points: Tensor, variance: float) -> Tensor:
    return (-(x[:, None] - t * points).square().sum(2) / (2 * variance)).softmax(1)


def floor_elsewhere(seed: int) -> Variant:
    """∫ s²/((1 − t)² + s²t²) dt = sπ/2 for data of spread s."""
    return first_sound(seed, _least_loss, lesson=math.pi / 2)


def _least_loss(pick: Pick) -> Variant:
    spread, mean = pick([k / 20 for k in range(8, 61, 2)]), pick((2, 3, 4, 6))
    floor = spread * math.pi / 2
    known = {
        "constant": 0.0,
        "spread": spread**2,
        "dependence": 1 + spread**2,
        "reduction": (2 * floor, floor / 2, math.pi, math.pi / 2, math.pi / 4),
    }
    return Variant(
        rf"Noise $\mathcal{{N}}(0, 1)$, data $\mathcal{{N}}({mean}, {spread:g}^2)$, one dimension. What is the least "
        rf"value "
        r"that $\mathrm{E}\,\lVert f(t, x_t) - (x_1 - x_0) \rVert^2$, $t$ uniform on $[0, 1]$, can take, over all "
        r"fields? "
        "To within 1 %.",
        laws=(value_law("the least loss there is", floor, 0.01 * floor, known),),
        reference=floor,
        wrong=((0.0, "constant"), (spread**2, "spread"), (1 + spread**2, "dependence")),
        hints=(
            "The best field leaves Var[x₁ − x₀ | x_t] unexplained. For Gaussians that is Var − Cov²/Var.",
            f"With s = {spread:g}: Var[x₁ − x₀] = 1 + s², Cov[x₁ − x₀, x_t] = (1 + s²)t − 1, Var[x_t] = (1 − t)² + "
            f"s²t².",
            "∫₀¹ s² dt / ((1 − t)² + s²t²)",
        ),
        causes={"reduction": "Near: a factor is off. Integrate s²/((1 − t)² + s²t²) from 0 to 1, once."},
    )


def one_shorter_step(seed: int) -> Variant:
    """1 − h after one Euler step of size h from t = 0."""
    return first_sound(seed, _one_step, lesson=0.0)


def _one_step(pick: Pick) -> Variant:
    size, mean = pick([k / 100 for k in range(12, 92, 2)]), pick((2, 4, 5))
    right, half = 1 - size, size / 2
    two = (1 - half) * (1 + half * (2 * half - 1) / ((1 - half) ** 2 + half**2))
    strange = math.sqrt(1 + 2 * size**2)
    known = {
        "constant": 1.0,
        "reduction": (two, half),
        "dependence": (strange, math.sqrt(1 + size**2)),
        "direction": size * mean,
    }
    return Variant(
        rf"The exact field from $\mathcal{{N}}(0, 1)$ to $\mathcal{{N}}({mean}, 1)$, and a single Euler step of size "
        rf"{size:g}, from $t = 0$ to $t = {size:g}$. What is the standard deviation of the points, to within 0.005?",
        laws=(value_law("the spread after one Euler step", right, 0.006, known),),
        reference=right,
        wrong=((1.0, "constant"), (two, "reduction"), (strange, "dependence")),
        hints=(
            "At t = 0 the network sees x₀ only. What does x₀ tell about x₁?",
            f"f*(0, x₀) = E[x₁] − x₀. Add {size:g} times that to x₀.",
        ),
    )


EXERCISES = (
    Exercise(
        id="flows.flow_matching_target",
        stub='''def flow_matching_target(x0, x1, t):
    """(x_t, its velocity), both (batch, *event); x0 noise, x1 data, t (batch,)."""
    raise NotImplementedError''',
        points=1,
        laws=(matching.line_and_velocity,),
        reference=flow_matching_target,
        hints=(
            "A straight line from x₀ at t = 0 to x₁ at t = 1, at constant speed.",
            "Give t one axis for each axis of the event: t.view(-1, *[1] * (x1.dim() - 1)).",
        ),
        wrong=(
            (lambda x0, x1, t: (flow_matching_target(x0, x1, t)[0], x0 - x1), "sign"),
            (lambda x0, x1, t: flow_matching_target(x1, x0, t), "direction"),
            (_roots, "spread"),
            (_remaining, "not-finite"),
        ),
        causes={
            "gradient": "Differentiate (1 − t) x₀ + t x₁ by t, while x₀ and x₁ stand still.",
            "dependence": "Every row has a t of its own. Which t does the second row of yours take?",
            "constant": "At t = 0 the line is at x₀, and at t = 1 at x₁. Where is yours?",
            "container": "Two things are asked for: x_t and its velocity.",
            "sign": "With that target samples run backwards. Which way does the line go as t grows?",
            "direction": "Time runs from noise to data. Where is the line at t = 0?",
            "spread": "Both ends are right, the middle is not. At constant speed, where is the line at t = ½?",
            "not-finite": "Your velocity blows up at t = 1. The line is walked at constant speed: why 1 − t?",
        },
    ),
    Exercise(
        id="flows.matching_floor",
        stub="floor = ...",
        points=2,
        laws=(floor_of_the_loss,),
        reference=math.pi / 2,
        hints=(
            "The best field leaves Var[x₁ − x₀ | x_t] unexplained. For Gaussians that is Var − Cov²/Var.",
            "Var[x₁ − x₀] = 2, Cov[x₁ − x₀, x_t] = 2t − 1, Var[x_t] = (1 − t)² + t²: subtract, then integrate over t.",
            "∫₀¹ dt / ((1 − t)² + t²)",
        ),
        wrong=((0.0, "constant"), (1.0, "spread"), (2.0, "dependence")),
        causes={
            "constant": "Many lines pass through one point, each with its own velocity. What does x_t leave unknown?",
            "spread": "That is the variance of x₁. The target is x₁ − x₀.",
            "dependence": "That is the variance of x₁ − x₀ before anything is known. The network sees x_t.",
            "reduction": "Near: a factor 2 is off. Integrate 1/((1 − t)² + t²) from 0 to 1, once.",
        },
        variant=floor_elsewhere,
    ),
    Exercise(
        id="flows.one_euler_step",
        stub="spread_after_one_step = ...",
        points=1,
        laws=(spread_after_one_step,),
        reference=0.0,
        hints=(
            "At t = 0 the network sees x₀ only. What does x₀ tell about x₁?",
            "f*(0, x₀) = E[x₁] − x₀. Add it to x₀.",
        ),
        wrong=((1.0, "constant"), (0.5, "reduction"), (math.sqrt(3), "dependence")),
        causes={
            "constant": "The lines are straight; the paths of their mean are not. Where does f* point at t = 0?",
            "reduction": "That is the answer for two steps.",
            "direction": "That is their mean. How far are they from it?",
            "dependence": "The network does not add x₁ − x₀ of some other pair: it gives a mean. The mean over what?",
        },
        variant=one_shorter_step,
    ),
    Exercise(
        id="flows.empirical_velocity",
        stub='''def empirical_velocity(x, t, points):
    """E[x₁ − x₀ | x_t = x], (batch, D), for x₁ any of points (n, D), equally likely.

    x is (batch, D), t is one number below 1, x₀ ~ N(0, I).
    """
    raise NotImplementedError''',
        points=3,
        laws=(matching.field_averages_lines,),
        reference=empirical_velocity,
        hints=(
            "If x₁ is point i then x₀ = (x − t x_i)/(1 − t) and the velocity is (x_i − x)/(1 − t): average over i.",
            "By Bayes, point i has the weight N(x; t x_i, (1 − t)²), divided by the sum over all points: a softmax.",
        ),
        wrong=(
            (lambda x, t, p: _weights(x, t, p, 1 - t) @ p / (1 - t) - x / (1 - t), "spread"),
            (lambda x, t, p: (1 - t) * empirical_velocity(x, t, p), "constant"),
            (lambda x, t, p: (p.mean(0) - x) / (1 - t), "dependence"),
            (lambda x, t, p: -empirical_velocity(x, t, p), "sign"),
            (lambda x, t, p: _weights(x, t, p, 2 * (1 - t) ** 2) @ p / (1 - t) - x / (1 - t), "reduction"),
        ),
        causes={
            "spread": "Given x₁, x_t is N(t x₁, (1 − t)²). Did you divide by the variance or by the spread?",
            "sign": "As t grows lines go from noise to data. Does your velocity point at the data, or away?",
            "constant": "That is the way still to go. In how much time?",
            "dependence": "Points far from x are as likely as near ones in your answer. What does x say about x₁?",
            "reduction": "What stands below the squared distance in the exponent of N(x; t x_i, (1 − t)²)?",
            "direction": "Given x₁ the mean of x_t is t x₁. From where do you measure the distance of x?",
            "not-finite": "At t = 0.999 the exponents are near −10⁶. What does exp make of all of them, and their sum?",
        },
    ),
)
