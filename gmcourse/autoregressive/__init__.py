"""Autoregressive models: a probability of anything as a product of next-step probabilities."""

from gmcourse.autoregressive.diagonal_lstm import DiagonalBiLSTM
from gmcourse.autoregressive.row_lstm import RowLSTM

__all__ = [
    "DiagonalBiLSTM",
    "RowLSTM",
]
