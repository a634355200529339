"""The catalogue's records of this family."""

from gmcourse.protocols import ModelRecord

RECORDS: tuple[ModelRecord, ...] = ()
