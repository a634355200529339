"""Autoencoders: a short code for each example, what is lost on the way, and why a random code is no sample."""

from gmcourse.autoencoders.autoencoder import Autoencoder, conv_autoencoder, deep_autoencoder

__all__ = ["Autoencoder", "conv_autoencoder", "deep_autoencoder"]
