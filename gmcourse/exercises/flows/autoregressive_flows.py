"""Exercises of lesson 06.5, autoregressive flows."""

import math

import torch
from torch import Tensor
from torch.distributions import Normal

from gmcourse.exercises.drawing import Pick, first_sound, value_law
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.flows.distillation import distillation_loss
from gmcourse.laws.broken import require_value
from gmcourse.laws.flows import autoregressive
from gmcourse.laws.flows.distillation import is_reverse_kl


def maf_forward(x, net):
    """z_i = (x_i − μ_i) e^{−s_i}, and −Σ s_i."""
    mean, s = net(x)
    return (x - mean) * (-s).exp(), -s.sum(1)


def maf_inverse(z, net, order):
    """x_i = μ_i + e^{s_i} z_i, one coordinate after another."""
    x = torch.zeros_like(z)
    for i in order:
        mean, s = net(x)
        x[:, i] = mean[:, i] + s[:, i].exp() * z[:, i]
    return x


def passes(dims, layers):
    """The quick way is one pass a layer, the slow one `dims`."""
    quick, slow = layers, dims * layers
    return quick, slow, slow, quick


def wrong_order_gap(spread: float = 2.0, bend: float = 0.25) -> float:
    """Nats that one layer in the order (x₁, x₂) must lose at least, by quadrature.

    The data are x₂ ~ N(0, `spread`²), x₁ | x₂ ~ N(`bend` x₂², 1).
    """
    reach = 7 * spread
    x2 = torch.linspace(-reach, reach, 561, dtype=torch.float64)
    x1 = torch.linspace(-6, 5 + bend * reach**2, 601, dtype=torch.float64)
    joint = Normal(0.0, spread).log_prob(x2).exp() * Normal(bend * x2**2, 1.0).log_prob(x1[:, None]).exp()
    marginal = joint.sum(1)
    variance = (joint * x2**2).sum(1) / marginal  # of x₂ given x₁, whose mean is 0
    weight = marginal / marginal.sum()
    mean = (weight * x1).sum()
    spread_of_x1 = (weight * (x1 - mean) ** 2).sum()
    entropies = [0.5 * (2 * math.pi * math.e * v).log() for v in (spread_of_x1, variance)]
    return float(entropies[0] + (weight * entropies[1]).sum() - _truth(spread))


def _truth(spread: float) -> float:
    """The entropy of the crescent, nats."""
    return math.log(2 * math.pi * math.e) + math.log(spread)


def gap_is_exact(answer: float) -> None:
    """The gap of the wrong order, to 0.008 nats, nearer than ½ ln 2."""
    gap, best = wrong_order_gap(), 3.8665
    known = {"constant": 0.0, "spread": math.log(2), "reduction": (best, best - gap), "direction": -gap}
    require_value("nats lost by the order (x₁, x₂)", answer, gap, 0.008, known | {"log-mean": gap / math.log(2)})


def _by_latents(x: Tensor, net) -> tuple[Tensor, Tensor]:
    z = s = torch.zeros_like(x)
    for i in range(x.shape[1]):
        mean, s = net(z)
        z[:, i] = (x[:, i] - mean[:, i]) * (-s[:, i]).exp()
    return z, -s.sum(1)


def _one_pass(z: Tensor, net, order) -> Tensor:
    mean, s = net(z)
    return mean + s.exp() * z


def _scored_without_gradient(draw, teacher_log_prob, noise):
    x, log_det = draw(noise)
    with torch.no_grad():
        log_p = teacher_log_prob(x)
    return (Normal(0.0, 1.0).log_prob(noise).sum(1) - log_det - log_p).mean()


def _forward_divergence(draw, teacher_log_prob, noise):
    x, log_det = draw(noise)
    log_ratio = teacher_log_prob(x) - Normal(0.0, 1.0).log_prob(noise).sum(1) + log_det
    return (log_ratio.exp() * log_ratio).mean()


def gap_of_another_crescent(seed: int) -> Variant:
    """The gap of x₂ ~ N(0, s²), x₁ | x₂ ~ N(b x₂², 1) at another s and b."""
    return first_sound(seed, _crescent, lesson=0.335)


