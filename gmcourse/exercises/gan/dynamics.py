"""Exercises of lesson 05.2, dynamics."""

import math
from functools import partial

import torch
from torch import Tensor

from gmcourse.exercises.record import Exercise
from gmcourse.gan import dirac
from gmcourse.gan.dirac import dirac_eigenvalues
from gmcourse.gan.divergences import optimal_discriminator
from gmcourse.gan.losses import feature_matching_loss, gan_critic_loss, r1_penalty, saturating_loss
from gmcourse.gan.minibatch import nearness
from gmcourse.laws import LawBroken
from gmcourse.laws.gan import dynamics
from gmcourse.metrics.coverage import modes


def alternating_step(theta: float, psi: float, lr: float) -> tuple[float, float]:
    """The critic climbs, then the generator descends 𝒱 as it then is: the field's slope for ψ, then for θ."""
    field = partial(dirac.velocity, critic_loss=gan_critic_loss, generator_loss=saturating_loss)
    theta, psi = dirac.alternating_step(torch.tensor([theta, psi], dtype=torch.float64), field, lr).tolist()
    return theta, psi


def least_squares_discriminator(log_p: Tensor, log_q: Tensor, a: float, b: float) -> Tensor:
    """a + (b − a) p/(p + q)."""
    return a + (b - a) * optimal_discriminator(log_p, log_q)


def largest_stable_step(answer: float) -> None:
    """η = 4γ: beyond it, 1 − ηγ + η²/4 > 1."""
    for value, cause in ((4.0, "dependence"), (0.1, "constant"), (0.2, "constant"), (20.0, "direction"), (0.0, "sign")):
        if abs(answer - value) < 1e-6:
            raise LawBroken("|λ| < 1 up to this step", f"your {answer}", "another number", cause)
    if abs(answer - 0.4) > 0.005:
        raise LawBroken("|λ| < 1 up to this step", f"your {answer}", "another number", "")


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


def _near(samples, centres, std):
    return torch.cdist(samples, centres) <= 3 * std


def _any_sample(samples, centres, std):
    near = _near(samples, centres, std)
    return int(near.any(0).sum()), near.any(1).float().mean().item()


def _nearest_mode(samples, centres, std):
    share = torch.bincount(torch.cdist(samples, centres).argmin(1), minlength=len(centres)) / len(samples)
    return int((share >= 0.01).sum()), 1.0


