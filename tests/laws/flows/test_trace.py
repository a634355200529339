"""The laws of an estimated trace hold for Hutchinson's estimate and catch each planted bug."""

import torch

from gmcourse.laws.flows import trace


def signs(z, rng):
    return torch.where(torch.rand(z.shape, generator=rng) < 0.5, -1.0, 1.0).to(z.dtype)


def product(f, z, v):
    return torch.func.jvp(f, (z,), (v,))[1]


def hutchinson(f, z, rng):
    v = signs(z, rng)
    return (v * product(f, z, v)).sum(1)


def gaussian(f, z, rng):
    v = torch.randn(z.shape, generator=rng, dtype=z.dtype)
    return (v * product(f, z, v)).sum(1)


def exact(f, z, rng):
    return torch.stack(
        [product(f, z, e.expand_as(z))[:, i] for i, e in enumerate(torch.eye(z.shape[1]).to(z.dtype))]
    ).sum(0)


def uniform(f, z, rng):
    v = 2 * torch.rand(z.shape, generator=rng, dtype=z.dtype) - 1
    return (v * product(f, z, v)).sum(1)


def two_probes(f, z, rng):
    return (signs(z, rng) * product(f, z, signs(z, rng))).sum(1)


def one_probe(f, z, rng):
    v = signs(z[:1], rng).expand_as(z)
    return (v * product(f, z, v)).sum(1)


def variance(matrix):
    symmetric = (matrix + matrix.T) / 2
    return 2 * (symmetric.square().sum() - matrix.diagonal().square().sum())


RIGHT = {
    trace.trace_is_unbiased: (hutchinson, gaussian, exact),
    trace.rademacher_variance: (variance, lambda a: (a + a.T).square().triu(1).sum()),
}
BUGS = {
    trace.trace_is_unbiased: {
        "probes that are not square": (
            lambda f, z, rng: exact(f, z, rng) + 0.2 * torch.randn(len(z), generator=rng),
            "",
        ),
        "probes of variance ⅓": (uniform, "spread"),
        "sign": (lambda f, z, rng: -hutchinson(f, z, rng), "sign"),
        "not summed": (lambda f, z, rng: (v := signs(z, rng)) * product(f, z, v), "shape"),
        "one for the batch": (lambda f, z, rng: hutchinson(f, z, rng).mean(), "shape"),
        "the global generator": (lambda f, z, rng: hutchinson(f, z, torch.default_generator), "randomness"),
        "one probe for all rows": (one_probe, "dependence"),
        "two probes": (two_probes, "constant"),
        "a probe of ones": (lambda f, z, rng: product(f, z, torch.ones_like(z)).sum(1), "randomness"),
        "the Jacobian at 0": (lambda f, z, rng: hutchinson(f, 0 * z, rng), "direction"),
        "the Jacobian at the first row": (lambda f, z, rng: hutchinson(f, z[:1].repeat(len(z), 1), rng), "direction"),
        "the value for the product": (lambda f, z, rng: ((v := signs(z, rng)) * f(v)).sum(1), "direction"),
        "mean for sum": (lambda f, z, rng: hutchinson(f, z, rng) / 4, "reduction"),
    },
    trace.rademacher_variance: {
        "of Gaussian probes": (lambda a: 2 * ((a + a.T) / 2).square().sum(), "spread"),
        "not symmetrised": (lambda a: 2 * (a.square().sum() - a.diagonal().square().sum()), "direction"),
        "no 2": (lambda a: variance(a) / 2, "constant"),
        "the deviation for the variance": (lambda a: variance(a).sqrt(), "reduction"),
        "twice": (lambda a: variance(a).expand(2), "shape"),
    },
}
