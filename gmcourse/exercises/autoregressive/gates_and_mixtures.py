"""Exercises of lesson 02.4, gates, mixtures, and the coder run both ways."""

import math

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from gmcourse.autoregressive.arithmetic_coder import narrow
from gmcourse.autoregressive.gated_pixelcnn import gate
from gmcourse.autoregressive.logistic_mixture import discretised_logistic
from gmcourse.exercises.drawing import Pick, first_sound, value_law
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.laws.autoregressive import bins, gating, intervals
from gmcourse.laws.broken import require_value


def hidden_bits(low: int, high: int, places: int) -> list[int]:
    """The digits of low and of high − 1 up to the first in which they differ."""
    shared = places - (low ^ (high - 1)).bit_length()
    return [low >> (places - 1 - k) & 1 for k in range(shared)]


def wrong_model_costs(answer: object) -> None:
    """Fair coins under a model of ¼ cost −½ log₂ ¼ − ½ log₂ ¾ = 1.2075 bits each: 1 of entropy and 0.2075 of KL."""
    cost = -0.5 * math.log2(0.25) - 0.5 * math.log2(0.75)
    entropy = -0.25 * math.log2(0.25) - 0.75 * math.log2(0.75)
    slips = {
        "constant": 1.0,
        "direction": (entropy, entropy + 1, 1.5 - 0.25 * math.log2(0.75)),
        "reduction": (cost - 1, 0.2, 1 - entropy),
        "log-mean": (cost * math.log(2), (cost - 1) * math.log(2)),
        "one-to-one": (2.0, -math.log2(0.75), 2 - math.log2(0.75), 1.5),
        "spread": tuple(1 + 0.001 * k for k in (*range(30, 200), *range(216, 420))),
        "sign": (-cost, 2 - cost),
    }
    require_value("the mean number of bits of a pixel", answer, cost, 0.006, slips)


def _halves(features: Tensor, given: Tensor) -> tuple[Tensor, ...]:
    return (features + given[:, :, None, None]).chunk(2, 1)


def _after(features, given):
    f, g = features.chunk(2, 1)
    return f.tanh() * g.sigmoid() + given.chunk(2, 1)[0][:, :, None, None]


def _cdf(code, mean, log_scale, levels, half=None, open_=True, eps=0.0):
    half = 1 / (levels - 1) if half is None else half
    centred = 2 * code / (levels - 1) - 1 - mean
    above, below = ((centred + half) / log_scale.exp()).sigmoid(), ((centred - half) / log_scale.exp()).sigmoid()
    if open_:
        above, below = above.masked_fill(code == levels - 1, 1.0), below.masked_fill(code == 0, 0.0)
    return (above - below).clamp(min=eps).log()


def _density(code, mean, log_scale, levels):
    z = (2 * code / (levels - 1) - 1 - mean) / log_scale.exp()
    return logsigmoid(z) + logsigmoid(-z) - log_scale + math.log(2 / (levels - 1))


def length_elsewhere(seed: int) -> Variant:
    """−p log₂ q − (1 − p) log₂ (1 − q) for pixels that are ink with probability p, under a model that says q."""
    return first_sound(seed, _length, lesson=1.2075)


def _length(pick: Pick) -> Variant:
    truth, model = pick([k / 20 for k in range(6, 15)]), pick([k / 20 for k in range(2, 19)])
    ink, blank = -math.log2(model), -math.log2(1 - model)
    cost, entropy, own = truth * ink + (1 - truth) * blank, _coin_bits(truth), _coin_bits(model)
    off = (*range(-200, -5), *range(6, 201))
    slips = {
        "constant": entropy,
        "direction": (own, model * -math.log2(truth) + (1 - model) * -math.log2(1 - truth)),
        "reduction": (cost - entropy, entropy - own),
        "log-mean": (cost * math.log(2), (cost - entropy) * math.log(2)),
        "one-to-one": (ink, blank, ink + blank),
        "spread": tuple(cost + 0.001 * k for k in off),
        "sign": (-cost, 2 * entropy - cost),
    }
    wrong = (entropy, "constant"), (own, "direction"), (cost - entropy, "reduction"), (cost * math.log(2), "log-mean")
    return Variant(
        f"The pixels of an image are ink with probability {truth:g}, independent of each other. A model that knows "
        f"nothing of this says of every pixel: ink with probability {model:g}. The arithmetic coder uses this model. "
        "How many bits does a pixel cost on average? Answer to three decimals.",
        laws=(value_law("the mean number of bits of a pixel", cost, 0.003, slips),),
        reference=cost,
        wrong=(*wrong, (ink, "one-to-one"), (cost - 0.0175, "spread")),
        hints=(
            f"A share {truth:g} of the pixels is ink and costs −log₂ {model:g} bits. What does each of the others "
            "cost?",
            f"{truth:g} · {ink:.4g} + {1 - truth:g} · {blank:.4g}: the entropy of the pixels and a KL divergence.",
        ),
        causes=_causes_of_length(truth, ink, blank, entropy),
    )


