"""Exercises of lesson 04.1, the evidence lower bound."""

import math

import torch
from torch import Tensor

from gmcourse.data import load
from gmcourse.exercises.drawing import picker, value_law
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.laws.broken import require_value
from gmcourse.laws.gradient import gradient_is_unbiased
from gmcourse.laws.vae import bound, estimates
from gmcourse.probability import gaussian_kl, gaussian_log_prob
from gmcourse.vae.gaussian import log_evidence, reparameterize
from gmcourse.vae.gradients import score_gradient
from gmcourse.vae.linear import best_linear_elbo


def evidence_from_draws(log_likelihood: Tensor, z: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    """ln (1/K) Σ_k p(x|z_k) p(z_k) / q(z_k|x)."""
    log_q = torch.stack([gaussian_log_prob(draw, mean, log_std) for draw in z])
    log_prior = torch.stack([gaussian_log_prob(draw, 0.0, 0.0) for draw in z])
    return log_evidence(log_likelihood + log_prior - log_q)


def best_log_std(x: Tensor, mean: Tensor) -> Tensor:
    """s = ½ ln of the mean squared error."""
    return 0.5 * ((x - mean) ** 2).mean().log()


def latents_above_noise(answer: object) -> None:
    """The number of latents that a linear VAE keeps on grey digits at σ² = ½."""
    data = load("digits").train.flatten(1)
    _, used = best_linear_elbo(data, std=math.sqrt(0.5))
    others = tuple(float(n) for n in range(1, data.shape[1] + 1) if n != used)
    require_value("latents with an eigenvalue above σ²", answer, used, 0.0, {"constant": 0.0, "spread": others})


def latents_above_other_noise(seed: int) -> Variant:
    """The number of latents at a σ² that lies clear of the eigenvalues, 4 to 38 of them above it."""
    data = load("digits").train.flatten(1).double()
    values = torch.linalg.eigvalsh(torch.cov(data.T, correction=0)).flip(0).tolist()
    used, noise = picker(seed)([(n, v) for n in range(4, 39) if (v := _between(values[n], values[n - 1])) is not None])
    slips = {"constant": 0.0, "spread": tuple(float(n) for n in range(1, len(values) + 1) if n != used)}
    return Variant(
        'How many latents does the best linear VAE use on the grey training digits, `load("digits").train`, at '
        rf"$\sigma^2 = {noise}$? Decide from the eigenvalues of their covariance.",
        laws=(value_law("latents with an eigenvalue above σ²", used, 0.0, slips),),
        reference=used,
        wrong=((0, "constant"), (used + 5, "spread"), (64, "spread")),
        hints=(
            "A latent earns its KL only where it explains more variance than the decoder's noise.",
            f"Print the eigenvalues of the covariance of the images and count those above {noise}.",
        ),
        causes={
            "constant": f"At σ² = 1 none is used. The largest eigenvalue is 0.70: is it above {noise}?",
            "spread": f"Compare σ² = {noise} with the eigenvalues of the covariance, one by one.",
        },
    )


def _between(low: float, high: float) -> str | None:
    """A number of four decimals half way between the two, where they differ by more than 2 %."""
    return f"{(low + high) / 2:.4f}" if high > 1.02 * low else None


def _attached_score(f, mean, log_std, noise):
    rows = []
    for row in noise:
        m = mean.clone().requires_grad_()
        z = reparameterize(m, log_std, row)[None]
        rows.append(torch.autograd.grad(f(z)[0] * gaussian_log_prob(z, m, log_std)[0], m)[0])
    return torch.stack(rows)


def _own_baseline(f, mean, log_std, noise):
    return score_gradient(f, mean, log_std, noise, f(reparameterize(mean, log_std, noise)).mean())


EXERCISES = (
    Exercise(
        id="vae.gaussian_kl",
        stub='''def gaussian_kl(mean, log_std):
    """KL(N(mean, exp(log_std)²) ‖ N(0, 1)) of each row, (batch, L) → (batch,)."""
    raise NotImplementedError''',
        points=2,
        laws=(bound.kl_is_expected_log_ratio,),
        reference=gaussian_kl,
        hints=(
            "KL = E_q[log q − log p]. Both logarithms are quadratic in z: E z = μ and E z² = μ² + σ² suffice.",
            "One latent gives ½(μ² + σ² − 1 − 2s) with σ = e^s; the latents of a row add.",
        ),
        wrong=(
            (lambda mean, log_std: 0.5 * (mean**2 + log_std.exp() - 1 - log_std).sum(1), "spread"),
            (lambda mean, log_std: 0.5 * ((1 + mean**2) / (2 * log_std).exp() - 1 + 2 * log_std).sum(1), "direction"),
            (lambda mean, log_std: gaussian_kl(mean, log_std) / mean.shape[1], "reduction"),
            (lambda mean, log_std: -gaussian_kl(mean, log_std), "sign"),
            (lambda mean, log_std: gaussian_kl(mean, log_std).mean(), "shape"),
        ),
        causes={
            "sign": "Your divergence is negative somewhere. Can a KL be?",
            "spread": "`log_std` is ln σ. What is σ² in terms of it? At the prior both give 0, so test elsewhere.",
        },
    ),
    Exercise(
        id="vae.reparameterize",
        stub='''def reparameterize(mean, log_std, noise):
    """Draws of N(mean, exp(log_std)²) from standard normal noise, all (batch, L)."""
    raise NotImplementedError''',
        points=1,
        laws=(bound.draws_follow_gaussian,),
        reference=reparameterize,
        hints=(
            "A Gaussian of any mean and spread is a standard one, stretched and then shifted.",
            "Stretch by σ = e^s, shift by μ; use the noise that is given and detach nothing.",
        ),
        wrong=(
            (lambda mean, log_std, noise: mean + (2 * log_std).exp() * noise, "spread"),
            (lambda mean, log_std, noise: mean + log_std.exp() * torch.randn_like(noise), "randomness"),
            (lambda mean, log_std, noise: mean.detach() + log_std.exp() * noise, "gradient"),
            (lambda mean, log_std, noise: mean + log_std.exp() * noise[:1], "shape"),
        ),
        causes={
            "shape": "Several rows of z moved together. Does each row use its own row of noise?",
            "dependence": "The latents of a row moved together. Does each use its own number of the noise?",
            "randomness": "All the randomness must come from `noise`. Does z change with it, and with nothing else?",
            "constant": "Put in noise = 0, and then mean = 0. Is z what it should be?",
            "reduction": "Each row and each latent has its own μ and σ. Did you average?",
            "direction": "Only the noise is stretched. Is the mean stretched in yours, too?",
        },
    ),
    Exercise(
        id="vae.score_gradient",
        stub='''def score_gradient(f, mean, log_std, noise):
    """Estimates of ∇_mean E f(z), one for each row of noise: (n, d).

    f takes z of shape (n, d) and gives (n,).
    """
    raise NotImplementedError''',
        points=3,
        laws=(estimates.values_are_weighed, gradient_is_unbiased),
        reference=score_gradient,
        hints=(
            "∇ E_q f = E_q[f ∇ log q]: f is weighed, never differentiated.",
            "For a Gaussian, ∇_μ log q(z) = (z − μ)/σ², with σ² = e^{2s}.",
        ),
        wrong=(
            (_attached_score, "gradient"),
            (lambda f, m, s, e: score_gradient(f, m, s, e) * s.exp(), "spread"),
            (_own_baseline, "dependence"),
            (lambda f, m, s, e: score_gradient(f, m, s, e).mean(0), "shape"),
        ),
        causes={
            "gradient": "The gradient of log q is taken at a fixed z. Does yours still depend on the mean?",
            "spread": "∇_μ log q(z) is (z − μ)/σ², which agrees with (z − μ)/σ at σ = 1. What do you divide by?",
            "sign": "Your estimate points downhill. Which way must μ move to make a large f more probable?",
            "direction": "Where f is a step, its own slope is 0, and E f moves with μ. Must f be differentiated?",
            "randomness": "At which point do you take f, and at which (z − μ)/σ²? The noise is not yet z.",
            "constant": "z has the mean μ. What has to be subtracted, so that the weights of f are 0 on average?",
            "dependence": "A baseline must be independent of z. Has yours seen its own sample?",
            "shape": "One estimate for each row of noise is asked for, (n, d). Which axes has yours?",
        },
    ),
    Exercise(
        id="vae.log_evidence",
        stub='''def log_evidence(log_likelihood, z, mean, log_std):
    """Estimate log p(x), (batch,), from K draws z of q = N(mean, exp(log_std)²).

    z is (K, batch, L), log_likelihood (K, batch), mean and log_std (batch, L).
    """
    raise NotImplementedError''',
        points=3,
        laws=(estimates.evidence_estimate,),
        reference=evidence_from_draws,
        hints=(
            "p(x) = E_q[w] with w = p(x|z) p(z)/q(z|x): average w over the K draws, then take the logarithm.",
            "log w = log_likelihood + log p(z) − log q(z|x), summed over L; then logsumexp over the draws, − ln K.",
        ),
        wrong=(
            (lambda ll, z, m, s: evidence_from_draws(ll, z, m, s) + math.log(len(z)), "constant"),
            (
                lambda ll, z, m, s: torch.stack(
                    [
                        row + gaussian_log_prob(d, 0.0, 0.0) - gaussian_log_prob(d, m, s)
                        for row, d in zip(ll, z, strict=True)
                    ]
                ).mean(0),
                "log-mean",
            ),
            (lambda ll, z, m, s: evidence_from_draws(ll, z, m, s).logsumexp(0), "shape"),
            (lambda ll, z, m, s: log_evidence(ll), "direction"),
            (lambda ll, z, m, s: evidence_from_draws(ll, z, m, s).exp().log(), "not-finite"),
        ),
        causes={
            "constant": "Too large by ln K: with equal weights, what should the estimate be?",
            "log-mean": "The mean of the logarithms is the ELBO. Which comes first, the logarithm or the mean?",
            "direction": "The draws come from q, not from the prior. What is the weight w that makes up for it?",
            "sign": "w = p(x|z) p(z)/q(z|x). Which of the three logarithms is subtracted?",
            "shape": "Each x has an estimate of its own, from its own K draws. Over which axis are the K draws?",
            "dependence": "Each x has its own q. Whose mean and log_std do you use for the second row?",
            "spread": "`log_std` is ln σ, and not ln σ². Which σ does your log q have?",
            "reduction": "The log-probabilities of independent latents add. Did you take their mean?",
            "one-to-one": "The largest weight alone speaks for all. What do the other draws say?",
            "not-finite": "Try log-probabilities of −1000: exp gives 0, and its logarithm −∞. Stay in logarithms.",
        },
    ),
    Exercise(
        id="vae.best_log_std",
        stub='''def best_log_std(x, mean):
    """The one s at which Σ log N(x; mean, exp(s)²) is largest.

    x and mean have the shape (batch, *event).
    """
    raise NotImplementedError''',
        points=2,
        laws=(estimates.noise_maximises_likelihood,),
        reference=best_log_std,
        hints=(
            "The log-likelihood of N numbers is −S/2σ² − N ln σ, S the summed squares: differentiate in ln σ.",
            "The derivative vanishes at σ² = S/N: the mean squared error over every pixel of every image.",
        ),
        wrong=(
            (lambda x, mean: ((x - mean) ** 2).mean().log(), "spread"),
            (lambda x, mean: 0.5 * ((x - mean) ** 2).flatten(1).sum(1).mean().log(), "reduction"),
            (lambda x, mean: ((x - mean) ** 2).mean().sqrt(), "constant"),
            (lambda x, mean: ((x - mean) ** 2).mean(), "log-mean"),
        ),
        causes={
            "reduction": "σ² is the variance of one pixel. Did you sum over the pixels?",
            "constant": "That is a standard deviation. The course keeps its logarithm.",
            "log-mean": "That is a variance. The course keeps the logarithm of a standard deviation.",
            "sign": "That is −ln σ. For large errors, should s be large or small?",
            "direction": "There is one s for all. Which comes first, the mean over all pixels or the logarithm?",
            "dependence": "S is the sum of all squares (x − mean)², of every image. What is summed in yours?",
        },
    ),
    Exercise(
        id="vae.latents_used",
        stub="latents_used = ...",
        points=1,
        laws=(latents_above_noise,),
        reference=3,
        hints=(
            "A latent earns its KL only where it explains more variance than the decoder's noise.",
            "Print the eigenvalues of the covariance of the images and count those above ½.",
        ),
        wrong=((0, "constant"), (8, "spread"), (64, "spread")),
        causes={
            "constant": "At σ² = 1 none is used. The largest eigenvalue is 0.70: is it above ½?",
            "spread": "Compare σ² = ½ with the eigenvalues of the covariance, one by one.",
        },
        variant=latents_above_other_noise,
    ),
)
