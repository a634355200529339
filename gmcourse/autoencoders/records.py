"""The records of this family; each stands beside its model."""

from gmcourse.autoencoders.autoencoder import CONVOLUTIONAL_AUTOENCODER, DEEP_AUTOENCODER
from gmcourse.autoencoders.contractive import CONTRACTIVE_AUTOENCODER
from gmcourse.autoencoders.denoising import DENOISING_AUTOENCODER
from gmcourse.autoencoders.sparse import K_SPARSE_AUTOENCODER, KL_SPARSE_AUTOENCODER, L1_SPARSE_AUTOENCODER

RECORDS = (
    DEEP_AUTOENCODER,
    CONVOLUTIONAL_AUTOENCODER,
    L1_SPARSE_AUTOENCODER,
    KL_SPARSE_AUTOENCODER,
    K_SPARSE_AUTOENCODER,
    DENOISING_AUTOENCODER,
    CONTRACTIVE_AUTOENCODER,
)