def _coin_bits(share: float) -> float:
    return -share * math.log2(share) - (1 - share) * math.log2(1 - share)


def _causes_of_length(truth: float, ink: float, blank: float, entropy: float) -> dict[str, str]:
    return {
        "constant": f"That is the entropy: what the *right* model pays. Does this one know of {truth:g}?",
        "direction": "The pixels come from the truth, the lengths from the model. Which weights has the mean?",
        "reduction": "That is what is paid on top. What does a pixel cost under the right model?",
        "one-to-one": f"A pixel with ink costs {ink:.3g} bits, one without {blank:.3g}. How many are there of each?",
        "sign": f"No code is shorter on average than the entropy, which is {entropy:.3g} bits here.",
    }


EXERCISES = (
    Exercise(
        id="autoregressive.gate",
        stub='''def gate(features, given_features):
    """tanh(f + f') σ(g + g'), (batch, p, H, W).

    features (batch, 2p, H, W): the first p maps are f, the others g.
    given_features (batch, 2p) of the class: f', then g', the same at every place.
    """
    raise NotImplementedError''',
        points=1,
        laws=(gating.gate_multiplies,),
        reference=gate,
        hints=(
            "Add what the class says before the tanh and before the sigmoid. It has no height and no width yet.",
            "`f, g = (features + given_features[:, :, None, None]).chunk(2, dim=1)`, then `f.tanh() * g.sigmoid()`.",
        ),
        wrong=(
            (lambda x, given: _halves(x, given)[0].sigmoid() * _halves(x, given)[1].tanh(), "direction"),
            (lambda x, given: gate(x, 0 * given), "dependence"),
            (_after, "log-mean"),
            (
                lambda x, given: sum(part(h) for part, h in zip((torch.tanh, torch.sigmoid), _halves(x, given))),
                "reduction",
            ),
            (lambda x, given: _halves(x, given)[0] * _halves(x, given)[1].sigmoid(), "spread"),
            (lambda x, given: gate(x, given[:1]), "shape"),
        ),
        causes={
            "direction": "The first p maps are f, of the tanh, and the others g, of the σ. Which half goes into which?",
            "dependence": "Two classes should give two outputs. Where does `given_features` enter yours?",
            "constant": "The class moves f and g, both. Which of the two is not told?",
            "log-mean": "Which comes first, the gate or the class? At f = −f' the output should be 0.",
            "reduction": "A gate that is shut, σ = 0, lets nothing through. Is that so in your answer?",
            "spread": "tanh lies between −1 and 1, σ between 0 and 1: f is filtered by the one, g opens by the other.",
            "one-to-one": "The first p maps are f. Which maps did you take for it: the first half, or every other one?",
            "sign": "The class is added, to f and g: no difference, no product. And the gate opens where g is large.",
            "shape": "Each picture has its own class: `given_features[:, :, None, None]` keeps the axis of the batch.",
            "not-finite": "e^200 is no number in float32. `torch.tanh` and `torch.sigmoid` do not need it.",
            "overflow": "Right for small features, wrong for large ones. `torch.tanh` and `torch.sigmoid` are safe.",
        },
    ),
    Exercise(
        id="autoregressive.narrow",
        stub='''def narrow(low, high, start, end, total):
    """The part of [low, high) for the frequencies from start to end of total.

    All five are Python integers. Two integers come back, the new low and high.
    """
    raise NotImplementedError''',
        points=2,
        laws=(intervals.parts_meet,),
        reference=narrow,
        hints=(
            "The share from start/total to end/total of the width high − low, measured from low, and rounded.",
            "`width = high - low`, then `low + width * start // total` and `low + width * end // total`.",
        ),
        wrong=(
            (lambda low, high, a, b, n: (low + (high - low) * a // n, low + (high - low) * b // n - 1), "one-to-one"),
            (
                lambda low, high, a, b, n: (low + (high - low + 1) * a // n, low + (high - low + 1) * b // n - 1),
                "one-to-one",
            ),
            (
                lambda low, high, a, b, n: (low + (high - low) * a // n, low + -(-(high - low) * b // n)),
                "reduction",
            ),
            (
                lambda low, high, a, b, n: (low + (high - low + 1) * a // n, low + (high - low + 1) * b // n),
                "reduction",
            ),
            (lambda low, high, a, b, n: (int(low + (high - low) * a / n), int(low + (high - low) * b / n)), "overflow"),
            (lambda low, high, a, b, n: ((high - low) * a // n, (high - low) * b // n), "constant"),
            (lambda low, high, a, b, n: (low + (high - low) // n * a, low + (high - low) // n * b), "log-mean"),
            (
                lambda low, high, a, b, n: (
                    low + (high - low) * a // n,
                    low + (high - low) * a // n + (high - low - (high - low) * a // n) * b // n,
                ),
                "dependence",
            ),
            (lambda low, high, a, b, n: (low + (high - low) * a / n, low + (high - low) * b / n), "container"),
        ),
        causes={
            "one-to-one": "A part ends where the next begins: high is not in [low, high). What is left between yours?",
            "reduction": "Some number is in two parts, or outside [low, high). Do the widths sum to high − low?",
            "overflow": "Right for small numbers, wrong above 2^53. `/` makes a double of 53 bits, `//` an integer.",
            "constant": "Frequencies from 0 to total are all of [low, high). Does your part begin at low then?",
            "log-mean": "Which comes first, the product or the division? What is rounded off early is lost often.",
            "dependence": "Both ends are measured from the old low, with the old width. Did you change one in between?",
            "direction": "The symbol whose frequencies begin at 0 has the part that begins at low.",
            "spread": "The width is high − low, and its share is start/total. What did you take a share of?",
            "container": "Two integers are asked for, the new low and the new high. Is yours rounded?",
        },
    ),
    Exercise(
        id="autoregressive.discretised_logistic",
        stub='''def discretised_logistic(code, mean, log_scale, levels):
    """ln P(code), (batch,), nats, of a logistic distribution cut into bins.

    code (batch,) int64 from 0 to levels - 1; mean and log_scale (batch,) on the
    axis where level k stands at -1 + 2k/(levels - 1); levels is an int.
    """
    raise NotImplementedError''',
        points=3,
        laws=(bins.bins_hold_the_mass,),
        reference=discretised_logistic,
        hints=(
            "P(k) = σ(b) − σ(a) at the edges of bin k, in scales. Far from the mean both are 0, or 1: factor first.",
            "`logsigmoid(b) + logsigmoid(-a) + log(-expm1(a - b))`; the first bin has only `logsigmoid(b)`, "
            "the last only `logsigmoid(-a)`.",
        ),
        wrong=(
            (lambda *inputs: _cdf(*inputs, open_=False), "constant"),
            (lambda code, mean, s, n: _cdf(code, mean, s, n, half=1 / n), "spread"),
            (lambda *inputs: _cdf(*inputs), "not-finite"),
            (lambda *inputs: _cdf(*inputs, eps=1e-12), "overflow"),
            (_density, "direction"),
            (lambda code, mean, s, n: discretised_logistic(code, mean, 2 * s, n), "spread"),
            (lambda code, mean, s, n: -discretised_logistic(code, mean, s, n), "sign"),
            (lambda code, mean, s, n: discretised_logistic(code, 2 * mean - 1, s + math.log(2), n), "dependence"),
        ),
        causes={
            "constant": "Add up your P over all levels: is it 1? The first bin begins at −∞, the last one ends at +∞.",
            "one-to-one": "The first bin is open below, the last one above: two bins of the V. Which did you open?",
            "spread": "Bins touch half way between levels: how far from a level is that? And s = exp(log_scale).",
            "direction": "A density at the level is no mass of its bin: with s → 0 it grows without end. Is P below 1?",
            "dependence": "Level 0 stands at −1 and level V − 1 at +1. Where do yours stand?",
            "sign": "P falls as the level moves away from the mean. And is ln P above 0 or below?",
            "log-mean": "The natural logarithm of P is asked for. Is yours P itself, or in bits?",
            "not-finite": "Far from the mean σ(b) − σ(a) is 0 to a computer: factor first. Or is your scale below 0?",
            "overflow": "Right near the mean, wrong in the tail or for a tiny s. Which difference has lost its digits?",
            "shape": "One number for each row, with that row's own mean and scale.",
        },
    ),
    Exercise(
        id="autoregressive.hidden_bits",
        stub='''def hidden_bits(low, high, places):
    """The first bits that the integers low, ..., high - 1 share, a list of 0 and 1.

    Each integer is written with `places` binary digits; low < high <= 2**places.
    """
    raise NotImplementedError''',
        points=2,
        laws=(intervals.bits_are_shared,),
        reference=hidden_bits,
        hints=(
            "What the smallest and the largest number share, all between them share. Which number is the largest?",
            '`f"{low:0{places}b}"` and `f"{high - 1:0{places}b}"`: take digits as long as the two agree.',
        ),
        wrong=(
            (lambda low, high, n: hidden_bits(low, min(high + 1, 2**n), n), "one-to-one"),
            (
                lambda low, high, n: [low >> (n - 1 - k) & 1 for k in range(n - (high - low - 1).bit_length())],
                "reduction",
            ),
            (lambda low, high, n: [*hidden_bits(low, high, n), 0, 1][:n], "dependence"),
            (lambda low, high, n: hidden_bits(low, high, high.bit_length()), "constant"),
            (
                lambda low, high, n: [low >> k & 1 for k in range(n - 1, -1, -1) if low >> k & 1 == high - 1 >> k & 1],
                "spread",
            ),
            (lambda low, high, n: hidden_bits(low, high, n)[::-1], "direction"),
            (lambda low, high, n: f"{low:0{n}b}", "container"),
        ),
        causes={
            "one-to-one": "high does not belong to the interval. Which is its last number?",
            "reduction": "The width does not say how many: 0111 and 1000 are neighbours. What do the two ends share?",
            "dependence": "Not all points share these bits. What the coder adds to end its stream is no message.",
            "spread": "Where two points differ, the message could be either, and so from there on. Do you go on?",
            "constant": "Every number is written with `places` digits. Where are the zeros in front?",
            "direction": "The first bit is the largest: it says in which half of all numbers the interval lies.",
            "container": "A list of 0 and 1 is asked for, not a text or a number. `int` makes a digit a number.",
        },
    ),
    Exercise(
        id="autoregressive.code_length",
        stub="code_length = ...",
        points=1,
        laws=(wrong_model_costs,),
        reference=1.2075,
        hints=(
            "Half of the pixels are ink and cost −log₂ ¼ bits each. What does each of the others cost?",
            "½ · 2 + ½ · log₂(4/3): the entropy of the pixels and a KL divergence, of the truth to the model.",
        ),
        wrong=(
            (1.0, "constant"),
            (0.8113, "direction"),
            (0.2075, "reduction"),
            (0.837, "log-mean"),
            (2.0, "one-to-one"),
            (1.19, "spread"),
        ),
        causes={
            "constant": "That is the entropy: what the *right* model pays. Does this one know that coins are fair?",
            "direction": "The pixels come from fair coins, the lengths from the model. Which weights has the mean?",
            "reduction": "That is what is paid on top. What does a fair coin cost under the right model?",
            "log-mean": "Bits are asked for: log₂.",
            "one-to-one": "A pixel with ink costs 2 bits, one without log₂(4/3). How many are there of each?",
            "spread": "Near. Is that an estimate? The mean of two logarithms gives it to any digit.",
            "sign": "No code is shorter on average than the entropy, which is 1 bit here.",
            "container": "One number is asked for, as `code_length = 1.5`.",
        },
        variant=length_elsewhere,
    ),
)
