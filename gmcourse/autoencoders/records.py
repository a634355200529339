"""The records of this family; each stands beside its model."""

from gmcourse.autoencoders.autoencoder import CONVOLUTIONAL_AUTOENCODER, DEEP_AUTOENCODER

RECORDS = (
    DEEP_AUTOENCODER,
    CONVOLUTIONAL_AUTOENCODER,
)
