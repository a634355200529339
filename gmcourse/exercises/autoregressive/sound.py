"""Exercises of lesson 02.7, sound."""

import math

import torch
import torch.nn.functional as F

from gmcourse.autoregressive.mu_law import encode
from gmcourse.autoregressive.wavenet import causal_conv, receptive_field
from gmcourse.data.synthetic import SAMPLE_RATE
from gmcourse.exercises.drawing import Pick, first_sound, value_law
from gmcourse.exercises.record import Exercise, Variant
from gmcourse.laws.autoregressive import sound
from gmcourse.laws.broken import require_value

LOWEST = 220.0  # Hz


def longer_than_the_window(answer: object) -> None:
    """How many of the twelve pitches have a period longer than 15 samples."""
    pitches = [LOWEST * 2 ** (c / 12) for c in range(12)]
    periods = [SAMPLE_RATE / pitch for pitch in pitches]
    longer = float(sum(period > 15 for period in periods))
    suspects = {
        "direction": [12 - longer],
        "constant": [longer - 1, longer + 1],
        "reduction": [0.0, 1.0, 12.0],
        "spread": [
            round(way, digits) for way in (longer / 12, *periods, *pitches, SAMPLE_RATE / 15) for digits in (1, 2, 3, 4)
        ],
    }
    require_value("pitches whose period is longer than 15 samples", answer, longer, 0.0, suspects)


def longer_than_another_window(seed: int) -> Variant:
    """The pitches of four octaves whose period is longer than a window, clear of the period of any."""
    return first_sound(seed, _longer, lesson=4)


def _longer(pick: Pick) -> Variant:
    lowest, rate, place = pick((55, 65, 82, 98, 110)), pick((24_000, 32_000, 44_100, 48_000)), pick(range(5, 44))
    pitches = [lowest * 2 ** (c / 12) for c in range(48)]
    window = round(rate / pitches[place] * 2 ** (1 / 24))
    longer = sum(rate / pitch > window for pitch in pitches)
    suspects = {
        "direction": [48.0 - longer],
        "constant": [longer - 1.0, longer + 1.0],
        "reduction": [0.0, 1.0, 48.0],
        "spread": [round(way, digits) for way in (longer / 48, rate / window) for digits in (1, 2, 3, 4)],
    }
    clear = all(abs(rate / pitch / window - 1) > 0.005 for pitch in pitches) and 5 < longer < 43
    whole = (48, "reduction"), (1, "reduction")
    return Variant(
        rf"Pitch $c$ lies at ${lowest} \cdot 2^{{c/12}}$ Hz, $c = 0, \dots, 47$, and there are {rate:,} samples a "
        f"second. For how many of the 48 pitches is a period longer than a window of {window} samples? Guess, then "
        "count.",
        laws=(value_law(f"pitches with a period of more than {window} samples", float(longer), 0.0, suspects),),
        reference=longer if clear else -1,
        wrong=((48 - longer, "direction"), (longer - 1, "constant"), *whole),
        hints=(
            f"A pitch of f Hz has a period of {rate}/f samples; pitch c lies at {lowest} · 2^(c/12) Hz.",
            f"{rate}/{window} = {rate / window:.1f} Hz. Which pitches lie below it?",
        ),
        causes={
            "constant": f"Pitch 0 is one of the 48. Print the periods and look at those near {window}.",
            "reduction": f"The periods run from {rate / lowest:.1f} samples down. Where does {window} fall?",
            "spread": "*How many* of the 48 pitches is asked for: a whole number, no length, no pitch, no share.",
        },
    )


