"""Variational autoencoders: a latent-variable model and the posterior that makes its likelihood tractable."""

from gmcourse.vae.gaussian import GaussianVAE
from gmcourse.vae.linear import LinearGaussian
from gmcourse.vae.sentence import SentenceVAE

__all__ = ["GaussianVAE", "LinearGaussian", "SentenceVAE"]
