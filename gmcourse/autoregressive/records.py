"""The records of this family; each stands beside its model."""

from gmcourse.autoregressive.gated_pixelcnn import GATED_PIXELCNN
from gmcourse.autoregressive.pixelcnn_pp import PIXELCNN_PP
from gmcourse.record import ModelRecord

RECORDS: tuple[ModelRecord, ...] = (
    GATED_PIXELCNN,
    PIXELCNN_PP,
)
