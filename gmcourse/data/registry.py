"""All data sets by key."""

import inspect
from difflib import get_close_matches

from gmcourse.data import embedded, published, synthetic, toys
from gmcourse.data.dataset import Dataset, Entry

_ENTRIES = {entry.key: entry for module in (embedded, synthetic, toys, published) for entry in module.ENTRIES}

KEYS: tuple[str, ...] = tuple(_ENTRIES)


def describe(key: str) -> Entry:
    """The entry of a data set (key, name, kind, licence, source), without loading it.

    Raises ValueError, with close matches, where no set has that key.
    """
    if not isinstance(key, str):
        raise TypeError(f"key must be a string such as 'digits', got {type(key).__name__}")
    if key not in _ENTRIES:
        close = get_close_matches(key, KEYS, n=3) or KEYS
        raise ValueError(f"key: no data set {key!r}; did you mean {', '.join(close)}?")
    return _ENTRIES[key]


def load(key: str, **options) -> Dataset:
    """Load a data set: the same tensors for the same key and options, every time.

    Options are those of the set, for example `load("two-moons", noise=0.2)`; an unknown one is a TypeError. Sets of
    kind "download" are looked for in the folder named by GMCOURSE_DATA, then in the cache, then on their mirrors, and
    raise `DataUnavailable` where none has them.
    """
    entry = describe(key)
    allowed = inspect.signature(entry.build).parameters
    if unknown := [name for name in options if name not in allowed]:
        raise TypeError(f"{key} has no option {unknown[0]!r}; its options: {', '.join(allowed) or 'none'}")
    fields = entry.build(**options)
    event_shape = fields.pop("event_shape", tuple(fields["train"].shape[1:]))
    fields.setdefault("labels", None)
    return Dataset(key, entry.name, event_shape=event_shape, licence=entry.licence, source=entry.source, **fields)
