"""Autoregressive models: a probability of anything as a product of next-step probabilities."""

from gmcourse.autoregressive.diagonal_lstm import DiagonalBiLSTM
from gmcourse.autoregressive.fvsbn import FVSBN
from gmcourse.autoregressive.gated_pixelcnn import GatedPixelCNN
from gmcourse.autoregressive.lstm import LSTMLanguageModel
from gmcourse.autoregressive.made import BinaryMADE
from gmcourse.autoregressive.masked_convolution import MaskedConv2d, pixel_mask
from gmcourse.autoregressive.nade import NADE
from gmcourse.autoregressive.ngram import NGram
from gmcourse.autoregressive.pixelcnn import PixelCNN
from gmcourse.autoregressive.pixelcnn_pp import PixelCNNPP
from gmcourse.autoregressive.row_lstm import RowLSTM
from gmcourse.autoregressive.transformer import TransformerLanguageModel
from gmcourse.autoregressive.translator import Translator
from gmcourse.autoregressive.wavenet import WaveNet

__all__ = [
    "FVSBN",
    "NADE",
    "BinaryMADE",
    "RowLSTM",
    "DiagonalBiLSTM",
    "MaskedConv2d",
    "pixel_mask",
    "PixelCNN",
    "GatedPixelCNN",
    "PixelCNNPP",
    "NGram",
    "LSTMLanguageModel",
    "TransformerLanguageModel",
    "Translator",
    "WaveNet",
]
