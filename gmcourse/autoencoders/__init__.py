"""Autoencoders: a short code for each example, what is lost on the way, and why a random code is no sample."""

from gmcourse.autoencoders.autoencoder import Autoencoder, conv_autoencoder, deep_autoencoder
from gmcourse.autoencoders.codes import CodeMixture, fit_gaussian, fit_mixture

__all__ = [
    "Autoencoder",
    "CodeMixture",
    "conv_autoencoder",
    "deep_autoencoder",
    "fit_gaussian",
    "fit_mixture",
]
