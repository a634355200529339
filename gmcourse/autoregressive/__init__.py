"""Autoregressive models: a probability of anything as a product of next-step probabilities."""

from gmcourse.autoregressive.diagonal_lstm import DiagonalBiLSTM
from gmcourse.autoregressive.fvsbn import FVSBN
from gmcourse.autoregressive.made import BinaryMADE
from gmcourse.autoregressive.masked_convolution import MaskedConv2d, pixel_mask
from gmcourse.autoregressive.nade import NADE
from gmcourse.autoregressive.pixelcnn import PixelCNN
from gmcourse.autoregressive.row_lstm import RowLSTM

__all__ = [
    "FVSBN",
    "NADE",
    "BinaryMADE",
    "DiagonalBiLSTM",
    "MaskedConv2d",
    "PixelCNN",
    "RowLSTM",
    "pixel_mask",
]
