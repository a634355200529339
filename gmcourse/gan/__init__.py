"""Generative adversarial networks: a sampler that learns from a critic."""

from gmcourse.gan.dcgan import dcgan_critic, dcgan_generator
from gmcourse.gan.gan import GAN

__all__ = ["GAN", "dcgan_critic", "dcgan_generator"]
