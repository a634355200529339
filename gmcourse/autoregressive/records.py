"""The records of this family, in the order of its lessons; each stands beside its model."""

from gmcourse.autoregressive.diagonal_lstm import DIAGONAL_BILSTM
from gmcourse.autoregressive.fvsbn import FVSBN_RECORD
from gmcourse.autoregressive.gated_pixelcnn import GATED_PIXELCNN
from gmcourse.autoregressive.lstm import LSTM_LANGUAGE_MODEL
from gmcourse.autoregressive.made import MADE_RECORD
from gmcourse.autoregressive.nade import NADE_RECORD
from gmcourse.autoregressive.pixelcnn import PIXELCNN
from gmcourse.autoregressive.pixelcnn_pp import PIXELCNN_PP
from gmcourse.autoregressive.row_lstm import ROW_LSTM
from gmcourse.autoregressive.transformer import TRANSFORMER_LANGUAGE_MODEL
from gmcourse.autoregressive.translator import TRANSLATOR
from gmcourse.autoregressive.wavenet import WAVENET

RECORDS = (
    FVSBN_RECORD,
    NADE_RECORD,
    MADE_RECORD,
    ROW_LSTM,
    DIAGONAL_BILSTM,
    PIXELCNN,
    GATED_PIXELCNN,
    PIXELCNN_PP,
    LSTM_LANGUAGE_MODEL,
    TRANSFORMER_LANGUAGE_MODEL,
    TRANSLATOR,
    WAVENET,
)
