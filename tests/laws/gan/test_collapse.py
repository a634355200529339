"""Every law of collapse passes the package's own function and catches each planted bug."""

import math

import torch

from gmcourse.gan.losses import feature_matching_loss
from gmcourse.gan.minibatch import MinibatchDiscrimination
from gmcourse.laws.gan import collapse
from gmcourse.metrics.coverage import modes


def nearness(places, distance=lambda gaps: gaps.abs().sum(-1)):
    return torch.exp(-distance(places[:, None] - places[None])).sum(1)


def by_layer(places):
    """The layer's own nearness, its learned map left out."""
    layer = MinibatchDiscrimination(6, 3, 2).double()
    with torch.no_grad():
        layer.weight.copy_(torch.eye(6).view(6, 3, 2))
    return layer.nearness(places.flatten(1))


def counted(x, centres, std, norm=2, radius=3.0, share=0.01):
    """Modes found and quality, with another distance, radius or share."""
    near = torch.cdist(x, centres, p=norm) <= radius * std
    return (near.double().mean(0) >= share).sum().double(), near.any(1).double().mean()


def found(x, centres, std, **options):
    return counted(x, centres, std, **options)[0], counted(x, centres, std)[1]


RIGHT = {
    collapse.features_agree_in_the_mean: (feature_matching_loss,),
    collapse.rows_see_their_neighbours: (nearness, by_layer),
    collapse.modes_are_counted: (modes, counted),
}
BUGS = {
    collapse.features_agree_in_the_mean: {
        "mean over features": (lambda c, real, fake: feature_matching_loss(c, real, fake) / 4, "reduction"),
        "logits for features": (lambda c, real, fake: (c(real).mean() - c(fake).mean()) ** 2, "dependence"),
        "pairs of rows": (lambda c, real, fake: (c[:-1](real) - c[:-1](fake[:5])).square().mean(), "log-mean"),
        "the norm for its square": (lambda c, real, fake: feature_matching_loss(c, real, fake).sqrt(), "spread"),
        "detached": (lambda c, real, fake: feature_matching_loss(c, real, fake).detach(), "gradient"),
        "fakes detached": (lambda c, real, fake: feature_matching_loss(c, real, fake.detach()), "gradient"),
        "the first fake for all": (lambda c, real, fake: feature_matching_loss(c, real, fake[:1]), ""),
    },
    collapse.rows_see_their_neighbours: {
        "itself left out": (lambda m: nearness(m) - 1, "constant"),
        "mean for sum": (lambda m: nearness(m) / len(m), "reduction"),
        "the Euclidean norm": (lambda m: nearness(m, lambda gaps: gaps.norm(dim=-1)), "spread"),
        "squares": (lambda m: nearness(m, lambda gaps: gaps.square().sum(-1)), "spread"),
        "sign": (lambda m: nearness(m, lambda gaps: -gaps.abs().sum(-1)), "sign"),
        "no absolute value": (lambda m: nearness(m, lambda gaps: gaps.sum(-1)), "dependence"),
        "summed over kernels": (lambda m: nearness(m).sum(1), "shape"),
        "the first row for all": (lambda m: nearness(m)[:1].expand(m.shape[:2]), ""),
    },
    collapse.modes_are_counted: {
        "more than a hundredth of the rows, counted": (
            lambda x, c, std: found(x, c, std, share=0.01 + 0.005 / len(x) * (len(x) < 500)),
            "direction",
        ),
        "no least share": (lambda x, c, std: modes(x, c, std, share=1e-6), "constant"),
        "too large a share": (lambda x, c, std: modes(x, c, std, share=0.2), "reduction"),
        "> for ≥": (lambda x, c, std: found(x, c, std, share=0.01001), "direction"),
        "the variance for the deviation": (lambda x, c, std: modes(x, c, std**2), "spread"),
        "ten times the radius": (lambda x, c, std: modes(x, c, 10 * std), "dependence"),
        "a square for a disc": (lambda x, c, std: counted(x, c, std, norm=math.inf), "one-to-one"),
        "city blocks": (lambda x, c, std: counted(x, c, std, norm=1), "one-to-one"),
        "found alone": (lambda x, c, std: modes(x, c, std).found, "shape"),
    },
}
