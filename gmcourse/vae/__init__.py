"""Variational autoencoders: a latent-variable model and the posterior that makes its likelihood tractable."""

from gmcourse.vae.gaussian import GaussianVAE
from gmcourse.vae.linear import LinearGaussian
from gmcourse.vae.quantizer import VectorQuantizer
from gmcourse.vae.vq import VQVAE

__all__ = ["VQVAE", "GaussianVAE", "LinearGaussian", "VectorQuantizer"]
