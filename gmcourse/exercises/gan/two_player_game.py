"""Exercises of lesson 05.1, the two-player game."""

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from gmcourse.exercises.drawing import picker
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.gan.divergences import divergence_bound, jensen_shannon, optimal_discriminator
from gmcourse.gan.losses import gan_critic_loss, non_saturating_loss, saturating_loss
from gmcourse.laws.broken import require_value
from gmcourse.laws.gan import game, steps
from gmcourse.laws.mass import grid


def generator_losses(h: Tensor) -> tuple[Tensor, Tensor]:
    """Mean ln(1 − D) and −mean ln D, from the logits of fakes."""

    def logits(h: Tensor) -> Tensor:
        return h

    return saturating_loss(logits, h, h), non_saturating_loss(logits, h, h)


def discriminator_step(
    critic: nn.Module, generator: nn.Module, optimizer: torch.optim.Optimizer, real: Tensor, z: Tensor
) -> Tensor:
    """One descent of the critic's loss on data and detached fakes; the loss before it."""
    with torch.no_grad():
        fake = generator(z)
    loss = gan_critic_loss(critic, real, fake)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


def gradient_ratio(theta: float) -> float:
    """E_q[1 − D*] / E_q[D*] for p = N(0, 1) and q = N(θ, 1)."""
    x, _ = grid([theta - 12.0], [theta + 12.0], 4_000)
    mass = (-0.5 * (x[:, 0] - theta) ** 2).softmax(0)
    pull = mass @ optimal_discriminator(theta**2 / 2 - theta * x[:, 0], torch.zeros(()))
    return float((1 - pull) / pull)


def ratio_at(answer: object, *, theta: float = 4.0) -> None:
    """The answer is the ratio of the two gradients at θ, within 2 %."""
    truth, number = gradient_ratio(theta), answer if isinstance(answer, (int, float)) else math.nan
    others = tuple(map(gradient_ratio, (1.0, 2.0, 8.0)))
    slips = {
        "constant": (1.0,),
        "direction": (1 / truth,),
        "spread": others,
        "dependence": (math.exp(theta**2 / 2), *_at_four_fakes(theta)),
        "reduction": (truth + 1,),
    }
    fits = (cause for cause, slip in slips.items() if any(math.isclose(number, v, rel_tol=0.02) for v in slip))
    law = f"non-saturating over saturating gradient, θ = {theta:g}"
    require_value(law, answer, truth, 0.02 * truth, dict.fromkeys(fits, number))


def _at_four_fakes(theta: float) -> tuple[float, float]:
    """The ratio of the mean factors that the explorer shows at θ, and the same of its rounded labels."""
    belief = torch.sigmoid(theta**2 / 2 - theta * (theta + torch.linspace(-1.4, 1.4, 4))).mean().item()
    return (1 - belief) / belief, round(1 - belief, 2) / max(round(belief, 3), 0.001)


def _step(bug: str) -> Callable[..., Tensor]:
    def step(critic, generator, optimizer, real, z):
        fake = generator(z) if bug == "attached" else generator(z).detach()
        loss = gan_critic_loss(critic, *((fake, real) if bug == "labels" else (real, fake)))
        if bug != "stale":
            optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if bug == "both":
            torch.optim.SGD(generator.parameters(), 0.1).step(
                lambda: non_saturating_loss(critic, real, generator(z)).backward()
            )
        return loss.detach()

    return step


def _kl(p: Tensor, q: Tensor, dx: float) -> Tensor:
    return (p * (p / q).log()).sum() * dx


def ratio_elsewhere(seed: int) -> Variant:
    """The ratio at another θ."""
    theta = picker(seed)([k / 20 for k in range(74, 118) if k != 80])
    truth = gradient_ratio(theta)
    return Variant(
        rf"Data are $\mathcal N(0, 1)$, fakes $\mathcal N(\theta, 1)$. At $\theta = {theta:g}$, how many times "
        rf"harder does "
        "the non-saturating loss pull than the saturating one, with the best critic? Hand in the ratio, to within 2 %.",
        laws=(partial(ratio_at, theta=theta),),
        reference=truth,
        wrong=(
            (1, "constant"),
            (1 / truth, "direction"),
            (math.inf, "not-finite"),
            (gradient_ratio(2.0), "spread"),
            (_at_four_fakes(theta)[0], "dependence"),
        ),
        hints=(
            f"The ratio is E_q[1 − D*] / E_q[D*]. At θ = {theta:g}, how often does D* say 'real' to a fake?",
            f"`learned_slope` at {theta:g}, with softplus(−h) and with −softplus(h): divide the first by the second.",
        ),
    )


