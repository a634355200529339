"""The records of this family, in the order of its lessons; each stands beside its model."""

from gmcourse.autoencoders.autoencoder import CONVOLUTIONAL_AUTOENCODER, DEEP_AUTOENCODER
from gmcourse.autoencoders.contractive import CONTRACTIVE_AUTOENCODER
from gmcourse.autoencoders.denoising import DENOISING_AUTOENCODER
from gmcourse.autoencoders.gsn import GENERATIVE_STOCHASTIC_NETWORK
from gmcourse.autoencoders.sparse import K_SPARSE_AUTOENCODER, KL_SPARSE_AUTOENCODER, L1_SPARSE_AUTOENCODER

RECORDS = (
    DEEP_AUTOENCODER,
    CONVOLUTIONAL_AUTOENCODER,
    L1_SPARSE_AUTOENCODER,
    KL_SPARSE_AUTOENCODER,
    K_SPARSE_AUTOENCODER,
    DENOISING_AUTOENCODER,
    CONTRACTIVE_AUTOENCODER,
    GENERATIVE_STOCHASTIC_NETWORK,
)
