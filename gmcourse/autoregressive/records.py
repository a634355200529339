"""The records of this family; each stands beside its model."""

from gmcourse.autoregressive.lstm import LSTM_LANGUAGE_MODEL

RECORDS = (LSTM_LANGUAGE_MODEL,)
