"""Exercises of lesson 06.6, continuous flows."""

import math
from functools import partial

import torch
from torch import Generator, Tensor

from gmcourse.exercises.drawing import Pick, first_sound, value_law
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.flows.continuous import draw_probe, hutchinson_trace, hutchinson_variance, linear_ode_log_prob
from gmcourse.flows.ode import rk4
from gmcourse.laws.broken import require_value
from gmcourse.laws.flows import ode, trace


def hutchinson(f, z: Tensor, rng: Generator) -> Tensor:
    """vᵀ(∂f/∂z)v for independent signs v."""
    probe = draw_probe(z, "rademacher", rng)
    return hutchinson_trace(lambda _, rows: f(rows), z.new_zeros(()), z, probe)[1]


def rademacher_variance(matrix: Tensor) -> Tensor:
    """2 Σ_{i≠j} S_ij², S = (A + Aᵀ)/2."""
    return hutchinson_variance(matrix, "rademacher")


def runge_kutta_step(f, t: Tensor, z: Tensor, h: float) -> Tensor:
    """z + h (k₁ + 2k₂ + 2k₃ + k₄)/6, with k₁ = f(t, z), k₂ at z + h/2 k₁, k₃ at z + h/2 k₂, k₄ at z + h k₃."""
    return rk4(f, z, float(t), float(t) + h, steps=1)


def mass_after_steps(answer: float) -> None:
    """The mass of the density that four Euler steps of a quarter turn claim, the trace being 0: (1 + π²/64)^{−4}."""
    turn = torch.tensor([[0.0, -math.pi / 2], [math.pi / 2, 0.0]], dtype=torch.float64)
    step = torch.eye(2, dtype=torch.float64) - turn / 4  # from data to noise, against the field
    mass = 1 / torch.linalg.det(torch.linalg.matrix_power(step, 4)).item()
    known = {"constant": 1.0, "direction": 1 / mass, "reduction": mass**0.25, "spread": (mass**0.5, 1 / mass**0.25)}
    require_value("the mass of the claimed density", answer, mass, 0.005, known)


def _product(f, z, v):
    return torch.func.jvp(f, (z,), (v,))[1]


def _uniform(f, z, rng):
    v = 2 * torch.rand(z.shape, generator=rng, dtype=z.dtype) - 1
    return (v * _product(f, z, v)).sum(1)


def _undotted(f, z, rng):
    return _product(f, z, torch.randn(z.shape, generator=rng, dtype=z.dtype))


def _own_noise(f, z, rng):
    v = torch.randn_like(z)
    return (v * _product(f, z, v)).sum(1)


def _two_probes(f, z, rng):
    v, w = (torch.randn(z.shape, generator=rng, dtype=z.dtype) for _ in range(2))
    return (w * _product(f, z, v)).sum(1)


def _one_probe(f, z, rng):
    v = torch.randn(z.shape[1], generator=rng, dtype=z.dtype).expand_as(z)
    return (v * _product(f, z, v)).sum(1)


def _same_time(f, t, z, h):
    return runge_kutta_step(lambda _, z: f(t, z), t, z, h)


def _equal_weights(f, t, z, h):
    k1 = f(t, z)
    k2 = f(t + h / 2, z + h / 2 * k1)
    k3 = f(t + h / 2, z + h / 2 * k2)
    return z + h / 4 * (k1 + k2 + k3 + f(t + h, z + h * k3))


def _whole_steps_inside(f, t, z, h):
    k1 = f(t, z)
    k2 = f(t + h / 2, z + h * k1)
    k3 = f(t + h / 2, z + h * k2)
    return z + h / 6 * (k1 + 2 * k2 + 2 * k3 + f(t + h, z + h * k3))


def mass_after_other_steps(seed: int) -> Variant:
    """(1 + φ²/n²)^{−n} after n Euler steps of a turn by φ."""
    return first_sound(seed, _turn, lesson=(1 + math.pi**2 / 64) ** -4)


