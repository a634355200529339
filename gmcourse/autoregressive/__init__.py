"""Autoregressive models: a probability of anything as a product of next-step probabilities."""

from gmcourse.autoregressive.fvsbn import FVSBN
from gmcourse.autoregressive.made import BinaryMADE
from gmcourse.autoregressive.nade import NADE

__all__ = [
    "FVSBN",
    "NADE",
    "BinaryMADE",
]
