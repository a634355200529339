"""Exercises of lesson 03.2, denoising and contractive autoencoders."""

import math
from functools import partial

import torch

from gmcourse.autoencoders.contractive import contractive_penalty
from gmcourse.autoencoders.corruption import masking
from gmcourse.autoencoders.denoising import optimal_denoiser, score_from_denoiser
from gmcourse.exercises.drawing import Pick, first_sound
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.laws.autoencoders import contraction, denoiser
from gmcourse.laws.broken import require_value

MEAN, STD, SIGMA = 3.0, 0.5, 0.5  # ½ N(±3, 0.5²), noise of 0.5


def slope_at_the_middle(
    answer: object, *, mean: float = MEAN, std: float = STD, sigma: float = SIGMA, to: float = 0.05
) -> None:
    """r*'(0) = Var(x|x̃ = 0)/σ²: half way, the clean point is left or right, each with the spread of one Gaussian."""
    kept = std**2 / (std**2 + sigma**2)
    inner, apart = kept * sigma**2, (mean * (1 - kept)) ** 2
    slips = {
        "dependence": (kept, 1.0),
        "one-to-one": (inner + (2 * (1 - kept)) ** 2) / sigma**2,
        "sign": (0.0, -(inner + apart) / sigma**2),
        "constant": tuple(
            (within + between) / sigma**2
            for within, between in ((0, apart), (0, mean**2), (inner, mean**2), (std**2, mean**2), (std**2, apart))
        ),
        "spread": tuple((inner + apart) / by for by in (sigma, 1, sigma**3, sigma**4))
        + ((inner + apart) ** 0.5, (inner + apart) ** 0.5 / sigma, apart**0.5 / sigma**2),
        "gradient": tuple(
            kept + mean * (1 - kept) * math.tanh(mean * half / (std**2 + sigma**2)) / half
            for half in (0.025, 0.03, 0.04, 0.05, 0.1, 0.2, 0.25, 0.3, 0.5, 1.0)
        ),
    }
    require_value("the slope of the best denoiser half way", answer, (inner + apart) / sigma**2, to, slips)


def _mixed(x, means, weights, std, sigma, inner=None, pull=None, hard=False):
    """Σ_k r_k (x + pull (m_k − x)), with shares r_k by the variance `inner`."""
    whole = std**2 + sigma**2
    shares = (weights.log() - (x[:, None] - means).square().sum(2) / (2 * (inner or whole))).softmax(1)
    if hard:
        shares = torch.nn.functional.one_hot(shares.argmax(1), len(means)).to(x)
    pull = sigma**2 / whole if pull is None else pull
    return (1 - pull) * x + pull * shares @ means


def _by_densities(x, means, weights, std, sigma):
    whole = std**2 + sigma**2
    shares = weights * (-(x[:, None] - means).square().sum(2) / (2 * whole)).exp()
    return (std**2 * x + sigma**2 * (shares @ means) / shares.sum(1, keepdim=True)) / whole


def _by_columns(weight, h):
    axis = 0 if len(weight) == weight.shape[1] else 1
    return (h * (1 - h)).square() @ weight.square().sum(axis)


def slope_elsewhere(seed: int) -> Variant:
    """The same for other modes and another σ."""
    return first_sound(seed, _slope, lesson=9.5)


def _slope(pick: Pick) -> Variant:
    mean, std, sigma = pick((2.5, 3.5, 4.0, 4.5)), pick((0.3, 0.4, 0.6, 0.7, 0.8)), pick((0.6, 0.7, 0.8, 0.9))
    kept = std**2 / (std**2 + sigma**2)
    inner, apart = kept * sigma**2, (mean * (1 - kept)) ** 2
    right, at_two = (inner + apart) / sigma**2, (inner + (2 * (1 - kept)) ** 2) / sigma**2
    law = partial(slope_at_the_middle, mean=mean, std=std, sigma=sigma, to=0.006 * right)
    wrong = (1.0, "dependence"), (kept, "dependence"), (0.0, "sign"), (apart / sigma**2, "constant")
    return Variant(
        rf"Let $p = \frac12 \mathcal{{N}}(-{mean:g}, {std:g}^2) + \frac12 \mathcal{{N}}({mean:g}, {std:g}^2)$, and "
        rf"$\sigma = {sigma:g}$. What is the slope of the best denoiser, $\mathrm{{E}}[x \mid \tilde x]$, at 0? "
        rf"Predict it, "
        "to within half a per cent, then measure it with your `optimal_denoiser` at two points very near 0.",
        laws=(law,),
        reference=right,
        wrong=(*wrong, (right * sigma, "spread"), (at_two, "one-to-one")),
        hints=(
            "The slope is Var(x | x̃)/σ². At x̃ = 0: which clean points are possible, and how far apart are they?",
            f"Given a mode, the mean is ±{mean * (1 - kept):.4g}, the variance {inner:.4g}. The variance of both "
            f"together?",
        ),
        causes={"one-to-one": f"That is the slope for modes at ±2, as in the text. Here they are at ±{mean:g}."},
    )


