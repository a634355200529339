"""Exercises of lesson 04.3, the conditional VAE."""

import torch
from torch import Tensor

from gmcourse.exercises.drawing import picker, value_law
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.laws.broken import require_value
from gmcourse.laws.vae.answers import answer_is_drawn_from_prior, best_is_the_least_error, diversity_is_what_z_brings
from gmcourse.laws.vae.conditional import kl_of_two_gaussians
from gmcourse.probability import gaussian_kl
from gmcourse.vae.answers import best_of, diversity
from gmcourse.vae.gaussian import reparameterize
from gmcourse.vae.told import context


def conditional_kl(mean: Tensor, log_std: Tensor, prior_mean: Tensor, prior_log_std: Tensor) -> Tensor:
    """½ Σ [((μ − m)² + σ²)/τ² − 1 − 2 (s − t)]."""
    scaled = ((mean - prior_mean) ** 2 + (2 * log_std).exp()) / (2 * prior_log_std).exp()
    return 0.5 * (scaled - 1 - 2 * (log_std - prior_log_std)).sum(1)


def complete(x, known, prior, decode, noise):
    """Tell the context, draw z from its prior, decode, and keep what is known."""
    c = context(x, known)
    mean, log_std = prior(c)
    z = reparameterize(mean, log_std, noise)
    return torch.where(known, x, decode(z, c))


def best_of_ten(answer: object) -> None:
    """The expected squared error of the best of ten draws of ±1."""
    suspects = {"constant": (2.0, 1.0, 4.0), "log-mean": (0.4, 0.2, 0.1), "spread": (2**-10, 0.0625)}
    suspects |= {"one-to-one": (4 * 2**-9, 4 * 2**-11, 0.0078, 0.002, 2**-6, 0.016), "direction": (4 * (1 - 2**-10),)}
    require_value("the best of ten answers ±1", answer, 4 * 2**-10, 1.5e-4, suspects, fit=2e-5)


def best_of_some(seed: int) -> Variant:
    """The best of `count` draws of ±`size`, whose squared error is `cost` where all miss."""
    pick = picker(seed)
    size, count = pick((1, 3, 5, 9, 11)), pick((5, 6, 7, 8, 9, 11, 12, 13))
    cost, missed = 4.0 * size**2, 2.0**-count
    right = cost * missed
    suspects = {"constant": (cost / 2, cost / 4, cost), "log-mean": tuple(cost / by / count for by in (1, 2, 4))}
    suspects |= {"one-to-one": (2 * right, right / 2), "direction": (cost * (1 - missed),)}
    suspects |= {"spread": (missed, 2 * size * missed, right**0.5, size**2 * missed)}

    return Variant(
        f"The truth is +{size} or −{size}, each half of the time, and a model draws its answers by a fair coin. "
        f"What is the expected squared error of the best of {count} answers? Give it to within 3 %.",
        laws=(value_law(f"the best of {count} answers ±{size}", right, 0.03 * right, suspects, 0.005 * right),),
        reference=right,
        wrong=((cost / 2, "constant"), (cost / count, "log-mean"), (missed, "spread"), (23 * right, "")),
        hints=(
            f"The best of {count} is wrong only where all {count} are wrong.",
            f"All of them miss with probability 2^−{count}. What is the squared error of +{size} taken for −{size}?",
        ),
        causes={
            "constant": f"That is the error of a single answer, or of a miss. What do {count} draws change?",
            "spread": f"How large is the squared error when +{size} is taken for −{size}?",
            "direction": "That is the worst of them. Which one do we keep?",
        },
    )


def _draw(prior, c, noise):
    mean, log_std = prior(c)
    return reparameterize(mean, log_std, noise)


def _decoded_everywhere(x, known, prior, decode, noise):
    c = context(x, known)
    return decode(_draw(prior, c, noise), c)


def _told_everything(x, known, prior, decode, noise):
    c = torch.cat([x, known.to(x.dtype)], 1)
    return torch.where(known, x, decode(_draw(prior, c, noise), c))


def _from_a_standard_normal(x, known, prior, decode, noise):
    return torch.where(known, x, decode(noise, context(x, known)))


def _at_the_mean(x, known, prior, decode, noise):
    c = context(x, known)
    return torch.where(known, x, decode(prior(c)[0], c))


