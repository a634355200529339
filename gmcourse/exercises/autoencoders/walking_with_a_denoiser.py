"""Exercises of lesson 03.3, walking with a denoiser."""

import math
from functools import partial

import torch

from gmcourse.autoencoders.finite_chain import posterior, relaxation, transition_matrix
from gmcourse.autoencoders.gsn import gsn_step, walkback_pairs
from gmcourse.exercises.drawing import Pick, first_sound
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.laws.autoencoders import chain
from gmcourse.laws.broken import require_value

DATA, NOISE = 9.0, 1.0  # variances


def mean_chain_shrinks(
    answer: object, *, data: float = DATA, noise: float = NOISE, to: float = 0.1, fit: float = 0.03
) -> None:
    """v = a² (v + σ²) with a = s²/(s² + σ²): v = s⁴/(2s² + σ²), 81/19 at s² = 9 and σ² = 1."""
    a, right = data / (data + noise), data**2 / (2 * data + noise)
    slips = {
        "constant": (data, 1.0),
        "sign": 0.0,
        "dependence": (a, a**2, a * noise, a**2 * (data + noise), a * data, a**2 * data),
        "spread": (right**0.5, data / (2 * data**0.5 + noise), data**2 / (data + noise**2), right**2),
        "one-to-one": (1 / (2 + noise), data / (2 + noise), 1 / (2 + data), right / data),
        "direction": (right + noise, data + noise),
    }
    require_value("the variance at which the chain of means stays", answer, right, to, slips, fit=fit)


def _over_spoilt(prior, corruption):
    joint = prior[:, None] * corruption
    return corruption @ torch.nan_to_num(joint / joint.sum(1, keepdim=True)).T


def _likeliest(prior, corruption):
    return corruption @ torch.eye(len(prior), dtype=corruption.dtype)[posterior(prior, corruption).argmax(1)]


def _shares(sigma, variance):
    return variance / (variance + sigma**2)


def _noise_afterwards(x, noise, draw, sigma, variance):
    return gsn_step(x, 0 * noise, draw, sigma, variance) + sigma * noise


def _previous_states(x, noise, corrupt, draw):
    reached, targets, walker = [], [], x
    for u, v in noise:
        targets.append(walker)
        reached.append(corrupt(walker, u))
        walker = draw(reached[-1], v)
    return torch.cat(reached).detach(), torch.cat(targets).detach()


def _drawn_states(x, noise, corrupt, draw):
    states = [x]
    for u, v in noise:
        states.append(draw(corrupt(states[-1], u), v).detach())
    return torch.cat(states[1:]), torch.cat([x] * len(noise))


def _always_from_x(x, noise, corrupt, draw):
    return torch.cat([corrupt(x, u) for u, _ in noise]), torch.cat([x] * len(noise))


def _attached(x, noise, corrupt, draw):
    reached, walker = [], x
    for u, v in noise:
        reached.append(corrupt(walker, u))
        walker = draw(reached[-1], v)
    return torch.cat(reached), torch.cat([x] * len(noise))


def mean_chain_elsewhere(seed: int) -> Variant:
    """The same for other variances."""
    return first_sound(seed, _mean_chain, lesson=81 / 19)


def _mean_chain(pick: Pick) -> Variant:
    data, noise = pick(range(4, 21)), pick((2, 3, 4, 5))
    a, right = data / (data + noise), data**2 / (2 * data + noise)
    law = partial(mean_chain_shrinks, data=data, noise=noise, to=0.01 * right, fit=0.005 * right)
    ones = (1 / (2 + noise), "one-to-one"), (data / (2 + noise), "one-to-one"), (right**0.5, "spread")
    return Variant(
        rf"The data are $\mathcal{{N}}(0, {data})$ and the noise has the variance $\sigma^2 = {noise}$. The walk "
        rf"takes the "
        "mean of the clean point instead of the draw. At which variance does it stay? Predict it, to within 1 %.",
        laws=(law,),
        reference=right,
        wrong=((data, "constant"), (0.0, "sign"), (a, "dependence"), (a * data, "dependence"), *ones),
        hints=(
            "A step is x ← a (x + σε). What is a here? If x has the variance v, which variance has the next x?",
            f"v = a² (v + {noise}) with a = {data}/{data + noise}. Solve for v.",
        ),
        causes={
            "spread": f"Variances are {data} and {noise}. Did you put in a deviation, or take a root at the end?",
            "one-to-one": "The text's formula is for data of variance 1. What is a, and how large is σ² beside {data}?",
        },
    )


