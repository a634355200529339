"""The records of this family; each stands beside its model."""

from gmcourse.autoregressive.pixelcnn import PIXELCNN
from gmcourse.record import ModelRecord

RECORDS: tuple[ModelRecord, ...] = (PIXELCNN,)
