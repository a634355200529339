"""Answers to the exercises of lesson 02.7, right and wrong."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from gmcourse.autoregressive.mu_law import decode
from gmcourse.autoregressive.wavenet import causal_conv, receptive_field


def reach_by_loop(kernel, dilations):
    reach = 1
    for d in dilations:
        reach += (kernel - 1) * d
    return reach


def reach_by_gradient(kernel, dilations):
    x = torch.zeros(1, 1, 200, dtype=torch.float64, requires_grad=True)
    h = F.pad(x, (1, -1))
    for d in dilations:
        h = causal_conv(h, torch.ones(1, 1, kernel, dtype=torch.float64), d)
    h[0, 0, -1].backward()
    return 199 - int(x.grad[0, 0].nonzero()[0])


def codes_by_numpy(x, levels):
    mu, a = levels - 1, x.numpy().astype(float)
    y = np.sign(a) * np.log(1 + mu * np.abs(a)) / np.log(1 + mu)
    return np.floor((y + 1) / 2 * mu + 0.5).astype(int)


def codes_by_table(x, levels):
    """The code whose amplitude has the nearest f."""

    def f(a):
        return a.sign() * (1 + (levels - 1) * a.abs()).log2()

    table = f(decode(torch.arange(levels), levels, torch.float64))
    return (f(x.double())[..., None] - table).abs().argmin(-1)


def codes_in_place(x, levels):
    x *= levels - 1
    return x.round()


def conv_by_loop(x, weight, dilation):
    y = torch.zeros(len(x), len(weight), x.shape[2])
    taps = weight.shape[2]
    for j in range(taps):
        back = (taps - 1 - j) * dilation
        if back < x.shape[2]:
            y[:, :, back:] += torch.einsum("oi,bit->bot", weight[:, :, j], x[:, :, : x.shape[2] - back])
    return y


def conv_cropped(x, weight, dilation):
    reach = (weight.shape[2] - 1) * dilation
    return F.conv1d(x, weight, dilation=dilation, padding=reach)[..., : x.shape[2]]


def conv_module(x, weight, dilation):
    layer = torch.nn.Conv1d(weight.shape[1], weight.shape[0], weight.shape[2], dilation=dilation, bias=False)
    layer.weight.data = weight
    return layer(F.pad(x, ((weight.shape[2] - 1) * dilation, 0)))


def conv_cropped_at_the_wrong_end(x, weight, dilation):
    reach = (weight.shape[2] - 1) * dilation
    return F.conv1d(x, weight, dilation=dilation, padding=reach)[..., reach:]


def _both_ends(x, weight, dilation):
    reach = (weight.shape[2] - 1) * dilation
    return F.conv1d(F.pad(x, (reach // 2, reach - reach // 2)), weight, dilation=dilation)


def squeezed(x, mu):
    return x.sign() * torch.log1p(mu * x.abs()) / math.log1p(mu)


def reach_that_takes(kernel, dilations):
    reach = 1
    while dilations:
        reach += (kernel - 1) * dilations.pop()
    return reach


def nearest_amplitude(x, levels):
    y = (2 * torch.arange(levels) / (levels - 1) - 1).double()
    amplitudes = y.sign() * (levels ** y.abs() - 1) / (levels - 1)
    return (x[..., None] - amplitudes).abs().argmin(-1)


def conv_cropped_by_a_slice(x, weight, dilation):
    """Without dilation or with one tap nothing is left."""
    reach = (weight.shape[2] - 1) * dilation
    return F.conv1d(x, weight, dilation=dilation, padding=reach)[..., :-reach]


def conv_by_slices(x, weight, dilation):
    y = 0
    for j in range(weight.shape[2]):
        back, moved = (weight.shape[2] - 1 - j) * dilation, torch.zeros_like(x)
        moved[..., back:] = x[..., : x.shape[2] - back]
        y = y + weight[:, :, j] @ moved
    return y


RIGHT = {
    "autoregressive.receptive_field": {
        "formula": lambda k, dilations: 1 + (k - 1) * sum(dilations),
        "loop": reach_by_loop,
        "by gradient": reach_by_gradient,
        "a float": lambda k, dilations: float(receptive_field(k, dilations)),
        "a tensor": lambda k, dilations: 1 + (k - 1) * torch.tensor(dilations).sum(),
    },
    "autoregressive.mu_law": {
        "by numpy": codes_by_numpy,
        "by a table": codes_by_table,
        "as floats": lambda x, v: ((squeezed(x.double(), v - 1) + 1) / 2 * (v - 1)).round(),
    },
    "autoregressive.causal_conv": {"loop": conv_by_loop, "cropped": conv_cropped, "a module": conv_module},
    "autoregressive.shorter_than_a_period": {"four": 4, "a tensor": torch.tensor(4), "a float": 4.0},
}
WRONG = {
    "autoregressive.receptive_field": {
        "dilations taken": (reach_that_takes, "mutation"),
        "one too many": (lambda k, d: 2 + (k - 1) * sum(d), "one-to-one"),
        "a list": (lambda k, d: [1 + (k - 1) * n for n in d], "shape"),
        "without 1": (lambda k, d: (k - 1) * sum(d), "constant"),
        "k times": (lambda k, d: k * sum(d), "one-to-one"),
        "product": (lambda k, d: 1 + (k - 1) * math.prod(d), "reduction"),
        "the largest": (lambda k, d: 1 + (k - 1) * max(d), "reduction"),
        "2 to the layers": (lambda k, d: k ** len(d), "dependence"),
        "layers": (lambda k, d: 1 + len(d) * (k - 1), "dependence"),
        "two taps always": (lambda k, d: 1 + sum(d), "one-to-one"),
        "dilations alone": (lambda k, d: sum(d), "direction"),
        "nothing": (lambda k, d: None, "container"),
    },
    "autoregressive.mu_law": {
        "x/|x|": (
            lambda x, v: ((x / x.abs() * torch.log1p((v - 1) * x.abs()) / math.log(v) + 1) / 2 * (v - 1)).round(),
            "not-finite",
        ),
        "the nearest amplitude": (nearest_amplitude, "log-mean"),
        "rounded early": (lambda x, v: ((squeezed(x, v - 1) + 1) / 2).round() * (v - 1), "log-mean"),
        "always 256": (lambda x, v: ((squeezed(x, 255) + 1) / 2 * (v - 1)).round(), "constant"),
        "equal bins": (lambda x, v: ((squeezed(x, v - 1) + 1) / 2 * v).floor().clamp(max=v - 1), "constant"),
        "bytes with a sign": (
            lambda x, v: ((squeezed(x, v - 1) + 1) / 2 * (v - 1)).round().to(torch.int8),
            "direction",
        ),
        "the curve turned round": (
            lambda x, v: ((x.sign() * (v ** x.abs() - 1) / (v - 1) + 1) / 2 * (v - 1)).round(),
            "spread",
        ),
        "equal steps": (lambda x, v: ((x + 1) / 2 * (v - 1)).round().long(), "spread"),
        "cut off": (lambda x, v: ((squeezed(x, v - 1) + 1) / 2 * (v - 1)).long(), "one-to-one"),
        "the curve alone": (lambda x, v: squeezed(x, v - 1), "not-finite"),
        "V for μ": (lambda x, v: ((squeezed(x, v) + 1) / 2 * (v - 1)).round(), "constant"),
        "turned": (lambda x, v: ((1 - squeezed(x, v - 1)) / 2 * (v - 1)).round(), "sign"),
        "about 0": (lambda x, v: (squeezed(x, v - 1) * (v - 1) / 2).round(), "direction"),
        "in place": (codes_in_place, "mutation"),
        "one row": (lambda x, v: ((squeezed(x[:1], v - 1) + 1) / 2 * (v - 1)).round(), "shape"),
    },
    "autoregressive.causal_conv": {
        "cropped by a slice": (conv_cropped_by_a_slice, "shape"),
        "slices": (conv_by_slices, None),
        "the first sample held": (
            lambda x, w, d: F.conv1d(F.pad(x, ((w.shape[2] - 1) * d, 0), mode="replicate"), w, dilation=d),
            "spread",
        ),
        "2^d": (lambda x, w, d: causal_conv(x, w, 2**d), "constant"),
        "padded behind": (lambda x, w, d: F.conv1d(F.pad(x, (0, (w.shape[2] - 1) * d)), w, dilation=d), "dependence"),
        "both ends": (_both_ends, "dependence"),
        "the wrong end cropped": (conv_cropped_at_the_wrong_end, "dependence"),
        "not dilated": (lambda x, w, d: F.conv1d(F.pad(x, (w.shape[2] - 1, 0)), w), "constant"),
        "k − 1 zeros": (lambda x, w, d: F.conv1d(F.pad(x, (w.shape[2] - 1, 0)), w, dilation=d), "shape"),
        "not padded": (lambda x, w, d: F.conv1d(x, w, dilation=d), "shape"),
        "flipped": (lambda x, w, d: causal_conv(x, w.flip(-1), d), "direction"),
        "moved": (lambda x, w, d: F.pad(causal_conv(x, w, d), (1, -1)), "one-to-one"),
    },
    "autoregressive.shorter_than_a_period": {
        "a period": (18.18, "spread"),
        "the pitches": ([0, 1, 2, 3], "container"),
        "those that fit": (8, "direction"),
        "one too many": (5, "constant"),
        "all": (12, "reduction"),
        "none": (0, "reduction"),
        "another": (6, ""),
        "words": ("four", "container"),
    },
}