EXERCISES = (
    Exercise(
        id="vae.conditional_kl",
        stub='''def conditional_kl(mean, log_std, prior_mean, prior_log_std):
    """KL(N(mean, exp(log_std)²) ‖ N(prior_mean, exp(prior_log_std)²)), (batch,).

    All four are (batch, L); the latents are independent.
    """
    raise NotImplementedError''',
        points=2,
        laws=(kl_of_two_gaussians,),
        reference=conditional_kl,
        hints=(
            "Write ln q − ln p of one latent and take its mean under q: E(z − m)² = (μ − m)² + σ².",
            "One latent gives ½[((μ − m)² + σ²)/τ² − 1 − 2 ln(σ/τ)], where ln σ and ln τ are given; the latents add.",
        ),
        wrong=(
            (lambda mean, s, m, t: gaussian_kl(mean, s), "dependence"),
            (lambda mean, s, m, t: gaussian_kl(m, t, mean, s), "direction"),
            (
                lambda mean, s, m, t: (
                    0.5 * (((mean - m) ** 2 + (2 * s).exp()) * (2 * t).exp() - 1 - 2 * (s - t)).sum(1)
                ),
                "spread",
            ),
            (lambda mean, s, m, t: gaussian_kl(mean, s, m, t) / mean.shape[1], "reduction"),
            (lambda mean, s, m, t: gaussian_kl(mean, s, m.detach(), t.detach()), "gradient"),
        ),
        causes={
            "dependence": "That is the KL to a prior that knows no c, or not all of it. Where do m and τ come in?",
            "direction": "Under which of the two is the mean taken: the one that saw x, or the prior?",
            "spread": "σ² and the squared distance are measured in units of τ² = exp(2 prior_log_std). Are yours?",
            "constant": "Put in the same Gaussian twice. Is it 0?",
            "sign": "Let τ grow without limit: the KL must grow too. What does yours do?",
            "one-to-one": "Yours is the right KL times one factor. What stands before the sum, and is it in nats?",
            "reduction": "The latents are independent, so that their KLs add. Did you average?",
            "shape": "One KL for each row is asked for, (batch,).",
            "gradient": "Guess and prior are both learned: a gradient must reach all four. Which does yours miss?",
        },
    ),
    Exercise(
        id="vae.complete",
        stub='''def complete(x, known, prior, decode, noise):
    """x where it is known; elsewhere an answer decoded from a draw of p(z|c).

    x (batch, C, H, W), known bool of the same shape, noise (batch, L).
    prior(c) gives the mean and the log_std of p(z|c), decode(z, c) a picture;
    c is (batch, 2C, H, W): the known pixels, 0 elsewhere, then the mask.
    """
    raise NotImplementedError''',
        points=2,
        laws=(answer_is_drawn_from_prior,),
        reference=complete,
        hints=(
            "Three steps: build c from what is known, draw z = m + τε from the prior, and put the pieces together.",
            "c = torch.cat([x * known, known.float()], 1), and at the end torch.where(known, x, decode(z, c)).",
        ),
        wrong=(
            (_decoded_everywhere, "dependence"),
            (_told_everything, "direction"),
            (_from_a_standard_normal, "constant"),
            (_at_the_mean, "randomness"),
            (lambda x, known, prior, decode, noise: complete(x, ~known, prior, decode, noise), "sign"),
        ),
        causes={
            "dependence": "A known pixel has changed. Which pixels are given, and need no answer?",
            "direction": "Your c holds the pixels that are asked for. What would it hold if nobody knew them?",
            "constant": "The prior has a mean and a spread of its own for each c. Where does your z come from?",
            "spread": "`log_std` is ln of the standard deviation. What is the noise multiplied by?",
            "randomness": "z is a draw: m plus noise of the spread τ. Which part of it is missing?",
            "sign": "You kept what was asked for and answered what was known. Which way round is the mask?",
            "log-mean": "c holds the picture, 0 where it is not known, and then the mask, 1 where it is. Does yours?",
            "one-to-one": "Two calls with the same noise gave two answers. Whose noise did you use?",
            "shape": "A whole picture for each row, of that row's own question and noise. Is yours?",
        },
    ),
    Exercise(
        id="vae.best_of",
        stub='''def best_of(answers, truth):
    """The squared error of the best of S answers, summed over the event: (batch,).

    answers (S, batch, *event), truth (batch, *event).
    """
    raise NotImplementedError''',
        points=1,
        laws=(best_is_the_least_error,),
        reference=best_of,
        hints=(
            "First each answer has one error, the sum over its pixels; then the least over the answers is taken.",
            "(answers - truth) ** 2 has the shape (S, batch, *event): flatten the event, sum it, then amin(0).",
        ),
        wrong=(
            (lambda a, t: (a - t).square().amin(0).flatten(1).sum(1), "dependence"),
            (lambda a, t: (a - t).square().flatten(2).sum(2).mean(0), "log-mean"),
            (lambda a, t: (a - t).square().flatten(2).mean(2).amin(0), "reduction"),
            (lambda a, t: (a.mean(0) - t).square().flatten(1).sum(1), "direction"),
        ),
        causes={
            "dependence": "You took the best pixel of any answer. Is there one answer that has them all?",
            "log-mean": "That is the mean error of the answers: more answers do not lower it. Which one is asked for?",
            "direction": "That is the worst answer, or the mean of all. Which one is asked for?",
            "reduction": "The error is summed over the pixels of an answer. Did you average?",
            "spread": "That is a distance. The squared error is asked for.",
            "one-to-one": "That is always the same answer, the first or the last. What do the others do?",
            "constant": "Is the error of a pixel the square of the difference, also where you choose the best?",
            "sign": "Can a squared error be negative?",
            "shape": "One number for each question, (batch,). Which axes are summed? Does your `min` give places too?",
        },
    ),
    Exercise(
        id="vae.diversity",
        stub='''def diversity(answers):
    """How far S answers to the same question differ, one number for each question.

    answers (S, batch, *event) are means E[x|z, c]; the result is the variance over
    the S answers (divide by S), summed over the event: (batch,).
    """
    raise NotImplementedError''',
        points=2,
        laws=(diversity_is_what_z_brings,),
        reference=diversity,
        hints=(
            "Var(x|c) = E Var(x|z, c) + Var E(x|z, c). You are given E(x|z, c): only the second term is asked for.",
            "For each pixel, the mean square of the S answers minus the square of their mean; then sum over pixels.",
        ),
        wrong=(
            (lambda a: (a.mean(0) * (1 - a.mean(0))).flatten(1).sum(1), "randomness"),
            (lambda a: a.var(1, correction=0).mean(0).sum().expand(a.shape[1]), "direction"),
            (lambda a: a.flatten(2).sum(2).var(0, correction=0), "dependence"),
            (lambda a: a.var(0, correction=0).flatten(1).mean(1), "reduction"),
            (lambda a: a.var(0).flatten(1).sum(1), "constant"),
        ),
        causes={
            "randomness": "The noise of the ink is in yours: a model with one answer, all grey, would be diverse.",
            "direction": "You compared answers to different questions. Which axis holds answers to the same c?",
            "dependence": "You took the variance of the amount of ink. Two answers may have as much, elsewhere.",
            "reduction": "The variances of the pixels are summed here. Did you average?",
            "constant": "You divided by S − 1. The split of the total variance is exact where both terms divide by S.",
            "spread": "That is a standard deviation. Variances add; deviations do not.",
            "one-to-one": "S answers that are all the same differ by 0. What does yours say of them?",
            "log-mean": "Two answers that differ by d in one pixel have the variance d²/4. What does yours give?",
            "sign": "Yours is negative. Can a variance be?",
            "shape": "One number for each question is asked for, (batch,).",
        },
    ),
    Exercise(
        id="vae.best_of_ten",
        stub="best_of_ten = ...",
        points=1,
        laws=(best_of_ten,),
        reference=4 * 2**-10,
        hints=(
            "The best of ten is wrong only where all ten are wrong.",
            "All ten miss with probability 2^−10, and then the squared error is 2² = 4.",
        ),
        wrong=((2.0, "constant"), (0.4, "log-mean"), (2**-10, "spread"), (0.25, "")),
        causes={
            "constant": "That is the error of a single answer, or of a miss. What do ten independent draws change?",
            "log-mean": "The error does not fall like 1/S. When is the best of ten wrong?",
            "spread": "How large is the squared error when +1 is taken for −1?",
            "one-to-one": "How many draws must miss, and what does it cost when all do? One of the two is off.",
            "direction": "That is the worst of ten. Which one do we keep?",
            "": "When is the best of ten wrong, how often is that, and what does it cost then?",
        },
        variant=best_of_some,
    ),
)
