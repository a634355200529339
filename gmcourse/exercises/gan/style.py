"""Exercises of lesson 05.8, style."""

import math

import torch
from torch import Tensor

from gmcourse.exercises.drawing import picker, value_law
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.gan.editing import direction
from gmcourse.gan.growing import fade, minibatch_std
from gmcourse.gan.style import adain, mix, truncate
from gmcourse.laws.broken import require_value
from gmcourse.laws.gan import editing, style


def held_direction(w: Tensor, values: Tensor, classes: Tensor) -> Tensor:
    """Upper half − lower half of each class, weighted by the rows of the class."""
    move = torch.zeros(w.shape[1])
    for c in classes.unique():
        part = classes == c
        move = move + part.float().mean() * direction(w[part], values[part], 0.5)
    return move


def truncation_kl(answer: object) -> None:
    """KL(p ‖ q) in one dimension of data N(0, 1) and truncated samples N(0, ¼), nats."""
    suspects = {"direction": 0.3181, "spread": (0.1534, 0.0966, 6.1137), "sign": (-0.8069, -0.3181, 2.1931)}
    suspects |= {"constant": (1.5, 0.6931, 1.1931, 0.1137, 0.0568, 2.8069, 3.3069, 1.3069)}
    suspects |= {"one-to-one": (1.1641, 0.3504, 1.6137)}
    suspects["log-mean"] = 0.25
    require_value("the divergence that asks whether data are reached", answer, 0.806853, 0.01, suspects, fit=0.01)


def _normalised(x, axes, correction=0, power=0.5, eps=1e-8):
    variance, mean = torch.var_mean(x, axes, correction=correction, keepdim=True)
    return (x - mean) / (variance + eps) ** power


def _styled(x, a, b, **options):
    return a[..., None, None] * _normalised(x, **options) + b[..., None, None]


def _with_map(x, spread):
    return torch.cat([x, spread.expand(len(x), 1, *x.shape[2:])], 1)


def _unweighted(w, values, classes):
    return torch.stack([direction(w[classes == c], values[classes == c], 0.5) for c in classes.unique()]).mean(0)


def kl_of_another_truncation(seed: int) -> Variant:
    """KL(N(0, 1) ‖ N(0, ψ²)) at another ψ."""
    psi = picker(seed)([k / 100 for k in range(30, 72) if k not in (50, 51)])
    right, reverse, log = _kl(psi), -math.log(psi) + psi**2 / 2 - 0.5, math.log(psi)
    ratio = 1 / psi**2
    suspects = {
        "direction": reverse,
        "spread": (_kl(psi**0.5), -log / 2 + psi / 2 - 0.5, _kl(psi**2)),
        "sign": (-right, -reverse, ratio / 2 - 0.5 - log),
        "constant": (ratio / 2 - 0.5, -log, 0.5 - log, right + log, (right + log) / 2)
        + tuple(log + rest for rest in (ratio - 0.5, ratio, ratio / 2)),
        "one-to-one": (right / math.log(2), right / math.log(10), 2 * right),
        "log-mean": (1 - psi) ** 2,
    }
    return Variant(
        r"Data are $\mathcal{N}(0, 1)$ in one dimension and the generator is perfect. Somebody truncates it with "
        rf"$\psi = {psi:g}$: samples are $\mathcal{{N}}(0, \psi^2)$. How many nats does the divergence pay that asks "
        rf"whether "
        "the *data* are reached? Give it to within 0.002.",
        laws=(value_law("the divergence that asks whether data are reached", right, 0.002, suspects, fit=0.001),),
        reference=right,
        wrong=((reverse, "direction"), (_kl(psi**0.5), "spread"), (-right, "sign"), (-log, "constant")),
        hints=(
            "Recall is about data that samples miss: which density is under the integral's mean?",
            f"KL(N(0, 1) ‖ N(0, ψ²)) = ln ψ + 1/(2ψ²) − ½, at ψ = {psi:g}.",
        ),
        causes={
            "sign": f"Can a KL divergence be negative? And which sign has ln ψ, at ψ = {psi:g}?",
            "one-to-one": f"Is it in nats, for one dimension, at ψ = {psi:g}?",
            "": f"The mean of a difference of two log-densities, of variances 1 and {psi:g}²: under which of the two?",
        },
    )


