"""The records of this family; each stands beside its model."""

from gmcourse.vae.conditional import CVAE_RECORD
from gmcourse.vae.gaussian import GAUSSIAN_VAE

RECORDS = (GAUSSIAN_VAE, CVAE_RECORD)
