"""Generative adversarial networks: a sampler that learns from a critic."""

from gmcourse.gan.auxiliary import ACGAN
from gmcourse.gan.conditional import CGAN
from gmcourse.gan.cycle import CycleGAN
from gmcourse.gan.dcgan import dcgan_critic, dcgan_generator
from gmcourse.gan.filler import Filler
from gmcourse.gan.gain import GAIN
from gmcourse.gan.gan import GAN
from gmcourse.gan.inversion import invert
from gmcourse.gan.pix2pix import Pix2Pix
from gmcourse.gan.stylegan import StyleGAN

__all__ = [
    "ACGAN",
    "CGAN",
    "GAN",
    "dcgan_critic",
    "dcgan_generator",
    "invert",
    "CycleGAN",
    "Pix2Pix",
    "StyleGAN",
    "GAIN",
    "Filler",
]