def _turn(pick: Pick) -> Variant:
    degrees, steps = pick((45, 60, 72, 120, 135, 144, 150, 180)), pick((2, 3, 5, 6, 8))
    angle = math.radians(degrees)
    grown = 1 + (angle / steps) ** 2
    mass = grown**-steps
    known = {"constant": 1.0, "direction": 1 / mass, "reduction": 1 / grown, "spread": (mass**0.5, grown)}
    return Variant(
        rf"A turn by {degrees}°, $f = \varphi\,(-y, x)$ with $\varphi = {angle:.5g}$, followed by {steps} Euler "
        rf"steps from "
        "$t = 1$ to 0. What is the mass of the density that is claimed, to within 1 %? Decide with pencil and paper.",
        laws=(value_law("the mass of the claimed density", mass, 0.01 * mass, known, 0.004 * mass),),
        reference=mass,
        wrong=((1.0, "constant"), (1 / mass, "direction"), (1 / grown, "reduction")),
        hints=(
            "One Euler step multiplies areas by det(I + hA), and the trace reports none of it.",
            f"Here h = 1/{steps}, and det(I + hA) = 1 + φ²/{steps**2}, {steps} times over. Up or down?",
        ),
        causes={
            "reduction": f"That is one step of {steps}.",
            "spread": f"Count the steps: how many factors 1 + φ²/{steps**2} are there, and are they above or below?",
        },
    )


