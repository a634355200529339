"""Exercises of lesson 04.2, tight and balanced."""

import math
from functools import cache

import torch
from torch import Tensor

from gmcourse.data import load
from gmcourse.exercises.drawing import near, picker, value_law
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.laws.broken import Slips, require_value
from gmcourse.laws.vae import balanced, importance, rebalanced
from gmcourse.vae.balanced import free_bits, linear_code
from gmcourse.vae.importance import iwae_loss, normalised_weights
from gmcourse.vae.rebalanced import bin_shares, rare_row_weights

TOY_VARIANCE = 2 / math.sqrt(3) * math.exp(1 / 6) - 1
"""Var(w/p) of the toy at q = N(0, 1): (2/√3) e^{1/6} − 1 = 0.3641."""


def encoder_factors(log_weights: Tensor) -> Tensor:
    """w̃²."""
    return normalised_weights(log_weights) ** 2


def draws_enough(answer: object) -> None:
    """The K at which Var(w/p)/2K is 0.001: 182.05; 182 and 183 pass, and the whole number below does not."""
    right = TOY_VARIANCE / (2 * 0.001)
    slips = {
        "constant": (2 * right, 364.0, 365.0, right / 2, 91.0, 92.0, 4 * right, 728.0),
        "dependence": (500.0, 682.05, 682.0, 301.7, 302.0, 66.3, 66.0),
        "spread": (math.sqrt(right), 13.0, 14.0, math.sqrt(2 * right), 19.0, 20.0),
        "log-mean": (404.0, 403.6, 403.4, 403.0, 201.8, 202.0),
        "sign": -right,
        "one-to-one": (18.2, 18.0, 19.0, 1820.5, 1820.0, 1821.0),
    }
    require_value("draws at which the gap of the toy is 0.001 nat", answer, 182.5, 0.6, slips, 0.6)


def draws_for_another_gap(seed: int) -> Variant:
    """The K at which Var(w/p)/2K is the gap; the whole numbers on both sides of it pass."""
    gap = picker(seed)([k / 100_000 for k in range(20, 111, 3)])
    right, what = TOY_VARIANCE / (2 * gap), f"draws at which the gap of the toy is {gap:g} nat"
    return Variant(
        rf"On the toy with $q$ at the prior, $\mathrm{{Var}}(w/p) = {TOY_VARIANCE:.4f}$: at which number of draws $K$ "
        rf"does the expansion $\mathrm{{Var}}(w/p)/2K$ put the gap at {gap:.5f} nat?",
        laws=(value_law(what, math.floor(right) + 0.5, 0.6, _slips_of_draws(gap, right), 0.6),),
        reference=math.ceil(right),
        wrong=(
            (round(2 * right), "constant"),
            (round(right**0.5), "spread"),
            (round(0.404 / gap), "log-mean"),
            (round(10 * right), "one-to-one"),
        ),
        hints=("The gap is near Var(w/p)/2K, and the toy's Var(w/p) is given.", f"0.3641/(2K) = {gap:.5f}."),
        causes={
            "one-to-one": f"Count the zeros: {gap:.5f} nat is asked for.",
            "": f"Put Var(w/p) = 0.3641 and the gap {gap:.5f} into the formula: which K is left?",
        },
    )


def _slips_of_draws(gap: float, right: float) -> dict[str, Slips]:
    def whole(*counts: float) -> tuple[float, ...]:
        return tuple(n for count in counts for n in near(count))

    one = 1 / (2 * gap)
    return {
        "constant": whole(2 * right, right / 2, 4 * right),
        "dependence": whole(one, one + right, TOY_VARIANCE**0.5 * one, TOY_VARIANCE * right),
        "spread": whole(right**0.5, (2 * right) ** 0.5),
        "log-mean": whole(0.404 / gap, 0.4036 / gap, 0.2018 / gap),
        "sign": -right,
        "one-to-one": whole(right / 10, 10 * right),
    }


