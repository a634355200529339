"""Exercises of lesson 01.0, the toolbox."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from gmcourse.exercises.record import Exercise
from gmcourse.laws.taxonomy import derivatives, estimates, gaussians
from gmcourse.probability import bits_per_dim
from gmcourse.taxonomy.conditioning import condition
from gmcourse.taxonomy.monte_carlo import kl_terms, log_mean_exp, standard_error


def log_density_after(log_p: Tensor, jacobian: Tensor) -> Tensor:
    """ln p_z(z) − ln|det ∂x/∂z|, the determinant never leaving its logarithm."""
    return log_p - torch.linalg.slogdet(jacobian).logabsdet


def penalty_gradient(h: Callable[[Tensor, Tensor], Tensor], x: Tensor, weight: Tensor) -> Tensor:
    """∂/∂w of mean (‖∂h/∂x‖ − 1)²; `create_graph` keeps the path from the slopes back to w."""
    x, weight = (value.detach().requires_grad_() for value in (x, weight))
    (slopes,) = torch.autograd.grad(h(x, weight).sum(), x, create_graph=True)
    penalty = (slopes.norm(dim=1) - 1).square().mean()
    return torch.autograd.grad(penalty, weight)[0]


EXERCISES = (
    Exercise(
        id="taxonomy.standard_error",
        stub='''def standard_error(values):
    """Standard error of the mean of independent draws, (n,) → one number, n ≥ 2."""
    raise NotImplementedError''',
        points=1,
        laws=(estimates.error_of_mean,),
        reference=standard_error,
        hints=(
            "One draw scatters by s. The mean of n draws scatters less: by what factor?",
            "values.std(), which divides by n − 1, over the square root of n.",
        ),
        wrong=(
            (lambda values: values.std(), "reduction"),
            (lambda values: values.std() / len(values), "spread"),
            (lambda values: values.std(correction=0) / math.sqrt(len(values)), "dependence"),
            (lambda values: 1.96 * standard_error(values), "constant"),
        ),
        causes={
            "reduction": "Is that the spread of one draw, or of the mean? Which of the two shrinks as n grows?",
            "spread": "The variance of the mean is s²/n. Is your number its square root?",
            "dependence": "v̄ was made from these draws, and lies nearer to them than the true mean. Divide by n − 1?",
            "one-to-one": "n − 1 belongs to s², and the root of n to the mean. Where did you put which?",
            "constant": "A 95 % interval reaches about two standard errors to each side. How many are asked for?",
            "direction": "How far do the draws lie from their own mean, and not from 0?",
        },
    ),
    Exercise(
        id="taxonomy.log_mean_exp",
        stub='''def log_mean_exp(log_values):
    """ln of the mean of exp(log_values) over each row, (batch, K) → (batch,)."""
    raise NotImplementedError''',
        points=2,
        laws=(estimates.mean_of_exponentials,),
        reference=log_mean_exp,
        hints=(
            "Take the largest a of each row out of the sum: Σ e^a = e^m Σ e^(a − m), and no term overflows.",
            "torch.logsumexp(log_values, 1) does that. What is left of the mean is − ln K.",
        ),
        wrong=(
            (lambda a: a.logsumexp(1), "constant"),
            (lambda a: a.mean(1), "log-mean"),
            (lambda a: a.exp().mean(1).log(), "not-finite"),
            (lambda a: (a - a.max()).exp().mean(1).log() + a.max(), "reduction"),
            (lambda a: a.logsumexp(1) - a.isfinite().sum(1).log(), "dependence"),
        ),
        causes={
            "constant": "Let all a of a row be equal. Is the mean of equal weights not that weight?",
            "log-mean": "Which comes first, the logarithm or the mean? It is the weights e^a that are averaged.",
            "one-to-one": "The largest weight alone speaks for all. What do the others add?",
            "direction": "The largest a was taken off. Is it put back, and where: before the logarithm or after it?",
            "reduction": "Right for rows of one size, and not together: over which axis do you take the maximum?",
            "dependence": "A weight of 0 is a weight. Is it one of the K?",
            "spread": "That is the mean of the weights. Its logarithm is asked for.",
            "overflow": "1,000 higher or lower, and nothing else has changed. Does your a pass through exp as it is?",
            "not-finite": "Which exp or log gave it? exp(1000) is infinite. What can be taken out of the sum first?",
        },
    ),
    Exercise(
        id="taxonomy.kl_terms",
        stub='''def kl_terms(log_p, log_q):
    """(r − 1) − ln r with r = q/p, (n,), nats, from log p and log q at n draws of p."""
    raise NotImplementedError''',
        points=2,
        laws=(estimates.terms_of_kl,),
        reference=kl_terms,
        hints=(
            "ln r is a difference of two logarithms. Only r itself needs an exp.",
            "With t = log_q − log_p the term is exp(t) − 1 − t.",
        ),
        wrong=(
            (lambda log_p, log_q: log_p - log_q, "sign"),
            (lambda log_p, log_q: kl_terms(log_q, log_p), "direction"),
            (lambda log_p, log_q: log_q.exp() / log_p.exp() - 1 - log_q + log_p, "not-finite"),
            (lambda log_p, log_q: (log_q - log_p).exp() - (log_q - log_p), "constant"),
            (lambda log_p, log_q: log_p.exp() * (log_p - log_q), "dependence"),
        ),
        causes={
            "sign": "Some of your terms are negative. Can (r − 1) − ln r be? Which part is missing, or turned round?",
            "direction": "The draws come from p, and r = q/p. Which of the two logarithms is subtracted?",
            "constant": "Where q = p, r is 1. What is each term then?",
            "shape": "One term for each draw. Who takes the mean, and when?",
            "dependence": "The draws already come from p. Must they be weighed by a density once more?",
            "spread": "Near r = 1 that agrees to second order. What is the term at r = 5?",
            "one-to-one": "No term is negative now, but is the mean still the KL?",
            "log-mean": "You have ln p and ln q. How is r = q/p had from them, and which part of the term wants r?",
            "overflow": "Only the size of both logarithms has changed, r has not. Do you take exp of each?",
            "not-finite": "Something became 0, and was divided by or put in a logarithm. What is ln r without an exp?",
        },
    ),
    Exercise(
        id="taxonomy.condition",
        stub='''def condition(mean, cov, known, value):
    """Mean and covariance of the unknown coordinates, given the known ones.

    mean (D,), cov (D, D), known (D,) bool, value (k,) of the known ones, in order.
    Gives two tensors, (D − k,) and (D − k, D − k), of the others in their order.
    """
    raise NotImplementedError''',
        points=3,
        laws=(gaussians.conditional_gaussian,),
        reference=condition,
        hints=(
            "Cut Σ into blocks: cov[~known][:, known] is Σ_ab. The gain Σ_ab Σ_bb⁻¹ serves both answers.",
            "gain = cov[~known][:, known] @ torch.linalg.inv(cov[known][:, known]); then μ_a + gain (v − μ_b) and "
            "Σ_aa − gain Σ_ba.",
        ),
        wrong=(
            (lambda m, c, known, value: (condition(m, c, known, value)[0], c[~known][:, ~known]), "dependence"),
            (lambda mean, cov, known, value: condition(mean, cov, known, value + mean[known]), "constant"),
            (lambda mean, cov, known, value: condition(mean, cov, known, 2 * mean[known] - value), "sign"),
            (lambda mean, cov, known, value: (mean, cov), "shape"),
        ),
        causes={
            "dependence": "Is less known about the rest than before? What did the known ones tell you of it?",
            "constant": "Let v be just what was expected, μ_b. Should the mean of the rest move away from μ_a?",
            "direction": "Which coordinates are known, and whose covariance do you divide by?",
            "sign": "Does a v above its mean pull the rest the right way, and does knowledge lessen the variance?",
            "reduction": "The known ones are correlated with each other. Did you divide by each variance alone?",
            "log-mean": "Which comes first, the inverse or the block? And which block is inverted?",
            "spread": "A covariance is asked for. Did you take a root?",
            "one-to-one": "Two unknown coordinates stay correlated. Where are the entries off the diagonal?",
            "shape": "The mean has one entry for each unknown coordinate, the covariance a row and a column. How many?",
            "container": "Two tensors are asked for, the mean and the covariance.",
        },
    ),
    Exercise(
        id="taxonomy.log_density_after",
        stub='''def log_density_after(log_p, jacobian):
    """ln p_x(x), (batch,), from ln p_z(z), (batch,), and ∂x/∂z, (batch, D, D)."""
    raise NotImplementedError''',
        points=2,
        laws=(derivatives.density_after_map,),
        reference=log_density_after,
        hints=(
            "Where a map spreads points out, the density falls: by the factor |det ∂x/∂z|.",
            "torch.linalg.slogdet(jacobian).logabsdet is ln|det| of each row. Subtract it.",
        ),
        wrong=(
            (lambda log_p, jacobian: log_p + torch.linalg.slogdet(jacobian).logabsdet, "sign"),
            (lambda log_p, jacobian: log_p - torch.linalg.det(jacobian).abs().log(), "not-finite"),
            (lambda log_p, jacobian: log_p - torch.logdet(jacobian), "not-finite"),
            (lambda log_p, jacobian: log_p - torch.linalg.det(jacobian).abs(), "spread"),
            (lambda log_p, jacobian: log_p - jacobian.diagonal(dim1=1, dim2=2).abs().log().sum(1), "reduction"),
        ),
        causes={
            "sign": "Let the map stretch everything by 2. Does the density rise or fall?",
            "constant": "Stretch one axis by 2. The density is halved: what is subtracted from its logarithm?",
            "reduction": "A shear has ones on its diagonal, and det 1. Does your volume see the other entries?",
            "spread": "Densities are divided by |det|. What does that do to their logarithms?",
            "log-mean": "Densities are divided by |det|. Is your answer the density, or its logarithm?",
            "one-to-one": "`slogdet` gives a sign and a logarithm. Which one does a volume need?",
            "shape": "Each row has a Jacobian of its own. Did you use one for all?",
            "direction": "What has become of ln p_z(z)?",
            "overflow": "In 64 dimensions a tenth each makes 10⁻⁶⁴. Do you hold the determinant itself?",
            "not-finite": "Which logarithm was taken of 0, or of a negative number? A determinant may be either.",
        },
    ),
    Exercise(
        id="taxonomy.penalty_gradient",
        stub='''def penalty_gradient(h, x, weight):
    """Gradient in `weight` of the mean over rows of (‖∂h/∂x‖ − 1)², shaped like it.

    h(x, weight) takes x (batch, D) and gives (batch,), each row from its own x alone.
    """
    raise NotImplementedError''',
        points=3,
        laws=(derivatives.gradient_of_penalty,),
        reference=penalty_gradient,
        hints=(
            "Two gradients: first of h in x, kept with its graph, then of the penalty in `weight`.",
            "torch.autograd.grad(h(x, weight).sum(), x, create_graph=True)[0], with x and weight that require a "
            "gradient; then the same of the penalty in weight, without create_graph.",
        ),
        wrong=(
            (lambda h, x, weight: torch.func.grad(lambda w: h(x, w).mean())(weight), "gradient"),
            (lambda h, x, weight: len(x) * penalty_gradient(h, x, weight), "reduction"),
            (lambda h, x, weight: -penalty_gradient(h, x, weight), "sign"),
        ),
        causes={
            "gradient": "Nothing of it comes from the penalty. Do x and `weight` require a gradient, and did the first "
            "pass keep its graph?",
            "dependence": "The gradient of h itself is in it. What did you add, or what was left in `.grad`?",
            "reduction": "Each row has one norm, and the penalty is the mean over rows. Where do you sum?",
            "spread": "(‖g‖ − 1)², or (‖g‖² − 1)²? Is your norm the root of the sum of squares?",
            "constant": "Let every slope have length 1. What is the penalty there, and what its gradient?",
            "one-to-one": "A slope below 1 is punished, too. Is it in yours?",
            "sign": "The gradient is asked for, and not the step of a descent. Which way does it point?",
            "direction": "That is the penalty. Its gradient is asked for.",
            "shape": "It has the shape of `weight`. Did you differentiate in x, or keep the tuple of `autograd.grad`?",
            "container": "Did you get None? `.grad` is filled on the tensor that required it, if a path leads back.",
        },
    ),
    Exercise(
        id="taxonomy.bits_per_dim",
        stub='''def bits_per_dim(log_prob, dims):
    """Bits per dimension, (batch,), from log_prob in nats, (batch,), and dims."""
    raise NotImplementedError''',
        points=1,
        laws=(estimates.bits_of_nats,),
        reference=bits_per_dim,
        hints=(
            "A code for x has −log₂ p(x) bits. How many nats is one bit?",
            "One bit is ln 2 nats: −log_prob / (dims · ln 2).",
        ),
        wrong=(
            (lambda log_prob, dims: -log_prob / dims, "constant"),
            (lambda log_prob, dims: -log_prob / math.log(2), "reduction"),
            (lambda log_prob, dims: log_prob / (dims * math.log(2)), "sign"),
        ),
        causes={
            "constant": "A fair coin is ln 2 = 0.693 nats, and one bit. Does your answer turn the one into the other?",
            "sign": "A code has a positive length, and ln p of a probability is negative. Where is the minus?",
            "reduction": "Is that for the whole example, or for one of its dims dimensions?",
            "log-mean": "log_prob is a logarithm already. Why take another, or undo it?",
            "not-finite": "log_prob is a logarithm already: its exp can be 0, its own logarithm NaN. Why take either?",
            "one-to-one": "A density can lie above 1. What length does a code have then: is it cut at 0, or negative?",
            "shape": "One number for each example. Did you sum or average over them?",
        },
    ),
)
