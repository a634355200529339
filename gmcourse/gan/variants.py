"""The variants of one game over small networks: each is a pair of losses."""

import math
from functools import partial
from typing import Any

from torch import nn

from gmcourse.gan.gan import GAN, adversarial
from gmcourse.gan.losses import (
    gan_critic_loss,
    lsgan_critic_loss,
    lsgan_generator_loss,
    non_saturating_loss,
    wgan_critic_loss,
    wgan_generator_loss,
    with_gradient_penalty,
    with_r1,
)
from gmcourse.nets import mlp
from gmcourse.record import (
    IMAGES,
    VECTORS,
    Examples,
    held_then_falling_plan,
    plane_points,
    shape_of,
)

_leaky = partial(nn.LeakyReLU, 0.2)


def make_mlp_gan(data: Examples | None = None, **losses: Any) -> GAN:
    """Two networks of two hidden layers of 128. Without data: for points of the plane."""
    shape = shape_of(data, (2,))
    dims, latent_size = math.prod(shape), 2 if math.prod(shape) == 2 else 32
    ends = () if len(shape) == 1 else (nn.Sigmoid(), nn.Unflatten(1, shape))
    generator = nn.Sequential(*mlp([latent_size, 128, 128, dims]), *ends)
    critic = nn.Sequential(nn.Flatten(), *mlp([dims, 128, 128, 1], _leaky))
    return GAN(generator, critic, latent_size, **losses)


mlp_game = partial(adversarial, suits=VECTORS | IMAGES, example=plane_points)
_plan = partial(held_then_falling_plan, steps=4_000, batch_size=256, peak=1e-3)

GOODFELLOW_GAN = mlp_game(
    name="GAN",
    key="gan",
    paper="goodfellow2014",
    year=2014,
    arxiv="1406.2661",
    lesson="05_gan/01_two_player_game",
    make=partial(make_mlp_gan, critic_loss=gan_critic_loss, generator_loss=non_saturating_loss),
    plan=partial(_plan, betas=(0.5, 0.999)),
)
LSGAN = mlp_game(
    name="LSGAN",
    key="lsgan",
    paper="mao2017",
    year=2017,
    arxiv="1611.04076",
    lesson="05_gan/02_dynamics",
    make=partial(make_mlp_gan, critic_loss=lsgan_critic_loss, generator_loss=lsgan_generator_loss),
    plan=partial(_plan, betas=(0.5, 0.999)),
)
R1_GAN = mlp_game(
    name="R1-regularised GAN",
    key="r1-gan",
    paper="mescheder2018",
    year=2018,
    arxiv="1801.04406",
    lesson="05_gan/02_dynamics",
    make=partial(make_mlp_gan, critic_loss=with_r1(gan_critic_loss, 0.02), generator_loss=non_saturating_loss),
    plan=partial(_plan, betas=(0.0, 0.9)),
)
WGAN = mlp_game(
    name="WGAN",
    key="wgan",
    paper="arjovsky2017",
    year=2017,
    arxiv="1701.07875",
    lesson="05_gan/04_wasserstein_distance",
    make=partial(make_mlp_gan, critic_loss=wgan_critic_loss, generator_loss=wgan_generator_loss, clip=0.1),
    plan=partial(_plan, peak=5e-4, betas=(0.0, 0.9), critic_steps=5),
)
WGAN_GP = mlp_game(
    name="WGAN-GP",
    key="wgan-gp",
    paper="gulrajani2017",
    year=2017,
    arxiv="1704.00028",
    lesson="05_gan/04_wasserstein_distance",
    make=partial(
        make_mlp_gan, critic_loss=with_gradient_penalty(wgan_critic_loss, 0.1), generator_loss=wgan_generator_loss
    ),
    plan=partial(_plan, betas=(0.0, 0.9), critic_steps=2),
)