def latents_kept(answer: object) -> None:
    """The latents that the best linear β-VAE keeps of the digits at β = 3, σ² = 0.1."""
    x = load("digits").train.flatten(1)
    eigenvalues = torch.linalg.eigvalsh(torch.cov(x.T, correction=0))

    def kept(theta: float) -> int:
        return int((eigenvalues > theta).sum())

    right = kept(0.3)
    slips = {
        "dependence": float(kept(0.1)),
        "direction": float(kept(0.1 / 3)),
        "spread": (float(kept(3 * math.sqrt(0.1))), float(kept(3 * 0.1**2))),
        "constant": (8.0, 16.0, 64.0, 64.0 - right),
        "one-to-one": (right - 1.0, right + 1.0),
    }
    found = {cause: slip for cause, slip in slips.items() if slip != right}
    require_value("latents with an eigenvalue above βσ²", answer, right, 0.0, found)


def latents_kept_elsewhere(seed: int) -> Variant:
    """The latents kept at another β and σ², βσ² clear of the eigenvalues, where each slip has a number of its own."""
    beta, noise, right, alone, spread = picker(seed)(_thresholds())
    slips = {
        "dependence": float(alone),
        "spread": float(spread),
        "constant": (64.0, 64.0 - right),
        "one-to-one": (right - 1.0, right + 1.0),
    }

    wrong = (alone, "dependence"), (spread, "spread"), (64, "constant")
    return Variant(
        'How many latents does the best linear β-VAE keep of the grey digits, `load("digits").train`, at '
        rf"$\beta = {beta}$, $\sigma^2 = {noise:g}$?",
        laws=(value_law("latents with an eigenvalue above βσ²", right, 0.0, slips),),
        reference=right,
        wrong=(*wrong, (right - 1, "one-to-one"), (right + 1, "one-to-one")),
        hints=(
            "What counts is θ = βσ².",
            f"θ = {beta} · {noise:g} = {beta * noise:g}: which eigenvalues are above?",
        ),
        causes={
            "dependence": f"That is the number at σ² = {noise:g} without β. What is βσ²?",
            "one-to-one": f"Which eigenvalues are above {beta * noise:g}? Count them one by one.",
            "": "At which θ did you count? Compare it with βσ².",
        },
    )


@cache
def _thresholds() -> list[tuple[int, float, int, int, int]]:
    """(β, σ², kept at βσ², at σ², at βσ) for each number that can be kept, but for the lesson's 4; each apart."""
    x = load("digits").train.flatten(1).double()
    values = torch.linalg.eigvalsh(torch.cov(x.T, correction=0))
    found: dict[int, tuple[int, float, int, int, int]] = {}
    for k in range(10, 3000):
        beta, noise = 2 + k % 4, k / 10_000
        theta = beta * noise
        right, alone, spread = (int((values > at).sum()) for at in (theta, noise, beta * math.sqrt(noise)))
        apart = min(abs(alone - right), abs(spread - right)) > 1 and alone < 60 and right != 4
        if apart and ((values / theta - 1).abs() > 0.01).all() and 64 - right not in (alone, spread):
            found.setdefault(right, (beta, noise, right, alone, spread))
    return list(found.values())


def _without_half(eigenvalues, beta, noise_variance):
    rate, lost = linear_code(eigenvalues, beta, noise_variance)
    return 2 * rate, lost


def _not_cut(eigenvalues, beta, noise_variance):
    theta = beta * noise_variance
    return 0.5 * (eigenvalues / theta).log(), eigenvalues.clamp(max=theta)


def _masked(eigenvalues, beta, noise_variance):
    theta = beta * noise_variance
    return 0.5 * (eigenvalues / theta).log() * (eigenvalues > theta), eigenvalues.clamp(max=theta)


def _largest_apart(codes, bins, smoothing):
    weights = torch.ones(len(codes))
    for z in codes.T:
        place = ((z - z.min()) / (z.max() - z.min()).clamp(min=1e-12) * bins).long()
        weights = weights / (place.bincount()[place] / len(z) + smoothing)
    return weights / weights.sum()


