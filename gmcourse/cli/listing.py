"""Which models and which data there are, and which suit which: no line is longer than a hundred columns."""

from collections.abc import Iterable
from typing import Any

import torch

from gmcourse import data as sets
from gmcourse.catalogue import CATALOGUE
from gmcourse.data import Dataset, Entry
from gmcourse.record import ModelRecord

WIDTH = 100


def list_models(records: Iterable[ModelRecord]) -> None:
    """A line a model."""
    rows = [(r.key, r.family, r.density, r.year, r.suits) for r in records]
    _table(("KEY", "FAMILY", "DENSITY", "YEAR", "SUITS"), rows)
    print("`gmcourse models KEY` tells more of one; `gmcourse models --data KEY` lists what suits a data set.")


def list_data(entries: Iterable[Entry]) -> None:
    """A line a data set."""
    rows = [(e.key, e.kind, _shape(e), _type(e.dtype), *_counts(e), e.licence) for e in entries]
    _table(("KEY", "KIND", "EVENT", "TYPE", "TRAIN", "VALID", "TEST", "LICENCE"), rows)
    print("`gmcourse data KEY` loads one; your own file or folder is named by its path in place of KEY.")


def tell_model(record: ModelRecord) -> None:
    """All that its record says."""
    arxiv = record.arxiv
    lines = {
        record.key: record.name,
        "family": f"{record.family}: {' › '.join(record.branch)}",
        "log p(x)": record.density,
        "paper": f"{record.paper} ({record.year})"
        + (f", arXiv:{arxiv}, https://arxiv.org/abs/{arxiv}" if arxiv else ""),
        "lesson": record.lesson,
        "suits": record.suits,
        "data": ", ".join(entry.key for entry in data_for(record)),
    }
    _lines(lines)


def tell_fitting(data: Dataset) -> None:
    """The models that suit a loaded data set."""
    shape, dtype = data.event_shape, data.train.dtype
    _lines({"models": ", ".join(r.key for r in CATALOGUE if r.suits(shape, dtype)) or "none yet"})


def models_for(key: str) -> list[ModelRecord]:
    """The models that suit a data set, which is loaded only where its entry does not say its shape."""
    entry = sets.describe(key)
    if entry.event_shape is None or entry.dtype is None:
        loaded = sets.load(key)
        known = loaded.event_shape, loaded.train.dtype
    else:
        known = entry.event_shape, entry.dtype
    fitting = [record for record in CATALOGUE if record.suits(*known)]
    if not fitting:
        raise ValueError(f"data: no model of the course suits {key}, {_said(*known)}, yet")
    return fitting


def data_for(record: ModelRecord) -> list[Entry]:
    """The data sets that suit a model."""
    known = ((entry, entry.event_shape, entry.dtype) for entry in map(sets.describe, sets.KEYS))
    return [entry for entry, shape, dtype in known if shape is not None and dtype and record.suits(shape, dtype)]


def require_suited(record: ModelRecord, key: str, event_shape: tuple[int, ...], dtype: torch.dtype) -> None:
    """ValueError, with the sets and models that fit, where the model does not suit the data."""
    if not record.suits(event_shape, dtype):
        models = [r.key for r in CATALOGUE if r.suits(event_shape, dtype)]
        raise ValueError(
            f"data: {key} holds {_said(event_shape, dtype)}; {record.key} is for {record.suits}: "
            f"{', '.join(entry.key for entry in data_for(record))}, or yours. Models for {key}: "
            f"{', '.join(models) or 'none yet'}"
        )


def _said(event_shape: tuple[int, ...], dtype: torch.dtype) -> str:
    return f"{_type(dtype)} of shape {tuple(event_shape)}" if event_shape else "a stream of codes"


def _shape(entry: Entry) -> str:
    return "a stream" if entry.event_shape == () else " × ".join(map(str, entry.event_shape or ()))


def _type(dtype: torch.dtype | None) -> str:
    return str(dtype).removeprefix("torch.")


def _counts(entry: Entry) -> tuple[str, ...]:
    return ("varies", "", "") if entry.rows is None else tuple(f"{count:,}" for count in entry.rows)


def _lines(values: dict[str, Any]) -> None:
    import textwrap

    width = max(map(len, values)) + 2
    for name, value in values.items():
        first, *more = textwrap.wrap(str(value), WIDTH - width, break_on_hyphens=False, break_long_words=False) or [""]
        print(f"{name:<{width}}{first}".rstrip())
        for line in more:
            print(" " * width + line)


def _table(head: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
    cells = [head, *(tuple(map(str, row)) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells)]
    for row in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
