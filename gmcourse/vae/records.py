"""The records of this family; each stands beside its model."""

from gmcourse.vae.gaussian import GAUSSIAN_VAE
from gmcourse.vae.sentence import SENTENCE_VAE

RECORDS = (GAUSSIAN_VAE, SENTENCE_VAE)