EXERCISES = (
    Exercise(
        id="gan.optimal_discriminator",
        stub='''def optimal_discriminator(log_p, log_q):
    """p / (p + q) from the two log-densities, (n,) each, which may be −1000."""
    raise NotImplementedError''',
        points=1,
        laws=(game.discriminator_is_optimal,),
        reference=optimal_discriminator,
        hints=(
            "Divide above and below by p: only the ratio q/p is left, and its logarithm is what you were given.",
            "1 / (1 + e^{−h}) with h = log p − log q is the sigmoid of h.",
        ),
        wrong=(
            (lambda log_p, log_q: log_p.exp() / (log_p.exp() + log_q.exp()), "not-finite"),
            (lambda log_p, log_q: (log_p - log_q).exp(), "constant"),
            (lambda log_p, log_q: torch.sigmoid(log_q - log_p), "sign"),
            (lambda log_p, log_q: log_p.exp() - log_q.exp(), "constant"),
            (lambda log_p, log_q: log_p - log_q, "constant"),
        ),
        causes={
            "constant": "D is a probability, and ½ where p = q. Which values can your expression take?",
            "sign": "Where only data live, should D be near 1 or near 0? Which density is that of the data?",
            "spread": "The logit of D is ln p − ln q. By what do you multiply it?",
            "not-finite": "Far out both densities are 0 to a computer, and 0/0 is none. What do the logarithms say?",
            "overflow": "Far out both densities are 0 to a computer. What do their logarithms still say?",
        },
    ),
    Exercise(
        id="gan.jensen_shannon",
        stub='''def jensen_shannon(p, q, dx):
    """JS in nats of two densities on a grid of cells of width dx, (cells,) each.

    A density may be 0 in a cell.
    """
    raise NotImplementedError''',
        points=2,
        laws=(game.divergence_is_jensen_shannon,),
        reference=jensen_shannon,
        hints=(
            "The mean of two KL divergences, each to the mixture m = ½(p + q); an integral is a sum times dx.",
            "torch.special.xlogy(p, p / m) is p ln(p/m), with 0 where p is 0; mind the cells where m is 0 too.",
        ),
        wrong=(
            (lambda p, q, dx: 2 * jensen_shannon(p, q, dx), "reduction"),
            (lambda p, q, dx: jensen_shannon(p, q, dx) / math.log(2), "constant"),
            (lambda p, q, dx: _kl(p, q, dx) + _kl(q, p, dx), "direction"),
            (lambda p, q, dx: 0.5 * (_kl(p, (p * q).sqrt(), dx) + _kl(q, (p * q).sqrt(), dx)), "log-mean"),
            (lambda p, q, dx: 0.5 * (_kl(p, (p + q) / 2, dx) + _kl(q, (p + q) / 2, dx)), "not-finite"),
            (lambda p, q, dx: jensen_shannon(p, q, 1.0), "reduction"),
        ),
        causes={
            "constant": "Two boxes that do not touch give you 1. In which unit is that a 1, and how many nats is it?",
            "reduction": "Two boxes that do not touch should give ln 2. Which factor is amiss, ½ or the width dx?",
            "direction": "JS never exceeds ln 2. Against which density is each KL taken: the other one, or m?",
            "log-mean": "Is your m a density? What does it integrate to, and what should it?",
            "dependence": "JS is the same when p and q change places. Is yours? How many KL divergences are in it?",
            "sign": "A divergence is never negative. What stands above, and what below, in the logarithm?",
            "not-finite": "ln 0 is −∞, and 0 · ln 0 is NaN to a computer. Which of your logarithms may be of 0?",
        },
    ),
    Exercise(
        id="gan.generator_losses",
        stub='''def generator_losses(h):
    """The saturating and the non-saturating loss, two scalars, from logits h of fakes.

    Both are means over the batch (n,); a logit may be ±200.
    """
    raise NotImplementedError''',
        points=2,
        laws=(game.generator_losses_pull,),
        reference=generator_losses,
        hints=(
            "ln D = −softplus(−h) and ln(1 − D) = −softplus(h): neither ever leaves the logarithm.",
            "saturating = −softplus(h).mean(), non-saturating = softplus(−h).mean().",
        ),
        wrong=(
            (lambda h: (-softplus(h).mean(), softplus(h).mean()), "sign"),
            (lambda h: ((1 - h.sigmoid()).log().mean(), -h.sigmoid().log().mean()), "not-finite"),
            (
                lambda h: (
                    -softplus(h).mean(),
                    nn.functional.binary_cross_entropy_with_logits(h, torch.zeros_like(h)),
                ),
                "sign",
            ),
            (lambda h: (-softplus(h).sum(), softplus(-h).sum()), "reduction"),
            (lambda h: (softplus(-h).mean(), -softplus(h).mean()), "direction"),
            (lambda h: (-softplus(h), softplus(-h)), "shape"),
        ),
        causes={
            "sign": "A step down your loss makes a fake look more fake. What does the generator wish D to say?",
            "reduction": "Double the batch: should the loss double? Is it a sum or a mean?",
            "direction": "You have both losses, in the other order. Which of them is the zero-sum game?",
            "one-to-one": "Your two losses are the same. Which of them is the zero-sum game, and what is the other?",
            "log-mean": "Each fake has its own ln D. Which comes first, the logarithm or the mean?",
            "spread": "Is your loss a logarithm of a probability, or the probability?",
            "not-finite": "A logarithm of 0, of ∞ or of a number below 0. What are D and e^h to a computer at h = 200?",
            "overflow": "At ±200 a probability is 0 or 1 to a computer. Stay in logarithms, as softplus does.",
            "container": "Two scalars are asked for, (saturating, non-saturating). What does yours return?",
        },
    ),
    Exercise(
        id="gan.discriminator_step",
        stub='''def discriminator_step(critic, generator, optimizer, real, z):
    """One step of the critic's optimizer on real points and generator(z).

    Returns the loss before the step, as a scalar.
    """
    raise NotImplementedError''',
        points=3,
        laws=(steps.critic_moves_alone,),
        reference=discriminator_step,
        hints=(
            "Fakes without a gradient; the loss; clear old gradients; backward; step. The generator rests.",
            "with torch.no_grad(): fake = generator(z); the loss is the mean softplus(−h(real)) plus that of h(fake).",
        ),
        wrong=(
            (_step("attached"), "dependence"),
            (_step("both"), "dependence"),
            (_step("labels"), "sign"),
            (_step("stale"), "constant"),
        ),
        causes={
            "gradient": "The critic did not move. Did the optimiser step, and which gradients did it find then?",
            "dependence": "The generator's weights or its .grad changed. Which tensor must carry no gradient?",
            "randomness": "You left the generator in another mode, or frozen. How will its own turn begin?",
            "one-to-one": "That is the loss after the step. When is it to be looked at?",
            "sign": "Which of the two batches do you call real? The critic learned to say the opposite.",
            "direction": "Your critic climbs its loss. 𝒱 is to rise: what does the optimiser do with what it is given?",
            "constant": "Gradients of an earlier backward pass are still in the critic. What clears them?",
            "reduction": "The step is too long by the size of the batch. A sum or a mean?",
        },
    ),
    Exercise(
        id="gan.divergence_bound",
        stub='''def divergence_bound(h_real, h_fake):
    """What a critic proves about JS, in nats, from its logits on fresh points.

    (n,) of real points, (m,) of fakes; a logit may be ±200.
    """
    raise NotImplementedError''',
        points=2,
        laws=(game.bound_is_below_divergence,),
        reference=divergence_bound,
        hints=(
            "No critic exceeds the best one: 𝒱(h) ≤ 2 JS − ln 4. Solve for JS.",
            "ln 2 + ½ 𝒱, with 𝒱 = −mean softplus(−h_real) − mean softplus(h_fake).",
        ),
        wrong=(
            (lambda r, f: math.log(4) - softplus(-r).mean() - softplus(f).mean(), "reduction"),
            (lambda r, f: -0.5 * (softplus(-r).mean() + softplus(f).mean()), "constant"),
            (lambda r, f: divergence_bound(-r, -f), "sign"),
            (
                lambda r, f: math.log(2) + 0.5 * (r.sigmoid().log().mean() + (1 - f.sigmoid()).log().mean()),
                "not-finite",
            ),
        ),
        causes={
            "reduction": "𝒱 = 2 JS − ln 4 for the best critic. Have you divided everything by 2?",
            "constant": "A critic that always says ½ proves that JS ≥ 0, no more and no less. What does yours prove?",
            "sign": "Real points should have a high logit, fakes a low one. Which of the two softplus takes −h?",
            "log-mean": "Nats are asked for: of two that do not overlap, ln 2. To which base is your logarithm?",
            "dependence": "Data and fakes count half each, few or many. Over which points is your mean?",
            "direction": "A bad critic proves less than 0, that is nothing. Did you cut your number off there?",
            "one-to-one": "𝒱 has two terms. Which of the two batches does yours leave out?",
            "not-finite": "ln of a sigmoid is −∞ where the sigmoid is 0 to a computer. What does softplus give there?",
            "overflow": "Right for moderate logits, wrong for ±200. Where do you leave the logarithm?",
        },
    ),
    Exercise(
        id="gan.gradient_ratio",
        stub="gradient_ratio = ...",
        points=1,
        laws=(ratio_at,),
        reference=28,
        hints=(
            "By the two factors, the ratio is E_q[1 − D*] / E_q[D*]. At θ = 4, how often does D* say 'real' to a fake?",
            "`learned_slope` at 4.0, with softplus(−h) and with −softplus(h): divide the first by the second.",
        ),
        wrong=((1, "constant"), (1 / 28, "direction"), (math.inf, "not-finite"), (3.44, "spread"), (47, "dependence")),
        causes={
            "constant": "Both losses have the same fixed point. Do they have the same slope away from it?",
            "direction": "Which of the two pulls harder when D is sure? You have the ratio the other way up.",
            "not-finite": "An infinite ratio would need a gradient of 0. Do two Gaussians ever cease to overlap?",
            "spread": "That is the ratio at another θ. Which row of the table did you read?",
            "dependence": "That is the ratio at one fake, or at four. Over which fakes is the mean of a gradient?",
            "reduction": "That is one over the mean of D*. What stands above the line, if D* stands below it?",
        },
        variant=ratio_elsewhere,
    ),
)
