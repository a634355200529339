"""Every law of bins and bits passes the right function and catches each planted bug."""

import math
from functools import partial

import pytest
import torch
from torch.distributions import Normal

from gmcourse.laws.flows import dequantisation

CODE, PAIRS = partial(dequantisation.is_a_code, levels=5), partial(dequantisation.is_a_code, levels=5, dims=2)


def bits(log_prob, dims, levels):
    return -log_prob / (dims * math.log(2)) + math.log2(levels)


def volume(x, alpha, reduce=torch.sum):
    y = alpha + (1 - 2 * alpha) * x
    return reduce(math.log(1 - 2 * alpha) - y.log() - (1 - y).log(), 1)


def bound(p, x, u, q):
    return (p(x + u) - q).logsumexp(0) - math.log(len(u))


def spikes(x):
    """A mixture of narrow Gaussians on five levels, read as if it were a probability."""
    return Normal(torch.arange(5.0), 0.1).log_prob(x.float()).logsumexp(1) - math.log(5)


def bins(x):
    levels = torch.arange(5.0).double()
    mass = Normal(levels, 0.1).cdf(torch.linspace(-0.5, 5.5, 7).double()[:, None]).diff(dim=0).mean(1)
    return mass[x[:, 0]].log()


def uniform(x):
    return torch.full((len(x),), -2 * math.log(5))


RIGHT = {
    CODE: (bins,),
    PAIRS: (uniform,),
    dequantisation.bits_of_a_density: (bits,),
    dequantisation.logit_counts_volume: (volume,),
    dequantisation.bin_is_bounded: (bound,),
}
BUGS = {
    CODE: {
        "spikes at the levels": (spikes, ""),
        "the density of v, not divided by the levels": (lambda x: x[:, 0] * 0.0, ""),
        "a density at the levels": (lambda x: Normal(2.0, 0.3).log_prob(x.float())[:, 0], ""),
        "one value for all": (lambda x: bins(x).sum(), "shape"),
    },
    PAIRS: {
        "mean over pixels": (lambda x: uniform(x) / 2, ""),
        "one pixel of two": (lambda x: bins(x), ""),
    },
    dequantisation.bits_of_a_density: {
        "levels forgotten": (lambda p, d, v: -p / (d * math.log(2)), "constant"),
        "nats and bits": (lambda p, d, v: -p / d + math.log2(v), "spread"),
        "in nats": (lambda p, d, v: bits(p, d, v) * math.log(2), "spread"),
        "of the whole image": (lambda p, d, v: bits(p, d, v) * d, "reduction"),
        "levels counted once": (lambda p, d, v: -p / math.log(2) + math.log2(v), "reduction"),
        "sign of log p": (lambda p, d, v: p / (d * math.log(2)) + math.log2(v), "sign"),
        "sign of all": (lambda p, d, v: -bits(p, d, v), "sign"),
        "mean over the batch": (lambda p, d, v: bits(p, d, v).mean(), "shape"),
        "the first row for all": (lambda p, d, v: bits(p, d, v)[:1].expand(len(p)), "shape"),
    },
    dequantisation.logit_counts_volume: {
        "the slope 1 − 2α left out": (lambda x, a: volume(x, a) - x.shape[1] * math.log(1 - 2 * a), "constant"),
        "sign": (lambda x, a: -volume(x, a), "sign"),
        "mean for sum": (lambda x, a: volume(x, a, torch.mean), "reduction"),
        "no α": (lambda x, a: volume(x, 0.0), "not-finite"),
        "α counted once": (lambda x, a: volume(x, a / 2), ""),
        "one for the batch": (lambda x, a: volume(x, a).sum(), "shape"),
        "the first row for all": (lambda x, a: volume(x[:1], a).expand(len(x)), "shape"),
    },
    dequantisation.bin_is_bounded: {
        "q multiplied": (lambda p, x, u, q: bound(p, x, u, -q), "sign"),
        "mean of logarithms": (lambda p, x, u, q: (p(x + u) - q).mean(0), "log-mean"),
        "bins around the level": (lambda p, x, u, q: bound(p, x, u - 0.5, q), "direction"),
        "q left out": (lambda p, x, u, q: bound(p, x, u, 0 * q), "dependence"),
        "not divided by K": (lambda p, x, u, q: (p(x + u) - q).logsumexp(0), "constant"),
        "x left out": (lambda p, x, u, q: bound(p, 0 * x, u, q), "direction"),
        "not in logarithms": (lambda p, x, u, q: (p(x + u) - q).exp().mean(0).log(), "not-finite"),
        "the first image for all": (lambda p, x, u, q: bound(p, x[:1].expand_as(x), u, q), ""),
        "pixels back to front": (lambda p, x, u, q: bound(p, x, u.flip(-1), q), ""),
        "the first draw alone": (lambda p, x, u, q: bound(p, x, u[:1], q[:1]), ""),
        "one row more": (lambda p, x, u, q: bound(p, x, u, q)[None], "shape"),
    },
}


def test_toy_mass_by_quadrature():
    y = (torch.arange(100_000, dtype=torch.float64) + 0.5) / 100_000
    for x in (torch.tensor([[0.0, 0.0]]), torch.tensor([[-1.0, 2.0]])):
        shares = dequantisation.TOY.log_prob(x.double() + y[:, None]).exp().mean(0)
        assert dequantisation.toy_log_mass(x.double()).item() == pytest.approx(shares.log().sum().item(), abs=1e-7)


def test_too_many_images_are_refused():
    with pytest.raises(ValueError, match="at most 100000 images"):
        dequantisation.is_a_code(spikes, 17, 64)