EXERCISES = (
    Exercise(
        id="flows.linear_ode_log_prob",
        stub='''def linear_ode_log_prob(x, matrix):
    """ln p(x) at t = 1, (batch,), of dz/dt = A z from N(0, I) at t = 0; matrix is A."""
    raise NotImplementedError''',
        points=2,
        laws=(ode.linear_ode_density,),
        reference=linear_ode_log_prob,
        hints=(
            "Two things are needed: the z that x came from, and the integral of the trace over unit time.",
            "z = e^{−A}x by torch.linalg.matrix_exp; the trace does not change in time, so its integral is tr A.",
            "ln p(x) = ln N(e^{−A}x; 0, I) − tr A",
        ),
        wrong=(
            (lambda x, a: linear_ode_log_prob(x, a) + 2 * a.trace(), "sign"),
            (lambda x, a: linear_ode_log_prob(x, -a) - 2 * a.trace(), "direction"),
            (lambda x, a: linear_ode_log_prob(x, a) + a.trace(), "constant"),
            (lambda x, a: linear_ode_log_prob(x, a) + a.trace() - torch.linalg.slogdet(a).logabsdet, "not-finite"),
            (lambda x, a: linear_ode_log_prob(x, a).mean(), "shape"),
        ),
        causes={
            "sign": "A field with a positive trace spreads points out. Should the density rise or fall?",
            "direction": "x is at t = 1. Which z, at t = 0, does it come from: e^{A}x or e^{−A}x?",
            "constant": "Right where tr A = 0 only. What became of the volume?",
            "not-finite": "At A = 0 nothing moves, and ln det A is −∞. Whose determinant is asked for: A's or e^A's?",
            "dependence": "x holds one point a row. Does x @ M multiply each by M, or by its transpose?",
            "spread": "One Euler step is right for small A only. Which function gives the flow for unit time?",
            "reduction": "Is the exponential of a matrix that of each entry? Try A = 0.",
        },
    ),
    Exercise(
        id="flows.hutchinson",
        stub='''def hutchinson(f, z, rng):
    """Unbiased estimates of tr ∂f/∂z, one for each row of z: (batch,).

    f takes (batch, D) to (batch, D), each row by itself. Draw the noise from rng.
    """
    raise NotImplementedError''',
        points=3,
        laws=(trace.trace_is_unbiased,),
        reference=hutchinson,
        hints=(
            "E vᵀAv = Σ_ij A_ij E[v_i v_j], which is the trace where E[v_i v_j] is 1 for i = j and 0 otherwise.",
            "Draw v like z from rng; torch.func.jvp(f, (z,), (v,)) gives f(z) and (∂f/∂z)v.",
            "return (v * torch.func.jvp(f, (z,), (v,))[1]).sum(1)",
        ),
        wrong=(
            (_uniform, "spread"),
            (_undotted, "shape"),
            (_own_noise, "randomness"),
            (_one_probe, "dependence"),
            (_two_probes, "constant"),
        ),
        causes={
            "spread": "Too small by a constant factor. What is E[v²] of your noise?",
            "shape": "One number a row is asked for: (∂f/∂z)v is a vector. What is it to be multiplied by?",
            "dependence": "Each row needs a probe of its own, the same at both ends of vᵀAv. Is it?",
            "constant": "Your mean is 0. Is it v that is multiplied with (∂f/∂z)v, the same v at both ends?",
            "randomness": "All noise comes from rng: equal generators, equal estimates; another one, others. Is it so?",
            "reduction": "Too small by 1/D. vᵀAv is a sum over coordinates: did you take a mean, or is E[v_i²] not 1?",
            "one-to-one": "E[v_i v_j] is to be 0 for i ≠ j. Are the entries of v independent, and of mean 0?",
            "gradient": "The derivative at z itself is asked for. Is yours a difference, or taken beside z?",
            "direction": "At which point is ∂f/∂z taken? It is another one in each row of z.",
        },
    ),
    Exercise(
        id="flows.hutchinson_variance",
        stub='''def hutchinson_variance(matrix):
    """Variance of vᵀAv, a scalar, where the entries of v are independent signs ±1."""
    raise NotImplementedError''',
        points=3,
        laws=(trace.rademacher_variance,),
        reference=rademacher_variance,
        hints=(
            "vᵀAv = vᵀSv with S = (A + Aᵀ)/2. Which of its terms S_ij v_i v_j are random at all?",
            "v_i² = 1 is certain. The products v_i v_j, i < j, are uncorrelated, with variance 1 and factor 2S_ij.",
        ),
        wrong=(
            (partial(hutchinson_variance, probe="gaussian"), "spread"),
            (lambda a: 2 * (a.square().sum() - a.diagonal().square().sum()), "direction"),
            (lambda a: rademacher_variance(a) / 2, "constant"),
            (lambda a: rademacher_variance(a).sqrt(), "reduction"),
        ),
        causes={
            "spread": "That is right for Gaussian probes. What is v_i² where v_i is ±1, and how much does it vary?",
            "direction": "For a rotation vᵀAv is 0 whatever v. Which part of A does the form not see?",
            "constant": "S_ij and S_ji multiply the same product v_i v_j. How often did you count the pair?",
            "log-mean": "That is the mean square. What is taken from it to make the variance?",
            "reduction": "That is the standard deviation.",
        },
    ),
    Exercise(
        id="flows.runge_kutta_step",
        stub='''def runge_kutta_step(f, t, z, h):
    """z at t + h, by one step of order four or higher of dz/dt = f(t, z)."""
    raise NotImplementedError''',
        points=2,
        laws=(ode.step_is_of_order_four,),
        reference=runge_kutta_step,
        hints=(
            "Four slopes: at the start, twice in the middle, at the end; each found by following the one before.",
            "The middle counts four times as much as the ends, as in Simpson's rule: weights 1, 2, 2, 1 over 6.",
        ),
        wrong=(
            (_same_time, "dependence"),
            (_equal_weights, "reduction"),
            (_whole_steps_inside, "spread"),
            (lambda f, t, z, h: z + f(t, z), "constant"),
        ),
        causes={
            "dependence": "Where f hangs on t alone your step takes it at one time. At which times must it be asked?",
            "reduction": "Exact on f = t and not on t²: look at the weights of the four slopes.",
            "spread": "On f = z the term h² is off. How far do you follow a slope to the middle of the step?",
            "constant": "With f = 1 a step must move z by h. Does yours?",
        },
    ),
    Exercise(
        id="flows.claimed_mass",
        stub="claimed_mass = ...",
        points=1,
        laws=(mass_after_steps,),
        reference=(1 + math.pi**2 / 64) ** -4,
        hints=(
            "One Euler step multiplies areas by det(I + hA), and the trace reports none of it.",
            "Here h = ¼ and A = (π/2)·(quarter turn), so det(I + hA) = 1 + π²/64, four times over. Up or down?",
        ),
        wrong=(
            (1.0, "constant"),
            ((1 + math.pi**2 / 64) ** 4, "direction"),
            ((1 + math.pi**2 / 64) ** -1, "reduction"),
        ),
        causes={
            "constant": "The trace is 0, and the flow itself keeps areas. Does I + hA?",
            "direction": "x → z blows areas up and says that it does not. Is too much density claimed, or too little?",
            "reduction": "That is one step of four.",
            "spread": "Count the steps: how many factors 1 + π²/64 are there, and are they above or below?",
        },
        variant=mass_after_other_steps,
    ),
)
