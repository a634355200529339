"""Autoregressive models: a probability of anything as a product of next-step probabilities."""

from gmcourse.autoregressive.fvsbn import FVSBN
from gmcourse.autoregressive.gated_pixelcnn import GatedPixelCNN
from gmcourse.autoregressive.made import BinaryMADE
from gmcourse.autoregressive.masked_convolution import MaskedConv2d, pixel_mask
from gmcourse.autoregressive.nade import NADE
from gmcourse.autoregressive.pixelcnn import PixelCNN
from gmcourse.autoregressive.pixelcnn_pp import PixelCNNPP

__all__ = [
    "FVSBN",
    "NADE",
    "BinaryMADE",
    "GatedPixelCNN",
    "MaskedConv2d",
    "PixelCNN",
    "PixelCNNPP",
    "pixel_mask",
]