def _kl(psi: float) -> float:
    """KL(N(0, 1) ‖ N(0, ψ²)), nats."""
    return math.log(psi) + 0.5 / psi**2 - 0.5


EXERCISES = (
    Exercise(
        id="gan.adain",
        stub='''def adain(x, scale, shift):
    """`shift` + `scale` · (x − μ) / σ: every map of every picture, over its pixels.

    x is (batch, C, H, W), scale and shift are (batch, C). A constant map becomes
    `shift`: add 1e-8 to the variance.
    """
    raise NotImplementedError''',
        points=1,
        laws=(style.adain_sets_statistics,),
        reference=adain,
        hints=(
            "Mean and variance are over the pixels, axes 2 and 3, of one map of one picture. Divide by their number.",
            "torch.var_mean(x, (2, 3), correction=0, keepdim=True), and scale[..., None, None] to meet x.",
        ),
        wrong=(
            (lambda x, a, b: _styled(x, a, b, axes=(0, 2, 3)), "dependence"),
            (lambda x, a, b: _styled(x, a, b, axes=(1, 2, 3)), "direction"),
            (lambda x, a, b: _styled(x, a, b, axes=(2, 3), eps=0.0), "not-finite"),
            (lambda x, a, b: _styled(x, a, b, axes=(2, 3), power=1.0), "spread"),
            (lambda x, a, b: _styled(x, a, b, axes=(2, 3), correction=1), "constant"),
            (lambda x, a, b: _styled(x, 1 + a, b, axes=(2, 3)), "reduction"),
        ),
        causes={
            "dependence": "A picture changes when its neighbours in the batch do. Whose mean is it, and whose style?",
            "direction": "Each map has a mean of its own, and its own scale and shift. Which do yours share?",
            "spread": "By what do you divide: the variance, the deviation, or nothing?",
            "constant": "The statistics of what you return are off. Is the variance divided by n? Is the shift there?",
            "reduction": "Here the scale itself is the deviation that comes out. What is yours when scale is 1, and 2?",
            "log-mean": "Was the mean taken away before you scaled?",
            "not-finite": "A map may be constant: its deviation is 0. What keeps the quotient finite?",
            "sign": "Is the shift added, and does the scale keep its own sign, a minus too?",
            "gradient": "The values are right, but a gradient is cut off: to scale, shift, or x (by way of μ and σ)?",
            "shape": "The result has the shape of x.",
        },
    ),
    Exercise(
        id="gan.fade",
        stub='''def fade(low, high, alpha):
    """The old picture at alpha = 0, the new one at 1, bit for bit; between, a line."""
    raise NotImplementedError''',
        points=1,
        laws=(style.fade_keeps_both_ends,),
        reference=fade,
        hints=(
            "A mixture with weights 1 − α and α. Which of the two gets α?",
            "torch.lerp(low, high, alpha), or (1 - alpha) * low + alpha * high.",
        ),
        wrong=(
            (lambda low, high, a: torch.lerp(high, low, a), "direction"),
            (lambda low, high, a: low + a * high, "constant"),
            (lambda low, high, a: (low + high) / 2, "reduction"),
            (lambda low, high, a: high if a > 0.5 else low, "dependence"),
            (lambda low, high, a: high + (1 - a) * (low - high), "spread"),
        ),
        causes={
            "direction": "At α = 0 nothing has been added to the net yet. Which picture do you return there?",
            "constant": "Do your two weights add up to 1?",
            "reduction": "Both weights are the same in yours. Where is α?",
            "dependence": "Yours is one of the two pictures, and no mixture. What should it be at α = 0.25?",
            "spread": "Nearly right: at an end a few pixels differ in their last bits, or the weights are no line.",
            "": "Take pixels of 0 in low and of 1 in high: what comes out is α. And in yours?",
            "shape": "One picture for each row, of the shape of low and high.",
        },
    ),
    Exercise(
        id="gan.minibatch_std",
        stub='''def minibatch_std(x):
    """x with one map more: the same number everywhere, the batch's mean spread.

    x is (batch, C, H, W), the result (batch, C + 1, H, W). The spread at a channel
    and pixel is the standard deviation over the batch, divided by n. The generator
    learns from this map: a gradient goes through it to x.
    """
    raise NotImplementedError''',
        points=2,
        laws=(style.batch_spread_is_one_map,),
        reference=minibatch_std,
        hints=(
            "First a deviation for each channel and pixel, over the batch: (C, H, W). Then the mean of all of them.",
            "x.std(0, correction=0).mean() is one number; expand it to (batch, 1, H, W) and torch.cat behind x.",
        ),
        wrong=(
            (lambda x: _with_map(x, x.var(0, correction=0).mean()), "spread"),
            (lambda x: _with_map(x, x.mean((1, 2, 3)).std(correction=0)), "log-mean"),
            (lambda x: _with_map(x, x.std(0).mean()), "constant"),
            (lambda x: _with_map(x, x.flatten(1).std(1, correction=0).view(-1, 1, 1, 1)), "dependence"),
            (lambda x: _with_map(x, x.std(correction=0)), "direction"),
            (lambda x: torch.cat([x, x.std(0, correction=0).expand_as(x)], 1), "shape"),
            (lambda x: _with_map(x, x.detach().std(0, correction=0).mean()), "gradient"),
        ),
        causes={
            "spread": "That is a variance, or its root after the mean. Which comes first, the root or the mean?",
            "log-mean": "You averaged pixels before you compared pictures. Which differences are lost by that?",
            "constant": "A batch of one picture, four times: its spread is 0. And do you divide by n or by n − 1?",
            "dependence": "Yours is a number of each picture alone. What does it say about the others?",
            "direction": "Pixels of one picture differ too. Between what should the deviation be taken?",
            "reduction": "One number, the mean of the deviations over channels *and* pixels. Is yours a sum, or a map?",
            "gradient": "The values are right. May the generator learn from this map? What cuts it off?",
            "shape": "One map is added *behind* x, which stays as it is: (batch, C + 1, H, W).",
            "": "Take two pictures, of 0 everywhere and of 4 everywhere: each deviation is 2, and so is v. And yours?",
            "not-finite": "Is there a deviation of a single number in yours?",
        },
    ),
    Exercise(
        id="gan.mix",
        stub='''def mix(first, second, crossover):
    """Styles for every layer: those before the crossover from `first`, then `second`.

    first and second are (layers, batch, W), crossover is 0 to layers.
    """
    raise NotImplementedError''',
        points=1,
        laws=(style.mixing_keeps_the_parents,),
        reference=mix,
        hints=(
            "Which axis holds the layers? Cut both there.",
            "torch.cat([first[:crossover], second[crossover:]]).",
        ),
        wrong=(
            (lambda a, b, k: torch.cat([b[:k], a[k:]]), "direction"),
            (lambda a, b, k: torch.cat([a[: k + 1], b[k + 1 :]]), "constant"),
            (lambda a, b, k: torch.cat([a[:, :1], b[:, 1:]], 1), "dependence"),
            (lambda a, b, k: (a + b) / 2, "reduction"),
        ),
        causes={
            "direction": "Whose styles come first, in the coarse layers?",
            "constant": "Count the layers that yours takes from `first`. Are they `crossover`, at each of 0 to 4?",
            "one-to-one": "Layer k of the result is layer k of a parent. Which layers of `second` are yours?",
            "dependence": "You cut along another axis. Which one holds the layers?",
            "reduction": "A mixed picture has whole styles of both, not one between them.",
            "shape": "The result has one style for each layer and row, as both parents.",
        },
    ),
    Exercise(
        id="gan.truncate",
        stub='''def truncate(w, center, psi):
    """Styles w (…, W) drawn towards their mean center (W,).

    psi = 1 leaves them, a larger psi takes them further away.
    """
    raise NotImplementedError''',
        points=1,
        laws=(style.truncation_keeps_the_center,),
        reference=truncate,
        hints=(
            "At ψ = 0 every style is the mean; at ψ = 1 nothing has changed.",
            "center + psi * (w - center).",
        ),
        wrong=(
            (lambda w, c, psi: psi * w, "constant"),
            (lambda w, c, psi: w + psi * (c - w), "direction"),
            (lambda w, c, psi: truncate(w, w.mean(-2, keepdim=True), psi), "dependence"),
            (lambda w, c, psi: c + (w - c).clamp(-psi, psi), "log-mean"),
        ),
        causes={
            "constant": "Where do the styles go as ψ falls to 0? The mean of w is not 0.",
            "direction": "At ψ = 1 nothing should change. What does yours do?",
            "dependence": "You took the mean of the rows that you were given. Whose mean is asked for?",
            "log-mean": "Cutting off leaves small deviations as they are. All of them should shrink alike.",
            "spread": "The deviation from the mean is multiplied by ψ itself.",
            "one-to-one": "Beyond ψ = 1 styles go away from the mean, as in the explorer. Does yours stop there?",
            "sign": "Is it w − w̄ or w + w̄?",
            "shape": "The result has the shape of w.",
        },
    ),
    Exercise(
        id="gan.truncation_kl",
        stub="truncation_kl = ...",
        points=1,
        laws=(truncation_kl,),
        reference=0.8068528,
        hints=(
            "Recall is about data that samples miss: which density is under the integral's mean?",
            "KL(N(0, 1) ‖ N(0, ψ²)) = ln ψ + 1/(2ψ²) − ½, at ψ = ½.",
        ),
        wrong=((0.3181, "direction"), (0.1534, "spread"), (-0.8069, "sign"), (0.6931, "constant")),
        causes={
            "direction": "That is KL(q ‖ p): are samples plausible? Which one pays for what is missed?",
            "spread": "ψ scales the deviation. What is the variance of a truncated sample?",
            "sign": "Can a KL divergence be negative? And which sign has ln ψ, at ψ = ½?",
            "constant": "Three terms: ln ψ, half a ratio of variances, −½. Which is missing, or has another factor?",
            "one-to-one": "Is it in nats, for one dimension, at ψ = ½?",
            "log-mean": "That is the Fréchet distance, (1 − ψ)². A divergence is asked for, in nats.",
            "container": "One number is asked for, as `truncation_kl = 1.23`.",
            "": "The mean of a difference of two log-densities, of variances 1 and ¼: under which of the two?",
        },
        variant=kl_of_another_truncation,
    ),
    Exercise(
        id="gan.held_direction",
        stub='''def held_direction(w, values, classes):
    """A direction that raises an attribute while the class is held: (W,).

    w (n, W) are styles, values (n,) the attribute, classes (n,) the digits. In each
    class: mean w of the upper half of its values − that of the lower half. Then the
    mean over classes, each counted by its number of rows (always even). Not every
    digit need occur.
    """
    raise NotImplementedError''',
        points=2,
        laws=(editing.direction_holds_the_class,),
        reference=held_direction,
        hints=(
            "For each class c, take the rows with classes == c and sort them by their values.",
            "order = values[part].argsort(); half = len(order) // 2; add the gap of the means times len(order) / n.",
        ),
        wrong=(
            (lambda w, v, c: direction(w, v, 0.5), "dependence"),
            (_unweighted, "reduction"),
            (lambda w, v, c: -held_direction(w, v, c), "sign"),
            (lambda w, v, c: held_direction(w, v, c) / held_direction(w, v, c).norm(), "spread"),
        ),
        causes={
            "dependence": "Your halves hold different digits: part of the gap is one between classes.",
            "reduction": "Each class counts by its share of the rows. Do all of yours, and do the weights sum to 1?",
            "sign": "Which half comes with the plus?",
            "spread": "The gap itself is asked for, not a unit vector and not half of it.",
            "one-to-one": "argsort of the values of a class gives places *in that class*. Of which rows do you take w?",
            "direction": "Sorted by value, which rows are the upper half? argsort(v)[i] is a row, not a rank of row i.",
            "constant": "Halves by number are asked for: no fifths, no extremes, no split at the mean.",
            "not-finite": "A mean over no rows: is a digit missing, or is it `median`, the *lower* of two values?",
            "shape": "One vector, (W,).",
        },
    ),
)
