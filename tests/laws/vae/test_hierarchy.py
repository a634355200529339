"""The laws of two levels pass right answers and catch each planted bug."""

import math
from functools import partial

import torch

from gmcourse.laws.vae import hierarchy as laws
from gmcourse.vae.hierarchy import TwoLevelVQ, level_networks, total_bits
from gmcourse.vae.likelihoods import Gaussian
from gmcourse.vae.quantizer import VectorQuantizer


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


TOP, BOTTOM, PLACES = (5, 2), (7, 3), ((2,), (8,))
X = torch.randn(4, 2, 8, generator=seeded())
UP, JOIN = torch.randn(2, 2, generator=seeded(1)), torch.randn(4, 3, generator=seeded(2))


def near(z, book):
    return torch.cdist(z, book).argmin(-1)


def small(x, top_book, bottom_book, bug=""):
    """Two levels of matrices: a top code for four places, a bottom code for each."""
    h = x.transpose(1, 2)
    below = near(torch.cat([h, 0 * h], 2) @ JOIN, bottom_book)
    seen = h + bottom_book[below][..., :2] if bug == "the top reads bottom codes" else h
    top = near(seen.unflatten(1, (2, 4)).mean(2) @ UP, top_book)
    raised = top_book[top].repeat_interleave(4, 1)
    told = 0 * raised if bug == "the bottom is not told" else raised
    z = torch.cat([h, told], 2) @ JOIN
    bottom = near(z[..., :2], top_book) if bug == "one book for both" else near(z, bottom_book)
    slips = {
        "counted from 1": (top, bottom + 1 + (bottom.max() < 6)),
        "levels exchanged": (bottom, top),
        "the first row for all": (top[:1].expand_as(top), bottom[:1].expand_as(bottom)),
        "one code": (0 * top, bottom),
        "the top alone": top,
    }
    return slips.get(bug, (top, bottom))


def of_model():
    torch.manual_seed(0)
    networks = level_networks(1, 2, 2, halvings=(2, 0), dims=(2, 3), width=8)
    quantizers = VectorQuantizer(*TOP, start="noise"), VectorQuantizer(*BOTTOM, start="noise")
    model = TwoLevelVQ(networks, *quantizers, Gaussian(1.0), PLACES).eval()
    with torch.no_grad():
        for weight in networks.parameters():
            weight.mul_(3.0)  # so that the top is heard at the bottom before any training

    def codes(x, top_book, bottom_book):
        with torch.no_grad():
            model.top.book.copy_(top_book)
            model.bottom.book.copy_(bottom_book)
            return tuple(model.codes(x))

    return codes


BIT = math.log(2)


def bits(weight=1.0, unit=1 / BIT):
    return lambda t, b, r: -(weight * t.flatten(1).sum(1) + b.flatten(1).sum(1) + r.flatten(1).sum(1)) * unit


def per_entry(t, b, r):
    return -(t.mean(1) + b.mean(1) + r.flatten(1).mean(1)) / math.log(2)


ORDER = partial(laws.top_stands_first, x=X, top=TOP, bottom=BOTTOM, places=PLACES)

RIGHT = {
    laws.lengths_add: (total_bits, bits(), lambda t, b, r: [float(row) for row in bits()(t, b, r)]),
    ORDER: (small, of_model()),
}
BUGS = {
    laws.lengths_add: {
        "nats": (bits(unit=1.0), "spread"),
        "codes in bits, the rest in nats": (
            lambda t, b, r: -(t.sum(1) + b.sum(1)) / math.log(2) - r.flatten(1).sum(1),
            "spread",
        ),
        "the top once for each of its bottom codes": (bits(4.0), "constant"),
        "sign": (bits(unit=-1 / BIT), "sign"),
        "a mean over codes": (per_entry, "reduction"),
        "bits for a value": (lambda t, b, r: total_bits(t, b, r) / r[0].numel(), "reduction"),
        "the rate alone": (lambda t, b, r: total_bits(t, b, 0 * r), "dependence"),
        "no top": (lambda t, b, r: total_bits(0 * t, b, r), "dependence"),
        "the mean of the batch for each": (lambda t, b, r: total_bits(t, b, r).mean().expand(len(t)), "shape"),
        "decimal": (bits(unit=1 / math.log(10)), "spread"),
    },
    ORDER: {
        "the bottom is not told": (partial(small, bug="the bottom is not told"), "dependence"),
        "the top reads bottom codes": (partial(small, bug="the top reads bottom codes"), "direction"),
        "one book for both": (partial(small, bug="one book for both"), "constant"),
        "counted from 1": (partial(small, bug="counted from 1"), "shape"),
        "levels exchanged": (partial(small, bug="levels exchanged"), "shape"),
        "the first row for all": (partial(small, bug="the first row for all"), "shape"),
        "one code": (partial(small, bug="one code"), "constant"),
        "the top alone": (partial(small, bug="the top alone"), "container"),
    },
}
