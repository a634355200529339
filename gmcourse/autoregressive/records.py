"""The records of this family; each stands beside its model."""

from gmcourse.autoregressive.lstm import LSTM_LANGUAGE_MODEL
from gmcourse.autoregressive.transformer import TRANSFORMER_LANGUAGE_MODEL
from gmcourse.autoregressive.translator import TRANSLATOR

RECORDS = (
    LSTM_LANGUAGE_MODEL,
    TRANSFORMER_LANGUAGE_MODEL,
    TRANSLATOR,
)
