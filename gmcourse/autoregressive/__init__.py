"""Autoregressive models: a probability of anything as a product of next-step probabilities."""

from gmcourse.autoregressive.fvsbn import FVSBN
from gmcourse.autoregressive.lstm import LSTMLanguageModel
from gmcourse.autoregressive.made import BinaryMADE
from gmcourse.autoregressive.masked_convolution import MaskedConv2d, pixel_mask
from gmcourse.autoregressive.nade import NADE
from gmcourse.autoregressive.ngram import NGram
from gmcourse.autoregressive.pixelcnn import PixelCNN
from gmcourse.autoregressive.transformer import TransformerLanguageModel
from gmcourse.autoregressive.translator import Translator

__all__ = [
    "FVSBN",
    "NADE",
    "BinaryMADE",
    "LSTMLanguageModel",
    "MaskedConv2d",
    "NGram",
    "PixelCNN",
    "TransformerLanguageModel",
    "Translator",
    "pixel_mask",
]
