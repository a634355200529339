"""The records of this family; each stands beside its model."""

from gmcourse.autoregressive.fvsbn import FVSBN_RECORD
from gmcourse.autoregressive.lstm import LSTM_LANGUAGE_MODEL
from gmcourse.autoregressive.made import MADE_RECORD
from gmcourse.autoregressive.nade import NADE_RECORD
from gmcourse.autoregressive.pixelcnn import PIXELCNN
from gmcourse.record import ModelRecord

RECORDS: tuple[ModelRecord, ...] = (
    FVSBN_RECORD,
    NADE_RECORD,
    MADE_RECORD,
    PIXELCNN,
    LSTM_LANGUAGE_MODEL,
)
