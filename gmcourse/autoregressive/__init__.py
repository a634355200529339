"""Autoregressive models: a probability of anything as a product of next-step probabilities."""

from gmcourse.autoregressive.lstm import LSTMLanguageModel
from gmcourse.autoregressive.ngram import NGram
from gmcourse.autoregressive.transformer import TransformerLanguageModel
from gmcourse.autoregressive.translator import Translator

__all__ = [
    "LSTMLanguageModel",
    "NGram",
    "TransformerLanguageModel",
    "Translator",
]
