"""Every model of the course: each claim in a record is held against the class by the contract test."""

import difflib

from gmcourse.autoencoders import records as autoencoders
from gmcourse.autoregressive import records as autoregressive
from gmcourse.flows import records as flows
from gmcourse.gan import records as gan
from gmcourse.record import ModelRecord
from gmcourse.scores import records as scores
from gmcourse.taxonomy import records as taxonomy
from gmcourse.vae import records as vae

CATALOGUE: tuple[ModelRecord, ...] = (
    *taxonomy.RECORDS,
    *autoregressive.RECORDS,
    *autoencoders.RECORDS,
    *vae.RECORDS,
    *gan.RECORDS,
    *flows.RECORDS,
    *scores.RECORDS,
)


def find(key: str) -> ModelRecord:
    """The record with this key, in any case. Raises ValueError, with the nearest keys, if there is none."""
    records = {record.key: record for record in CATALOGUE}
    if not isinstance(key, str):
        raise TypeError(f"key: got {type(key).__name__}, expected a string such as 'maf'")
    if (asked := key.casefold()) in records:
        return records[asked]
    near = [r.key for r in CATALOGUE if asked and (f"-{asked}" in f"-{r.key}" or asked in _initials(r.name))]
    near = near or [key for key in records if asked and asked in key] or difflib.get_close_matches(asked, records)
    said = f"did you mean {', '.join(near)}?" if near else f"the models are {', '.join(records)}"
    raise ValueError(f"key: got {key!r}, expected a model of the catalogue; {said}")


def _initials(name: str) -> str:
    return "".join(word[0] for word in name.casefold().replace(",", "").split())
