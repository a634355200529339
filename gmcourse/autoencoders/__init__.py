"""Autoencoders: a short code for each example, what is lost on the way, and why a random code is no sample."""

from gmcourse.autoencoders.autoencoder import Autoencoder, conv_autoencoder, deep_autoencoder
from gmcourse.autoencoders.gsn import GSN

__all__ = ["GSN", "Autoencoder", "conv_autoencoder", "deep_autoencoder"]