EXERCISES = (
    Exercise(
        id="vae.iwae_loss",
        stub='''def iwae_loss(log_weights):
    """−ln of the mean of K weights, mean over the batch: (K, batch) → a scalar."""
    raise NotImplementedError''',
        points=1,
        laws=(importance.loss_is_the_average_weight,),
        reference=iwae_loss,
        hints=(
            "First the mean of the K weights of an x, then the logarithm, then the mean over the batch, then the sign.",
            "`logsumexp` over axis 0 is the logarithm of a *sum*: take ln K off, average over the batch, negate.",
        ),
        wrong=(
            (lambda w: -w.mean(), "log-mean"),
            (lambda w: -w.logsumexp(0).mean(), "constant"),
            (lambda w: -(w.logsumexp(1) - math.log(w.shape[1])).mean(), "direction"),
            (lambda w: -(w.softmax(0) * w).sum(0).mean(), "gradient"),
            (lambda w: iwae_loss(w.detach()), "dependence"),
            (lambda w: -w.exp().mean(0).log().mean(), "not-finite"),
        ),
        causes={
            "log-mean": "The mean of ln w is the ELBO: K draws of it are no tighter. Which comes first, mean or log?",
            "constant": "With K equal weights w the bound must be ln w. What is left over in yours?",
            "direction": "The K draws of one x are averaged inside the logarithm. Over which axis do they lie?",
            "gradient": "Look at value and gradient apart: Σ w̃ ln w is not ln of the mean weight. Is w̃ a constant?",
            "dependence": "No gradient comes back to ln w. Which step of yours leaves autograd?",
            "sign": "Training minimises. Should a better bound have a lower or a higher loss?",
            "reduction": "One x more in the batch must not make the loss larger. Sum or mean over the batch?",
            "one-to-one": "The largest weight alone speaks for all K. What do the other draws add?",
            "not-finite": "Is there a log of 0 or of a negative number? ln w may be −900: exp of that is 0 in float32.",
            "shape": "One number for the batch is asked for. Which axes has yours?",
        },
    ),
    Exercise(
        id="vae.encoder_factors",
        stub='''def encoder_factors(log_weights):
    """What multiplies ∂ln w_k/∂z_k in the doubly reparameterised gradient.

    (K, batch) → (K, batch), without a gradient of its own.
    """
    raise NotImplementedError''',
        points=2,
        laws=(importance.encoder_counts_squares,),
        reference=encoder_factors,
        hints=(
            "The share w̃_k = w_k/Σw is a softmax of ln w over the draws. To which power does the encoder have it?",
            "`log_weights.detach().softmax(0) ** 2`.",
        ),
        wrong=(
            (lambda w: w.detach().softmax(0), "one-to-one"),
            (lambda w: w.detach().softmax(1) ** 2, "direction"),
            (lambda w: w.softmax(0) ** 2, "gradient"),
            (lambda w: w.detach().exp() ** 2, "constant"),
            (lambda w: (2 * w.detach()).softmax(0), "reduction"),
        ),
        causes={
            "one-to-one": "At K = 1 every power of w̃ is 1, so K = 1 is no test. What is right at K = 2?",
            "dependence": "w̃(1 − w̃) is what the score term gave back. What do path and score leave together?",
            "spread": "Two draws of equal weight have the share ½ each. Which factor has each of them? And in yours?",
            "sign": "The factor is a square. Can it be negative?",
            "direction": "The shares of one x's K draws sum to 1. Over which axis do the draws lie?",
            "gradient": "The factors are held fixed while ln w is differentiated. Do yours carry a gradient?",
            "constant": "Multiply all weights of one x by 1000: its shares must stay as they are. Do yours?",
            "reduction": "The squares of shares sum to less than 1. Did you bring them to 1 again?",
            "not-finite": "Weights of e^{−900} are 0 in float32, and 0/0 is NaN. Stay in logarithms until the shares.",
            "shape": "One factor for each draw of each x, (K, batch). Which axes has yours?",
        },
    ),
    Exercise(
        id="vae.draws_enough",
        stub="draws_enough = ...",
        points=1,
        laws=(draws_enough,),
        reference=183,
        hints=(
            "The gap is near Var(w/p)/2K, and the toy's Var(w/p) is printed above.",
            "0.3641/(2K) = 0.001.",
        ),
        wrong=((364, "constant"), (13, "spread"), (404, "log-mean"), (18, "one-to-one")),
        causes={
            "constant": "The second-order term of a logarithm has a factor. Which one, and where does it stand?",
            "spread": "Does the gap fall as 1/K or as 1/√K? Read the table from K = 10 to K = 100.",
            "log-mean": "The gap at K = 1 is not Var/2: the expansion is for many draws. Which number belongs in it?",
            "one-to-one": "Count the zeros: 0.001 nat is asked for.",
            "dependence": "Var(w/p) of the toy is printed above the table. Which number stands for it in yours?",
            "": "Put Var(w/p) = 0.3641 and the gap 0.001 into the formula: which K is left?",
            "sign": "K counts draws.",
        },
        variant=draws_for_another_gap,
    ),
    Exercise(
        id="vae.linear_code",
        stub='''def linear_code(eigenvalues, beta, noise_variance):
    """Rate (nats) and distortion of the best linear β-VAE, direction by direction.

    eigenvalues (D,) of the data's covariance; returns two tensors (D,).
    """
    raise NotImplementedError''',
        points=2,
        laws=(balanced.linear_code_is_best,),
        reference=linear_code,
        hints=(
            "Only θ = βσ² counts. A direction with λ ≤ θ is off: what does it cost, and what does it lose?",
            "Rate ½ ln(λ/θ) where λ > θ, else 0; distortion the smaller of λ and θ.",
        ),
        wrong=(
            (_without_half, "constant"),
            (_not_cut, "sign"),
            (_masked, "not-finite"),
            (lambda e, b, v: linear_code(e, b, math.sqrt(v)), "spread"),
            (lambda e, b, v: linear_code(e, 1 / b, v), "direction"),
            (lambda e, b, v: linear_code(e, 1.0, v), "dependence"),
            (lambda e, b, v: (linear_code(e, b, v)[0], torch.full_like(e, b * v)), "one-to-one"),
        ),
        causes={
            "constant": "Halving a standard deviation costs one bit, ln 2. What does your rate say of λ = 4θ?",
            "sign": "A rate is a KL divergence. Can it be negative?",
            "spread": "The third argument is a variance. Did you take a root, or square it again?",
            "direction": "Let β grow without limit: should more latents be on, or fewer?",
            "dependence": "Double β and halve σ²: nothing may change. What does yours do?",
            "one-to-one": "A direction that is off loses what it had. How much was that?",
            "container": "Two tensors are asked for: the rates, then the distortions.",
            "not-finite": "A blank pixel has variance 0, or −1e-18 in floats. What is its logarithm? Is it needed?",
            "overflow": "A direction with λ just below θ is off. What does yours pay for it?",
            "shape": "A number for each direction, and 0 where it is off: no sum, and not the used ones alone.",
        },
    ),
    Exercise(
        id="vae.free_bits",
        stub='''def free_bits(kl, floor):
    """Σ_j max(floor, mean over the batch of KL_j): (batch, L) → a scalar, nats."""
    raise NotImplementedError''',
        points=2,
        laws=(balanced.floor_is_each_latents,),
        reference=free_bits,
        hints=(
            "First the mean over the batch, for each latent by itself; then the floor; then the sum.",
            "`kl.mean(0).clamp(min=floor).sum()`.",
        ),
        wrong=(
            (lambda kl, floor: kl.clamp(min=floor).mean(0).sum(), "log-mean"),
            (lambda kl, floor: kl.mean(0).sum().clamp(min=floor), "reduction"),
            (lambda kl, floor: kl.mean(0).sum() + floor * kl.shape[1], "constant"),
            (lambda kl, floor: kl.mean(0).clamp(max=floor).sum(), "direction"),
            (lambda kl, floor: free_bits(kl.detach(), floor), "gradient"),
        ),
        causes={
            "log-mean": "Some pictures may be below the floor while their mean is above it. Which comes first?",
            "reduction": "With one floor for the sum, one latent can pay for all. How many floors are there?",
            "constant": "A latent far above the floor costs its KL and nothing more. What does yours cost?",
            "direction": "A latent that says nothing has KL 0. What should it cost: the floor, or 0?",
            "dependence": "Latents lie along axis 1. Over which axis is your mean, and over which your sum?",
            "sign": "A KL is a price, at least 0. Which sign has yours?",
            "gradient": "Above the floor a latent must feel its KL; below it nothing. What is your gradient?",
            "shape": "One number for the whole batch. Which axes has yours?",
        },
    ),
    Exercise(
        id="vae.rare_row_weights",
        stub='''def rare_row_weights(codes, bins, smoothing):
    """W ∝ Π_j 1/(share of the row's bin in latent j + smoothing), summing to 1.

    codes (n, L) → (n,). Each latent has `bins` bins of equal width from its least
    to its largest value; the share of a bin is counted among the n rows.
    """
    raise NotImplementedError''',
        points=3,
        laws=(rebalanced.rare_rows_weigh_more,),
        reference=rare_row_weights,
        hints=(
            "For each latent: bin numbers, counts, and each row's own share. Multiply, then bring to sum 1.",
            "With `width = (z.max() - z.min()).clamp(min=1e-12)` the bin is "
            "`((z - z.min()) / width * bins).long().clamp(max=bins - 1)`; counts: `bincount`.",
        ),
        wrong=(
            (lambda z, b, a: (bin_shares(z, b) + a).prod(1) / (bin_shares(z, b) + a).prod(1).sum(), "direction"),
            (lambda z, b, a: (1 / (bin_shares(z, b) + a)).prod(1), "constant"),
            (lambda z, b, a: rare_row_weights(z, b, a, largest=True), "reduction"),
            (lambda z, b, a: rare_row_weights(z[:, :1], b, a), "one-to-one"),
            (_largest_apart, "overflow"),
        ),
        causes={
            "direction": "A row that stands alone in its bin: should it be drawn more often, or less?",
            "constant": "The weights are shares of the draws. What is their sum?",
            "reduction": "A factor for each latent: are they multiplied, added, or is one chosen?",
            "one-to-one": "Every latent has its own histogram and its own factor. Which did you use?",
            "dependence": "α is held against a share between 0 and 1. Did you take counts?",
            "spread": "The share of rows in the bin is asked for, not that share over the width of the bin.",
            "log-mean": "You have the logarithm of the weights. What is missing?",
            "not-finite": "A latent whose values are all equal has width 0. Which bin are its rows in?",
            "overflow": "The largest value belongs to the last of the `bins` bins. In which bin has yours put it?",
            "randomness": "A latent's bins go from its least to its largest value, equally wide. What do yours do?",
            "gradient": "α stands beside the share, below the 1. Which factor has a share of 0.5, and in yours?",
            "shape": "One weight for each row, (n,). Which axes has yours?",
        },
    ),
    Exercise(
        id="vae.latents_kept",
        stub="latents_kept = ...",
        points=1,
        laws=(latents_kept,),
        reference=4,
        hints=(
            "What counts is θ = βσ².",
            "θ = 3 · 0.1 = 0.3: move the explorer there, and count the bars above the water line.",
        ),
        wrong=((12, "dependence"), (0, "spread"), (64, "constant"), (3, "one-to-one"), (5, "one-to-one")),
        causes={
            "dependence": "That is the number at σ² = 0.1 without β. What is βσ²?",
            "direction": "A larger β makes latents dearer. Did yours get cheaper?",
            "spread": "The product has σ², a variance, in it. Which number did you multiply by β?",
            "constant": "How many there are is not how many are used.",
            "one-to-one": "Which bars of Figure 3 end above 0.3? One stands close to the line.",
            "": "At which θ did you count? Move the explorer there.",
        },
        variant=latents_kept_elsewhere,
    ),
)
