"""Exercises of lesson 05.8, style."""

import torch
from torch import Tensor

from gmcourse.exercises.record import Exercise
from gmcourse.gan.editing import direction
from gmcourse.gan.growing import fade, minibatch_std
from gmcourse.gan.style import adain, mix, truncate
from gmcourse.laws.broken import require_value
from gmcourse.laws.gan import style


def held_direction(w: Tensor, values: Tensor, classes: Tensor) -> Tensor:
    """Upper half − lower half of each class, weighted by the rows of the class."""
    move = torch.zeros(w.shape[1])
    for c in classes.unique():
        part = classes == c
        move = move + part.float().mean() * direction(w[part], values[part], 0.5)
    return move


def truncation_kl(answer: object) -> None:
    """KL(p ‖ q) in one dimension of data N(0, 1) and truncated samples N(0, ¼), nats."""
    suspects = {"direction": 0.3181, "spread": (0.1137, 0.0568), "sign": -0.8069, "constant": (1.5, 0.6931, 1.1931)}
    suspects |= {"one-to-one": (1.1641, 0.3504, 1.6137)}
    require_value("the divergence that recall pays", answer, 0.806853, 0.006, suspects, fit=0.003)


def _normalised(x, axes, correction=0, power=0.5, eps=1e-8):
    variance, mean = torch.var_mean(x, axes, correction=correction, keepdim=True)
    return (x - mean) / (variance + eps) ** power


def _styled(x, a, b, **options):
    return a[..., None, None] * _normalised(x, **options) + b[..., None, None]


def _with_map(x, spread):
    return torch.cat([x, spread.expand(len(x), 1, *x.shape[2:])], 1)


def _unweighted(w, values, classes):
    return torch.stack([direction(w[classes == c], values[classes == c], 0.5) for c in classes.unique()]).mean(0)


EXERCISES = (
    Exercise(
        id="gan.adain",
        stub='''def adain(x, scale, shift):
    """Every map of every picture: mean `shift`, standard deviation |`scale`|.

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
            "dependence": "A picture changes when its neighbours in the batch do. Over which axes is your mean?",
            "direction": "Each map has a mean of its own, and its own scale and shift. Which do yours share?",
            "spread": "By what do you divide: the variance, the deviation, or nothing?",
            "constant": "The statistics of what you return are off. Is the variance divided by n? Is the shift there?",
            "reduction": "Here the scale is the deviation that comes out. What is yours when scale is 1?",
            "log-mean": "Was the mean taken away before you scaled?",
            "not-finite": "A map may be constant: its deviation is 0. What keeps the quotient finite?",
            "sign": "Is the shift added, and the scale not turned round?",
            "gradient": "The values are right, and nothing can be learned from them. What cuts scale or shift off?",
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
            "dependence": "Yours jumps from one picture to the other. What should it be at α = 0.25?",
            "spread": "Nearly right: at an end a few pixels differ in their last bits, or the weights are no line.",
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
            "reduction": "The deviations are averaged here. Did you add them up?",
            "gradient": "The values are right. May the generator learn from this map? What cuts it off?",
            "shape": "One map is added, of the height and the width of the others: (batch, C + 1, H, W).",
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
            "constant": "Count: how many layers has `first` when the crossover is 2?",
            "dependence": "You cut the batch. Which axis holds the layers?",
            "reduction": "A mixed picture has whole styles of both, not one between them.",
            "shape": "The result has one style for each layer and row, as both parents.",
        },
    ),
    Exercise(
        id="gan.truncate",
        stub='''def truncate(w, center, psi):
    """Styles w (…, W) drawn towards their mean center (W,): psi = 1 leaves them."""
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
        wrong=((0.3181, "direction"), (0.1137, "spread"), (-0.8069, "sign"), (0.6931, "constant")),
        causes={
            "direction": "That is KL(q ‖ p): are samples plausible? Which one pays for what is missed?",
            "spread": "ψ scales the deviation. What is the variance of a truncated sample?",
            "sign": "Can a KL divergence be negative?",
            "constant": "One of the three terms is missing: a logarithm, a quotient of variances, ½.",
            "one-to-one": "Is it in nats, for one dimension, at ψ = ½?",
        },
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
        laws=(style.direction_holds_the_class,),
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
            "reduction": "A class of two rows counts as much as one of eight in yours, or you added up.",
            "sign": "Which half comes with the plus?",
            "spread": "The gap itself is asked for, not a unit vector and not half of it.",
            "log-mean": "Halves by rank: as many rows above as below. Are yours, if you cut at the mean?",
            "not-finite": "A class without rows has no mean. Which classes do you go through?",
            "shape": "One vector, (W,).",
        },
    ),
)
