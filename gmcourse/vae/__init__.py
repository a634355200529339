"""Variational autoencoders: a latent-variable model and the posterior that makes its likelihood tractable."""

from gmcourse.vae.balanced import BetaVAE
from gmcourse.vae.conditional import CVAE
from gmcourse.vae.gaussian import GaussianVAE
from gmcourse.vae.importance import IWAE
from gmcourse.vae.linear import LinearGaussian
from gmcourse.vae.quantizer import VectorQuantizer
from gmcourse.vae.sentence import SentenceVAE
from gmcourse.vae.vq import VQVAE

__all__ = ["CVAE", "IWAE", "VQVAE", "BetaVAE", "GaussianVAE", "LinearGaussian", "SentenceVAE", "VectorQuantizer"]
