"""The records of this family; each stands beside its model."""

from gmcourse.vae.gaussian import GAUSSIAN_VAE
from gmcourse.vae.vq import VQ_VAE

RECORDS = (GAUSSIAN_VAE, VQ_VAE)
