"""Variational autoencoders: a latent-variable model and the posterior that makes its likelihood tractable."""

from gmcourse.vae.conditional import CVAE
from gmcourse.vae.gaussian import GaussianVAE
from gmcourse.vae.linear import LinearGaussian

__all__ = ["CVAE", "GaussianVAE", "LinearGaussian"]
