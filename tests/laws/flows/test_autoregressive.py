"""The laws of an autoregressive flow pass the right code and catch each planted bug."""

import torch

from gmcourse.laws.flows import autoregressive


def forward(x, net):
    mean, s = net(x)
    return (x - mean) * (-s).exp(), -s.sum(1)


def by_latents(x, net):
    z = torch.zeros_like(x)
    for i in range(x.shape[1]):
        mean, s = net(z)
        z[:, i] = (x[:, i] - mean[:, i]) * (-s[:, i]).exp()
    return z, -s.sum(1)


def spoiled(z=lambda z, mean, s, x: z, log_det=lambda value: value):
    def candidate(x, net):
        value, total = forward(x, net)
        return z(value, *net(x), x), log_det(total)

    return candidate


def inverse(z, net, order):
    x = torch.zeros_like(z)
    for i in order:
        mean, s = net(x)
        x[:, i] = mean[:, i] + s[:, i].exp() * z[:, i]
    return x


def by_passes(z, net, order):
    x = torch.zeros_like(z)
    for _ in order:
        mean, s = net(x)
        x = mean + s.exp() * z
    return x


def one_pass(z, net, order):
    mean, s = net(z)
    return mean + s.exp() * z


RIGHT = {
    autoregressive.standardises: (forward,),
    autoregressive.undoes: (inverse, by_passes),
    autoregressive.counts_passes: (lambda d, k: (k, d * k, d * k, k), lambda d, k: [k, k * d, k * d, k]),
}
BUGS = {
    autoregressive.standardises: {
        "log-det of the other sign": (spoiled(log_det=lambda v: -v), "sign"),
        "log-det a mean": (spoiled(log_det=lambda v: v / (4 if len(v) == 6 else 3)), "reduction"),
        "no log-det": (spoiled(log_det=lambda v: 0 * v), "constant"),
        "one log-det for the batch": (spoiled(log_det=lambda v: v.sum()), "shape"),
        "log-dets summed over the batch": (spoiled(log_det=lambda v: v.sum().expand(len(v))), "shape"),
        "the first row's log-det for all": (spoiled(log_det=lambda v: v[:1].expand(len(v))), "shape"),
        "x for z": (spoiled(z=lambda z, mean, s, x: mean + s.exp() * x), "direction"),
        "the variance for the deviation": (spoiled(z=lambda z, mean, s, x: z * (-s).exp()), "spread"),
        "not divided by the deviation": (spoiled(z=lambda z, mean, s, x: x - mean), ""),
        "the mean added": (spoiled(z=lambda z, mean, s, x: (x + mean) * (-s).exp()), "sign"),
        "mean and s exchanged": (lambda x, net: forward(x, lambda v: net(v)[::-1]), ""),
        "conditioned on z": (by_latents, "dependence"),
        "z alone": (lambda x, net: forward(x, net)[0], "container"),
    },
    autoregressive.undoes: {
        "one pass over z": (one_pass, "direction"),
        "forward again": (lambda z, net, order: forward(z, net)[0], ""),
        "orders forgotten": (lambda z, net, order: inverse(z, net, sorted(order)), "dependence"),
        "one pass over zeros": (lambda z, net, order: one_pass(0 * z, net, order), ""),
        "the network sees zeros": (
            lambda z, net, order: inverse(z, lambda x: net(torch.zeros_like(x)), order),
            "dependence",
        ),
        "back to front": (lambda z, net, order: inverse(z, net, order[::-1]), "dependence"),
        "the last coordinate not undone": (lambda z, net, order: inverse(z, net, order[:-1]), "dependence"),
        "the first row alone": (lambda z, net, order: inverse(z, net, order)[0], "shape"),
        "the first row for all": (lambda z, net, order: inverse(z, net, order)[:1].expand_as(z), ""),
    },
    autoregressive.counts_passes: {
        "MAF and IAF exchanged": (lambda d, k: (d * k, k, k, d * k), "direction"),
        "one layer": (lambda d, k: (1, d, d, 1), "reduction"),
        "costs multiplied": (lambda d, k: (k, d**k, d**k, k), "one-to-one"),
        "all quick": (lambda d, k: (k, k, k, k), "dependence"),
        "costs added": (lambda d, k: (k, d + k, d + k, k), ""),
        "one pass too many": (lambda d, k: (k, (d + 1) * k, (d + 1) * k, k), ""),
        "one number": (lambda d, k: d * k, "shape"),
    },
}


def test_passes_are_counted_on_networks():
    assert autoregressive._calls(3, 2) == (2, 6)
    assert autoregressive._calls(1, 4) == (4, 4)