EXERCISES = (
    Exercise(
        id="autoencoders.gsn_step",
        stub='''def gsn_step(x, noise, draw, sigma, variance):
    """One step on data N(0, variance): spoil x, then draw x' of P(x' | spoilt).

    Spoilt is x + sigma · noise; x' is the mean of P plus its standard deviation · draw.
    noise and draw are standard normal, of the shape of x.
    """
    raise NotImplementedError''',
        points=2,
        laws=(chain.step_draws_its_posterior,),
        reference=gsn_step,
        hints=(
            "The posterior of one Gaussian under Gaussian noise: mean a x̃, variance a σ². What is a for data N(0, s²)?",
            "a = s²/(s² + σ²): `a * (x + sigma * noise) + math.sqrt(a) * sigma * draw`.",
        ),
        wrong=(
            (lambda x, noise, draw, s, v: _shares(s, v) * (x + s * noise), "constant"),
            (_noise_afterwards, "direction"),
            (lambda x, noise, draw, s, v: gsn_step(x, noise, noise, s, v), "randomness"),
            (lambda x, noise, draw, s, v: _shares(s, v) * (x + s * noise) + _shares(s, v) * s * draw, "spread"),
            (lambda x, noise, draw, s, v: _shares(s, v) * (x + s * noise) + _shares(s, v) * s**2 * draw, "spread"),
            (lambda x, noise, draw, s, v: gsn_step(x, noise, draw, s, 1.0), "one-to-one"),
            (lambda x, noise, draw, s, v: gsn_step(x, 0 * noise, draw, s, v), "dependence"),
        ),
        causes={
            "constant": "The mean alone: what is the spread of x' then, step after step? `draw` is not used.",
            "direction": "Spoil first, mend last: which of your lines is the last, and how far from x̃ is the mean?",
            "randomness": "Two numbers for each entry, one to spoil and one to draw. Did you use one of them twice?",
            "spread": "P(x'|x̃) has the variance a σ². By which number is `draw` multiplied, and `noise`?",
            "one-to-one": "The data's variance is not 1 in every case. Where does it enter a, and the spread?",
            "dependence": "x' follows from x̃ = x + σ · noise. Which of the three does yours leave out?",
            "sign": "Spoilt is x *plus* σ · noise, and x' is the mean *plus* the spread · draw.",
            "shape": "Each row has noise of its own. What is the shape of your step?",
        },
    ),
    Exercise(
        id="autoencoders.transition_matrix",
        stub='''def transition_matrix(prior, corruption):
    """T[x, x'], (n, n): the chance to go from x to x' by spoiling, then drawing.

    prior (n,) is p(x), corruption (n, n) is C[x, s] = C(s | x), rows of sum 1; float64.
    The draw is from the posterior P(x' | s). Each s can come about.
    """
    raise NotImplementedError''',
        points=2,
        laws=(chain.chain_keeps_its_law,),
        reference=transition_matrix,
        hints=(
            "P(x'|s) is p(x') C(s|x') over its sum. Over which of the two does it sum to 1? Then follow x → s → x'.",
            "`joint = prior[:, None] * corruption`, then P is `joint.T / joint.sum(0)[:, None]`; `corruption @ P`.",
        ),
        wrong=(
            (_over_spoilt, "direction"),
            (lambda p, c: posterior(p, c) @ c, "direction"),
            (lambda p, c: transition_matrix(p, c).T, "direction"),
            (lambda p, c: transition_matrix(torch.ones_like(p), c), "constant"),
            (lambda p, c: c @ (p[:, None] * c).T, "constant"),
            (_likeliest, "randomness"),
            (lambda p, c: posterior(p, c), "dependence"),
            (lambda p, c: c @ transition_matrix(p, c), "one-to-one"),
        ),
        causes={
            "direction": "From x to s by C, from s to x' by P. Which sums are 1 in your P, and whose turn is last?",
            "constant": "Do the rows of your T sum to 1? If they do: where does p enter P(x'|s)?",
            "randomness": "The likeliest x' is no draw. What does a rare picture become, and does p T = p hold?",
            "dependence": "Two moves make a step: spoil, and draw. Which of them does your T lack?",
            "one-to-one": "Two moves make a step: spoil, and draw. How often does your T make each of them?",
            "not-finite": "A state of probability 0 is in p. By which sum did you divide?",
            "shape": "A row for each x that is left, a column for each x' that is reached.",
        },
    ),
    Exercise(
        id="autoencoders.relaxation",
        stub='''def relaxation(eigenvalue):
    """The t, no whole number, at which |eigenvalue|^t = 1/e; 0 < |eigenvalue| < 1."""
    raise NotImplementedError''',
        points=1,
        laws=(chain.memory_fades,),
        reference=relaxation,
        hints=(
            "Take the logarithm of |λ|^t = 1/e.",
            "`-1 / math.log(abs(eigenvalue))`.",
        ),
        wrong=(
            (lambda eigenvalue: 1 / (1 - eigenvalue), "constant"),
            (lambda eigenvalue: 1 / math.log(abs(eigenvalue)), "sign"),
            (lambda eigenvalue: -math.log(2) / math.log(abs(eigenvalue)), "log-mean"),
            (lambda eigenvalue: -math.log(abs(eigenvalue)), "direction"),
            (lambda eigenvalue: math.ceil(relaxation(eigenvalue)), "reduction"),
        ),
        causes={
            "constant": "1/(1 − λ) is near for λ near 1. Put in λ = ½: how many steps make ½^t = 1/e?",
            "sign": "A number of steps is above 0, and ln |λ| is below it.",
            "log-mean": "To 1/e, and no other share of it. Which logarithm did you take?",
            "direction": "A λ near 1 is forgotten slowly. Does your number grow there?",
            "reduction": "t is no whole number here. What did you round?",
            "spread": "|λ|^t itself, and neither its square nor its root, is 1/e.",
            "complex": "λ may be below 0: the memory changes its sign from step to step. What fades is |λ|^t.",
            "not-finite": "λ may be below 0: the memory changes its sign from step to step. What fades is |λ|^t.",
            "container": "One number is asked for, given back with `return`.",
        },
    ),
    Exercise(
        id="autoencoders.walkback_pairs",
        stub='''def walkback_pairs(x, noise, corrupt, draw):
    """(spoilt, target), (steps · batch, *event) each, the first step's pairs first.

    A walk from x: corrupt(x, u) spoils, draw(spoilt, v) is the model's next x, and so
    on. noise (steps, 2, batch, *event) has u and v of each step. Each spoilt point is
    paired with the x where the walk began. No gradient flows through the walk.
    """
    raise NotImplementedError''',
        points=2,
        laws=(chain.walkback_returns,),
        reference=walkback_pairs,
        hints=(
            "A loop over the steps: spoil where the walker is, keep the spoilt point, let the model draw the next one.",
            "`spoilt = corrupt(walker, u).detach()`, keep it, `walker = draw(spoilt, v)`; then `torch.cat`, twice.",
        ),
        wrong=(
            (_previous_states, "direction"),
            (_always_from_x, "dependence"),
            (_drawn_states, "constant"),
            (lambda x, noise, c, d: walkback_pairs(x, noise[:1].expand_as(noise), c, d), "randomness"),
            (_attached, "gradient"),
            (lambda x, noise, c, d: walkback_pairs(x, noise, c, d)[0], "container"),
        ),
        causes={
            "direction": "The target is where the walk *began*: is it yours? Does each step spoil, then draw?",
            "dependence": "Each step spoils the model's own x, and draws from what is spoilt. From where does yours?",
            "constant": "The denoiser is shown what is *spoilt* in each step. What do you keep of a step?",
            "randomness": "Each step has a u to spoil and a v to draw. Whose noise does your second step use?",
            "gradient": "The walk is data for the denoiser. Where is it cut from the graph?",
            "container": "Two results: what is spoilt, and the target of each.",
            "shape": "steps · batch rows, those of the first step first. How many pairs does a step give?",
        },
    ),
    Exercise(
        id="autoencoders.mean_chain_variance",
        stub="mean_chain_variance = ...",
        points=1,
        laws=(mean_chain_shrinks,),
        reference=81 / 19,
        hints=(
            "A step is x ← a (x + σε). What is a here? If x has the variance v, which variance has the next x?",
            "v = a² (v + 1) with a = 9/10. Solve for v.",
        ),
        wrong=(
            (9.0, "constant"),
            (0.0, "sign"),
            (0.9, "dependence"),
            (8.1, "dependence"),
            (1 / 3, "one-to-one"),
            (3.0, "one-to-one"),
            (2.06, "spread"),
        ),
        causes={
            "constant": "The data's variance is what the *draw* keeps. Has the mean a spread of its own?",
            "sign": "To a point? Who adds noise at every step?",
            "dependence": "That is a factor, or one step's variance. At which variance does a step change nothing?",
            "spread": "Variances are 9 and 1. Did you put in a standard deviation, or take a root at the end?",
            "one-to-one": "The formula above is for data of variance 1. What is a here, and how large is σ² beside 9?",
            "direction": "Is it the spoilt x̃ or the x' after it that is asked for? The mean *shrinks* towards 0.",
            "container": "One number is asked for, as `mean_chain_variance = 0.5`.",
        },
        variant=mean_chain_elsewhere,
    ),
)
