"""Every law of the Wasserstein distance passes the package's own function and catches each planted bug."""

from functools import partial

import torch
from torch.nn.functional import softplus

from gmcourse.gan.losses import gradient_penalty, wgan_critic_loss
from gmcourse.laws.gan import wasserstein as laws
from gmcourse.metrics import mmd, sliced_wasserstein, wasserstein_1d, wasserstein_lp

PLANE, LINE, SPACE = (partial(laws.equals_its_dual, dims=dims) for dims in (2, 0, 5))


def nearest(x, y):
    return torch.cdist(x, y).amin(1).mean()


def sorted_gaps(x, y):
    return x.sort().values - y.sort().values


def slopes_between(h_x, h_y, x, y):
    """|h_i − h_j| / d_ij for every pair of points apart."""
    h, points = torch.cat([h_x, h_y]), torch.cat([x, y])
    apart = torch.cdist(points, points)
    return ((h[:, None] - h).abs() / apart)[apart > 0]


def certified(h_x, h_y, x, y, slope=torch.max):
    return (h_x.mean() - h_y.mean()) / slope(slopes_between(h_x, h_y, x, y))


def across(h_x, h_y, x, y):
    """The slopes that matter: from a point of y up to one of x."""
    return (h_x.mean() - h_y.mean()) / ((h_x[:, None] - h_y) / torch.cdist(x, y)).max()


def rows(mix, real):
    return mix.view(-1, *[1] * (real.dim() - 1))


def gradient(critic, real, fake, mix, graph=True, by_rows=True):
    mix = rows(mix, real) if by_rows else mix
    x = (mix * real + (1 - mix) * fake).detach().requires_grad_()
    return torch.autograd.grad(critic(x).sum(), x, create_graph=graph)[0].flatten(1)


def penalty(*arguments, **options):
    return (gradient(*arguments, **options).norm(dim=1) - 1).square().mean()


def gap(distance, weight):
    return distance + distance**2 / (2 * weight)


RIGHT = {
    PLANE: (wasserstein_lp,),
    SPACE: (wasserstein_lp,),
    LINE: (wasserstein_1d,),
    laws.bounds_distance_from_below: (certified, across),
    laws.critic_loss_is_minus_gap: (wgan_critic_loss, lambda c, real, fake: (c(fake) - c(real)).mean()),
    laws.penalty_is_by_hand: (gradient_penalty, penalty),
    laws.gap_of_penalised_critic: (gap,),
}
BUGS = {
    PLANE: {
        "the distance of the means": (lambda x, y: (x.mean(0) - y.mean(0)).norm(), "dependence"),
        "row to row": (lambda x, y: (x - y).norm(dim=1).mean(), "constant"),
        "each to its nearest": (nearest, "one-to-one"),
        "sum for mean": (lambda x, y: len(x) * wasserstein_lp(x, y), "reduction"),
        "along lines": (lambda x, y: sliced_wasserstein(x, y, 50, torch.Generator().manual_seed(0)), ""),
        "another distance": (mmd, ""),
        "the first point for all": (lambda x, y: wasserstein_lp(x[:1].expand_as(x), y), ""),
    },
    LINE: {
        "squares": (lambda x, y: sorted_gaps(x, y).square().mean(), "spread"),
        "the root of squares": (lambda x, y: sorted_gaps(x, y).square().mean().sqrt(), "log-mean"),
        "no absolute value": (lambda x, y: sorted_gaps(x, y).mean(), "dependence"),
        "not averaged": (lambda x, y: sorted_gaps(x, y).abs(), "shape"),
    },
    laws.bounds_distance_from_below: {
        "not divided by the slope": (lambda h_x, h_y, x, y: h_x.mean() - h_y.mean(), "constant"),
        "the mean slope": (partial(certified, slope=torch.mean), "spread"),
        "the least slope": (partial(certified, slope=lambda s: s[s > 1e-3].min()), ""),
        "sign": (lambda *a: -certified(*a), "sign"),
        "half of it": (lambda *a: certified(*a) / 2, "direction"),
        "sum for mean": (lambda h_x, h_y, x, y: (h_x.sum() - h_y.sum()) / slopes_between(h_x, h_y, x, y).max(), ""),
        "the critic's values": (lambda h_x, h_y, x, y: h_x, "shape"),
    },
    laws.critic_loss_is_minus_gap: {
        "sign": (lambda c, real, fake: c(real).mean() - c(fake).mean(), "sign"),
        "a sigmoid": (lambda c, real, fake: c(fake).sigmoid().mean() - c(real).sigmoid().mean(), "overflow"),
        "sum for mean": (lambda c, real, fake: (c(fake) - c(real)).sum(), "reduction"),
        "the loss of a classifier": (
            lambda c, real, fake: softplus(-c(real)).mean() + softplus(c(fake)).mean(),
            "log-mean",
        ),
        "detached": (lambda c, real, fake: wgan_critic_loss(c, real, fake).detach(), "gradient"),
        "data alone": (lambda c, real, fake: -c(real).mean(), "dependence"),
        "the critic of the mean": (lambda c, real, fake: (c(fake.mean(0, True)) - c(real.mean(0, True))).mean(), ""),
        "a row for each": (lambda c, real, fake: c(fake) - c(real), "shape"),
    },
    laws.penalty_is_by_hand: {
        "mixed by columns": (partial(penalty, by_rows=False), "one-to-one"),
        "every coordinate mixed anew": (
            lambda c, real, fake, mix: penalty(c, real, fake, torch.rand_like(real), by_rows=False),
            "randomness",
        ),
        "an α of its own": (lambda c, real, fake, mix: penalty(c, real, fake, torch.rand_like(mix)), "randomness"),
        "the first α for all": (lambda c, real, fake, mix: penalty(c, real, fake, mix[:1].expand(4)), "one-to-one"),
        "one norm for the batch": (lambda *a: (gradient(*a).norm() - 1).square(), "reduction"),
        "no graph": (partial(penalty, graph=False), "gradient"),
        "the square for the norm": (lambda *a: (gradient(*a).square().sum(1) - 1).square().mean(), "spread"),
        "towards 0": (lambda *a: gradient(*a).square().sum(1).mean(), "constant"),
        "the mean norm": (lambda *a: (gradient(*a).norm(dim=1).mean() - 1) ** 2, "log-mean"),
        "data and fakes exchanged": (lambda c, real, fake, mix: penalty(c, fake, real, mix), "direction"),
        "detached": (lambda *a: penalty(*a).detach(), "gradient"),
        "the critic not asked": (lambda c, real, fake, mix: mix.sum() * 0 + 1, ""),
    },
    laws.gap_of_penalised_critic: {
        "slope 1": (lambda distance, weight: distance, "constant"),
        "the slope": (lambda distance, weight: 1 + distance / (2 * weight), "direction"),
        "the loss": (lambda distance, weight: distance + distance**2 / (4 * weight), "dependence"),
        "no ½": (lambda distance, weight: distance + distance**2 / weight, "spread"),
        "sign": (lambda distance, weight: distance - distance**2 / (2 * weight), "sign"),
    },
}


def test_the_package_clips_before_either_loss_is_read():
    from gmcourse.gan.gan import GAN
    from gmcourse.nets import mlp

    torch.manual_seed(0)
    gan = GAN(mlp([2, 8, 2]), mlp([2, 8, 1]), 2, critic_loss=wgan_critic_loss, clip=0.01)
    gan.critic_loss(torch.randn(4, 2))
    assert max(p.abs().max() for p in gan.critic.parameters()) <= 0.01
