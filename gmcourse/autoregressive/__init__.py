"""Autoregressive models: a probability of anything as a product of next-step probabilities."""

from gmcourse.autoregressive.transformer import TransformerLanguageModel
from gmcourse.autoregressive.translator import Translator

__all__ = [
    "TransformerLanguageModel",
    "Translator",
]