def _fair_share(samples, centres, std):
    near = _near(samples, centres, std).float()
    return int((near.mean(0) >= 1 / len(centres)).sum()), near.amax(1).mean().item()


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
                "overflow",
            ),
            (lambda lr, weight: dirac_eigenvalues(lr, weight).abs(), "shape"),
        ),
        causes={
            "direction": "These belong to the flow, to ṡ = Js. One step is s + ηJs: what is its matrix?",
            "constant": "At which γ do your eigenvalues become real? The trace of J is −γ: what is half of it?",
            "sign": "R1 should make |λ| smaller than 1. Does each player go down its own loss?",
            "dependence": "In a simultaneous step both players look at the old state. Who sees a new value in yours?",
            "overflow": "Below γ = 1 the root is of a negative number: use cmath, or a complex tensor.",
            "shape": "Two complex numbers are asked for, not their absolute values.",
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
            "sign": "The critic climbs 𝒱 and the generator descends it. Did they change places?",
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
            "constant": "Twice too large: the ½ is part of the definition, so that γ = 1 is critical.",
            "reduction": "The squared norm adds over the coordinates of an example; the mean is over the batch only.",
            "shape": "Twice the batch, twice the penalty? Take the mean over the batch.",
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
            (lambda p, q, a, b: (b * p.exp() + a * q.exp()) / (p.exp() + q.exp()), "overflow"),
            (lambda p, q, a, b: b + (a - b) * torch.sigmoid(p - q), "direction"),
            (lambda p, q, a, b: torch.sigmoid(p - q), "constant"),
            (lambda p, q, a, b: (b * p + a * q) / (p + q), "log-mean"),
            (lambda p, q, a, b: b * p.exp() - a * q.exp(), "sign"),
        ),
        causes={
            "overflow": "Far out both densities are 0 and you divide 0 by 0. What is p/(p + q) of ln p − ln q?",
            "direction": "Where there are only data, D should be b. Which target belongs to whom?",
            "constant": "Where there are only fakes, D should be a; yours is 0 there.",
            "log-mean": "The weights of the mean are the densities, not their logarithms.",
        },
    ),
    Exercise(
        id="gan.feature_matching_loss",
        stub='''def feature_matching_loss(critic, real, fake):
    """‖E φ(real) − E φ(fake)‖², φ all layers of the Sequential critic but its last."""
    raise NotImplementedError''',
        points=1,
        laws=(dynamics.features_agree_in_the_mean,),
        reference=feature_matching_loss,
        hints=(
            "An nn.Sequential can be cut: critic[:-1] is all but its last layer.",
            "Mean over each batch first; then the difference, its square, and the sum over the features.",
        ),
        wrong=(
            (lambda c, real, fake: (c[:-1](real) - c[:-1](fake)).square().sum(1).mean(), "log-mean"),
            (lambda c, real, fake: (c[:-1](real).mean(0) - c[:-1](fake).mean(0)).square().mean(), "reduction"),
            (lambda c, real, fake: (c(real).mean(0) - c(fake).mean(0)).square().sum(), "dependence"),
            (lambda c, real, fake: (c[:-1](real).mean(0) - c[:-1](fake).mean(0)).norm(), "spread"),
        ),
        causes={
            "log-mean": "No fake belongs to a certain real example. Which comes first, the mean or the square?",
            "reduction": "A squared norm adds over the features. Did you take their mean?",
            "dependence": "Those are the critic's outputs. Which layers are the features?",
            "spread": "Is it the norm, or its square?",
        },
    ),
    Exercise(
        id="gan.nearness",
        stub='''def nearness(places):
    """o_ib = Σ_j exp(−‖M_ib − M_jb‖₁), j = i included, (batch, kernels).

    places, the M, is (batch, kernels, size).
    """
    raise NotImplementedError''',
        points=2,
        laws=(dynamics.rows_see_their_neighbours,),
        reference=nearness,
        hints=(
            "places[:, None] − places[None] has the shape (batch, batch, kernels, size): every row less every other.",
            "Absolute values, a sum over the last axis, exp of minus it, a sum over j.",
        ),
        wrong=(
            (lambda m: torch.exp(-(m[:, None] - m[None]).norm(dim=-1)).sum(1), "spread"),
            (lambda m: torch.exp((m[:, None] - m[None]).abs().sum(-1)).sum(1), "sign"),
            (lambda m: torch.exp(-(m[:, None] - m[None]).abs().sum(-1)).mean(1), "reduction"),
            (lambda m: nearness(m) - 1, "constant"),
            (lambda m: torch.exp(-(m[:, None] - m[None]).abs().sum((-1, -2))).sum(1), "shape"),
        ),
        causes={
            "spread": "‖·‖₁ adds absolute values. Which norm is yours?",
            "sign": "Near rows should give a large number, at most 1 each. Do yours?",
            "reduction": "The paper adds over the batch. Did you take a mean?",
            "constant": "The sum has a term j = i, which is 1. Did you leave it out?",
            "shape": "Each kernel keeps its own number: (batch, kernels).",
        },
    ),
    Exercise(
        id="gan.modes",
        stub='''def modes(samples, centres, std):
    """(found, quality): how many modes hold at least 1 % of all samples within 3 std,
    and the share of samples within 3 std of any. samples (n, d), centres (k, d)."""
    raise NotImplementedError''',
        points=2,
        laws=(dynamics.modes_are_counted,),
        reference=modes,
        hints=(
            "torch.cdist(samples, centres) is (n, k). Which entries are at most 3 std?",
            "found: columns whose mean is at least 0.01. quality: the mean of any over each row.",
        ),
        wrong=(
            (_any_sample, "constant"),
            (_nearest_mode, "dependence"),
            (_fair_share, "reduction"),
            (lambda x, c, std: modes(x, c, std**2), "spread"),
        ),
        causes={
            "constant": "One lucky sample does not make a mode. What share of all samples is asked for?",
            "dependence": "Every sample has a nearest mode, however far away. How far may it be?",
            "reduction": "You ask for the fair share, 1/k. The mark is 1 % of all samples.",
            "spread": "Three standard deviations: did you multiply a variance by 3?",
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
            "constant": "Try it: with η as large as γ, what is 1 − ηγ + η²/4?",
            "direction": "At η = 2/γ = 20, the determinant 1 − ηγ + η²/4 is 99. The critic is not alone in this game.",
            "sign": "Without a penalty every step is too large. What does γ = 0.1 take off the determinant?",
        },
    ),
)
