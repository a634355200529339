"""The catalogue's records of this family."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from gmcourse.data.dataset import float_event_shape
from gmcourse.gan.dcgan import dcgan_critic, dcgan_generator
from gmcourse.gan.gan import GAN
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
from gmcourse.protocols import Adversarial, ModelRecord, Sampler
from gmcourse.schedules import held_then_falling

_leaky = partial(nn.LeakyReLU, 0.2)


def _build(data: Any = None, **losses: Any) -> GAN:
    """Two networks of two hidden layers of 128. Without data: for points of the plane."""
    shape = float_event_shape(data, (2,))
    dims, latent_size = math.prod(shape), 2 if math.prod(shape) == 2 else 32
    ends = () if len(shape) == 1 else (nn.Sigmoid(), nn.Unflatten(1, shape))
    generator = nn.Sequential(*mlp([latent_size, 128, 128, dims]), *ends)
    critic = nn.Sequential(nn.Flatten(), *mlp([dims, 128, 128, 1], _leaky))
    return GAN(generator, critic, latent_size, **losses)


def build_dcgan(data: Any = None) -> GAN:
    """DCGAN for grey or coloured images in [0, 1]. Without data: for 8 × 8 images of one channel."""
    shape = float_event_shape(data, (1, 8, 8))
    if len(shape) != 3:
        raise TypeError(f"data: {data.key} holds events of shape {shape}, expected images (channel, height, width)")
    latent_size, width = 64, 32
    return GAN(dcgan_generator(latent_size, shape, width), dcgan_critic(shape, width), latent_size)


def _recipe(
    data: Any = None, *, steps: int = 4_000, peak: float = 1e-3, betas: tuple[float, float] = (0.5, 0.999), **turns: int
) -> dict[str, Any]:
    """Adam with the rate held for half the run, then brought to 0 in a straight line."""
    return {
        "steps": steps,
        "batch_size": 256 if data is None else min(256, len(data.train)),
        "lr": held_then_falling(peak, steps),
        "betas": betas,
        **turns,
    }


def dcgan_recipe(data: Any = None) -> dict[str, Any]:
    """The paper's Adam, batches of 64, the rate brought to 0 over the second half."""
    large = data is not None and math.prod(data.event_shape) >= 256
    recipe = _recipe(data, steps=10_000 if large else 2_000, peak=2e-4 if large else 5e-4)
    return recipe | {"batch_size": 64}


def points(n: int, seed: int = 0) -> tuple[Tensor]:
    """Standard normal points of the plane, (n, 2)."""
    return (torch.randn(n, 2, generator=torch.Generator().manual_seed(seed)),)


def images(n: int, seed: int = 0) -> tuple[Tensor]:
    """Uniform noise as images, (n, 1, 8, 8)."""
    return (torch.rand(n, 1, 8, 8, generator=torch.Generator().manual_seed(seed)),)


def _record(
    name: str,
    key: str,
    paper: str,
    year: int,
    arxiv: str,
    lesson: str,
    build: Callable[..., GAN],
    recipe: Callable[..., dict[str, Any]] = _recipe,
    example: Callable[..., tuple[Tensor]] = points,
) -> ModelRecord:
    """A record of this family: a sampler without a density, learned in a game."""
    return ModelRecord(
        name=name,
        key=key,
        family="gan",
        branch=("implicit density", "adversarial"),
        density="implicit",
        claims=(Sampler, Adversarial),
        paper=paper,
        year=year,
        arxiv=arxiv,
        lesson=f"05_gan/{lesson}",
        build=build,
        recipe=recipe,
        example=example,
    )


RECORDS = (
    _record(
        "GAN",
        "gan",
        "Goodfellow et al., Generative Adversarial Nets",
        2014,
        "1406.2661",
        "01_two_player_game",
        partial(_build, critic_loss=gan_critic_loss, generator_loss=non_saturating_loss),
    ),
    _record(
        "LSGAN",
        "lsgan",
        "Mao et al., Least Squares Generative Adversarial Networks",
        2017,
        "1611.04076",
        "02_dynamics_and_collapse",
        partial(_build, critic_loss=lsgan_critic_loss, generator_loss=lsgan_generator_loss),
    ),
    _record(
        "R1-regularised GAN",
        "r1-gan",
        "Mescheder et al., Which Training Methods for GANs do actually Converge?",
        2018,
        "1801.04406",
        "02_dynamics_and_collapse",
        partial(_build, critic_loss=with_r1(gan_critic_loss, 0.02), generator_loss=non_saturating_loss),
        partial(_recipe, betas=(0.0, 0.9)),
    ),
    _record(
        "WGAN",
        "wgan",
        "Arjovsky et al., Wasserstein GAN",
        2017,
        "1701.07875",
        "03_wasserstein_distance",
        partial(_build, critic_loss=wgan_critic_loss, generator_loss=wgan_generator_loss, clip=0.1),
        partial(_recipe, peak=5e-4, betas=(0.0, 0.9), critic_steps=5),
    ),
    _record(
        "WGAN-GP",
        "wgan-gp",
        "Gulrajani et al., Improved Training of Wasserstein GANs",
        2017,
        "1704.00028",
        "03_wasserstein_distance",
        partial(_build, critic_loss=with_gradient_penalty(wgan_critic_loss, 0.1), generator_loss=wgan_generator_loss),
        partial(_recipe, betas=(0.0, 0.9), critic_steps=2),
    ),
    _record(
        "DCGAN",
        "dcgan",
        "Radford et al., Unsupervised Representation Learning with Deep Convolutional Generative Adversarial Networks",
        2016,
        "1511.06434",
        "04_convolutions",
        build_dcgan,
        dcgan_recipe,
        images,
    ),
)
