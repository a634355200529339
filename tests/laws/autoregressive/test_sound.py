"""The laws of sound pass right answers and catch each planted bug."""

import math

import torch
import torch.nn.functional as F

from gmcourse.autoregressive.mu_law import encode
from gmcourse.autoregressive.wavenet import causal_conv, receptive_field
from gmcourse.laws.autoregressive import sound


def squeezed(x, mu):
    return x.sign() * torch.log1p(mu * x.abs()) / math.log1p(mu)


def padded(left, right, dilation=None):
    def conv(x, w, d):
        reach = (w.shape[2] - 1) * d
        return F.conv1d(F.pad(x, (left(reach), right(reach))), w, dilation=d if dilation is None else dilation)

    return conv


RIGHT = {
    sound.reach_of_stack: (receptive_field, lambda k, dilations: torch.tensor((k - 1) * sum(dilations) + 1)),
    sound.convolution_looks_back: (causal_conv, padded(lambda reach: reach, lambda reach: 0)),
    sound.codes_are_nearest: (encode, lambda x, v: ((squeezed(x.double(), v - 1) + 1) / 2 * (v - 1)).round()),
}
BUGS = {
    sound.reach_of_stack: {
        "the sample before forgotten": (lambda k, d: (k - 1) * sum(d), "constant"),
        "taps for gaps": (lambda k, d: 1 + k * sum(d), "one-to-one"),
        "multiplied": (lambda k, d: 1 + (k - 1) * math.prod(d), "reduction"),
        "the last layer": (lambda k, d: 1 + (k - 1) * d[-1], "reduction"),
        "depth alone": (lambda k, d: 1 + (k - 1) * len(d), "dependence"),
        "the sum": (lambda k, d: sum(d), "direction"),
        "a list": (lambda k, d: [1 + (k - 1) * part for part in d], "shape"),
        "half": (lambda k, d: receptive_field(k, d) / 2, ""),
    },
    sound.convolution_looks_back: {
        "padded behind": (padded(lambda reach: 0, lambda reach: reach), "dependence"),
        "padded on both sides": (padded(lambda reach: reach - reach // 2, lambda reach: reach // 2), "dependence"),
        "round in a circle": (
            lambda x, w, d: sum(
                torch.einsum("oi,bit->bot", w[:, :, j], x.roll((w.shape[2] - 1 - j) * d, 2)) for j in range(w.shape[2])
            ),
            "dependence",
        ),
        "not padded": (lambda x, w, d: F.conv1d(F.pad(x, (w.shape[2] - 1, 0)), w, dilation=d), "shape"),
        "not dilated": (lambda x, w, d: F.conv1d(F.pad(x, (w.shape[2] - 1, 0)), w), "constant"),
        "turned round": (lambda x, w, d: causal_conv(x, w.flip(-1), d), "direction"),
        "moved by one": (lambda x, w, d: causal_conv(F.pad(x, (1, -1)), w, d), "one-to-one"),
        "the first sample held": (
            lambda x, w, d: F.conv1d(F.pad(x, ((w.shape[2] - 1) * d, 0), mode="replicate"), w, dilation=d),
            "spread",
        ),
    },
    sound.codes_are_nearest: {
        "equal steps": (lambda x, v: ((x + 1) / 2 * (v - 1)).round(), "spread"),
        "floor": (lambda x, v: ((squeezed(x, v - 1) + 1) / 2 * (v - 1)).floor(), "one-to-one"),
        "not rounded": (lambda x, v: (squeezed(x, v - 1) + 1) / 2 * (v - 1), "not-finite"),
        "no sign": (lambda x, v: encode(x.abs(), v), "sign"),
        "μ = V": (lambda x, v: ((squeezed(x, v) + 1) / 2 * v).round(), "constant"),
        "about 0": (lambda x, v: (squeezed(x, v - 1) * (v - 1)).round(), "direction"),
        "always 256": (lambda x, v: encode(x, 256), "direction"),
    },
}
