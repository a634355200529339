"""Exercises of lesson 05.2, dynamics."""

import math
from functools import partial

import torch
from torch import Tensor

from gmcourse.exercises.drawing import picker, value_law
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.gan import dirac
from gmcourse.gan.dirac import dirac_eigenvalues
from gmcourse.gan.divergences import optimal_discriminator
from gmcourse.gan.losses import gan_critic_loss, r1_penalty, saturating_loss
from gmcourse.laws.broken import require_value
from gmcourse.laws.gan import dynamics


def alternating_step(theta: float, psi: float, lr: float) -> tuple[float, float]:
    """The critic climbs, then the generator descends 𝒱 as it then is: the field's slope for ψ, then for θ."""
    field = partial(dirac.velocity, critic_loss=gan_critic_loss, generator_loss=saturating_loss)
    theta, psi = dirac.alternating_step(torch.tensor([theta, psi], dtype=torch.float64), field, lr).tolist()
    return theta, psi


def least_squares_discriminator(log_p: Tensor, log_q: Tensor, a: float, b: float) -> Tensor:
    """a + (b − a) p/(p + q)."""
    return a + (b - a) * optimal_discriminator(log_p, log_q)


def largest_stable_step(answer: object) -> None:
    """η = 4γ: beyond it, 1 − ηγ + η²/4 > 1."""
    slips = {"dependence": 4.0, "constant": (0.1, 0.2, 0.8), "direction": 20.0, "sign": 0.0}
    require_value("|λ| < 1 up to this step", answer, 0.4, 0.005, slips)


def _simultaneous(theta: float, psi: float, lr: float) -> tuple[float, float]:
    return theta + lr * psi / (1 + math.exp(-psi * theta)), psi - lr * theta / (1 + math.exp(-psi * theta))


def _generator_first(theta: float, psi: float, lr: float) -> tuple[float, float]:
    theta = theta + lr * psi / (1 + math.exp(-psi * theta))
    return theta, psi - lr * theta / (1 + math.exp(-psi * theta))


def _upside_down(theta: float, psi: float, lr: float) -> tuple[float, float]:
    psi = psi + lr * theta / (1 + math.exp(-psi * theta))
    return theta - lr * psi / (1 + math.exp(-psi * theta)), psi


def _slopes(critic, real, keep: bool = True) -> Tensor:
    x = real.clone().requires_grad_()
    return torch.autograd.grad(critic(x).sum(), x, create_graph=keep)[0].flatten(1)


def largest_step_elsewhere(seed: int) -> Variant:
    """η = 4γ at another γ below 1."""
    weight = picker(seed)([k / 200 for k in range(6, 80, 2) if k != 20])
    right = 4 * weight
    slips = {"dependence": 4.0, "constant": (weight, 2 * weight, 2 * right), "direction": 2 / weight, "sign": 0.0}
    return Variant(
        rf"With R1 of weight $\gamma = {weight:g}$ and *simultaneous* steps in the Dirac game, "
        r"$\mathcal V = -\ln 2 - \ln(1 + e^{\psi\theta})$: up to which step size $\eta$ does play arrive? Predict it "
        r"from "
        "a determinant, to within 1 %.",
        laws=(value_law("|λ| < 1 up to this step", right, 0.0125 * right, slips),),
        reference=right,
        wrong=((4.0, "dependence"), (weight, "constant"), (2 / weight, "direction"), (0.0, "sign")),
        causes={
            "direction": f"At η = 2/γ, the determinant 1 − ηγ + η²/4 is {1 / weight**2 - 1:.3g}. Is that below 1?",
            "sign": f"Without a penalty every step is too large. What does γ = {weight:g} take off the determinant?",
        },
    )


