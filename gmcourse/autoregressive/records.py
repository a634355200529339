"""The records of this family; each stands beside its model."""

from gmcourse.autoregressive.diagonal_lstm import DIAGONAL_BILSTM
from gmcourse.autoregressive.row_lstm import ROW_LSTM

RECORDS = (
    ROW_LSTM,
    DIAGONAL_BILSTM,
)
