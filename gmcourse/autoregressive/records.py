"""The records of this family, in the order of its lessons; each stands beside its model."""

from gmcourse.autoregressive.fvsbn import FVSBN_RECORD
from gmcourse.autoregressive.lstm import LSTM_LANGUAGE_MODEL
from gmcourse.autoregressive.made import MADE_RECORD
from gmcourse.autoregressive.nade import NADE_RECORD
from gmcourse.autoregressive.pixelcnn import PIXELCNN
from gmcourse.autoregressive.transformer import TRANSFORMER_LANGUAGE_MODEL
from gmcourse.autoregressive.translator import TRANSLATOR

RECORDS = (
    FVSBN_RECORD,
    NADE_RECORD,
    MADE_RECORD,
    PIXELCNN,
    LSTM_LANGUAGE_MODEL,
    TRANSFORMER_LANGUAGE_MODEL,
    TRANSLATOR,
)
