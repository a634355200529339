"""Every model of the course: each claim in a record is held against the class by the contract test."""

import difflib

from gmcourse.flows import records as flows
from gmcourse.gan import records as gan
from gmcourse.protocols import ModelRecord
from gmcourse.vae import records as vae

CATALOGUE: tuple[ModelRecord, ...] = (*vae.RECORDS, *gan.RECORDS, *flows.RECORDS)


def find(key: str) -> ModelRecord:
    """The record with this key. Raises ValueError, with the nearest keys, if there is none."""
    records = {record.key: record for record in CATALOGUE}
    if key not in records:
        close = difflib.get_close_matches(key, records) or sorted(records)
        raise ValueError(f"key: got {key!r}, expected a model of the catalogue; did you mean {', '.join(close)}?")
    return records[key]
