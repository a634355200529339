"""Networks that several families share, and how a model is asked for samples."""

from gmcourse.nets.attention import (
    CrossBlock,
    MultiHeadAttention,
    TransformerBlock,
    attention,
    attention_weights,
    cached_attention,
    causal_mask,
    stacked_blocks,
    through,
)
from gmcourse.nets.convolution import conv_decoder, conv_encoder
from gmcourse.nets.leveled import LeveledMLP, UNet, rowwise
from gmcourse.nets.masked import MADE, MaskedLinear
from gmcourse.nets.mlp import beside, mlp
from gmcourse.nets.precision import no_autocast
from gmcourse.nets.sampling import evaluating, parts, sampling
from gmcourse.nets.told import OneHot, Told, rows_given

__all__ = [
    "MADE",
    "CrossBlock",
    "LeveledMLP",
    "MaskedLinear",
    "MultiHeadAttention",
    "OneHot",
    "Told",
    "TransformerBlock",
    "UNet",
    "attention",
    "attention_weights",
    "beside",
    "cached_attention",
    "causal_mask",
    "conv_decoder",
    "conv_encoder",
    "evaluating",
    "mlp",
    "no_autocast",
    "parts",
    "rows_given",
    "rowwise",
    "sampling",
    "stacked_blocks",
    "through",
]
