"""Autoregressive models: a probability of anything as a product of next-step probabilities."""

from gmcourse.autoregressive.wavenet import WaveNet

__all__ = [
    "WaveNet",
]