EXERCISES = (
    Exercise(
        id="autoencoders.corrupt",
        stub='''def corrupt(x, noise, share):
    """x with 0 where the noise is below share, and every other entry as it is.

    noise has the shape of x, (batch, *event): uniform in [0, 1), one for each entry;
    share is a number from 0 to 1.
    """
    raise NotImplementedError''',
        points=1,
        laws=(denoiser.blanks_a_share,),
        reference=masking,
        hints=(
            "`noise < share` is True with the probability `share`. What happens to an entry there?",
            "`torch.where(noise < share, 0, x)`, and nothing is multiplied afterwards.",
        ),
        wrong=(
            (lambda x, noise, share: masking(x, noise, share) / max(1 - share, 1e-3), "constant"),
            (lambda x, noise, share: x * (noise < share), "direction"),
            (lambda x, noise, share: masking(x, noise[:1].expand_as(noise), share), "dependence"),
            (lambda x, noise, share: masking(x, torch.rand_like(x), share), "randomness"),
            (lambda x, noise, share: x + share * noise, "spread"),
            (lambda x, noise, share: x.masked_fill_(noise < share, 0), "mutation"),
        ),
        causes={
            "constant": "What is kept stays as it is. Dropout rescales by 1/(1 − ν): does a picture want that?",
            "direction": "At a share of 0 nothing is blank. What does yours leave of x there?",
            "dependence": "Each entry has its own number. How many masks are there for a batch?",
            "randomness": "The numbers are handed over. Who else draws?",
            "spread": "An entry is blank or untouched. What happens to those in your answer?",
            "reduction": "A blank is 0 here. What did you put there?",
            "not-finite": "A blank is 0 here. What did you put there?",
            "one-to-one": "The noise decides; a blank is 0, and what is kept is x. What do you give for each?",
            "shape": "A picture in, a picture out: which axis was lost?",
        },
    ),
    Exercise(
        id="autoencoders.optimal_denoiser",
        stub='''def optimal_denoiser(x, means, weights, std, sigma):
    """E[clean | x], (batch, D), of data Σ_k w_k N(m_k, std² I) and x = clean + sigma ε.

    x (batch, D), means (K, D), weights (K,) of sum 1; std and sigma are numbers > 0.
    """
    raise NotImplementedError''',
        points=3,
        laws=(denoiser.is_best_denoiser,),
        reference=optimal_denoiser,
        hints=(
            "For one Gaussian, (std² x + sigma² m)/(std² + sigma²). For several: a mean of these, with which weights?",
            "The share of k is w_k N(x; m_k, (std² + sigma²) I) over its sum: a softmax of logarithms.",
        ),
        wrong=(
            (lambda x, m, w, std, sigma: _mixed(x, m, w, std, sigma, inner=std**2), "spread"),
            (lambda x, m, w, std, sigma: _mixed(x, m, w, std, sigma, inner=sigma**2), "spread"),
            (lambda x, m, w, std, sigma: _mixed(x, m, w, std, sigma, pull=sigma / (std + sigma)), "spread"),
            (lambda x, m, w, s, sigma: _mixed(x, m, w, s, sigma, pull=s**2 / (s**2 + sigma**2)), "direction"),
            (lambda x, m, w, std, sigma: _mixed(x, m, w, std, sigma, hard=True), "one-to-one"),
            (lambda x, m, w, std, sigma: _mixed(x, m, torch.ones_like(w), std, sigma), "dependence"),
            (lambda x, m, w, std, sigma: _mixed(x, m, w, std, sigma, pull=1.0), "log-mean"),
            (lambda *a: score_from_denoiser(lambda x: optimal_denoiser(x, *a[1:]), a[0], a[4]), "constant"),
            (_by_densities, "overflow"),
        ),
        causes={
            "spread": "x is a *noisy* point. What is the variance of x, given k, and of which number are the squares?",
            "direction": "Let sigma go to 0. Then x is clean already: what does your answer become?",
            "one-to-one": "Half way between two modes, which one is it? A mean of both is asked for, and no choice.",
            "dependence": "A mode with a weight of 0.9 is likelier from the start. Where do the weights enter?",
            "log-mean": "x tells which mode it was, and where in it. Does your mean follow x in both?",
            "constant": "The clean point is asked for, not the way to it, nor the score.",
            "sign": "Near one mode alone: between x and m, or beyond? On which side of m is the mean?",
            "overflow": "Far from all data each density is 0 to a computer. Which function takes their logarithms?",
            "not-finite": "Far from all data each density is 0 to a computer. Which function takes their logarithms?",
            "shape": "Each row has shares of its own, (batch, K). Over which axis do they sum to 1?",
        },
    ),
    Exercise(
        id="autoencoders.score_from_denoiser",
        stub='''def score_from_denoiser(denoiser, x, sigma):
    """The score ∇ ln p_sigma at the noisy x, (batch, D).

    denoiser maps noisy points (batch, D) to E[clean | x]; sigma is the noise's
    standard deviation.
    """
    raise NotImplementedError''',
        points=1,
        laws=(denoiser.residual_is_score,),
        reference=score_from_denoiser,
        hints=(
            "Tweedie: the residual is σ² times the score of the smoothed density. What is the residual?",
            "`(denoiser(x) - x) / sigma**2`.",
        ),
        wrong=(
            (lambda r, x, sigma: (r(x) - x) / sigma, "spread"),
            (lambda r, x, sigma: r(x) - x, "spread"),
            (lambda r, x, sigma: (x - r(x)) / sigma**2, "sign"),
            (lambda r, x, sigma: r(x) / sigma**2, "constant"),
            (lambda r, x, sigma: (r(r(x)) - r(x)) / sigma**2, "direction"),
        ),
        causes={
            "spread": "Halve all lengths, σ too: a score doubles. What does yours do, and the residual?",
            "sign": "A score points to where the density is higher. Where does the denoiser move a point?",
            "constant": "Where the denoiser leaves a point as it is, the score is 0. Is yours?",
            "direction": "The score is asked for at the noisy x itself. At which point did you take the residual?",
            "dependence": "That is the score of the clean density. Of which one does the denoiser know?",
            "shape": "A vector for each row, each its own.",
        },
    ),
    Exercise(
        id="autoencoders.contractive_penalty",
        stub='''def contractive_penalty(weight, h):
    """‖∂h/∂x‖²_F of a sigmoid layer h = s(Wx + b), for each row of h: (batch,).

    weight (k, D) has a row for each unit, h is (batch, k). Gradients flow through both.
    """
    raise NotImplementedError''',
        points=2,
        laws=(contraction.penalty_is_jacobian,),
        reference=contractive_penalty,
        hints=(
            "∂h_j/∂x_d = h_j (1 − h_j) W_jd. Square each and add them up, without building the Jacobian.",
            "`(h * (1 - h))**2 @ (weight**2).sum(1)`: the sum over d is one number for each unit.",
        ),
        wrong=(
            (lambda weight, h: (h * (1 - h)) @ weight.square().sum(1), "spread"),
            (lambda weight, h: contractive_penalty(weight, h).sqrt(), "spread"),
            (_by_columns, "direction"),
            (lambda weight, h: weight.square().sum().expand(len(h)), "dependence"),
            (lambda weight, h: (1 - h**2).square() @ weight.square().sum(1), "log-mean"),
            (lambda weight, h: contractive_penalty(weight, h) / weight.numel(), "reduction"),
            (lambda weight, h: contractive_penalty(weight, h).mean(), "shape"),
            (lambda weight, h: contractive_penalty(weight, h).detach(), "gradient"),
        ),
        causes={
            "spread": "At h = ½ a unit's slope is ¼ w. What is its square: is each factor squared, and no root taken?",
            "direction": "Unit j has the slope h_j(1 − h_j), and row j of W. Along which axis did you sum the squares?",
            "dependence": "A unit at 0 or 1 does not move. Do h and W both enter, each at its unit?",
            "log-mean": "h is a *sigmoid*. What is its slope, in terms of h?",
            "reduction": "Squares of all entries are added up, as the norm says. Where does a mean come from?",
            "sign": "A squared norm is never below 0.",
            "gradient": "Training pushes the penalty down by W and by h. Did you cut one of them off?",
            "shape": "One number for each row of h: over which axes does the sum go?",
        },
    ),
    Exercise(
        id="autoencoders.slope_between",
        stub="slope_between = ...",
        points=1,
        laws=(slope_at_the_middle,),
        reference=9.5,
        hints=(
            "The slope is Var(x | x̃)/σ². At x̃ = 0: which clean points are possible, and how far apart are they?",
            "Given a mode, the clean point has mean ±1.5 and variance 0.125. The variance of both together, over 0.25.",
        ),
        wrong=(
            (1.0, "dependence"),
            (0.5, "dependence"),
            (0.0, "sign"),
            (9.0, "constant"),
            (4.75, "spread"),
            (4.5, "one-to-one"),
        ),
        causes={
            "gradient": "Near, if you measured: the curve bends within 0.1. How far apart are your two points?",
            "dependence": "That is one Gaussian's. What lies on either side of x̃ = 0, and which one is it?",
            "sign": "Var(x | x̃)/σ²: how wide is the doubt half way?",
            "one-to-one": "That is the slope for modes at ±2, as above. Here they are at ±3.",
            "constant": "Two parts: which mode, and where in it. Where is the mean of each mode, given x̃?",
            "spread": "Var(x | x̃) is divided by σ². By what did you divide, and what is a variance?",
            "container": "One number is asked for, as `slope_between = 0.5`.",
        },
        variant=slope_elsewhere,
    ),
)
