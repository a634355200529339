"""The records of this family; each stands beside its model."""

from gmcourse.autoregressive.fvsbn import FVSBN_RECORD
from gmcourse.autoregressive.gated_pixelcnn import GATED_PIXELCNN
from gmcourse.autoregressive.made import MADE_RECORD
from gmcourse.autoregressive.nade import NADE_RECORD
from gmcourse.autoregressive.pixelcnn import PIXELCNN
from gmcourse.autoregressive.pixelcnn_pp import PIXELCNN_PP

RECORDS = (
    FVSBN_RECORD,
    NADE_RECORD,
    MADE_RECORD,
    PIXELCNN,
    GATED_PIXELCNN,
    PIXELCNN_PP,
)
