"""Autoencoders: a short code for each example, what is lost on the way, and why a random code is no sample."""

from gmcourse.autoencoders.autoencoder import Autoencoder, conv_autoencoder, deep_autoencoder
from gmcourse.autoencoders.codes import CodeMixture, fit_gaussian, fit_mixture
from gmcourse.autoencoders.coding import Tables, dct_matrix, rounded_codes, water_line
from gmcourse.autoencoders.contractive import ContractiveAutoencoder
from gmcourse.autoencoders.corruption import Corruption
from gmcourse.autoencoders.denoising import DenoisingAutoencoder, denoising_autoencoder
from gmcourse.autoencoders.linear import alternate, pca_error, principal_angles, principal_subspace
from gmcourse.autoencoders.sparse import (
    KSparseAutoencoder,
    SparseAutoencoder,
    active_share,
    k_sparse,
    kl_sparsity,
    soft_threshold,
)

__all__ = [
    "Autoencoder",
    "CodeMixture",
    "ContractiveAutoencoder",
    "Corruption",
    "DenoisingAutoencoder",
    "KSparseAutoencoder",
    "SparseAutoencoder",
    "Tables",
    "active_share",
    "alternate",
    "conv_autoencoder",
    "dct_matrix",
    "deep_autoencoder",
    "denoising_autoencoder",
    "fit_gaussian",
    "fit_mixture",
    "k_sparse",
    "kl_sparsity",
    "pca_error",
    "principal_angles",
    "principal_subspace",
    "rounded_codes",
    "soft_threshold",
    "water_line",
]
