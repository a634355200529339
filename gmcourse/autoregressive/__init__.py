"""Autoregressive models: a probability of anything as a product of next-step probabilities."""

from gmcourse.autoregressive.lstm import LSTMLanguageModel
from gmcourse.autoregressive.ngram import NGram

__all__ = [
    "LSTMLanguageModel",
    "NGram",
]
