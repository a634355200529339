"""The law of gates passes right answers and catches each planted bug."""

import torch

from gmcourse.autoregressive.gated_pixelcnn import gate
from gmcourse.laws.autoregressive import gating


def parts(x, given):
    return (x + given[:, :, None, None]).chunk(2, 1)


def of(join):
    return lambda x, given: join(*parts(x, given))


def two_ways(x, given, first=torch.tanh, second=torch.sigmoid):
    """Each half by itself."""
    p = x.shape[1] // 2
    return first(x[:, :p] + given[:, :p, None, None]) * second(x[:, p:] + given[:, p:, None, None])


RIGHT = {
    gating.gate_multiplies: (gate, two_ways, of(lambda f, g: torch.nn.functional.glu(torch.cat([f.tanh(), g], 1), 1)))
}
BUGS = {
    gating.gate_multiplies: {
        "halves swapped": (of(lambda f, g: f.sigmoid() * g.tanh()), "direction"),
        "the class swapped": (lambda x, given: gate(x, given.roll(given.shape[1] // 2, 1)), "direction"),
        "no class": (lambda x, given: gate(x), "dependence"),
        "the gate is not told": (
            lambda x, given: gate(x, given * (torch.arange(given.shape[1]) < given.shape[1] // 2)),
            "constant",
        ),
        "the class afterwards": (lambda x, given: gate(x) + given.chunk(2, 1)[0][:, :, None, None], "log-mean"),
        "a sum": (of(lambda f, g: f.tanh() + g.sigmoid()), "reduction"),
        "no tanh": (of(lambda f, g: f * g.sigmoid()), "spread"),
        "tanh twice": (of(lambda f, g: f.tanh() * g.tanh()), "spread"),
        "maps in pairs": (
            lambda x, given: gate(torch.cat([x[:, ::2], x[:, 1::2]], 1), torch.cat([given[:, ::2], given[:, 1::2]], 1)),
            "one-to-one",
        ),
        "the first class for all": (lambda x, given: gate(x, given[:1]), "shape"),
        "the mean class": (lambda x, given: gate(x, given.mean(0, keepdim=True)), "shape"),
        "less the class": (lambda x, given: gate(x, -given), "sign"),
        "a tanh of exponentials": (
            of(lambda f, g: ((2 * f).exp() - 1) / ((2 * f).exp() + 1) * g.sigmoid()),
            "not-finite",
        ),
        "clipped": (of(lambda f, g: f.tanh() * g.clamp(-5, 5).sigmoid()), "overflow"),
        "all of it": (lambda x, given: x + given[:, :, None, None], "shape"),
        "a softsign": (of(lambda f, g: f / (1 + f.abs()) * g.sigmoid()), ""),
    },
}
