"""Autoregressive models: a probability of anything as a product of next-step probabilities."""

from gmcourse.autoregressive.masked_convolution import MaskedConv2d, pixel_mask
from gmcourse.autoregressive.pixelcnn import PixelCNN

__all__ = [
    "MaskedConv2d",
    "PixelCNN",
    "pixel_mask",
]
