"""Variational autoencoders: a latent-variable model and the posterior that makes its likelihood tractable."""

from gmcourse.vae.balanced import BetaVAE
from gmcourse.vae.gaussian import GaussianVAE
from gmcourse.vae.importance import IWAE
from gmcourse.vae.linear import LinearGaussian

__all__ = ["IWAE", "BetaVAE", "GaussianVAE", "LinearGaussian"]
