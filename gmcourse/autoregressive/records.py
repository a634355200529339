"""The records of this family; each stands beside its model."""

from gmcourse.autoregressive.wavenet import WAVENET
from gmcourse.record import ModelRecord

RECORDS: tuple[ModelRecord, ...] = (WAVENET,)
