"""All data sets by key, and your own by path."""

import inspect
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from gmcourse.data import embedded, files, number_words, published, sentences, synthetic, toys
from gmcourse.data.dataset import Dataset, Entry

_ENTRIES = {
    entry.key: entry
    for module in (embedded, synthetic, number_words, sentences, toys, published)
    for entry in module.ENTRIES
}

KEYS: tuple[str, ...] = tuple(_ENTRIES)


def describe(key: str | Path) -> Entry:
    """The entry of a data set (key, name, kind, licence, source, shape, type, rows), without loading it.

    Case does not matter, nor whether "-" or "_" joins the words. A path to a file or folder of yours has an entry too.
    Raises ValueError, with close matches, where no set has that key.
    """
    if not isinstance(key, (str, Path)):
        raise TypeError(f"key must be a string such as 'digits', or a path, got {type(key).__name__}")
    plain = str(key).lower().replace("_", "-")
    if isinstance(key, str) and plain in _ENTRIES:
        return _ENTRIES[plain]
    if files.is_path(key):
        return files.entry(key)
    if close := get_close_matches(plain, KEYS, n=3):
        raise ValueError(f"key: no data set {key!r}; did you mean {', '.join(close)}?")
    raise ValueError(
        f"key: no data set {key!r}; the sets are {', '.join(KEYS)}, or a path to a file or folder of yours"
    )


def load(key: str | Path, **options: Any) -> Dataset:
    """Load a data set: the same tensors for the same key and options, every time.

    Options are those of the set, for example `load("two-moons", noise=0.2)`; an unknown one is a TypeError. Sets of
    kind "download" are looked for in the folder named by GMCOURSE_DATA, then in the cache, then on their mirrors, and
    raise `DataUnavailable` where none has them. A path, `load("wines.csv")`, is read by `from_file`.
    """
    entry = describe(key)
    allowed = inspect.signature(files.from_file if entry.kind == "own" else entry.build).parameters
    known = [name for name in allowed if name != "path"]
    if unknown := [name for name in options if name not in known]:
        raise TypeError(f"{key} has no option {unknown[0]!r}; its options: {', '.join(known) or 'none'}")
    if entry.kind == "own":
        return files.from_file(key, **options)
    fields = entry.build(**options)
    event_shape = fields.pop("event_shape", tuple(fields["train"].shape[1:]))
    fields.setdefault("labels", None)
    return Dataset(entry.key, entry.name, event_shape=event_shape, licence=entry.licence, source=entry.source, **fields)
