"""The records of this family; each stands beside its model."""

from gmcourse.autoencoders.contractive import CONTRACTIVE_AUTOENCODER
from gmcourse.autoencoders.denoising import DENOISING_AUTOENCODER

RECORDS = (DENOISING_AUTOENCODER, CONTRACTIVE_AUTOENCODER)