EXERCISES = (
    Exercise(
        id="gan.dirac_eigenvalues",
        stub='''def dirac_eigenvalues(lr, weight):
    """The two eigenvalues, a complex tensor (2,), of one simultaneous step at (0, 0).

    The Dirac game with R1: lr is the size of the step, weight is γ.
    """
    raise NotImplementedError''',
        points=2,
        laws=(dynamics.eigenvalues_of_simultaneous_step,),
        reference=dirac_eigenvalues,
        hints=(
            "One step is s + η v(s). Its Jacobian at (0, 0) is I + ηJ, with J = [[0, ½], [−½, −γ]].",
            "The eigenvalues of J are −γ/2 ± √(γ²/4 − ¼); of I + ηJ they are 1 + η times these. Use cmath.sqrt.",
        ),
        wrong=(
            (lambda lr, weight: (dirac_eigenvalues(lr, weight) - 1) / lr, "direction"),
            (lambda lr, weight: dirac_eigenvalues(lr, 2 * weight), "constant"),
            (lambda lr, weight: 2 - dirac_eigenvalues(lr, weight), "sign"),
            (
                lambda lr, weight: torch.linalg.eigvals(
                    torch.tensor(
                        [
                            [1 - lr**2 / 4, lr / 2 - lr**2 * weight / 2],
                            [-lr / 2, 1 - lr * weight],
                        ],
                        dtype=torch.float64,
                    )
                ),
                "dependence",
            ),
            (
                lambda lr, weight: (
                    1 + lr * torch.tensor([-1.0, 1.0]) * torch.tensor(weight**2 / 4 - 0.25).sqrt() - lr * weight / 2
                ),
                "not-finite",
            ),
            (lambda lr, weight: dirac_eigenvalues(lr, weight).abs(), "shape"),
        ),
        causes={
            "direction": "These belong to the flow, to ṡ = Js. One step is s + ηJs: what is its matrix?",
            "constant": "At which γ do your eigenvalues become real? The trace of J is −γ: what is half of it?",
            "sign": "R1 should make |λ| smaller than 1. Does each player go down its own loss?",
            "dependence": "In a simultaneous step both players look at the old state. Who sees a new value in yours?",
            "not-finite": "Below γ = 1 the root is of a negative number: use cmath, or a complex tensor.",
            "shape": "Two complex numbers are asked for. Which of the two, or which part of them, have you left out?",
            "spread": "At a smaller step the state moves less. Where is η in your matrix?",
        },
    ),
    Exercise(
        id="gan.alternating_step",
        stub='''def alternating_step(theta, psi, lr):
    """θ and ψ, floats, after a step of the critic and then one of the generator.

    No penalty: the value of the game is 𝒱 = −ln 2 − ln(1 + exp(ψθ)).
    """
    raise NotImplementedError''',
        points=2,
        laws=(dynamics.generator_meets_moved_critic,),
        reference=alternating_step,
        hints=(
            "The critic climbs 𝒱: ψ + η ∂𝒱/∂ψ. The generator descends it: θ − η ∂𝒱/∂θ, at the new ψ.",
            "∂𝒱/∂ψ = −θ/(1 + e^{−ψθ}) and ∂𝒱/∂θ = −ψ/(1 + e^{−ψθ}).",
        ),
        wrong=(
            (_simultaneous, "dependence"),
            (_generator_first, "direction"),
            (_upside_down, "sign"),
            (lambda theta, psi, lr: (theta + lr * (psi - lr * theta), psi - lr * theta), "constant"),
        ),
        causes={
            "dependence": "Your generator answered the old critic. Who sees the new value?",
            "direction": "The order is: first the critic, then the generator.",
            "sign": "The critic climbs 𝒱 and the generator descends it. Which way does each go in yours?",
            "one-to-one": "θ comes first in the answer, then ψ. Which is which in yours?",
            "spread": "What is the sign of the exponent in 1/(1 + e^{−ψθ})? Try a large ψθ.",
            "constant": "That is the game of WGAN. Here each slope carries the factor 1/(1 + e^{−ψθ}).",
        },
    ),
    Exercise(
        id="gan.r1_penalty",
        stub='''def r1_penalty(critic, real):
    """½ E ‖∇h(real)‖², a scalar that can be differentiated in the critic's weights.

    critic maps (batch, *event) to (batch,); real is (batch, *event).
    """
    raise NotImplementedError''',
        points=2,
        laws=(dynamics.penalises_slope_at_data,),
        reference=r1_penalty,
        hints=(
            "torch.autograd.grad(critic(x).sum(), x, create_graph=True)[0] is the slope at each row.",
            "Square it, sum over all axes but the batch, take the mean over the batch and half of it.",
        ),
        wrong=(
            (lambda critic, real: 2 * r1_penalty(critic, real), "constant"),
            (lambda critic, real: 0.5 * _slopes(critic, real).square().mean(), "reduction"),
            (lambda critic, real: 0.5 * _slopes(critic, real).square().sum(), "shape"),
            (lambda critic, real: _slopes(critic, real).norm(dim=1).mean(), "spread"),
            (lambda critic, real: (_slopes(critic, real).norm(dim=1) - 1).square().mean(), "direction"),
            (lambda critic, real: 0.5 * _slopes(critic, real, keep=False).square().sum(1).mean(), "gradient"),
        ),
        causes={
            "constant": "The ½ is part of the definition, so that γ = 1 is critical. How often is it in yours?",
            "reduction": "The squared norm adds over the coordinates of an example; the mean is over the batch only.",
            "shape": "Twice the batch, twice the penalty? One number is asked for, a mean over the batch.",
            "dependence": "The slope of the mean of h is 1/n of a row's own slope. Of what do you take the gradient?",
            "spread": "Is it the norm, or its square?",
            "direction": "R1 pulls the slope to 0, not to 1. Whose penalty is that?",
            "gradient": "The value is right and moves no weight of the critic: what does create_graph do?",
        },
    ),
    Exercise(
        id="gan.least_squares_discriminator",
        stub='''def least_squares_discriminator(log_p, log_q, a, b):
    """The D(x), (batch,), at which p (D − b)² + q (D − a)² is least, from logs."""
    raise NotImplementedError''',
        points=1,
        laws=(dynamics.least_squares_is_minimised,),
        reference=least_squares_discriminator,
        hints=(
            "Differentiate in D: p (D − b) + q (D − a) = 0. The answer is a weighted mean of the targets.",
            "p/(p + q) = sigmoid(ln p − ln q) never leaves the logarithms until the end.",
        ),
        wrong=(
            (lambda p, q, a, b: (b * p.exp() + a * q.exp()) / (p.exp() + q.exp()), "not-finite"),
            (lambda p, q, a, b: b + (a - b) * torch.sigmoid(p - q), "direction"),
            (lambda p, q, a, b: torch.sigmoid(p - q), "constant"),
            (lambda p, q, a, b: (b * p + a * q) / (p + q), "log-mean"),
            (lambda p, q, a, b: b * p.exp() - a * q.exp(), "sign"),
        ),
        causes={
            "not-finite": "Far out both densities are 0 and you divide 0 by 0. What is p/(p + q) of ln p − ln q?",
            "overflow": "Far out both densities are 0 to a computer. What is p/(p + q) of ln p − ln q?",
            "sign": "Set the derivative to 0: p (D − b) + q (D − a) = 0. Which signs have b and a in D?",
            "reduction": "The weights of a mean add up to 1. Do p and q?",
            "direction": "Where there are only data, D should be b. Which target belongs to whom?",
            "constant": "Where there are only fakes, D should be a; where only data, b. What does yours say there?",
            "log-mean": "The weights of the mean are the densities, not their logarithms.",
        },
    ),
    Exercise(
        id="gan.largest_stable_step",
        stub="largest_step = ...",
        points=1,
        laws=(largest_stable_step,),
        reference=0.4,
        hints=(
            "At γ < 1 the two eigenvalues are conjugate, so that |λ|² is the determinant of I + ηJ.",
            "The determinant is 1 − ηγ + η²/4. For which η is it 1?",
        ),
        wrong=((4.0, "dependence"), (0.1, "constant"), (20.0, "direction"), (0.0, "sign")),
        causes={
            "dependence": "4 belongs to alternating steps without a penalty. Here the steps are simultaneous.",
            "constant": "Try it: at your η, is 1 − ηγ + η²/4 above 1, below it, or 1?",
            "direction": "At η = 2/γ = 20, the determinant 1 − ηγ + η²/4 is 99. The critic is not alone in this game.",
            "sign": "Without a penalty every step is too large. What does γ = 0.1 take off the determinant?",
        },
        variant=largest_step_elsewhere,
    ),
)