def _crescent(pick: Pick) -> Variant:
    spread, bend = pick([k / 10 for k in range(10, 28, 2)]), pick((0.15, 0.2, 0.3, 0.35, 0.4))
    gap, truth = wrong_order_gap(spread, bend), _truth(spread)
    known = {"constant": 0.0, "spread": math.log(2), "reduction": (truth + gap, truth), "direction": -gap}
    return Variant(
        rf"A crescent: $x_2 \sim \mathcal N(0, {spread:g}^2)$ and "
        rf"$x_1 \mid x_2 \sim \mathcal N({bend:g}\, x_2^2, 1)$. How "
        "many nats does one layer in the order $(x_1, x_2)$ lose at least on it, to within 0.003? Guess first; then "
        "take it from the best Gaussian of $x_1$ and of $x_2$ given $x_1$, by a sum over a grid.",
        laws=(
            value_law(
                "nats lost by the order (x₁, x₂)", gap, 0.0035, known | {"log-mean": gap / math.log(2)}, fit=0.003
            ),
        ),
        reference=gap,
        wrong=((0, "constant"), (math.log(2), "spread"), (math.inf, "not-finite")),
    )


EXERCISES: tuple[Exercise, ...] = (
    Exercise(
        id="flows.maf_forward",
        stub='''def maf_forward(x, net):
    """z and log|det ∂z/∂x|, (batch,), of x (batch, D).

    net(x) gives μ and s, both (batch, D); entry i of each depends on x_<i alone.
    """
    raise NotImplementedError''',
        points=2,
        laws=(autoregressive.standardises,),
        reference=maf_forward,
        hints=(
            "Given what came before, x_i is N(μ_i, e^{2s_i}). What makes a standard normal of it?",
            "z = (x − μ) e^{−s}; the Jacobian is triangular, so that only ∂z_i/∂x_i = e^{−s_i} counts.",
        ),
        wrong=(
            (lambda x, net: (maf_forward(x, net)[0], -maf_forward(x, net)[1]), "sign"),
            (lambda x, net: (net(x)[0] + net(x)[1].exp() * x, net(x)[1].sum(1)), "direction"),
            (_by_latents, "dependence"),
            (lambda x, net: (maf_forward(x, net)[0], -net(x)[1].mean(1)), "reduction"),
            (lambda x, net: ((x - net(x)[0]) * (-2 * net(x)[1]).exp(), -2 * net(x)[1].sum(1)), "spread"),
        ),
        causes={
            "sign": "A wide conditional, s > 0, is squeezed on its way to z. Does the volume rise or fall?",
            "direction": "You went from z to x. Which of the two is in your hand?",
            "dependence": "On which coordinates do μ_i and s_i depend here, those of x or those of z?",
            "constant": "z is squeezed by e^{−s}, yet your log-determinant is 0. What is on the Jacobian's diagonal?",
            "one-to-one": "x = μ + e^s z: what was done last, and must be undone first?",
            "spread": "e^s is the standard deviation of x_i. By what do you divide, and how often is it counted?",
            "container": "Two things are asked for: z and log|det ∂z/∂x|.",
        },
    ),
    Exercise(
        id="flows.maf_inverse",
        stub='''def maf_inverse(z, net, order):
    """The x, (batch, D), that the flow maps to z.

    net(x) gives μ and s, both (batch, D). order lists the coordinates, the first
    known first: entry i of μ and s depends on those that stand before i in it.
    """
    raise NotImplementedError''',
        points=3,
        laws=(autoregressive.undoes,),
        reference=maf_inverse,
        hints=(
            "The first coordinate in the order depends on none. Once it is known, which one can be undone next?",
            "x = zeros; for i in order: μ, s = net(x); x[:, i] = μ[:, i] + e^{s[:, i]} z[:, i].",
        ),
        wrong=(
            (_one_pass, "direction"),
            (lambda z, net, order: maf_inverse(z, net, range(z.shape[1])), "dependence"),
            (lambda z, net, order: maf_inverse(z, lambda x: net(torch.zeros_like(x)), order), "dependence"),
            (lambda z, net, order: maf_inverse(z, net, order[::-1]), "dependence"),
        ),
        causes={
            "sign": "Solve z_i = (x_i − μ_i) e^{−s_i} for x_i. Is that what each of your steps does?",
            "one-to-one": "`order` says when x_i becomes known, not in which column it stands. Did you move columns?",
            "direction": "One pass over z: only the first coordinate can be right. What must the network see, z or x?",
            "dependence": "What must be known before coordinate i can be undone, and has the network seen it?",
        },
    ),
    Exercise(
        id="flows.passes",
        stub='''def passes(dims, layers):
    """Network passes for (MAF ln p(x), MAF sample, IAF ln p(x), IAF sample).

    x is given from outside; the slow way is done by whole passes.
    """
    raise NotImplementedError''',
        points=1,
        laws=(autoregressive.counts_passes,),
        reference=passes,
        hints=(
            "One layer: one way needs a single pass, the other one pass for each coordinate. Which is which?",
            "Layers are undone one after another, so that their costs add: layers, or dims · layers.",
        ),
        wrong=(
            (lambda dims, layers: (dims * layers, layers, layers, dims * layers), "direction"),
            (lambda dims, layers: (1, dims, dims, 1), "reduction"),
            (lambda dims, layers: (layers, dims**layers, dims**layers, layers), "one-to-one"),
            (lambda dims, layers: (layers,) * 4, "dependence"),
        ),
        causes={
            "direction": "MAF conditions on x. When x is given, what is there to wait for?",
            "sign": "An IAF's networks see z, not x. Which of its two ways has to wait?",
            "reduction": "That is one layer. What do several cost?",
            "one-to-one": "The last layer is undone whole before the one below begins. Do their costs multiply or add?",
            "dependence": "Can coordinate 2 be undone before coordinate 1 is known?",
        },
    ),
    Exercise(
        id="flows.distillation_loss",
        stub='''def distillation_loss(draw, teacher_log_prob, noise):
    """KL(student ‖ teacher) as a mean over standard normal noise, (batch, D).

    draw(noise) gives the student's x and log|∂x/∂z|, (batch,).
    """
    raise NotImplementedError''',
        points=2,
        laws=(is_reverse_kl,),
        reference=distillation_loss,
        hints=(
            "KL(q ‖ p) = E_q[ln q(x) − ln p(x)]: both logarithms at the student's own draws.",
            "ln q(x) = ln N(z; 0, I) − log|∂x/∂z|; take the mean of ln q(x) − teacher_log_prob(x), nothing detached.",
        ),
        wrong=(
            (lambda draw, p, z: -p(draw(z)[0]).mean(), "constant"),
            (_forward_divergence, "direction"),
            (_scored_without_gradient, "gradient"),
            (lambda draw, p, z: distillation_loss(draw, p, z) + 2 * draw(z)[1].mean(), "sign"),
        ),
        causes={
            "constant": "Put in a student equal to its teacher: is your loss 0? Without ln q it shrinks to a point.",
            "direction": "The mean is taken under the student. Did you weigh its draws as if they were the teacher's?",
            "gradient": "Freeze the teacher's parameters, not its graph: how else does x learn where p is large?",
            "sign": "`draw` goes from z to x. A stretch makes q(x) smaller: does log|∂x/∂z| enter so?",
            "one-to-one": "A KL divergence is never negative. Which of ln q and ln p is taken from which?",
            "dependence": "ln q(x) asks the base at z, ln p(x) asks the teacher at x. Where do you ask them?",
        },
    ),
    Exercise(
        id="flows.wrong_order_gap",
        stub="wrong_order_gap = ...",
        points=1,
        laws=(gap_is_exact,),
        reference=0.335,
        hints=(
            "One layer makes its first variable Gaussian, whatever the network. Which Gaussian is best?",
            "½ ln(2πe · Var x₁) + E ½ ln(2πe · Var(x₂ | x₁)) − entropy, by a sum over a grid.",
        ),
        wrong=((0, "constant"), (math.log(2), "spread"), (math.inf, "not-finite")),
        causes={
            "constant": "The chain rule holds in any order. Do Gaussian conditionals?",
            "spread": "Two modes cost at most ln 2 where they are far apart. Are they, for every x₁?",
            "not-finite": "A loss without bound: is the density of the best Gaussian 0 anywhere?",
            "reduction": "That is what one order costs in all. The gap is the difference between the two.",
            "direction": "Can the wrong order do better than the truth?",
            "log-mean": "The gap in bits is near that. Nats are asked for: which logarithm is yours?",
        },
        variant=gap_of_another_crescent,
    ),
)
