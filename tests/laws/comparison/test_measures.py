"""The laws of measuring hold and catch each planted bug."""

import math

import torch

from gmcourse.laws.comparison import measures


def bias(values, n, m, mean=1.0, same=1.0, half=0.5):
    pairs = torch.outer(values, values) / (values[:, None] + values[None])
    return (1 / n + 1 / m) * (mean * values.sum() + half * (pairs.sum() + same * pairs.trace()))


def bias_by_values(values, n, m):
    pairs = torch.outer(values, values) / (values[:, None] + values)
    return (1 / n + 1 / m) * (values.sum() + 0.5 * (pairs + pairs * (values[:, None] == values)).sum())


def balls(real, fake, k, itself=1, rim=torch.le):
    radii = torch.cdist(real, real).sort(1).values[:, k - 1 + itself]
    inside = rim(torch.cdist(real, fake), radii[:, None])
    return inside.double().sum(0).mean() / k, inside.any(1).double().mean()


def radii_of_the_fakes(real, fake, k):
    return balls(fake, real, k)


def precision_for_coverage(real, fake, k):
    radii = torch.cdist(real, real).sort(1).values[:, k]
    return balls(real, fake, k)[0], (torch.cdist(real, fake) <= radii[:, None]).any(0).double().mean()


def cost(share, dims):
    return -math.log(share) / math.log(2) / dims


def nearer(fake, train, held, ties=0.5):
    near, far = (torch.cdist(fake.double(), rows.double()).min(1).values for rows in (train, held))
    return ((near < far).double() + ties * (near == far).double()).mean()


def by_means(fake, train, held):
    near, far = (torch.cdist(fake.double(), rows.double()).mean(1) for rows in (train, held))
    return (near < far).double().mean()


RIGHT = {
    measures.bias_is_that_of_two_samples: (bias,),
    measures.neighbours_are_counted_in_balls_of_data: (balls,),
    measures.cost_of_a_mixture: (cost,),
    measures.nearer_rows_are_counted: (nearer,),
}
BUGS = {
    measures.bias_is_that_of_two_samples: {
        "the mean alone": (lambda *a: bias(*a, half=0.0), "dependence"),
        "the covariance alone": (lambda *a: bias(*a, mean=0.0), "dependence"),
        "the diagonal once": (lambda *a: bias(*a, same=0.0), "constant"),
        "no half": (lambda *a: bias(*a, half=1.0), "constant"),
        "δ of values": (bias_by_values, "spread"),
        "one sample": (lambda v, n, m: bias(v, n, m) / (1 + n / m), "one-to-one"),
        "2/(n + m)": (lambda v, n, m: bias(v, n, m) * 2 / (n + m) / (1 / n + 1 / m), "reduction"),
        "of the other sign": (lambda *a: -bias(*a), "sign"),
    },
    measures.neighbours_are_counted_in_balls_of_data: {
        "a point is its own neighbour": (lambda *a: balls(*a, itself=0), "one-to-one"),
        "a neighbour too many": (lambda *a: balls(*a, itself=2), "one-to-one"),
        "balls about the fakes": (radii_of_the_fakes, "direction"),
        "no rim": (lambda *a: balls(*a, rim=torch.lt), "spread"),
        "precision for coverage": (precision_for_coverage, "reduction"),
        "density not over k": (lambda r, f, k: (k * balls(r, f, k)[0], balls(r, f, k)[1]), "reduction"),
        "swapped": (lambda *a: balls(*a)[::-1], "dependence"),
        "density alone": (lambda *a: balls(*a)[0], "shape"),
    },
    measures.cost_of_a_mixture: {
        "nats": (lambda share, dims: -math.log(share) / dims, "constant"),
        "the other part": (lambda share, dims: -math.log2(max(1 - share, 1e-9)) / dims, "direction"),
        "not a dimension": (lambda share, dims: -math.log2(share), "reduction"),
        "a gain": (lambda share, dims: -cost(share, dims), "sign"),
    },
    measures.nearer_rows_are_counted: {
        "ties to train": (lambda *a: nearer(*a, ties=1.0), "one-to-one"),
        "ties to no one": (lambda *a: nearer(*a, ties=0.0), "one-to-one"),
        "the held-out share": (lambda f, t, h: nearer(f, h, t), "direction"),
        "a count": (lambda f, t, h: nearer(f, t, h) * len(f), "reduction"),
        "mean distances": (by_means, "reduction"),
    },
}