EXERCISES = (
    Exercise(
        id="autoregressive.receptive_field",
        stub='''def receptive_field(kernel, dilations):
    """How many samples before x_t its distribution can depend on, a whole number.

    kernel: the taps of each layer; dilations: a list with one number a layer.
    """
    raise NotImplementedError''',
        points=1,
        laws=(sound.reach_of_stack,),
        reference=receptive_field,
        hints=(
            "One layer with k taps, d apart: how far is it from the first tap to the last? Layers add.",
            "1 + (kernel − 1) · sum(dilations).",
        ),
        wrong=(
            (lambda kernel, dilations: (kernel - 1) * sum(dilations), "constant"),
            (lambda kernel, dilations: kernel * sum(dilations), "one-to-one"),
            (lambda kernel, dilations: 1 + (kernel - 1) * math.prod(dilations), "reduction"),
            (lambda kernel, dilations: 1 + (kernel - 1) * len(dilations), "dependence"),
        ),
        causes={
            "constant": "Let all taps but the last be 0. Is there still a sample that x_t sees?",
            "one-to-one": "Between the first and the last of k taps, how many steps of d are there?",
            "reduction": "To reach farther back you go through one layer after the other. Do steps add or multiply?",
            "dependence": "Does a larger dilation change your number?",
            "direction": "Three taps reach farther than two. Where is the kernel in your number?",
            "shape": "One whole number is asked for, for all layers together.",
            "container": "One whole number is asked for, for all layers together.",
        },
    ),
    Exercise(
        id="autoregressive.mu_law",
        stub='''def mu_law(x, levels):
    """Amplitudes in [−1, 1], float, of any shape → μ-law codes 0..levels − 1."""
    raise NotImplementedError''',
        points=2,
        laws=(sound.codes_are_nearest,),
        reference=encode,
        hints=(
            "Squeeze first: f(x), with μ = levels − 1 and the sign put back. Then take f from [−1, 1] to [0, μ].",
            "y = x.sign() * torch.log1p(mu * x.abs()) / math.log1p(mu); ((y + 1) / 2 * mu).round().",
        ),
        wrong=(
            (lambda x, levels: ((x + 1) / 2 * (levels - 1)).round(), "spread"),
            (lambda x, levels: encode(x.abs(), levels), "sign"),
            (lambda x, levels: ((_squeezed(x, levels - 1) + 1) / 2 * (levels - 1)).floor(), "one-to-one"),
            (lambda x, levels: ((_squeezed(x, levels) + 1) / 2 * levels).round(), "constant"),
            (lambda x, levels: (_squeezed(x, levels - 1) * (levels - 1)).round(), "direction"),
        ),
        causes={
            "spread": "Are all of your steps equally wide? Which function makes them narrow near 0?",
            "sign": "Put in −0.5 and +0.5. Which one should have the lower code?",
            "one-to-one": "The nearest step is asked for. Where does a value go that lies just under one?",
            "constant": "256 codes have 255 steps between them. Where does μ stand, and where the number of levels?",
            "direction": "What is the code of −1, and what that of +1? They should be 0 and levels − 1.",
            "log-mean": "Which comes first? f is taken of x, then brought to [0, μ], and only then rounded.",
            "not-finite": "Is a step missing to a whole number? And what does yours give at 0, and below 0?",
        },
    ),
    Exercise(
        id="autoregressive.causal_conv",
        stub='''def causal_conv(x, weight, dilation):
    """y_t = Σ_j W_j x_{t−(k−1−j)d}, zeros before the start.

    x (batch, in, T), weight (out, in, k) → (batch, out, T).
    """
    raise NotImplementedError''',
        points=2,
        laws=(sound.convolution_looks_back,),
        reference=causal_conv,
        hints=(
            "F.conv1d knows dilation, and pads both ends alike. Which end needs zeros here, and how many?",
            "F.conv1d(F.pad(x, ((k − 1) · dilation, 0)), weight, dilation=dilation).",
        ),
        wrong=(
            (lambda x, w, d: F.conv1d(F.pad(x, (0, (w.shape[2] - 1) * d)), w, dilation=d), "dependence"),
            (lambda x, w, d: F.conv1d(x, w, dilation=d), "shape"),
            (lambda x, w, d: F.conv1d(F.pad(x, (w.shape[2] - 1, 0)), w), "constant"),
            (lambda x, w, d: causal_conv(x, w.flip(-1), d), "direction"),
            (lambda x, w, d: causal_conv(F.pad(x, (1, -1)), w, d), "one-to-one"),
        ),
        causes={
            "dependence": "Change the last sample. Does an earlier output change?",
            "constant": "The first tap lies (k − 1) · d samples back. How far back does yours lie?",
            "direction": "Which tap belongs to x_t itself, the first or the last?",
            "one-to-one": "The last tap lies on x_t. Is yours one place earlier? The input is moved once, elsewhere.",
            "spread": "Before the start there is silence. What do the first places of your output hear there?",
            "shape": "As many outputs as inputs: each zero too few in front costs one. How many does dilation ask for?",
        },
    ),
    Exercise(
        id="autoregressive.shorter_than_a_period",
        stub="shorter_than_a_period = ...",
        points=1,
        laws=(longer_than_the_window,),
        reference=4,
        hints=(
            "A pitch of f Hz has a period of 4000/f samples; pitch c lies at 220 · 2^(c/12) Hz.",
            "4000/15 = 267 Hz. Which pitches lie below it?",
        ),
        wrong=((8, "direction"), (3, "constant"), (12, "reduction"), (1, "reduction")),
        causes={
            "direction": "A low note has a long period. Which ones did you count?",
            "constant": "Pitch 0 is one of the twelve. Print the twelve periods and look at those near 15.",
            "reduction": "The periods run from 18.2 down to 9.6 samples. Where does 15 fall?",
            "spread": "*How many* of the twelve pitches is asked for: a whole number, no length, no pitch, no share.",
            "container": "One whole number is asked for, as `shorter_than_a_period = 7`.",
        },
        variant=longer_than_another_window,
    ),
)


def _squeezed(x: torch.Tensor, mu: int) -> torch.Tensor:
    return x.sign() * torch.log1p(mu * x.abs()) / math.log1p(mu)
